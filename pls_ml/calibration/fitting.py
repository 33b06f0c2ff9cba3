"""Weighted log-loss fit of a monotone map: log-odds = intercept + Σ slope_j · column_j, slopes ≥ 0; scoring needs numpy only."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.errors import DataError

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int8]

# Below this share of the largest spread a column is constant for every practical purpose and its slope is not estimable.
NEGLIGIBLE_SPREAD = 1e-8
STOPPING = {"ftol": 0.0, "gtol": 1e-10, "maxiter": 500}
POLISHING_STEPS = 20


@dataclass(frozen=True, eq=False)
class Sample:
    """Checked rows to fit on: finite margins, labels 0.0 or 1.0 of both classes, weights above 0."""

    margins: Floats
    labels: Floats
    weights: Floats

    def rows(self, chosen: npt.NDArray[Any]) -> "Sample":
        """Takes a mask or index; returns those rows."""
        return Sample(self.margins[chosen], self.labels[chosen], self.weights[chosen])


@dataclass(frozen=True)
class Solution:
    """Slopes (one per column), the intercept, and a sentence when the slopes are not the fitted ones (else empty)."""

    slopes: tuple[float, ...]
    intercept: float
    note: str = ""


def expit(log_odds: Floats) -> Floats:
    """Takes log-odds of any size; returns probabilities, without overflow and with full precision in both tails."""
    return np.exp(-np.logaddexp(0.0, -log_odds))


def check_finite(margins: Floats) -> Floats:
    """Takes margins of any shape; returns them as doubles; refuses NaN and infinities."""
    values = np.asarray(margins, np.float64)
    bad = int(values.size - np.isfinite(values).sum())
    if bad:
        raise DataError(f"{bad} of {values.size} margins are NaN or infinite: score every lead before calibrating")
    return values


def check_sample(margins: Floats, labels: Labels, sample_weight: Floats | None) -> Sample:
    """Takes n margins, labels and weights (None: 1 each); returns the rows with weight; refuses what cannot be fitted."""
    values = check_finite(margins)
    truth = np.asarray(labels, np.float64)
    weights = np.ones_like(truth) if sample_weight is None else np.asarray(sample_weight, np.float64)
    if values.ndim != 1 or truth.shape != values.shape or weights.shape != values.shape:
        shapes = f"margins {values.shape}, labels {truth.shape}, weights {weights.shape}"
        raise DataError(f"{shapes}: expected three lists of one length; build them from the same rows")
    if not np.isin(truth, (0.0, 1.0)).all():
        strange = truth[~np.isin(truth, (0.0, 1.0))][0]
        raise DataError(f"label {strange} is neither 0 nor 1: leave rows without a known outcome out")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise DataError("a weight is negative or not finite: weights say how many rows a row stands for; 0 leaves it out")
    sample = Sample(values, truth, weights).rows(weights > 0)
    if np.unique(sample.labels).size < 2:
        only = f"all {sample.labels.size} rows have label {sample.labels[0]:.0f}" if sample.labels.size else "there is no row"
        raise DataError(f"{only}: a calibrator needs both outcomes; take a longer calibration slice")
    return sample


def is_separated(sample: Sample) -> bool:
    """Takes checked rows; returns whether no negative lies above a positive, where log loss has no finite best slope."""
    positive = sample.labels == 1
    return bool(sample.margins[~positive].max() <= sample.margins[positive].min())


def solve_intercept(columns: Floats, sample: Sample) -> Solution:
    """Takes n by k columns and their rows; returns slopes of 1 and the intercept that meets the base rate."""
    return Solution((1.0,) * columns.shape[1], find_shift(columns.sum(axis=1), sample))


def find_shift(log_odds: Floats, sample: Sample) -> float:
    """Takes n log-odds and their rows; returns what to add to each so that the mean probability is the weighted base rate."""
    from scipy.optimize import brentq

    base = _logit_of_mean(sample)

    def excess(shift: float) -> float:
        return float(sample.weights @ (expit(log_odds + shift) - sample.labels))

    # The mean of expit(m + a) lies between its values at the least and the greatest m, which brackets the root.
    return float(brentq(excess, base - log_odds.max() - 1, base - log_odds.min() + 1, xtol=1e-14, rtol=1e-15, maxiter=1000))


def solve_bounded(columns: Floats, sample: Sample) -> Solution:
    """Takes n by k columns and their rows; returns the best slopes ≥ 0 and intercept, or the base rate with a note.

    The loss is convex, so the bounded optimum is the only one; columns are standardised first, as they may be nearly collinear.
    """
    weights = sample.weights / sample.weights.sum()
    centre = weights @ columns
    spread = np.sqrt(weights @ (columns - centre) ** 2)
    usable = spread > NEGLIGIBLE_SPREAD * spread.max()
    design = np.column_stack([(columns[:, usable] - centre[usable]) / spread[usable], np.ones(len(columns))])
    found = _polish(design, sample.labels, weights, _descend(design, sample.labels, weights, _logit_of_mean(sample)))
    slopes = np.zeros(columns.shape[1])
    slopes[usable] = found[:-1] / spread[usable]
    if not slopes.any():
        rate = float(weights @ sample.labels)
        note = f"the margins do not rise with the outcome (best slope not above 0), so every lead gets the base rate {rate:.4g}"
        return Solution((0.0,) * slopes.size, _logit_of_mean(sample), f"{note}: check the labels, or retrain")
    return Solution(tuple(map(float, slopes)), float(found[-1] - slopes @ centre))


def _descend(design: Floats, labels: Floats, weights: Floats, base: float) -> Floats:
    from scipy.optimize import minimize

    def loss(theta: Floats) -> tuple[float, Floats]:
        z = design @ theta
        return float(weights @ (np.logaddexp(0.0, z) - labels * z)), design.T @ (weights * (expit(z) - labels))

    start = np.append(np.zeros(design.shape[1] - 1), base)
    bounds = [(0.0, None)] * (design.shape[1] - 1) + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=STOPPING)
    return np.asarray(found.x, np.float64)


def _polish(design: Floats, labels: Floats, weights: Floats, theta: Floats) -> Floats:
    """Newton steps on the coordinates away from their bound: the last digits, so that row order does not matter."""
    free = np.append(theta[:-1] > 0, True)
    inner = design[:, free]
    for _ in range(POLISHING_STEPS):
        p = expit(design @ theta)
        curvature = inner.T @ (inner * (weights * p * (1 - p))[:, None])
        trial = theta.copy()
        trial[free] -= np.linalg.lstsq(curvature, inner.T @ (weights * (p - labels)), rcond=None)[0]
        if not (np.isfinite(trial).all() and (trial[:-1] >= 0).all()):
            return theta
        moved, theta = float(np.abs(trial - theta).max()), trial
        if moved < 1e-14:
            break
    return theta


def _logit_of_mean(sample: Sample) -> float:
    positive = float(sample.weights @ sample.labels)
    return math.log(positive / (float(sample.weights.sum()) - positive))
