"""How far the values of a signal have moved since training: the population stability index, with an interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
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


def measure_drifts(profiles: Mapping[str, Profile], signals: pd.DataFrame, draws: Iterable[Floats]) -> dict[str, Estimate]:
    """Takes columns' profiles, n newer rows of some of the columns, and blocks of b by n weights; returns each column's stability index.

    Σ (now − then) · log(now / then) over the bins (Siddiqi 2006, "Credit risk scorecards"), half a row added to each so that an empty
    bin counts for little. Noise pushes it up, so its interval is reflected.
    """
    then = {name: _smooth(np.array(profiles[name]["shares"]) * profiles[name]["rows"]) for name in signals.columns}
    bins = {name: np.eye(_count_bins(profiles[name]))[_place(profiles[name], signals[name])] for name in signals.columns}
    found: dict[str, list[Floats]] = {name: [] for name in signals.columns}
    for block in chain([np.ones((1, len(signals)))], draws):
        for name, rows in found.items():
            rows.append(_index(then[name], _smooth(block @ bins[name])))
    return {name: basic_interval(float(first[0]), np.concatenate(rest)) for name, (first, *rest) in found.items()}


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
