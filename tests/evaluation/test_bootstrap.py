"""Whole accounts are drawn, the same ones for the same seed, and the interval covers as often as it says."""

import numpy as np
import pytest

from pls_ml.core.errors import DataError
from pls_ml.evaluation import account_resamples, basic_interval, paired_difference, percentile_interval
from pls_ml.evaluation.ranking import group_by_score, roc_auc, sort_scores


def all_weights(groups, n_resamples=50, seed=0):
    return np.vstack(list(account_resamples(groups, n_resamples, seed)))


def test_rows_of_an_account_are_drawn_together_and_as_many_accounts_as_there_are():
    groups = np.repeat(["a", "b", "c", "d"], [1, 2, 3, 4])

    weights = all_weights(groups)

    assert weights.shape == (50, 10)
    first = np.array([0, 1, 3, 6])
    assert (weights == np.repeat(weights[:, first], [1, 2, 3, 4], axis=1)).all()
    assert (weights[:, first].sum(axis=1) == 4).all()


def test_each_account_is_drawn_once_on_average():
    weights = all_weights(np.arange(30), n_resamples=4000)

    assert weights.mean(axis=0) == pytest.approx(1.0, abs=0.08)
    assert weights.var(axis=0) == pytest.approx(29 / 30, abs=0.15)


def test_the_same_seed_draws_the_same_accounts_whatever_the_order_of_the_rows():
    groups = np.repeat(["a", "b", "c"], 3)
    order = np.random.default_rng(0).permutation(9)

    assert (all_weights(groups)[:, order] == all_weights(groups[order])).all()
    assert not (all_weights(groups) == all_weights(groups, seed=1)).all()


def test_many_rows_come_in_blocks_of_bounded_size():
    blocks = list(account_resamples(np.arange(50_000) // 10, 100, 0))

    assert max(block.size for block in blocks) <= 400_000
    assert sum(len(block) for block in blocks) == 100


def test_one_account_is_refused():
    with pytest.raises(DataError, match="1 account in 3 rows: an interval needs at least two"):
        next(account_resamples(["a", "a", "a"], 10, 0))


def test_intervals_take_the_middle_95_percent_of_what_is_defined():
    draws = np.append(np.arange(1001.0), np.nan)

    found = percentile_interval(400.0, draws)

    assert (found.value, found.low, found.high) == pytest.approx((400.0, 25.0, 975.0))
    assert found.to_dict() == pytest.approx({"value": 400.0, "low": 25.0, "high": 975.0})
    assert percentile_interval(1.0, np.array([np.nan])).to_dict() == {"value": 1.0, "low": None, "high": None}


def test_the_basic_interval_takes_the_bias_off_and_stops_at_zero():
    found = basic_interval(1.0, np.linspace(1.0, 2.0, 1001))

    assert (found.value, found.low, found.high) == pytest.approx((1.0, 0.025, 0.975))
    assert basic_interval(1.0, np.linspace(2.0, 4.0, 1001)).low == 0.0


def test_a_paired_difference_is_narrower_than_its_parts_where_they_move_together():
    shared = np.random.default_rng(0).normal(size=2000)

    found = paired_difference((0.6, 0.5), (shared + 0.1, shared))

    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))


def draw_accounts(rng, n_accounts, leads=25):
    """Colleagues share much of their score and of their fate."""
    account = np.repeat(np.arange(n_accounts), leads)
    shared_score, shared_fate = rng.normal(0, 1, n_accounts)[account], rng.normal(0, 1, n_accounts)[account]
    scores = shared_score + rng.normal(0, 0.7, account.size)
    labels = rng.random(account.size) < 1 / (1 + np.exp(-(-1.5 + 0.6 * scores + shared_fate)))
    return account, scores, labels.astype(np.int8)


def test_drawing_accounts_covers_as_promised_where_drawing_rows_does_not():
    rng = np.random.default_rng(7)
    _, scores, labels = draw_accounts(rng, 20_000)
    truth = roc_auc(group_by_score(sort_scores(scores), labels))[0]
    covered = {"accounts": 0, "rows": 0}

    for repeat in range(150):
        account, scores, labels = draw_accounts(rng, 60)
        order = sort_scores(scores)
        for name, groups in (("accounts", account), ("rows", np.arange(account.size))):
            draws = [roc_auc(group_by_score(order, labels, block)) for block in account_resamples(groups, 200, repeat)]
            interval = percentile_interval(0.0, np.concatenate(draws))
            covered[name] += interval.low <= truth <= interval.high

    assert covered["accounts"] / 150 > 0.89
    assert covered["rows"] / 150 < 0.75
