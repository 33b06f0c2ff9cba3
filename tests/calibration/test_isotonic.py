"""The steps of the isotonic map are those of scikit-learn; between their centres it runs straight."""

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from pls_ml.calibration import CalibrationWarning, IsotonicCalibrator, calibrator_from_dict
from pls_ml.core.errors import BundleError


def draw_rows(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    margins = np.round(rng.normal(-1, 1.2, n), 2)  # two decimals: most margins are tied
    labels = (rng.random(n) < 1 / (1 + np.exp(-(1.2 * margins + np.sin(2 * margins))))).astype(np.int8)
    return margins, labels, rng.uniform(0.1, 2, n)


def pool_outer(margins, labels, weights, fitted):
    """What scikit-learn's fit becomes when a first or last step of one class joins its neighbour, written down slowly."""
    levels = [np.flatnonzero(fitted == value) for value in np.unique(fitted)]
    while len(levels) > 1 and len(set(labels[levels[0]])) == 1:
        levels[:2] = [np.concatenate(levels[:2])]
    while len(levels) > 1 and len(set(labels[levels[-1]])) == 1:
        levels[-2:] = [np.concatenate(levels[-2:])]
    return [[np.average(part[rows], weights=weights[rows]) for rows in levels] for part in (margins, labels)]


@pytest.mark.parametrize("seed", range(5))
def test_centres_and_heights_are_those_of_scikit_learns_steps(seed):
    margins, labels, weights = draw_rows(seed=seed)
    outside = IsotonicRegression(out_of_bounds="clip").fit(margins, labels, weights).predict(margins)

    fitted = IsotonicCalibrator().fit(margins, labels, weights)

    centres, heights = pool_outer(margins, labels, weights, np.round(outside, 12))
    assert len(centres) > 10
    assert fitted.parameters_["margins"] == pytest.approx(centres, abs=1e-9)
    assert fitted.parameters_["probabilities"] == pytest.approx(heights, abs=1e-9)


def test_the_map_goes_straight_from_centre_to_centre_and_stays_level_outside():
    fitted = IsotonicCalibrator().fit(np.array([0.0, 0, 1, 3, 3, 5, 6, 6]), np.array([0, 1, 1, 0, 0, 1, 1, 0]))

    # Pooled are {0, 0, 1, 3, 3}, 2 of 5 won, with the centre 1.4, and {5, 6, 6}, 2 of 3 won, with the centre 17 / 3.
    assert fitted.parameters_ == {"margins": pytest.approx([1.4, 17 / 3]), "probabilities": pytest.approx([0.4, 2 / 3])}
    assert fitted.transform(np.array([-9, 1.4, (1.4 + 17 / 3) / 2, 17 / 3, 9])) == pytest.approx([0.4, 0.4, 8 / 15, 2 / 3, 2 / 3])
    assert fitted.slope(np.array([-9.0, 2.0, 9.0])) == pytest.approx([0, (2 / 3 - 0.4) / (17 / 3 - 1.4), 0])


def test_no_step_claims_certainty():
    margins = np.arange(10.0)

    fitted = IsotonicCalibrator().fit(margins, np.array([0, 0, 0, 1, 0, 1, 1, 0, 1, 1]))

    # {0, 1, 2} holds no win and joins {3, 4}; {8, 9} holds nothing else and joins {5, 6, 7}.
    assert fitted.parameters_ == {"margins": [2.0, 7.0], "probabilities": [0.2, 0.8]}


@pytest.mark.parametrize("labels", [[0, 0, 0, 1, 1], [1, 1, 0, 0, 0]], ids=["separated", "falling"])
def test_margins_that_make_one_step_give_everybody_the_base_rate_and_a_warning(labels):
    with pytest.warns(CalibrationWarning, match="one step only, so every lead gets the base rate 0.4: check the labels"):
        fitted = IsotonicCalibrator().fit(np.arange(5.0), np.array(labels))

    assert fitted.transform(np.array([-9.0, 2.0, 9.0])) == pytest.approx(0.4)
    assert not fitted.slope(np.array([-9.0, 2.0, 9.0])).any()


def test_many_rows_keep_their_mean():
    margins, labels, weights = draw_rows(40_000)

    fitted = IsotonicCalibrator().fit(margins, labels, weights)

    assert weights @ fitted.transform(margins) == pytest.approx(weights @ labels, rel=0.01)


def test_the_map_comes_near_the_truth_that_made_the_labels():
    margins, labels, _ = draw_rows(40_000)
    truth = 1 / (1 + np.exp(-(1.2 * margins + np.sin(2 * margins))))

    fitted = IsotonicCalibrator().fit(margins, labels)

    steps = IsotonicRegression(out_of_bounds="clip").fit(margins, labels)
    assert np.abs(fitted.transform(margins) - truth).mean() < 0.02
    assert np.abs(fitted.transform(margins) - truth).mean() < 1.1 * np.abs(steps.predict(margins) - truth).mean()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"margins": [0.0, 1.0], "probabilities": [0.2]}, "1 probabilities for 2 margins"),
        ({"margins": [1.0, 1.0], "probabilities": [0.2, 0.3]}, "margins rising"),
        ({"margins": [0.0, 1.0], "probabilities": [0.4, 0.3]}, "would reverse the order"),
        ({"margins": [0.0, 1.0], "probabilities": [0.4, 1.0]}, "claim certainty"),
        ({"margins": [], "probabilities": []}, "expected finite numbers"),
        ({"margins": 1.0, "probabilities": 0.5}, "expected finite numbers"),
    ],
)
def test_stored_steps_that_make_no_rising_map_are_refused(parameters, message):
    with pytest.raises(BundleError, match=message):
        calibrator_from_dict({"kind": "isotonic", "parameters": parameters, "positives": 9, "rows": 99, "domain": [0.0, 1.0]})
