"""How far the values of a signal have moved since training: the population stability index, with an interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.evaluation.bootstrap import Estimate, basic_interval

Floats = npt.NDArray[np.float64]
Profile = dict[str, Any]
"""How one column was spread: `edges` between bins of numbers, or `levels` of a category; `shares` of the bins, missing last; `rows`."""

DECILES = np.linspace(0.1, 0.9, 9)
MOST_LEVELS = 20


def profile_columns(signals: pd.DataFrame, weights: Floats) -> dict[str, Profile]:
    """Takes n × m signal columns and n weights; returns how each column is spread, as plain JSON values.

    Numbers are cut at their deciles, categories are their most frequent levels; a bin of its own holds what is missing, and other levels.
    """
    profiles = {}
    for name in signals.columns:
        profile = _cut(signals[name])
        shares = np.bincount(_place(profile, signals[name]), weights, _count_bins(profile)) / weights.sum()
        profiles[str(name)] = profile | {"shares": shares.tolist(), "rows": len(signals)}
    return profiles


def measure_drift(profile: Mapping[str, Any], values: pd.Series[Any], draws: Iterable[Floats]) -> Estimate:
    """Takes a column's profile, n newer values, and blocks of b by n weights; returns the population stability index since the profile.

    Σ (now − then) · log(now / then) over the bins (Siddiqi 2006, "Credit risk scorecards"), half a row added to each so that an empty
    bin counts for little. Noise pushes it up, so its interval is reflected.
    """
    places, bins = _place(profile, values), _count_bins(profile)
    then = _smooth(np.array(profile["shares"]) * profile["rows"])
    counts = np.zeros((len(values), bins))
    counts[np.arange(len(values)), places] = 1.0
    found = [_index(then, _smooth(block @ counts)) for block in (np.ones((1, len(values))), *draws)]
    return basic_interval(float(found[0][0]), np.concatenate(found[1:]) if found[1:] else np.array([]))


def _cut(values: pd.Series[Any]) -> Profile:
    if pd.api.types.is_numeric_dtype(values):
        known = values.to_numpy(np.float64, na_value=np.nan)
        known = known[~np.isnan(known)]
        return {"edges": np.unique(np.quantile(known, DECILES, method="lower")).tolist() if known.size else []}
    counts = values.value_counts()
    return {"levels": sorted(counts.index, key=lambda level: (-counts[level], str(level)))[:MOST_LEVELS]}


def _count_bins(profile: Mapping[str, Any]) -> int:
    """With one for what is missing; numbers have one bin more than edges."""
    return len(profile["levels"]) + 1 if "levels" in profile else len(profile["edges"]) + 2


def _place(profile: Mapping[str, Any], values: pd.Series[Any]) -> npt.NDArray[np.int64]:
    missing = _count_bins(profile) - 1
    if "levels" in profile:
        found = values.map({level: place for place, level in enumerate(profile["levels"])})
        return np.asarray(found.astype("float64").fillna(missing), np.int64)
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    return np.asarray(np.where(np.isnan(numbers), missing, np.searchsorted(profile["edges"], numbers, side="left")), np.int64)


def _smooth(counts: Floats) -> Floats:
    filled = counts + 0.5
    return np.asarray(filled / filled.sum(axis=-1, keepdims=True), np.float64)


def _index(then: Floats, now: Floats) -> Floats:
    return np.asarray(((now - then) * np.log(now / then)).sum(axis=-1), np.float64)
