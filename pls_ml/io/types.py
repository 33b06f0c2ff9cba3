"""Kinds of SQL types, as DuckDB names them."""


def is_number(sql_type: str) -> bool:
    """Takes an SQL type; returns whether it holds numbers."""
    return sql_type.startswith("DECIMAL") or sql_type in (
        "DOUBLE", "FLOAT", "BIGINT", "INTEGER", "SMALLINT", "TINYINT", "HUGEINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT",
    )  # fmt: skip


def is_untyped(sql_type: str) -> bool:
    """Takes an SQL type; returns whether it is that of a column without any value."""
    return sql_type.strip('"') == "NULL"
