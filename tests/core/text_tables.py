"""Tables written as text, `|` between columns, opened as a project's tables are."""

from pathlib import Path

import pyarrow as pa
from fakes.worlds import read_rows

from pls_ml.core.database import Database, quote
from pls_ml.core.tables import TableSource
from pls_ml.io.reading import load_table


def as_arrow(text: str) -> pa.Table:
    """Every column as text, empty cells as missing values."""
    names = [name.strip() for name in text.strip().splitlines()[0].strip().strip("|").split("|")]
    rows = read_rows(text)
    return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})


def empty_database(threads: int = 1) -> Database:
    return Database([], threads, "1GB")


def load(database: Database, source: TableSource | None = None, **tables: str | pa.Table) -> Database:
    """The tables of the contract, by name, read as if they were passed in by a caller."""
    for name, table in tables.items():
        load_table(database, name, source or TableSource(), Path(), as_arrow(table) if isinstance(table, str) else table)
    return database


def put(database: Database, name: str, text: str, **types: str) -> Database:
    """A table of an earlier stage, made directly; columns are text unless `types` says otherwise."""
    table = as_arrow(text)
    database.register(f"text of {name}", table)
    columns = ", ".join(f"CAST({quote(c)} AS {types.get(c, 'VARCHAR')}) AS {quote(c)}" for c in table.column_names)
    database.execute(f"CREATE OR REPLACE TABLE {quote(name)} AS SELECT {columns} FROM {quote(f'text of {name}')}")
    return database
