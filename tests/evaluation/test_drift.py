"""The stability index against its definition as two relative entropies, and what its interval says of noise and of a real move."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy

from pls_ml.evaluation.bootstrap import account_resamples
from pls_ml.evaluation.drift import measure_drifts, profile_columns

LEVELS = ["software", "retail", "mining"]


def draw_table(n, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"sessions": rng.poisson(np.exp(0.5 + shift), n).astype(float), "employees": np.exp(rng.normal(4 + shift, 1, n))})
    table.loc[rng.random(n) < 0.2, "employees"] = np.nan
    table["industry"] = rng.choice(LEVELS, n, p=[0.5 - shift / 4, 0.3, 0.2 + shift / 4])
    return table.assign(empty=np.nan, constant=1.0)


def profile_of(table):
    return profile_columns(table, np.ones(len(table)))


def drift_of(profile, column, table, seed=0):
    return measure_drifts(profile, table[[column]], account_resamples(np.arange(len(table)) % 200, 200, seed))[column]


def test_the_index_is_the_sum_of_both_relative_entropies():
    then, now = draw_table(4000, 0), draw_table(1000, 1, shift=0.5)
    p, q = (np.append(table["industry"].value_counts().reindex(LEVELS), 0) + 0.5 for table in (then, now))

    found = drift_of(profile_of(then), "industry", now)

    assert found.value == pytest.approx(entropy(q / q.sum(), p / p.sum()) + entropy(p / p.sum(), q / q.sum()), abs=1e-12)


def test_numbers_are_cut_at_their_deciles_and_missing_ones_are_a_bin_of_their_own():
    table = draw_table(4000, 0)

    profile = profile_of(table)

    known = table["employees"].dropna()
    assert len(profile["employees"]["edges"]) == 9
    assert profile["employees"]["shares"][:-1] == pytest.approx([0.1 * len(known) / 4000] * 10, abs=0.001)
    assert profile["employees"]["shares"][-1] == pytest.approx(table["employees"].isna().mean(), abs=1e-12)
    assert profile["sessions"]["shares"][0] == pytest.approx((table["sessions"] <= profile["sessions"]["edges"][0]).mean(), abs=1e-12)
    assert profile["empty"]["shares"] == [0.0, 1.0]


def test_weights_count():
    table, weights = draw_table(500, 0), np.random.default_rng(1).integers(0, 4, 500).astype(float)

    weighted = profile_columns(table, weights)["industry"]["shares"]

    assert weighted[:-1] == pytest.approx([weights[table["industry"] == level].sum() / weights.sum() for level in LEVELS])


def test_a_profile_survives_json():
    profile = profile_of(draw_table(500, 0))

    assert json.loads(json.dumps(profile, allow_nan=False)) == profile


@pytest.mark.parametrize("column", ["sessions", "employees", "industry", "empty", "constant"])
def test_other_leads_of_the_same_kind_have_not_moved(column):
    found = drift_of(profile_of(draw_table(4000, 0)), column, draw_table(800, 1))

    assert 0 <= found.low < 0.02
    assert found.value < 0.04


@pytest.mark.parametrize("column", ["sessions", "employees"])
def test_a_planted_move_is_seen(column):
    found = drift_of(profile_of(draw_table(4000, 0)), column, draw_table(800, 1, shift=1.0))

    assert found.low > 0.25


def test_values_and_levels_that_training_never_saw_have_a_place():
    profile = profile_of(draw_table(4000, 0))
    strange = pd.DataFrame({"sessions": [-9.0, 1e9, np.nan], "industry": ["fishing", None, "mining"], "empty": [1.0, 2.0, 3.0]})

    found = measure_drifts(profile, strange, [np.ones((2, 3))])

    assert all(np.isfinite(one.value) and one.value > 0.2 for one in found.values())
