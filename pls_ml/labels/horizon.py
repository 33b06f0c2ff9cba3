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
    if horizon is None or data_end is None:
        _make(database, "coalesce(bool_or(o.is_won), false)", "false", "false")
    else:
        gap, end = (f"INTERVAL {int(delta.total_seconds())} SECOND" for delta in (horizon.start, horizon.end))
        won = "o.is_won AND o.closed_at >= s.as_of"
        _make(
            database,
            f"coalesce(bool_or({won} AND o.closed_at >= s.as_of + {gap} AND o.closed_at < s.as_of + {end}), false)",
            f"coalesce(bool_or({won} AND o.closed_at < s.as_of + {gap}), false)",
            f"s.as_of > {literal(horizon.matured_until(data_end))}",
        )
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


def _make(database: Database, won: str, in_gap: str, immature: str) -> None:
    database.execute(
        f'CREATE OR REPLACE TABLE judged AS SELECT s."row", {won} AS won, {in_gap} AS in_gap, {immature} AS immature '
        'FROM spine AS s LEFT JOIN outcomes AS o ON o.lead_key = s.lead_key GROUP BY s."row", s.as_of'
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
