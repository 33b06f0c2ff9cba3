import numpy as np
import pandas as pd
import pytest

from pls_ml.accounts.segments import MOTIONS, assign_segments, estimate_acv
from pls_ml.core.errors import TableError


def lead(**given):
    return pd.DataFrame([{"employee_count": None, "account_id": "a1", "is_free_mail": False, "team_size": 1} | given])


@pytest.mark.parametrize(
    ("given", "segment"),
    [
        ({"employee_count": 50}, "smb"),
        ({"employee_count": 51}, "mid_market"),
        ({"employee_count": 1000}, "mid_market"),
        ({"employee_count": 1001}, "enterprise"),
        ({"team_size": 10}, "smb"),
        ({"team_size": 11}, "mid_market"),
        ({"open_amount": 50_000}, "smb"),
        ({"open_amount": 50_001}, "enterprise"),
        ({"open_amount": None, "employee_count": 60}, "mid_market"),
        ({"is_free_mail": True}, "smb"),
        ({"account_id": None}, "smb"),
        ({}, "smb"),
    ],
)
def test_a_cut_is_crossed_only_strictly_above_it(rules, given, segment):
    assert assign_segments(lead(**given), rules.segments).tolist() == [segment]


def test_free_mail_without_an_account_is_a_consumer_before_anything_else(rules):
    leads = lead(is_free_mail=True, account_id=None, employee_count=5000, team_size=40, open_amount=90_000)

    assert assign_segments(leads, rules.segments).tolist() == ["consumer"]


def test_nullable_and_numpy_columns_give_the_same_segments_on_the_same_index(rules):
    plain = pd.DataFrame(
        {
            "employee_count": [np.nan, 2000, 60],
            "account_id": [None, "a", "b"],
            "is_free_mail": [True, False, False],
            "team_size": [1, 2, 3],
        },
        index=[7, 3, 5],
    )
    nullable = plain.astype({"employee_count": "Int64", "is_free_mail": "boolean", "team_size": "Int64"})
    expected = pd.Series(["consumer", "enterprise", "mid_market"], index=[7, 3, 5], name="segment", dtype="str")

    pd.testing.assert_series_equal(assign_segments(plain, rules.segments), expected)
    pd.testing.assert_series_equal(assign_segments(nullable, rules.segments), expected)


def test_the_cuts_can_be_configured(rules):
    own = rules.segments.model_copy(update={"enterprise_employees": 250})

    assert assign_segments(lead(employee_count=300), own).tolist() == ["enterprise"]


def test_no_leads_give_no_segments(rules):
    assert assign_segments(lead().iloc[:0], rules.segments).empty


def test_an_absent_column_is_named(rules):
    with pytest.raises(TableError, match="segments need the column team_size"):
        assign_segments(lead().drop(columns="team_size"), rules.segments)


def test_an_unknown_free_mail_flag_is_refused(rules):
    with pytest.raises(TableError, match="is_free_mail is not known in 1 rows"):
        assign_segments(lead(is_free_mail=None), rules.segments)


def test_every_segment_has_its_motion():
    assert MOTIONS == {"enterprise": "sales_led", "mid_market": "sales_assist", "smb": "self_serve", "consumer": "self_serve"}


@pytest.mark.parametrize(
    ("given", "price", "acv"),
    [
        ({"open_amount": 12_000, "seats": 100}, 30, 12_000),
        ({"open_amount": None, "seats": 100}, 30, 36_000),
        ({"open_amount": 0, "seats": 100}, 30, 36_000),
        ({"open_amount": -5}, 30, None),
        ({"open_amount": None, "seats": 100}, None, None),
        ({"open_amount": 12_000}, None, 12_000),
        ({"seats": None}, 30, None),
        ({}, 30, None),
    ],
)
def test_a_contract_is_worth_its_open_opportunity_else_its_seats_else_nothing_is_said(rules, given, price, acv):
    found = estimate_acv(lead(**given), rules.segments.model_copy(update={"price_per_seat": price}))

    assert found.tolist() == pytest.approx([np.nan if acv is None else acv], nan_ok=True)


def test_seats_at_a_list_price_reach_the_enterprise_segment_strictly_above_its_cut(rules):
    priced = rules.segments.model_copy(update={"price_per_seat": 50_000 / 12 / 100})

    assert assign_segments(pd.concat([lead(seats=100), lead(seats=101)]), priced).tolist() == ["smb", "enterprise"]
