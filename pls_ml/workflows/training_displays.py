"""The plain values of a training or a backtest → the pictures of it: the same in a notebook, in the tracker and in the model report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pls_ml.core.records import TrialRecord
from pls_ml.evaluation.bootstrap import Estimate
from pls_ml.evaluation.curves import LearningCurve, PrecisionRecallCurve, ScoreHistogram
from pls_ml.evaluation.displays import (
    Display,
    Displays,
    FoldDisplay,
    GainDisplay,
    LearningCurveDisplay,
    LiftDisplay,
    PrecisionRecallDisplay,
    RatioDisplay,
    ReliabilityDisplay,
    ScoreDisplay,
    TuningDisplay,
)
from pls_ml.evaluation.pooling import PooledRatios
from pls_ml.evaluation.ranking import GainCurve
from pls_ml.evaluation.reliability import ReliabilityTable
from pls_ml.workflows.tuning import TuningReport

FOLD = "fold of the backtest (its first day)"
NOT_DEFINED = Estimate(*(float("nan"),) * 3)


def show_training(found: Mapping[str, Any]) -> Displays:
    """Takes `TrainingReport.to_dict()`; returns its pictures by name."""
    comparison, used = found["comparison"], found["used"]
    shown = dict.fromkeys((used, comparison["reference"], comparison["challenger"]))
    names = dict.fromkeys((*(name for name in shown if name in found["gain"]), *found["gain"]))  # the same colours in every picture
    gain = {name: GainCurve.from_dict(found["gain"][name]) for name in names}
    ratios = {one["by"]: PooledRatios.from_dict(one) for one in found["ratios"]}
    tables = {name: ReliabilityTable.from_dict(found["reliability"][name]) for name in shown if name in found["reliability"]}
    return Displays(
        {
            "reliability": ReliabilityDisplay(tables),
            "scores": ScoreDisplay(used, ScoreHistogram.from_dict(found["scores"][used])),
            "gain": GainDisplay(gain, comparison["capacity"], _read_figure(comparison, "recall_at_capacity")),
            "lift": LiftDisplay(gain, comparison["capacity"], _read_figure(comparison, "lift_at_capacity")),
            "precision_recall": PrecisionRecallDisplay(
                {name: PrecisionRecallCurve.from_dict(found["precision_recall"][name]) for name in names}
            ),
            "periods": _show_periods(comparison),
            **{f"ratios_by_{by}": RatioDisplay(one) for by, one in ratios.items()},
            "learning_curve": LearningCurveDisplay(LearningCurve.from_dict(found["learning_curve"])) if found["learning_curve"] else None,
            "tuning": _show_tuning(found["tuning"]) if found["tuning"] else None,
        }
    )


def show_backtest(found: Mapping[str, Any]) -> Displays:
    """Takes `BacktestReport.to_dict()`; returns its pictures by name."""
    folds = [fold for fold in found["folds"] if fold["comparison"]]
    names = (found["comparison"]["challenger"], found["comparison"]["reference"])
    return Displays(
        {
            "precision_by_fold": _show_folds(folds, names, "precision_at_capacity"),
            "average_precision_by_fold": _show_folds(folds, names, "average_precision"),
            "observed_expected_by_fold": _show_folds(folds, names, "observed_expected"),
        }
    )


def _show_folds(folds: Sequence[Mapping[str, Any]], names: Sequence[str], figure: str) -> Display:
    estimates = {
        name: tuple(_read_figure(fold["comparison"], figure).get(name, NOT_DEFINED) for fold in folds)
        for name in names
        if any(name in _read_figure(fold["comparison"], figure) for fold in folds)
    }
    starts = tuple(fold["test_start"] for fold in folds)
    if figure == "observed_expected":
        return FoldDisplay("observed/expected", starts, estimates, FOLD, 1.0)
    return FoldDisplay(figure.replace("_", " "), starts, estimates, FOLD)


def _show_periods(comparison: Mapping[str, Any]) -> Display | None:
    """Both sides in every period of the test, without intervals: a period alone is small."""
    periods = [period for period in comparison["periods"] if 0 < period["positives"] < period["rows"]]
    if len(periods) < 2:
        return None
    sides = {
        comparison[side]: tuple(Estimate(period[side], NOT_DEFINED.low, NOT_DEFINED.high) for period in periods)
        for side in ("challenger", "reference")
    }
    return FoldDisplay("precision at capacity", tuple(period["period"] for period in periods), sides, "month of the test")


def _read_figure(comparison: Mapping[str, Any], figure: str) -> dict[str, Estimate]:
    return {name: Estimate.from_dict(found[figure]) for name, found in comparison["metrics"].items() if figure in found}


def _show_tuning(found: Mapping[str, Any]) -> Display:
    search = TuningReport(tuple(TrialRecord(**trial) for trial in found["trials"]), found["wanted"])
    return TuningDisplay(search.trials, search.best_so_far)
