"""Why a lead comes to sales: exactly one reason each, the strongest first."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pls_ml.accounts.buckets import BUCKETS, assign_buckets
from pls_ml.core.errors import TableError

BANDS = ("Hot", "Warm", "Emerging", "Not a PQL")


def bucket(rules, asked, band, qualifies):
    leads = pd.DataFrame({"sales_contacts_30d": [asked], "band": [band]})
    return assign_buckets(leads, np.array([qualifies]), rules.buckets)[0]


@pytest.mark.parametrize(
    ("asked", "band", "qualifies", "expected"),
    [
        (1, "Hot", True, "hand_raiser"),
        (1, "Not a PQL", False, "hand_raiser"),
        (0, "Hot", True, "pql"),
        (0, "Warm", False, "pql"),
        (None, "Warm", False, "pql"),
        (0, "Emerging", True, "pqa"),
        (0, "Not a PQL", True, "pqa"),
        (0, "Emerging", False, "none"),
        (None, "", False, "none"),
    ],
)
def test_asking_comes_before_the_own_band_and_that_before_the_account(rules, asked, band, qualifies, expected):
    assert bucket(rules, asked, band, qualifies) == expected


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 3)), st.sampled_from(BANDS), st.booleans()), min_size=1))
def test_every_lead_is_in_exactly_one_bucket(rules, leads):
    asked, bands, qualifies = zip(*leads, strict=True)
    frame = pd.DataFrame({"sales_contacts_30d": pd.array(asked, dtype="Int64"), "band": bands}, index=range(5, 5 + len(leads)))

    buckets = assign_buckets(frame, np.array(qualifies), rules.buckets)

    assert set(buckets) <= set(BUCKETS)
    assert buckets.index.equals(frame.index)


def test_without_a_signal_of_asking_nobody_raised_a_hand(rules):
    assert assign_buckets(pd.DataFrame({"band": ["Hot"]}), np.array([False]), rules.buckets).tolist() == ["pql"]


def test_leads_without_bands_are_refused(rules):
    with pytest.raises(TableError, match="buckets need the column band"):
        assign_buckets(pd.DataFrame({"sales_contacts_30d": [1]}), np.array([True]), rules.buckets)
