"""What every candidate says of the held-out leads, as curves and tables to draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pls_ml.evaluation.curves import PrecisionRecallCurve, ScoreHistogram, precision_recall_curve, score_histogram
from pls_ml.evaluation.ranking import GainCurve, gain_curve
from pls_ml.evaluation.reliability import ReliabilityTable, reliability_table
from pls_ml.workflows.candidates import Candidate, TrainingRows


@dataclass(frozen=True)
class HeldOut:
    """By candidate: reliability, gain, precision against recall, and how the probabilities are spread by outcome."""

    reliability: dict[str, ReliabilityTable]
    gain: dict[str, GainCurve]
    precision_recall: dict[str, PrecisionRecallCurve]
    scores: dict[str, ScoreHistogram]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values, curves with no more points than a picture can show."""
        return {part: {name: one.to_dict() for name, one in found.items()} for part, found in vars(self).items()}


def describe_held_out(candidates: Mapping[str, Candidate], test: TrainingRows) -> HeldOut:
    """Takes fitted candidates and the held-out rows; returns what each says of them; refuses rows without a won one."""
    raw = {name: candidate.scorer.raw_score(test.signals) for name, candidate in candidates.items()}
    probability = {name: candidates[name].calibrator.transform(margins) for name, margins in raw.items()}
    return HeldOut(
        {name: reliability_table(test.labels, given) for name, given in probability.items()},
        {name: gain_curve(test.labels, given) for name, given in raw.items()},
        {name: precision_recall_curve(test.labels, given) for name, given in raw.items()},
        {name: score_histogram(test.labels, given) for name, given in probability.items()},
    )
