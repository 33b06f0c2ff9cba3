"""What pictures of ranking and of probabilities are drawn from: curves over the distinct scores, and histograms by outcome."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.errors import DataError
from pls_ml.evaluation.bootstrap import Estimate
from pls_ml.evaluation.ranking import average_precision, group_by_score, sort_scores
from pls_ml.evaluation.reliability import CLIP, check_probabilities

POINTS = 200
"""Points of a curve that are kept for pictures: more than a picture can show."""
BARS = 24


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """Recall from 0 up and the precision at each, one point per distinct score; tied rows are taken together. Its step area is AP.

    `base_rate` is the precision of any order at random.
    """

    recall: tuple[float, ...]
    precision: tuple[float, ...]
    average_precision: float
    base_rate: float

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values, with no more points than a picture can show."""
        kept = np.unique(np.searchsorted(self.recall, np.linspace(0, 1, POINTS)).clip(max=len(self.recall) - 1))
        recall, precision = ([round(values[place], 6) for place in kept.tolist()] for values in (self.recall, self.precision))
        return {"recall": recall, "precision": precision, "average_precision": self.average_precision, "base_rate": self.base_rate}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PrecisionRecallCurve:
        """Takes what `to_dict` gave; returns the curve."""
        return cls(tuple(data["recall"]), tuple(data["precision"]), data["average_precision"], data["base_rate"])


@dataclass(frozen=True)
class ScoreHistogram:
    """Bars of equal width in log-odds between `edges` (probabilities); the share of the won leads in each, and of the others."""

    edges: tuple[float, ...]
    won: tuple[float, ...]
    lost: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ScoreHistogram:
        """Takes what `to_dict` gave; returns the histogram."""
        return cls(tuple(data["edges"]), tuple(data["won"]), tuple(data["lost"]))


@dataclass(frozen=True)
class LearningCurve:
    """Accounts and rows a scorer was fitted on, from few to all, and figure → its estimate on the same held-out leads for each size."""

    used: str
    accounts: tuple[int, ...]
    rows: tuple[int, ...]
    figures: dict[str, tuple[Estimate, ...]]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        figures = {name: [one.to_dict() for one in found] for name, found in self.figures.items()}
        return {"used": self.used, "accounts": list(self.accounts), "rows": list(self.rows), "figures": figures}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> LearningCurve:
        """Takes what `to_dict` gave; returns the curve."""
        figures = {name: tuple(map(Estimate.from_dict, found)) for name, found in data["figures"].items()}
        return cls(data["used"], tuple(data["accounts"]), tuple(data["rows"]), figures)


def precision_recall_curve(labels: npt.ArrayLike, scores: npt.ArrayLike) -> PrecisionRecallCurve:
    """Takes n labels and n scores; returns the curve from the highest score down; refuses labels without a positive.

    It starts at recall 0 with the precision of the highest score; tied scores are one point.
    """
    groups = group_by_score(sort_scores(scores), labels)
    found, worked = groups.found[0], groups.worked[0]
    if not found[-1]:
        raise DataError("no row has label 1: precision and recall need at least one positive; take a longer test window")
    precision, recall = found / worked, np.append(0.0, found / found[-1])
    area, base = float(average_precision(groups)[0]), float(groups.base_rate[0])
    return PrecisionRecallCurve(tuple(recall.tolist()), (float(precision[0]), *precision.tolist()), area, base)


def score_histogram(labels: npt.ArrayLike, probability: npt.ArrayLike, bars: int = BARS) -> ScoreHistogram:
    """Takes n labels, n probabilities and a number of bars; returns how the scores of won leads and of the others are spread.

    Refuses anything outside [0, 1]. An outcome that no row has gives bars of 0.
    """
    truth, given = check_probabilities(labels, probability)
    clipped = np.clip(given, CLIP, 1 - CLIP)
    log_odds = np.log(clipped) - np.log1p(-clipped)
    low, high = float(log_odds.min()), float(log_odds.max())
    edges = np.linspace(low, high, bars + 1) if high > low else np.linspace(low - 0.5, low + 0.5, bars + 1)
    counts = [np.histogram(log_odds[truth == outcome], edges)[0] for outcome in (1, 0)]
    won, lost = (tuple((count / max(count.sum(), 1)).tolist()) for count in counts)
    return ScoreHistogram(tuple((1 / (1 + np.exp(-edges))).tolist()), won, lost)
