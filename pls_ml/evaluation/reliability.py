"""How far probabilities can be believed: log loss, Brier and its parts, the calibration line, and a curve with a band."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.errors import DataError
from pls_ml.evaluation.clusters import Clusters, single_rows
from pls_ml.evaluation.ranking import RankedGroups, RankedRows, ScoreOrder, check_labels, prepare_ranking, sort_scores
from pls_ml.evaluation.smoothing import Nodes, find_spline, fit_logistic, logistic, place_nodes, straight_columns
from pls_ml.evaluation.tables import render_html

Floats = npt.NDArray[np.float64]
Sums = tuple[Floats, Floats]

# A probability of exactly 0 or 1 is read as the nearest one that a double can tell from it, as scikit-learn's log_loss does.
CLIP = float(np.finfo(np.float64).eps)
# Rows at a time, so that their weights in a block of resamples stay in the processor's own memory.
ROWS_AT_ONCE = 2048
SIMULATIONS = 2000
HISTOGRAM_BARS = 20


@dataclass(frozen=True, eq=False)
class ProbabilityRows:
    """n checked rows by account, prepared once for any number of draws.

    `sums` are accounts by 5: weight, positives, probability, log loss and squared error, each summed.
    """

    probability: Floats
    sums: Floats
    order: ScoreOrder
    ranked: RankedRows
    nodes: Nodes
    spline: Floats
    spline_at_nodes: Floats
    clusters: Clusters


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


def prepare_probabilities(labels: npt.ArrayLike, probability: npt.ArrayLike, clusters: Clusters | None = None) -> ProbabilityRows:
    """Takes n labels (0 or 1), n probabilities and the rows' accounts (None: each row its own); returns the rows ready to measure.

    Refuses anything outside [0, 1].
    """
    truth, given = check_probabilities(labels, probability)
    rows = clusters or single_rows(truth.size)
    clipped = np.clip(given, CLIP, 1 - CLIP)
    log_odds = np.log(clipped) - np.log1p(-clipped)
    losses = np.logaddexp(0.0, log_odds) - truth * log_odds
    sums = rows.sum_amounts(np.ones_like(given), truth, given, losses, (given - truth) ** 2)
    order = sort_scores(given)
    ranked, nodes = prepare_ranking(order, truth, rows), place_nodes(log_odds, truth, rows)
    spline = find_spline(log_odds)
    return ProbabilityRows(given, sums, order, ranked, nodes, spline(log_odds), spline(nodes.at), rows)


def check_probabilities(labels: npt.ArrayLike, probability: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Takes n labels and n probabilities; returns both as doubles; refuses unequal lengths and anything outside [0, 1]."""
    truth, given = check_labels(labels), np.asarray(probability, np.float64)
    if truth.shape != given.shape:
        raise DataError(f"{truth.size} labels and {given.size} probabilities: expected one each per lead")
    outside = int((~((given >= 0) & (given <= 1))).sum())
    if outside:
        raise DataError(f"{outside} of {given.size} probabilities lie outside [0, 1]: pass calibrated scores, not margins")
    return truth, given


def log_loss(rows: ProbabilityRows, draws: Floats | None = None) -> Floats:
    """Takes rows and B by accounts draws (None: one sample); returns B mean log losses in nats."""
    weight, _, _, losses, _ = _total(rows, draws)
    return np.asarray(losses / weight, np.float64)


def observed_expected(rows: ProbabilityRows, draws: Floats | None = None) -> Floats:
    """Takes rows and B by accounts draws (None: one sample); returns B ratios of positives seen to positives promised."""
    _, positives, promised, _, _ = _total(rows, draws)
    return np.asarray(positives / promised, np.float64)


def brier_parts(rows: ProbabilityRows, draws: Floats | None = None, groups: RankedGroups | None = None) -> BrierParts:
    """Takes rows, B by accounts draws (None: one sample) and the rows' groups where they are at hand; returns the score and its parts.

    CORP (Dimitriadis, Gneiting and Jordan 2021, PNAS): the recalibrated probability is the isotonic fit (PAV) of the labels;
    miscalibration = score - recalibrated score, discrimination = base-rate score - recalibrated score. Neither is below 0,
    and noise raises both.
    """
    weight, positives, _, _, squares = _total(rows, draws)
    grouped = groups or rows.ranked.draw_groups(_as_columns(rows, draws))
    refitted = np.array([_refit(*sums) for sums in zip(grouped.weight, grouped.positive, strict=True)]) / weight
    score, base = squares / weight, positives / weight
    uncertainty = base * (1 - base)
    return BrierParts(score, score - refitted, uncertainty - refitted, uncertainty)


