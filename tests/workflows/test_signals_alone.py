"""What one signal says alone: its strength against plain counting, and its distribution."""

import json

import numpy as np
import pandas as pd
import pytest

from pls_ml.workflows.distribution import describe_values, format_number
from pls_ml.workflows.strength import measure_strength

NAN = float("nan")


def draw_rows(n=4000, accounts=300, seed=0):
    rng = np.random.default_rng(seed)
    account = rng.integers(0, accounts, n)
    values = rng.poisson(1.0, n).astype(float) + rng.normal(0, 0.5, accounts)[account].round()
    values[rng.random(n) < 0.2] = NAN
    odds = np.nan_to_num(values) * 0.6 - 3 + rng.normal(0, 1.5, accounts)[account]
    return values, (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.int8), account


def count_pairs(ranked, labels):
    won, lost = ranked[labels == 1], ranked[labels == 0]
    return float(np.mean([np.mean((value > lost) + (value == lost) / 2) for value in won]))


@pytest.mark.parametrize(("direction", "sign"), [("up", 1), ("none", 1), ("down", -1)])
def test_the_auc_counts_pairs_in_the_declared_direction_with_missing_values_last(direction, sign):
    values, labels, accounts = draw_rows(800)

    found = measure_strength(values, labels, accounts, direction)

    assert found.auc.value == pytest.approx(count_pairs(np.where(np.isnan(values), -1e9, sign * values), labels), abs=1e-12)
    assert found.auc_of_missing == pytest.approx(count_pairs(~np.isnan(values) * 1.0, labels), abs=1e-12)
    assert found.auc_of_zero == pytest.approx(count_pairs((np.nan_to_num(values) != 0) * 1.0, labels), abs=1e-12)
    assert found.first == ("lower" if sign < 0 else "higher")


def test_the_top_tenth_is_won_as_often_as_its_rows_are():
    values = np.arange(100.0)
    labels = np.isin(values, [99, 98, 50, 10]).astype(np.int8)

    found = measure_strength(values, labels, np.arange(100), "up")

    assert found.top_rate.value == pytest.approx(0.2)
    assert found.base_rate.value == pytest.approx(0.04)
    assert found.top_lift.value == pytest.approx(5.0)


def test_ties_at_the_edge_of_the_top_tenth_count_in_part():
    values = np.array([1.0] * 20 + [0.0] * 80)
    labels = np.array(([1] * 4 + [0] * 16) + [0] * 80, np.int8)

    found = measure_strength(values, labels, np.arange(100), "up")

    assert found.top_rate.value == pytest.approx(4 / 20)


def test_intervals_hold_the_figure_and_are_wider_where_accounts_decide():
    values, labels, accounts = draw_rows()

    by_account = measure_strength(values, labels, accounts, "up")
    by_row = measure_strength(values, labels, np.arange(len(values)), "up")

    for name in ("auc", "base_rate", "top_rate", "top_lift"):
        estimate = getattr(by_account, name)
        assert estimate.low < estimate.value < estimate.high
    assert by_account.base_rate.high - by_account.base_rate.low > 1.2 * (by_row.base_rate.high - by_row.base_rate.low)
    assert by_account.auc.value == by_row.auc.value


def test_the_order_of_rows_changes_nothing():
    values, labels, accounts = draw_rows()
    order = np.random.default_rng(1).permutation(len(values))

    assert measure_strength(values[order], labels[order], accounts[order], "up") == measure_strength(values, labels, accounts, "up")


def test_many_distinct_values_give_nearly_the_intervals_of_all_of_them():
    values, labels, accounts = draw_rows()
    noise = np.random.default_rng(2).normal(0, 1e-6, len(values))

    fine, coarse = (measure_strength(given, labels, accounts, "up") for given in (values + noise, values))

    assert fine.auc.low == pytest.approx(coarse.auc.low, abs=0.01)
    assert fine.auc.high == pytest.approx(coarse.auc.high, abs=0.01)


@pytest.mark.parametrize(
    ("labels", "accounts"),
    [([0, 0, 0], [0, 1, 2]), ([1, 1, 1], [0, 1, 2]), ([0, 1, 0], [4, 4, 4])],
    ids=["nobody won", "everybody won", "one account"],
)
def test_what_cannot_be_judged_has_no_strength(labels, accounts):
    assert measure_strength(np.arange(3.0), np.array(labels, np.int8), np.array(accounts), "up") is None


def test_a_strength_is_plain_json():
    values, labels, accounts = draw_rows(300)

    assert json.loads(json.dumps(measure_strength(values, labels, accounts, "up").to_dict(), allow_nan=False))["first"] == "higher"


# --- distributions -----------------------------------------------------------------------------------------------


def test_few_values_have_a_bin_each_with_their_win_rate():
    values = pd.Series([0.0, 0.0, 0.0, 1.0, 2.0, NAN])
    labels = np.array([0, 0, 1, 1, 0, 0], np.int8)

    found = describe_values(values, labels)

    assert [(one.values, one.rows, one.won) for one in found.bins] == [
        ("missing", 1, 0.0), ("0", 3, pytest.approx(1 / 3)), ("1", 1, 1.0), ("2", 1, 0.0)
    ]  # fmt: skip
    assert (found.filled, found.nonzero) == (pytest.approx(5 / 6), pytest.approx(2 / 6))
    assert found.quantiles["max"] == 2.0


def test_many_whole_numbers_are_cut_between_them():
    found = describe_values(pd.Series(np.repeat(np.arange(1.0, 21.0), 5)), None)

    assert [one.values for one in found.bins][:3] == ["1", "2 to 3", "4 to 5"]
    assert found.bins[-1].values == "18 to 20"


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(0, 1, 1000),
        np.random.default_rng(0).poisson(30, 1000),
        np.where(np.random.default_rng(0).random(1000) < 0.7, 0, np.random.default_rng(1).exponential(5, 1000)),
        np.where(np.random.default_rng(0).random(1000) < 0.5, NAN, np.arange(1000) - 500.0),
        np.zeros(10),
        np.full(10, NAN),
        np.zeros(0),
        np.array([3.0]),
    ],
    ids=["continuous", "counts", "mostly zero", "mostly missing", "only zero", "only missing", "no row", "one row"],
)
def test_every_row_is_in_exactly_one_bin(values):
    found = describe_values(pd.Series(values, dtype=float), None)

    assert sum(one.rows for one in found.bins) == found.rows == len(values)
    assert len(found.bins) <= 13
    assert all(one.won is None for one in found.bins)
    assert sum(one.share for one in found.bins) == pytest.approx(1.0 if len(values) else 0.0)


def test_categories_show_their_most_frequent_values_and_the_rest_together():
    names = [f"value {number:02}" for number in range(20) for _ in range(40 - number)]
    found = describe_values(pd.Series([*names, None]), None)

    assert [one.values for one in found.bins][:3] == ["missing", "value 00", "value 01"]
    assert found.bins[-1].values == "8 other values"
    assert sum(one.rows for one in found.bins) == len(names) + 1
    assert found.quantiles == {}


def test_a_category_that_looks_like_code_stays_on_its_line():
    found = describe_values(pd.Series(["a\nb\x1b[31m", "c"]), None)

    assert all(line.isprintable() for line in found.to_lines())


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (3.0, "3"),
        (1234567.0, "1,234,567"),
        (10545.3, "10,545"),
        (0.0333333, "0.03333"),
        (-2.5, "-2.5"),
        (1e20, "1e+20"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_are_written_short(value, shown):
    assert format_number(value) == shown
