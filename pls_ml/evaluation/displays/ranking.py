"""How well candidates rank: gain, lift, precision and recall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING

import numpy.typing as npt

from pls_ml.evaluation.bootstrap import Estimate
from pls_ml.evaluation.curves import PrecisionRecallCurve, precision_recall_curve
from pls_ml.evaluation.displays.base import COLOURS, DASHES, QUIET, Display, tidy
from pls_ml.evaluation.ranking import GainCurve, gain_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class GainDisplay(Display):
    """The share of all buyers found by working the leads best first; at the capacity (a share of the leads) recall with its interval."""

    title = "Gain: buyers found by working the leads best first"
    curves: Mapping[str, GainCurve]
    capacity: float | None = None
    at_capacity: Mapping[str, Estimate] = field(default_factory=dict)

    @classmethod
    def from_predictions(cls, labels: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike], capacity: float | None = None) -> GainDisplay:
        """Takes n labels, n scores by candidate and the share of leads that sales can work; returns the picture."""
        return cls({name: gain_curve(labels, given) for name, given in scores.items()}, capacity)

    @property
    def alt(self) -> str:
        """The picture in words."""
        return f"share of all buyers against share of leads worked{_say_capacity('recall', self.capacity, self.at_capacity, self.curves)}"

    def _draw(self, axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle="--", label="random order")
        for (name, curve), colour, dash in zip(self.curves.items(), cycle(COLOURS), cycle(DASHES), strict=False):
            axes.plot(curve.worked, curve.captured, color=colour, linestyle=dash, linewidth=1.8, label=name)
        axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel="share of leads worked, best first", ylabel="share of all buyers among them")
        _mark_capacity(axes, self.capacity, self.at_capacity, self.curves)
        axes.legend(loc="lower right", frameon=False)
        tidy(axes)


@dataclass(frozen=True, repr=False)
class LiftDisplay(Display):
    """How many times more buyers than at random, by share of the leads worked; at the capacity with its interval."""

    title = "Lift: times as many buyers as at random"
    curves: Mapping[str, GainCurve]
    capacity: float | None = None
    at_capacity: Mapping[str, Estimate] = field(default_factory=dict)

    @classmethod
    def from_predictions(cls, labels: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike], capacity: float | None = None) -> LiftDisplay:
        """Takes n labels, n scores by candidate and the share of leads that sales can work; returns the picture."""
        return cls({name: gain_curve(labels, given) for name, given in scores.items()}, capacity)

    @property
    def alt(self) -> str:
        """The picture in words."""
        return f"lift against share of leads worked{_say_capacity('lift', self.capacity, self.at_capacity, self.curves)}"

    def _draw(self, axes: Axes) -> None:
        from matplotlib.ticker import FuncFormatter, NullLocator

        axes.axhline(1, color=QUIET, linewidth=1, linestyle="--", label="random order")
        for (name, curve), colour, dash in zip(self.curves.items(), cycle(COLOURS), cycle(DASHES), strict=False):
            axes.plot(*curve.lift, color=colour, linestyle=dash, linewidth=1.8, label=name)
        axes.set_xscale("log")
        axes.set_xticks([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set(xlim=(0.01, 1), xlabel="share of leads worked, best first (log scale)", ylabel="lift (1 is random)")
        axes.set_ylim(bottom=0)
        _mark_capacity(axes, self.capacity, self.at_capacity, self.curves)
        axes.legend(loc="upper right", frameon=False)
        tidy(axes)


@dataclass(frozen=True, repr=False)
class PrecisionRecallDisplay(Display):
    """Precision against recall by candidate, in steps, with average precision in the legend and the base rate as the floor."""

    title = "Precision and recall"
    curves: Mapping[str, PrecisionRecallCurve]

    @classmethod
    def from_predictions(cls, labels: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike]) -> PrecisionRecallDisplay:
        """Takes n labels and n scores by candidate; returns the picture."""
        return cls({name: precision_recall_curve(labels, given) for name, given in scores.items()})

    @property
    def alt(self) -> str:
        """The picture in words."""
        told = (f"{name} {curve.average_precision:.3f}" for name, curve in self.curves.items())
        return f"precision against recall; average precision: {', '.join(told)}"

    def _draw(self, axes: Axes) -> None:
        for (name, curve), colour, dash in zip(self.curves.items(), cycle(COLOURS), cycle(DASHES), strict=False):
            label = f"{name} (AP {curve.average_precision:.3f})"
            axes.plot(curve.recall, curve.precision, color=colour, linestyle=dash, linewidth=1.8, drawstyle="steps-pre", label=label)
        base = next(iter(self.curves.values())).base_rate
        axes.axhline(base, color=QUIET, linewidth=1, linestyle="--", label=f"base rate {base:.3f}")
        axes.set(xlim=(0, 1), xlabel="recall: share of all buyers found", ylabel="precision: share of buyers among them")
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper right", frameon=False)
        tidy(axes)


def _mark_capacity(axes: Axes, capacity: float | None, found: Mapping[str, Estimate], names: Mapping[str, object]) -> None:
    """A line at the capacity; on it each candidate's figure with its interval, side by side."""
    if capacity is None:
        return
    axes.axvline(capacity, color=QUIET, linewidth=1, linestyle=":")
    axes.annotate("capacity", (capacity, 0.02), (4, 0), xycoords=("data", "axes fraction"), textcoords="offset points", color=QUIET)
    for place, (name, colour) in enumerate(zip(names, cycle(COLOURS), strict=False)):
        if estimate := found.get(name):
            at = capacity * (1 + 0.06 * (place - len(names) / 2 + 0.5))
            axes.plot([at, at], [estimate.low, estimate.high], color=colour, linewidth=1.4)
            axes.plot(at, estimate.value, "o", color=colour, markersize=3.5)


def _say_capacity(figure: str, capacity: float | None, found: Mapping[str, Estimate], names: Mapping[str, object]) -> str:
    if capacity is None or not found:
        return f", for {', '.join(names)}"
    told = (f"{name} {one.value:.3g} ({one.low:.3g} to {one.high:.3g})" for name in names if (one := found.get(name)))
    return f"; {figure} at {capacity:.0%} of the leads: {', '.join(told)}"
