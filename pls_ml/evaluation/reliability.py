"""How far probabilities can be believed: log loss, Brier and its parts, the calibration line, and a curve with a band."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.errors import DataError
from pls_ml.evaluation.ranking import ScoreOrder, check_labels, sort_scores
from pls_ml.evaluation.smoothing import fit_logistic, logistic, spline_columns
from pls_ml.evaluation.tables import render_html

Floats = npt.NDArray[np.float64]

# A probability of exactly 0 or 1 is read as the nearest one that a double can tell from it, as scikit-learn's log_loss does.
CLIP = float(np.finfo(np.float64).eps)
SIMULATIONS = 2000
HISTOGRAM_BARS = 20


@dataclass(frozen=True, eq=False)
class ProbabilityRows:
    """n checked rows, prepared once for any number of weightings."""

    labels: Floats
    probability: Floats
    log_odds: Floats
    spline: Floats
    order: ScoreOrder


@dataclass(frozen=True, eq=False)
class BrierParts:
    """B Brier scores and their parts: brier = miscalibration - discrimination + uncertainty."""

    brier: Floats
    miscalibration: Floats
    discrimination: Floats
    uncertainty: Floats


@dataclass(frozen=True)
class ReliabilityBin:
    """One bin: mean predicted and observed rate, its rows, and where 95 % of observed rates fall under perfect calibration."""

    predicted: float
    observed: float
    rows: int
    band_low: float
    band_high: float


@dataclass(frozen=True)
class ReliabilityTable:
    """Bins from the lowest probability, and a histogram in equal steps whose last bar also holds everything above it."""

    bins: tuple[ReliabilityBin, ...]
    histogram_edges: tuple[float, ...]
    histogram_counts: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns the table as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ReliabilityTable":
        """Takes what `to_dict` gave; returns the table."""
        bins = tuple(ReliabilityBin(**found) for found in data["bins"])
        return cls(bins, tuple(data["histogram_edges"]), tuple(data["histogram_counts"]))

    def _repr_html_(self) -> str:
        numbers = [(b.predicted, b.observed, b.band_low, b.band_high) for b in self.bins]
        shown = [(f"{b.rows}", *(f"{number:.3f}" for number in line)) for b, line in zip(self.bins, numbers, strict=True)]
        return render_html(("rows", "predicted", "observed", "band from", "band to"), shown)


def prepare_probabilities(labels: npt.ArrayLike, probability: npt.ArrayLike) -> ProbabilityRows:
    """Takes n labels (0 or 1) and n probabilities; returns the rows ready to measure; refuses anything outside [0, 1]."""
    truth, given = check_labels(labels), np.asarray(probability, np.float64)
    if truth.shape != given.shape:
        raise DataError(f"{truth.size} labels and {given.size} probabilities: expected one each per lead")
    outside = int((~((given >= 0) & (given <= 1))).sum())
    if outside:
        raise DataError(f"{outside} of {given.size} probabilities lie outside [0, 1]: pass calibrated scores, not margins")
    clipped = np.clip(given, CLIP, 1 - CLIP)
    log_odds = np.log(clipped) - np.log1p(-clipped)
    return ProbabilityRows(truth, given, log_odds, spline_columns(log_odds), sort_scores(given))


def log_loss(rows: ProbabilityRows, weights: Floats | None = None) -> Floats:
    """Takes rows and B by n weights (None: one sample); returns B mean log losses in nats."""
    given = _weights(rows, weights)
    losses = np.logaddexp(0.0, rows.log_odds) - rows.labels * rows.log_odds
    return np.asarray(given @ losses / given.sum(axis=1), np.float64)


def observed_expected(rows: ProbabilityRows, weights: Floats | None = None) -> Floats:
    """Takes rows and B by n weights (None: one sample); returns B ratios of positives seen to positives promised."""
    given = _weights(rows, weights)
    return np.asarray((given @ rows.labels) / (given @ rows.probability), np.float64)


def brier_parts(rows: ProbabilityRows, weights: Floats | None = None) -> BrierParts:
    """Takes rows and B by n weights (None: one sample); returns the Brier score and its parts.

    CORP (Dimitriadis, Gneiting and Jordan 2021, PNAS): the recalibrated probability is the isotonic fit (PAV) of the labels;
    miscalibration = score - recalibrated score, discrimination = base-rate score - recalibrated score. Neither is below 0,
    and noise raises both.
    """
    given = _weights(rows, weights)
    weight, positive = rows.order.sum_groups(given), rows.order.sum_groups(given * rows.labels)
    predicted = rows.probability[rows.order.order[rows.order.starts]]
    score, refitted = np.transpose([_score_and_refit(*sums, predicted) for sums in zip(weight, positive, strict=True)])
    base = positive.sum(axis=1) / weight.sum(axis=1)
    uncertainty = base * (1 - base)
    return BrierParts(score, score - refitted, uncertainty - refitted, uncertainty)


def calibration_line(rows: ProbabilityRows, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Takes rows and B by n weights (None: one sample); returns B intercepts and B slopes, NaN where none is finite.

    Logistic regression of the labels on the log-odds (Cox 1958): (0, 1) is perfect, a slope below 1 is overconfident.
    """
    line = fit_logistic(np.column_stack([np.ones_like(rows.log_odds), rows.log_odds]), rows.labels, _weights(rows, weights))
    return line[:, 0], line[:, 1]


