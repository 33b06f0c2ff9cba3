"""What every candidate says about the tested rows of a fold, and the folds put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.protocols import Floats
from pls_ml.evaluation.measures import CandidateScores
from pls_ml.workflows.candidates import Candidate, TrainingRows

CHOSEN = "chosen"
"""The candidate that was chosen on the training rows of the fold: the choice is part of what is tested."""


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """n tested rows: where they lie among all rows, labels, accounts, what each candidate says, their fold and weight (None: 1 each)."""

    positions: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int8]
    accounts: npt.NDArray[Any]
    scores: dict[str, CandidateScores]
    periods: npt.NDArray[np.str_]
    weight: Floats | None = None

    def select(self, rows: npt.NDArray[Any]) -> ScoredRows:
        """Takes positions or a mask; returns those rows."""
        scores = {
            name: CandidateScores(np.asarray(one.raw)[rows], None if one.probability is None else np.asarray(one.probability)[rows])
            for name, one in self.scores.items()
        }
        weight = None if self.weight is None else self.weight[rows]
        return ScoredRows(self.positions[rows], self.labels[rows], self.accounts[rows], scores, self.periods[rows], weight)


def score_rows(
    candidates: dict[str, Candidate],
    chosen: str,
    rows: TrainingRows,
    where: tuple[npt.NDArray[np.int64], npt.NDArray[np.str_]],
    rate: float,
) -> ScoredRows:
    """Takes fitted candidates, the chosen one, rows, their positions and folds, and the base rate of training; returns what each says.

    The floors are there too: activity (where it is a signal), the base rate, and an order at random.
    """
    scores = {}
    for name, candidate in candidates.items():
        margin = candidate.scorer.raw_score(rows.signals) if len(rows.labels) else np.zeros(0)  # LightGBM refuses an empty table
        scores[name] = CandidateScores(margin, candidate.calibrator.transform(margin))
    scores[CHOSEN] = scores[chosen]
    if "events_30d" in rows.signals:
        scores["activity"] = CandidateScores(rows.signals["events_30d"].to_numpy(np.float64))
    scores["base rate"] = CandidateScores(np.zeros(len(rows.labels)), np.full(len(rows.labels), rate))
    scores["random"] = CandidateScores(np.random.default_rng(len(rows.labels)).random(len(rows.labels)))
    return ScoredRows(where[0], rows.labels, rows.accounts, scores, where[1])


def pool_rows(parts: Sequence[ScoredRows]) -> ScoredRows:
    """Takes the rows of several folds; returns them as one, with the candidates that all of them have.

    Margins of different fits are not comparable: a row is ranked within its own fold, and the share of the fold below it is its score, so
    that a capacity is filled in every fold alike. Probabilities stay as they are.
    """
    names = [name for name in parts[0].scores if all(name in part.scores for part in parts)]
    return ScoredRows(
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.accounts for part in parts]),
        {name: _pool_scores([part.scores[name] for part in parts]) for name in names},
        np.concatenate([part.periods for part in parts]),
    )


def _pool_scores(parts: list[CandidateScores]) -> CandidateScores:
    ranks = np.concatenate([_rank(np.asarray(part.raw, np.float64)) for part in parts])
    if any(part.probability is None for part in parts):
        return CandidateScores(ranks)
    return CandidateScores(ranks, np.concatenate([np.asarray(part.probability, np.float64) for part in parts]))


def _rank(raw: Floats) -> Floats:
    """The share of rows below, ties in the middle of theirs."""
    from scipy.stats import rankdata

    return np.asarray((rankdata(raw) - 0.5) / max(1, raw.size), np.float64)
