"""Where a lead's value lies among the leads of its segment, in a reference population that training froze: few numbers per column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.protocols import Floats

Knots = list[list[float]]
"""Of one column, in rising order: a value, how many percent of the peers lie below it, and how many at or below."""
PeerTables = Mapping[str, Mapping[str, Knots]]
"""Segment → column → knots."""
FEWEST = 30
"""A segment with fewer known values compares with chance."""
MOST_KNOTS = 24
"""Up to so many distinct values each is a knot; of more, those at the quantiles below."""
QUANTILES = np.array([0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 100]) / 100


def freeze_peers(values: pd.DataFrame, segments: Sequence[str], catalogue: Catalogue) -> dict[str, dict[str, Knots]]:
    """Takes n × m signal columns with one row per lead, their n segments and the catalogue; returns tables as plain JSON values.

    Missing values are nobody's peers; a column with fewer than thirty known values in a segment has no table there.
    """
    numeric = [column.name for column in catalogue if not column.signal.is_category]
    kinds = np.asarray(segments, dtype=object)
    found = {}
    for segment in sorted(set(segments)):
        mine = values[kinds == segment]
        tables = {name: _cut(mine[name].to_numpy(np.float64, na_value=np.nan)) for name in numeric}
        found[segment] = {name: knots for name, knots in tables.items() if knots}
    return {segment: tables for segment, tables in found.items() if tables}


def _cut(numbers: Floats) -> Knots:
    known = numbers[~np.isnan(numbers)]
    if known.size < FEWEST:
        return []
    distinct, counts = np.unique(known, return_counts=True)
    upto = np.cumsum(counts) * 100 / known.size
    below = upto - counts * 100 / known.size
    if distinct.size > MOST_KNOTS:
        chosen = np.searchsorted(distinct, np.unique(np.quantile(known, QUANTILES, method="inverted_cdf")))
        distinct, below, upto = distinct[chosen], below[chosen], upto[chosen]
    return [[float(value), round(low, 2), round(high, 2)] for value, low, high in zip(distinct, below, upto, strict=True)]


@dataclass(frozen=True)
class Peers:
    """The frozen tables, and the segment of each of n leads, who are `unit`s."""

    tables: PeerTables
    segments: npt.NDArray[Any]
    unit: str

    def place(self, column: str, numbers: Floats, rows: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Takes a column, r values of it and the leads they are of; returns how many percent of the peers lie below, and at or below.

        NaN where the value is missing, or the segment has no table of the column.
        """
        below, upto = np.full((2, len(rows)), np.nan)
        kinds = self.segments[rows]
        for segment, tables in self.tables.items():
            mine = (kinds == segment) & ~np.isnan(numbers)
            if column in tables and mine.any():
                below[mine], upto[mine] = look_up(tables[column], numbers[mine])
        return below, upto


def look_up(knots: Knots, numbers: Floats) -> tuple[Floats, Floats]:
    """Takes a column's knots and n values; returns how many percent of the peers lie below each, and at or below.

    Exact at a knot; between two, where there were few peers or a fine measure, on the straight line between them.
    """
    values, below, upto = np.array(knots, np.float64).T
    place = np.searchsorted(values, numbers)
    right, left = np.minimum(place, len(values) - 1), np.maximum(place - 1, 0)
    span = values[right] - values[left]
    part = np.divide(numbers - values[left], span, out=np.zeros_like(numbers), where=span > 0)
    between = upto[left] + part * (below[right] - upto[left])
    between = np.where(numbers < values[0], 0.0, np.where(numbers > values[-1], 100.0, between))
    exact = values[right] == numbers
    return np.where(exact, below[right], between), np.where(exact, upto[right], between)
