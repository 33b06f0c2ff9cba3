"""Sources → canonical tables: columns translated to the contract's names, values cast to its types, all problems at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pls_ml.core.columns import SQL_TYPE, TABLES, ColumnType
from pls_ml.core.database import Database, literal, literals, quote
from pls_ml.core.errors import ConfigError, TableError, suggest
from pls_ml.core.tables import TableSource
from pls_ml.io.sources import open_source, refuse_damaged
from pls_ml.io.types import is_number, is_untyped


def load_table(database: Database, name: str, source: TableSource, root: Path, given: Any = None) -> None:
    """Takes a contract table's name and its source (files below `root`, or a `given` Arrow-speaking object).

    Makes the table `name` with canonical columns and types; columns outside the contract keep their names as attributes.
    Refuses missing columns (all named at once) and a column of the wrong type. A value that does not cast becomes missing;
    in a required column of any table but `events` it is refused.
    """
    raw = f"source_{name}"
    rows = quote(raw)
    if given is not None:
        database.register(raw, _to_arrow(name, given))
    elif source.path is not None:
        rows = open_source(database, raw, root / source.path)
    else:
        raise TableError(f"table '{name}' has no `path` and was not passed in: give one")
    _refuse_unknown_zone(database, name, source.timezone)
    types = database.columns(raw)
    _refuse_unreachable(database, name, source, raw, types)
    expressions = _column_expressions(name, source, types)
    kind = "VIEW" if name == "events" else "TABLE"
    selected = ", ".join(f"{sql} AS {quote(column)}" for column, sql in expressions.items())
    try:
        with database.reading(f"table '{name}'"):
            database.execute(f"CREATE OR REPLACE {kind} {quote(name)} AS SELECT {selected} FROM {rows}")
    except TableError:
        if given is None and source.path is not None:
            refuse_damaged(database, root / source.path)
        raise
    if name != "events":
        _refuse_missing_values(database, name)


def _to_arrow(name: str, given: Any) -> Any:
    import pyarrow as pa

    if not hasattr(given, "__arrow_c_stream__"):
        raise TableError(f"table '{name}' is a {type(given).__name__}: pass a pandas, polars or pyarrow table")
    try:
        table = pa.table(given)
        return table.drop_columns([c for c in table.column_names if c.startswith("__index_level_")])  # pandas' row labels are no data
    except (pa.ArrowException, TypeError, ValueError) as error:
        said = " ".join(str(part) for part in error.args)
        raise TableError(f"table '{name}' does not convert to Arrow: {said}; give every column one name and one type") from error


def _refuse_unknown_zone(database: Database, name: str, zone: str) -> None:
    known = [row[0] for row in database.rows("SELECT name FROM pg_timezone_names()")] if zone != "UTC" else ["UTC"]
    if zone not in known:
        raise ConfigError(f"table '{name}': `timezone: {zone}` is no known zone{suggest(zone, known)}: write a name such as Europe/Berlin")


def _refuse_unreachable(database: Database, name: str, source: TableSource, raw: str, types: Mapping[str, str]) -> None:
    """Takes the columns found; refuses `column.field` where the column holds no fields, or no such field."""
    for column, origin in source.columns.items():
        outer, _, field = origin.partition(".")
        if origin in types or outer not in types or not field:
            continue
        if types[outer].startswith("STRUCT"):
            fields = [row[0] for row in database.rows(f"DESCRIBE SELECT unnest({quote(outer)}) FROM {quote(raw)}")]
            if field not in fields:
                raise TableError(
                    f"table '{name}': `{outer}` has no field '{field}' for `{column}`{suggest(field, fields)}; it has: {', '.join(fields)}"
                )
        elif types[outer] not in ("VARCHAR", "JSON") and not types[outer].startswith("MAP"):
            raise TableError(f"table '{name}': `{column}: {origin}` needs a struct or JSON text, but `{outer}` holds {types[outer]}")


def _column_expressions(name: str, source: TableSource, types: Mapping[str, str]) -> dict[str, str]:
    contract = TABLES[name]
    renamed = {column.lower() for column in (*source.columns, *source.constants)}  # SQL does not tell `Event` from `event`
    kept = [column for column in types if column not in source.columns.values() and column.lower() not in renamed]
    chosen = {column: column for column in kept} | source.columns
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
    expressions = {column: _cast(name, column, _reach(origin, types), source) for column, origin in chosen.items()}
    fixed = {column: (f"CAST({literal(value)} AS VARCHAR)", "VARCHAR") for column, value in source.constants.items()}
    return expressions | {column: _cast(name, column, value, source) for column, value in fixed.items()}


def _cast(name: str, column: str, reached: tuple[str, str], source: TableSource) -> str:
    sql, found = reached
    if source.missing and found == "VARCHAR":
        sql = f"CASE WHEN {sql} NOT IN {literals(source.missing)} THEN {sql} END"
    wanted = TABLES[name].columns.get(column)
    if wanted is not None and is_untyped(found):  # a column without any value has no type
        return f"CAST(NULL AS {SQL_TYPE[wanted]})"
    if wanted is None:
        return sql if is_number(found) or found == "BOOLEAN" else f"CAST({sql} AS VARCHAR)"
    if wanted == "time":
        return _cast_time(name, column, sql, found, source.timezone)
    if wanted in ("number", "flag") and not (is_number(found) or found in ("VARCHAR", "BOOLEAN")):
        raise TableError(f"table '{name}': column `{column}` holds {found}, expected a {wanted}")
    return _cast_plain(sql, found, wanted)


def _cast_plain(sql: str, found: str, wanted: ColumnType) -> str:
    if wanted == "id" and found in ("DOUBLE", "FLOAT"):  # pandas turns integer ids with gaps into doubles
        whole = f"CAST(TRY_CAST({sql} AS BIGINT) AS VARCHAR)"
        return f"CASE WHEN {sql} = trunc({sql}) THEN {whole} ELSE CAST({sql} AS VARCHAR) END"
    cast = f"TRY_CAST({sql} AS {SQL_TYPE[wanted]})"
    return f"nullif({cast}, '')" if SQL_TYPE[wanted] == "VARCHAR" else cast  # as in CSV, an empty text is no value


def _cast_time(name: str, column: str, sql: str, found: str, zone: str) -> str:
    local = f"CAST(timezone({literal(zone)}, TRY_CAST({sql} AS TIMESTAMP)) AS TIMESTAMP)"
    if found == "TIMESTAMP WITH TIME ZONE":
        return f"make_timestamp(epoch_us({sql}))"  # a plain cast asks the calendar for every row, ten times slower
    if found.startswith("TIMESTAMP") or found == "DATE":
        return f"CAST({sql} AS TIMESTAMP)" if zone == "UTC" else local
    if found == "VARCHAR":
        zoned = f"regexp_matches({sql}, '[0-9] ?([+-][0-9]{{2}}(:?[0-9]{{2}})?|[A-Za-z][A-Za-z_/]*)$') AND length({sql}) > 10"
        closed_up = f"regexp_replace({sql}, ' ([+-])', '\\1')"
        utc = f"CAST(TRY_CAST({closed_up} AS TIMESTAMPTZ) AS TIMESTAMP)"
        return f"CASE WHEN {zoned} THEN {utc} WHEN regexp_matches({sql}, '^[0-9]') THEN {local} END"  # not 'infinity', 'epoch'
    raise TableError(f"table '{name}': column `{column}` holds {found}, expected a time stamp or ISO 8601 text")


def _reach(origin: str, types: Mapping[str, str]) -> tuple[str, str]:
    """Takes `column` or `column.field`; returns its SQL and type, reaching into a struct or JSON text."""
    if origin in types:
        return quote(origin), types[origin]
    outer, field = origin.split(".", 1)
    if types[outer].startswith("STRUCT"):
        return f"CAST({quote(outer)}.{quote(field)} AS VARCHAR)", "VARCHAR"
    path = f'$."{field}"'
    return f"TRY(json_extract_string({quote(outer)}, {literal(path)}))", "VARCHAR"


def _refuse_missing_values(database: Database, name: str) -> None:
    required = [c for c in TABLES[name].required if c not in ("closed_at", "is_won", "limit")]
    counts = ", ".join(f"count(*) FILTER (WHERE {quote(c)} IS NULL)" for c in required)
    found = database.rows(f"SELECT {counts} FROM {quote(name)}")[0]
    bad = [f"{n:,} rows without a readable `{column}`" for column, n in zip(required, found, strict=True) if n]
    if bad:
        raise TableError(f"table '{name}' has {'; '.join(bad)}: fill them in or leave those rows out")
