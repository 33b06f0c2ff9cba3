"""From a log written as text to its clean events, by the path that a project's data take."""

import pyarrow as pa
from core.text_tables import empty_database, load

from pls_ml.core.database import Database
from pls_ml.events.cleaning import EventCounts, clean_events
from pls_ml.events.identity import resolve_users
from pls_ml.events.mapping import EventSource

TOLERANT = EventSource(max_quarantine_share=1)
"""Lets every log pass, so that a test can look at what became of its rows."""


def clean_log(
    events: str | pa.Table, users: str | None = None, source: EventSource = TOLERANT, properties: tuple[str, ...] = (), threads: int = 1
) -> tuple[Database, EventCounts]:
    database = load(empty_database(threads), source, events=events)
    if users is not None:
        load(database, users=users)
    resolve_users(database)
    return database, clean_events(database, source, properties)


def clean_rows(database: Database, columns: str = "user_id, event, CAST(event_time AS VARCHAR)") -> list[tuple]:
    return database.rows(f"SELECT {columns} FROM clean_events ORDER BY ALL")


def many_events(day: str, n: int = 2000) -> dict[str, list]:
    """The columns of n events of the user `u` on one day: the bulk of a log."""
    return {"user_id": ["u"] * n, "event": ["view"] * n, "event_time": [f"{day}T12:00:00"] * n}
