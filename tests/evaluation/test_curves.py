"""Curves and histograms against scikit-learn, ties included; what is kept of them reads back as it was."""

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from sklearn.metrics import precision_recall_curve as library_curve

from pls_ml.core.errors import DataError
from pls_ml.evaluation import (
    Estimate,
    GainCurve,
    LearningCurve,
    PooledRatios,
    gain_curve,
    pool_ratios,
    precision_recall_curve,
    score_histogram,
)
from pls_ml.evaluation.curves import POINTS, PrecisionRecallCurve, ScoreHistogram

RNG = np.random.default_rng(4)
SCORES = RNG.normal(-2, 1, 1500)
LABELS = (RNG.random(1500) < 1 / (1 + np.exp(-SCORES))).astype(np.int8)


@pytest.mark.parametrize("scores", [SCORES, SCORES.round(1), np.zeros(1500)], ids=["distinct", "ties", "all tied"])
def test_precision_and_recall_are_those_of_scikit_learn(scores):
    curve = precision_recall_curve(LABELS, scores)

    precision, recall, _ = library_curve(LABELS, scores)
    assert curve.recall[1:] == pytest.approx(recall[:-1][::-1], abs=1e-12)
    assert curve.precision[1:] == pytest.approx(precision[:-1][::-1], abs=1e-12)
    assert curve.recall[0] == 0
    assert curve.average_precision == pytest.approx(average_precision_score(LABELS, scores), abs=1e-12)
    assert curve.base_rate == LABELS.mean()


def test_without_a_won_lead_there_is_no_precision():
    with pytest.raises(DataError, match="at least one positive"):
        precision_recall_curve(np.zeros(5), np.arange(5))


def test_a_kept_curve_is_short_and_lies_on_the_whole_one():
    curve = precision_recall_curve(LABELS, SCORES)

    kept = PrecisionRecallCurve.from_dict(json.loads(json.dumps(curve.to_dict())))

    assert len(kept.recall) <= POINTS < len(curve.recall)
    assert set(zip(kept.recall, kept.precision, strict=True)) <= {
        (round(x, 6), round(y, 6)) for x, y in zip(curve.recall, curve.precision, strict=True)
    }
    assert (kept.recall[0], kept.recall[-1]) == (0, 1)
    assert (kept.average_precision, kept.base_rate) == (curve.average_precision, curve.base_rate)


def test_a_kept_gain_curve_says_the_same_at_every_percent_of_the_leads():
    curve = gain_curve(LABELS, SCORES)

    kept = GainCurve.from_dict(json.loads(json.dumps(curve.to_dict())))

    assert kept.worked == pytest.approx(np.linspace(0, 1, 101))
    assert kept.captured == pytest.approx(np.interp(np.linspace(0, 1, 101), curve.worked, curve.captured), abs=1e-6)


def test_lift_is_gain_by_the_share_worked_and_ends_at_one():
    worked, lift = gain_curve(LABELS, SCORES).lift

    best = np.sort(LABELS[np.argsort(-SCORES)][:150])
    assert lift[worked.index(0.1)] == pytest.approx(best.mean() / LABELS.mean())
    assert lift[-1] == 1


def test_bars_hold_every_lead_of_each_outcome_and_are_even_in_log_odds():
    probability = 1 / (1 + np.exp(-SCORES))

    found = score_histogram(LABELS, probability, bars=10)

    edges = np.log(found.edges) - np.log1p(-np.array(found.edges))
    assert np.diff(edges) == pytest.approx(np.full(10, np.ptp(SCORES) / 10))
    assert (sum(found.won), sum(found.lost)) == pytest.approx((1, 1))
    assert found.won == pytest.approx(np.histogram(SCORES[LABELS == 1], edges)[0] / LABELS.sum(), abs=0.02)
    assert ScoreHistogram.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_one_probability_for_all_and_an_outcome_nobody_has_still_give_bars():
    found = score_histogram(np.zeros(4), np.full(4, 0.2), bars=3)

    assert found.lost == (0, 1, 0)
    assert found.won == (0, 0, 0)


def test_a_learning_curve_and_ratios_read_back_as_they_were():
    curve = LearningCurve("logistic", (10, 20), (100, 210), {"roc_auc": (Estimate(0.6, 0.5, 0.7), Estimate(0.7, 0.65, 0.75))})
    ratios = pool_ratios("month", np.repeat(["a", "b"], 750), LABELS, 1 / (1 + np.exp(-SCORES)), np.arange(1500))

    assert LearningCurve.from_dict(json.loads(json.dumps(curve.to_dict()))) == curve
    assert PooledRatios.from_dict(json.loads(json.dumps(ratios.to_dict()))) == ratios


def test_an_estimate_that_is_not_defined_reads_back_as_not_a_number():
    back = Estimate.from_dict(Estimate(0.5, float("nan"), float("nan")).to_dict())

    assert back.value == 0.5
    assert np.isnan([back.low, back.high]).all()
