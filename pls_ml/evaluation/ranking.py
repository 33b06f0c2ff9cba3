"""Ranking under ties and weights, for one sample or for thousands of resamples at once.

Rows are sorted once by score and summed per distinct score; every figure is then a cumulative sum over those groups, done for
all resamples in one matrix operation. Ties count as the expectation over every order of the tied rows.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.errors import DataError
from pls_ml.evaluation.clusters import Clusters, Sparse

Floats = npt.NDArray[np.float64]
PERCENTS = 101
"""A gain curve for a picture: at 0, 1, … 100 % of the leads."""


@dataclass(frozen=True, eq=False)
class ScoreOrder:
    """n scores, sorted from the highest: `order` of the rows, and where each distinct score begins in it."""

    order: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]

    def sum_groups(self, amounts: Floats) -> Floats:
        """Takes B by n amounts per row; returns B by groups sums, highest score first."""
        return np.add.reduceat(amounts[:, self.order], self.starts, axis=1)


@dataclass(frozen=True, eq=False)
class RankedGroups:
    """B by groups sums, highest score first: all weight, and the weight of the positives."""

    weight: Floats
    positive: Floats

    @cached_property
    def worked(self) -> Floats:
        """B by groups: all weight down to each score."""
        return self.weight.cumsum(axis=1)

    @cached_property
    def found(self) -> Floats:
        """B by groups: the positives among it."""
        return self.positive.cumsum(axis=1)

    @property
    def base_rate(self) -> Floats:
        """B shares of the positives in all weight."""
        return np.asarray(self.positive.sum(axis=1) / self.weight.sum(axis=1), np.float64)


@dataclass(frozen=True, eq=False)
class RankedRows:
    """n rows by score and account, prepared once: draws of accounts → groups, without the rows.

    Rows between two that are worth something only ever count together, so they are one group: all figures stay exact.
    """

    all_rows: Sparse
    positives: Sparse
    worth: Sparse

    def draw_groups(self, draws: Floats) -> RankedGroups:
        """Takes accounts by B draws; returns B by groups sums."""
        return RankedGroups(*(np.ascontiguousarray((matrix @ draws).T) for matrix in (self.all_rows, self.positives)))

    def draw_worth(self, draws: Floats) -> Floats:
        """Takes accounts by B draws; returns B by groups sums of what the rows are worth."""
        return np.ascontiguousarray((self.worth @ draws).T)


@dataclass(frozen=True)
class GainCurve:
    """Share of the leads worked, best first, against the share of the positives among them; starts at 0, ends at 1."""

    worked: tuple[float, ...]
    captured: tuple[float, ...]

    def __repr__(self) -> str:
        """Takes nothing; returns it in one line."""
        return f"GainCurve({len(self.worked):,} places)"

    @property
    def lift(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The shares worked, one percent after the other, and how many times more of the positives than of the leads is among them."""
        worked, captured = self._read(np.linspace(0, 1, PERCENTS)[1:])
        return tuple(worked.tolist()), tuple((captured / worked).tolist())

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values, read off at every percent of the leads."""
        worked, captured = self._read(np.linspace(0, 1, PERCENTS))
        return {"worked": worked.round(6).tolist(), "captured": captured.round(6).tolist()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "GainCurve":
        """Takes what `to_dict` gave; returns the curve."""
        return cls(tuple(data["worked"]), tuple(data["captured"]))

    def _read(self, worked: Floats) -> tuple[Floats, Floats]:
        return worked, np.interp(worked, self.worked, self.captured)


def sort_scores(scores: npt.ArrayLike) -> ScoreOrder:
    """Takes n scores; returns their order from the highest and where ties begin; refuses NaN and an empty list."""
    values = np.asarray(scores, np.float64)
    if values.ndim != 1 or not values.size or np.isnan(values).any():
        raise DataError(f"{int(np.isnan(values).sum())} of {values.size} scores are NaN: expected a number for every lead")
    order = np.argsort(-values, kind="stable")
    falling = values[order]
    falls = np.flatnonzero(falling[1:] != falling[:-1]) + 1  # no difference: infinities would not be equal to themselves
    return ScoreOrder(order, np.concatenate([[0], falls]))


def group_by_score(order: ScoreOrder, labels: npt.ArrayLike, weights: Floats | None = None) -> RankedGroups:
    """Takes the order, n labels and weights (n, or B by n; None: 1 each); returns the sums per distinct score."""
    truth = check_labels(labels)
    given = np.ones((1, truth.size)) if weights is None else np.atleast_2d(weights)
    if truth.size != order.order.size or given.shape[1] != truth.size:
        raise DataError(f"{order.order.size} scores, {truth.size} labels, {given.shape[1]} weights: expected one each per lead")
    return RankedGroups(order.sum_groups(given), order.sum_groups(given * truth))


def prepare_ranking(order: ScoreOrder, labels: Floats, clusters: Clusters, values: Floats | None = None) -> RankedRows:
    """Takes the order, n checked labels, the rows' accounts and what each row is worth; returns the rows ready for any number of draws."""
    matters = (labels > 0) | (values != 0) if values is not None else labels > 0
    found = np.logical_or.reduceat(matters[order.order], order.starts)
    # A group begins with every score at which a row matters, and right after it.
    begins = found | np.concatenate([[True], found[:-1]])
    part = np.empty(labels.size, np.int64)
    part[order.order] = np.repeat(begins.cumsum() - 1, np.diff(np.append(order.starts, labels.size)))
    amounts = (None, labels, np.zeros_like(labels) if values is None else values)
    return RankedRows(*(clusters.sum_parts(part, int(begins.sum()), amount) for amount in amounts))


