"""Which signals a scorer listens to."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

from pls_ml.evaluation.displays.base import COLOURS, QUIET, WIDTH, Display, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WAYS = {
    "more speaks for": COLOURS[0],
    "more speaks against": COLOURS[1],
    "by value": COLOURS[2],
    "up and down": QUIET,
    "together": COLOURS[3],
}
"""How a contribution goes with the value, and its colour."""
LONGEST = 46
"""Signs of a label in one line."""


@dataclass(frozen=True, repr=False)
class ImportanceDisplay(Display):
    """Bars of the mean size of the contributions, by signal (or pair of signals), coloured by how they go with the value."""

    bars: tuple[tuple[str, float, str], ...]
    """Label, mean size in log-odds, and one of `WAYS`; the largest first."""
    title: str = "What the score listens to"

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches that suit it."""
        return WIDTH + 1, 1.9 + 0.27 * sum(1 + (len(label) - 1) // LONGEST for label, _, _ in self.bars)

    @property
    def alt(self) -> str:
        """The picture in words."""
        return "mean size of the contribution in log-odds: " + "; ".join(f"{label} {size:.2g}, {way}" for label, size, way in self.bars)

    def _draw(self, axes: Axes) -> None:
        for way, colour in WAYS.items():
            places = [place for place, bar in enumerate(self.bars) if bar[2] == way]
            if places:
                axes.barh(places, [self.bars[place][1] for place in places], color=colour, height=0.7, label=way)
        axes.set_yticks(range(len(self.bars)), [fill(label, LONGEST) for label, _, _ in self.bars])
        ways = len({way for _, _, way in self.bars})
        axes.set_ylim(len(self.bars) - 0.4 + (ways if ways > 1 else 0), -0.6)  # room for the legend below the bars
        axes.set_xlabel("mean size of the contribution (log-odds)")
        if ways > 1:
            axes.legend(loc="lower right", frameon=False)
        tidy(axes)
        axes.grid(visible=False, axis="y")
