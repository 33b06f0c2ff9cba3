"""Many random worlds as one, in a log with the tracker's own names and with copies of events, and what DuckDB makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa
from fakes.catalogues import EXCLUDED
from fakes.random_worlds import worlds
from fakes.spines import make_spine
from fakes.tables import WorldTables
from fakes.worlds import Event, World, join_worlds
from hypothesis import given, settings

from pls_ml.core.atoms import Atom, find_atoms, read_properties
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.database import Database
from pls_ml.core.tables import TableSource
from pls_ml.core.windows import Grain
from pls_ml.events.identity import resolve_users
from pls_ml.events.log import Log
from pls_ml.events.mapping import EventSource
from pls_ml.events.opening import KeptState
from pls_ml.events.portable import PortableLog
from pls_ml.events.store import StateStore
from pls_ml.io.reading import load_table
from pls_ml.io.sinks import write_batches
from pls_ml.signals.engines import DuckDBEngine

SOURCE = EventSource(
    names={"feature_used": ("feature_used", "data_imported"), "pv": "page_viewed"},
    exclude=EXCLUDED,
    invitations=True,
    dedupe_days=20,
    max_quarantine_share=1.0,
)
VIEWS = ("spine", "users", "user_versions", "accounts", "workspaces", "usage_limits", "state")
"""What an engine reads."""


@dataclass(frozen=True)
class OpenWorld:
    """A world in DuckDB with its state, all of it in `state`."""

    database: Database
    state: KeptState
    atoms: tuple[Atom, ...]
    raw: dict[str, pa.Table]

    @property
    def log(self) -> PortableLog:
        """The same log for other engines."""
        return PortableLog(self.database.columns("events"), SOURCE, self.state.grain)

    def signals(self, catalogue: Catalogue) -> pd.DataFrame:
        """What DuckDB computes."""
        DuckDBEngine(self.database, self.state.grain, self.state.words()).build_signals(catalogue)
        return self.database.frame('SELECT * FROM signals ORDER BY "row"')

    def views(self) -> dict[str, pa.Table]:
        """The tables that an engine reads."""
        return {name: self.database.arrow(f"SELECT * FROM {name}") for name in VIEWS}


@cache
def many_worlds(grain: Grain, number: int, rows: int = 2) -> World:
    """Random worlds side by side, the same at every call; some events come again, soon or late, and some are known to nobody's clock."""
    found: list[World] = []

    @settings(max_examples=number, deadline=None, derandomize=True, database=None)
    @given(worlds(grain, rows=rows))
    def collect(world: World) -> None:
        found.append(world)

    collect()
    world = join_worlds({f"w{place}": one for place, one in enumerate(found)})
    renamed = [replace(event, event="pv") if event.event == "page_viewed" else event for event in world.events]
    return replace(world, events=(*renamed, *_copies(renamed)))


@contextmanager
def open_world(world: World, catalogue: Catalogue, grain: Grain) -> Iterator[OpenWorld]:
    """A world taken in as a project's data are."""
    atoms, tables = find_atoms(catalogue), WorldTables(world)
    raw = {"events": tables.events(read_properties(atoms)), **tables.others(), "wanted": tables.spine()}
    with TemporaryDirectory(prefix="state-") as folder:
        database = Database([Path(folder)], threads=1, memory_limit="1GB")
        load_table(database, "events", SOURCE, Path(), raw["events"])
        for name, table in tables.others().items():
            load_table(database, name, TableSource(), Path(), table)
        resolve_users(database)
        log = Log(database, SOURCE, grain)
        survey = log.survey()
        last = max(grain.tick_after(max(as_of for _, as_of in world.spine)), (survey.last_tick or 0) + 1)
        update = StateStore(Path(folder), write_batches).update(log, survey, atoms, last)
        state = KeptState(StateStore(Path(folder), write_batches), update.manifest, tuple(atoms), grain, SOURCE.invitations)
        state.open(database)
        make_spine(database, raw["wanted"], catalogue.unit)
        try:
            yield OpenWorld(database, state, tuple(atoms), raw)
        finally:
            database.close()


def differing(found: pd.DataFrame, expected: pd.DataFrame) -> list[str]:
    """The columns that differ in any bit of any row."""
    assert list(found.columns) == list(expected.columns)
    assert found["row"].tolist() == expected["row"].tolist()
    return [name for name in expected.columns if not _same(found[name], expected[name])]


def _same(one: pd.Series, other: pd.Series) -> bool:
    missing = one.isna().to_numpy()
    if not np.array_equal(missing, other.isna().to_numpy()):
        return False
    if other.dtype == np.float64:
        numbers = one.to_numpy(dtype=np.float64, na_value=np.nan), other.to_numpy()
        return np.array_equal(*(values[~missing].view(np.int64) for values in numbers))
    return one[~missing].tolist() == other[~missing].tolist()


def _copies(events: list[Event]) -> list[Event]:
    """Every fifth event again: at once, told by somebody else, within the days in which ids are compared, at their end, or after it."""
    late = [timedelta(), timedelta(days=3), timedelta(days=20), timedelta(days=20, microseconds=1), timedelta(days=41)]
    return [
        replace(event, known_at=event.known + late[place % 5], event="exported" if place % 3 == 0 else event.event)
        for place, event in enumerate(events[::5])
    ]
