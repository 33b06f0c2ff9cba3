"""How well candidates rank on the rows of folds, beside one another: what a choice among them may rest on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.evaluation.bootstrap import draw_accounts
from pls_ml.evaluation.clusters import Clusters, cluster_rows
from pls_ml.evaluation.ranking import RankedRows, average_precision, prepare_ranking, sort_scores

Floats = npt.NDArray[np.float64]

RESAMPLES, SEED, AT_ONCE = 400, 7, 16


@dataclass(frozen=True, eq=False)
class FoldRanking:
    """c candidates' average precision, its mean over the folds: on the rows as they are, and in B resamples of whole accounts (c × B)."""

    value: Floats
    draws: Floats

    def near_best(self, among: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Takes which candidates take part; returns which of them are within one standard error of the best of them.

        The standard error is that of the paired difference.
        """
        best = int(np.where(among, self.value, -np.inf).argmax())
        error = np.nanstd(self.draws[best] - self.draws, axis=1)
        return np.asarray(among & (self.value[best] - self.value <= error), np.bool_)


def rank_in_folds(
    margins: Floats, labels: npt.ArrayLike, folds: npt.NDArray[Any], accounts: npt.ArrayLike, weight: npt.ArrayLike
) -> FoldRanking:
    """Takes c × n scores, n labels, fold numbers, account ids and weights; returns how each of the c candidates ranks.

    A fold has its own fit, so rows are ranked within their fold only; a resample draws accounts, in whatever folds their rows are.
    Refuses fewer than two accounts.
    """
    rows, truth = cluster_rows(accounts, weight), np.asarray(labels, np.float64)
    parts = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    prepared = [[_prepare(margin[part], truth[part], rows, part) for part in parts] for margin in margins]
    blocks = [np.ones((1, rows.count)), *draw_accounts(rows, RESAMPLES, SEED, AT_ONCE)]
    found = np.concatenate([[_average(ranked, block) for ranked in prepared] for block in blocks], axis=1)
    return FoldRanking(found[:, 0], found[:, 1:])


def _prepare(scores: Floats, labels: Floats, rows: Clusters, part: npt.NDArray[np.int64]) -> RankedRows:
    return prepare_ranking(sort_scores(scores), labels, Clusters(rows.codes[part], rows.count, rows.weight[part]))


def _average(folds: list[RankedRows], draws: Floats) -> Floats:
    """The mean over those folds that hold a positive in the draw."""
    columns = np.ascontiguousarray(draws.T)
    found = np.array([average_precision(ranked.draw_groups(columns)) for ranked in folds])
    known = np.isfinite(found)
    total = np.where(known, found, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, known.sum(axis=0), out=np.full(total.shape, np.nan), where=known.any(axis=0)))
