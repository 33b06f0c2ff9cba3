"""Each calibrator recovers what was planted, and says so when there is nothing to recover."""

import math
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pls_ml.calibration import (
    BetaCalibrator,
    CalibrationWarning,
    InterceptCalibrator,
    SigmoidCalibrator,
    calibrator_from_dict,
)
from pls_ml.core.errors import BundleError

GRID = np.linspace(-6, 4, 301)


def certain_rows(log_odds):
    """Every margin once as a buyer and once as none, weighted by the true probability: no noise to recover from."""
    p = 1 / (1 + np.exp(-log_odds))
    return np.tile(GRID, 2), np.repeat([1, 0], GRID.size).astype(np.int8), np.append(p, 1 - p)


def test_the_intercept_calibrator_recovers_a_planted_shift():
    fitted = InterceptCalibrator().fit(*certain_rows(GRID - 1.3))

    assert fitted.parameters_ == pytest.approx({"a": -1.3}, abs=1e-9)


def test_the_sigmoid_calibrator_recovers_a_planted_line():
    fitted = SigmoidCalibrator().fit(*certain_rows(0.7 * GRID - 0.4))

    assert fitted.parameters_ == pytest.approx({"b": 0.7, "a": -0.4}, abs=1e-9)


def test_the_beta_calibrator_recovers_planted_parameters():
    p0 = 1 / (1 + np.exp(-GRID))

    fitted = BetaCalibrator().fit(*certain_rows(1.4 * np.log(p0) - 0.3 * np.log(1 - p0) - 0.5))

    assert fitted.parameters_ == pytest.approx({"a": 1.4, "b": 0.3, "c": -0.5}, abs=1e-9)


def test_beta_with_equal_slopes_is_the_sigmoid():
    stored = {"positives": 9, "rows": 99, "domain": [-3.0, 3.0]}
    beta = calibrator_from_dict(stored | {"kind": "beta", "parameters": {"a": 0.8, "b": 0.8, "c": -0.2}})
    sigmoid = calibrator_from_dict(stored | {"kind": "sigmoid", "parameters": {"b": 0.8, "a": -0.2}})

    assert beta.transform(GRID) == pytest.approx(sigmoid.transform(GRID), abs=1e-12)
    assert beta.slope(GRID) == pytest.approx(sigmoid.slope(GRID), abs=1e-12)


def test_beta_is_exact_where_the_probability_has_long_rounded_to_one():
    stored = {"kind": "beta", "parameters": {"a": 1.0, "b": 0.01, "c": 0.0}, "positives": 9, "rows": 99, "domain": [0.0, 1.0]}

    found = calibrator_from_dict(stored).transform(np.array([100.0, 700.0]))

    assert found == pytest.approx(1 / (1 + np.exp([-1.0, -7.0])), abs=1e-12)


@pytest.mark.parametrize("slope_of_one_tail", ["a", "b"])
def test_beta_stops_at_a_slope_of_zero_in_the_tail_that_would_fall(slope_of_one_tail):
    fall, rise = -0.5, 1.5
    planted = (fall, rise) if slope_of_one_tail == "a" else (rise, fall)
    log_odds = -planted[0] * np.logaddexp(0, -GRID) + planted[1] * np.logaddexp(0, GRID) - 0.5

    fitted = BetaCalibrator().fit(*certain_rows(log_odds))

    assert fitted.parameters_[slope_of_one_tail] == 0.0
    assert max(fitted.parameters_["a"], fitted.parameters_["b"]) > 0.5
    assert (np.diff(fitted.transform(GRID)) > 0).all()


@pytest.mark.parametrize("calibrator", [SigmoidCalibrator, BetaCalibrator])
def test_a_planted_negative_relation_gives_everybody_the_base_rate_and_a_warning(calibrator):
    margins, labels, weights = certain_rows(-0.6 * GRID - 1)

    with pytest.warns(CalibrationWarning, match="every lead gets the base rate"):
        fitted = calibrator().fit(margins, labels, weights)

    assert fitted.transform(GRID) == pytest.approx(np.average(labels, weights=weights), abs=1e-12)
    assert not fitted.slope(GRID).any()


@pytest.mark.parametrize("calibrator", [SigmoidCalibrator, BetaCalibrator])
def test_margins_that_separate_the_classes_keep_their_own_slope_and_warn(calibrator):
    margins = np.array([-3.0, -2.0, -2.0, 1.0, 2.0])

    with pytest.warns(CalibrationWarning, match="no slope can be estimated"):
        fitted = calibrator().fit(margins, np.array([0, 0, 0, 1, 1]))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = InterceptCalibrator().fit(margins, np.array([0, 0, 0, 1, 1]))
    assert fitted.transform(margins) == pytest.approx(plain.transform(margins), abs=1e-9)


def test_margins_so_low_that_one_tail_is_invisible_still_fit():
    rng = np.random.default_rng(0)
    margins = rng.normal(-60, 1, 400)
    labels = (rng.random(400) < 1 / (1 + np.exp(-(margins + 60)))).astype(np.int8)

    fitted = BetaCalibrator().fit(margins, labels)

    assert fitted.parameters_["b"] == 0.0
    assert all(map(math.isfinite, fitted.parameters_.values()))


def test_an_unknown_kind_is_refused_with_a_suggestion():
    with pytest.raises(BundleError, match=r"kind 'sigmiod' is unknown \(did you mean 'sigmoid'\?\)"):
        calibrator_from_dict({"kind": "sigmiod"})


def test_a_stored_slope_below_zero_is_refused():
    stored = {"kind": "sigmoid", "parameters": {"b": -0.1, "a": 0.0}, "positives": 9, "rows": 99, "domain": [0.0, 1.0]}

    with pytest.raises(BundleError, match="slope below 0"):
        calibrator_from_dict(stored)


def test_a_night_that_only_scores_imports_neither_scikit_learn_nor_scipy():
    stored = {"kind": "beta", "parameters": {"a": 1.0, "b": 1.0, "c": 0.0}, "positives": 9, "rows": 99, "domain": [0.0, 1.0]}
    code = (
        "import sys, numpy; from pls_ml.calibration import calibrator_from_dict; "
        f"calibrator_from_dict({stored}).transform(numpy.zeros(2)); print({{'sklearn', 'scipy'}} & set(sys.modules))"
    )

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("made", "columns"),
    [(SigmoidCalibrator, lambda p: [np.log(p / (1 - p))]), (BetaCalibrator, lambda p: [np.log(p), -np.log(1 - p)])],
    ids=["sigmoid", "beta"],
)
def test_the_fit_is_scikit_learns_logistic_regression_on_the_same_columns(made, columns):
    rng = np.random.default_rng(0)
    margins, weights = rng.normal(-1, 1.5, 4000), rng.uniform(0.2, 2, 4000)
    labels = (rng.random(4000) < 1 / (1 + np.exp(-(0.8 * margins + 0.2)))).astype(np.int8)
    design = np.column_stack(columns(1 / (1 + np.exp(-margins))))
    regression = LogisticRegression(C=np.inf, tol=1e-12, max_iter=500, solver="newton-cholesky").fit(design, labels, weights)

    fitted = made().fit(margins, labels, weights)

    assert [fitted.parameters_[name] for name in made.slope_names] == pytest.approx(regression.coef_[0], abs=1e-7)
    assert fitted.parameters_[made.intercept_name] == pytest.approx(regression.intercept_[0], abs=1e-7)
    assert (regression.coef_ > 0).all()
