"""Values that are there mostly for winners: somebody filled them in because of the win."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pls_ml.evaluation.leaks import AuditRows, Finding, won_by

MIN_FILLED = 20
WON_SHARE = 0.8
COVERED = 0.65
_SIGMAS = 1.96


def find_filled_for_winners(rows: AuditRows) -> list[Finding]:
    """Takes rows; returns the signals with a value (not missing, not 0) mostly for those who win.

    Counted are whoever an outcome is of, once, with a value at any `as_of`: at least 20, and of a share won that is above 0.8 at the
    lower end of its 95 % interval (Wilson), or with a share of the winners 0.65 above that of the others. An honest sign of intent is
    common among those who do not buy, too, or rare among those who do: on invented and real data the shares differ by 0.55 at most.
    """
    units, won = won_by(rows.units, rows.labels)
    found = []
    for name in rows.signals.columns:
        filled = np.zeros(won.size, bool)
        filled[units[_has_value(rows.signals[name])]] = True
        if MIN_FILLED <= filled.sum() < won.size and (finding := _judge(str(name), filled.astype(np.float64), won)):
            found.append(finding)
    return found


def _judge(name: str, filled: np.ndarray, won: np.ndarray) -> Finding | None:
    n, share = filled.sum(), won[filled > 0].mean()
    covered, others = filled[won > 0].mean(), filled[won == 0].mean() if (won == 0).any() else 0.0
    low = wilson_low(share, n)
    told = f"signal '{name}' has a value for {covered:.0%} of those who win and {others:.1%} of the others; {share:.0%} with one won"
    if low > max(WON_SHARE, won.mean()):
        return Finding("fill rate", name, low, WON_SHARE, f"{told} (lower end {low:.2f}, limit {WON_SHARE})")
    if covered - others > COVERED:
        return Finding("fill rate", name, covered - others, COVERED, f"{told} (difference {covered - others:.2f}, limit {COVERED})")
    return None


def wilson_low(share: float, n: float) -> float:
    """Takes a share and of how many; returns the lower end of its 95 % interval (Wilson 1927)."""
    z = _SIGMAS**2 / n
    return float((share + z / 2 - _SIGMAS * np.sqrt(share * (1 - share) / n + z / (4 * n))) / (1 + z))


def _has_value(column: pd.Series) -> np.ndarray:
    filled = column.notna().to_numpy()
    return filled & (column.to_numpy(np.float64, na_value=np.nan) != 0) if pd.api.types.is_numeric_dtype(column.dtype) else filled
