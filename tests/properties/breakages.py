"""Engines and cleanings that are wrong on purpose, each in one place, and the checks that must notice."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from fakes.tables import SignalPath

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.database import Database
from pls_ml.events.cleaning import clean_events
from pls_ml.events.mapping import EventSource
from pls_ml.signals.engines import DuckDBEngine

EDGES, GOLDEN = "edges of windows", "golden cases"


class NothingBrokenError(Exception):
    """The replacement found nothing to replace: the breakage no longer breaks the query."""


@dataclass(frozen=True)
class Breakage:
    """`break_path` makes a good path wrong; every check named in `noticed_by` must fail on it."""

    break_path: Callable[[SignalPath], SignalPath]
    noticed_by: tuple[str, ...]


def _query(pattern: str, replacement: str | Callable[[re.Match[str]], str], *noticed_by: str) -> Breakage:
    """A breakage of the query that the engine compiles."""

    class BrokenEngine(DuckDBEngine):
        def compile(self, catalogue: Catalogue) -> str:
            good = super().compile(catalogue)
            broken = re.sub(pattern, replacement, good)
            if broken == good:
                raise NothingBrokenError(f"the query has no {pattern!r}: {good[:200]} …")
            return broken

    return Breakage(lambda path: replace(path, engine=BrokenEngine), noticed_by)


def _log(query: str, *noticed_by: str) -> Breakage:
    """A breakage of the log before it is cleaned; `query` reads the table `logged`."""

    def clean(database: Database, source: EventSource, properties: tuple[str, ...]) -> object:
        database.execute("CREATE TABLE logged AS SELECT * FROM events")
        database.execute(f"CREATE OR REPLACE VIEW events AS {query}")
        return clean_events(database, source, properties)

    return Breakage(lambda path: replace(path, clean=clean), noticed_by)


def _start(ticks: int) -> Callable[[re.Match[str]], str]:
    return lambda match: f"e.event_tick >= s.tick - {int(match[1]) - ticks}"


_WINDOW = r"e\.event_tick >= s\.tick - (\d+)"
_HAPPENED, _KNOWN = re.escape("e.event_tick < s.tick AND "), re.escape(" AND e.known_tick < s.tick")
_OWN, _ACCOUNT = re.escape("JOIN state AS e ON e.user_id = s.lead_id"), re.escape("JOIN state AS e ON e.account_id = s.account_id")
_SEEN = re.escape("e.event_tick < s.tick AND e.known_tick < s.tick")
_WEEK = r"\((\w\.\w*tick) // (\d+) \+ 3\) // 7"
_WEEK_OF_YEAR = r"date_part('week', DATE '1970-01-01' + CAST(\1 // \2 AS INTEGER))"
_LAST_TICK = "(SELECT max(tick) FROM ticked)"
_MATES = "JOIN (SELECT x.*, y.user_id AS mate FROM state AS x JOIN users AS y USING (account_id)) AS e ON e.mate = s.lead_id"

FUTURE, LATE, ORDER = "events at or after as_of", "events that became known at or after as_of", "the order of rows"
REPEATED, OTHERS, ACCOUNTS = "rows repeated with the same event id", "events of other leads", "events of other accounts"
MOMENTS, ZONES, WEEKS = "other moments in the same query", "the input's time zone", "whole weeks later or earlier"
_NO_OFFSET = "CAST(left(CAST({0} AS VARCHAR), 26) AS TIMESTAMP) AS {0}"
_TODAY = (
    "JOIN (SELECT x.* REPLACE (y.account_id AS account_id) FROM state AS x JOIN users AS y USING (user_id)) AS e "
    "ON e.account_id = s.account_id"
)
_VERSION = "SELECT * FROM logged QUALIFY event_id IS NULL OR row_number() OVER (PARTITION BY event_id ORDER BY"

BREAKAGES = {
    "what happens in the tick of as_of counts": _query(_HAPPENED, "e.event_tick <= s.tick AND ", FUTURE, EDGES),
    "what happens after as_of counts": _query(_HAPPENED, "", FUTURE),
    "it does not matter when an event became known": _query(_KNOWN, "", LATE, EDGES),
    "what becomes known in the tick of as_of counts": _query(_KNOWN, " AND e.known_tick <= s.tick", LATE, EDGES),
    "known or happened before as_of is enough": _query(_SEEN, "least(e.event_tick, e.known_tick) < s.tick", FUTURE, LATE),
    "everything seen by the latest moment counts": _query(_SEEN, f"greatest(e.event_tick, e.known_tick) < {_LAST_TICK}", MOMENTS),
    "windows exclude their start": _query(_WINDOW, r"e.event_tick > s.tick - \1", EDGES),
    "windows start a tick early": _query(_WINDOW, _start(-1), EDGES),
    "windows start a tick late": _query(_WINDOW, _start(1), EDGES),
    "windows have no start": _query(_WINDOW, "true", EDGES),
    "windows are those of the latest moment": _query(_WINDOW, rf"e.event_tick >= {_LAST_TICK} - \1", MOMENTS),
    "the last action is counted from the last moment of the tick": _query(
        r"any_value\(s\.as_of_us\)", "max(any_value(s.as_of_us)) OVER (PARTITION BY any_value(s.tick))", MOMENTS
    ),
    "user signals count the whole account": _query(_OWN, _MATES, OTHERS, GOLDEN),
    "account signals count every account": _query(_ACCOUNT, "JOIN state AS e ON true", ACCOUNTS),
    "account signals count by today's account": _query(_ACCOUNT, _TODAY, GOLDEN),
    "weeks begin on Thursdays": _query(re.escape(" + 3) // 7"), ") // 7", GOLDEN),
    "weeks start over every year": _query(_WEEK, _WEEK_OF_YEAR, WEEKS),
    "the running week counts in trends": _query(r"(// 7\)) = ([1-4])\b", lambda match: f"{match[1]} = {int(match[2]) - 1}", GOLDEN),
    "two rises of three are enough": _query(r"(AS INTEGER\) AS \"usage_rising\")", r"AND true OR true \1", GOLDEN),
    "a share of seventy percent is no decline": _query(re.escape("<= 0.7 *"), "< 0.7 *", GOLDEN),
    "the grace period is ignored": _query(r" AND e\.event_tick < s\.tick - \d+\)", ")", GOLDEN),
    "an earlier completion clears a later start": _query(r"coalesce\((max\(.*?\)\)) < max\(.*?, true\)", r"\1 IS NULL", GOLDEN),
    "who never activated took no time": _query(r"CASE WHEN (\(min\(.*?signup_us\)\)) < 0 THEN 0 ELSE .*? END", r"greatest(\1, 0)", GOLDEN),
    "a ratio without denominator takes the floor": _query(r'"age" IS NOT NULL', "true", GOLDEN),
    "an account's later version is known before": _query(re.escape("x.valid_from < t.as_of"), "true", GOLDEN),
    "an account's version holds at its last moment": _query(re.escape("x.valid_to >= t.as_of"), "x.valid_to > t.as_of", GOLDEN),
    "every version of an account makes a line": _query(r" QUALIFY row_number\(\) OVER \(PARTITION BY t\..*?\) = 1", "", GOLDEN),
    "users who sign up at as_of count": _query(re.escape("x.signup_at < t.as_of"), "x.signup_at <= t.as_of", GOLDEN),
    "nothing is dropped that has the same event id": _log("SELECT * EXCLUDE (event_id) FROM logged", REPEATED),
    "the version known last counts": _log(f"{_VERSION} coalesce(known_at, event_time) DESC) = 1", REPEATED, LATE),
    "the version that stands first in the file counts": _log(f"{_VERSION} rowid) = 1", ORDER),
    "an event is known when it happens": _log("SELECT * EXCLUDE (known_at) FROM logged", LATE),
    "an event happens when it is known": _log(
        "SELECT * EXCLUDE (known_at) REPLACE (coalesce(known_at, event_time) AS event_time) FROM logged", GOLDEN
    ),
    "the offset of a time stamp is ignored": _log(
        f"SELECT * REPLACE ({_NO_OFFSET.format('event_time')}, {_NO_OFFSET.format('known_at')}) FROM source_events", ZONES
    ),
}
"""What is wrong → the path that is wrong in this way."""
