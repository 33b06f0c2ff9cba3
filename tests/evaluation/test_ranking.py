"""Ranking figures against scikit-learn, and against every order of the ties."""

from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from pls_ml.core.errors import DataError
from pls_ml.evaluation.ranking import (
    average_precision,
    gain_curve,
    group_by_score,
    lift_at,
    precision_at,
    recall_at,
    roc_auc,
    sort_scores,
    taken_at,
)


def draw_rows(n=400, levels=15, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, n).astype(float)
    labels = (rng.random(n) < 0.1 + 0.4 * scores / levels).astype(np.int8)
    return labels, scores, rng.integers(0, 4, n) * rng.random(n)


@pytest.mark.parametrize("levels", [1, 2, 15, 10_000])
@pytest.mark.parametrize("weighted", [False, True])
def test_areas_equal_those_of_scikit_learn(levels, weighted):
    labels, scores, weights = draw_rows(levels=levels)
    given = weights if weighted else None

    groups = group_by_score(sort_scores(scores), labels, given)

    assert average_precision(groups)[0] == pytest.approx(average_precision_score(labels, scores, sample_weight=given), abs=1e-12)
    assert roc_auc(groups)[0] == pytest.approx(roc_auc_score(labels, scores, sample_weight=given), abs=1e-12)


def test_many_weightings_at_once_equal_each_alone():
    labels, scores, _ = draw_rows()
    weights = np.random.default_rng(1).integers(0, 3, (7, labels.size)).astype(float)
    order = sort_scores(scores)

    def figures(given):
        groups = group_by_score(order, labels, given)
        return np.array([average_precision(groups), roc_auc(groups), precision_at(groups, 0.1), recall_at(groups, 30)])

    assert figures(weights) == pytest.approx(np.hstack([figures(row) for row in weights]), abs=1e-12)


@pytest.mark.parametrize("capacity", [1, 2, 3, 4, 5, 7])
def test_precision_at_capacity_is_the_mean_over_every_order_of_the_ties(capacity):
    scores = np.array([3.0, 2.0, 2.0, 2.0, 1.0, 1.0, 0.0])
    labels = np.array([0, 1, 0, 0, 1, 1, 0])
    value = np.array([0.0, 500.0, 0.0, 0.0, 70.0, 9.0, 0.0])

    orders = [sorted(order, key=lambda row: -scores[row]) for order in permutations(range(7))]
    precision = np.mean([labels[order[:capacity]].mean() for order in orders])
    captured = np.mean([value[order[:capacity]].sum() for order in orders])

    order = sort_scores(scores)
    groups = group_by_score(order, labels)
    assert precision_at(groups, capacity)[0] == pytest.approx(precision, abs=1e-12)
    assert recall_at(groups, capacity)[0] == pytest.approx(precision * capacity / 3, abs=1e-12)
    assert lift_at(groups, capacity)[0] == pytest.approx(precision / (3 / 7), abs=1e-12)
    assert taken_at(groups, order.sum_groups(value[None]), capacity)[0] == pytest.approx(captured, abs=1e-9)


def test_a_capacity_below_one_is_a_share_of_the_leads():
    labels, scores, _ = draw_rows()
    groups = group_by_score(sort_scores(scores), labels)

    assert precision_at(groups, 0.25)[0] == pytest.approx(precision_at(groups, 100)[0], abs=1e-12)


def test_more_capacity_than_leads_works_all_of_them():
    labels, scores, _ = draw_rows()
    groups = group_by_score(sort_scores(scores), labels)

    assert precision_at(groups, 10_000)[0] == pytest.approx(labels.mean(), abs=1e-12)
    assert recall_at(groups, 10_000)[0] == pytest.approx(1.0, abs=1e-12)


def test_a_resample_without_positives_has_no_recall_but_a_precision_of_zero():
    groups = group_by_score(sort_scores(np.array([2.0, 1.0])), np.array([1, 0]), np.array([0.0, 2.0]))

    assert np.isnan([average_precision(groups)[0], roc_auc(groups)[0], recall_at(groups, 1)[0], lift_at(groups, 1)[0]]).all()
    assert precision_at(groups, 1)[0] == 0.0


def test_infinite_scores_tie_with_each_other():
    groups = group_by_score(sort_scores(np.array([np.inf, np.inf, 0.0, -np.inf])), np.array([1, 0, 1, 0]))

    assert groups.weight.tolist() == [[2.0, 1.0, 1.0]]


def test_the_gain_curve_goes_straight_across_ties():
    curve = gain_curve([1, 0, 1, 0], [2.0, 1.0, 1.0, 0.0])

    assert curve.worked == (0.0, 0.25, 0.75, 1.0)
    assert curve.captured == (0.0, 0.5, 1.0, 1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sort_scores([1.0, np.nan]), "1 of 2 scores are NaN"),
        (lambda: sort_scores([]), "expected a number for every lead"),
        (lambda: group_by_score(sort_scores([1.0, 2.0]), [1]), "2 scores, 1 labels"),
        (lambda: group_by_score(sort_scores([1.0, 2.0]), [1, 3]), "label 3.0 is neither 0 nor 1"),
        (lambda: precision_at(group_by_score(sort_scores([1.0]), [1]), 0), "capacity is 0: expected"),
        (lambda: gain_curve([0, 0], [1.0, 2.0]), "no row has label 1"),
    ],
)
def test_what_cannot_be_ranked_is_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()
