"""Spine → labels: won within the horizon, counted only when the horizon lies within the data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pls_ml.core.database import Database, literal
from pls_ml.core.errors import ImmatureOutcomesError
from pls_ml.core.windows import Horizon


@dataclass(frozen=True)
class LabelCounts:
    """What became of every spine row: labelled ones, the positives among them, and those left out."""

    rows: int
    positives: int
    won_in_gap: int
    immature: int

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return asdict(self)


def label_spine(database: Database, horizon: Horizon | None, data_end: datetime | None) -> LabelCounts:
    """Takes a database with `spine` and `outcomes`; makes `labels` (row, label) for matured rows only.

    A row is positive when its lead wins in `[as_of + gap, as_of + gap + h)`; a win inside the gap drops the row; rows whose horizon
    and reporting lag end after `data_end` are immature and dropped. Without a horizon (prepared tables) every row counts.
    Refuses a spine without a matured row, saying when the first matures.
    """
    judged = _judge_undated() if horizon is None or data_end is None else _judge(horizon, data_end)
    database.execute(f"CREATE OR REPLACE TABLE judged AS {judged}")
    counts = LabelCounts(*database.rows(_COUNTS)[0])
    if not counts.rows and horizon is not None and data_end is not None:
        _refuse_immature(database, horizon, data_end)
    database.execute(
        'CREATE OR REPLACE TABLE labels AS SELECT "row", CAST(won AS TINYINT) AS label FROM judged WHERE NOT in_gap AND NOT immature'
    )
    return counts


_COUNTS = (
    "SELECT count(*) FILTER (WHERE NOT in_gap AND NOT immature), count(*) FILTER (WHERE won AND NOT in_gap AND NOT immature), "
    "count(*) FILTER (WHERE in_gap AND NOT immature), count(*) FILTER (WHERE immature) FROM judged"
)


def _judge(horizon: Horizon, data_end: datetime) -> str:
    """The first win at or after `as_of` decides: inside the gap, inside the horizon, or neither."""
    gap, end = (f"INTERVAL {int(delta.total_seconds())} SECOND" for delta in (horizon.start, horizon.end))
    return (
        f'SELECT s."row", coalesce(w.closed_at >= s.as_of + {gap} AND w.closed_at < s.as_of + {end}, false) AS won, '
        f"coalesce(w.closed_at < s.as_of + {gap}, false) AS in_gap, s.as_of > {literal(horizon.matured_until(data_end))} AS immature "
        "FROM spine AS s LEFT JOIN (SELECT lead_key, closed_at, "
        "lag(closed_at, 1, TIMESTAMP '-infinity') OVER (PARTITION BY lead_key ORDER BY closed_at) AS before "
        "FROM outcomes WHERE is_won AND closed_at IS NOT NULL) AS w "
        "ON w.lead_key = s.lead_key AND w.before < s.as_of AND w.closed_at >= s.as_of"
    )


def _judge_undated() -> str:
    return (
        'SELECT s."row", o.lead_key IS NOT NULL AS won, false AS in_gap, false AS immature FROM spine AS s '
        "LEFT JOIN (SELECT DISTINCT lead_key FROM outcomes WHERE is_won) AS o ON o.lead_key = s.lead_key"
    )


def _refuse_immature(database: Database, horizon: Horizon, data_end: datetime) -> None:
    first = database.rows("SELECT min(as_of) FROM spine")[0][0]
    if first is None:
        raise ImmatureOutcomesError("no lead is eligible at any `as_of`: expected at least one; loosen `population`")
    matures = first + (data_end - horizon.matured_until(data_end))
    if matures <= data_end:
        raise ImmatureOutcomesError("every matured lead is won inside the gap: expected one won later or not at all; shorten `gap_days`")
    raise ImmatureOutcomesError(
        f"no outcome is old enough: the first lead is scored at {first:%Y-%m-%d} and its outcome is complete on {matures:%Y-%m-%d}, "
        f"but the data end on {data_end:%Y-%m-%d}; wait, or shorten `outcome.horizon_days`"
    )
