"""Rows that know the outcome by where they stand: copies on both sides of the split, ids or rows in the order of the outcome."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.evaluation.leaks import MIN_WINNERS, AuditRows, Finding, Floats, find_area, won_by

MIN_TWINS = 10
SAME_OUTCOME = 0.9
COPIED = 0.01
IN_ORDER = 0.70
BLOCKS = 20
_NUMBERED = re.compile(r"\D*(\d{1,18})")


def find_copies(rows: AuditRows, name: str) -> list[Finding]:
    """Takes rows and the finding's name; returns a finding when held-out leads are copies of leads of other accounts in training.

    A pair is one training and one held-out lead, and no third one, whose earliest rows agree in every signal. Chance makes such pairs,
    too; theirs are alike in what is known, copies are alike in the outcome. Suspected: at least 10 pairs with a winner in training and
    1 % of the held-out leads, where the share won of those is 0.9 higher beside a winner than beside a loser.
    """
    pairs, held = _pair(rows)
    winners = int((pairs["trained"] == 1).sum())
    if winners < MIN_TWINS or len(pairs) < COPIED * held:
        return []
    won = pairs.groupby("trained")["held"].mean()
    same = float(won[1.0] - won.get(0.0, 0.0))
    if same <= SAME_OUTCOME:
        return []
    told = f"{len(pairs):,} of {held:,} held-out leads agree in every signal with a training lead of another account"
    sentence = f"{told}, and their outcomes agree by {same:.2f} (limit {SAME_OUTCOME})"
    return [Finding("duplicates", name, same, SAME_OUTCOME, sentence, "remove the copies from the tables")]


def find_order(rows: AuditRows, ranks: Floats, name: str, what: str) -> list[Finding]:
    """Takes rows, the place of each row's lead in an order, the finding's name and the order in words; returns a finding if it knows.

    Whoever an outcome is of counts once, at its first place, among those that became leads at about the same time: new ids for new leads
    are honest, and so is an outcome that drifts. Suspected: an AUC above 0.70 either way, with at least 20 winners.
    """
    units, won = won_by(rows.units, rows.labels)
    first = pd.DataFrame({"unit": units, "place": ranks, "at": rows.as_of}).groupby("unit").min()
    block = (first["at"].rank(method="min").to_numpy() - 1) * BLOCKS // len(first)
    areas, pairs = [], []
    for one in np.unique(block):
        labels, places = won[block == one], first["place"].to_numpy()[block == one]
        if 0 < labels.sum() < len(labels):
            areas.append(find_area(places, labels))
            pairs.append(labels.sum() * (len(labels) - labels.sum()))
    if won.sum() < MIN_WINNERS or not areas:
        return []
    area = float(np.average(areas, weights=pairs))
    if max(area, 1 - area) <= IN_ORDER:
        return []
    sentence = f"{what} knows the outcome: among leads of the same time its AUC is {max(area, 1 - area):.3f} (limit {IN_ORDER:.2f})"
    return [
        Finding("order", name, max(area, 1 - area), IN_ORDER, sentence, "find out what made this order, and export the table without it")
    ]


def rank_ids(ids: npt.NDArray[Any]) -> Floats:
    """Takes ids; returns their places in order: of their number where all are a number after one text, else of their letters."""
    names, codes = np.unique(np.asarray(ids).astype(str), return_inverse=True)
    numbers = [_NUMBERED.fullmatch(name) for name in names]
    if all(numbers):
        return np.array([float(found.group(1)) for found in numbers if found])[codes]
    return codes.astype(np.float64)


def _pair(rows: AuditRows) -> tuple[pd.DataFrame, int]:
    """One row per pair: whether its training lead and its held-out lead ever win; and the number of held-out leads."""
    leads, won = won_by(rows.leads, rows.labels)
    first = rows.first_rows()
    accounts = rows.accounts[first]
    in_training = np.isin(rows.accounts, np.unique(rows.accounts[rows.train]))
    if (in_training & rows.test).any():  # accounts are on both sides: only time parts the leads
        trained = np.zeros(won.size, bool)
        trained[leads[rows.train]] = True
    else:
        trained = in_training[first]
    key = pd.util.hash_pandas_object(rows.signals.iloc[first], index=False).to_numpy()
    frame = pd.DataFrame({"key": key, "account": accounts, "trained": trained, "held": ~trained, "won": won})
    same = frame.groupby("key").agg({"won": "size", "account": "nunique", "trained": "sum", "held": "sum"})
    chosen = frame[frame["key"].isin(same.index[(same == [2, 2, 1, 1]).all(axis=1)])]
    sides = [chosen[chosen[side]].set_index("key")["won"] for side in ("trained", "held")]
    return pd.DataFrame({"trained": sides[0], "held": sides[1]}), int((~trained).sum())
