"""From a small world to its signals, by the way that a project's data take: load, keep as a state, open, compute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from fakes.catalogues import EXCLUDED
from fakes.spines import make_spine
from fakes.tables import WorldTables, WriteTime
from fakes.worlds import World

from pls_ml.core.atoms import find_atoms, read_properties
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.database import Database
from pls_ml.core.tables import TableSource
from pls_ml.core.windows import Grain
from pls_ml.events.identity import resolve_users
from pls_ml.events.log import Log, Survey
from pls_ml.events.mapping import EventSource
from pls_ml.events.opening import KeptState
from pls_ml.events.store import StateStore
from pls_ml.io.reading import load_table
from pls_ml.io.sinks import write_batches
from pls_ml.signals.engines import DuckDBEngine
from pls_ml.signals.query import longest_reach

DAYS = Grain("day")


@dataclass(frozen=True)
class Night:
    """A moment at which the state was brought up to date; every `held_back`-th row known by then was not in the log yet (0: none)."""

    at: datetime
    held_back: int = 0


@dataclass(frozen=True)
class SignalPath:
    """How a world's signals are built; tests replace a part by another, or by a broken one.

    `nights`: when the state was brought up to date before, for the signals of `known_signals` if there were others then. `whole`: the
    engine reads all of the state, not only what the spine can see. `log`: a query of `logged_before` in the place of the log.
    `write_time` writes the time stamps as text, `timezone` is what the project says about text without a zone.
    """

    catalogue: Catalogue
    grain: Grain = DAYS
    engine: type[DuckDBEngine] = DuckDBEngine
    database: type[Database] = Database
    nights: tuple[Night, ...] = ()
    known_signals: Catalogue | None = None
    whole: bool = False
    log: str | None = None
    write_time: WriteTime | None = None
    timezone: str = "UTC"

    def at(self, grain: Grain, catalogue: Catalogue | None = None) -> SignalPath:
        """The same path with another time grain, and perhaps another catalogue."""
        return replace(self, grain=grain, catalogue=catalogue or self.catalogue)

    def signals(self, world: World) -> pd.DataFrame:
        """One line per spine row in its order, indexed by `row`; one column per signal column."""
        with self.opened(world) as (database, state):
            return self.compute(database, state)

    def compute(self, database: Database, state: KeptState) -> pd.DataFrame:
        """The signals of an opened world."""
        self.engine(database, self.grain, state.words()).build_signals(self.catalogue)
        return database.frame('SELECT * FROM signals ORDER BY "row"').set_index("row")

    @contextmanager
    def opened(self, world: World) -> Iterator[tuple[Database, KeptState]]:
        """A database with everything an engine needs, and the state in it."""
        with TemporaryDirectory(prefix="state-") as folder:
            kept = Kept(self, WorldTables(world, self.write_time), StateStore(Path(folder), write_batches))
            for night in self.nights:
                kept.grow(night)
            database = kept.load(None)
            try:
                yield database, kept.open(database)
            finally:
                database.close()


@dataclass(frozen=True)
class Kept:
    """A world's state at work: what is known of the world is loaded, taken in, and opened."""

    path: SignalPath
    tables: WorldTables
    store: StateStore

    @property
    def source(self) -> EventSource:
        return EventSource(max_quarantine_share=1.0, timezone=self.path.timezone, invitations=True, exclude=EXCLUDED)

    def load(self, night: Night | None) -> Database:
        """A database with the tables of the world, and of the log what it holds by a night."""
        database = self.path.database([self.store.folder], threads=1, memory_limit="1GB")
        properties = read_properties(find_atoms(self.path.catalogue))
        events = self.tables.events(properties) if night is None else self.tables.events(properties, night.at, night.held_back)
        load_table(database, "events", self.source, Path(), events)
        for name, table in self.tables.others().items():
            load_table(database, name, TableSource(timezone=self.path.timezone), Path(), table)
        resolve_users(database)
        if self.path.log is not None:
            database.execute("CREATE TABLE logged_before AS SELECT * FROM events")
            database.execute(f"CREATE OR REPLACE VIEW events AS {self.path.log}")
        return database

    def grow(self, night: Night) -> None:
        """Takes in what became known before a night; nothing where nothing did."""
        database = self.load(night)
        try:
            if database.count("events"):
                self._update(database, night)
        finally:
            database.close()

    def open(self, database: Database) -> KeptState:
        """Takes in the rest, and makes `state` and `spine`."""
        state = self._update(database, None)
        assert state is not None
        state.open(database)
        make_spine(database, self.tables.spine(), self.path.catalogue.unit)
        if not self.path.whole:
            first = self.path.grain.tick_of(min(as_of for _, as_of in self.tables.world.spine))
            state.open_from(database, self.path.catalogue, first, longest_reach(self.path.catalogue, self.path.grain))
        return state

    def _update(self, database: Database, night: Night | None) -> KeptState | None:
        catalogue = self.path.catalogue if night is None else self.path.known_signals or self.path.catalogue
        log, atoms, grain = Log(database, self.source, self.path.grain), find_atoms(catalogue), self.path.grain
        survey = log.survey()
        until = self._end(survey) if night is None else grain.tick_after(night.at)
        if until <= survey.ticks[0]:
            return None
        update = self.store.update(log, survey, atoms, until)
        return KeptState(self.store, update.manifest, tuple(atoms), grain, self.source.invitations)

    def _end(self, survey: Survey) -> int:
        """Everything is taken in, also what no moment of the spine may see."""
        last = max(as_of for _, as_of in self.tables.world.spine)
        return max(self.path.grain.tick_after(last), *(int(tick) + 1 for tick in survey.ticks[-1:]))
