"""What only pairs of signals say: as shap has it where shap can, and an identity where it cannot."""

import numpy as np
import pandas as pd
import pytest

from pls_ml.core.errors import BundleError
from pls_ml.scores import BoostedScorer
from pls_ml.scores.growth import TreeSettings
from pls_ml.scores.interactions import measure_interactions

RNG = np.random.default_rng(2)
NUMBERS = pd.DataFrame(RNG.normal(size=(2500, 5)), columns=list("abcde"))
NUMBERS.loc[RNG.random(2500) < 0.2, "b"] = np.nan
TOGETHER = ((NUMBERS["a"] > 0) & (NUMBERS["c"] > 0)).to_numpy()
WON = (RNG.random(2500) < np.where(TOGETHER, 0.5, 0.1)).astype(np.int8)


@pytest.fixture(scope="module")
def fitted():
    return BoostedScorer(n_trees=30, seeds=2, settings=TreeSettings()).fit(NUMBERS, WON)


def test_without_categories_the_values_are_those_of_shap(fitted):
    shap = pytest.importorskip("shap")
    some = NUMBERS.head(40)

    found = fitted.interactions(some)

    expected = np.mean([shap.TreeExplainer(one).shap_interaction_values(some.to_numpy()) for one in fitted.boosters_], axis=0)
    expected[:, range(5), range(5)] = 0
    assert found == pytest.approx(expected, abs=1e-6)


def test_two_signals_that_only_count_together_interact_most(fitted):
    size = np.abs(fitted.interactions(NUMBERS.head(200))).mean(axis=0)

    assert np.unravel_index(size.argmax(), size.shape) in {(0, 2), (2, 0)}


def test_with_categories_a_change_of_two_signals_is_what_either_says_alone_and_their_interaction():
    """Of trees in two signals alone: contribution i = its own part + half the interaction, so both differ by what a pair shares."""
    signals = pd.DataFrame({"size": NUMBERS["a"], "kind": np.where(NUMBERS["c"] > 0, "x", "y")})
    scorer = BoostedScorer(n_trees=20, settings=TreeSettings()).fit(signals, WON)
    some = signals.head(100)

    found = scorer.interactions(some)

    assert found[:, 0, 1] == pytest.approx(found[:, 1, 0], abs=1e-12)
    assert np.abs(found[:, 0, 1]).max() > 0.01
    assert found[:, [0, 1], [0, 1]] == pytest.approx(0)
    own = scorer.contributions(some)[1] - found.sum(axis=2)
    for name, column in (("size", 0), ("kind", 1)):  # what is left of a signal depends on its own value alone, on average
        part = pd.Series(own[:, column]).groupby(pd.qcut(some[name], 4).astype(str) if column == 0 else some[name]).std().mean()
        assert part < pd.Series(scorer.contributions(some)[1][:, column]).std()


def test_trees_that_cannot_be_read_are_refused(fitted):
    class Linear:
        def model_to_string(self):
            return fitted.boosters_[0].model_to_string().replace("is_linear=0", "is_linear=1")

    with pytest.raises(BundleError, match="cannot be split into pairs"):
        measure_interactions([Linear()], np.zeros((1, 5)))
