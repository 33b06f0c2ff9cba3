"""Who can buy, and what is done where nobody is known who can."""

import numpy as np
import pandas as pd
import pytest

from pls_ml.accounts.buyers import choose_plays, find_buyers
from pls_ml.core.errors import TableError


def test_seniority_or_role_make_a_buyer_and_nothing_else_does(rules):
    people = pd.DataFrame(
        [
            ("director", None), (" VP ", None), ("C_Level", None), ("individual", "Billing"), (None, "owner"),
            ("manager", None), ("individual", "developer"), (None, None), ("", ""), ("vice president of sales", None),
        ],
        columns=["seniority", "role"],
    )  # fmt: skip

    assert find_buyers(people, rules.buyers).tolist() == [True] * 5 + [False] * 5


def test_where_nobody_says_who_they_are_nobody_is_a_buyer(rules):
    nobody = pd.DataFrame({"seniority": [np.nan, np.nan], "role": [np.nan, np.nan]})

    assert find_buyers(nobody, rules.buyers).tolist() == [False, False]
    assert find_buyers(nobody.iloc[:0], rules.buyers).tolist() == []


def test_an_absent_column_is_named(rules):
    with pytest.raises(TableError, match="buyers need the column role"):
        find_buyers(pd.DataFrame({"seniority": ["vp"]}), rules.buyers)


def test_only_a_qualified_account_without_a_buyer_has_to_find_one(rules):
    tiers = pd.Series([1, 1, 2, 2, 3, 3, 4], index=list("abcdefg"))
    known = np.array([True, False, True, False, True, False, False])

    plays = choose_plays(tiers, known, rules.tiers, rules.buyers)

    usual = [tier.play for tier in rules.tiers]
    assert plays.to_dict() == dict(
        zip("abcdefg", [usual[0], "find the buyer", usual[1], "find the buyer", usual[2], usual[2], usual[3]], strict=True)
    )
