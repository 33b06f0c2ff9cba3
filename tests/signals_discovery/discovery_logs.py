"""Logs and tables as discovery meets them: the view `clean_events`, `users` and `accounts`, made directly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa

from pls_ml.core.catalogue import Catalogue, Signal
from pls_ml.core.database import Database
from pls_ml.signals.discovery import discover_signals

START = datetime(2024, 3, 4, 9, 30)
WINDOWS = ("7d", "30d", "90d")
Row = dict[str, Any]


def log_of(*names: str, users: int = 10, **properties: Sequence[Any]) -> list[Row]:
    """Every user has one event of each name, hours apart; properties go round from event to event."""
    rows = []
    for user in range(users):
        for place, name in enumerate(names):
            number = len(rows)
            given = {key: values[number % len(values)] for key, values in properties.items()}
            rows.append({"user_id": f"u{user}", "event": name, "event_time": START + timedelta(hours=place, days=user), **given})
    return rows


def people(users: int = 10, **columns: Sequence[Any]) -> list[Row]:
    """Users u0, u1 … with the columns given, whose values go round."""
    fixed = {"account_id": None, "is_internal": False}
    return [{"user_id": f"u{n}", **fixed, **{key: values[n % len(values)] for key, values in columns.items()}} for n in range(users)]


def open_database(events: list[Row] | None = None, users: list[Row] | None = None, accounts: list[Row] | None = None) -> Database:
    """A database as it is when signals are looked for; without users, those of the events and no more is known of them."""
    database = Database([], threads=1, memory_limit="1GB")
    known = users if users is not None else [{"user_id": name} for name in sorted({row["user_id"] for row in events or []})]
    _make(database, "users", known, {"user_id": "VARCHAR", "account_id": "VARCHAR", "is_internal": "BOOLEAN", "signup_at": "TIMESTAMP"})
    _make(database, "accounts", accounts or [], {"account_id": "VARCHAR"})
    if events is not None:
        fixed = {"user_id": "VARCHAR", "account_id": "VARCHAR", "event": "VARCHAR", "event_time": "TIMESTAMP", "known_at": "TIMESTAMP"}
        _make(database, "logged", events, fixed)
        database.execute("CREATE VIEW clean_events AS SELECT * EXCLUDE (known_at), coalesce(known_at, event_time) AS known_at FROM logged")
    return database


def discover(
    events: list[Row] | None = None, users: list[Row] | None = None, accounts: list[Row] | None = None, **how: Any
) -> dict[str, Signal]:
    """What is found, by id, after it went through a catalogue."""
    database = open_database(events, users, accounts)
    try:
        found = discover_signals(database, how.pop("windows", WINDOWS), **how)
    finally:
        database.close()
    return {signal.id: signal for signal in Catalogue(signals=found).signals}


def shuffled(rows: list[Row], seed: int) -> list[Row]:
    """The same rows in another order."""
    return Random(seed).sample(rows, len(rows))


def _make(database: Database, name: str, rows: list[Row], fixed: dict[str, str]) -> None:
    names = sorted({key for row in rows for key in row} - fixed.keys())
    table = pa.table({key: pa.array([row.get(key) for row in rows]) for key in (*fixed, *names)})
    database.register(f"rows of {name}", table)
    casts = ", ".join(f"CAST({key} AS {kind}) AS {key}" for key, kind in fixed.items())
    more = "".join(f', "{key}"' for key in names)
    database.execute(f'CREATE TABLE {name} AS SELECT {casts}{more} FROM "rows of {name}"')
