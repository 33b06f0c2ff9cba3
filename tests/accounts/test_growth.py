"""Users gained: net, against earlier counts, and unknown where one of them is."""

import numpy as np
import pandas as pd
import pytest

from pls_ml.accounts.growth import Growth, compare_users


@pytest.mark.parametrize(
    ("now", "before", "net", "growth"),
    [(10, 8, 2, 0.25), (8, 10, -2, -0.2), (5, 5, 0, 0.0), (2, 0, 2, 2.0), (0, 0, 0, 0.0), (0, 4, -4, -1.0)],
)
def test_growth_is_net_of_users_who_left_and_a_share_of_those_before(now, before, net, growth):
    found = compare_users(pd.Series({"a": float(now)}), pd.DataFrame({30: {"a": float(before)}}))

    assert found.loc["a"].to_dict() == {"net_users_30d": net, "net_growth_30d": growth}


def test_accounts_are_matched_by_their_id_and_an_unknown_count_is_no_growth():
    now = pd.Series({"a": 5.0, "b": 7.0, "c": np.nan})

    found = compare_users(now, pd.DataFrame({7: {"c": 1.0, "a": 1.0}}))

    assert found["net_users_7d"].to_dict() == pytest.approx({"a": 4.0, "b": np.nan, "c": np.nan}, nan_ok=True)
    assert found["net_growth_7d"].isna().tolist() == [False, True, True]


def test_the_columns_are_those_that_the_rules_name():
    growth = Growth(of="account_active_users_30d", days=(7, 30))

    found = compare_users(pd.Series({"a": 1.0}), pd.DataFrame({7: {"a": 1.0}, 30: {"a": 1.0}}))

    assert tuple(found.columns) == growth.columns == ("net_users_7d", "net_growth_7d", "net_users_30d", "net_growth_30d")
