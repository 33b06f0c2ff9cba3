"""Logistic regression on leads grouped by what they reach: no coefficient may be negative, all may be pulled towards a centre.

Leads that reach the same rungs have the same margin, so a few hundred groups with their wins stand for all rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.protocols import Floats

PRECISION = 1e-4
"""Coefficients are found to so many of their standard errors."""
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tally:
    """Weight of the won and of the other rows of each group."""

    won: Floats
    lost: Floats

    @property
    def total(self) -> Floats:
        """Weight of each group."""
        return self.won + self.lost

    def mean_loss(self, margins: Floats) -> float:
        """Takes each group's margin; returns the mean log loss of a row."""
        return float((self.total @ np.logaddexp(0.0, margins) - self.won @ margins) / self.total.sum())


@dataclass(frozen=True)
class Groups:
    """g distinct rows of a table of flags (g × k), and the place of each of n leads among them."""

    flags: Floats
    place: Index

    @classmethod
    def gather(cls, flags: npt.NDArray[np.bool_]) -> Groups:
        """Takes n × k flags; returns them with equal rows put together."""
        place = np.zeros(len(flags), np.int64)
        for start in range(0, flags.shape[1], 32):  # as numbers of 32 bits, which are sorted much faster than rows are
            bits = flags[:, start : start + 32]
            words = np.unique(bits @ (1 << np.arange(bits.shape[1], dtype=np.int64)), return_inverse=True)[1]
            place = np.unique(place * len(flags) + words, return_inverse=True)[1]
        first = np.unique(place, return_index=True)[1]
        return cls(flags[first].astype(np.float64), place)

    def tally(self, labels: npt.NDArray[Any], weight: Floats, part: Index | slice = slice(None)) -> Tally:
        """Takes n labels (0 or 1), n weights and the positions of the rows that count (by default all); returns their tally."""
        amounts = weight[part] * labels[part], weight[part]
        won, total = (np.bincount(self.place[part], amount, len(self.flags)).astype(np.float64) for amount in amounts)
        return Tally(won, total - won)


@dataclass(frozen=True)
class Pull:
    """Half the quadratic form `strength` (k × k) of the coefficients' distance from `centre` is added to the loss."""

    centre: Floats
    strength: Floats


def fit_nonnegative(design: Floats, tally: Tally, pull: Pull | None = None, start: Floats | None = None) -> tuple[float, Floats]:
    """Takes g × k columns, the groups' tally, a pull and where to start; returns intercept and k coefficients, none below 0.

    Both outcomes must have weight. Solved by L-BFGS-B (Byrd et al. 1995) on columns that are centred and scaled, so that they weigh alike.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    seen = tally.total > 0
    won, total = tally.won[seen], tally.total[seen]
    k, rate = design.shape[1], won.sum() / total.sum()
    mean = total @ design[seen] / total.sum()
    columns = np.column_stack([np.ones(len(total)), design[seen] - mean])
    held = np.zeros((k + 1, k + 1))
    held[1:, 1:] = 0.0 if pull is None else pull.strength
    centre = np.concatenate([[0.0], np.zeros(k) if pull is None else pull.centre])
    curvature = rate * (1 - rate) * (total @ columns**2) + np.diag(held)
    scale = 1 / np.sqrt(np.where(curvature > 1e-12, curvature, 1.0))

    def loss(x: Floats) -> tuple[float, Floats]:
        found = x * scale
        margins, away = columns @ found, found - centre
        force = held @ away
        value = total @ np.logaddexp(0.0, margins) - won @ margins + away @ force / 2
        return float(value), (columns.T @ (total * expit(margins) - won) + force) * scale

    begin = np.concatenate([[np.log(rate / (1 - rate))], np.zeros(k) if start is None else start]) / scale
    bounds = [(None, None), *[(0.0, None)] * k]
    options = {"gtol": PRECISION, "ftol": 1e-14, "maxiter": 1000}
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x * scale
    return float(found[0] - mean @ found[1:]), found[1:]