def average_precision(groups: RankedGroups) -> Floats:
    """Takes groups; returns B average precisions, NaN without a positive.

    Step-wise sum of precision times gain in recall over the distinct scores, as scikit-learn's `average_precision_score`.
    """
    # Before the first row there is nothing to divide, and nothing found either.
    precision = groups.found / np.maximum(groups.worked, np.finfo(np.float64).tiny)
    return _ratio(_dot(precision, groups.positive), groups.positive.sum(axis=1))


def roc_auc(groups: RankedGroups) -> Floats:
    """Takes groups; returns B areas under the ROC curve, NaN unless both classes are there.

    The share of (positive, negative) pairs in the right order, ties for half (Mann and Whitney 1947).
    """
    weight, positive = groups.weight, groups.positive
    all_positive = positive.sum(axis=1)
    all_negative = weight.sum(axis=1) - all_positive
    # Negatives above a score are worked - found; half of those at the score itself count.
    above = _dot(positive, groups.worked) - _dot(positive, groups.found)
    level = _dot(positive, weight) - _dot(positive, positive)
    return _ratio(all_positive * all_negative - above + level / 2, all_positive * all_negative)


def precision_at(groups: RankedGroups, capacity: float) -> Floats:
    """Takes groups and the capacity; returns B expected shares of positives among the leads worked.

    Capacity below 1 is a share of all weight; 1 or more is a number of leads (of weight), at most all of them.
    """
    return taken_at(groups, groups.positive, capacity) / _worked_weight(groups.weight, capacity)


def recall_at(groups: RankedGroups, capacity: float) -> Floats:
    """Takes groups and the capacity; returns B expected shares of all positives that are worked, NaN without a positive."""
    return _ratio(taken_at(groups, groups.positive, capacity), groups.positive.sum(axis=1))


def lift_at(groups: RankedGroups, capacity: float) -> Floats:
    """Takes groups and the capacity; returns B precisions as a multiple of the base rate, NaN without a positive."""
    return _ratio(precision_at(groups, capacity), groups.base_rate)


def taken_at(groups: RankedGroups, amount: Floats, capacity: float) -> Floats:
    """Takes groups, B by groups amounts and the capacity; returns B expected amounts among the leads worked.

    The group at the edge is worked in part, and gives that part of its amount: the expectation over every order of its rows.
    """
    room, last = _worked_weight(groups.weight, capacity), groups.weight.shape[1] - 1
    taken = np.empty(len(room))
    for b, (worked, sums) in enumerate(zip(groups.worked, amount, strict=True)):
        edge = min(int(worked.searchsorted(room[b])), last)
        weight = groups.weight[b, edge]
        part = min(max((room[b] - (worked[edge] - weight)) / weight, 0.0), 1.0) if weight > 0 else 0.0
        taken[b] = sums[:edge].sum() + part * sums[edge]
    return taken


def chance_taken(order: ScoreOrder, weight: Floats, capacity: float) -> Floats:
    """Takes the order, B by n weights and the capacity; returns B by n chances of each lead to be worked: 1 above the edge, 0 below.

    At the edge itself every lead of the tie has the same chance; where a tie has no weight its chance does not matter.
    """
    groups = order.sum_groups(weight)
    room = _worked_weight(weight, capacity)[:, None] - (groups.cumsum(axis=1) - groups)
    part = np.clip(np.divide(room, groups, out=np.zeros_like(groups), where=groups > 0), 0.0, 1.0)
    chance = np.empty_like(weight)
    chance[:, order.order] = np.repeat(part, np.diff(np.append(order.starts, order.order.size)), axis=1)
    return chance


def gain_curve(labels: npt.ArrayLike, scores: npt.ArrayLike) -> GainCurve:
    """Takes n labels and n scores; returns the gain curve, straight across ties; refuses labels without a positive."""
    groups = group_by_score(sort_scores(scores), labels)
    if not groups.positive.any():
        raise DataError("no row has label 1: a gain curve needs at least one positive; take a longer test window")
    worked, captured = (np.append(0.0, sums[0].cumsum() / sums[0].sum()) for sums in (groups.weight, groups.positive))
    return GainCurve(tuple(worked.tolist()), tuple(captured.tolist()))


def check_labels(labels: npt.ArrayLike) -> Floats:
    """Takes n labels; returns them as doubles; refuses anything but 0 and 1."""
    truth = np.asarray(labels, np.float64)
    strange = truth[(truth != 0) & (truth != 1)]
    if strange.size:
        raise DataError(f"label {strange[0]} is neither 0 nor 1: leave rows without a known outcome out")
    return truth


def check_capacity(capacity: float) -> float:
    """Takes a capacity; returns it; refuses what is not above 0."""
    if not capacity > 0:
        raise DataError(f"capacity is {capacity}: expected a share below 1, such as 0.1, or a number of leads of 1 or more")
    return capacity


def _worked_weight(weight: Floats, capacity: float) -> Floats:
    total = np.asarray(weight.sum(axis=1), np.float64)
    return total * check_capacity(capacity) if capacity < 1 else np.minimum(capacity, total)


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full_like(below, np.nan), where=below > 0)


def _dot(left: Floats, right: Floats) -> Floats:
    return np.asarray(np.einsum("bg,bg->b", left, right), np.float64)
