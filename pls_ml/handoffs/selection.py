"""Which of the scored leads go to sales tonight, and why the others do not (R-CAP)."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pls_ml.core.errors import DataError, TableError
from pls_ml.handoffs.capacity import Capacity

SAME_ACCOUNT = "another lead of the account"
OVER_CAPACITY = "over capacity"
NO_REASON = "no reason given"
_REQUIRED = ("lead_id", "account_key", "score", "raw_score", "blocked")


@dataclass(frozen=True)
class Handoffs:
    """`chosen`: lead_id, account_key, score and position 1 … k, best first. `removed`: reason → leads, in the order of the filters."""

    chosen: pd.DataFrame
    removed: dict[str, int]


def select_handoffs(leads: pd.DataFrame, capacity: Capacity) -> Handoffs:
    """Takes scored leads and how many sales can take; returns the chosen ones and how many each filter removed.

    Columns: `lead_id`, `account_key` (a lead without an account brings a key of its own), `score` (calibrated), `raw_score` (decides),
    `blocked` (why a lead must not be handed over; missing: it may be). Filters in order: blocked, one lead per account, capacity.
    The order is total, raw_score descending, then lead_id, so that the order of rows never matters.
    Refuses absent columns, ids given twice, and an open lead without a key or a raw score.
    """
    _check(leads)
    open_leads = leads[leads["blocked"].isna()]
    best_first = open_leads.sort_values(["raw_score", "lead_id"], ascending=[False, True], ignore_index=True)
    one_each = best_first.drop_duplicates("account_key", ignore_index=True)
    chosen = one_each.head(capacity.per_night)[["lead_id", "account_key", "score"]]
    removed = _count_reasons(leads)
    for reason, count in ((SAME_ACCOUNT, len(best_first) - len(one_each)), (OVER_CAPACITY, len(one_each) - len(chosen))):
        if count:
            removed[reason] = removed.get(reason, 0) + count
    return Handoffs(chosen.assign(position=range(1, len(chosen) + 1)), removed)


def _count_reasons(leads: pd.DataFrame) -> dict[str, int]:
    reasons = leads["blocked"].dropna().astype("str").str.strip().replace("", NO_REASON)
    return {str(reason): int(count) for reason, count in reasons.value_counts().sort_index().items()}


def _check(leads: pd.DataFrame) -> None:
    absent = [column for column in _REQUIRED if column not in leads.columns]
    if absent:
        raise TableError(f"handoffs need the column {', '.join(absent)}: got {', '.join(map(str, leads.columns)) or 'no columns'}")
    is_open = leads["blocked"].isna()
    for column in ("account_key", "raw_score"):
        missing = int((leads[column].isna() & is_open).sum())
        if missing:
            raise DataError(f"{column} is missing in {missing} of {len(leads)} leads: give one, or say in 'blocked' why there is none")
    if leads["lead_id"].isna().any():
        raise DataError(f"lead_id is missing in {int(leads['lead_id'].isna().sum())} of {len(leads)} leads: every lead needs one")
    twice = leads["lead_id"][leads["lead_id"].duplicated()]
    if len(twice):
        raise DataError(f"lead_id '{twice.iloc[0]}' is given more than once ({len(twice)} rows too many): one row per lead")
