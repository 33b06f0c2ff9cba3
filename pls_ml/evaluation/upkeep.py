"""Does a model still keep its promises? Figures on newly matured outcomes, and the rule, written before, for what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pls_ml.evaluation.bootstrap import Estimate, percentile_interval
from pls_ml.evaluation.measures import CandidateScores
from pls_ml.evaluation.ranking import group_by_score, roc_auc, sort_scores
from pls_ml.evaluation.reliability import calibration_line, observed_expected, prepare_probabilities

Floats = npt.NDArray[np.float64]
Action = Literal["nothing", "intercept", "slope", "retrain"]

LEAST_WON = 10
"""Fewer wins, promised or seen, say nothing about a mean, and in a month nothing about its ranking."""
LEAST_WON_FOR_SLOPE = 30
SHIFTED = 0.25
"""From this population stability index on, a signal no longer is what it was (Siddiqi 2006)."""
MAIN_SHARE = 0.10
"""Of all contributions: what a signal must carry for its drift to matter."""
WINDOWS = 2


@dataclass(frozen=True)
class RankingWindow:
    """One month of leads: its rows, its wins, and the area under the ROC curve in it (None: too few wins to tell)."""

    month: str
    rows: int
    won: int
    roc_auc: float | None


@dataclass(frozen=True)
class SignalDrift:
    """A signal's share in all contributions, and how far its values moved since training (the column of it that moved most)."""

    signal: str
    share: float
    drift: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return {"signal": self.signal, "share": self.share, "drift": self.drift.to_dict()}


@dataclass(frozen=True)
class Upkeep:
    """What newly matured outcomes show: figures with intervals, ranking by month beside the lower bound of earlier tests, and drift.

    `bound_of` says whose bound it is: that of a backtest, or that of the training's own held-out part.
    """

    rows: int
    won: int
    expected: float
    figures: dict[str, Estimate]
    windows: tuple[RankingWindow, ...]
    lower_bound: float | None
    drifts: tuple[SignalDrift, ...]
    bound_of: str = "training"

    @property
    def verdict(self) -> tuple[Action, tuple[str, ...]]:
        """What to do, and every reason for it, the strongest first."""
        retrain = [*self._blame_ranking(), *self._blame_drift()]
        slope, mean = self._blame_slope(), self._blame_mean()
        action: Action = "retrain" if retrain else "slope" if slope else "intercept" if mean else "nothing"
        return action, (*retrain, *slope, *mean)

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return {
            "rows": self.rows,
            "won": self.won,
            "expected": self.expected,
            "figures": {name: estimate.to_dict() for name, estimate in self.figures.items()},
            "windows": [asdict(window) for window in self.windows],
            "lower_bound": self.lower_bound,
            "bound_of": self.bound_of,
            "drifts": [drift.to_dict() for drift in self.drifts],
        }

    def _blame_mean(self) -> list[str]:
        ratio = self.figures["observed_expected"]
        if max(self.won, self.expected) < LEAST_WON or ratio.low <= 1 <= ratio.high:
            return []
        return [f"{self.won:,} leads won where {self.expected:,.1f} were promised (observed/expected {say_estimate(ratio)})"]

    def _blame_slope(self) -> list[str]:
        slope = self.figures["slope"]
        # An interval that is not defined (NaN) contains everything.
        if self.won < LEAST_WON_FOR_SLOPE or not (slope.low > 1 or slope.high < 1):
            return []
        way = "too far apart" if slope.value < 1 else "too close together"
        return [f"probabilities lie {way} (slope {say_estimate(slope)})"]

    def _blame_ranking(self) -> list[str]:
        judged = [window for window in self.windows if window.roc_auc is not None][-WINDOWS:]
        bound = self.lower_bound
        if bound is None or len(judged) < WINDOWS or any(window.roc_auc is None or window.roc_auc >= bound for window in judged):
            return []
        said = " and ".join(f"{window.roc_auc:.3f} in {window.month}" for window in judged)
        return [f"ranking fell below the lower end of {self.bound_of}'s interval, {bound:.3f} (ROC-AUC {said})"]

    def _blame_drift(self) -> list[str]:
        moved = [found for found in self.drifts if found.share > MAIN_SHARE and found.drift.low > SHIFTED]
        return [f"signal '{x.signal}' moved (PSI {say_estimate(x.drift)}) and carries {x.share:.0%} of all contributions" for x in moved]


def measure_upkeep(labels: npt.ArrayLike, scores: CandidateScores, draws: Iterable[Floats]) -> dict[str, Estimate]:
    """Takes n labels, raw scores with probabilities, and blocks of b by n weights, whole accounts drawn again; returns the figures.

    They are 'observed_expected', 'slope' (of the calibration line, Cox 1958) and 'roc_auc', each with its interval.
    """
    truth = np.asarray(labels, np.float64)
    rows, order = prepare_probabilities(truth, np.asarray(scores.probability, np.float64)), sort_scores(scores.raw)

    def measure(weights: Floats) -> dict[str, Floats]:
        return {
            "observed_expected": observed_expected(rows, weights),
            "slope": calibration_line(rows, weights)[1],
            "roc_auc": roc_auc(group_by_score(order, truth, weights)),
        }

    value, blocks = measure(np.ones((1, truth.size))), [measure(block) for block in draws]
    return {name: percentile_interval(float(one[0]), np.concatenate([block[name] for block in blocks])) for name, one in value.items()}


def rank_by_month(labels: npt.ArrayLike, raw: Floats, months: npt.NDArray[Any]) -> tuple[RankingWindow, ...]:
    """Takes n labels, raw scores and months; returns the ranking in each month, the earliest first."""
    truth = np.asarray(labels, np.float64)
    return tuple(_judge_month(month, truth[months == month], raw[months == month]) for month in np.unique(months).tolist())


def say_estimate(found: Estimate) -> str:
    """Takes an estimate; returns it with its interval in words."""
    return f"{found.value:.2f}, 95 % interval {found.low:.2f} to {found.high:.2f}"


def _judge_month(month: str, labels: Floats, raw: Floats) -> RankingWindow:
    won = int(labels.sum())
    enough = min(won, labels.size - won) >= LEAST_WON
    area = float(roc_auc(group_by_score(sort_scores(raw), labels))[0]) if enough else None
    return RankingWindow(month, int(labels.size), won, area)
