"""Pictures of results computed elsewhere, after scikit-learn's convention; nothing here computes, and matplotlib is imported here alone."""

from pls_ml.evaluation.displays.base import Display, Displays, draw_png
from pls_ml.evaluation.displays.importance import ImportanceDisplay
from pls_ml.evaluation.displays.probabilities import RatioDisplay, ReliabilityDisplay, ScoreDisplay
from pls_ml.evaluation.displays.ranking import GainDisplay, LiftDisplay, PrecisionRecallDisplay
from pls_ml.evaluation.displays.times import EstimatesDisplay, FoldDisplay, LearningCurveDisplay, TuningDisplay

__all__ = [
    "Display",
    "Displays",
    "EstimatesDisplay",
    "FoldDisplay",
    "GainDisplay",
    "ImportanceDisplay",
    "LearningCurveDisplay",
    "LiftDisplay",
    "PrecisionRecallDisplay",
    "RatioDisplay",
    "ReliabilityDisplay",
    "ScoreDisplay",
    "TuningDisplay",
    "draw_png",
]
