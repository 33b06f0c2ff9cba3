"""`pls-ml signals --sql DIALECT`: the query that computes every signal, for reading, or for running where the tables are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pls_ml.core.atoms import find_atoms
from pls_ml.core.database import Database, quote
from pls_ml.core.errors import ConfigError, TableError, suggest
from pls_ml.events.mapping import EventSource
from pls_ml.events.portable import PortableLog
from pls_ml.signals.dialects import DIALECTS
from pls_ml.signals.query import Shape
from pls_ml.signals.warehouse import READ, SPINE, WarehouseTable, has_versions, warehouse_sql
from pls_ml.workflows.data import LoadedData, load_data, open_engine
from pls_ml.workflows.project import Project
from pls_ml.workflows.signals import build_spine

OWN = "duckdb"
SCHEMA = "pls"
"""Where a warehouse is expected to have the tables, or views, under the contract's names, with the contract's columns."""


@dataclass(frozen=True)
class SignalQuery:
    """One query in one dialect; it gives the spine's `row` and one column per signal column."""

    dialect: str
    sql: str

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return {"dialect": self.dialect, "sql": self.sql}

    def to_text(self) -> str:
        """Takes nothing; returns the query."""
        return self.sql


def compile_signals(project: Project, dialect: str = OWN, as_of: datetime | None = None) -> SignalQuery:
    """Takes a project, an SQL dialect and one `as_of` (None: the training grid); returns the query of its computable signals.

    In DuckDB's it is what `signals` runs, over the kept state. In a warehouse's it goes from the log to the columns by itself, over
    `pls.spine`, `pls.events`, `pls.users` and what else these data have, for every row of that spine. Refuses an unknown dialect.
    """
    known = (OWN, *DIALECTS)
    if dialect not in known:
        raise ConfigError(f"there is no SQL dialect '{dialect}'{suggest(dialect, known)}: choose one of {', '.join(known)}")
    data = load_data(project)
    if dialect != OWN:
        return SignalQuery(dialect, _compile_for_warehouse(project, data, dialect))
    build_spine(project, data, as_of)
    return SignalQuery(dialect, open_engine(data, data.coverage.catalogue).compile(data.coverage.catalogue))


def _compile_for_warehouse(project: Project, data: LoadedData, dialect: str) -> str:
    if data.state is None:
        raise TableError("there is no event log, and so no state that a warehouse would have to compute: add `data.events`")
    catalogue, database = data.coverage.catalogue, data.database
    log = PortableLog(database.columns("events"), project.config.data.events or EventSource(), data.grain)
    atoms = find_atoms(catalogue)
    tables = {"events": _table("events", log.columns)} | {
        name: _table(name, _filled(database, name)) for name in READ if database.has(name)
    }
    tables["spine"] = WarehouseTable(f"{SCHEMA}.spine", {column: column for column in SPINE})
    shape = Shape(data.grain, data.state.words(), moves=has_versions(tables), repeats=False)
    return warehouse_sql(catalogue, shape, tables, [*log.steps(atoms), *log.roll_up(atoms, data.state.manifest.codes)], dialect)


def _table(name: str, types: Mapping[str, str]) -> WarehouseTable:
    return WarehouseTable(f"{SCHEMA}.{name}", {column: column for column in types}, types)


def _filled(database: Database, name: str) -> dict[str, str]:
    """The columns of a table that have a value in these data, with their types: a warehouse need not have the others."""
    types = database.columns("user_versions" if name == "users" else name)
    counts = database.rows(f"SELECT {', '.join(f'count({quote(column)})' for column in types)} FROM {quote(name)}")[0]
    return {column: kind for (column, kind), n in zip(types.items(), counts, strict=True) if n}
