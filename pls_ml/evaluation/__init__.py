"""Splits, ranking and probability figures with intervals, the comparison of rules and model, the leak audit, and plots."""

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
from pls_ml.evaluation.leak_strength import measure_strengths
from pls_ml.evaluation.leaks import Finding, LeakAudit, SignalStrength, raise_if_leaking
from pls_ml.evaluation.measures import CandidateScores, Economics
from pls_ml.evaluation.plots import draw_gain, draw_reliability, draw_tuning
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
    "Economics",
    "Estimate",
    "Finding",
    "GainCurve",
    "LeakAudit",
    "LevelRatio",
    "PeriodDifference",
    "PooledRatios",
    "ReliabilityBin",
    "ReliabilityTable",
    "RollingFold",
    "RollingSpec",
    "SignalStrength",
    "Split",
    "SplitSpec",
    "account_resamples",
    "basic_interval",
    "compare_candidates",
    "draw_gain",
    "draw_reliability",
    "draw_tuning",
    "forward_folds",
    "gain_curve",
    "measure_strengths",
    "paired_difference",
    "percentile_interval",
    "pool_ratios",
    "raise_if_leaking",
    "reliability_table",
    "rolling_folds",
    "split_rows",
]
