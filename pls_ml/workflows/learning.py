"""What more data would be worth: the scorer in use, fitted again on growing shares of the accounts, judged on the same held-out leads."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from pls_ml.core.errors import DataError
from pls_ml.core.protocols import Scorer
from pls_ml.evaluation.comparison import ComparisonOptions, compare_candidates
from pls_ml.evaluation.curves import LearningCurve
from pls_ml.evaluation.measures import CandidateScores
from pls_ml.scores import BoostedScorer
from pls_ml.workflows.candidates import Candidate, TrainingRows, fit_scorer
from pls_ml.workflows.project import Project

SHARES = (0.1, 0.2, 0.4, 0.7)
"""Of the accounts; all of them is the scorer as it is. Together the fits cost about as much as one and a half on all rows."""
FIGURES = ("average_precision", "precision_at_capacity", "roc_auc")
ALL = "all"


def measure_learning(project: Project, used: Candidate, training: TrainingRows, test: TrainingRows, capacity: float) -> LearningCurve:
    """Takes the scorer in use, the rows it was fitted on, the held-out rows and the capacity; returns the learning curve.

    Each share of the accounts holds the smaller ones. Trees keep their number, so with few rows they are somewhat too many. A share
    whose rows have one outcome only, or are too few to fit on, is left out.
    """
    accounts = np.unique(training.accounts.astype(str))
    drawn = np.random.default_rng(project.config.model.seed).permutation(accounts)
    scores, sizes = {}, {}
    for share in SHARES:
        part = training.take(np.isin(training.accounts.astype(str), drawn[: max(2, round(share * len(drawn)))]))
        with project.progress.step(f"learning curve: fitting on {len(part.labels):,} of {len(training.labels):,} rows"):
            try:
                scores[f"{share:g}"] = CandidateScores(_refit(used.scorer, part).raw_score(test.signals))
            except DataError:
                continue
        sizes[f"{share:g}"] = _count(part)
    scores[ALL], sizes[ALL] = CandidateScores(used.scorer.raw_score(test.signals)), _count(training)
    model = project.config.model
    options = ComparisonOptions(capacity, next(iter(scores)), ALL, model.resamples, model.seed)
    found = compare_candidates(test.labels, scores, test.accounts, options)
    figures = {figure: tuple(found.metrics[name][figure] for name in scores) for figure in FIGURES}
    return LearningCurve(used.name, tuple(sizes[n][0] for n in scores), tuple(sizes[n][1] for n in scores), figures)


def _refit(scorer: Scorer, rows: TrainingRows) -> Any:
    if isinstance(scorer, BoostedScorer):
        return copy(scorer).fit(rows.signals, rows.labels, rows.weight, scorer.start_)
    return fit_scorer(copy(scorer), rows)


def _count(rows: TrainingRows) -> tuple[int, int]:
    return len(set(rows.accounts)), len(rows.labels)
