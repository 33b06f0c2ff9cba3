"""Plots show what the tables hold, and importing the package draws in no plotting."""

import io
import subprocess
import sys

import numpy as np

from pls_ml.core.records import TrialRecord
from pls_ml.evaluation import draw_gain, draw_reliability, draw_tuning, gain_curve, reliability_table

RNG = np.random.default_rng(0)
MARGINS = RNG.normal(-2, 1, 2000)
LABELS = (RNG.random(2000) < 1 / (1 + np.exp(-MARGINS))).astype(np.int8)


def test_the_reliability_plot_shows_the_bins_of_every_candidate():
    stated = {"card": 1 / (1 + np.exp(-0.5 * MARGINS)), "model": 1 / (1 + np.exp(-MARGINS))}
    tables = {name: reliability_table(LABELS, probability) for name, probability in stated.items()}

    figure = draw_reliability(tables)

    curves = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(curves) == ["perfect", "card", "model"]
    assert curves["card"].get_ydata().tolist() == [b.observed for b in tables["card"].bins]
    assert len(figure.axes) == 3
    figure.savefig(io.BytesIO(), format="png")


def test_the_gain_plot_shows_every_curve_and_the_capacity():
    curves = {name: gain_curve(LABELS, MARGINS * sign) for name, sign in (("model", 1), ("worst", -1))}

    figure = draw_gain(curves, capacity_share=0.1)

    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert lines["model"].get_ydata().tolist() == list(curves["model"].captured)
    assert [0.1, 0.1] in [list(line.get_xdata()) for line in figure.axes[0].lines]
    figure.savefig(io.BytesIO(), format="png")


def test_more_candidates_than_colours_are_all_drawn():
    curve = gain_curve(LABELS, MARGINS)

    figure = draw_gain({f"candidate {place}": curve for place in range(9)})

    assert len(figure.axes[0].lines) == 10


def test_the_history_of_a_search_shows_whole_trials_the_best_so_far_and_what_was_given_up():
    losses = [0.3, 0.4, 0.1, 0.2]
    trials = [TrialRecord(n + 1, {}, loss, 20, 9, loss == 0.1) for n, loss in enumerate(losses)]

    axes = draw_tuning(trials, [0.3, 0.3, 0.3, 0.2]).axes[0]

    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines["tried on every fold"].get_ydata()) == [0.3, 0.4, 0.2]
    assert list(lines["best so far"].get_ydata()) == [0.3, 0.3, 0.3, 0.2]
    assert list(lines["given up early"].get_xdata()) == [3]
    axes.figure.savefig(io.BytesIO(), format="png")


def test_importing_the_package_loads_no_heavy_library():
    code = "import sys, pls_ml.evaluation; print({'matplotlib', 'sklearn', 'scipy'} & set(sys.modules))"

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "set()"
