"""Splits, ranking and probability figures with intervals, the comparison of rules and model, the leak audit, and pictures of all that."""

from pls_ml.evaluation.bootstrap import (
    Estimate,
    account_resamples,
    basic_interval,
    paired_difference,
    percentile_interval,
)
from pls_ml.evaluation.comparison import (
    Comparison,
    ComparisonOptions,
    Decision,
    PeriodDifference,
    compare_candidates,
)
from pls_ml.evaluation.curves import LearningCurve, PrecisionRecallCurve, ScoreHistogram, precision_recall_curve, score_histogram
from pls_ml.evaluation.displays import (
    Display,
    Displays,
    EstimatesDisplay,
    FoldDisplay,
    GainDisplay,
    ImportanceDisplay,
    LearningCurveDisplay,
    LiftDisplay,
    PrecisionRecallDisplay,
    RatioDisplay,
    ReliabilityDisplay,
    ScoreDisplay,
    TuningDisplay,
)
from pls_ml.evaluation.leak_strength import measure_strengths
from pls_ml.evaluation.leaks import Finding, LeakAudit, SignalStrength, raise_if_leaking
from pls_ml.evaluation.measures import CandidateScores, Economics
from pls_ml.evaluation.pooling import LevelRatio, PooledRatios, pool_ratios
from pls_ml.evaluation.ranking import GainCurve, gain_curve
from pls_ml.evaluation.reliability import ReliabilityBin, ReliabilityTable, reliability_table
from pls_ml.evaluation.rolling import RollingFold, RollingSpec, rolling_folds
from pls_ml.evaluation.splits import Split, SplitSpec, forward_folds, split_rows

__all__ = [
    "CandidateScores",
    "Comparison",
    "ComparisonOptions",
    "Decision",
    "Display",
    "Displays",
    "Economics",
    "Estimate",
    "EstimatesDisplay",
    "Finding",
    "FoldDisplay",
    "GainCurve",
    "GainDisplay",
    "ImportanceDisplay",
    "LeakAudit",
    "LearningCurve",
    "LearningCurveDisplay",
    "LevelRatio",
    "LiftDisplay",
    "PeriodDifference",
    "PooledRatios",
    "PrecisionRecallCurve",
    "PrecisionRecallDisplay",
    "RatioDisplay",
    "ReliabilityBin",
    "ReliabilityDisplay",
    "ReliabilityTable",
    "RollingFold",
    "RollingSpec",
    "ScoreDisplay",
    "ScoreHistogram",
    "SignalStrength",
    "Split",
    "SplitSpec",
    "TuningDisplay",
    "account_resamples",
    "basic_interval",
    "compare_candidates",
    "forward_folds",
    "gain_curve",
    "measure_strengths",
    "paired_difference",
    "percentile_interval",
    "pool_ratios",
    "precision_recall_curve",
    "raise_if_leaking",
    "reliability_table",
    "rolling_folds",
    "score_histogram",
    "split_rows",
]
