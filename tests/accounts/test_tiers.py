"""Tiers: their thresholds, and that they are a total order which more of anything only climbs."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pls_ml.accounts.tiers import assign_tiers, count_tiers

NAMES = ("account_active_users_30d", "account_departments_30d", "icp_match", "score")
ACCOUNT = st.fixed_dictionaries(
    {
        "account_active_users_30d": st.one_of(st.none(), st.integers(0, 14)),
        "account_departments_30d": st.one_of(st.none(), st.integers(0, 4)),
        "icp_match": st.one_of(st.none(), st.integers(0, 1)),
        "score": st.integers(0, 260),
    }
)


def place(rules, *accounts):
    return assign_tiers(pd.DataFrame(list(accounts), columns=list(NAMES)), rules.tiers).tolist()


@pytest.mark.parametrize(
    ("users", "departments", "icp", "score", "tier"),
    [
        (10, 2, 1, 151, 1),
        (11, 3, 1, 300, 1),
        (10, 2, 1, 150, 2),
        (9, 2, 1, 151, 2),
        (10, 1, 1, 151, 2),
        (10, 2, 0, 151, 2),
        (5, 0, 0, 80, 2),
        (4, 2, 1, 80, 3),
        (5, 0, 0, 79, 3),
        (2, 0, 0, 40, 3),
        (2, 0, 0, 39, 4),
        (1, 2, 1, 400, 4),
        (0, 0, 0, 0, 4),
        (None, 2, 1, 400, 4),
        (10, None, 1, 400, 2),
        (10, 2, None, 400, 2),
    ],
)
def test_a_tier_begins_at_its_bounds(rules, users, departments, icp, score, tier):
    assert place(rules, dict(zip(NAMES, (users, departments, icp, score), strict=True))) == [tier]


def test_a_signal_that_is_not_there_at_all_bars_only_the_tiers_that_ask_for_it(rules):
    accounts = pd.DataFrame({"account_active_users_30d": [20, 20], "score": [500, 50]})

    assert assign_tiers(accounts, rules.tiers).tolist() == [2, 3]


@given(st.lists(ACCOUNT, min_size=1, max_size=20))
def test_every_account_is_in_exactly_one_tier(rules, accounts):
    numbers = assign_tiers(pd.DataFrame(accounts), rules.tiers)

    assert numbers.between(1, 4).all()
    assert count_tiers(numbers, rules.tiers)["accounts"].sum() == len(accounts)


@given(ACCOUNT, st.sampled_from(NAMES), st.integers(0, 200))
def test_more_of_anything_never_lowers_the_tier(rules, account, name, more):
    raised = account | {name: (account[name] or 0) + more}

    before, after = place(rules, account, raised)

    assert after <= before


@given(st.lists(ACCOUNT, min_size=2, max_size=2))
def test_an_account_that_has_no_less_of_anything_is_in_no_lower_tier(rules, accounts):
    lower, other = accounts
    upper = {name: max(lower[name] or 0, other[name] or 0) for name in NAMES}

    low, high = place(rules, lower, upper)

    assert high <= low


def test_each_tier_says_its_play_and_how_many_accounts_to_expect(rules):
    counts = count_tiers(pd.Series([4, 2, 2, 4, 4, 3, 4, 4]), rules.tiers)

    assert counts["accounts"].tolist() == [0, 2, 1, 5]
    assert counts["share"].tolist() == [0.0, 0.25, 0.125, 0.625]
    assert counts["label"].tolist() == ["Enterprise", "Mid-market", "SMB", "Individual"]
    assert counts["play"].iloc[0] == "named account executive, executive outreach"
    assert counts["qualified"].tolist() == [True, True, False, False]


def test_no_account_at_all_is_expected_in_no_tier(rules):
    counts = count_tiers(assign_tiers(pd.DataFrame({"score": []}), rules.tiers), rules.tiers)

    assert counts["accounts"].tolist() == counts["share"].tolist() == [0, 0, 0, 0]
