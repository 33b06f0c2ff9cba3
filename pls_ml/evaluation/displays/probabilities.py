"""Whether probabilities are right: reliability, scores by outcome, wins against promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

import numpy.typing as npt

from pls_ml.evaluation.curves import ScoreHistogram, score_histogram
from pls_ml.evaluation.displays.base import COLOURS, MARKERS, QUIET, WIDTH, Display, tidy
from pls_ml.evaluation.pooling import PooledRatios
from pls_ml.evaluation.reliability import ReliabilityTable, reliability_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOG_ODDS_TICKS = (0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999)


@dataclass(frozen=True, repr=False)
class ReliabilityDisplay(Display):
    """Observed against predicted rates by candidate, with consistency bands, over histograms of the scores."""

    title = "Reliability"
    tables: Mapping[str, ReliabilityTable]

    @classmethod
    def from_predictions(cls, labels: npt.ArrayLike, probabilities: Mapping[str, npt.ArrayLike]) -> ReliabilityDisplay:
        """Takes n labels and n probabilities by candidate; returns the picture."""
        return cls({name: reliability_table(labels, given) for name, given in probabilities.items()})

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches that suit it."""
        return WIDTH, 4.6 + 0.7 * len(self.tables)

    @property
    def alt(self) -> str:
        """The picture in words."""
        told = []
        for name, table in self.tables.items():
            last, within = table.bins[-1], sum(b.band_low <= b.observed <= b.band_high for b in table.bins)
            told.append(
                f"{name} within its band in {within} of {len(table.bins)} bins, in the highest {last.predicted:.1%} predicted "
                f"and {last.observed:.1%} observed"
            )
        return f"observed against predicted rates: {'; '.join(told)}"

    def _draw(self, axes: Axes) -> None:
        top = max(edge for table in self.tables.values() for b in table.bins for edge in (b.predicted, b.observed, b.band_high))
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle="--", label="perfect")
        height, lower = 0.7 / 3.2, []
        for place, ((name, table), colour, marker) in enumerate(zip(self.tables.items(), cycle(COLOURS), cycle(MARKERS), strict=False)):
            predicted = [b.predicted for b in table.bins]
            band = ([b.band_low for b in table.bins], [b.band_high for b in table.bins])
            axes.fill_between(predicted, *band, color=colour, alpha=0.15, linewidth=0)
            axes.plot(predicted, [b.observed for b in table.bins], color=colour, marker=marker, markersize=5, label=name)
            below = axes.inset_axes((0, -height * (place + 1), 1, 0.8 * height), sharex=axes)
            below.stairs(table.histogram_counts, table.histogram_edges, fill=True, color=colour, alpha=0.7)
            below.set_ylabel("leads", color=QUIET, fontsize="small")
            below.tick_params(labelbottom=False, labelsize="small")
            lower.append(below)
        axes.set(xlim=(0, 1.05 * top), ylim=(0, 1.05 * top), ylabel="observed rate")
        axes.tick_params(labelbottom=False)
        axes.legend(loc="upper left", frameon=False, title="band: 95 % if calibrated", alignment="left")
        lower[-1].tick_params(labelbottom=True)
        axes.set_xlabel("predicted probability (last bar: and above)")
        axes.xaxis.set_label_coords(0.5, -height * len(lower) - 0.07)
        tidy(axes, *lower)


@dataclass(frozen=True, repr=False)
class ScoreDisplay(Display):
    """How the probabilities of won leads and of the others are spread, on a log-odds axis."""

    title = "Scores by outcome"
    name: str
    histogram: ScoreHistogram

    @classmethod
    def from_predictions(cls, labels: npt.ArrayLike, probability: npt.ArrayLike, name: str = "model") -> ScoreDisplay:
        """Takes n labels, n probabilities and whose they are; returns the picture."""
        return cls(name, score_histogram(labels, probability))

    @property
    def alt(self) -> str:
        """The picture in words."""
        edges = self.histogram.edges
        highest = [edges[max(range(len(bars)), key=bars.__getitem__)] for bars in (self.histogram.won, self.histogram.lost)]
        return (
            f"scores of {self.name} by outcome, from {edges[0]:.2%} to {edges[-1]:.1%}: most won leads lie at about {highest[0]:.1%}, "
            f"most others at about {highest[1]:.1%}"
        )

    def _draw(self, axes: Axes) -> None:
        from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

        edges = self.histogram.edges
        axes.stairs(self.histogram.lost, edges, fill=True, color=COLOURS[5], alpha=0.55, label="not won")
        axes.stairs(self.histogram.won, edges, color=COLOURS[1], linewidth=2, label="won")
        axes.set_xscale("logit")
        axes.set_xlim(edges[0], edges[-1])
        axes.xaxis.set_major_locator(FixedLocator([tick for tick in LOG_ODDS_TICKS if edges[0] <= tick <= edges[-1]]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
        axes.set(xlabel=f"probability by {self.name} (log-odds scale)", ylabel="share of the leads with that outcome")
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper right", frameon=False)
        tidy(axes)


@dataclass(frozen=True, repr=False)
class RatioDisplay(Display):
    """Wins seen against wins promised by month or segment: each level alone, and pooled with its interval."""

    ratios: PooledRatios

    @property
    def title(self) -> str:
        """What it shows, in a few words."""
        return f"Observed/expected by {self.ratios.by}"

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches that suit it."""
        return WIDTH, 1.5 + 0.34 * len(self.ratios.levels)

    @property
    def alt(self) -> str:
        """The picture in words."""
        told = (f"{one.level} {one.pooled.value:.2f} ({one.pooled.low:.2f} to {one.pooled.high:.2f})" for one in self.ratios.levels)
        return f"observed/expected by {self.ratios.by}, pooled, with 95 % intervals: {'; '.join(told)}"

    def _draw(self, axes: Axes) -> None:
        from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

        levels = self.ratios.levels
        for place, level in enumerate(levels):
            axes.plot([level.pooled.low, level.pooled.high], [place, place], color=COLOURS[0], linewidth=1.8)
        axes.plot(
            [one.pooled.value for one in levels], range(len(levels)), "o", color=COLOURS[0], markersize=6, label="pooled, 95 % interval"
        )
        alone = [(one.ratio, place) for place, one in enumerate(levels) if one.ratio > 0]
        axes.plot([ratio for ratio, _ in alone], [place for _, place in alone], "x", color=QUIET, markersize=6, label="alone")
        axes.axvline(1, color=QUIET, linewidth=1, linestyle="--")
        ends = [edge for level in levels for edge in (level.pooled.low, level.pooled.high, level.ratio or 1.0)]
        axes.set_xscale("log")
        axes.set_xlim(min(0.5, 0.9 * min(ends)), max(2.0, 1.1 * max(ends)))
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_yticks(range(len(levels)), [f"{level.level} ({level.won:,} of {level.rows:,})" for level in levels])
        axes.set_ylim(len(levels) - 0.5, -0.7)
        axes.set_xlabel("wins seen / wins promised (1 is right)")
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.45 / len(levels) - 0.12), frameon=False, ncols=2)
        tidy(axes)