def calibration_index(rows: ProbabilityRows, weights: Floats | None = None) -> Floats:
    """Takes rows and B by n weights (None: one sample); returns B mean distances between probability and smoothed outcome.

    The integrated calibration index (Austin and Steyerberg 2019); a logistic regression on a natural cubic spline of the
    log-odds stands in for their loess. Noise raises it: a perfect model shows about 0.02 at 500 rows and 15 % positives,
    0.005 at 5,000 rows and 7 %.
    """
    given = _weights(rows, weights)
    smoothed = logistic(fit_logistic(rows.spline, rows.labels, given) @ rows.spline.T)
    return np.asarray((given * np.abs(smoothed - rows.probability)).sum(axis=1) / given.sum(axis=1), np.float64)


def reliability_table(labels: npt.ArrayLike, probability: npt.ArrayLike, n_bins: int = 10, seed: int = 0) -> ReliabilityTable:
    """Takes n labels, n probabilities, a number of bins and a seed; returns bins of about equal rows, ties never cut.

    The band of a bin holds 95 % of its observed rates when labels are drawn from the probabilities themselves (consistency
    resampling, Broecker and Smith 2007). Rows count as independent, so with several rows per account the band is too narrow.
    """
    rows = prepare_probabilities(labels, probability)
    _, place, counts = np.unique(rows.probability, return_inverse=True, return_counts=True)
    bin_of = ((counts.cumsum() - counts) * n_bins // rows.labels.size)[place]
    draw = np.random.default_rng(seed)
    bins = tuple(_fill_bin(rows.labels[bin_of == k], rows.probability[bin_of == k], draw) for k in np.unique(bin_of))
    # Up to where the bins are: with a base rate of 2 % the range up to 1 would show one bar.
    top = max(bins[-1].predicted, CLIP)
    heights, edges = np.histogram(np.minimum(rows.probability, top), HISTOGRAM_BARS, (0.0, top))
    return ReliabilityTable(bins, tuple(edges.tolist()), tuple(heights.tolist()))


def _score_and_refit(weight: Floats, positive: Floats, predicted: Floats) -> tuple[float, float]:
    from scipy.optimize import isotonic_regression

    seen = weight > 0
    w, y, total = weight[seen], positive[seen], weight.sum()
    curve = isotonic_regression(y / w, weights=w, increasing=False).x
    # Labels are 0 or 1, so the squared errors of a group are w p² - 2 p y + y.
    score, refitted = ((w * p**2 - 2 * p * y + y).sum() / total for p in (predicted[seen], curve))
    return float(score), float(refitted)


def _fill_bin(labels: Floats, probability: Floats, draw: np.random.Generator) -> ReliabilityBin:
    # The sum of independent draws, one probability at a time: equal ones are a single binomial draw.
    values, counts = np.unique(probability, return_counts=True)
    positives = np.zeros(SIMULATIONS)
    for value, count in zip(values, counts, strict=True):
        positives += draw.binomial(count, value, SIMULATIONS)
    low, high = np.quantile(positives / labels.size, [0.025, 0.975])
    return ReliabilityBin(float(probability.mean()), float(labels.mean()), int(labels.size), float(low), float(high))


def _weights(rows: ProbabilityRows, weights: Floats | None) -> Floats:
    return np.ones((1, rows.labels.size)) if weights is None else np.atleast_2d(np.asarray(weights, np.float64))
