"""Every fold trains on what had matured, on other accounts, and tests later; nothing is tested twice."""

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pls_ml.core.errors import DataError
from pls_ml.core.windows import Horizon
from pls_ml.evaluation import RollingSpec, rolling_folds


def draw_spine(n_accounts=80, weeks=60, seed=0):
    """Weekly rows; each account lives for a random stretch."""
    rng = np.random.default_rng(seed)
    lives = np.sort(rng.integers(0, weeks, (n_accounts, 2)), axis=1)
    accounts, week = np.array([(a, w) for a, (born, last) in enumerate(lives) for w in range(born, last + 1)]).T
    return np.datetime64("2024-06-03", "us") + week * np.timedelta64(7, "D"), np.array([f"account-{a}" for a in accounts])


def to_time(moment):
    return np.datetime64(moment.replace(tzinfo=None), "us")


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    folds=st.integers(2, 8),
    gap=st.integers(0, 7),
    lag=st.integers(0, 10),
    embargo=st.integers(0, 14),
    by_account=st.booleans(),
)
def test_training_matured_before_the_test_and_shares_no_account_with_it(seed, folds, gap, lag, embargo, by_account):
    as_of, groups = draw_spine(seed=seed)
    horizon = Horizon(30, gap, lag)

    found = rolling_folds(as_of, groups, horizon, RollingSpec(folds, by_account=by_account, embargo_days=embargo))

    reach = np.timedelta64(timedelta(days=30 + gap + lag + embargo), "us")
    assert len(found) == folds
    for fold in found:
        start, end = to_time(fold.test_start), to_time(fold.tested_until)
        assert (as_of[fold.train] + reach <= start).all()
        assert ((as_of[fold.test | fold.known] >= start) & (as_of[fold.test | fold.known] <= end)).all()
        assert as_of[fold.train].max() == to_time(fold.trained_until)
        assert set(groups[fold.known]) <= set(groups[fold.train])
        if by_account:
            assert not set(groups[fold.train]) & set(groups[fold.test])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), folds=st.integers(2, 8))
def test_tests_follow_each_other_without_a_hole_or_an_overlap(seed, folds):
    as_of, groups = draw_spine(seed=seed)

    found = rolling_folds(as_of, groups, Horizon(30, 1, 0), RollingSpec(folds, by_account=False))

    assert all(earlier.tested_until + timedelta(days=7) == later.test_start for earlier, later in pairwise(found))
    tested = np.sum([fold.test for fold in found], axis=0)
    assert tested.max() == 1
    assert (tested == (as_of >= to_time(found[0].test_start))).all()
    assert all((later.train | ~earlier.train).all() for earlier, later in pairwise(found))


def test_the_first_fold_begins_when_its_share_of_the_rows_has_matured():
    as_of, groups = draw_spine()
    spec = RollingSpec(4, first_share=0.3, by_account=False)

    first = rolling_folds(as_of, groups, Horizon(30, 1, 0), spec)[0]

    assert first.train.sum() >= 0.3 * as_of.size
    earlier = to_time(first.test_start) - np.timedelta64(7, "D")
    assert (as_of + np.timedelta64(31, "D") <= earlier).sum() < 0.3 * as_of.size


def test_other_accounts_are_kept_for_the_test_in_every_fold():
    as_of, groups = draw_spine(n_accounts=300)

    found = rolling_folds(as_of, groups, Horizon(30, 1, 0), RollingSpec(5, account_share=0.35))

    tested = [set(groups[fold.test]) for fold in found]
    assert len(set.union(*tested)) > 1.5 * max(map(len, tested))


def test_rows_that_are_only_ordered_train_on_everything_before():
    as_of = np.datetime64("1970-01-01", "us") + np.arange(100) * np.timedelta64(1, "s")

    found = rolling_folds(as_of, np.arange(100), None, RollingSpec(4, first_share=0.2, by_account=False))

    assert [fold.train.sum() for fold in found] == [20, 40, 60, 80]
    assert [fold.test.sum() for fold in found] == [20, 20, 20, 20]


def test_the_order_of_the_rows_does_not_matter():
    as_of, groups = draw_spine()
    order = np.random.default_rng(3).permutation(as_of.size)

    straight = rolling_folds(as_of, groups, Horizon(30, 1, 0), RollingSpec())
    shuffled = rolling_folds(as_of[order], groups[order], Horizon(30, 1, 0), RollingSpec())

    for one, other in zip(straight, shuffled, strict=True):
        assert (one.train[order] == other.train).all()
        assert (one.test[order] == other.test).all()
        assert (one.test_start, one.tested_until) == (other.test_start, other.tested_until)


def test_too_few_moments_are_refused_with_what_would_help():
    as_of, groups = draw_spine(weeks=10)

    with pytest.raises(
        DataError, match=r"moments are left to test for 5 folds: as_of runs from .* take 31 days to mature; use fewer folds"
    ):
        rolling_folds(as_of, groups, Horizon(30, 1, 0), RollingSpec(5, first_share=0.4))


def test_one_account_cannot_be_on_both_sides():
    as_of, _ = draw_spine(n_accounts=1, weeks=200, seed=5)

    with pytest.raises(DataError, match=r"the (test|training) part of the fold that tests from .* is empty"):
        rolling_folds(as_of, np.full(as_of.size, "a"), Horizon(7, 1, 0), RollingSpec(4))


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"folds": 1}, "folds is 1: expected 2 or more"),
        ({"first_share": 0.0}, "first_share is 0.0"),
        ({"account_share": 1.0}, "account_share is 1.0"),
        ({"embargo_days": -1}, "embargo_days is -1"),
    ],
)
def test_wishes_outside_their_range_are_refused(wish, message):
    with pytest.raises(DataError, match=message):
        RollingSpec(**wish)
