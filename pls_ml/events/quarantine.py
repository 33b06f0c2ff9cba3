"""Rows of the log that cannot be used: the reason of each, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pls_ml.core.database import literals
from pls_ml.core.errors import TableError
from pls_ml.events.log import EARLIEST, Log, Span, stamp

EXCLUDED = "excluded by name"
Counts = dict[str, int]


@dataclass(frozen=True)
class SpanCounts:
    """A span's usable rows by canonical event name, repeated ones included, and its other rows by reason: on purpose, or quarantined."""

    names: Counts = field(default_factory=dict)
    excluded: Counts = field(default_factory=dict)
    quarantined: Counts = field(default_factory=dict)


def count_rows(log: Log, spans: Sequence[Span]) -> list[SpanCounts]:
    """Takes a log and spans side by side; returns what the rows that became known in each are, in one pass."""
    found = log.database.rows(
        f"SELECT g.part, g.reason, coalesce(n.canonical, g.event), sum(g.rows) FROM (SELECT {log.part_of(spans)} AS part, "
        f"CASE WHEN {log.usable} THEN NULL ELSE {_reason(log)} END AS reason, e.event, count(*) AS rows FROM events AS e "
        f"WHERE {log.known_between(spans[0][0], spans[-1][1])} GROUP BY 1, 2, 3) AS g "
        "LEFT JOIN event_names AS n ON n.raw = g.event AND (g.reason IS NULL OR n.name_no = 0) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    counts = [SpanCounts() for _ in spans]
    for part, reason, name, rows in found:
        one = counts[part]
        kind, key = (one.names, name) if reason is None else (one.excluded if reason == EXCLUDED else one.quarantined, reason)
        kind[key] = kind.get(key, 0) + int(rows)
    return counts


def count_undated(log: Log, limit_tick: int) -> Counts:
    """Takes a log and the first tick that lies too far ahead; returns the rows without a usable known time by reason."""
    limit = stamp(log.grain.start_of(limit_tick))
    outside = f"({log.known} IS NULL OR {log.known} < {stamp(EARLIEST)} OR {log.known} >= {limit})"
    return dict(log.database.rows(f"SELECT {_reason(log, limit)}, count(*) FROM events AS e WHERE {outside} GROUP BY 1 ORDER BY 1"))


def open_quarantine(log: Log, limit_tick: int) -> None:
    """Takes a log and the first tick that lies too far ahead; makes the view `quarantine` of the rows that cannot be used."""
    limit = stamp(log.grain.start_of(limit_tick))
    usable = f"({log.usable}) AND {log.known} < {limit}"
    reason = f"CASE WHEN coalesce({usable}, FALSE) THEN NULL ELSE {_reason(log, limit)} END"
    log.database.execute(
        f"CREATE OR REPLACE VIEW quarantine AS SELECT * FROM (SELECT {reason} AS reason, e.* FROM events AS e) AS q "
        f"WHERE q.reason IS NOT NULL AND q.reason <> '{EXCLUDED}'"
    )


def refuse_mostly_bad(log: Log, reasons: Counts, read: int) -> None:
    """Takes a log, its quarantined rows by reason and all its rows; refuses a log of which too large a share is unusable."""
    bad = sum(reasons.values())
    if bad > log.source.max_quarantine_share * read:
        listed = ", ".join(f"{reason}: {n:,}" for reason, n in reasons.items())
        raise TableError(
            f"{bad:,} of {read:,} events ({bad / read:.0%}) are unusable ({listed}): expected at most "
            f"{log.source.max_quarantine_share:.0%}; mend the log or raise `data.events.max_quarantine_share`"
        )


def _reason(log: Log, limit: str | None = None) -> str:
    """The SQL of why a row `e` cannot be used, asked of rows that cannot; the first reason that applies."""
    ahead = [f"{log.known} >= {limit}"] if limit else []
    ahead += [log.dated_ahead] if "known_at" in log.columns else []
    undated = f"{log.known} IS NULL OR {log.known} < {stamp(EARLIEST)}" + (f" OR {log.known} >= {limit}" if limit else "")
    excluded = (
        f"WHEN e.event IN {literals(log.source.exclude)} AND NOT coalesce({undated}, TRUE) THEN '{EXCLUDED}' " if log.source.exclude else ""
    )
    return (
        f"CASE {excluded}WHEN e.user_id IS NULL THEN 'no user' WHEN e.event IS NULL THEN 'no event name' "
        "WHEN e.event_time IS NULL THEN 'unreadable time' "
        f"WHEN e.event_time < {stamp(EARLIEST)} OR {log.known} < {stamp(EARLIEST)} THEN 'before 2000' "
        + "".join(f"WHEN {test} THEN 'in the future' " for test in ahead)
        + "END"
    )
