"""What a won row is worth: the amount of the first deal at or after `as_of`, shared by all rows that it makes won."""

import numpy as np
import pytest
from core.text_tables import empty_database, load, put

from pls_ml.core.windows import Grain
from pls_ml.events.identity import resolve_users
from pls_ml.labels.amounts import WonAmounts, find_won_amounts
from pls_ml.labels.outcomes import FromOpportunities, find_outcomes

SPINE = """
    row | lead_key | as_of      | label
    1   | acme     | 2024-01-01 | 1
    2   | acme     | 2024-01-01 | 1
    3   | acme     | 2024-02-01 | 1
    4   | acme     | 2024-05-01 | 0
    5   | globex   | 2024-01-01 | 0
    6   | initech  | 2024-01-01 | 1
"""
DEALS = """
    opportunity_id | account_id | created_at | closed_at  | is_won | type | amount
    1              | acme       | 2024-01-01 | 2024-02-10 | true   | new  | 900
    2              | acme       | 2024-01-01 | 2024-08-10 | true   | new  | 5000
    3              | globex     | 2024-01-01 | 2024-02-02 | false  | new  | 70
    4              | initech    | 2024-01-01 | 2024-02-03 | true   | new  | 0
"""


def find(deals=DEALS):
    database = load(empty_database(), users="user_id | account_id\nann | acme", opportunities=deals)
    resolve_users(database)
    find_outcomes(database, FromOpportunities(kind="opportunities"), Grain("day"))
    put(database, "spine", SPINE, row="BIGINT", as_of="TIMESTAMP", label="TINYINT")
    return find_won_amounts(database)


def test_a_deal_is_shared_by_the_rows_that_it_makes_won_and_nobody_else_is_worth_anything():
    values = find().share_out()

    assert values.tolist() == [300, 300, 300, 0, 0, 0]
    assert values.sum() == 900  # never more money than was paid


def test_among_fewer_rows_a_deal_is_shared_by_those():
    found = find()

    assert found.take(np.array([0, 2, 5])).share_out().tolist() == [450, 450, 0]
    assert found.take(np.arange(6) == 0).share_out().tolist() == [900]


def test_an_amount_that_nobody_filled_in_is_missing_and_that_is_said():
    assert find().say_missing() == ("1 of 2 won deals have no amount: captured value counts the others only",)
    assert find().take(np.array([0, 1])).say_missing() == ()


@pytest.mark.parametrize("deals", [DEALS.replace("amount", "sum"), DEALS.replace("900", "").replace("5000", "")])
def test_without_any_amount_there_is_no_value(deals):
    found = find(deals)
    assert found is None or (found.share_out() is None and found.say_missing() == ())


def test_deals_of_one_account_that_close_at_the_same_moment_are_one():
    twin = DEALS + "    5 | acme | 2024-01-01 | 2024-02-10 | true | new | 300\n"
    assert find(twin).share_out().sum() == 1200


def test_rows_without_a_won_one_are_worth_nothing():
    none = WonAmounts(np.array([-1, -1]), np.array([np.nan, np.nan]))
    assert (none.share_out(), none.say_missing()) == (None, ())
