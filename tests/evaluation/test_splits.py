"""No account on both sides, no label window across the line."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pls_ml.core.errors import DataError
from pls_ml.core.windows import Horizon
from pls_ml.evaluation import SplitSpec, forward_folds, split_rows

HORIZON = Horizon(horizon_days=90, gap_days=1, lag_days=0)
BY_TIME = SplitSpec(test_start=datetime(2025, 6, 1, tzinfo=UTC), by_account=False)


def draw_spine(n_accounts=80, weeks=60, seed=0):
    """Weekly rows; each account lives for a random stretch."""
    rng = np.random.default_rng(seed)
    start = np.datetime64("2024-06-03", "us")
    lives = np.sort(rng.integers(0, weeks, (n_accounts, 2)), axis=1)
    accounts, week = np.array([(a, w) for a, (born, last) in enumerate(lives) for w in range(born, last + 1)]).T
    return start + week * np.timedelta64(7, "D"), np.array([f"account-{a}" for a in accounts])


def test_a_label_window_that_ends_exactly_at_test_start_trains():
    as_of = np.array(["2025-03-02", "2025-03-03", "2025-06-01"], "datetime64[us]")  # 2025-03-02 + 91 days = 2025-06-01

    split = split_rows(as_of, np.array(["a", "b", "c"]), HORIZON, BY_TIME)

    assert split.train.tolist() == [True, False, False]
    assert split.test.tolist() == [False, False, True]


def test_a_row_one_microsecond_before_test_start_does_not_test():
    start = np.datetime64("2025-06-01", "us")
    as_of = np.array(["2025-01-01", start - np.timedelta64(1, "us"), start], "datetime64[us]")

    split = split_rows(as_of, np.array(["a", "b", "c"]), HORIZON, BY_TIME)

    assert split.test.tolist() == [False, False, True]
    assert split.counts == {"train": 1, "test": 1, "known": 0, "unused": 1, "train_accounts": 1, "test_accounts": 1}


def test_the_embargo_moves_training_further_back():
    as_of = np.array(["2025-02-28", "2025-03-02", "2025-06-01"], "datetime64[us]")
    spec = SplitSpec(test_start=BY_TIME.test_start, by_account=False, embargo_days=2)

    assert split_rows(as_of, np.array(["a", "b", "c"]), HORIZON, spec).train.tolist() == [True, False, False]


def test_without_a_horizon_everything_before_test_start_trains():
    as_of = np.array(["2025-05-31", "2025-06-01"], "datetime64[us]")

    split = split_rows(as_of, np.array(["a", "b"]), None, BY_TIME)

    assert (split.train.tolist(), split.test.tolist()) == ([True, False], [False, True])


def test_test_start_with_a_zone_is_the_same_moment():
    as_of = np.array(["2025-01-01", "2025-05-31T22:00", "2025-06-01"], "datetime64[us]")
    spec = SplitSpec(test_start=datetime(2025, 6, 1, tzinfo=timezone(timedelta(hours=2))), by_account=False)

    split = split_rows(as_of, np.array(["a", "b", "c"]), HORIZON, spec)

    assert split.test.tolist() == [False, True, True]
    assert split.test_start == datetime(2025, 5, 31, 22, tzinfo=UTC)


def test_without_a_date_the_latest_share_of_the_rows_lies_in_the_test_window():
    as_of = np.datetime64("2024-01-01", "us") + np.arange(1000) * np.timedelta64(1, "D")

    split = split_rows(as_of, np.arange(1000).astype(str), HORIZON, SplitSpec(test_share=0.2, by_account=False))

    assert split.counts["test"] == 200


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), gap=st.integers(0, 7), embargo=st.integers(0, 14))
def test_no_account_straddles_and_no_label_window_crosses_the_line(seed, gap, embargo):
    as_of, groups = draw_spine(seed=seed)
    horizon = Horizon(30, gap, 0)

    split = split_rows(as_of, groups, horizon, SplitSpec(embargo_days=embargo))

    assert not set(groups[split.train]) & set(groups[split.test])
    assert not (split.train & split.test).any()
    assert not (split.known & split.test).any()
    assert set(groups[split.known]) <= set(groups[split.train])
    reach = np.timedelta64(30 + gap + embargo, "D")
    assert (as_of[split.train] + reach).max() <= as_of[split.test | split.known].min()


def test_known_rows_are_a_part_of_the_test_when_accounts_are_not_kept_apart():
    as_of, groups = draw_spine()

    split = split_rows(as_of, groups, HORIZON, SplitSpec(by_account=False))

    assert (split.known <= split.test).all()
    assert 0 < split.known.sum() < split.test.sum()
    assert set(groups[split.known]) == set(groups[split.test]) & set(groups[split.train])


def test_an_account_is_reserved_whoever_else_is_in_the_data():
    as_of, groups = draw_spine()
    spec = SplitSpec(test_start=datetime(2025, 3, 1), account_share=0.4)
    half = np.isin(groups, np.unique(groups)[::2])

    whole, part = split_rows(as_of, groups, HORIZON, spec), split_rows(as_of[half], groups[half], HORIZON, spec)

    assert (part.test == whole.test[half]).all()
    assert 0.2 < np.unique(groups[whole.test]).size / np.unique(groups[as_of >= np.datetime64("2025-03-01")]).size < 0.6


@pytest.mark.parametrize(("test_start", "part"), [(datetime(2024, 6, 1), "training"), (datetime(2026, 1, 1), "test")])
def test_an_empty_part_is_refused_with_the_dates_there_are(test_start, part):
    as_of = np.array(["2024-06-03", "2025-06-02"], "datetime64[us]")

    message = f"the {part} part is empty: as_of runs from 2024-06-03 to 2025-06-02, test_start is .*; move test_start"
    with pytest.raises(DataError, match=message):
        split_rows(as_of, np.array(["a", "b"]), HORIZON, SplitSpec(test_start=test_start, by_account=False))


@pytest.mark.parametrize(
    ("as_of", "groups", "message"),
    [
        (["2025-01-01"], ["a", "b"], "lists of one length"),
        ([], [], "not empty"),
        (["2025-01-01", "NaT"], ["a", "b"], "1 times and 0 account ids are missing"),
        (["2025-01-01", "2025-01-02"], ["a", None], "0 times and 1 account ids are missing"),
    ],
)
def test_rows_that_cannot_be_placed_are_refused(as_of, groups, message):
    with pytest.raises(DataError, match=message):
        split_rows(np.array(as_of, "datetime64[us]"), np.array(groups, object), HORIZON, SplitSpec())


@pytest.mark.parametrize("wrong", [{"test_share": 0.0}, {"account_share": 1.0}, {"embargo_days": -1}])
def test_a_split_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(DataError, match=f"{next(iter(wrong))} is .*expected"):
        SplitSpec(**wrong)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n_time=st.integers(2, 5), n_groups=st.integers(2, 3))
def test_folds_go_forward_and_never_share_an_account(seed, n_time, n_groups):
    as_of, groups = draw_spine(seed=seed)

    folds = forward_folds(as_of, groups, n_time, n_groups)

    assert len(folds) == (n_time - 1) * n_groups
    for fit, validate in folds:
        assert as_of[fit].max() < as_of[validate].min()
        assert not set(groups[fit]) & set(groups[validate])
    validated = np.concatenate([validate for _, validate in folds])
    assert np.unique(validated).size == validated.size


def test_leads_with_one_row_each_are_kept_apart_by_time_alone():
    as_of = np.datetime64("2025-01-01", "us") + np.arange(90) * np.timedelta64(1, "D")

    folds = forward_folds(as_of, np.arange(90).astype(str))

    assert [(fit.tolist(), validate.tolist()) for fit, validate in folds] == [
        (list(range(30)), list(range(30, 60))),
        (list(range(60)), list(range(60, 90))),
    ]


def test_one_moment_is_never_cut_into_two_blocks():
    as_of = np.array(["2025-01-01"] * 5 + ["2025-02-01"], "datetime64[us]")

    folds = forward_folds(as_of, np.arange(6).astype(str))

    assert [(fit.tolist(), validate.tolist()) for fit, validate in folds] == [([0, 1, 2, 3, 4], [5])]


def test_folds_that_would_share_accounts_are_refused():
    with pytest.raises(DataError, match="n_groups is 1, but some accounts"):
        forward_folds(*draw_spine(), n_groups=1)


def test_a_single_moment_gives_no_fold_and_says_so():
    with pytest.raises(DataError, match="no fold has rows on both sides: 1 distinct times, 4 accounts"):
        forward_folds(np.full(4, np.datetime64("2025-01-01", "us")), np.arange(4).astype(str))
