"""The candidates of METHOD, simplest first: each fitted forward in time, calibrated on what it had not seen, then refitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.calibration import fit_calibrator
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.errors import DataError
from pls_ml.core.protocols import Calibrator, Floats, Scorer
from pls_ml.evaluation.splits import forward_folds
from pls_ml.scores import BoostedScorer, LogisticScorer, ScorecardClassifier
from pls_ml.scores.boosted import MIN_POSITIVES, MIN_ROWS, STEP
from pls_ml.scores.card import Scorecard
from pls_ml.workflows.config import ModelConfig

TIME_BLOCKS, ACCOUNT_FOLDS = 4, 3
"""Nine folds: each later quarter of the rows, each third of the accounts."""
Fold = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class TrainingRows:
    """n matured rows: signals (n × m), labels, weights (1 / rows of the lead in the month), accounts and times."""

    signals: pd.DataFrame
    labels: npt.NDArray[np.int8]
    weight: Floats
    accounts: npt.NDArray[Any]
    as_of: npt.NDArray[np.datetime64]

    def take(self, rows: npt.NDArray[Any]) -> TrainingRows:
        """Takes row positions or a mask; returns those rows."""
        return TrainingRows(
            self.signals[rows] if rows.dtype == bool else self.signals.iloc[rows],
            self.labels[rows],
            self.weight[rows],
            self.accounts[rows],
            self.as_of[rows],
        )


@dataclass(frozen=True)
class Candidate:
    """One fitted scorer with its calibrator, and its losses on rows that it had not seen when it scored them."""

    name: str
    scorer: Scorer
    calibrator: Calibrator
    unseen_rows: npt.NDArray[np.int64]
    unseen_losses: Floats


def fit_candidates(
    rows: TrainingRows, card: Scorecard | None, catalogue: Catalogue, model: ModelConfig, threads: int
) -> tuple[dict[str, Candidate], list[str]]:
    """Takes training rows, the card, the catalogue and the settings; returns the candidates, simplest first, and what was left out and why.

    Refuses labels of one class, and rows too few for any fold to hold both outcomes.
    """
    positives = int(rows.labels.sum())
    if positives in (0, len(rows.labels)):
        raise DataError(
            f"all {len(rows.labels):,} matured training rows have the same outcome ({positives:,} won): expected both; "
            "widen the data or the horizon"
        )
    folds = _usable_folds(rows)
    makers: dict[str, Callable[[], Candidate]] = {}
    if card is not None:
        makers["rules"] = lambda: _fit_plain("rules", lambda: ScorecardClassifier(card), rows, folds)
    makers["logistic"] = lambda: _fit_plain("logistic", lambda: LogisticScorer(model.seed), rows, folds)
    notes = []
    if positives >= MIN_POSITIVES and len(rows.labels) >= MIN_ROWS:
        makers["lightgbm"] = lambda: _fit_boosted(rows, folds, catalogue, model, threads)
    else:
        notes.append(
            f"lightgbm was left out: {len(rows.labels):,} matured rows with {positives:,} won, "
            f"expected at least {MIN_ROWS:,} and {MIN_POSITIVES}"
        )
    return {name: make() for name, make in makers.items()}, notes


def choose_candidate(candidates: dict[str, Candidate], rows: TrainingRows) -> str:
    """Takes candidates, simplest first; returns the simplest within one standard error of the least loss on unseen rows.

    The standard error is that of the paired difference, with rows summed by account.
    """
    accounts = pd.factorize(rows.accounts)[0]
    best = min(candidates.values(), key=lambda c: float(np.sum(c.unseen_losses)))
    for name, candidate in candidates.items():
        excess = np.bincount(accounts[candidate.unseen_rows], candidate.unseen_losses - best.unseen_losses)
        if excess.sum() <= np.sqrt(np.sum((excess - excess.mean()) ** 2)):
            return name
    return best.name


def _usable_folds(rows: TrainingRows) -> list[Fold]:
    folds = [
        (fit, check)
        for fit, check in forward_folds(rows.as_of, rows.accounts, TIME_BLOCKS, ACCOUNT_FOLDS)
        if 0 < rows.labels[fit].sum() < len(fit) and 0 < rows.labels[check].sum() < len(check)
    ]
    if not folds:
        raise DataError(
            f"{int(rows.labels.sum()):,} won among {len(rows.labels):,} matured training rows are too few to fit and check "
            "forward in time: expected both outcomes in every part; use more history"
        )
    return folds


def _fit_plain(name: str, make: Callable[[], Any], rows: TrainingRows, folds: list[Fold]) -> Candidate:
    margins = []
    for fit, check in folds:
        margins.append(_fit(make(), rows.take(fit)).raw_score(rows.signals.iloc[check]))
    return _finish(name, _fit(make(), rows), rows, folds, np.concatenate(margins))


def _fit(scorer: Any, rows: TrainingRows) -> Any:
    if isinstance(scorer, LogisticScorer):
        return scorer.fit(rows.signals, rows.labels, rows.weight, _search_folds(rows))
    return scorer.fit(rows.signals, rows.labels, rows.weight)


def _search_folds(rows: TrainingRows) -> list[Fold]:
    """Later rows of other accounts, inside the rows of one fit: a penalty chosen on random rows is too weak for the future."""
    try:
        return _usable_folds(rows)
    except DataError:  # too few rows to go forward in time: the scorer's own random folds must do
        return []


def _fit_boosted(rows: TrainingRows, folds: list[Fold], catalogue: Catalogue, model: ModelConfig, threads: int) -> Candidate:
    directions = {column.name: column.signal.direction for column in catalogue}
    losses, margins = [], []
    for fit, check in folds:
        fitted, held = rows.take(fit), rows.take(check)
        loss, steps = BoostedScorer(directions, seed=model.seed, threads=threads).loss_by_trees(
            (fitted.signals, fitted.labels, fitted.weight), (held.signals, held.labels, held.weight)
        )
        losses.append(loss)
        margins.append(steps)
    best = int(np.sum(losses, axis=0).argmin())
    scorer = BoostedScorer(directions, (best + 1) * STEP, model.seeds, model.seed, threads).fit(rows.signals, rows.labels, rows.weight)
    return _finish("lightgbm", scorer, rows, folds, np.concatenate([steps[best] for steps in margins]))


def _finish(name: str, scorer: Scorer, rows: TrainingRows, folds: list[Fold], margins: Floats) -> Candidate:
    """Calibrates on margins of rows that the fold's scorer had not seen: later in time, other accounts."""
    unseen = np.concatenate([check for _, check in folds])
    labels, weight = rows.labels[unseen], rows.weight[unseen]
    calibrator = fit_calibrator(margins, labels, weight)
    probability = calibrator.transform(margins)
    losses = -weight * np.log(np.where(labels == 1, probability, 1 - probability))
    return Candidate(name, scorer, calibrator, unseen, losses)
