"""Tiers of accounts (R-PQA-2): evaluated from the top on lower bounds, so that they are ordered and nobody is in two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pls_ml.accounts.bounds import Bounds

SCORE = "score"
"""The column of an account's points, which bounds may ask for beside signals."""


class Tier(Bounds):
    """A tier: what it asks for, what is done in it, and whether its accounts qualify for sales."""

    id: str
    label: str
    play: str
    qualified: bool = False


def assign_tiers(accounts: pd.DataFrame, tiers: Sequence[Tier]) -> pd.Series[int]:
    """Takes n accounts (signals and `score` as columns) and tiers, the best first, the last without bounds; returns each one's number.

    The number is that of the first tier whose bounds are met, from 1 on; a value that is not known meets none.
    """
    reached = np.column_stack([tier.met(accounts) for tier in tiers])
    return pd.Series(reached.argmax(axis=1) + 1, index=accounts.index, name="tier", dtype=np.int64)


def count_tiers(numbers: pd.Series[int], tiers: Sequence[Tier]) -> pd.DataFrame:
    """Takes n accounts' tiers; returns a row per tier: its play, and how many accounts, and which share, to expect in it on a night."""
    counts = numbers.value_counts().reindex(range(1, len(tiers) + 1), fill_value=0).to_numpy(np.int64)
    return pd.DataFrame(
        {
            "tier": range(1, len(tiers) + 1),
            "id": [tier.id for tier in tiers],
            "label": [tier.label for tier in tiers],
            "play": [tier.play for tier in tiers],
            "qualified": [tier.qualified for tier in tiers],
            "accounts": counts,
            "share": counts / max(1, int(counts.sum())),
        }
    )
