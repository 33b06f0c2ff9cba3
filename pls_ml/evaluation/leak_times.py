"""What a signal knew one horizon earlier: honest evidence builds up and fades, a leak appears from nowhere or was stronger before."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pls_ml.core.windows import Horizon
from pls_ml.evaluation.leaks import AuditRows, Finding, Index, find_area, won_by

VANISHED = 0.25
EXPLODED = 0.15
WINNERS_TO_PAIR = 30
SLACK = pd.Timedelta(days=31)
"""How much earlier than one horizon the earlier row may lie: grids rarely have one at the very moment."""


def pair_with_earlier(rows: AuditRows, horizon: Horizon) -> tuple[Index, Index]:
    """Takes rows and the horizon; returns positions of rows, and of the same leads' rows one horizon (to a month more) before."""
    frame = pd.DataFrame({"lead": rows.leads, "at": pd.Series(rows.as_of.astype("datetime64[us]")), "row": np.arange(len(rows.labels))})
    frame = frame.sort_values("at", kind="stable")
    wanted = frame.assign(at=frame["at"] - horizon.end)
    earlier = frame.rename(columns={"row": "earlier"})
    pairs = pd.merge_asof(wanted, earlier, on="at", by="lead", tolerance=SLACK).dropna(subset=["earlier"])
    return pairs["row"].to_numpy(np.int64), pairs["earlier"].to_numpy(np.int64)


def find_power_changes(rows: AuditRows, now: Index, before: Index) -> list[Finding]:
    """Takes rows and the pairs; returns number signals that know the labels of `now` much better, or worse, than one horizon earlier.

    Both areas are of the same labels. Suspected is a fall of more than 0.25 in AUC, or a rise of more than 0.15: a signal that is fed
    by the outcome cannot know it a horizon ahead, and one that looks ahead knows it best too early. The strongest honest signals of
    invented worlds lose 0.10 to 0.20 on the way back and gain 0.08 at most. A ratio would not do: from 0.52 to 0.50 is a total collapse.
    """
    found = []
    for name in rows.signals.columns:
        column = rows.signals[name]
        if not pd.api.types.is_numeric_dtype(column.dtype):
            continue
        values = column.to_numpy(np.float64, na_value=-np.inf)
        area, earlier = (find_area(values[part], rows.labels[now]) for part in (now, before))
        told = f"signal '{name}' has AUC {area:.3f} for outcomes it had AUC {earlier:.3f} for one horizon earlier"
        fall, side = abs(area - 0.5) - abs(earlier - 0.5), np.sign(area - 0.5)
        if fall > VANISHED:
            found.append(Finding("power collapse", str(name), fall, VANISHED, f"{told}: it learned of them too late (limit {VANISHED})"))
        elif -fall > EXPLODED and side:
            found.append(Finding("power collapse", str(name), -fall, EXPLODED, f"{told}: it looks ahead (limit {EXPLODED})"))
    return found


def count_winners(rows: AuditRows, now: Index) -> int:
    """Takes rows and positions; returns how many of those an outcome is of win at them."""
    return int(won_by(rows.units[now], rows.labels[now])[1].sum()) if len(now) else 0
