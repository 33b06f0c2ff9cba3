"""The four dimensions: worth at anchors, monotone in every input, and nothing guessed where one is missing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pls_ml.accounts.dimensions import NAMES, Dimension, DimensionInput, Dimensions, measure_dimensions

SIGNALS = (
    "account_active_users_30d", "account_departments_30d", "account_premium_features_30d", "account_feature_uses_30d", "employees",
    "target_industry", "target_tech_stack", "net_users_30d", "account_activity_growth_30d", "account_pricing_views_30d",
    "account_enterprise_requests_90d", "limit_use",
)  # fmt: skip
VALUES = st.lists(st.one_of(st.none(), st.floats(-10, 2000)), min_size=len(SIGNALS), max_size=len(SIGNALS))


def measure(rules, **signals):
    return measure_dimensions(pd.DataFrame([signals], dtype="float64"), rules.dimensions).iloc[0]


def as_account(values):
    return dict(zip(SIGNALS, values, strict=True))


def test_the_inputs_are_those_of_the_rules(rules):
    assert rules.dimensions.signals == SIGNALS


@pytest.mark.parametrize(
    ("users", "worth"), [(0, 0), (0.5, 5), (1, 10), (2, 20), (3, 30), (4, 40), (5, 50), (7.5, 65), (10, 80), (25, 100), (900, 100), (-3, 0)]
)
def test_a_signal_is_worth_what_its_anchors_say_and_straight_lines_between_them(rules, users, worth):
    assert measure(rules, account_active_users_30d=users)["breadth"] == pytest.approx(worth)


@pytest.mark.parametrize(
    ("users", "departments", "breadth"), [(5, 2, 54), (5, 0, 30), (5, None, 50), (None, 2, 60), (25, 4, 100), (0, 0, 0)]
)
def test_a_missing_input_leaves_its_weight_to_the_others(rules, users, departments, breadth):
    assert measure(rules, account_active_users_30d=users, account_departments_30d=departments)["breadth"] == pytest.approx(breadth)


def test_missing_inputs_are_named(rules):
    known = dict.fromkeys(SIGNALS, 1.0) | {"employees": None, "limit_use": None}

    assert measure(rules, **known)["not_known"] == "employees, limit_use"
    assert measure(rules, **dict.fromkeys(SIGNALS, 1.0))["not_known"] == ""


def test_a_dimension_of_which_nothing_is_known_is_missing_and_left_out(rules):
    found = measure(rules, account_active_users_30d=5, account_feature_uses_30d=100)

    assert found[["breadth", "depth", "overall", "usage"]].tolist() == [50, 50, 50, 50]
    assert found[["fit", "momentum"]].isna().all()
    assert measure(rules)[[*NAMES, "overall", "usage"]].isna().all()


def test_the_best_of_everything_is_a_hundred_and_the_least_nothing(rules):
    best, least = measure(rules, **dict.fromkeys(SIGNALS, 1e6)), measure(rules, **dict.fromkeys(SIGNALS, -1e6))

    assert best[[*NAMES, "overall", "usage"]].tolist() == [100] * 6
    assert least[[*NAMES, "overall", "usage"]].tolist() == [0] * 6


@given(VALUES)
def test_usage_and_overall_are_the_weighted_means_of_the_dimensions(rules, values):
    found = measure_dimensions(pd.DataFrame([as_account(v if v is not None else 1.0 for v in values)]), rules.dimensions).iloc[0]

    usage = (30 * found["breadth"] + 25 * found["depth"] + 20 * found["momentum"]) / 75
    assert found["usage"] == pytest.approx(usage)
    assert found["overall"] == pytest.approx((75 * usage + 25 * found["fit"]) / 100)


@given(VALUES, st.integers(0, len(SIGNALS) - 1), st.floats(0, 500))
def test_more_of_an_input_lowers_nothing(rules, values, place, more):
    before = as_account(values)
    name = SIGNALS[place]
    before[name] = before[name] if before[name] is not None else 0.0
    after = before | {name: before[name] + more}

    found = measure_dimensions(pd.DataFrame([before, after], dtype="float64"), rules.dimensions)[[*NAMES, "overall", "usage"]].to_numpy()

    assert (np.isnan(found[0]) == np.isnan(found[1])).all()
    assert (np.nan_to_num(found[1] - found[0]) >= 0).all()


@given(VALUES)
def test_dimensions_lie_between_nothing_and_a_hundred(rules, values):
    found = measure_dimensions(pd.DataFrame([as_account(values)], dtype="float64"), rules.dimensions)[[*NAMES, "overall", "usage"]]

    assert (found.isna() | found.ge(0) & found.le(100)).to_numpy().all()


@pytest.mark.parametrize(
    ("anchors", "message"),
    [
        ([[0, 0]], "at least 2 items"),
        ([[1, 0], [0, 100]], "rising values"),
        ([[0, 0], [0, 100]], "rising values"),
        ([[0, 50], [1, 40]], "never fall"),
        ([[0, -1], [1, 100]], "between 0 and 100"),
        ([[0, 0], [1, 101]], "between 0 and 100"),
        ([[0, 0], [float("nan"), 100]], "finite number"),
    ],
)
def test_anchors_that_are_no_climb_are_refused(anchors, message):
    with pytest.raises(ValidationError, match=message):
        DimensionInput(signal="x", weight=1, anchors=anchors)


def test_the_weights_of_the_dimensions_are_configured():
    one = DimensionInput(signal="x", weight=1, anchors=((0, 0), (1, 100)))
    other = DimensionInput(signal="y", weight=1, anchors=((0, 0), (1, 100)))
    heavy, light = Dimension(weight=90, inputs=(one,)), Dimension(weight=10, inputs=(other,))

    found = measure_dimensions(pd.DataFrame([{"x": 1.0, "y": 0.0}]), Dimensions(breadth=heavy, depth=light, fit=light, momentum=light))

    assert found["overall"].iloc[0] == pytest.approx(75)
    assert found["usage"].iloc[0] == pytest.approx(90 / 110 * 100)
