"""The band is, at every margin, what two isotonic fits with the new lead among the rows say."""

import json

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from pls_ml.calibration import VennAbersBand, fit_band
from pls_ml.core.errors import BundleError, DataError


def draw_rows(n, seed, decimals=1):
    rng = np.random.default_rng(seed)
    margins = np.round(rng.normal(-1, 1.5, n), decimals)
    labels = (rng.random(n) < 1 / (1 + np.exp(-(0.9 * margins - 0.3)))).astype(np.int8)
    labels[:2] = [0, 1]
    return margins, labels


def refit_with(margin, label, margins, labels, weights):
    """The definition, written down: scikit-learn's fit on the rows and the new lead."""
    rows = np.append(margins, margin), np.append(labels, label), np.append(weights, 1.0)
    return IsotonicRegression(y_min=0, y_max=1).fit(*rows).predict([margin])[0]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("weighted", [False, True], ids=["equal weights", "weights"])
def test_the_band_equals_two_isotonic_fits_at_every_margin_between_them_and_beyond(seed, weighted):
    n = 3 + 11 * seed
    margins, labels = draw_rows(n, seed)
    weights = np.random.default_rng(seed).uniform(0.1, 2.5, n) if weighted else np.ones(n)
    distinct = np.unique(margins)
    new = np.concatenate([distinct, (distinct[1:] + distinct[:-1]) / 2, [distinct[0] - 1, distinct[-1] + 1]])

    low, high = fit_band(margins, labels, weights).at(new)

    assert low == pytest.approx([refit_with(margin, 0, margins, labels, weights) for margin in new], abs=1e-9)
    assert high == pytest.approx([refit_with(margin, 1, margins, labels, weights) for margin in new], abs=1e-9)


def test_the_band_is_an_interval_that_never_falls_and_runs_from_zero_to_one():
    band = fit_band(*draw_rows(3000, 1, decimals=6))

    low, high = band.at(np.linspace(-9, 9, 4001))

    assert (low < high).all()
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) >= 0).all()
    assert (low[0], high[-1]) == (0.0, 1.0)


def test_the_band_is_wide_where_rows_are_few_and_narrow_where_they_are_many():
    grid = np.linspace(-3, 1, 41)

    widths = [np.ptp(fit_band(*draw_rows(n, 2, decimals=6)).at(grid), axis=0).mean() for n in (60, 600, 6000, 60000)]

    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 0.05
    assert widths[-1] < 0.01


def test_wins_of_new_leads_lie_between_the_two_probabilities_on_average():
    band = fit_band(*draw_rows(4000, 3, decimals=6))
    margins, labels = draw_rows(40_000, 4, decimals=6)

    low, high = band.at(margins)

    for part in (margins < -2, (margins >= -2) & (margins < 0), margins >= 0):
        assert low[part].mean() - 0.02 < labels[part].mean() < high[part].mean() + 0.02


def test_a_band_survives_json_to_the_last_bit_and_stays_small():
    margins, labels = draw_rows(20_000, 4, decimals=9)
    band = fit_band(margins, labels, np.random.default_rng(0).uniform(0.2, 1, 20_000))

    text = json.dumps(band.to_dict(), allow_nan=False)
    read = VennAbersBand.from_dict(json.loads(text))

    grid = np.linspace(-8, 8, 999)
    assert read == band
    assert np.array_equal(read.at(grid), band.at(grid))
    assert (band.rows, band.positives) == (20_000, labels.sum())
    assert len(text) < 100_000


def test_rows_of_an_account_that_repeat_each_other_make_the_band_no_narrower():
    margins, labels = draw_rows(400, 9, decimals=6)
    again = [np.repeat(part, 25) for part in (margins, labels)]

    once, repeated = fit_band(margins, labels), fit_band(*again, groups=np.repeat(np.arange(400), 25))

    grid = np.linspace(-5, 4, 301)
    assert np.array(repeated.at(grid)) == pytest.approx(np.array(once.at(grid)), abs=1e-9)
    assert np.ptp(fit_band(*again).at(grid), axis=0).mean() < 0.3 * np.ptp(once.at(grid), axis=0).mean()


def test_the_order_of_the_rows_does_not_matter():
    margins, labels = draw_rows(500, 5)
    order = np.random.default_rng(1).permutation(500)

    assert fit_band(margins[order], labels[order]) == fit_band(margins, labels)


def test_one_lead_gets_the_band_it_has_in_a_batch():
    margins, labels = draw_rows(300, 6)
    band = fit_band(margins, labels)

    low, high = band.at(margins.reshape(20, 15))

    assert low.shape == high.shape == (20, 15)
    assert [float(band.at(margin)[1]) for margin in margins] == high.ravel().tolist()


def test_rows_and_margins_that_say_nothing_are_refused():
    with pytest.raises(DataError, match="all 3 rows have label 0"):
        fit_band(np.arange(3.0), np.zeros(3, np.int8))
    with pytest.raises(DataError, match="1 of 2 margins are NaN"):
        fit_band(*draw_rows(50, 7)).at(np.array([0.0, np.nan]))


@pytest.mark.parametrize(
    "damage",
    [{"low": None}, {"low": [0.1]}, {"high": [0.5, 0.4], "high_margins": [0.0, 1.0]}, {"low_margins": []}, {"rows": "many"}],
)
def test_a_damaged_band_is_refused(damage):
    stored = fit_band(*draw_rows(50, 8)).to_dict()

    with pytest.raises(BundleError, match=r"Venn-Abers band is damaged .*: restore the bundle from a copy, or recalibrate"):
        VennAbersBand.from_dict(stored | damage)
