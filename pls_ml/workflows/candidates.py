"""The candidates of METHOD, simplest first: each fitted forward in time, calibrated on what it had not seen, then refitted."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.calibration import CalibrationWarning, VennAbersBand, fit_band, fit_calibrator
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.errors import ConfigError, DataError
from pls_ml.core.protocols import Calibrator, Floats, Scorer
from pls_ml.evaluation.fold_ranking import rank_in_folds
from pls_ml.evaluation.splits import forward_folds
from pls_ml.labels.amounts import WonAmounts
from pls_ml.scores import BoostedScorer, FittedCard, LogisticScorer, RepointedCard, ScorecardClassifier
from pls_ml.scores.boosted import MIN_POSITIVES, MIN_ROWS, can_grow
from pls_ml.scores.card import Scorecard
from pls_ml.scores.growth import TreeFold, find_place, tree_counts
from pls_ml.scores.increments import require_additive
from pls_ml.scores.learned_card import Fold, find_near_best
from pls_ml.workflows.config import ModelConfig

TIME_BLOCKS, ACCOUNT_FOLDS = 4, 3
"""Nine folds: each later quarter of the rows, each third of the accounts."""
LEAST_WON_TO_RANK = 30
"""Fewer wins on the folds say nothing about the order of the best leads."""


@dataclass(frozen=True)
class TrainingRows:
    """n matured rows: signals (n × m), labels, weights (1 / rows of the lead in the month), accounts, times, and amounts where known."""

    signals: pd.DataFrame
    labels: npt.NDArray[np.int8]
    weight: Floats
    accounts: npt.NDArray[Any]
    as_of: npt.NDArray[np.datetime64]
    won: WonAmounts | None = None

    @property
    def values(self) -> Floats | None:
        """What each row is worth when it is worked; None where no amount is known."""
        return self.won.share_out() if self.won else None

    def take(self, rows: npt.NDArray[Any]) -> TrainingRows:
        """Takes row positions or a mask; returns those rows."""
        return TrainingRows(
            self.signals[rows] if rows.dtype == bool else self.signals.iloc[rows],
            self.labels[rows],
            self.weight[rows],
            self.accounts[rows],
            self.as_of[rows],
            self.won.take(rows) if self.won else None,
        )


@dataclass(frozen=True)
class Candidate:
    """One fitted scorer with its calibrator and band, and what it said of rows that it had not seen: their fold, margin and loss."""

    name: str
    scorer: Scorer
    calibrator: Calibrator
    band: VennAbersBand
    unseen_rows: npt.NDArray[np.int64]
    unseen_folds: npt.NDArray[np.int64]
    unseen_margins: Floats
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
    folds = usable_folds(rows)
    directions = {column.name: column.signal.direction for column in catalogue}
    makers, notes = _plain_candidates(rows, folds, card, directions, model)
    if can_grow(rows.labels, rows.weight):
        makers |= _tree_candidates(rows, folds, card, partial(make_trees, directions, model, threads))
    else:
        notes.append(f"lightgbm was left out: {describe_few(rows)}")
    with threadpool_limits(1, user_api="blas"):  # products this small are faster on one thread
        candidates = {name: _make_noting(name, make, notes) for name, make in makers.items()}
    return candidates, [*notes, *_describe_corrections(candidates)]


def choose_candidate(candidates: dict[str, Candidate], rows: TrainingRows) -> str:
    """Takes candidates, simplest first; returns the one to use, by what they said of rows that they had not seen.

    It is the simplest within one standard error of the least log loss that is also within one of the best average precision that those
    reach: a score so coarse that its best leads tie may lose no more than others, and still leave whom to call first to chance. Standard
    errors are those of paired differences, with rows by account.
    """
    found, first = list(candidates), next(iter(candidates.values()))  # all were checked on the same rows
    accounts = rows.accounts[first.unseen_rows]
    labels, weight = rows.labels[first.unseen_rows], rows.weight[first.unseen_rows]
    near = find_near_best(np.array([candidate.unseen_losses for candidate in candidates.values()]), accounts)
    if near.sum() > 1 and labels.sum() >= LEAST_WON_TO_RANK and len(set(accounts)) > 1:
        margins = np.array([candidate.unseen_margins for candidate in candidates.values()])
        near = rank_in_folds(margins, labels, first.unseen_folds, accounts, weight).near_best(near)
    return found[int(near.argmax())]


def search_folds(rows: TrainingRows) -> list[Fold]:
    """Takes the rows of one fit; returns folds that check on later rows of other accounts, for what a scorer chooses by itself.

    Chosen on random rows, a penalty is too weak for the future. There are none where the rows are too few to go forward in time.
    """
    try:
        return usable_folds(rows)
    except DataError:
        return []


def make_trees(directions: Mapping[str, str], model: ModelConfig, threads: int, n_trees: int = 0) -> BoostedScorer:
    """Takes the declared directions, the settings, threads and a number of trees per seed; returns trees that are not fitted."""
    return BoostedScorer(directions, n_trees, model.seeds, model.seed, threads, model.trees)


def describe_few(rows: TrainingRows) -> str:
    """Takes rows that are too few for trees; returns how many there are and how many were expected."""
    found = f"{len(rows.labels):,} matured rows with {int(rows.labels.sum()):,} won"
    whole, won = float(rows.weight.sum()), float(rows.weight[rows.labels == 1].sum())
    if round(whole) < len(rows.labels):
        found += f" count as {whole:,.0f} and {won:,.0f}, since a lead's rows of a month count as one"
    return f"{found}, expected at least {MIN_ROWS:,} and {MIN_POSITIVES}"


def _plain_candidates(
    rows: TrainingRows, folds: list[Fold], card: Scorecard | None, directions: Mapping[str, str], model: ModelConfig
) -> tuple[dict[str, Callable[[], Candidate]], list[str]]:
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
    return {name: partial(_fit_plain, name, make, rows, folds) for name, make in makers.items()}, notes


def _tree_candidates(
    rows: TrainingRows, folds: list[Fold], card: Scorecard | None, make: Callable[[int], BoostedScorer]
) -> dict[str, Callable[[], Candidate]]:
    """Trees from nothing, then trees from the card: a card and trees are more to understand than trees alone.

    Both grow on the same bins; the card they start from is fitted on the rows of its fold.
    """
    binned = [(check, bin_fold(rows, (fit, check), card)) for fit, check in folds]
    makers: dict[str, Callable[[], Candidate]] = {"lightgbm": partial(_fit_boosted, "lightgbm", rows, binned, make, None)}
    if card is not None:
        makers["lightgbm_from_rules"] = partial(_fit_boosted, "lightgbm_from_rules", rows, binned, make, ScorecardClassifier(card))
    return makers


def bin_fold(rows: TrainingRows, fold: Fold, card: Scorecard | None = None) -> TreeFold:
    """Takes rows, a fold of them and a card to start from; returns the fold for trees, the card fitted on its rows to fit on."""
    fit, check = (rows.take(part) for part in fold)
    start = None if card is None else fit_scorer(ScorecardClassifier(card), fit)
    return TreeFold((fit.signals, fit.labels, fit.weight), (check.signals, check.labels, check.weight), start)


def _make_noting(name: str, make: Callable[[], Candidate], notes: list[str]) -> Candidate:
    """What a calibrator could not fit becomes a note that says whose it is; other warnings are passed on."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CalibrationWarning)
        made = make()
    for one in caught:
        if issubclass(one.category, CalibrationWarning):
            notes.append(f"the probabilities of {name}: {one.message}")
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    return made


