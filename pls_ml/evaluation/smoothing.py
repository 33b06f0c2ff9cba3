"""Logistic regression on functions of one number, for one weighting of the rows or thousands at once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pls_ml.evaluation.clusters import Clusters, Sparse

Floats = npt.NDArray[np.float64]
Columns = Callable[[Floats], Floats]
"""n numbers → n by k columns."""

NEWTON_STEPS = 25
# Newton's error squares with each step: after a step of 1e-6 what remains is of the order of 1e-12.
CLOSE_ENOUGH = 1e-6
# Harrell (2015), Regression Modeling Strategies, section 2.4.5: quantiles for four knots.
KNOT_QUANTILES = (0.05, 0.35, 0.65, 0.95)
# Curvature smaller than this share of the largest is rounding: no finite optimum in that direction.
SINGULAR = 1e-12
# With so many nodes between the least and the greatest log-odds, coefficients are those of the rows to 1e-9 and better.
MOST_NODES = 4096


@dataclass(frozen=True, eq=False)
class Nodes:
    """Numbers that stand for those of n rows in sums of smooth functions: draws of accounts → weights and positives at each."""

    at: Floats
    rows: Sparse
    positives: Sparse

    def draw(self, draws: Floats) -> tuple[Floats, Floats]:
        """Takes accounts by B draws; returns B by nodes weights, and the same of the positives."""
        weight, positive = (np.ascontiguousarray((matrix @ draws).T) for matrix in (self.rows, self.positives))
        return weight, positive


def place_nodes(numbers: Floats, labels: Floats, clusters: Clusters) -> Nodes:
    """Takes n numbers, n labels and the rows' accounts; returns nodes: the distinct numbers, or `MOST_NODES` in equal steps where less.

    Between nodes a row is shared out over the four around it by cubic interpolation: the sum of a smooth function over the rows is that
    over the nodes, up to the fourth power of a step.
    """
    distinct, place = np.unique(numbers, return_inverse=True)
    if distinct.size <= MOST_NODES:
        return Nodes(distinct, *(clusters.sum_parts(place, distinct.size, amount) for amount in (None, labels)))
    at, step = np.linspace(distinct[0], distinct[-1], MOST_NODES, retstep=True)
    where = (numbers - distinct[0]) / step
    first = np.clip(where.astype(np.int64) - 1, 0, MOST_NODES - 4)
    u = where - first
    shares = (
        (1 - u) * (2 - u) * (3 - u) / 6,
        u * (2 - u) * (3 - u) / 2,
        u * (u - 1) * (3 - u) / 2,
        u * (u - 1) * (u - 2) / 6,
    )
    rows, positives = (
        sum(clusters.sum_parts(first + k, MOST_NODES, share * amount) for k, share in enumerate(shares)) for amount in (1.0, labels)
    )
    return Nodes(np.asarray(at, np.float64), rows, positives)


def fit_logistic(design: Floats, weight: Floats, positive: Floats) -> Floats:
    """Takes g by k columns, B by g weights and the positives among them; returns B by k coefficients, NaN where no finite ones are best.

    Newton's method on all weightings at once; a coefficient runs away when the columns separate the classes.
    """
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    found = np.zeros((len(weight), design.shape[1]))
    if len(weight) > 1:
        # Resamples scatter around the mean weighting: from its solution they need half the steps.
        found += np.nan_to_num(fit_logistic(design, weight.mean(axis=0, keepdims=True), positive.mean(axis=0, keepdims=True)))
    for _ in range(NEWTON_STEPS):
        p = logistic(found @ design.T)
        weighted = weight * p
        step = _newton_step((weighted - positive) @ design, (weighted - weighted * p) @ products)
        found = found - step
        if not (np.abs(step) > CLOSE_ENOUGH).any():  # false for NaN as well: those are given up
            return found
    found[~(np.abs(step).max(axis=1) <= CLOSE_ENOUGH)] = np.nan
    return found


def logistic(log_odds: Floats) -> Floats:
    """Takes log-odds; returns probabilities, without overflow."""
    with np.errstate(over="ignore"):  # 1 / infinity is the 0 that is meant
        odds = np.exp(np.negative(log_odds))
    odds += 1
    return np.asarray(np.reciprocal(odds, out=odds), np.float64)


def straight_columns(numbers: Floats) -> Floats:
    """Takes n numbers; returns n by 2 columns: 1 and the number."""
    return np.column_stack([np.ones_like(numbers), numbers])


def find_spline(numbers: Floats) -> Columns:
    """Takes n numbers; returns the columns of a natural cubic spline: 1, the number, and two bends (fewer for few distinct numbers).

    Truncated power basis of Harrell (2015), section 2.4.4, on standardised numbers; straight beyond the outer knots.
    """
    mean, spread = numbers.mean(), numbers.std()
    if spread <= 1e-12 * max(1.0, float(np.abs(numbers).max())):
        return lambda x: np.ones((x.size, 1))
    knots = np.unique(np.quantile((numbers - mean) / spread, KNOT_QUANTILES))
    bends = knots.size - 2 if knots.size == len(KNOT_QUANTILES) and np.unique(numbers).size > len(KNOT_QUANTILES) else 0

    def columns(x: Floats) -> Floats:
        z = (x - mean) / spread
        return np.column_stack([np.ones_like(z), z, *(_bend(z, knots, j) for j in range(bends))])

    return columns


def _bend(z: Floats, knots: Floats, j: int) -> Floats:
    def cubed(knot: float) -> Floats:
        return np.asarray(np.maximum(z - knot, 0.0) ** 3, np.float64)

    last, before = knots[-1], knots[-2]
    tail = cubed(before) * (last - knots[j]) - cubed(last) * (before - knots[j])
    return np.asarray((cubed(knots[j]) - tail / (last - before)) / (last - knots[0]) ** 2, np.float64)


def _newton_step(gradient: Floats, curvature: Floats) -> Floats:
    """B by k gradients and B by k² curvatures → B by k steps, NaN where the curvature vanishes."""
    k = gradient.shape[1]
    square = np.where(np.isfinite(curvature), curvature, 0.0).reshape(-1, k, k)
    sizes = np.linalg.eigvalsh(square)
    flat = ~(sizes[:, 0] > SINGULAR * sizes[:, -1])
    square[flat] = np.eye(k)
    step = np.asarray(np.linalg.solve(square, gradient[:, :, None])[:, :, 0], np.float64)
    step[flat] = np.nan
    return step
