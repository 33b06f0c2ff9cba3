"""Every figure of one candidate, for any number of weightings of the rows: what a comparison resamples."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pls_ml.core.errors import DataError
from pls_ml.evaluation.clusters import Clusters
from pls_ml.evaluation.ranking import (
    RankedGroups,
    RankedRows,
    average_precision,
    lift_at,
    precision_at,
    prepare_ranking,
    recall_at,
    roc_auc,
    sort_scores,
    taken_at,
)
from pls_ml.evaluation.reliability import (
    ProbabilityRows,
    brier_parts,
    calibration_index,
    calibration_line,
    log_loss,
    observed_expected,
    prepare_probabilities,
)

Floats = npt.NDArray[np.float64]

#: figures that noise pushes up and that are never below 0; their intervals are reflected (see `basic_interval`)
RAISED_BY_NOISE = frozenset({"miscalibration", "discrimination", "ici"})
LOWER_IS_BETTER = frozenset({"log_loss", "brier", "miscalibration", "ici"})


@dataclass(frozen=True, eq=False)
class CandidateScores:
    """What one candidate says about the same n rows: raw scores to rank by, probabilities or None where it has none."""

    raw: npt.ArrayLike
    probability: npt.ArrayLike | None = None


@dataclass(frozen=True)
class Economics:
    """What a win is worth and what contacting a lead costs, in one currency (or in wins)."""

    win_value: float
    contact_cost: float

    def __post_init__(self) -> None:
        """Takes nothing; returns nothing; refuses a contact that costs nothing, or as much as a win gives."""
        if not 0 < self.contact_cost < self.win_value:
            raise DataError(f"contact_cost is {self.contact_cost:g} and win_value {self.win_value:g}: expected a cost above 0 and below it")

    @property
    def threshold(self) -> float:
        """The probability from which a contact pays."""
        return self.contact_cost / self.win_value


@dataclass(frozen=True, eq=False)
class PreparedCandidate:
    """A candidate's rows by account, sorted and checked once; `treated` are accounts by 1 net true positives, given economics."""

    ranked: RankedRows
    probabilities: ProbabilityRows | None
    valued: bool
    economics: Economics | None
    treated: Floats = field(default_factory=lambda: np.zeros((0, 1)))

    def measure(self, draws: Floats, capacity: float) -> dict[str, Floats]:
        """Takes B by accounts draws and the capacity; returns B values of every figure, by name."""
        columns = np.ascontiguousarray(draws.T)
        groups = self.ranked.draw_groups(columns)
        figures = self._measure_ranking(groups, columns, capacity)
        if self.probabilities is None:
            return figures
        same = self.ranked is self.probabilities.ranked
        return figures | self._measure_probabilities(self.probabilities, draws, groups if same else None)

    def _measure_ranking(self, groups: RankedGroups, columns: Floats, capacity: float) -> dict[str, Floats]:
        figures = {
            "average_precision": average_precision(groups),
            "roc_auc": roc_auc(groups),
            "precision_at_capacity": precision_at(groups, capacity),
            "recall_at_capacity": recall_at(groups, capacity),
            "lift_at_capacity": lift_at(groups, capacity),
        }
        if self.valued:
            worth = self.ranked.draw_worth(columns)
            taken, total = taken_at(groups, worth, capacity), worth.sum(axis=1)
            share = np.divide(taken, total, out=np.full_like(total, np.nan), where=total > 0)
            figures |= {"captured_value": taken, "captured_share": share}
        if self.economics is not None:
            worth = self.economics.win_value * groups.positive - self.economics.contact_cost * groups.weight
            figures["expected_value"] = taken_at(groups, worth, capacity) / groups.weight.sum(axis=1)
        return figures

    def _measure_probabilities(self, rows: ProbabilityRows, draws: Floats, groups: RankedGroups | None) -> dict[str, Floats]:
        at_nodes = rows.nodes.draw(np.ascontiguousarray(draws.T))
        parts, (intercept, slope) = brier_parts(rows, draws, groups), calibration_line(rows, draws, at_nodes)
        figures = {
            "log_loss": log_loss(rows, draws),
            "brier": parts.brier,
            "miscalibration": parts.miscalibration,
            "discrimination": parts.discrimination,
            "uncertainty": parts.uncertainty,
            "calibration_slope": slope,
            "calibration_intercept": intercept,
            "ici": calibration_index(rows, draws, at_nodes),
            "observed_expected": observed_expected(rows, draws),
        }
        if self.economics is not None:
            figures["net_benefit"] = (draws @ self.treated)[:, 0] / (draws @ rows.sums[:, 0])
        return figures


def prepare_candidate(
    labels: Floats, scores: CandidateScores, clusters: Clusters, values: Floats | None = None, economics: Economics | None = None
) -> PreparedCandidate:
    """Takes n labels, a candidate's scores, the rows' accounts, what each row is worth and the economics; returns it ready to measure.

    Net benefit (Vickers and Elkin 2006): true positives less false ones times the odds of the threshold, per lead.
    """
    order = sort_scores(scores.raw)
    if scores.probability is None:
        return PreparedCandidate(prepare_ranking(order, labels, clusters, values), None, values is not None, economics)
    rows = prepare_probabilities(labels, scores.probability, clusters)
    # A calibrator that keeps every distinct score apart ranks as the scores do: the groups are then computed once for both.
    same = values is None and np.array_equal(order.order, rows.order.order) and np.array_equal(order.starts, rows.order.starts)
    ranked = rows.ranked if same else prepare_ranking(order, labels, clusters, values)
    if economics is None:
        return PreparedCandidate(ranked, rows, values is not None, None)
    odds = economics.threshold / (1 - economics.threshold)
    net = np.where(rows.probability >= economics.threshold, np.where(labels == 1, 1.0, -odds), 0.0)
    return PreparedCandidate(ranked, rows, values is not None, economics, clusters.sum_amounts(net))
