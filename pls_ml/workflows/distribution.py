"""How the values of one signal column are spread: figures for numbers, shares for categories, and the win rate along them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.protocols import Floats
from pls_ml.reports.plain_text import clean_text

QUANTILES = {"min": 0.0, "25 %": 0.25, "50 %": 0.5, "75 %": 0.75, "90 %": 0.9, "99 %": 0.99, "max": 1.0}
MOST_BINS = 10
MOST_LEVELS = 12
BAR = 24
Labels = npt.NDArray[np.int8] | None


@dataclass(frozen=True)
class Bin:
    """Some rows: the values they have in words, how many they are, and the share of them that was won (None: not labelled)."""

    values: str
    rows: int
    share: float
    won: float | None


@dataclass(frozen=True)
class Distribution:
    """n rows of one column: shares with a value and with one other than 0, quantiles (numbers only), and bins over all rows."""

    rows: int
    filled: float
    nonzero: float
    quantiles: dict[str, float]
    bins: tuple[Bin, ...]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return asdict(self)

    def to_lines(self) -> list[str]:
        """Takes nothing; returns the figures and a table with one bar per bin."""
        head = f"with a value {self.filled:.1%}, not zero {self.nonzero:.1%}"
        figures = ", ".join(f"{name} {format_number(value)}" for name, value in self.quantiles.items())
        width = max((len(one.values) for one in self.bins), default=0)
        table = [
            f"  {one.values:<{width}}  {one.rows:>10,}  {one.share:>6.1%}  {'█' * round(one.share * BAR):<{BAR}}"
            + (f"  {one.won:>6.1%} won" if one.won is not None else "")
            for one in self.bins
        ]
        return [head, *([figures] if figures else []), *(line.rstrip() for line in table)]


def describe_values(values: pd.Series, labels: Labels) -> Distribution:
    """Takes n values of a column, numbers or text, and n labels (None: not labelled); returns how they are spread."""
    if pd.api.types.is_numeric_dtype(values):
        return _describe_numbers(values.to_numpy(np.float64, na_value=np.nan), labels)
    return _describe_levels(values, labels)


def format_number(value: float) -> str:
    """Takes a number; returns it short: whole where it is or where it is large, else with four significant digits."""
    plain = abs(value) < 1e15 and (abs(value) >= 1000 or value == int(value))
    return f"{value:,.0f}" if plain else f"{value:,.4g}"


def _describe_numbers(numbers: Floats, labels: Labels) -> Distribution:
    missing = np.isnan(numbers)
    known = numbers[~missing]
    found = dict(zip(QUANTILES, np.quantile(known, list(QUANTILES.values()), method="lower").tolist(), strict=True)) if len(known) else {}
    groups = [("missing", missing)] if missing.any() else []
    groups += _cut_zero(numbers, known)
    return Distribution(len(numbers), _share(~missing), _share(~missing & (numbers != 0)), found, _make_bins(groups, labels))


def _cut_zero(numbers: Floats, known: Floats) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    """Zero alone, where it is common; the rest at the edges of equally many rows, few values each on their own."""
    zero = numbers == 0
    apart = MOST_BINS * zero.sum() > len(known)
    rest = known[known != 0] if apart else known
    groups = [("0", zero)] if apart else []
    distinct = np.unique(rest)
    if len(distinct) <= MOST_BINS:
        return sorted(
            [*groups, *((format_number(value), numbers == value) for value in distinct)], key=lambda group: float(numbers[group[1]][0])
        )
    edges = np.unique(np.quantile(rest, np.linspace(0, 1, MOST_BINS + 1), method="lower"))
    for place, (low, high) in enumerate(pairwise(edges)):
        last = place == len(edges) - 2
        inside = (numbers >= low) & ((numbers <= high) if last else (numbers < high)) & ~(zero if apart else np.zeros_like(zero))
        groups.append((_say_range(low, high, last, whole=bool((rest == np.floor(rest)).all())), inside))
    return [group for group in groups if group[1].any()]


def _say_range(low: float, high: float, last: bool, whole: bool) -> str:
    if not whole:
        return f"{format_number(low)} to {'' if last else 'under '}{format_number(high)}"
    upto = high if last else high - 1
    return format_number(low) if low == upto else f"{format_number(low)} to {format_number(upto)}"


def _describe_levels(values: pd.Series, labels: Labels) -> Distribution:
    counts = values.value_counts()
    order = sorted(counts.index, key=lambda level: (-counts[level], str(level)))
    missing = values.isna().to_numpy()
    groups = [("missing", missing)] if missing.any() else []
    groups += [(clean_text(str(level), 40), (values == level).to_numpy(bool, na_value=False)) for level in order[:MOST_LEVELS]]
    if len(order) > MOST_LEVELS:
        rest = values.isin(order[MOST_LEVELS:]).to_numpy(bool)
        groups.append((f"{len(order) - MOST_LEVELS:,} other values", rest))
    return Distribution(len(values), _share(~missing), _share(~missing), {}, _make_bins(groups, labels))


def _make_bins(groups: list[tuple[str, npt.NDArray[np.bool_]]], labels: Labels) -> tuple[Bin, ...]:
    return tuple(
        Bin(said, int(chosen.sum()), _share(chosen), None if labels is None or not chosen.any() else float(labels[chosen].mean()))
        for said, chosen in groups
    )


def _share(chosen: npt.NDArray[np.bool_]) -> float:
    return float(chosen.mean()) if len(chosen) else 0.0