def calibration_line(rows: ProbabilityRows, draws: Floats | None = None, at_nodes: Sums | None = None) -> tuple[Floats, Floats]:
    """Takes rows, B by accounts draws (None: one sample) and the sums at the nodes where they are at hand; returns B intercepts, B slopes.

    Logistic regression of the labels on the log-odds (Cox 1958): (0, 1) is perfect, a slope below 1 is overconfident, NaN where
    none is finite.
    """
    line = fit_logistic(straight_columns(rows.nodes.at), *(at_nodes or rows.nodes.draw(_as_columns(rows, draws))))
    return line[:, 0], line[:, 1]


def calibration_index(rows: ProbabilityRows, draws: Floats | None = None, at_nodes: Sums | None = None) -> Floats:
    """Takes what `calibration_line` does; returns B mean distances between probability and smoothed outcome.

    The integrated calibration index (Austin and Steyerberg 2019); a logistic regression on a natural cubic spline of the
    log-odds stands in for their loess. Noise raises it: a perfect model shows about 0.02 at 500 rows and 15 % positives,
    0.005 at 5,000 rows and 7 %.
    """
    given = _as_columns(rows, draws)
    found = fit_logistic(rows.spline_at_nodes, *(at_nodes or rows.nodes.draw(given)))
    distance = np.zeros(given.shape[1])
    for begin in range(0, rows.probability.size, ROWS_AT_ONCE):
        some = slice(begin, begin + ROWS_AT_ONCE)
        apart = logistic(rows.spline[some] @ found.T)
        apart -= rows.probability[some, None]
        distance += np.einsum("rb,rb->b", rows.clusters.spread(given, some), np.abs(apart, out=apart))
    return np.asarray(distance / (given.T @ rows.sums[:, 0]), np.float64)


def reliability_table(labels: npt.ArrayLike, probability: npt.ArrayLike, n_bins: int = 10, seed: int = 0) -> ReliabilityTable:
    """Takes n labels, n probabilities, a number of bins and a seed; returns bins of about equal rows, ties never cut.

    The band of a bin holds 95 % of its observed rates when labels are drawn from the probabilities themselves (consistency
    resampling, Broecker and Smith 2007). Rows count as independent, so with several rows per account the band is too narrow.
    """
    truth, given = check_probabilities(labels, probability)
    _, place, counts = np.unique(given, return_inverse=True, return_counts=True)
    bin_of = ((counts.cumsum() - counts) * n_bins // truth.size)[place]
    draw = np.random.default_rng(seed)
    bins = tuple(_fill_bin(truth[bin_of == k], given[bin_of == k], draw) for k in np.unique(bin_of))
    # Up to where the bins are: with a base rate of 2 % the range up to 1 would show one bar.
    top = max(bins[-1].predicted, CLIP)
    heights, edges = np.histogram(np.minimum(given, top), HISTOGRAM_BARS, (0.0, top))
    return ReliabilityTable(bins, tuple(edges.tolist()), tuple(heights.tolist()))


def _refit(weight: Floats, positive: Floats) -> float:
    """The summed squared error of the isotonic fit, groups from the highest probability."""
    from scipy.optimize import isotonic_regression

    seen = weight > 0
    w, y = weight[seen], positive[seen]
    curve = isotonic_regression(y / w, weights=w, increasing=False).x
    # Labels are 0 or 1, so the squared errors of a group are w p² - 2 p y + y.
    return float((w * curve**2 - 2 * curve * y + y).sum())


def _fill_bin(labels: Floats, probability: Floats, draw: np.random.Generator) -> ReliabilityBin:
    # The sum of independent draws, one probability at a time: equal ones are a single binomial draw.
    values, counts = np.unique(probability, return_counts=True)
    positives = np.zeros(SIMULATIONS)
    for value, count in zip(values, counts, strict=True):
        positives += draw.binomial(count, value, SIMULATIONS)
    low, high = np.quantile(positives / labels.size, [0.025, 0.975])
    return ReliabilityBin(float(probability.mean()), float(labels.mean()), int(labels.size), float(low), float(high))


def _as_columns(rows: ProbabilityRows, draws: Floats | None) -> Floats:
    """B by accounts draws → accounts by B, which is how rows pick theirs."""
    accounts = len(rows.sums)
    return np.ones((accounts, 1)) if draws is None else np.ascontiguousarray(np.atleast_2d(np.asarray(draws, np.float64)).T)


def _total(rows: ProbabilityRows, draws: Floats | None) -> Floats:
    return np.asarray(rows.sums.T @ _as_columns(rows, draws), np.float64)
