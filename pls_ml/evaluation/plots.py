"""Pictures of results computed elsewhere; nothing here computes."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

from pls_ml.core.records import TrialRecord
from pls_ml.evaluation.ranking import GainCurve
from pls_ml.evaluation.reliability import ReliabilityTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008): told apart by colour-blind readers too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P")
QUIET = "#666666"


def draw_reliability(tables: dict[str, ReliabilityTable]) -> "Figure":
    """Takes reliability tables by candidate; returns their curves with consistency bands over histograms of the scores."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 6.4), layout="constrained")
    upper, *lower = figure.subplots(1 + len(tables), 1, sharex=True, height_ratios=[5, *[0.8] * len(tables)])
    top = max(edge for table in tables.values() for b in table.bins for edge in (b.predicted, b.observed, b.band_high))
    upper.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle="--", label="perfect")
    for (name, table), colour, marker, below in zip(tables.items(), cycle(COLOURS), cycle(MARKERS), lower, strict=False):
        predicted = [b.predicted for b in table.bins]
        band = ([b.band_low for b in table.bins], [b.band_high for b in table.bins])
        upper.fill_between(predicted, *band, color=colour, alpha=0.15, linewidth=0)
        upper.plot(predicted, [b.observed for b in table.bins], color=colour, marker=marker, markersize=5, label=name)
        below.stairs(table.histogram_counts, table.histogram_edges, fill=True, color=colour, alpha=0.7)
        below.set_ylabel("leads", color=QUIET)
    upper.set(xlim=(0, 1.05 * top), ylim=(0, 1.05 * top), ylabel="observed rate", title="Reliability")
    upper.legend(loc="upper left", frameon=False, title="band: 95 % if calibrated", alignment="left")
    lower[-1].set_xlabel("predicted probability (last bar: and above)")
    _tidy([upper, *lower])
    figure.align_ylabels()
    return figure


def draw_gain(curves: dict[str, GainCurve], capacity_share: float | None = None) -> "Figure":
    """Takes gain curves by candidate and the share of leads sales can work; returns them in one picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle="--", label="random order")
    for (name, curve), colour in zip(curves.items(), cycle(COLOURS), strict=False):
        axes.plot(curve.worked, curve.captured, color=colour, linewidth=1.8, label=name)
    if capacity_share is not None:
        axes.axvline(capacity_share, color=QUIET, linewidth=1, linestyle=":")
        axes.annotate("capacity", (capacity_share, 0.02), (4, 0), textcoords="offset points", color=QUIET)
    axes.set(xlim=(0, 1), ylim=(0, 1.01), title="Gain")
    axes.set(xlabel="share of leads worked, best first", ylabel="share of all buyers among them")
    axes.legend(loc="lower right", frameon=False)
    _tidy([axes])
    return figure


def draw_tuning(trials: Sequence[TrialRecord], best_so_far: Sequence[float]) -> "Figure":
    """Takes the trials of a search and the least loss up to each; returns its history, trials given up early as marks at the top."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.subplots()
    whole = [trial for trial in trials if not trial.pruned]
    axes.plot([t.number for t in whole], [t.loss for t in whole], "o", color=COLOURS[0], markersize=5, label="tried on every fold")
    axes.step([t.number for t in trials], best_so_far, where="post", color=COLOURS[1], linewidth=1.8, label="best so far")
    early = [trial.number for trial in trials if trial.pruned]
    axes.plot(early, [0.98] * len(early), "x", color=QUIET, markersize=5, transform=axes.get_xaxis_transform(), label="given up early")
    axes.set(title="Settings tried", xlabel="trial", ylabel="mean log loss on later rows")
    axes.legend(loc="upper right", bbox_to_anchor=(1, 0.95), frameon=False)
    _tidy([axes])
    return figure


def draw_estimates(figures: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> "Figure":
    """Takes for each figure the value, low and high by name; returns one panel a figure, a point and its interval a name."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 0.9 * len(figures) + 0.4), layout="constrained")
    panels = figure.subplots(len(figures), 1, squeeze=False)[:, 0]
    for axes, (title, found) in zip(panels, figures.items(), strict=True):
        known = {name: estimate for name, estimate in found.items() if estimate["value"] is not None}
        for place, (estimate, colour, marker) in enumerate(zip(known.values(), cycle(COLOURS), cycle(MARKERS), strict=False)):
            axes.plot(estimate["value"], -place, color=colour, marker=marker, markersize=6)
            if estimate["low"] is not None and estimate["high"] is not None:
                axes.plot([estimate["low"], estimate["high"]], [-place, -place], color=colour, linewidth=1.8)
        axes.set_yticks([-place for place in range(len(known))], list(known))
        axes.set_ylim(0.6 - len(known) - 0.2, 0.6)
        axes.set_title(title.replace("_", " "), loc="left", fontsize="medium")
    _tidy(list(panels))
    return figure


def _tidy(all_axes: "list[Axes]") -> None:
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#E5E5E5", linewidth=0.6)
        axes.set_axisbelow(True)
