"""Figures from draws of accounts are those of the drawn rows themselves, also where millions of rows would stand behind them."""

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from pls_ml.core.errors import DataError
from pls_ml.evaluation.bootstrap import draw_accounts
from pls_ml.evaluation.clusters import cluster_rows
from pls_ml.evaluation.measures import CandidateScores, Economics, prepare_candidate
from pls_ml.evaluation.smoothing import MOST_NODES, find_spline

ECONOMICS = Economics(win_value=4.0, contact_cost=1.0)


def draw_rows(n, decimals=12, seed=0):
    rng = np.random.default_rng(seed)
    accounts = rng.integers(0, max(5, n // 8), n)
    margin = np.round(rng.normal(-1, 1.2, n) + 0.5 * rng.normal(size=accounts.max() + 1)[accounts], decimals)
    labels = (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(float)
    return accounts, labels, margin, 1 / (1 + np.exp(-1.3 * margin - 0.2))


def copy_drawn(accounts, draws):
    """Row positions, each as often as its account was drawn."""
    codes = np.unique(accounts.astype(str), return_inverse=True)[1]
    return np.repeat(np.arange(len(accounts)), draws[codes].astype(int))


@pytest.mark.parametrize(("n", "decimals"), [(400, 0), (400, 12), (3 * MOST_NODES, 12)])
def test_a_draw_of_accounts_gives_the_figures_of_its_rows(n, decimals):
    accounts, labels, margin, probability = draw_rows(n, decimals)
    rows = cluster_rows(accounts)
    draws = next(draw_accounts(rows, 3, 1, 3))

    found = prepare_candidate(labels, CandidateScores(margin, probability), rows, economics=ECONOMICS).measure(draws, 0.2)

    for b, drawn in enumerate(draws):
        copied = copy_drawn(accounts, drawn)
        y, m, p = labels[copied], margin[copied], probability[copied]
        treated = np.where(p >= 0.25, np.where(y == 1, 1.0, -1 / 3), 0.0)
        refitted = brier_score_loss(y, IsotonicRegression().fit_transform(p, y))
        expected = {
            "roc_auc": roc_auc_score(y, m),
            "average_precision": average_precision_score(y, m),
            "log_loss": log_loss(y, p),
            "brier": brier_score_loss(y, p),
            "miscalibration": brier_score_loss(y, p) - refitted,
            "observed_expected": y.sum() / p.sum(),
            "net_benefit": treated.mean(),
        }
        assert {name: found[name][b] for name in expected} == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("n", [400, 3 * MOST_NODES])
def test_regressions_on_nodes_are_those_on_rows(n):
    accounts, labels, margin, probability = draw_rows(n)
    rows = cluster_rows(accounts)
    draws = next(draw_accounts(rows, 2, 1, 2))
    log_odds = np.log(probability) - np.log1p(-probability)
    curve = find_spline(log_odds)(log_odds)[:, 1:]

    found = prepare_candidate(labels, CandidateScores(margin, probability), rows).measure(draws, 0.2)

    for b, drawn in enumerate(draws):
        copied = copy_drawn(accounts, drawn)
        y = labels[copied]
        line = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(log_odds[copied, None], y)
        smooth = LogisticRegression(C=np.inf, tol=1e-12, max_iter=5000).fit(curve[copied], y).predict_proba(curve[copied])[:, 1]
        assert found["calibration_slope"][b] == pytest.approx(line.coef_[0, 0], abs=1e-6)
        assert found["calibration_intercept"][b] == pytest.approx(line.intercept_[0], abs=1e-6)
        assert found["ici"][b] == pytest.approx(np.abs(smooth - probability[copied]).mean(), abs=1e-6)


def test_a_row_weight_counts_like_copies_of_the_row():
    accounts, labels, margin, probability = draw_rows(300, decimals=1)
    weight = np.random.default_rng(2).integers(1, 4, 300)
    copied = np.repeat(np.arange(300), weight)
    scores = CandidateScores(margin, probability), CandidateScores(margin[copied], probability[copied])

    weighted, copies = (
        prepare_candidate(y, given, rows, economics=ECONOMICS).measure(np.ones((1, rows.count)), 0.2)
        for y, given, rows in (
            (labels, scores[0], cluster_rows(accounts, weight)),
            (labels[copied], scores[1], cluster_rows(accounts[copied])),
        )
    )

    same = [name for name in weighted if name != "ici"]  # whose knots lie at quantiles of the rows, whatever they weigh
    assert [weighted[name][0] for name in same] == pytest.approx([copies[name][0] for name in same], abs=1e-8)


def test_what_a_contact_gives_follows_from_what_it_costs():
    labels, margin = np.array([1, 0, 1, 0, 0, 0, 0, 0, 0, 0.0]), np.arange(10.0)[::-1]
    rows = cluster_rows(np.arange(10))

    found = prepare_candidate(labels, CandidateScores(margin), rows, economics=ECONOMICS).measure(np.ones((1, 10)), 0.3)

    assert found["expected_value"][0] == pytest.approx((2 * 4 - 3 * 1) / 10, abs=1e-12)


@pytest.mark.parametrize("cost", [0.0, -1.0, 4.0, float("nan")])
def test_a_contact_that_costs_nothing_or_too_much_is_refused(cost):
    with pytest.raises(DataError, match=r"contact_cost is .* and win_value 4: expected a cost above 0 and below it"):
        Economics(4.0, cost)


@pytest.mark.parametrize("weight", [[1.0], [1.0, 0.0], [1.0, -2.0], [1.0, float("nan")]])
def test_weights_that_do_not_fit_are_refused(weight):
    with pytest.raises(DataError, match=r"row weights for 2 rows"):
        cluster_rows(["a", "b"], weight)
