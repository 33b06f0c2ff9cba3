"""The few lines of a receipt that are worth saying."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.explanations.policy import Audience, find_visible
from pls_ml.explanations.receipts import Receipts
from pls_ml.explanations.sentences import choose_kind

MOST_FOR, MOST_AGAINST = 3, 1
LEAST_LOG_ODDS = 0.1
"""A share below this is no reason worth naming."""
NO_REASON = "no single strong reason"
"""What is said of a lead where no line is worth naming."""


def pick_reasons(receipts: Receipts, audience: Audience = "rep") -> pd.DataFrame:
    """Takes n leads' receipts and who looks; returns one row per reason, by lead in the receipts' order, in words (`sentence`).

    Per lead at most three for and one against, the strongest first, for before against (`place` counts from 1). What the audience may
    not see, what is not known, what hardly counts, and what other seeds of the scorer would not say is left out.
    """
    rows, signals = _choose(receipts, _find_worthy(receipts, find_visible(receipts.signals, audience)))
    log_odds = receipts.log_odds[rows, signals]
    percentiles, sentences = np.full(len(rows), np.nan), np.full(len(rows), "", dtype=object)
    for k in np.unique(signals):
        mine = np.flatnonzero(signals == k)
        percentiles[mine] = receipts.telling.place(int(k), rows[mine])
        sentences[mine] = np.array(receipts.telling.tell(int(k), rows[mine]), dtype=object)
    return pd.DataFrame(
        {
            "lead_id": np.array(receipts.lead_ids, dtype=object)[rows],
            "place": _count_within(rows),
            "against": log_odds < 0,
            "signal": np.array([signal.id for signal in receipts.signals], dtype=object)[signals],
            "log_odds": log_odds,
            "probability": receipts.probability[rows, signals],
            "percentile": percentiles,
            "sentence": sentences,
        }
    ).astype({"lead_id": "str", "signal": "str", "sentence": "str"})


def _find_worthy(receipts: Receipts, visible: set[str]) -> npt.NDArray[np.bool_]:
    """Which of n × k contributions could be a reason."""
    worthy = (np.abs(receipts.log_odds) > LEAST_LOG_ODDS) & receipts.steady
    for k, signal in enumerate(receipts.signals):
        if signal.id not in visible:
            worthy[:, k] = False
        rows = np.flatnonzero(worthy[:, k])
        for column, mine, values in receipts.telling.by_window(k, rows):
            unknown = np.flatnonzero(values.isna().to_numpy())
            speaks_for = receipts.log_odds[rows[mine[unknown]], k] >= 0
            sayable = [choose_kind(column, None, side) is not None for side in (False, True)]
            worthy[rows[mine[unknown]], k] = np.where(speaks_for, sayable[1], sayable[0])
    return worthy


def _choose(receipts: Receipts, worthy: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The rows and signals of the reasons, in a total order."""
    rows, signals = np.nonzero(worthy)
    log_odds = receipts.log_odds[rows, signals]
    names = np.argsort(np.argsort([signal.id for signal in receipts.signals]))
    order = np.lexsort((names[signals], -np.abs(log_odds), log_odds < 0, rows))
    rows, signals, against = rows[order], signals[order], log_odds[order] < 0
    kept = _count_within(rows * 2 + against) <= np.where(against, MOST_AGAINST, MOST_FOR)
    return rows[kept], signals[kept]


def _count_within(groups: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    """Takes sorted group numbers; returns 1, 2, … within each."""
    begins = np.flatnonzero(np.diff(groups, prepend=-1))
    lengths = np.diff(np.append(begins, len(groups)))
    return np.asarray(np.arange(len(groups)) - np.repeat(begins, lengths) + 1, np.int64)
