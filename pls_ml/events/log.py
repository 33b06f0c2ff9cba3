"""The raw log as it may be used: names mapped, repeated events dropped, unusable rows left out, set aside and counted.

Nothing here reads the users, so that what is known of the log does not change when they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from pls_ml.core.database import Database, literal, literals, quote
from pls_ml.core.errors import TableError
from pls_ml.core.files import digest_data
from pls_ml.core.windows import DAY_US, Grain
from pls_ml.events.mapping import EventSource

Span = tuple[int, int]
"""[since, until) in ticks."""
EARLIEST = datetime(2000, 1, 1)
LATEST = datetime(2100, 1, 1)
"""Times from here on say nothing about when the log ends."""
FUTURE_DAYS = 30
"""An event known further than this past the bulk of the log, or dated further past the moment it became known, has a broken clock.

The bulk is all but one event in a thousand, and at least one, of a log of a hundred events or more."""
LONGEST_SHIFT_DAYS = 1
"""Days of a zone are an hour shorter or longer now and then; a look back over days takes one more."""


@dataclass(frozen=True)
class Survey:
    """How many rows, and whose, became known at which tick, the first tick that lies too far ahead, and the rows without a usable time."""

    ticks: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    owners: npt.NDArray[np.uint64]
    """Sum of the hashes of the rows' users."""
    limit_tick: int
    undated: int

    def count(self, since: int, until: int) -> int:
        """Takes two ticks; returns the rows that became known from the one up to the other."""
        begin, end = np.searchsorted(self.ticks, [since, until])
        return int(self.rows[begin:end].sum())

    def mark(self, since: int, until: int) -> int:
        """Takes two ticks; returns a number that changes when rows between them are added, taken away, moved, or given to another user.

        The marks of spans side by side add up (modulo 2^64) to that of the whole.
        """
        begin, end = np.searchsorted(self.ticks, [since, until])
        odd = (2 * self.ticks[begin:end] + 1).astype(np.uint64)
        return int((odd * (self.owners[begin:end] + self.rows[begin:end].astype(np.uint64))).sum(dtype=np.uint64))

    @property
    def last_tick(self) -> int | None:
        """The last tick at which an event became known that does not lie too far ahead."""
        usable = self.ticks[self.ticks < self.limit_tick]
        return int(usable[-1]) if len(usable) else None


