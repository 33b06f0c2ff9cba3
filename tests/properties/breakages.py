"""Paths that are wrong on purpose, each in one place, and the checks that must notice.

Most rewrite what the package says to the database. Where such a text changes, its pattern in `BREAKAGES` has to follow: a breakage that
finds nothing to rewrite says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pyarrow as pa
from fakes.paths import SignalPath

from pls_ml.core.database import Database

Replacement = str | Callable[[re.Match[str]], str]


class BrokenDatabase(Database):
    """Runs every text with a part replaced."""

    rewrite: Callable[[str], str]
    rewritten: list[str]

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> None:
        super().execute(self._broken(sql), parameters)

    def rows(self, sql: str, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        return super().rows(self._broken(sql), parameters)

    def arrow(self, sql: str, parameters: Sequence[Any] | None = None) -> pa.Table:
        return super().arrow(self._broken(sql), parameters)

    @contextmanager
    def stream(self, sql: str) -> Iterator[pa.RecordBatchReader]:
        with super().stream(self._broken(sql)) as reader:
            yield reader

    def _broken(self, sql: str) -> str:
        broken = self.rewrite(sql)
        if broken != sql:
            self.rewritten.append(broken)
        return broken


@dataclass(frozen=True)
class Breakage:
    """`break_path` makes a good path wrong; every check named in `noticed_by` must fail on it. `rewritten` holds the texts it changed."""

    break_path: Callable[[SignalPath], SignalPath]
    noticed_by: tuple[str, ...]
    rewritten: list[str] | None = field(default=None, repr=False)


def _sql(pattern: str, replacement: Replacement, *noticed_by: str) -> Breakage:
    """A breakage of whatever the database is told."""
    rewritten: list[str] = []
    rewrite = partial(re.sub, pattern, replacement)
    database = type("Broken", (BrokenDatabase,), {"rewrite": staticmethod(rewrite), "rewritten": rewritten})
    return Breakage(lambda path: replace(path, database=database), noticed_by, rewritten)


def _plain(text: str, replacement: str, *noticed_by: str) -> Breakage:
    return _sql(re.escape(text), lambda _: replacement, *noticed_by)


def _log(query: str, *noticed_by: str) -> Breakage:
    """A breakage of the log before it is taken in; `query` reads the table `logged_before`."""
    return Breakage(lambda path: replace(path, log=query), noticed_by)


def _start(ticks: int) -> Callable[[re.Match[str]], str]:
    return lambda match: f"e.window_tick >= s.tick - {int(match[1]) - ticks}"


EDGES, GOLDEN, NIGHTS = "edges of windows", "golden cases", "a state grown night by night"
FUTURE, LATE, FACTS = (
    "events at or after as_of",
    "events that became known at or after as_of",
    "what people and accounts become at or after as_of",
)
ORDER, REPEATED, WEEKS = "the order of rows", "rows repeated with the same event id", "whole weeks later or earlier"
OTHERS, ACCOUNTS, STRANGERS = "events of other leads", "events of other accounts", "events of people who are no customers"
MOMENTS, ZONES = "other moments in the same query", "the input's time zone"

_SEEN, _SEEN_TICK = "e.seen_tick < s.tick", "coalesce(greatest(event_tick, known_tick), known_tick) AS seen_tick"
_WINDOW, _LAST_TICK = r"e\.window_tick >= s\.tick - (\d+)", "(SELECT max(tick) FROM ticked)"
_OF_VERSION = r"(o\.begun) <= (coalesce\([^)]*\)) AND (o\.ended) > \2"
_AS_MEMBERS = r"user_versions AS v ON v\.user_id = m\.user_id AND \(.*?\.as_of\)"
_WEEK = r"CAST\(\(CAST\((e\.window_tick|tick) // (\d+) AS BIGINT\) \+ 3\) // 7 AS BIGINT\)"
_WEEK_OF_YEAR = r"CAST(date_part('week', DATE '1970-01-01' + CAST(\1 // \2 AS INTEGER)) AS BIGINT)"
_KNOWN = r"coalesce\(e\.known_at, e\.event_time\)"
_VERSION = "SELECT * FROM logged_before QUALIFY event_id IS NULL OR row_number() OVER (PARTITION BY event_id ORDER BY"
_NO_OFFSET = "CAST(left(CAST({0} AS VARCHAR), 26) AS TIMESTAMP) AS {0}"

OF_TIME = {
    "what is seen in the tick of as_of counts": _plain(_SEEN, "e.seen_tick <= s.tick", FUTURE, LATE, EDGES),
    "what is seen after as_of counts": _plain(_SEEN, "true", FUTURE, LATE),
    "it does not matter when an event became known": _plain(_SEEN_TICK, "event_tick AS seen_tick", LATE, EDGES),
    "known or happened before as_of is enough": _plain(_SEEN_TICK, "least(event_tick, known_tick) AS seen_tick", FUTURE, LATE),
    "everything seen by the latest moment counts": _plain(_SEEN, f"e.seen_tick < {_LAST_TICK}", MOMENTS),
    "windows exclude their start": _sql(_WINDOW, r"e.window_tick > s.tick - \1", EDGES),
    "windows start a tick early": _sql(_WINDOW, _start(-1), EDGES),
    "windows start a tick late": _sql(_WINDOW, _start(1), EDGES),
    "windows have no start": _sql(_WINDOW, "true", EDGES),
    "windows are those of the latest moment": _sql(_WINDOW, rf"e.window_tick >= {_LAST_TICK} - \1", MOMENTS),
    "the first days begin after the tick of the signup": _plain("e.event_tick >= s.signup_tick", "e.event_tick > s.signup_tick", EDGES),
    "the first days have no end": _sql(r" AND e\.event_tick < s\.signup_tick \+ \d+", "", EDGES),
    "life is counted again at every moment": _plain("e.life_tick >= s.before", "true", MOMENTS),
    "weeks begin on Thursdays": _plain(" + 3) // 7", ") // 7", GOLDEN),
    "weeks start over every year": _sql(_WEEK, _WEEK_OF_YEAR, WEEKS),
    "the running week counts in trends": _sql(r"(// 7 AS BIGINT\)) = ([1-8])\b", lambda m: f"{m[1]} = {int(m[2]) - 1}", GOLDEN),
    "the grace period is ignored": _sql(r" AND e\.window_tick < s\.tick - \d+ THEN", " THEN", GOLDEN, EDGES),
}

OF_PEOPLE = {
    "user signals count other users": _plain("ON e.user_id = s.lead_id", "ON e.user_id <= s.lead_id", OTHERS, GOLDEN),
    "account signals count every account": _plain("ON e.owner = s.account_id", "ON e.owner IS NOT NULL", ACCOUNTS, GOLDEN),
    "account signals count by the latest account": _plain("coalesce(e.account_id, o.account_id) AS", "u.account_id AS", FACTS, GOLDEN),
    "the account written on an event is overruled": _plain("coalesce(e.account_id, o.account_id) AS", "o.account_id AS", GOLDEN),
    "the tick of a move counts for the old account": _sql(_OF_VERSION, r"\1 < \2 AND \3 >= \2", GOLDEN),
    "our own people count": _plain("WHERE NOT coalesce(u.is_internal, FALSE)", "WHERE true", STRANGERS, GOLDEN),
    "colleagues are the whole account": _sql(r" - coalesce\(o\.a\d+, 0\)", "", GOLDEN),
    "people are what they became last": _sql(_AS_MEMBERS, "users AS v USING (user_id)", FACTS, GOLDEN),
    "a version that begins at as_of is known": _sql(r"(coalesce\(\w+\.valid_from, TIMESTAMP '[^']*'\)) < ", r"\1 <= ", GOLDEN),
    "an account's later version is known before": _sql(r"coalesce\(aa\.valid_from, TIMESTAMP '[^']*'\) < s\.as_of", "true", GOLDEN, FACTS),
    "a version ends before its last moment": _sql(r"(coalesce\(\w+\.valid_to, TIMESTAMP '[^']*'\)) >= ", r"\1 > ", GOLDEN),
    "users who sign up at as_of count": _plain("x.signup_at < m.as_of", "x.signup_at <= m.as_of", GOLDEN, FACTS, EDGES),
    "records that begin at as_of count": _plain("x.created_at < m.as_of", "x.created_at <= m.as_of", GOLDEN, FACTS, EDGES),
    "a reading at as_of is known": _plain("x.at < m.as_of", "x.at <= m.as_of", GOLDEN, FACTS),
    "any reading of a limit counts, not the last": _plain("WHERE back = 1", "", GOLDEN),
    "one of several last readings of a limit counts": _plain("rank() OVER", "row_number() OVER", GOLDEN),
}

OF_MEASURES = {
    "usage may rise from nothing": _sql(r"CASE WHEN coalesce\(\w+\.\w+, 0\) > 0 AND", "CASE WHEN", GOLDEN),
    "a share of seventy percent is no decline": _sql(r"(10 \* \([^<]*\)) <= 7 \*", r"\1 < 7 *", GOLDEN),
    "an earlier completion clears a later start": _sql(r"coalesce\((\w+\.\w+) < \w+\.\w+, TRUE\)", r"\1 IS NULL", GOLDEN),
    "who never activated took no time": _sql(r"CASE WHEN (\(\w+\.\w+ - s\.signup_us\)) < 0 THEN 0 ELSE \1 END", r"greatest(\1, 0)", GOLDEN),
    "a streak goes on over gaps": _sql(r"bit_count\((\w+\.\w+) & \(\d+ - \1\)\)", r"bit_count(\1)", GOLDEN),
    "a ratio without denominator takes the floor": _plain('"age_days_of_user" IS NOT NULL', "TRUE", GOLDEN),
    "nothing stands in for a missing value": _sql(r", CAST\('1000\.0' AS DOUBLE\)\)", ", NULL)", GOLDEN),
    "every condition of `any` must hold": _plain(" OR coalesce(", " AND coalesce(", GOLDEN),
    "a session goes on after any pause": _sql(r"e\.idle_us <= \d+", "e.idle_us >= 0", GOLDEN),
    "a session ends at the gap exactly": _sql(r"e\.idle_us <= (\d+)", r"e.idle_us < \1", GOLDEN),
    "a session ends at midnight": _sql(r"(OVER \([^)]*\) // \d+) <= 1", r"\1 < 1", GOLDEN),
    "sessions are in the order in which events happened": _plain("ORDER BY known_tick, event_us", "ORDER BY event_us", LATE, GOLDEN),
    "sessions go on from one user to the next": _plain(
        "PARTITION BY user_id, event_tick > known_tick ORDER BY known_tick", "ORDER BY known_tick", OTHERS, GOLDEN
    ),
    "what is told before it happens takes part in sessions": _plain(
        "PARTITION BY user_id, event_tick > known_tick", "PARTITION BY user_id", FUTURE
    ),
}

OF_THE_STATE = {
    "nothing is dropped that has the same event id": _log("SELECT * EXCLUDE (event_id) FROM logged_before", REPEATED),
    "the version known last counts": _log(f"{_VERSION} coalesce(known_at, event_time) DESC) = 1", REPEATED, LATE),
    "the version that stands first in the file counts": _log(f"{_VERSION} rowid) = 1", ORDER),
    "an event is known when it happens": _log("SELECT * EXCLUDE (known_at) FROM logged_before", LATE),
    "an event happens when it is known": _log(
        "SELECT * EXCLUDE (known_at) REPLACE (coalesce(known_at, event_time) AS event_time) FROM logged_before", GOLDEN
    ),
    "the offset of a time stamp is ignored": _log(
        f"SELECT * REPLACE ({_NO_OFFSET.format('event_time')}, {_NO_OFFSET.format('known_at')}) FROM source_events", ZONES
    ),
    "a night takes in what happened since, not what became known": _sql(rf"{_KNOWN} (>=|<) (TIMESTAMP)", r"e.event_time \1 \2", NIGHTS),
    "what was summed up of the far past is not read": _plain(
        "CAST(NULL AS BIGINT) AS window_tick, known_tick AS life_tick", "CAST(NULL AS BIGINT) AS window_tick, NULL AS life_tick", NIGHTS
    ),
}

BREAKAGES = OF_TIME | OF_PEOPLE | OF_MEASURES | OF_THE_STATE
"""What is wrong → the path that is wrong in this way."""
