"""Logistic regression on a few columns, for one weighting of the rows or thousands at once."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NEWTON_STEPS = 25
# Newton's error squares with each step: after a step of 1e-6 what remains is of the order of 1e-12.
CLOSE_ENOUGH = 1e-6
# Harrell (2015), Regression Modeling Strategies, section 2.4.5: quantiles for four knots.
KNOT_QUANTILES = (0.05, 0.35, 0.65, 0.95)
# Curvature smaller than this share of the largest is rounding: no finite optimum in that direction.
SINGULAR = 1e-12


def fit_logistic(design: Floats, labels: Floats, weights: Floats) -> Floats:
    """Takes n by k columns, n labels and B by n weights; returns B by k coefficients, NaN where no finite ones are best.

    Newton's method on all weightings at once; a coefficient runs away when the columns separate the classes.
    """
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    found = np.zeros((len(weights), design.shape[1]))
    if len(weights) > 1:
        # Resamples scatter around the mean weighting: from its solution they need half the steps.
        found += np.nan_to_num(fit_logistic(design, labels, weights.mean(axis=0, keepdims=True)))
    for _ in range(NEWTON_STEPS):
        step = _newton_step(found, design, products, labels, weights)
        found = found - step
        if not (np.abs(step) > CLOSE_ENOUGH).any():  # false for NaN as well: those are given up
            return found
    found[~(np.abs(step).max(axis=1) <= CLOSE_ENOUGH)] = np.nan
    return found


def logistic(log_odds: Floats) -> Floats:
    """Takes log-odds; returns probabilities, without overflow."""
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -500, 500))), np.float64)


def spline_columns(x: Floats) -> Floats:
    """Takes n numbers; returns n by k columns of a natural cubic spline: 1, x, and two bends (fewer for few distinct numbers).

    Truncated power basis of Harrell (2015), section 2.4.4, on standardised x; straight beyond the outer knots.
    """
    spread = x.std()
    if spread <= 1e-12 * max(1.0, float(np.abs(x).max())):
        return np.ones((x.size, 1))
    z = (x - x.mean()) / spread
    knots = np.unique(np.quantile(z, KNOT_QUANTILES))
    columns = [np.ones_like(z), z]
    if knots.size == len(KNOT_QUANTILES) and np.unique(z).size > len(KNOT_QUANTILES):
        columns += [_bend(z, knots, j) for j in range(knots.size - 2)]
    return np.column_stack(columns)


def _bend(z: Floats, knots: Floats, j: int) -> Floats:
    def cubed(knot: float) -> Floats:
        return np.asarray(np.maximum(z - knot, 0.0) ** 3, np.float64)

    last, before = knots[-1], knots[-2]
    tail = cubed(before) * (last - knots[j]) - cubed(last) * (before - knots[j])
    return np.asarray((cubed(knots[j]) - tail / (last - before)) / (last - knots[0]) ** 2, np.float64)


def _newton_step(found: Floats, design: Floats, products: Floats, labels: Floats, weights: Floats) -> Floats:
    p = logistic(found @ design.T)
    weighted = weights * p
    gradient = weighted @ design - (weights * labels) @ design
    curvature = ((weighted - weighted * p) @ products).reshape(len(found), design.shape[1], -1)
    curvature = np.where(np.isfinite(curvature), curvature, 0.0)
    sizes = np.linalg.eigvalsh(curvature)
    flat = ~(sizes[:, 0] > SINGULAR * sizes[:, -1])
    curvature[flat] = np.eye(design.shape[1])
    step = np.asarray(np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0], np.float64)
    step[flat] = np.nan
    return step
