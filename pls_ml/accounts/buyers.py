"""Whether somebody who can buy is among an account's people (R-PQA-5); a mere user is never taken for the buyer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pls_ml.accounts.bounds import Bools, require_columns
from pls_ml.accounts.tiers import Tier
from pls_ml.core.spec import Spec


class BuyerRules(Spec):
    """Who can buy, by seniority or by role, and the play of a qualified account in which nobody is known who can."""

    seniorities: tuple[str, ...]
    roles: tuple[str, ...]
    play: str


def find_buyers(people: pd.DataFrame, rules: BuyerRules) -> Bools:
    """Takes n people (`seniority`, `role`; either may be missing); returns who can buy; case and outer blanks do not matter.

    Whoever's seniority and role are not known is no buyer.
    """
    require_columns(people, ("seniority", "role"), "buyers")
    return _is_among(people["seniority"], rules.seniorities) | _is_among(people["role"], rules.roles)


def choose_plays(tiers: pd.Series[int], buyer_known: Bools, rules: Sequence[Tier], buyers: BuyerRules) -> pd.Series[str]:
    """Takes n accounts' tiers and whether a buyer is known; returns each one's play: its tier's, or first to find the buyer."""
    place = tiers.to_numpy() - 1
    plays = np.array([tier.play for tier in rules], dtype=object)[place]
    qualified = np.array([tier.qualified for tier in rules])[place]
    return pd.Series(np.where(qualified & ~buyer_known, buyers.play, plays), index=tiers.index, name="play", dtype="str")


def _is_among(column: pd.Series[str], names: tuple[str, ...]) -> Bools:
    known = [name.strip().lower() for name in names]
    return column.astype("string").str.strip().str.lower().isin(known).fillna(False).to_numpy(np.bool_)
