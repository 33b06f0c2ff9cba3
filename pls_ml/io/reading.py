"""Sources → canonical tables: columns translated to the contract's names, values cast to its types, all problems at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pls_ml.core.columns import SQL_TYPE, TABLES, ColumnType
from pls_ml.core.database import Database, literal, literals, quote
from pls_ml.core.errors import TableError, suggest
from pls_ml.core.tables import TableSource
from pls_ml.io.sources import open_source


def load_table(database: Database, name: str, source: TableSource, root: Path, given: Any = None) -> None:
    """Takes a contract table's name and its source (a file below `root`, or a `given` Arrow-speaking object).

    Makes the table `name` with canonical columns and types; columns outside the contract keep their names as attributes.
    Refuses missing columns (all named at once) and a column of the wrong type. A value that does not cast becomes missing;
    in a required column of any table but `events` it is refused.
    """
    raw = f"source_{name}"
    if given is not None:
        database.register(raw, given)
    elif source.path is not None:
        open_source(database, raw, root / source.path)
    else:
        raise TableError(f"table '{name}' has no `path` and was not passed in: give one")
    types = database.columns(raw)
    expressions = _column_expressions(name, source, types)
    kind = "VIEW" if name == "events" else "TABLE"
    selected = ", ".join(f"{sql} AS {quote(column)}" for column, sql in expressions.items())
    database.execute(f"CREATE OR REPLACE {kind} {quote(name)} AS SELECT {selected} FROM {quote(raw)}")
    if name != "events":
        _refuse_missing_values(database, name)


def _column_expressions(name: str, source: TableSource, types: Mapping[str, str]) -> dict[str, str]:
    contract = TABLES[name]
    chosen = {column: column for column in types if column not in source.columns.values()} | source.columns
    problems = [
        f"no column '{origin}' for `{column}`{suggest(origin, list(types))}"
        for column, origin in source.columns.items()
        if origin not in types and origin.split(".")[0] not in types
    ]
    problems += [
        f"no column `{column}`{suggest(column, list(types))}; name yours under `columns`"
        for column in contract.required
        if column not in chosen and column not in source.constants
    ]
    if problems:
        raise TableError(f"table '{name}' does not fit the contract: {'; '.join(problems)}. It has: {', '.join(types)}")
    expressions = {column: _cast(name, column, origin, source, types) for column, origin in chosen.items()}
    return expressions | {column: f"CAST({literal(value)} AS VARCHAR)" for column, value in source.constants.items()}


def _cast(name: str, column: str, origin: str, source: TableSource, types: Mapping[str, str]) -> str:
    sql, found = _reach(origin, types)
    if source.missing and found == "VARCHAR":
        sql = f"CASE WHEN {sql} NOT IN {literals(source.missing)} THEN {sql} END"
    wanted = TABLES[name].columns.get(column)
    if wanted is None:
        return sql if _is_number(found) else f"CAST({sql} AS VARCHAR)"
    if wanted == "time":
        return _cast_time(name, column, sql, found, source.timezone)
    if wanted in ("number", "flag") and not (_is_number(found) or found in ("VARCHAR", "BOOLEAN")):
        raise TableError(f"table '{name}': column `{column}` holds {found}, expected a {wanted}")
    return _cast_plain(sql, found, wanted)


def _cast_plain(sql: str, found: str, wanted: ColumnType) -> str:
    if wanted == "id" and found in ("DOUBLE", "FLOAT"):
        return f"CAST(CAST({sql} AS BIGINT) AS VARCHAR)"  # pandas turns integer ids with gaps into doubles
    return f"TRY_CAST({sql} AS {SQL_TYPE[wanted]})"


def _cast_time(name: str, column: str, sql: str, found: str, zone: str) -> str:
    local = f"CAST(timezone({literal(zone)}, TRY_CAST({sql} AS TIMESTAMP)) AS TIMESTAMP)"
    if found == "TIMESTAMP WITH TIME ZONE":
        return f"CAST({sql} AS TIMESTAMP)"
    if found.startswith("TIMESTAMP") or found == "DATE":
        return f"CAST({sql} AS TIMESTAMP)" if zone == "UTC" else local
    if found == "VARCHAR":
        zoned = f"regexp_matches({sql}, '([+-][0-9]{{2}}(:?[0-9]{{2}})?|[zZ])$') AND length({sql}) > 10"
        return f"CASE WHEN {zoned} THEN CAST(TRY_CAST({sql} AS TIMESTAMPTZ) AS TIMESTAMP) ELSE {local} END"
    raise TableError(f"table '{name}': column `{column}` holds {found}, expected a time stamp or ISO 8601 text")


def _reach(origin: str, types: Mapping[str, str]) -> tuple[str, str]:
    """Takes `column` or `column.field`; returns its SQL and type, reaching into a struct or JSON text."""
    if origin in types:
        return quote(origin), types[origin]
    outer, field = origin.split(".", 1)
    if types[outer].startswith("STRUCT"):
        return f"CAST({quote(outer)}.{quote(field)} AS VARCHAR)", "VARCHAR"
    path = f'$."{field}"'
    return f"json_extract_string({quote(outer)}, {literal(path)})", "VARCHAR"


def _is_number(sql_type: str) -> bool:
    return sql_type.startswith("DECIMAL") or sql_type in (
        "DOUBLE", "FLOAT", "BIGINT", "INTEGER", "SMALLINT", "TINYINT", "HUGEINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT",
    )  # fmt: skip


def _refuse_missing_values(database: Database, name: str) -> None:
    required = [c for c in TABLES[name].required if c not in ("closed_at", "is_won")]
    counts = ", ".join(f"count(*) FILTER (WHERE {quote(c)} IS NULL)" for c in required)
    found = database.rows(f"SELECT {counts} FROM {quote(name)}")[0]
    bad = [f"{n:,} rows without a readable `{column}`" for column, n in zip(required, found, strict=True) if n]
    if bad:
        raise TableError(f"table '{name}' has {'; '.join(bad)}: fill them in or leave those rows out")
