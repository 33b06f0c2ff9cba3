"""What a scorer says of leads when one signal is taken away: the test of what its reasons claim."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.protocols import Floats, Scorer
from pls_ml.evaluation.reason_quality import ReasonQuality, draw_others, measure_ablation, measure_signs, name_reasons
from pls_ml.explanations.reasons import LEAST_LOG_ODDS
from pls_ml.explanations.receipts import build_receipts
from pls_ml.workflows.candidates import Candidate

MOST_LEADS = 500
DRAWS = 64
"""So many leads, with the values of so many others, both spread evenly: each reason costs as many scores as there are others."""
SEED = 0


def check_reasons(candidate: Candidate, reference: pd.DataFrame, leads: pd.DataFrame, catalogue: Catalogue) -> ReasonQuality:
    """Takes a candidate, the signals of its training, those of leads it never saw, and the catalogue; returns how true its reasons are."""
    leads = leads.iloc[_spread(len(leads), MOST_LEADS)]
    receipts = build_receipts(candidate.scorer, candidate.calibrator, leads, [""] * len(leads), catalogue)
    said = receipts.base_probability + receipts.probability.sum(axis=1)
    error = float(np.abs(said - candidate.calibrator.transform(candidate.scorer.raw_score(leads))).max())
    named, others = name_reasons(receipts.log_odds, LEAST_LOG_ODDS), draw_others(receipts.log_odds, SEED)
    rows = np.arange(len(leads))
    asked = named.copy()
    asked[rows[others >= 0], others[others >= 0]] = True
    columns = [[c.name for c in signal.columns if c.name in leads.columns] for signal in receipts.signals]
    drops, noise = take_away(candidate.scorer, reference.iloc[_spread(len(reference), DRAWS)], leads, columns, asked)
    first = receipts.log_odds.argmax(axis=1)
    paired = named[rows, first] & (receipts.log_odds[rows, first] > 0) & (others >= 0)
    ratio = measure_ablation(drops[rows, first][paired], drops[rows, others][paired])
    signs = measure_signs(receipts.log_odds[named], drops[named], noise[named])
    return ReasonQuality(error, len(leads), int(named.sum()), signs, ratio)


def take_away(
    scorer: Scorer, draws: pd.DataFrame, leads: pd.DataFrame, columns: list[list[str]], asked: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Takes a scorer, signals of others, n leads, the columns of k signals and what is asked; returns n × k falls, and their errors.

    A signal is taken away by giving its columns the values of each of the others in turn, and the mean of those scores is what is left: one
    typical value would often stand on the same step as the lead's own, of a card or of a tree. What is not asked is 0.
    """
    whole, drops, noise = scorer.raw_score(leads), np.zeros(asked.shape), np.zeros(asked.shape)
    for place, names in enumerate(columns):
        rows = np.flatnonzero(asked[:, place])
        if not rows.size:
            continue
        mixed = leads.iloc[np.repeat(rows, len(draws))].reset_index(drop=True)
        mixed[names] = draws[names].iloc[np.tile(np.arange(len(draws)), len(rows))].reset_index(drop=True)
        left = scorer.raw_score(mixed).reshape(len(rows), len(draws))
        drops[rows, place] = whole[rows] - left.mean(axis=1)
        noise[rows, place] = left.std(axis=1, ddof=1) / np.sqrt(len(draws)) if len(draws) > 1 else 0.0
    return drops, noise


def _spread(rows: int, most: int) -> npt.NDArray[np.int64]:
    return np.unique(np.linspace(0, rows - 1, min(most, rows)).astype(np.int64))
