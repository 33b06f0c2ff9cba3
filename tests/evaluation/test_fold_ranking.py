"""Candidates beside one another on the rows of folds: average precision within folds, and who is near the best."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from pls_ml.core.errors import DataError
from pls_ml.evaluation.fold_ranking import FoldRanking, rank_in_folds

THREE = np.array([True, True, True])


def draw_rows(accounts=150, each=4, seed=0):
    rng = np.random.default_rng(seed)
    account, cause = np.repeat(np.arange(accounts), each), rng.normal(size=accounts * each)
    labels = (rng.random(cause.size) < 1 / (1 + np.exp(1.5 - cause))).astype(np.int8)
    return labels, cause, account, rng.integers(0, 3, cause.size)


def test_the_value_is_the_mean_over_the_folds():
    labels, cause, account, fold = draw_rows()
    shifted = cause + 10 * fold  # folds have margins of their own

    found = rank_in_folds(np.array([cause, shifted]), labels, fold, account, np.ones(labels.size))

    expected = np.mean([average_precision_score(labels[fold == k], cause[fold == k]) for k in range(3)])
    assert found.value.tolist() == pytest.approx([expected, expected], abs=1e-12)
    assert (found.draws[0] == found.draws[1]).all()


def test_weights_count_as_rows_do():
    labels, cause, account, fold = draw_rows()
    weight = np.random.default_rng(1).integers(1, 4, labels.size)
    repeated = np.repeat(np.arange(labels.size), weight)

    weighted = rank_in_folds(cause[None], labels, fold, account, weight)
    counted = rank_in_folds(cause[None][:, repeated], labels[repeated], fold[repeated], account[repeated], np.ones(repeated.size))

    assert weighted.value == pytest.approx(counted.value, abs=1e-12)
    assert weighted.draws == pytest.approx(counted.draws, abs=1e-12)


def test_a_coarse_order_is_not_near_a_fine_one_and_a_copy_is():
    labels, cause, account, fold = draw_rows(accounts=600)

    found = rank_in_folds(np.array([cause > 1, cause, cause + 1e-9]), labels, fold, account, np.ones(labels.size))

    assert found.near_best(THREE).tolist() == [False, True, True]


def test_only_those_that_take_part_are_near_and_the_best_of_them_always_is():
    found = FoldRanking(np.array([0.3, 0.5, 0.4]), np.array([[0.3, 0.31], [0.5, 0.51], [0.4, 0.41]]))

    assert found.near_best(np.array([True, False, True])).tolist() == [False, False, True]
    assert found.near_best(np.array([True, False, False])).tolist() == [True, False, False]


def test_draws_of_accounts_in_which_nobody_wins_are_left_out():
    labels, account = np.array([1, 0, 0, 0], np.int8), np.arange(4)

    found = rank_in_folds(np.array([[4.0, 3.0, 2.0, 1.0]]), labels, np.zeros(4), account, np.ones(4))

    assert np.isnan(found.draws).any()
    assert found.value.tolist() == [1.0]
    assert found.near_best(np.array([True])).tolist() == [True]


def test_one_account_is_no_ground_for_a_choice():
    with pytest.raises(DataError, match="1 account in 2 rows"):
        rank_in_folds(np.array([[1.0, 0.0]]), [1, 0], np.zeros(2), np.zeros(2), np.ones(2))
