"""The signals as one query for a warehouse: from the tables it has to the state, and from the state to the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.columns import SQL_TYPE, TABLES
from pls_ml.core.database import quote
from pls_ml.core.errors import ConfigError, TableError, suggest
from pls_ml.core.measures import ActiveUsers, ActiveValues, Attribute
from pls_ml.signals.dialects import to_dialect
from pls_ml.signals.query import Query, Shape

SPINE = {"row": "BIGINT", "lead_id": "VARCHAR", "account_id": "VARCHAR", "as_of": "TIMESTAMP"}
READ = {
    "users": ("user_id", "account_id", "signup_at", "is_internal", "invited_by", "valid_from", "valid_to"),
    "accounts": ("account_id", "valid_from", "valid_to"),
    "workspaces": ("account_id", "created_at"),
    "usage_limits": ("account_id", "resource", "limit", "used", "at"),
}
"""What signals read of a table beside its attributes."""
NEEDED = ("spine", "events", "users")


@dataclass(frozen=True)
class WarehouseTable:
    """One table of a warehouse: its name, with its schema, and for each column of the contract that it has, the name of its own.

    `types` gives DuckDB's types of columns beyond the contract; without, they are texts.
    """

    name: str
    columns: Mapping[str, str]
    types: Mapping[str, str] = field(default_factory=dict)


def warehouse_sql(catalogue: Catalogue, shape: Shape, tables: Mapping[str, WarehouseTable], log: Sequence[str], dialect: str) -> str:
    """Takes a catalogue, a shape (its grain and mask columns), the tables, the steps from `events` to `rolled`, and the dialect.

    Returns one query: `row`, then one column per signal column. The `spine` has `row`, `lead_id`, `account_id` (the lead's account at
    `as_of`) and `as_of`; time stamps are UTC, and so must be the session's time zone where a column has one of its own.
    Refuses tables that are not given or have no schema, and another dialect.
    """
    _refuse_wrong(tables)
    steps = [f"spine AS ({_read(tables.get('spine'), SPINE)})"]
    events = tables["events"]
    steps.append(f"events AS ({_read(events, {name: _type_of('events', events, name) for name in events.columns})})")
    for name in READ:
        columns = read_columns(catalogue, name)
        steps += _users(tables["users"], columns) if name == "users" else [f"{name} AS ({_read(tables.get(name), columns)})"]
    steps += [*log, f"state AS ({visible_state('rolled')})"]
    apart = replace(shape, moves=has_versions(tables), repeats=False)  # sums along a lead's moments are not known to every dialect
    query = Query(catalogue, apart).unordered.removeprefix("WITH ")
    return to_dialect(f"WITH {', '.join(steps)}, {query}", dialect, pretty=True)


def visible_state(rows: str) -> str:
    """Takes a relation of the state's rows as rolled up; returns the query of the state as signals read it."""
    seen = "CASE WHEN r.event_tick > r.known_tick THEN r.event_tick ELSE r.known_tick END"
    return f"SELECT r.*, {seen} AS seen_tick, r.event_tick AS window_tick, {seen} AS life_tick FROM {rows} AS r"


def read_columns(catalogue: Catalogue, table: str) -> dict[str, str]:
    """Takes a catalogue and one of the tables in `READ`; returns the columns that signals read of it, with the SQL types they read."""
    found = {column: SQL_TYPE[TABLES[table].columns[column]] for column in READ[table]}
    for measure in (signal.measure for signal in catalogue.signals):
        if isinstance(measure, Attribute) and measure.table == table:
            found.setdefault(measure.column, "DOUBLE" if measure.type == "number" else "VARCHAR")
        elif isinstance(measure, ActiveUsers | ActiveValues) and table == "users":
            for column in measure.who if isinstance(measure, ActiveUsers) else (measure.column,):
                found.setdefault(column, "VARCHAR")
    return found


def has_versions(tables: Mapping[str, WarehouseTable]) -> bool:
    """Takes a warehouse's tables; returns whether its users may have several versions."""
    return bool({"valid_from", "valid_to"} & set(tables["users"].columns))


def _refuse_wrong(tables: Mapping[str, WarehouseTable]) -> None:
    known = ("spine", "events", *READ)
    for name in tables:
        if name not in known:
            raise ConfigError(f"no signal reads a table '{name}'{suggest(name, known)}: give some of {', '.join(known)}")
    for name in NEEDED:
        if name not in tables:
            raise TableError(f"the warehouse's table for '{name}' is not given: name it, and its columns")
    for name, table in tables.items():
        if "." not in table.name:
            raise ConfigError(f"table '{table.name}' for '{name}' has no schema: write it as schema.{table.name}, so that nothing hides it")
        required = tuple(SPINE) if name == "spine" else TABLES[name].required
        missing = [column for column in required if column not in table.columns and column != "workspace_id"]
        if missing:
            raise TableError(f"table '{table.name}' for '{name}' has no column for {', '.join(missing)}: say which of its columns it is")


def _type_of(name: str, table: WarehouseTable, column: str) -> str:
    contract = TABLES[name].columns.get(column)
    return SQL_TYPE[contract] if contract else table.types.get(column, "VARCHAR")


def _read(table: WarehouseTable | None, columns: Mapping[str, str]) -> str:
    """The query of a table's columns in their types, missing where it has none; of no row where there is no table."""
    given = table.columns if table else {}
    chosen = [
        f"CAST({'t.' + quote(given[column]) if column in given else 'NULL'} AS {kind}) AS {quote(column)}"
        for column, kind in columns.items()
    ]
    name = ".".join(map(quote, table.name.split("."))) if table else ""
    return f"SELECT {', '.join(chosen)} FROM {name} AS t" if table else f"SELECT {', '.join(chosen)} LIMIT 0"


def _users(table: WarehouseTable, columns: Mapping[str, str]) -> list[str]:
    """The steps `user_versions`, and `users` with the newest version of each."""
    if not has_versions({"users": table}):
        return [f"users AS ({_read(table, columns)})", "user_versions AS (SELECT u.* FROM users AS u)"]
    names = ", ".join(f"r.{quote(column)}" for column in columns if column != "signup_at")
    listed = ", ".join(f"v.{quote(column)}" for column in columns)
    newest = "row_number() OVER (PARTITION BY r.user_id ORDER BY r.valid_from DESC NULLS LAST, r.valid_to DESC NULLS FIRST)"
    return [
        f"user_rows AS ({_read(table, columns)})",
        f"user_versions AS (SELECT {names}, min(r.signup_at) OVER (PARTITION BY r.user_id) AS signup_at FROM user_rows AS r)",
        f"users AS (SELECT {listed} FROM (SELECT r.*, {newest} AS place FROM user_versions AS r) AS v WHERE v.place = 1)",
    ]
