"""Signals → raw scores and the share of every signal in them."""

from typing import Any

from pls_ml.core.errors import BundleError, suggest
from pls_ml.core.protocols import Scorer
from pls_ml.scores.boosted import BoostedScorer
from pls_ml.scores.fitted_card import FittedCard
from pls_ml.scores.logistic import LogisticScorer
from pls_ml.scores.repointing import RepointedCard
from pls_ml.scores.scorecard import ScorecardClassifier

SCORERS: tuple[type[Any], ...] = (ScorecardClassifier, LogisticScorer, BoostedScorer, RepointedCard, FittedCard)
"""Every scorer; the contract tests run on each."""


def scorer_from_dict(data: dict[str, Any]) -> Scorer:
    """Takes what a scorer's `to_dict` gave; returns a scorer that gives the same scores; refuses an unknown kind."""
    kinds = {scorer.kind: scorer for scorer in SCORERS}
    if data.get("kind") not in kinds:
        raise BundleError(
            f"unknown scorer kind '{data.get('kind')}'{suggest(str(data.get('kind')), list(kinds))}: expected one of {', '.join(kinds)}"
        )
    scorer: Scorer = kinds[data["kind"]].from_dict(data)
    return scorer


__all__ = ["SCORERS", "BoostedScorer", "FittedCard", "LogisticScorer", "RepointedCard", "ScorecardClassifier", "scorer_from_dict"]
