import numpy as np
import pandas as pd
import pytest

from pls_ml.accounts.segments import SegmentRules, assign_segments
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
        ({"estimated_acv": 50_000}, "smb"),
        ({"estimated_acv": 50_001}, "enterprise"),
        ({"estimated_acv": None, "employee_count": 60}, "mid_market"),
        ({"is_free_mail": True}, "smb"),
        ({"account_id": None}, "smb"),
        ({}, "smb"),
    ],
)
def test_a_cut_is_crossed_only_strictly_above_it(given, segment):
    assert assign_segments(lead(**given)).tolist() == [segment]


def test_free_mail_without_an_account_is_a_consumer_before_anything_else():
    leads = lead(is_free_mail=True, account_id=None, employee_count=5000, team_size=40, estimated_acv=90_000)
    assert assign_segments(leads).tolist() == ["consumer"]


def test_nullable_and_numpy_columns_give_the_same_segments_on_the_same_index():
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
    pd.testing.assert_series_equal(assign_segments(plain), expected)
    pd.testing.assert_series_equal(assign_segments(nullable), expected)


def test_the_cuts_can_be_configured():
    assert assign_segments(lead(employee_count=300), SegmentRules(enterprise_employees=250)).tolist() == ["enterprise"]


def test_no_leads_give_no_segments():
    assert assign_segments(lead().iloc[:0]).empty


def test_an_absent_column_is_named():
    with pytest.raises(TableError, match="team_size"):
        assign_segments(lead().drop(columns="team_size"))


def test_an_unknown_free_mail_flag_is_refused():
    with pytest.raises(TableError, match="is_free_mail is not known in 1 rows"):
        assign_segments(lead(is_free_mail=None))
