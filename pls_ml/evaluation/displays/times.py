"""Whether results hold: from fold to fold, with fewer accounts, and from setting to setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle
from math import isfinite
from typing import TYPE_CHECKING

from pls_ml.core.records import TrialRecord
from pls_ml.evaluation.bootstrap import Estimate
from pls_ml.evaluation.curves import LearningCurve
from pls_ml.evaluation.displays.base import COLOURS, MARKERS, QUIET, WIDTH, Display, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class FoldDisplay(Display):
    """One figure of several candidates in every fold or period, with intervals where there are any."""

    figure: str
    folds: tuple[str, ...]
    estimates: Mapping[str, tuple[Estimate, ...]]
    """By candidate, one for each fold; NaN where it is not defined."""
    unit: str = "fold"
    """What a fold is called."""
    right: float | None = None
    """Where the figure should be, if anywhere."""

    @property
    def title(self) -> str:
        """What it shows, in a few words."""
        return f"{self.figure[:1].upper()}{self.figure[1:]} by {self.unit}"

    @property
    def alt(self) -> str:
        """The picture in words."""
        told = (f"{name} {', '.join(_say(one) for one in found)}" for name, found in self.estimates.items())
        return f"{self.figure} in {', '.join(self.folds)}: {'; '.join(told)}"

    def _draw(self, axes: Axes) -> None:
        room = 0.5 / max(len(self.estimates), 1)
        for place, ((name, found), colour, marker) in enumerate(zip(self.estimates.items(), cycle(COLOURS), cycle(MARKERS), strict=False)):
            at = [fold + room * (place - len(self.estimates) / 2 + 0.5) for fold in range(len(self.folds))]
            axes.plot(at, [one.value for one in found], color=colour, marker=marker, markersize=6, linewidth=1, alpha=0.9, label=name)
            axes.vlines(at, [one.low for one in found], [one.high for one in found], color=colour, linewidth=1.8)
        axes.set_xticks(range(len(self.folds)), self.folds, rotation=30 if len(self.folds) > 6 else 0)
        if self.right is not None:
            axes.axhline(self.right, color=QUIET, linewidth=1, linestyle="--")
        axes.set(xlabel=self.unit, ylabel=self.figure, xlim=(-0.5, len(self.folds) - 0.5))
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        tidy(axes)


@dataclass(frozen=True, repr=False)
class LearningCurveDisplay(Display):
    """What more accounts are worth: a figure on the same held-out leads, the scorer in use fitted on growing shares of the accounts."""

    curve: LearningCurve
    figure: str = "average_precision"

    @property
    def title(self) -> str:
        """What it shows, in a few words."""
        return f"Learning curve of {self.curve.used}"

    @property
    def alt(self) -> str:
        """The picture in words."""
        pairs = zip(self.curve.accounts, self.curve.figures[self.figure], strict=True)
        return f"{_spell(self.figure)} of {self.curve.used} fitted on " + "; ".join(f"{n:,} accounts {_say(one)}" for n, one in pairs)

    def _draw(self, axes: Axes) -> None:
        found = self.curve.figures[self.figure]
        axes.fill_between(self.curve.accounts, [x.low for x in found], [x.high for x in found], color=COLOURS[0], alpha=0.15, linewidth=0)
        axes.plot(self.curve.accounts, [one.value for one in found], color=COLOURS[0], marker="o", linewidth=1.8, label=self.curve.used)
        axes.set(xlabel="accounts in training", ylabel=f"{_spell(self.figure)} on the same held-out leads")
        axes.set_xlim(left=0)
        axes.legend(loc="lower right", frameon=False, title="band: 95 % interval", alignment="left")
        tidy(axes)


@dataclass(frozen=True, repr=False)
class TuningDisplay(Display):
    """The history of a search for settings: every trial, the least loss so far, and trials given up early as marks at the top."""

    title = "Settings tried"
    trials: tuple[TrialRecord, ...]
    best_so_far: tuple[float, ...]

    @property
    def alt(self) -> str:
        """The picture in words."""
        early = sum(trial.pruned for trial in self.trials)
        first, last = self.best_so_far[0], self.best_so_far[-1]
        return f"log loss of {len(self.trials)} settings tried, {early} given up early; the best went from {first:.5f} to {last:.5f}"

    def _draw(self, axes: Axes) -> None:
        whole = [trial for trial in self.trials if not trial.pruned]
        numbers = [trial.number for trial in self.trials]
        axes.plot([t.number for t in whole], [t.loss for t in whole], "o", color=COLOURS[0], markersize=5, label="tried on every fold")
        axes.step(numbers, self.best_so_far, where="post", color=COLOURS[1], linewidth=1.8, label="best so far")
        early = [trial.number for trial in self.trials if trial.pruned]
        axes.plot(early, [0.98] * len(early), "x", color=QUIET, markersize=5, transform=axes.get_xaxis_transform(), label="given up early")
        axes.set(xlabel="trial", ylabel="mean log loss on later rows (nats)")
        axes.legend(loc="upper right", bbox_to_anchor=(1, 0.95), frameon=False)
        tidy(axes)


@dataclass(frozen=True, repr=False)
class EstimatesDisplay(Display):
    """Several figures, one below the other: in each a point and its interval by run or candidate."""

    title = "Figures with 95 % intervals"
    figures: Mapping[str, Mapping[str, Estimate]]
    """Figure → name → estimate."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches that suit it."""
        return WIDTH, 0.9 * len(self.figures) + 0.6

    @property
    def alt(self) -> str:
        """The picture in words."""
        told = (
            f"{_spell(figure)}: {', '.join(f'{name} {_say(one)}' for name, one in found.items())}" for figure, found in self.figures.items()
        )
        return "; ".join(told)

    def _draw(self, axes: Axes) -> None:
        axes.set_axis_off()
        step = 1 / len(self.figures)
        for row, (figure, found) in enumerate(self.figures.items()):
            panel = axes.inset_axes((0, 1 - (row + 0.8) * step, 1, 0.45 * step))
            known = {name: estimate for name, estimate in found.items() if isfinite(estimate.value)}
            for place, (one, colour, marker) in enumerate(zip(known.values(), cycle(COLOURS), cycle(MARKERS), strict=False)):
                panel.plot(one.value, place, color=colour, marker=marker, markersize=6)
                panel.plot([one.low, one.high], [place, place], color=colour, linewidth=1.8)
            panel.set_yticks(range(len(known)), list(known))
            panel.set_ylim(max(len(known), 1) - 0.4, -0.6)
            panel.set_title(_spell(figure), loc="left", fontsize="medium")
            tidy(panel)


def _spell(figure: str) -> str:
    return figure.replace("_", " ")


def _say(estimate: Estimate) -> str:
    if not isfinite(estimate.value):
        return "not defined"
    interval = f" ({estimate.low:.3g} to {estimate.high:.3g})" if isfinite(estimate.low) else ""
    return f"{estimate.value:.3g}{interval}"