def _describe_corrections(candidates: dict[str, Candidate]) -> list[str]:
    started = {name: c.scorer for name, c in candidates.items() if isinstance(c.scorer, BoostedScorer) and c.scorer.start_ is not None}
    return [f"{name} = card points + learned correction ({scorer.n_trees} trees)" for name, scorer in started.items()]


def usable_folds(rows: TrainingRows) -> list[Fold]:
    """Takes rows; returns folds that check on later rows of other accounts, with both outcomes in every part; refuses rows without any."""
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
        margins.append(fit_scorer(make(), rows.take(fit)).raw_score(rows.signals.iloc[check]))
    return _finish(name, fit_scorer(make(), rows), rows, [check for _, check in folds], margins)


def fit_scorer(scorer: Any, rows: TrainingRows) -> Any:
    """Takes an unfitted scorer without trees and rows; returns it, fitted, with folds forward in time where it chooses something itself."""
    if isinstance(scorer, RepointedCard | FittedCard):
        return scorer.fit(rows.signals, rows.labels, rows.weight, search_folds(rows), rows.accounts)
    if isinstance(scorer, LogisticScorer):
        return scorer.fit(rows.signals, rows.labels, rows.weight, search_folds(rows))
    return scorer.fit(rows.signals, rows.labels, rows.weight)


def _fit_boosted(
    name: str,
    rows: TrainingRows,
    folds: list[tuple[npt.NDArray[np.int64], TreeFold]],
    make: Callable[[int], BoostedScorer],
    start: Scorer | None,
) -> Candidate:
    """As many trees as lose least on the folds together, then that many on all rows."""
    counts = tree_counts(start)
    growths = [make(0).grow_on(fold, started=start is not None) for _, fold in folds]
    best, _ = find_place(growths, len(counts))
    margins = [growth.margins(best, rows.signals.iloc[check]) for growth, (check, _) in zip(growths, folds, strict=True)]
    scorer = make(counts[best]).fit(rows.signals, rows.labels, rows.weight, start)
    return _finish(name, scorer, rows, [check for check, _ in folds], margins)


def _finish(name: str, scorer: Scorer, rows: TrainingRows, checks: list[npt.NDArray[np.int64]], by_fold: list[Floats]) -> Candidate:
    """Calibrates on margins of rows that the fold's scorer had not seen: later in time, other accounts."""
    unseen, margins = np.concatenate(checks), np.concatenate(by_fold)
    folds = np.repeat(np.arange(len(checks)), [len(check) for check in checks])
    labels, weight = rows.labels[unseen], rows.weight[unseen]
    calibrator = fit_calibrator(margins, labels, weight, groups=rows.accounts[unseen])
    probability = calibrator.transform(margins)
    losses = -weight * np.log(np.where(labels == 1, probability, 1 - probability))
    band = fit_band(margins, labels, weight, rows.accounts[unseen])
    return Candidate(name, scorer, calibrator, band, unseen, folds, margins, losses)
