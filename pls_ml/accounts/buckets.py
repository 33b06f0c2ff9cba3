"""Why a lead would come to sales: it asked, it qualifies itself, or its account does."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import Field

from pls_ml.accounts.bounds import Bools, Bounds, require_columns
from pls_ml.core.spec import Spec

HAND_RAISER, PQL, PQA, NONE = "hand_raiser", "pql", "pqa", "none"
BUCKETS = (HAND_RAISER, PQL, PQA, NONE)


class BucketRules(Spec):
    """What counts as asking for sales (any one of the bounds met), and the bands of the card that make a lead a PQL."""

    hand_raiser: tuple[Bounds, ...] = Field(min_length=1)
    pql_bands: tuple[str, ...]


def assign_buckets(leads: pd.DataFrame, account_qualifies: Bools, rules: BucketRules) -> pd.Series[str]:
    """Takes n leads (`band`, and the signals of asking as columns) and whether each one's account qualifies; returns one bucket each.

    The first that applies (R-PRE): `hand_raiser`, who asked for sales explicitly; `pql`, whose own band qualifies; `pqa`, whose account
    qualifies while the person does not; else `none`.
    """
    require_columns(leads, ("band",), "buckets")
    asked = find_hand_raisers(leads, rules)
    own = leads["band"].isin(rules.pql_bands).to_numpy(np.bool_)
    buckets = np.select([asked, own, account_qualifies], [HAND_RAISER, PQL, PQA], default=NONE)
    return pd.Series(buckets, index=leads.index, name="bucket", dtype="str")


def find_hand_raisers(leads: pd.DataFrame, rules: BucketRules) -> Bools:
    """Takes n leads (the signals of asking as columns); returns who asked for sales explicitly."""
    return np.asarray(np.any([bounds.met(leads) for bounds in rules.hand_raiser], axis=0))
