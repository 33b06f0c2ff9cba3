"""Columns made of other columns, computed from values in memory; the engines compute the same in SQL."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.measures import Condition, Difference, OnColumns, Ratio
from pls_ml.core.protocols import Floats

_TESTS = {"gte": np.greater_equal, "gt": np.greater, "lte": np.less_equal, "lt": np.less, "eq": np.equal}


def meets(condition: Condition, values: Any) -> npt.NDArray[np.bool_]:
    """Takes a condition and n values, text where it lists some and else doubles; returns where it holds; a missing value fails it."""
    if condition.among is not None:
        return np.asarray(pd.Series(values).astype("string").isin(condition.among), dtype=bool)
    test, bound = next((test, bound) for name, test in _TESTS.items() if (bound := getattr(condition, name)) is not None)
    return np.asarray(test(values, bound), dtype=bool)


def derive_values(measure: OnColumns, read: Callable[[str], Any]) -> Floats:
    """Takes a ratio, difference or rule and what gives a column's n values; returns its n values, missing ones as NaN."""
    if isinstance(measure, Difference):
        return np.asarray(read(measure.of) - read(measure.minus), np.float64)
    if isinstance(measure, Ratio):
        return _divide(measure, read)
    holds = partial(_holds, read)
    found = np.all([*map(holds, measure.all)], axis=0) if measure.all else True
    return np.asarray(found & np.any([*map(holds, measure.any)], axis=0) if measure.any else found, np.float64)


def _holds(read: Callable[[str], Any], condition: Condition) -> npt.NDArray[np.bool_]:
    return meets(condition, read(condition.signal))


def _divide(measure: Ratio, read: Callable[[str], Any]) -> Floats:
    below = read(measure.denominator)
    below = below if measure.floor is None else np.maximum(below, measure.floor)  # a missing value stays missing
    below = below if measure.cap is None else np.minimum(below, measure.cap)
    share: Floats = np.divide(read(measure.numerator), below, out=np.full(len(below), np.nan), where=below != 0)
    for condition in measure.requires:
        share[~_holds(read, condition)] = np.nan
    return share
