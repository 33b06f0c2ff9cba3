"""shap's pictures of exact contributions, drawn into given axes: the same every time, of trees, cards and regressions alike.

In log-odds, where contributions add up without regard to the lead's other signals; one lead's own picture is in probability.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from pls_ml.core.catalogue import SignalColumn
from pls_ml.core.protocols import Floats
from pls_ml.explanations.importance import PairImportance, SignalImportance
from pls_ml.explanations.receipts import Receipts
from pls_ml.explanations.wording import NOT_KNOWN

LOG_ODDS = "contribution (log-odds)"
SMALL = "small"
DOT = "#0072B2"
LOG_TICKS = (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 1_000_000, 10_000_000)
SKEWED = 20
"""Times the median that the largest value is, from which on an axis is logarithmic."""


def draw_beeswarm(receipts: Receipts, signals: tuple[SignalImportance, ...], axes: Any) -> None:
    """Takes receipts, the signals to show and matplotlib axes; draws one dot per lead and signal, coloured by the value."""
    import shap

    places = _place(receipts, signals)
    explanation = shap.Explanation(
        values=receipts.log_odds[:, places],
        base_values=np.full(len(receipts.lead_ids), receipts.base_log_odds),
        data=np.stack([_read(receipts.values[one.column.name]).astype(object) for one in signals], axis=1),
        feature_names=[one.label for one in signals],
    )
    with _same_every_time():
        shap.plots.beeswarm(
            explanation, max_display=len(signals), ax=axes, show=False, plot_size=None, s=9, color_bar_label="value of the signal"
        )
    axes.set_xlabel(f"{LOG_ODDS}; right speaks for", fontsize="medium")
    axes.tick_params(labelsize=SMALL)
    for other in axes.figure.axes:
        other.tick_params(labelsize=SMALL)


def draw_dependence(receipts: Receipts, signal: SignalImportance, axes: Any) -> None:
    """Takes receipts, a signal and matplotlib axes; draws its contribution against the value of its leading column, a dot per lead."""
    import shap

    text = signal.column.signal.is_category
    share = receipts.log_odds[:, _place(receipts, (signal,))[0]]
    along, ticks = _stretch(_read(receipts.values[signal.column.name]))
    explanation = shap.Explanation(values=share, data=along, feature_names=name_axis(signal.column))
    with _same_every_time():
        shap.plots.scatter(explanation, color=DOT, ax=axes, show=False, dot_size=11, alpha=0.7, x_jitter=0.4 if text else 0)
    _label(axes, name_axis(signal.column), LOG_ODDS)
    if text:
        axes.tick_params(axis="x", labelrotation=30)
    _mark(axes, ticks)


def draw_interaction(pair: PairImportance, values: pd.DataFrame, axes: Any) -> None:
    """Takes a pair of signals, the n × m signal columns it was measured on and axes; draws what only both say against the first's value.

    Dots are coloured by the value of the second one; where it has none, or is a category, they are grey or numbered by their name.
    """
    along, coloured = (_number(values[one.column.name]) for one in (pair.first, pair.second))
    along, ticks = (along, ()) if pair.first.column.signal.is_category else _stretch(along)
    if pair.first.column.signal.is_category:
        along = along + np.random.default_rng(0).uniform(-0.25, 0.25, len(along))
    known = coloured[~np.isnan(coloured)]
    low, high = np.quantile(known, [0.05, 0.95]) if known.size else (0.0, 1.0)
    axes.scatter(along, pair.shares, s=11, color="#AAAAAA", linewidth=0)
    dots = axes.scatter(along, pair.shares, s=11, c=coloured, cmap="viridis", vmin=low, vmax=high, linewidth=0)
    bar = axes.figure.colorbar(dots, ax=axes, aspect=40, extend="both")
    bar.set_label(name_axis(pair.second.column), size="medium")
    bar.outline.set_visible(False)
    _label(axes, name_axis(pair.first.column), "interaction (log-odds)")
    axes.spines[["top", "right"]].set_visible(False)
    _mark(axes, ticks)
    for one, axis in ((pair.first, axes.xaxis), (pair.second, bar.ax.yaxis)):
        if one.column.signal.is_category:
            names = sorted(set(_read(values[one.column.name])))
            axis.set_ticks(range(len(names)), names, rotation=30 if axis is axes.xaxis else 0, fontsize=SMALL)


def name_axis(column: SignalColumn) -> str:
    """Takes a column; returns what its axis is called: label, window and unit."""
    window = f", {column.window.phrase}" if column.window else ""
    unit = column.signal.unit
    return f"{column.signal.label}{window}{f' ({unit})' if unit and unit not in column.signal.label else ''}"


def _label(axes: Any, across: str, up: str) -> None:
    axes.axhline(0, color="#666666", linewidth=0.8, linestyle="--", zorder=0)
    axes.set_xlabel(across, fontsize="medium")
    axes.set_ylabel(up, fontsize="medium")
    for each in axes.figure.axes:
        each.tick_params(labelsize=SMALL)


def _stretch(values: Any) -> tuple[Any, tuple[int, ...]]:
    """Where a few large values would leave all others in a corner: log(1 + value), and the values to mark; else the values, and none."""
    known = values[~np.isnan(values)] if values.dtype != object else np.array([])
    if not known.size or known.min() < 0 or known.max() <= SKEWED * np.median(known):
        return values, ()
    return np.log10(1 + values), tuple(tick for tick in LOG_TICKS if tick <= known.max())


def _mark(axes: Any, ticks: tuple[int, ...]) -> None:
    if not ticks:
        return
    low, high = axes.get_xlim()
    places = {float(np.log10(1 + tick)): f"{tick:,}" for tick in ticks}
    shown = {place: text for place, text in places.items() if low <= place <= high}
    axes.set_xticks(list(shown), list(shown.values()))
    axes.set_xlabel(f"{axes.get_xlabel()}, log scale")


def _place(receipts: Receipts, signals: tuple[SignalImportance, ...]) -> list[int]:
    order = [signal.id for signal in receipts.signals]
    return [order.index(one.signal) for one in signals]


def _read(values: Any) -> Any:
    """Values as shap's pictures want them: numbers with gaps, or text; text among numbers is left without a colour."""
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy(np.float64, na_value=np.nan)
    return values.fillna(NOT_KNOWN).astype(str).to_numpy(object)


def _number(values: Any) -> Floats:
    """Categories as their place in the order of their names."""
    found = _read(values)
    return np.asarray(found if found.dtype != object else np.unique(found.astype(str), return_inverse=True)[1], np.float64)


@contextmanager
def _same_every_time() -> Iterator[None]:
    """Shap shuffles and jitters dots by numpy's global generator: here from a fixed seed, and left as it was."""
    before = np.random.get_state()
    np.random.seed(0)
    try:
        yield
    finally:
        np.random.set_state(before)
