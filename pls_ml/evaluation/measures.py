"""Every figure of one candidate, for any number of weightings of the rows: what a comparison resamples."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pls_ml.evaluation.ranking import (
    ScoreOrder,
    average_precision,
    group_by_score,
    lift_at,
    precision_at,
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


@dataclass(frozen=True, eq=False)
class PreparedCandidate:
    """A candidate's rows, sorted and checked once."""

    labels: Floats
    order: ScoreOrder
    probabilities: ProbabilityRows | None
    values: Floats | None

    def measure(self, weights: Floats, capacity: float) -> dict[str, Floats]:
        """Takes B by n weights and the capacity; returns B values of every figure, by name."""
        return self._measure_ranking(weights, capacity) | self._measure_probabilities(weights)

    def _measure_ranking(self, weights: Floats, capacity: float) -> dict[str, Floats]:
        groups = group_by_score(self.order, self.labels, weights)
        figures = {
            "average_precision": average_precision(groups),
            "roc_auc": roc_auc(groups),
            "precision_at_capacity": precision_at(groups, capacity),
            "recall_at_capacity": recall_at(groups, capacity),
            "lift_at_capacity": lift_at(groups, capacity),
        }
        if self.values is not None:
            amounts = self.order.sum_groups(weights * self.values)
            figures["captured_value"] = taken_at(groups.weight, amounts, capacity)
        return figures

    def _measure_probabilities(self, weights: Floats) -> dict[str, Floats]:
        rows = self.probabilities
        if rows is None:
            return {}
        parts, (intercept, slope) = brier_parts(rows, weights), calibration_line(rows, weights)
        return {
            "log_loss": log_loss(rows, weights),
            "brier": parts.brier,
            "miscalibration": parts.miscalibration,
            "discrimination": parts.discrimination,
            "uncertainty": parts.uncertainty,
            "calibration_slope": slope,
            "calibration_intercept": intercept,
            "ici": calibration_index(rows, weights),
            "observed_expected": observed_expected(rows, weights),
        }


def prepare_candidate(labels: Floats, scores: CandidateScores, values: Floats | None) -> PreparedCandidate:
    """Takes n labels, a candidate's scores and what each row is worth (or None); returns it ready to measure."""
    probabilities = None if scores.probability is None else prepare_probabilities(labels, scores.probability)
    return PreparedCandidate(labels, sort_scores(scores.raw), probabilities, values)
