"""What one signal says about the outcome alone: how well it orders leads, and how many are won among its highest values.

Rows are summed by account and by distinct value once, so that resampling whole accounts costs the same however many rows there are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pls_ml.core.protocols import Floats
from pls_ml.evaluation import Estimate, account_resamples, percentile_interval
from pls_ml.evaluation.ranking import RankedGroups, lift_at, precision_at, roc_auc

TOP = 0.10
RESAMPLES = 300
MOST_STEPS = 2_000
"""Distinct values that resamples tell apart; neighbours beyond that count as ties, which moves an interval by less than is shown."""
SEED = 7
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Strength:
    """One column alone on labelled rows: which end comes first, and figures with 95 % intervals over resampled accounts.

    `auc_of_missing` and `auc_of_zero` are those of having a value, and of having one other than 0; a missing value comes last.
    """

    first: Literal["higher", "lower"]
    auc: Estimate
    auc_of_missing: float
    auc_of_zero: float
    base_rate: Estimate
    top_rate: Estimate
    top_lift: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values, None for what is not defined."""
        estimates = {name: getattr(self, name).to_dict() for name in ("auc", "base_rate", "top_rate", "top_lift")}
        areas = {name: area if math.isfinite(area := getattr(self, name)) else None for name in ("auc_of_missing", "auc_of_zero")}
        return {"first": self.first} | estimates | areas

    def to_lines(self) -> list[str]:
        """Takes nothing; returns the figures in words."""
        auc = f"AUC alone {_span(self.auc, '.3f')}, {self.first} first"
        parts = f"of having a value {self.auc_of_missing:.3f}, of not being zero {self.auc_of_zero:.3f}"
        won = f"top tenth: {_span(self.top_rate, '.1%')} won, lift {_span(self.top_lift, '.2f')}"
        return [f"{auc}; {parts}", f"{won}; base rate {_span(self.base_rate, '.1%')}"]


def measure_strength(values: Floats, labels: npt.NDArray[np.int8], accounts: Counts, direction: str) -> Strength | None:
    """Takes n numbers (NaN: missing), n labels, n account numbers and the declared direction.

    Returns the signal's strength alone; None where the rows have one outcome only, or come from one account.
    """
    if not 0 < labels.sum() < len(labels) or accounts.min() == accounts.max():
        return None
    lower = direction == "down"
    ranked = np.where(np.isnan(values), -np.inf, -values if lower else values)
    whole = _figures(*_sum_rows(ranked, labels, np.zeros_like(accounts)))
    draws = _resample(*_sum_rows(_coarsen(ranked), labels, np.unique(accounts, return_inverse=True)[1]))
    auc, base, top, lift = (percentile_interval(float(whole[n, 0]), draws[n]) for n in range(4))
    present, nonzero = ~np.isnan(values), ~np.isnan(values) & (values != 0)
    return Strength(
        "lower" if lower else "higher",
        auc,
        _flag_area(present, labels),
        _flag_area(nonzero, labels),
        base_rate=base,
        top_rate=top,
        top_lift=lift,
    )


def _sum_rows(ranked: Floats, labels: npt.NDArray[np.int8], accounts: Counts) -> tuple[Any, Any]:
    """Rows and positives by account and distinct value, the first-ranked value first, as sparse matrices."""
    from scipy.sparse import csr_array

    distinct, place = np.unique(-ranked, return_inverse=True)
    shape = (int(accounts.max()) + 1, len(distinct))
    rows, positives = (csr_array((amounts, (accounts, place)), shape=shape) for amounts in (np.ones(len(place)), labels.astype(np.float64)))
    return rows, positives


def _coarsen(ranked: Floats) -> Floats:
    """Many distinct values → their place among steps of about equally many rows, the order kept."""
    distinct, place, rows = np.unique(ranked, return_inverse=True, return_counts=True)
    if len(distinct) <= MOST_STEPS:
        return ranked
    before = np.cumsum(rows) - rows
    return (before * MOST_STEPS // len(ranked))[place].astype(np.float64)


def _figures(rows: Any, positives: Any, weights: Floats | None = None) -> Floats:
    """AUC, base rate, and the rate and lift in the top tenth: 4 × B, for B weightings of the accounts."""
    given = np.ones((1, rows.shape[0])) if weights is None else weights
    groups = RankedGroups(np.asarray(given @ rows), np.asarray(given @ positives))
    return np.stack([roc_auc(groups), groups.base_rate, precision_at(groups, TOP), lift_at(groups, TOP)])


def _resample(rows: Any, positives: Any) -> Floats:
    blocks = account_resamples(np.arange(rows.shape[0]), RESAMPLES, SEED)
    return np.concatenate([_figures(rows, positives, block) for block in blocks], axis=1)


def _flag_area(flags: npt.NDArray[np.bool_], labels: npt.NDArray[np.int8]) -> float:
    rows, positives = _sum_rows(flags.astype(np.float64), labels, np.zeros(len(flags), np.int64))
    return float(_figures(rows, positives)[0, 0])


def _span(estimate: Estimate, how: str) -> str:
    return f"{estimate.value:{how}} ({estimate.low:{how}} to {estimate.high:{how}})"
