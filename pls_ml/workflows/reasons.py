"""What reasons a scorer gives for its best leads, and whether other seeds would give the same."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.protocols import Floats, Scorer
from pls_ml.evaluation.stability import measure_overlap, measure_same_first, profile_reasons, rank_reasons
from pls_ml.explanations.receipts import sum_by_signal
from pls_ml.scores import BoostedScorer
from pls_ml.workflows.candidates import TrainingRows


@dataclass(frozen=True)
class ReasonProfile:
    """How often another seed gives the same first reason, and of which share of the leads each signal is among the three reasons."""

    same_first: float
    profile: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return {"same_first": self.same_first, "profile": self.profile}


def profile_scorer(scorer: Scorer, training: TrainingRows, leads: pd.DataFrame, catalogue: Catalogue) -> ReasonProfile:
    """Takes the scorer in use, the rows it was fitted on, the signals of leads it never saw, and the catalogue; returns its reasons."""
    names = [signal.id for signal in catalogue.signals]
    chosen = rank_reasons(_contribute(scorer, leads, catalogue, names))
    others = [rank_reasons(_contribute(again, leads, catalogue, names)) for again in _refit(scorer, training)]
    return ReasonProfile(measure_same_first(chosen, others), profile_reasons(chosen, names))


def overlap_reasons(first: tuple[Scorer, pd.DataFrame, Catalogue], second: tuple[Scorer, pd.DataFrame, Catalogue]) -> float:
    """Takes two scorers, each with its signals of the same leads and its catalogue; returns the mean overlap of their reasons."""
    names = list(dict.fromkeys(signal.id for _, _, catalogue in (first, second) for signal in catalogue.signals))
    ranked = [rank_reasons(_contribute(scorer, leads, catalogue, names)) for scorer, leads, catalogue in (first, second)]
    return measure_overlap(*ranked)


def find_best(scores: Floats, share: float) -> Any:
    """Takes n raw scores and the share that sales can work; returns the positions of those leads: nobody is told reasons for others."""
    return np.argsort(-scores, kind="stable")[: max(1, round(share * len(scores)))]


def _contribute(scorer: Scorer, leads: pd.DataFrame, catalogue: Catalogue, names: Sequence[str]) -> Floats:
    """Contributions by signal, in the order of the names; a signal the model does not know contributes nothing."""
    signals, summed = sum_by_signal(scorer.contributions(leads)[1], leads, catalogue)
    placed = np.zeros((len(leads), len(names)))
    placed[:, [list(names).index(signal.id) for signal in signals]] = summed
    return placed


def _refit(scorer: Scorer, training: TrainingRows) -> list[Scorer]:
    """The same scorer from other seeds; every other kind of scorer draws nothing, so another seed would give itself."""
    if not isinstance(scorer, BoostedScorer):
        return []
    again = copy(scorer)
    again.seed = scorer.seed + scorer.seeds  # the seeds of one scorer follow each other
    return [again.fit(training.signals, training.labels, training.weight, scorer.start_)]