class Log:
    """The view `events` of a database, read with the tracker's mapping: what may be used of it, and at which tick it became known."""

    def __init__(self, database: Database, source: EventSource, grain: Grain) -> None:
        """Takes a database with the view `events` as read; makes `event_names` and the view `clean_events`. Refuses an empty log."""
        self.database = database
        self.source = source
        self.grain = grain
        self.columns = database.columns("events")
        self.known = self._known_time()
        self._name_events()
        self._make_view(self.usable)

    @property
    def properties(self) -> tuple[str, ...]:
        """The log's columns beyond those every event has."""
        fixed = {"event_id", "user_id", "account_id", "event", "event_time", "known_at"}
        return tuple(column for column in self.columns if column not in fixed)

    @property
    def account(self) -> str:
        """The SQL of a row's account as logged."""
        return "e.account_id" if "account_id" in self.columns else "CAST(NULL AS VARCHAR)"

    @property
    def made_from(self) -> str:
        """A digest of how the log is read, as far as it decides what is kept."""
        mapping = self.source.model_dump(mode="json", exclude={"invitations", "max_quarantine_share"})
        return digest_data({"grain": [self.grain.kind, self.grain.zone], "columns": self.columns, "source": mapping})

    @property
    def usable(self) -> str:
        """The SQL test that a row `e` of `events` may be used."""
        tests, early = ["e.user_id IS NOT NULL", "e.event IS NOT NULL"], f"e.event_time < {stamp(EARLIEST)}"
        if "known_at" in self.columns:
            # One test of both times: next to a test of event times alone, known times would make the reader skip nothing.
            tests += [f"{self.known} >= {stamp(EARLIEST)}", f"NOT ({early} OR {self.dated_ahead})"]
        else:
            tests.append(f"NOT {early}")
        if self.source.exclude:
            tests.append(f"e.event NOT IN {literals(self.source.exclude)}")
        return " AND ".join(tests)

    def known_between(self, since: int, until: int) -> str:
        """Takes two ticks; returns the SQL test that a row `e` became known from the one up to the other."""
        begin, end = (stamp(self.grain.start_of(tick)) for tick in (since, until))
        return f"{self.known} >= {begin} AND {self.known} < {end}"

    def part_of(self, spans: Sequence[Span]) -> str:
        """Takes spans side by side; returns the SQL of the number of the one in which a row `e` became known."""
        begins = " ".join(f"WHEN {self.known} < {stamp(self.grain.start_of(until))} THEN {n}" for n, (_, until) in enumerate(spans))
        return f"CASE {begins} END"

    def survey(self) -> Survey:
        """Takes nothing; returns when the log's rows became known, and leaves those too far ahead out of `clean_events`.

        Refuses a log without a row, or without a readable time.
        """
        with self.database.reading("the event log"):
            owners = f"CAST(sum(hash(e.user_id)) % {2**64} AS UBIGINT)"
            found = self.database.frame(
                f"SELECT {self.grain.to_tick(self.known)} AS tick, count(*) AS rows, {owners} AS owners FROM events AS e GROUP BY 1"
            )
        dated = found["tick"].notna() & (found["tick"] >= self.grain.tick_of(EARLIEST))
        if not len(found):
            raise TableError("the event log is empty: expected at least one row; check `data.events.path`")
        usable = found[dated].sort_values("tick")
        ticks, rows = (usable[name].to_numpy(np.int64) for name in ("tick", "rows"))
        undated, limit = int(found.loc[~dated, "rows"].sum()), self._find_limit(ticks, rows)
        self._make_view(f"{self.usable} AND {self.known} < {stamp(self.grain.start_of(limit))}")
        return Survey(ticks, rows, usable["owners"].to_numpy(np.uint64), limit, undated)

    def _make_view(self, chosen: str) -> None:
        extra = "".join(f", e.{quote(p)}" for p in self.properties)
        self.database.execute(
            f"CREATE OR REPLACE VIEW clean_events AS SELECT e.user_id, {self.account} AS account_id, "
            f"coalesce(n.canonical, e.event) AS event, coalesce(n.name_no, 0) AS name_no, e.event_time, {self.known} AS known_at{extra} "
            f"FROM events AS e LEFT JOIN event_names AS n ON n.raw = e.event WHERE {chosen}"
        )

    def _find_limit(self, ticks: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> int:
        """The start of the first day that lies too far past the bulk of the log."""
        sane = ticks < self.grain.tick_of(LATEST)
        if not sane.any():
            raise TableError("no event has a readable time between the years 2000 and 2100: expected ISO 8601 time stamps in `event_time`")
        upto = np.cumsum(rows[sane])
        aside = max(1, upto[-1] // 1000) if upto[-1] >= 100 else 0
        bulk = ticks[sane][np.searchsorted(upto, upto[-1] - aside)]
        day = self.grain.ticks_per_day
        return int(bulk // day + 1 + FUTURE_DAYS) * day

    def _known_time(self) -> str:
        if "known_at" not in self.columns:
            return "e.event_time"
        gaps = self.database.rows("SELECT 1 FROM events WHERE known_at IS NULL LIMIT 1")
        return "coalesce(e.known_at, e.event_time)" if gaps else "e.known_at"  # the plain column lets the reader skip what is not asked for

    @property
    def dated_ahead(self) -> str:
        """The SQL test that a row `e` is dated too far past the moment it became known."""
        return f"epoch_us(e.event_time) - epoch_us({self.known}) >= {FUTURE_DAYS * DAY_US}"

    def _name_events(self) -> None:
        numbered: dict[str, int] = {}
        rows = []
        for raw, name in self.source.pairs():
            rows.append(f"({literal(raw)}, {literal(name)}, {numbered.setdefault(raw, 0)})")
            numbered[raw] += 1
        self.database.execute(
            "CREATE OR REPLACE TABLE event_names AS SELECT CAST(raw AS VARCHAR) AS raw, CAST(name AS VARCHAR) AS canonical, "
            f"CAST(no AS INTEGER) AS name_no FROM (VALUES {', '.join(rows) or '(NULL, NULL, NULL)'}) AS t(raw, name, no)"
        )


def stamp(moment: datetime) -> str:
    """Takes a moment in UTC; returns it as an SQL literal."""
    return f"TIMESTAMP {literal(moment)}"
