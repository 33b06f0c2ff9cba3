"""What single leads did lately, day by day: the events that people look for, straight from the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from pls_ml.core.columns import Unit
from pls_ml.core.database import Database, literal, literals
from pls_ml.core.windows import Grain
from pls_ml.events.invitations import NAME as INVITED

DAYS = 90
MOST_ACTIONS = 12
NO_ACTIONS = pa.schema([("lead_id", pa.string()), ("day", pa.date32()), ("event", pa.string()), ("count", pa.int64())]).empty_table()


@dataclass(frozen=True)
class ActionSource:
    """How the log is to be read: its grain, whether it repeats events, and whether invitations that were accepted are events."""

    grain: Grain
    repeated: bool
    invitations: bool


def list_actions(database: Database, source: ActionSource, events: Sequence[str], unit: Unit) -> pa.Table:
    """Takes a database with `clean_events`, users and `spine`, how to read the log, canonical names, and what the leads are.

    Returns `lead_id`, `day`, `event` and `count`: of every lead of the spine the latest twelve, of the ninety days before its `as_of`;
    nothing that happened or became known there or later.
    """
    if not events:
        return NO_ACTIONS
    count = "count(DISTINCT hash(e.user_id, e.event_time))" if source.repeated else "count(*)"
    day = f"{source.grain.to_tick('e.event_time')} // {source.grain.ticks_per_day}"
    seen = f"e.event_time < s.as_of AND e.known_at < s.as_of AND e.event_time >= s.as_of - INTERVAL {DAYS} DAY"
    owned = f"({_owned(database, source, events, unit)}) AS e JOIN spine AS s ON s.lead_id = e.lead_id AND {seen}"
    latest = "row_number() OVER (PARTITION BY lead_id ORDER BY day DESC, event)"
    return database.arrow(
        f"SELECT lead_id, DATE '1970-01-01' + CAST(day AS INTEGER) AS day, event, CAST(n AS BIGINT) AS count "
        f"FROM (SELECT s.lead_id, {day} AS day, e.event, {count} AS n FROM {owned} GROUP BY ALL) "
        f"QUALIFY {latest} <= {MOST_ACTIONS} ORDER BY lead_id, day DESC, event"
    )


def _owned(database: Database, source: ActionSource, events: Sequence[str], unit: Unit) -> str:
    """The query of the wanted events, each with the lead whose it is; internal users' are nobody's."""
    first, last = database.rows(f"SELECT min(as_of) - INTERVAL {DAYS} DAY, max(as_of) FROM spine")[0]
    near = f">= TIMESTAMP {literal(first)} AND {{0}} < TIMESTAMP {literal(last)}"  # lets the reader skip what no lead's days reach
    wanted = (
        "SELECT e.user_id, e.account_id, e.event, e.event_time, e.known_at FROM clean_events AS e "
        f"WHERE e.event IN {literals(events)} AND e.event_time {near.format('e.event_time')}"
    )
    if source.invitations and INVITED in events:
        wanted += (
            f" UNION ALL SELECT g.invited_by, CAST(NULL AS VARCHAR), {literal(INVITED)}, g.signup_at, g.signup_at FROM users AS g "
            f"WHERE g.invited_by IS NOT NULL AND NOT coalesce(g.is_internal, FALSE) AND g.signup_at {near.format('g.signup_at')}"
        )
    known = f"FROM ({wanted}) AS e JOIN users AS u ON u.user_id = e.user_id AND NOT coalesce(u.is_internal, FALSE)"
    if unit == "user":
        return f"SELECT e.user_id AS lead_id, e.* {known}"
    held = "v.user_id = e.user_id AND coalesce(v.valid_from <= e.event_time, TRUE) AND coalesce(v.valid_to > e.event_time, TRUE)"
    return (
        f"SELECT coalesce(e.account_id, v.account_id) AS lead_id, e.* EXCLUDE (account_id) {known} LEFT JOIN user_versions AS v ON {held}"
    )
