"""What the lead workbench shows of a night: the leads, their accounts, and all that is known of each, with what must hold of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.errors import DataError

EXACT = 1e-9
"""How far a receipt may be from its score."""


@dataclass(frozen=True)
class PageSignal:
    """A signal as the page names it."""

    id: str
    label: str
    family: str


@dataclass(frozen=True)
class PageScorer:
    """A scorer whose receipts the page shows: all of them start from `base`. `start` names the card that trees correct, if any."""

    name: str
    base: float
    start: str = ""


@dataclass(frozen=True)
class PageNight:
    """An earlier night of which the page knows the scores, and the model that made them."""

    as_of: str
    version: str


@dataclass(frozen=True)
class LeadPage:
    """All the page shows: `facts` are (label, sentence), `bands` run from the highest down (none: one of "").

    `leads`: lead_id, rank, score, low, high, points, band, segment, account_id, owner, blocked (why nobody is sent to it, whatever its
    score), position (among tonight's handoffs), cell, before and band_before (of the night before), reason, and `score_<scorer>`.
    `accounts`: account_id, name, tier, and further columns that are shown as they are called. `tables`: by name, rows with `lead_id`; of
    `lines`, columns `share_<scorer>` that with the scorer's base sum to `score_<scorer>`, and `learned`, the part of the first scorer's
    that trees add to its start. `scorers` begin with the one that made `score`; `nights` with the earliest.
    """

    title: str
    as_of: str
    version: str
    facts: tuple[tuple[str, str], ...]
    bands: tuple[str, ...]
    signals: tuple[PageSignal, ...]
    scorers: tuple[PageScorer, ...]
    leads: pd.DataFrame
    accounts: pd.DataFrame
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    nights: tuple[PageNight, ...] = ()
    today: int = 0
    """The day of `as_of` where the project is, and in `timeline` that of an action, in days since 1970-01-01."""
    since: str = ""
    """The moment that `changes`, `before` and `band_before` compare with; "" where there is none."""


def check_leads(page: LeadPage, leads: pd.DataFrame) -> None:
    """Takes a page's content and its leads in order; refuses a score that is no probability, and what is given twice."""
    for what, given in (("lead_id", leads["lead_id"]), ("handoff position", leads["position"].dropna())):
        twice = given[given.duplicated(keep=False)]
        if len(twice):
            raise DataError(f"{what} '{twice.iloc[0]:.50}' is given to {int((given == twice.iloc[0]).sum())} leads: each may have it once")
    for column in dict.fromkeys(["score", *(f"score_{scorer.name}" for scorer in page.scorers)]):
        wrong = leads[~leads[column].between(0, 1)]
        if len(wrong):
            raise DataError(f"lead '{wrong['lead_id'].iloc[0]}' has the score {wrong[column].iloc[0]}: expected a probability")
    if page.scorers and len(leads):
        apart = (leads["score"] - leads[f"score_{page.scorers[0].name}"]).abs()
        if apart.max() > EXACT:
            row = int(np.argmax(apart))
            explained, scored = leads[f"score_{page.scorers[0].name}"][row], leads["score"][row]
            raise DataError(f"the first receipt of lead '{leads['lead_id'][row]}' explains {explained!r}, the lead's score is {scored!r}")


def check_receipts(scorer: PageScorer, shares: npt.NDArray[np.float64], lead: npt.NDArray[np.int64], leads: pd.DataFrame) -> None:
    """Takes a scorer, shares and the place of each one's lead, and the leads with their scores; refuses a receipt that misses its score."""
    score = leads[f"score_{scorer.name}"].to_numpy(np.float64)
    totals = scorer.base + np.bincount(lead, weights=shares, minlength=len(leads))
    wrong = ~(np.abs(totals - score) <= EXACT)  # so that a NaN is refused too
    if wrong.any():
        row = int(np.argmax(wrong))
        what = f"the receipt '{scorer.name}' of lead '{leads['lead_id'][row]}'"
        raise DataError(f"{what} sums to {totals[row]!r}, its score is {score[row]!r}: they must agree to {EXACT:g}")
