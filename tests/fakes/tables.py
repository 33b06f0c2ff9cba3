"""From a small world to its signals, by the path that a project's data take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from fakes.worlds import World

from pls_ml.core.builtin import find_builtin
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.database import Database
from pls_ml.core.tables import TableSource
from pls_ml.events.cleaning import clean_events
from pls_ml.events.identity import resolve_users
from pls_ml.events.mapping import EventSource
from pls_ml.events.state import StateNeeds, find_needs, roll_up
from pls_ml.io.reading import load_table
from pls_ml.io.yaml import read_spec
from pls_ml.signals.engines import DuckDBEngine

WriteTime = Callable[[datetime], str]
_TIME, _TEXT, _NUMBER = pa.timestamp("us"), pa.string(), pa.float64()


@cache
def default_catalogue() -> Catalogue:
    """The catalogue that ships with the package."""
    return read_spec(find_builtin("signals/default.yaml"), Catalogue, "catalogue")


@dataclass(frozen=True)
class SignalPath:
    """How a world's signals are built; tests replace a part by a broken one.

    `write_time` writes the time stamps of events and users as text, `timezone` is what the project says about text without a zone.
    """

    catalogue: Catalogue
    grain: str = "day"
    engine: type[DuckDBEngine] = DuckDBEngine
    clean: Callable[[Database, EventSource, tuple[str, ...]], Any] = clean_events
    write_time: WriteTime | None = None
    timezone: str = "UTC"

    def at(self, grain: str, catalogue: Catalogue | None = None) -> SignalPath:
        """The same path with another time grain, and perhaps another catalogue."""
        return replace(self, grain=grain, catalogue=catalogue or self.catalogue)

    def signals(self, world: World) -> pd.DataFrame:
        """One line per spine row in its order, indexed by `row`; one column per signal column."""
        database = self.open(world)
        try:
            self.engine(database, self.grain).build_signals(self.catalogue)
            frame = database.frame('SELECT * FROM signals ORDER BY "row"')
        finally:
            database.close()
        return frame.set_index("row")

    def open(self, world: World) -> Database:
        """A database with everything an engine needs."""
        needs = find_needs(self.catalogue)
        source = EventSource(max_quarantine_share=1.0, timezone=self.timezone, invitations=True)
        database = Database([], threads=1, memory_limit="1GB")
        load_table(database, "events", source, Path(), self._events(world, needs))
        load_table(database, "users", TableSource(timezone=self.timezone), Path(), self._users(world))
        load_table(database, "accounts", TableSource(), Path(), _accounts(world))
        resolve_users(database)
        self.clean(database, source, needs.properties)
        roll_up(database, needs, self.grain)
        database.register("wanted", _wanted(world))
        database.execute(
            "CREATE TABLE spine AS SELECT w.*, u.account_id, coalesce(u.account_id, 'user:' || w.lead_id) AS account_key "
            "FROM wanted AS w JOIN users AS u ON u.user_id = w.lead_id"
        )
        return database

    def _events(self, world: World, needs: StateNeeds) -> pa.Table:
        columns = {
            "event_id": pa.array([e.event_id for e in world.events], _TEXT),
            "user_id": pa.array([e.user_id for e in world.events], _TEXT),
            "account_id": pa.array([e.account_id for e in world.events], _TEXT),
            "event": pa.array([e.event for e in world.events], _TEXT),
            "event_time": self._times([e.event_time for e in world.events]),
            "known_at": self._times([e.known_at for e in world.events]),
        }
        for name in needs.properties:
            given = [e.properties.get(name) for e in world.events]
            number = any(isinstance(value, int | float) for value in given)
            columns[name] = pa.array(given, _NUMBER if number else _TEXT)
        return pa.table(columns)

    def _users(self, world: World) -> pa.Table:
        return pa.table(
            {
                "user_id": pa.array([u.user_id for u in world.users], _TEXT),
                "account_id": pa.array([u.account_id for u in world.users], _TEXT),
                "signup_at": self._times([u.signup_at for u in world.users]),
                "seniority": pa.array([u.seniority for u in world.users], _TEXT),
                "is_internal": pa.array([u.is_internal for u in world.users], pa.bool_()),
                "invited_by": pa.array([u.invited_by for u in world.users], _TEXT),
            }
        )

    def _times(self, moments: list[datetime | None]) -> pa.Array:
        if self.write_time is None:
            return pa.array(moments, _TIME)
        return pa.array([None if moment is None else self.write_time(moment) for moment in moments], _TEXT)


def _accounts(world: World) -> pa.Table:
    return pa.table(
        {
            "account_id": pa.array([a.account_id for a in world.accounts], _TEXT),
            "employee_count": pa.array([a.employee_count for a in world.accounts], _NUMBER),
            "industry": pa.array([a.industry for a in world.accounts], _TEXT),
            "valid_from": pa.array([a.valid_from for a in world.accounts], _TIME),
            "valid_to": pa.array([a.valid_to for a in world.accounts], _TIME),
        }
    )


def _wanted(world: World) -> pa.Table:
    return pa.table(
        {
            "row": pa.array(range(1, len(world.spine) + 1), pa.int64()),
            "lead_id": pa.array([lead for lead, _ in world.spine], _TEXT),
            "as_of": pa.array([as_of for _, as_of in world.spine], _TIME),
        }
    )
