"""Log rows → clean events: names mapped, duplicates dropped, unusable rows quarantined with the reason and counted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pls_ml.core.database import Database, literal, literals, quote
from pls_ml.core.errors import TableError
from pls_ml.events.mapping import EventSource

EARLIEST = datetime(2000, 1, 1)
LATEST = datetime(2100, 1, 1)
"""Times from here on say nothing about when the log ends."""
FUTURE_DAYS = 30
"""An event further than this past the day by which the bulk of the log had happened is taken for a broken clock.

The bulk is all but one event in a thousand, and at least one, of a log of a hundred events or more."""


@dataclass(frozen=True)
class EventCounts:
    """What became of every row of the log; `quarantined` gives rows per reason, `excluded` those left out on purpose."""

    read: int
    kept: int
    duplicates: int
    excluded: dict[str, int]
    quarantined: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return asdict(self)


def clean_events(database: Database, source: EventSource, properties: tuple[str, ...]) -> EventCounts:
    """Takes a database with the view `events` as read and the resolved `users`; makes `clean_events` and `quarantine`.

    `properties` are the event columns that signals read. Refuses an empty log and a log with more unusable rows than
    `max_quarantine_share`.
    """
    present = database.columns("events")
    read = database.count("events")
    if not read:
        raise TableError("the event log is empty: expected at least one row; check `data.events.path`")
    with database.reading("the event log"):
        _stage(database, source, tuple(p for p in properties if p in present), present)
    duplicates = _drop_duplicates(database) if "event_id" in present else 0
    reasons = dict(database.rows("SELECT reason, count(*) FROM staged_events WHERE reason IS NOT NULL GROUP BY 1 ORDER BY 1"))
    on_purpose = {reason: reasons.pop(reason) for reason in ("excluded by name", "internal user") if reason in reasons}
    _refuse_mostly_bad(source, reasons, read)
    _split(database, source)
    return EventCounts(read, read - duplicates - sum(on_purpose.values()) - sum(reasons.values()), duplicates, on_purpose, reasons)


def _stage(database: Database, source: EventSource, properties: tuple[str, ...], present: dict[str, str]) -> None:
    event_id = "e.event_id" if "event_id" in present else "NULL"
    known = "coalesce(e.known_at, e.event_time)" if "known_at" in present else "e.event_time"
    account = "coalesce(e.account_id, u.account_id)" if "account_id" in present else "u.account_id"
    extra = "".join(f", e.{quote(p)}" for p in properties)
    excluded = f"e.event IN {literals(source.exclude)}" if source.exclude else "false"
    database.execute(
        f"CREATE OR REPLACE TEMP TABLE staged_events AS "
        f"SELECT {event_id} AS event_id, e.event_time, {known} AS known_at, e.user_id, {account} AS account_id, e.event{extra}, "
        f"CASE WHEN {excluded} THEN 'excluded by name' "
        f"WHEN e.user_id IS NULL THEN 'no user' WHEN e.event IS NULL THEN 'no event name' "
        f"WHEN e.event_time IS NULL THEN 'unreadable time' "
        f"WHEN e.event_time < {literal(EARLIEST)} OR {known} < {literal(EARLIEST)} THEN 'before 2000' "
        f"WHEN greatest(e.event_time, {known}) >= {literal(_future_limit(database))} THEN 'in the future' "
        f"WHEN u.user_id IS NULL THEN 'unknown user' WHEN u.is_internal THEN 'internal user' END AS reason "
        f"FROM events AS e LEFT JOIN users AS u USING (user_id)"
    )


def _future_limit(database: Database) -> datetime:
    """The start of the first day that lies too far past the bulk of the log."""
    days = database.rows(
        "SELECT day + INTERVAL 1 DAY FROM (SELECT day, sum(n) OVER (ORDER BY day) AS upto, sum(n) OVER () AS total FROM "
        "(SELECT date_trunc('day', event_time) AS day, count(*) AS n FROM events "
        f"WHERE event_time >= {literal(EARLIEST)} AND event_time < {literal(LATEST)} GROUP BY 1)) "
        "WHERE upto >= total - CASE WHEN total >= 100 THEN greatest(1, total // 1000) ELSE 0 END ORDER BY day LIMIT 1"
    )
    if not days:
        raise TableError("no event has a readable time between the years 2000 and 2100: expected ISO 8601 time stamps in `event_time`")
    limit: datetime = database.rows("SELECT CAST(? AS TIMESTAMP) + to_days(CAST(? AS INTEGER))", [days[0][0], FUTURE_DAYS])[0][0]
    return limit


def _drop_duplicates(database: Database) -> int:
    before = database.count("staged_events")
    database.execute(
        "CREATE TEMP TABLE repeated AS SELECT event_id FROM staged_events WHERE event_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1"
    )
    database.execute(
        "CREATE TEMP TABLE first_of_each AS SELECT s.* FROM staged_events AS s SEMI JOIN repeated USING (event_id) "
        "QUALIFY row_number() OVER "
        "(PARTITION BY s.event_id ORDER BY s.reason IS NOT NULL, s.known_at, s.event_time, s.user_id, s.event, s) = 1"
    )
    database.execute("DELETE FROM staged_events WHERE event_id IN (SELECT event_id FROM repeated)")
    database.execute("INSERT INTO staged_events SELECT * FROM first_of_each")
    database.execute("DROP TABLE first_of_each")
    database.execute("DROP TABLE repeated")
    return before - database.count("staged_events")


def _refuse_mostly_bad(source: EventSource, reasons: dict[str, int], read: int) -> None:
    bad = sum(reasons.values())
    if bad > source.max_quarantine_share * read:
        listed = ", ".join(f"{reason}: {n:,}" for reason, n in reasons.items())
        raise TableError(
            f"{bad:,} of {read:,} events ({bad / read:.0%}) are unusable ({listed}): expected at most "
            f"{source.max_quarantine_share:.0%}; mend the log or raise `data.events.max_quarantine_share`"
        )


def _split(database: Database, source: EventSource) -> None:
    database.execute(
        "CREATE OR REPLACE TABLE quarantine AS SELECT * FROM staged_events "
        "WHERE reason IS NOT NULL AND reason NOT IN ('excluded by name', 'internal user')"
    )
    values = ", ".join(f"({literal(raw)}, {literal(name)})" for raw, name in source.pairs()) or "(NULL, NULL)"
    database.execute(
        "CREATE OR REPLACE TABLE event_names AS SELECT CAST(raw AS VARCHAR) AS raw, CAST(name AS VARCHAR) AS canonical "
        f"FROM (VALUES {values}) AS t(raw, name)"
    )
    database.execute(
        "CREATE OR REPLACE VIEW clean_events AS SELECT s.* EXCLUDE (reason, event), coalesce(n.canonical, s.event) AS event "
        f"FROM staged_events AS s LEFT JOIN event_names AS n ON n.raw = s.event WHERE s.reason IS NULL {_invitations(source)}"
    )


def _invitations(source: EventSource) -> str:
    """Who invited whom is usage too: the invitation worked when the invited user signed up."""
    if not source.invitations:
        return ""
    return (
        "UNION ALL BY NAME SELECT i.user_id, i.account_id, 'invite_accepted' AS event, g.signup_at AS event_time, g.signup_at AS known_at "
        "FROM users AS g JOIN users AS i ON i.user_id = g.invited_by WHERE NOT coalesce(i.is_internal OR g.is_internal, false) "
        f"AND g.signup_at >= {literal(EARLIEST)} AND g.signup_at < {literal(LATEST)}"
    )
