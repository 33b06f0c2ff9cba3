"""What reasons a scorer gives for its best leads, whether they are true of its score, and whether other fits would give the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.protocols import Floats, Scorer
from pls_ml.evaluation.reason_quality import ReasonQuality
from pls_ml.evaluation.stability import measure_overlap, measure_same_first, profile_reasons, rank_reasons
from pls_ml.explanations.reasons import LEAST_LOG_ODDS
from pls_ml.explanations.receipts import build_receipts, sum_by_signal
from pls_ml.scores import BoostedScorer
from pls_ml.workflows.ablation import check_reasons
from pls_ml.workflows.candidates import Candidate, TrainingRows, fit_scorer

OLDER = 0.75
"""The share of the training rows, the oldest, that a scorer is fitted on again."""


@dataclass(frozen=True)
class ReasonProfile:
    """How often another fit gives the same first reason, of which share of the leads each signal is a reason, and how true reasons are.

    First reasons are those that are told. Other fits are those from other seeds, and the one without the newest quarter of the rows (None:
    that cannot be fitted, or nobody is told a reason).
    """

    same_first: float
    same_first_retrained: float | None
    quality: ReasonQuality
    profile: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        stable = {"same_first": self.same_first, "same_first_retrained": self.same_first_retrained}
        return stable | self.quality.to_dict() | {"profile": self.profile}


def profile_candidate(candidate: Candidate, training: TrainingRows, leads: pd.DataFrame, catalogue: Catalogue) -> ReasonProfile:
    """Takes the candidate in use, the rows it was fitted on, the signals of leads it never saw, and the catalogue; returns its reasons."""
    scorer, names = candidate.scorer, [signal.id for signal in catalogue.signals]
    chosen = rank_reasons(_contribute(scorer, leads, catalogue, names))
    receipts = build_receipts(scorer, candidate.calibrator, leads, [""] * len(leads), catalogue)
    told = np.flatnonzero((receipts.log_odds > LEAST_LOG_ODDS).any(axis=1))  # nobody is told a first reason of the others

    def compare(fits: list[Scorer]) -> float | None:
        others = [rank_reasons(_contribute(again, leads.iloc[told], catalogue, names)) for again in fits]
        return measure_same_first(chosen[told], others) if fits and told.size else None

    same, retrained = compare(_refit(scorer, training)), compare(_retrain(scorer, training))
    quality = check_reasons(candidate, training.signals, leads, catalogue)
    return ReasonProfile(1.0 if same is None else same, retrained, quality, profile_reasons(chosen, names))


def say_reasons(found: Mapping[str, Any]) -> str:
    """Takes a profile of reasons as plain values; returns in one sentence how far the reasons of the best leads can be believed."""
    if not found["named"]:
        return f"reasons of the {found['leads']:,} best held-out leads: none is strong enough to be named"
    signs, ratio, again = (found[name] for name in ("sign_agreement", "ablation_ratio", "same_first_retrained"))
    parts = [
        f"receipts add up to {found['additivity']:.0e}",
        *([f"{signs:.1%} of {found['named']:,} reasons point the way the score moves without them"] if signs is not None else []),
        *([f"it falls {ratio:.1f} times as much without the first reason as it moves without another signal"] if ratio is not None else []),
        f"the first reason is the same for {found['same_first']:.0%} from another seed"
        + (f", {again:.0%} without the newest quarter of the rows" if again is not None else ""),
    ]
    return f"reasons of the {found['leads']:,} best held-out leads: {'; '.join(parts)}"


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


def _retrain(scorer: Scorer, training: TrainingRows) -> list[Scorer]:
    """The same scorer as it would have been some time ago; none where the older rows have one outcome only."""
    older = training.take(training.as_of <= np.sort(training.as_of)[round(OLDER * (len(training.as_of) - 1))])
    if not 0 < older.labels.sum() < len(older.labels):
        return []
    again = copy(scorer)
    if isinstance(again, BoostedScorer):
        return [again.fit(older.signals, older.labels, older.weight, again.start_)]
    return [fit_scorer(again, older)]
