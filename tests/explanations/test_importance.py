"""What a scorer listens to: sizes, directions, shapes and pairs on contributions that are known."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from pls_ml.calibration import SigmoidCalibrator
from pls_ml.core.catalogue import Catalogue
from pls_ml.explanations.importance import measure_importance, rank_pairs
from pls_ml.explanations.pictures import draw_beeswarm, draw_dependence, draw_interaction, name_axis
from pls_ml.explanations.receipts import build_receipts

COUNT = {"kind": "count", "events": ["x"]}
CATALOGUE = Catalogue.model_validate(
    {
        "signals": [
            {"id": "logins", "family": "velocity", "measure": COUNT, "windows": ["7d", "30d"], "label": "logins", "unit": "logins"},
            {"id": "errors", "family": "negative", "measure": COUNT, "windows": ["30d"], "label": "errors", "unit": "errors"},
            {
                "id": "plan",
                "family": "fit",
                "measure": {"kind": "attribute", "table": "users", "column": "plan", "type": "category"},
                "label": "the plan",
            },
            {"id": "silent", "family": "fit", "measure": COUNT, "windows": ["30d"], "label": "nothing"},
        ]
    }
)
N = 400
RNG = np.random.default_rng(3)
SIGNALS = pd.DataFrame(
    {
        "logins_7d": RNG.poisson(2, N).astype(float),
        "logins_30d": RNG.poisson(6, N).astype(float),
        "errors_30d": np.where(RNG.random(N) < 0.25, np.nan, RNG.poisson(3, N)),
        "plan": RNG.choice(["free", "team"], N),
        "silent_30d": np.zeros(N),
    }
)
SHARES = np.column_stack(
    [
        0.1 * SIGNALS["logins_7d"] - 0.2,
        0.5 * SIGNALS["logins_30d"] - 3,
        np.where(SIGNALS["errors_30d"].isna(), 0.05, -0.2 * SIGNALS["errors_30d"]),
        np.where(SIGNALS["plan"] == "team", 0.3, -0.3),
        np.zeros(N),
    ]
)


class Known:
    """Contributions written above."""

    def contributions(self, signals):
        return -2.0, SHARES[signals.index]


@pytest.fixture(scope="module")
def receipts():
    margins = -2 + SHARES.sum(axis=1)
    calibrator = SigmoidCalibrator().fit(margins, (RNG.random(N) < 1 / (1 + np.exp(-margins))).astype(np.int8))
    return build_receipts(Known(), calibrator, SIGNALS, [str(n) for n in range(N)], CATALOGUE)


@pytest.fixture(scope="module")
def found(receipts):
    return {one.signal: one for one in measure_importance(receipts, SHARES)}


def test_signals_come_by_size_without_those_that_say_nothing(receipts, found):
    assert list(found) == ["logins", "errors", "plan"]
    assert found["logins"].size == pytest.approx(np.abs(receipts.log_odds[:, 0]).mean())
    assert sum(one.share for one in found.values()) == pytest.approx(1)


def test_a_direction_is_that_of_the_contribution_along_the_window_that_says_most(found):
    assert {name: one.way for name, one in found.items()} == {
        "logins": "more speaks for",
        "errors": "more speaks against",
        "plan": "by value",
    }
    assert found["logins"].column.name == "logins_30d"


def test_a_shape_goes_through_all_values_and_ends_with_what_is_not_known(receipts, found):
    plan, errors = found["plan"].shape, found["errors"].shape

    team = (SIGNALS["plan"] == "team").to_numpy()
    assert dict(plan)["team"] == pytest.approx(receipts.log_odds[team, 2].mean())
    assert errors[-1][0] == "not known"
    assert [share for _, share in errors[:-1]] == sorted((share for _, share in errors[:-1]), reverse=True)
    assert errors[0][0].startswith("0")


def test_pairs_sum_over_windows_and_count_both_halves(found):
    interactions = np.zeros((2, 5, 5))
    interactions[:, 0, 2] = interactions[:, 2, 0] = [0.1, -0.3]  # logins_7d × errors
    interactions[:, 1, 2] = interactions[:, 2, 1] = [0.1, 0.1]  # logins_30d × errors
    interactions[:, 2, 3] = interactions[:, 3, 2] = 0.02

    pairs = rank_pairs(interactions, list(SIGNALS.columns), tuple(found.values()), CATALOGUE)

    assert [(pair.first.signal, pair.second.signal) for pair in pairs] == [("logins", "errors"), ("errors", "plan")]
    assert pairs[0].shares == pytest.approx([0.4, -0.4])
    assert pairs[0].size == pytest.approx(0.4)
    assert pairs[1].size == pytest.approx(0.04)


def test_pictures_say_what_their_axes_are_and_draw_the_same_twice(receipts, found):
    pair = rank_pairs(_interact(), list(SIGNALS.columns), tuple(found.values()), CATALOGUE)[0]
    before = np.random.get_state()[1].tolist()

    drawn = []
    for _ in range(2):
        axes = Figure().subplots(1, 3)
        draw_dependence(receipts, found["logins"], axes[0])
        draw_dependence(receipts, found["plan"], axes[1])
        draw_interaction(pair, SIGNALS.head(50), axes[2])
        drawn.append([collection.get_offsets().tolist() for one in axes for collection in one.collections])

    assert drawn[0] == drawn[1]
    assert axes[0].get_xlabel() == "logins, in the last 30 days"
    assert axes[0].get_ylabel() == "contribution (log-odds)"
    assert [tick.get_text() for tick in axes[1].get_xticklabels()].count("team") == 1
    assert np.random.get_state()[1].tolist() == before


def test_a_beeswarm_has_a_row_for_every_signal(receipts, found):
    axes = Figure().subplots()

    draw_beeswarm(receipts, tuple(found.values()), axes)

    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["the plan", "errors", "logins"]


def test_an_axis_is_named_with_its_unit_unless_the_label_has_it():
    assert name_axis(CATALOGUE.by_column["errors_30d"]) == "errors, in the last 30 days"
    assert name_axis(CATALOGUE.by_column["plan"]) == "the plan"


def _interact():
    found = np.zeros((50, 5, 5))
    found[:, 1, 2] = found[:, 2, 1] = np.linspace(-0.2, 0.2, 50)
    return found
