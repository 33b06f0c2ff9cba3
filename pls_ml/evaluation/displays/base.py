"""What every picture of results has in common: scikit-learn's convention, one look, and files with the same bytes every time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

from pls_ml.core.errors import UnknownNameError, suggest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008): told apart by colour-blind readers too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (3, 1)))
QUIET = "#666666"
WIDTH = 6.4
"""Inches."""
DOTS_PER_INCH = 144


class Display(ABC):
    """A picture of numbers computed elsewhere: `plot` draws it, and then `ax_` and `figure_` are where it stands.

    `alt` says in words what there is to see, for those who cannot see it.
    """

    ax_: Axes
    figure_: Figure

    @property
    @abstractmethod
    def title(self) -> str:
        """What it shows, in a few words."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches that suit it."""
        return WIDTH, 4.4

    @property
    @abstractmethod
    def alt(self) -> str:
        """The picture in words."""

    @abstractmethod
    def _draw(self, axes: Axes) -> None:
        """Takes axes; draws into them."""

    def plot(self, ax: Axes | None = None) -> Display:
        """Takes matplotlib axes (None: new ones); draws into them; returns itself, with `ax_` and `figure_`."""
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots(figsize=self.size, layout="constrained")
        self._draw(ax)
        if not ax.get_title() and not ax.get_title(loc="left"):
            ax.set_title(self.title, loc="left", fontweight="bold", fontsize="medium")
        object.__setattr__(self, "ax_", ax)  # what was drawn last is not part of the value
        object.__setattr__(self, "figure_", ax.figure)
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.alt}"


class Displays(Mapping[str, Display]):
    """Pictures by name, in the order of a report: `displays["gain"].plot()`."""

    def __init__(self, found: Mapping[str, Display | None]) -> None:
        """Takes pictures by name; leaves out those that there is nothing to draw for."""
        self._found = {name: display for name, display in found.items() if display is not None}

    def __getitem__(self, name: str) -> Display:
        """Takes a name; returns the picture; refuses an unknown one, with those there are."""
        if name not in self._found:
            raise UnknownNameError(f"no picture '{name}'{suggest(str(name), [*self._found])}: there are {', '.join(self._found) or 'none'}")
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {display.alt}" for name, display in self._found.items())

    def _repr_html_(self) -> str:
        return "".join(f"<p><code>{escape(name)}</code> {escape(display.alt)}</p>" for name, display in self._found.items())


def draw_png(display: Display) -> bytes:
    """Takes a picture; returns it as PNG, the same bytes every time, without a window whatever matplotlib's backend is."""
    import matplotlib.pyplot as plt
    from matplotlib.backend_bases import FigureManagerBase
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure, buffer = Figure(figsize=display.size, layout="constrained"), BytesIO()
    FigureManagerBase(FigureCanvasAgg(figure), id(figure))  # a library that asks for "the current figure" finds this one
    display.plot(figure.subplots())
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()


def tidy(*all_axes: Any) -> None:
    """Takes axes; gives them the look of the house."""
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#E5E5E5", linewidth=0.6)
        axes.set_axisbelow(True)


def say_names(names: Any) -> str:
    """Takes names; returns them as part of a sentence."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else str(last)
