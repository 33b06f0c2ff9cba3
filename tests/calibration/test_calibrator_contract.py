"""What every registered calibrator promises."""

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from pls_ml.calibration import CALIBRATORS, CalibrationWarning, calibrator_from_dict
from pls_ml.core.errors import BundleError, DataError

GRID = np.linspace(-8, 8, 65)
MIDDLE = (-3.8, 0.8)
"""The margins of nine rows in ten: beyond the outermost steps a map of steps stays level."""
every_calibrator = pytest.mark.parametrize("calibrator", [made() for made in CALIBRATORS], ids=lambda made: made.kind)


def draw_rows(n=600, seed=0):
    rng = np.random.default_rng(seed)
    margins = rng.normal(-1.5, 1.4, n)
    labels = (rng.random(n) < 1 / (1 + np.exp(-(0.8 * margins + 0.3)))).astype(np.int8)
    return margins, labels, rng.integers(1, 4, n).astype(float)


@every_calibrator
def test_a_calibrator_survives_json_to_the_last_bit(calibrator):
    margins, labels, weights = draw_rows()
    fitted = clone(calibrator).fit(margins, labels, weights)

    read = calibrator_from_dict(json.loads(json.dumps(fitted.to_dict(), allow_nan=False)))

    grid = np.linspace(-50, 50, 1001)
    assert np.array_equal(read.transform(grid), fitted.transform(grid))
    assert read.to_dict() == fitted.to_dict()
    assert (read.positives_, read.rows_, read.domain_) == (int(labels.sum()), 600, (margins.min(), margins.max()))


@every_calibrator
def test_a_higher_margin_gives_a_higher_probability(calibrator):
    fitted = clone(calibrator).fit(*draw_rows())

    assert (np.diff(fitted.transform(np.linspace(*MIDDLE, 2001))) > 0).all()
    assert (np.diff(fitted.transform(np.linspace(-25, 15, 2001))) >= 0).all()


@every_calibrator
def test_probabilities_stay_inside_zero_and_one_at_any_margin(calibrator):
    fitted = clone(calibrator).fit(*draw_rows())

    found = fitted.transform(np.array([-1e6, -800.0, -40.0, 0.0, 40.0, 800.0, 1e6]))

    assert ((found > 0) & (found < 1)).all()
    assert (np.diff(found) >= 0).all()


@every_calibrator
def test_the_slope_is_the_derivative_of_the_transform(calibrator):
    fitted, step = clone(calibrator).fit(*draw_rows()), 1e-5

    numerical = (fitted.transform(GRID + step) - fitted.transform(GRID - step)) / (2 * step)

    assert fitted.slope(GRID) == pytest.approx(numerical, abs=1e-9)
    assert (fitted.slope(np.linspace(*MIDDLE, 65)) > 0).all()


@every_calibrator
def test_the_order_of_the_rows_does_not_matter(calibrator):
    margins, labels, weights = draw_rows()
    order = np.random.default_rng(1).permutation(margins.size)

    straight, shuffled = clone(calibrator).fit(margins, labels, weights), clone(calibrator)
    shuffled.fit(margins[order], labels[order], weights[order])

    assert shuffled.transform(GRID) == pytest.approx(straight.transform(GRID), abs=1e-9)


@every_calibrator
def test_a_weight_of_three_equals_three_rows(calibrator):
    margins, labels, weights = draw_rows()
    times = weights.astype(int)

    weighted, repeated = clone(calibrator).fit(margins, labels, weights), clone(calibrator)
    repeated.fit(np.repeat(margins, times), np.repeat(labels, times))

    assert weighted.transform(GRID) == pytest.approx(repeated.transform(GRID), abs=1e-9)


@every_calibrator
def test_a_weight_of_zero_leaves_the_row_out(calibrator):
    margins, labels, weights = draw_rows()
    weights[::3] = 0

    weighted, without = clone(calibrator).fit(margins, labels, weights), clone(calibrator)
    without.fit(margins[weights > 0], labels[weights > 0], weights[weights > 0])

    assert weighted.to_dict() == without.to_dict()


@every_calibrator
def test_the_mean_probability_equals_the_weighted_base_rate(calibrator):
    margins, labels, weights = draw_rows()

    fitted = clone(calibrator).fit(margins, labels, weights)

    # Between its steps the isotonic map runs straight, which keeps the mean of many rows and not to the last digit.
    assert weights @ fitted.transform(margins) == pytest.approx(weights @ labels, rel=0.03 if fitted.kind == "isotonic" else 1e-9)


