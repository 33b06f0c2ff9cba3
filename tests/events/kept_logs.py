"""From a log written as text to its kept state, by the way that a project's data take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
from core.text_tables import as_arrow, load

from pls_ml.core.atoms import find_atoms
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.database import Database
from pls_ml.core.measures import WINDOWED
from pls_ml.core.windows import Grain
from pls_ml.events.identity import resolve_users
from pls_ml.events.log import Log
from pls_ml.events.mapping import EventSource
from pls_ml.events.opening import KeptState
from pls_ml.events.store import StateStore, Update
from pls_ml.io.sinks import write_batches
from pls_ml.workflows.data import EventCounts, count_events

TOLERANT = EventSource(max_quarantine_share=1)
"""Lets every log pass, so that a test can look at what became of its rows."""
USERS = "user_id\nu\nv"
DAY = Grain("day")
Measures = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class KeptLog:
    """A log taken into a state, and the state opened."""

    database: Database
    update: Update
    state: KeptState
    scratch: TemporaryDirectory | None = field(default=None, repr=False)

    @property
    def counts(self) -> EventCounts:
        found = count_events(SimpleNamespace(database=self.database, state=self.state))
        assert found is not None
        return found

    def rows(self, columns: str, of: str = "state") -> list[tuple]:
        return self.database.rows(f"SELECT {columns} FROM {of} ORDER BY ALL NULLS LAST")

    def value(self, number: int = 3, word: int = 0) -> Any:
        """The merged value of an atom beyond those that are always kept."""
        atom = self.state.atoms[number]
        merge = {"first": "min", "last": "max", "bits": "bit_or"}.get(atom.kind, "sum")
        column = atom.word(word) if atom.kind == "bits" else atom.name
        return self.database.rows(f'SELECT {merge}("{column}") FROM state')[0][0]

    @property
    def clean(self) -> list[tuple]:
        return self.rows("user_id, event, CAST(event_time AS VARCHAR)", "clean_events")


def keep(
    log: str | pa.Table,
    measures: Measures = (),
    *,
    users: str | pa.Table = USERS,
    source: EventSource = TOLERANT,
    grain: Grain = DAY,
    folder: Path | None = None,
    until: int | None = None,
    threads: int = 1,
    write: Any = write_batches,
) -> KeptLog:
    """Takes in a log up to a tick (without one: all of it), in a folder that is kept or in a new one."""
    scratch = TemporaryDirectory(prefix="state-") if folder is None else None
    place = Path(scratch.name) if scratch else folder
    database = load(Database([place], threads, "1GB"), source, events=log)
    resolve_users(load(database, users=users))
    log_read = Log(database, source, grain)
    survey = log_read.survey()
    atoms = find_atoms(catalogue_of(measures))
    store = StateStore(place, write)
    update = store.update(log_read, survey, atoms, survey.last_tick + 1 if until is None else until)
    state = KeptState(store, update.manifest, tuple(atoms), grain, source.invitations)
    state.open(database)
    return KeptLog(database, update, state, scratch)


def catalogue_of(measures: Measures) -> Catalogue:
    """One signal for every measure, over its life where it needs a window."""
    windowed = {kind.model_fields["kind"].annotation.__args__[0] for kind in WINDOWED}
    return Catalogue.model_validate(
        {
            "signals": [
                {
                    "id": f"s{number}",
                    "family": "test",
                    "label": "s",
                    "measure": measure,
                    "windows": ["lifetime"] if measure["kind"] in windowed else [],
                }
                for number, measure in enumerate(measures or [{"kind": "count"}])
            ]
        }
    )


def many_events(day: str, n: int = 2000) -> pa.Table:
    """n events of the user `u` on one day: the bulk of a log."""
    text = pa.string()
    columns = {"user_id": "u", "event": "view", "event_time": f"{day}T12:00:00", "known_at": None}
    return pa.table({name: pa.array([value] * n, text) for name, value in columns.items()})


__all__ = ["DAY", "TOLERANT", "USERS", "KeptLog", "as_arrow", "catalogue_of", "keep", "many_events"]
