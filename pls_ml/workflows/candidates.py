"""The candidates of METHOD, simplest first: each fitted forward in time, calibrated on what it had not seen, then refitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.calibration import VennAbersBand, fit_band, fit_calibrator
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.errors import ConfigError, DataError
from pls_ml.core.protocols import Calibrator, Floats, Scorer
from pls_ml.evaluation.splits import forward_folds
from pls_ml.scores import BoostedScorer, FittedCard, LogisticScorer, RepointedCard, ScorecardClassifier
from pls_ml.scores.boosted import MIN_POSITIVES, MIN_ROWS, STEP
from pls_ml.scores.card import Scorecard
from pls_ml.scores.increments import require_additive
from pls_ml.scores.learned_card import Fold, find_simplest
from pls_ml.workflows.config import ModelConfig

TIME_BLOCKS, ACCOUNT_FOLDS = 4, 3
"""Nine folds: each later quarter of the rows, each third of the accounts."""


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
    """One fitted scorer with its calibrator and band, and its losses on rows that it had not seen when it scored them."""

    name: str
    scorer: Scorer
    calibrator: Calibrator
    band: VennAbersBand
    unseen_rows: npt.NDArray[np.int64]
    unseen_losses: Floats


def fit_candidates(
    rows: TrainingRows, card: Scorecard | None, catalogue: Catalogue, model: ModelConfig, threads: int
) -> tuple[dict[str, Candidate], list[str]]:
    """Takes training rows, the card, the catalogue and the settings; returns the candidates, simplest first, and what was left out and why.

    Refuses labels of one class, and rows too few for any fold to hold both outcomes.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    positives = int(rows.labels.sum())
    if positives in (0, len(rows.labels)):
        raise DataError(
            f"all {len(rows.labels):,} matured training rows have the same outcome ({positives:,} won): expected both; "
            "widen the data or the horizon"
        )
    folds = _usable_folds(rows)
    directions = {column.name: column.signal.direction for column in catalogue}
    plain, notes = _plain_scorers(card, directions, model)
    makers: dict[str, Callable[[], Candidate]] = {name: partial(_fit_plain, name, make, rows, folds) for name, make in plain.items()}
    if positives >= MIN_POSITIVES and len(rows.labels) >= MIN_ROWS:
        makers["lightgbm"] = lambda: _fit_boosted(rows, folds, directions, model, threads)
    else:
        notes.append(
            f"lightgbm was left out: {len(rows.labels):,} matured rows with {positives:,} won, "
            f"expected at least {MIN_ROWS:,} and {MIN_POSITIVES}"
        )
    with threadpool_limits(1, user_api="blas"):  # products this small are faster on one thread
        return {name: make() for name, make in makers.items()}, notes


def choose_candidate(candidates: dict[str, Candidate], rows: TrainingRows) -> str:
    """Takes candidates, simplest first; returns the simplest within one standard error of the least loss on unseen rows.

    The standard error is that of the paired difference, with rows summed by account.
    """
    losses = np.array([candidate.unseen_losses for candidate in candidates.values()])
    accounts = rows.accounts[next(iter(candidates.values())).unseen_rows]  # all were checked on the same rows
    return list(candidates)[find_simplest(losses, accounts)]


def search_folds(rows: TrainingRows) -> list[Fold]:
    """Takes the rows of one fit; returns folds that check on later rows of other accounts, for what a scorer chooses by itself.

    Chosen on random rows, a penalty is too weak for the future. There are none where the rows are too few to go forward in time.
    """
    try:
        return _usable_folds(rows)
    except DataError:
        return []


def _plain_scorers(
    card: Scorecard | None, directions: Mapping[str, str], model: ModelConfig
) -> tuple[dict[str, Callable[[], Scorer]], list[str]]:
    makers: dict[str, Callable[[], Scorer]] = {}
    notes = []
    if card is not None:
        makers["rules"] = lambda: ScorecardClassifier(card)
        try:
            require_additive(card)
            makers["repointed"] = lambda: RepointedCard(card)
        except ConfigError as error:
            notes.append(f"repointed was left out: {error}")
    makers["fitted_card"] = lambda: FittedCard(directions)
    makers["logistic"] = lambda: LogisticScorer(model.seed)
    return makers, notes


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
    if isinstance(scorer, RepointedCard | FittedCard):
        return scorer.fit(rows.signals, rows.labels, rows.weight, search_folds(rows), rows.accounts)
    if isinstance(scorer, LogisticScorer):
        return scorer.fit(rows.signals, rows.labels, rows.weight, search_folds(rows))
    return scorer.fit(rows.signals, rows.labels, rows.weight)


def _fit_boosted(rows: TrainingRows, folds: list[Fold], directions: Mapping[str, str], model: ModelConfig, threads: int) -> Candidate:
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
    calibrator = fit_calibrator(margins, labels, weight, groups=rows.accounts[unseen])
    probability = calibrator.transform(margins)
    losses = -weight * np.log(np.where(labels == 1, probability, 1 - probability))
    return Candidate(name, scorer, calibrator, fit_band(margins, labels, weight, rows.accounts[unseen]), unseen, losses)
