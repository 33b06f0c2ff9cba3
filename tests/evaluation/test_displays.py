"""Pictures show what the tables hold, follow scikit-learn's convention, and importing the package draws in no plotting."""

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from pls_ml.core.errors import UnknownNameError
from pls_ml.core.records import TrialRecord
from pls_ml.evaluation import (
    Displays,
    Estimate,
    EstimatesDisplay,
    FoldDisplay,
    GainDisplay,
    ImportanceDisplay,
    LearningCurve,
    LearningCurveDisplay,
    LiftDisplay,
    PrecisionRecallDisplay,
    RatioDisplay,
    ReliabilityDisplay,
    ScoreDisplay,
    TuningDisplay,
    pool_ratios,
    reliability_table,
)
from pls_ml.evaluation.displays import draw_png

mpl.use("agg")
RNG = np.random.default_rng(0)
MARGINS = RNG.normal(-2, 1, 2000)
MODEL = 1 / (1 + np.exp(-MARGINS))
LABELS = (RNG.random(2000) < MODEL).astype(np.int8)
LEVELS = np.repeat(["smb", "enterprise"], 1000)
TRIALS = tuple(TrialRecord(n + 1, {}, loss, 20, 9, loss == 0.1) for n, loss in enumerate([0.3, 0.4, 0.1, 0.2]))
ESTIMATES = (Estimate(0.2, 0.1, 0.3), Estimate(float("nan"), float("nan"), float("nan")), Estimate(0.4, 0.3, 0.5))
DISPLAYS = {
    "reliability": ReliabilityDisplay.from_predictions(LABELS, {"card": 1 / (1 + np.exp(-0.5 * MARGINS)), "model": MODEL}),
    "scores": ScoreDisplay.from_predictions(LABELS, MODEL),
    "ratios": RatioDisplay(pool_ratios("segment", LEVELS, LABELS, MODEL, np.arange(2000))),
    "gain": GainDisplay.from_predictions(LABELS, {"model": MARGINS, "worst": -MARGINS}, capacity=0.1),
    "lift": LiftDisplay.from_predictions(LABELS, {"model": MARGINS}, capacity=0.1),
    "precision_recall": PrecisionRecallDisplay.from_predictions(LABELS, {"model": MARGINS}),
    "folds": FoldDisplay("precision", ("a", "b", "c"), {"rules": ESTIMATES, "model": ESTIMATES[::-1]}),
    "learning": LearningCurveDisplay(LearningCurve("logistic", (5, 9, 20), (50, 90, 200), {"average_precision": ESTIMATES})),
    "tuning": TuningDisplay(TRIALS, (0.3, 0.3, 0.3, 0.2)),
    "estimates": EstimatesDisplay({"log_loss": {"first": ESTIMATES[0], "second": ESTIMATES[2]}, "slope": {"first": ESTIMATES[1]}}),
    "importance": ImportanceDisplay((("logins", 0.5, "more speaks for"), ("industry", 0.2, "by value"))),
}


@pytest.mark.parametrize("name", DISPLAYS)
def test_plot_draws_into_the_given_axes_and_returns_itself_with_them(name):
    axes, display = Figure(layout="constrained").subplots(), DISPLAYS[name]

    returned = display.plot(ax=axes)

    assert returned is display
    assert (display.ax_, display.figure_) == (axes, axes.figure)
    assert axes.get_title(loc="left") == display.title


@pytest.mark.parametrize("name", DISPLAYS)
def test_a_picture_has_words_and_is_the_same_file_every_time(name):
    display = DISPLAYS[name]

    assert draw_png(display) == draw_png(display)
    assert len(display.alt) > 20
    assert display.alt in repr(display)


def test_without_axes_a_new_figure_is_made():
    import matplotlib.pyplot as plt

    display = DISPLAYS["gain"].plot()

    assert display.figure_.number in plt.get_fignums()
    plt.close(display.figure_)


def test_drawing_files_leaves_no_figure_open():
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    for display in DISPLAYS.values():
        draw_png(display)

    assert plt.get_fignums() == before


def test_the_reliability_picture_shows_the_bins_of_every_candidate():
    axes = draw("reliability")

    curves = {line.get_label(): line for line in axes.lines}
    assert list(curves) == ["perfect", "card", "model"]
    assert curves["model"].get_ydata().tolist() == [b.observed for b in reliability_table(LABELS, MODEL).bins]
    assert len(axes.child_axes) == 2


def test_the_gain_picture_shows_every_curve_and_the_capacity():
    lines = {line.get_label(): line for line in draw("gain").lines}

    assert lines["model"].get_ydata().tolist() == list(DISPLAYS["gain"].curves["model"].captured)
    assert [0.1, 0.1] in [list(line.get_xdata()) for line in lines.values()]


def test_an_interval_stands_at_the_capacity():
    at = {"model": Estimate(0.3, 0.2, 0.4)}
    axes = Figure().subplots()

    GainDisplay(DISPLAYS["gain"].curves, 0.1, at).plot(axes)

    assert [0.2, 0.4] in [list(line.get_ydata()) for line in axes.lines]


def test_more_candidates_than_colours_are_all_drawn():
    axes = Figure().subplots()

    GainDisplay.from_predictions(LABELS, {f"candidate {place}": MARGINS for place in range(9)}).plot(axes)

    assert len(axes.lines) == 10


def test_the_base_rate_is_the_floor_of_precision():
    assert [LABELS.mean()] * 2 in [list(line.get_ydata()) for line in draw("precision_recall").lines]


def test_the_history_of_a_search_shows_whole_trials_the_best_so_far_and_what_was_given_up():
    lines = {line.get_label(): line for line in draw("tuning").lines}

    assert list(lines["tried on every fold"].get_ydata()) == [0.3, 0.4, 0.2]
    assert list(lines["best so far"].get_ydata()) == [0.3, 0.3, 0.3, 0.2]
    assert list(lines["given up early"].get_xdata()) == [3]


def test_a_fold_without_a_figure_is_left_out_of_the_line_and_named_in_words():
    assert "0.2 (0.1 to 0.3), not defined, 0.4 (0.3 to 0.5)" in DISPLAYS["folds"].alt


def test_an_unknown_picture_is_answered_with_those_there_are():
    found = Displays({"gain": DISPLAYS["gain"], "lift": DISPLAYS["lift"], "tuning": None})

    assert list(found) == ["gain", "lift"]
    assert "gian" not in found
    with pytest.raises(UnknownNameError, match=r"no picture 'gian' \(did you mean 'gain'\?\): there are gain, lift"):
        found["gian"]


def test_importing_the_package_loads_no_heavy_library():
    code = "import sys, pls_ml.evaluation; print({'matplotlib', 'sklearn', 'scipy'} & set(sys.modules))"

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "set()"


def draw(name):
    return DISPLAYS[name].plot(Figure(layout="constrained").subplots()).ax_