@every_calibrator
def test_a_refitted_intercept_meets_the_new_base_rate_and_keeps_the_shape(calibrator):
    fitted = clone(calibrator).fit(*draw_rows())
    margins, labels, weights = draw_rows(n=900, seed=1)
    labels = labels * (np.random.default_rng(2).random(900) < 0.4)

    moved = fitted.refit_intercept(margins, labels, weights)

    assert weights @ moved.transform(margins) == pytest.approx(weights @ labels, rel=0.01 if fitted.kind == "isotonic" else 1e-9)
    steps = moved.log_odds(np.linspace(*MIDDLE, 9)) - fitted.log_odds(np.linspace(*MIDDLE, 9))
    assert np.ptp(steps) < (0.1 if fitted.kind == "isotonic" else 1e-9)
    assert steps.max() < -0.3
    assert (moved.positives_, moved.rows_, moved.kind) == (int(labels.sum()), 900, fitted.kind)
    assert fitted.to_dict() == clone(calibrator).fit(*draw_rows()).to_dict()


@every_calibrator
def test_one_lead_scores_as_in_a_batch_and_keeps_its_shape(calibrator):
    margins, labels, _ = draw_rows()
    fitted = clone(calibrator).fit(margins, labels)
    batch = fitted.transform(margins.reshape(20, 30))

    assert batch.shape == fitted.slope(margins.reshape(20, 30)).shape == (20, 30)
    assert [float(fitted.transform(margin)) for margin in margins] == batch.ravel().tolist()


@every_calibrator
def test_a_calibrator_is_a_cloneable_estimator_that_does_nothing_before_fit(calibrator):
    fitted = clone(calibrator).fit(*draw_rows())

    assert not hasattr(clone(fitted), "parameters_")
    with pytest.warns(match="requires input"):  # scikit-learn's further checks need two-dimensional input, a margin is one number
        check_estimator(clone(calibrator))
    with pytest.raises(NotFittedError, match="not fitted yet"):
        clone(calibrator).transform(np.zeros(3))


@every_calibrator
@pytest.mark.parametrize(
    ("margins", "labels", "weights", "message"),
    [
        ([0.0, 1.0, np.nan], [0, 1, 1], None, "1 of 3 margins are NaN"),
        ([0.0, 1.0, np.inf], [0, 1, 1], None, "1 of 3 margins are NaN or infinite"),
        ([0.0, 1.0], [0, 1, 1], None, r"margins \(2,\), labels \(3,\).*one length"),
        ([0.0, 1.0], [0, 1], [1.0], "one length"),
        ([0.0, 1.0], [0, 2], None, "label 2.0 is neither 0 nor 1"),
        ([0.0, 1.0], [0, 1], [1.0, -1.0], "weight is negative"),
        ([0.0, 1.0], [1, 1], None, "all 2 rows have label 1: .*both outcomes; take a longer"),
        ([0.0, 1.0], [0, 1], [1.0, 0.0], "all 1 rows have label 0"),
        ([], [], None, "there is no row"),
    ],
)
def test_rows_that_cannot_be_fitted_are_refused_in_a_sentence(calibrator, margins, labels, weights, message):
    with pytest.raises(DataError, match=message):
        clone(calibrator).fit(np.array(margins), np.array(labels), None if weights is None else np.array(weights))


@every_calibrator
def test_a_margin_that_is_not_finite_gets_no_probability(calibrator):
    fitted = clone(calibrator).fit(*draw_rows())

    with pytest.raises(DataError, match="1 of 2 margins are NaN"):
        fitted.transform(np.array([0.0, np.nan]))


@every_calibrator
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"parameters": {"z": 1.0}}, "expected finite numbers"),
        ({"parameters": None}, "AttributeError"),
        ({"parameters": {"a": [1.0]}}, "expected finite numbers"),
        ({"domain": [1.0]}, "damaged"),
        ({"rows": "many"}, "restore the bundle"),
    ],
)
def test_a_damaged_calibrator_is_refused(calibrator, damage, message):
    stored = clone(calibrator).fit(*draw_rows()).to_dict()

    with pytest.raises(BundleError, match=message):
        calibrator_from_dict(stored | damage)


@settings(max_examples=40, deadline=None)
@given(kind=st.sampled_from(CALIBRATORS), seed=st.integers(0, 10_000), n=st.integers(4, 60), scale=st.floats(0.01, 100))
def test_no_data_make_a_calibrator_reverse_an_order(kind, seed, n, scale):
    rng = np.random.default_rng(seed)
    margins, labels = rng.normal(0, scale, n), np.append([0, 1], rng.random(n - 2) < 0.3).astype(np.int8)

    with np.errstate(all="raise", under="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", CalibrationWarning)
        fitted = kind().fit(margins, labels)

    found = fitted.transform(np.sort(margins))
    assert ((found > 0) & (found < 1)).all()
    assert (np.diff(found) >= -1e-15).all()
    assert (fitted.slope(margins) >= 0).all()
