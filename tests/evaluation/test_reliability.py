"""Identities of the probability figures, and what they show on planted miscalibration."""

import json

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from pls_ml.core.errors import DataError
from pls_ml.evaluation import reliability_table
from pls_ml.evaluation.reliability import (
    brier_parts,
    calibration_index,
    calibration_line,
    log_loss,
    observed_expected,
    prepare_probabilities,
)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def draw_rows(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(-1.5, 1.2, n)
    return (rng.random(n) < sigmoid(z)).astype(np.int8), z, rng.integers(0, 4, n).astype(float)


def test_losses_equal_those_of_scikit_learn():
    labels, z, weights = draw_rows()
    rows = prepare_probabilities(labels, sigmoid(z))

    assert log_loss(rows, weights)[0] == pytest.approx(sklearn_log_loss(labels, sigmoid(z), sample_weight=weights), abs=1e-9)
    expected = brier_score_loss(labels, sigmoid(z), sample_weight=weights)
    assert brier_parts(rows, weights).brier[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("decimals", [1, 2, 12])
def test_miscalibration_and_discrimination_are_those_of_scikit_learns_isotonic_fit(decimals):
    labels, z, weights = draw_rows()
    probability = np.round(sigmoid(0.5 * z + 1), decimals)
    refitted = IsotonicRegression(y_min=0, y_max=1).fit(probability, labels, weights).predict(probability)
    base = np.average(labels, weights=weights)

    parts = brier_parts(prepare_probabilities(labels, probability), weights)

    losses = [np.average((stated - labels) ** 2, weights=weights) for stated in (probability, refitted, base)]
    assert parts.miscalibration[0] == pytest.approx(losses[0] - losses[1], abs=1e-12)
    assert parts.discrimination[0] == pytest.approx(losses[2] - losses[1], abs=1e-12)
    assert parts.uncertainty[0] == pytest.approx(losses[2], abs=1e-12)


@pytest.mark.parametrize("decimals", [1, 2, 12])
def test_the_parts_of_the_brier_score_sum_to_it_and_are_not_negative(decimals):
    labels, z, weights = draw_rows()
    rows = prepare_probabilities(labels, np.round(sigmoid(0.5 * z + 1), decimals))

    parts = brier_parts(rows, np.vstack([weights, np.ones_like(weights)]))

    assert parts.miscalibration - parts.discrimination + parts.uncertainty == pytest.approx(parts.brier, abs=1e-12)
    assert (parts.miscalibration >= -1e-12).all()
    assert (parts.discrimination >= -1e-12).all()


def test_a_probability_that_equals_the_rate_of_its_level_has_no_miscalibration():
    labels = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    probability = np.array([0.25] * 4 + [0.75] * 4)

    parts = brier_parts(prepare_probabilities(labels, probability))

    assert parts.miscalibration[0] == pytest.approx(0.0, abs=1e-12)
    assert parts.discrimination[0] == pytest.approx(0.0625, abs=1e-12)
    assert parts.uncertainty[0] == pytest.approx(0.25, abs=1e-12)


def test_the_base_rate_for_everybody_has_no_discrimination():
    labels, _, _ = draw_rows()

    parts = brier_parts(prepare_probabilities(labels, np.full(labels.size, 0.4)))

    assert parts.discrimination[0] == pytest.approx(0.0, abs=1e-12)
    assert parts.miscalibration[0] == pytest.approx((0.4 - labels.mean()) ** 2, abs=1e-12)


def test_the_calibration_line_is_the_logistic_regression_on_log_odds():
    labels, z, weights = draw_rows()
    regression = LogisticRegression(C=np.inf, tol=1e-12, max_iter=500, solver="newton-cholesky")
    regression.fit(z[:, None], labels, sample_weight=weights)

    intercept, slope = calibration_line(prepare_probabilities(labels, sigmoid(z)), weights)

    assert intercept[0] == pytest.approx(regression.intercept_[0], abs=1e-9)
    assert slope[0] == pytest.approx(regression.coef_[0, 0], abs=1e-9)


def test_perfect_probabilities_have_slope_one_intercept_zero_and_keep_their_promise():
    labels, z, _ = draw_rows(n=100_000)
    rows = prepare_probabilities(labels, sigmoid(z))

    intercept, slope = calibration_line(rows)

    assert slope[0] == pytest.approx(1.0, abs=0.03)
    assert intercept[0] == pytest.approx(0.0, abs=0.05)
    assert observed_expected(rows)[0] == pytest.approx(1.0, abs=0.02)
    assert calibration_index(rows)[0] < 0.003
    assert brier_parts(rows).miscalibration[0] < 0.001


def test_a_planted_distortion_is_read_off_the_line():
    labels, z, _ = draw_rows(n=100_000)

    intercept, slope = calibration_line(prepare_probabilities(labels, sigmoid(2 * z + 1)))

    assert slope[0] == pytest.approx(0.5, abs=0.02)
    assert intercept[0] == pytest.approx(-0.5, abs=0.03)


def test_the_calibration_index_is_the_mean_distance_to_the_truth():
    labels, z, _ = draw_rows(n=100_000)
    stated = sigmoid(z + 0.8 * np.sin(z))

    found = calibration_index(prepare_probabilities(labels, stated))[0]

    assert found == pytest.approx(np.abs(stated - sigmoid(z)).mean(), rel=0.1)


def test_the_calibration_index_is_that_of_another_natural_spline_and_scikit_learns_regression():
    labels, z, weights = draw_rows()
    probability = sigmoid(0.7 * z + 0.3)
    x = 0.7 * z + 0.3
    knots = np.quantile(x, [0.05, 0.35, 0.65, 0.95])
    cardinal = [CubicSpline(knots, row, bc_type="natural") for row in np.eye(4)]
    inside = np.clip(x, knots[0], knots[-1])  # a natural spline is straight beyond its outer knots
    basis = np.column_stack([spline(inside) + spline(inside, 1) * (x - inside) for spline in cardinal])
    regression = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-12, max_iter=500, solver="newton-cholesky")
    smoothed = regression.fit(basis, labels, sample_weight=weights).predict_proba(basis)[:, 1]

    found = calibration_index(prepare_probabilities(labels, probability), weights)

    assert found[0] == pytest.approx(np.average(np.abs(smoothed - probability), weights=weights), abs=1e-7)


def test_observed_over_expected_counts_wins_and_promises():
    rows = prepare_probabilities([0, 1, 1, 0], [0.1, 0.4, 0.2, 0.3])

    assert observed_expected(rows, np.array([[1, 1, 1, 1], [0, 2, 0, 1]])) == pytest.approx([2 / 1.0, 2 / 1.1])


def test_the_calibration_index_of_a_constant_is_its_distance_to_the_base_rate():
    labels, _, _ = draw_rows()

    found = calibration_index(prepare_probabilities(labels, np.full(labels.size, 0.4)))[0]

    assert found == pytest.approx(0.4 - labels.mean(), abs=1e-9)


def test_a_line_without_a_finite_optimum_is_not_defined():
    labels = np.array([0, 0, 1, 1])
    separated = calibration_line(prepare_probabilities(labels, [0.1, 0.2, 0.7, 0.8]))
    constant = calibration_line(prepare_probabilities(labels, [0.5, 0.5, 0.5, 0.5]))
    one_class = calibration_line(prepare_probabilities(labels, [0.5, 0.6, 0.3, 0.7]), np.array([1.0, 1.0, 0.0, 0.0]))

    assert np.isnan([*separated, *constant, *one_class]).all()


def test_one_undefined_resample_does_not_spoil_the_others():
    labels, z, weights = draw_rows()
    rows = prepare_probabilities(labels, sigmoid(z))
    only_negatives = np.where(labels == 0, 1.0, 0.0)

    _, slope = calibration_line(rows, np.vstack([only_negatives, weights]))

    assert np.isnan(slope[0])
    assert slope[1] == pytest.approx(calibration_line(rows, weights)[1][0], abs=1e-9)


def test_certain_probabilities_that_are_wrong_cost_much_but_not_infinitely():
    rows = prepare_probabilities([0, 1], [1.0, 0.0])

    assert 30 < log_loss(rows)[0] < 40


def test_the_table_holds_every_row_once_and_never_cuts_a_tie():
    labels, z, _ = draw_rows()
    probability = np.round(sigmoid(z), 2)

    table = reliability_table(labels, probability)

    assert sum(b.rows for b in table.bins) == sum(table.histogram_counts) == labels.size
    assert sum(b.rows * b.observed for b in table.bins) == pytest.approx(labels.sum(), abs=1e-9)
    assert sum(b.rows * b.predicted for b in table.bins) == pytest.approx(probability.sum(), abs=1e-9)
    assert [b.predicted for b in table.bins] == sorted({b.predicted for b in table.bins})
    tied = reliability_table(labels, np.where(z > -1, 0.3, 0.1))
    assert [b.rows for b in tied.bins] == [int((z <= -1).sum()), int((z > -1).sum())]


def test_the_band_holds_perfect_probabilities_and_not_distorted_ones():
    labels, z, _ = draw_rows(n=20_000)

    def inside(probability):
        return sum(b.band_low <= b.observed <= b.band_high for b in reliability_table(labels, probability).bins)

    assert inside(sigmoid(z)) >= 8
    assert inside(sigmoid(2 * z + 1)) <= 3


def test_the_band_is_that_of_the_binomial_where_all_probabilities_are_equal():
    table = reliability_table([0] * 70 + [1] * 30, [0.3] * 100)

    assert (table.bins[0].band_low, table.bins[0].band_high) == pytest.approx((0.21, 0.39), abs=0.011)


def test_the_table_is_the_same_for_the_same_seed_and_goes_into_json():
    labels, z, _ = draw_rows()

    first, second = reliability_table(labels, sigmoid(z), seed=3), reliability_table(labels, sigmoid(z), seed=3)

    assert first == second
    assert json.loads(json.dumps(first.to_dict()))["bins"][0]["rows"] == first.bins[0].rows
    assert first._repr_html_().count("<tr>") == 1 + len(first.bins)


@pytest.mark.parametrize(
    ("labels", "probability", "message"),
    [
        ([0, 1], [0.1, 1.2], "1 of 2 probabilities lie outside"),
        ([0, 1], [0.1, np.nan], "1 of 2 probabilities lie outside"),
        ([0, 1], [0.1], "2 labels and 1 probabilities"),
        ([0, 2], [0.1, 0.2], "label 2.0 is neither"),
    ],
)
def test_what_is_no_probability_is_refused(labels, probability, message):
    with pytest.raises(DataError, match=message):
        prepare_probabilities(labels, probability)
