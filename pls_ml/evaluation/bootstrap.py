"""Resampling whole accounts: colleagues buy together, so leads drawn one by one would make every interval too narrow."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.errors import DataError
from pls_ml.evaluation.clusters import Clusters, cluster_rows

Floats = npt.NDArray[np.float64]

LEVEL = 0.95
# Doubles in one block of weights: about 3 MB, as much as a processor keeps close by.
BLOCK_CELLS = 400_000


@dataclass(frozen=True)
class Estimate:
    """A figure and the ends of its 95 % interval; NaN where it is not defined."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """Takes nothing; returns the three numbers as JSON values, None for NaN."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {name: number if math.isfinite(number) else None for name, number in numbers.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, float | None]) -> "Estimate":
        """Takes what `to_dict` gave; returns the figure."""

        def read(name: str) -> float:
            number = data[name]
            return math.nan if number is None else float(number)

        return cls(read("value"), read("low"), read("high"))


def account_resamples(groups: npt.ArrayLike, n_resamples: int, seed: int) -> Iterator[Floats]:
    """Takes n account ids, a number of resamples and a seed; yields blocks of b by n row weights, n_resamples rows in all.

    Each resample draws as many accounts as there are, with replacement; a row's weight is how often its account was drawn (Field
    and Welsh 2007, "Bootstrapping clustered data"). The same seed gives the same weights whatever the order of the rows. Refuses
    with `DataError` fewer than two accounts, which say nothing about other accounts.
    """
    rows = cluster_rows(groups)
    for times_drawn in draw_accounts(rows, n_resamples, seed, max(1, BLOCK_CELLS // rows.codes.size)):
        yield times_drawn[:, rows.codes]


def draw_accounts(rows: Clusters, n_resamples: int, seed: int, block: int) -> Iterator[Floats]:
    """Takes rows by account, a number of resamples, a seed and the size of a block; yields b by accounts how often each is drawn.

    What is drawn depends on the seed and the number of accounts only. Refuses fewer than two accounts.
    """
    if rows.count < 2:
        raise DataError(f"{rows.count} account in {rows.codes.size} rows: an interval needs at least two; take a longer test window")
    draw = np.random.default_rng(seed)
    for done in range(0, n_resamples, block):
        size = min(block, n_resamples - done)
        drawn = draw.integers(rows.count, size=(size, rows.count)) + np.arange(size)[:, None] * rows.count
        yield np.bincount(drawn.ravel(), minlength=size * rows.count).reshape(size, rows.count).astype(np.float64)


def percentile_interval(value: float, draws: Floats) -> Estimate:
    """Takes a figure and its value in every resample; returns it with the 2.5 and 97.5 percentiles of those defined."""
    low, high = _quantiles(draws)
    return Estimate(float(value), low, high)


def basic_interval(value: float, draws: Floats) -> Estimate:
    """Takes a figure that noise pushes up, never below 0, and its resamples; returns the reflected interval, cut at 0.

    Resampling adds to the figure what sampling has already added once; 2 · value - percentile takes it off again (Davison and
    Hinkley 1997, section 5.2). Its upper end may lie below the figure itself, when most of the figure is noise; where the
    truth is 0 its lower end is above 0 too often (covered 63 to 76 % in a simulation, and 93 to 95 % away from 0, where plain
    percentiles covered 0 to 95 %).
    """
    low, high = _quantiles(draws)
    return Estimate(float(value), max(0.0, 2 * value - high), max(0.0, 2 * value - low))


def paired_difference(values: tuple[float, float], draws: tuple[Floats, Floats]) -> Estimate:
    """Takes (challenger, reference) figures and their values in the same resamples; returns challenger - reference."""
    return percentile_interval(values[0] - values[1], draws[0] - draws[1])


def _quantiles(draws: Floats) -> tuple[float, float]:
    defined: npt.NDArray[Any] = draws[np.isfinite(draws)]
    if not defined.size:
        return math.nan, math.nan
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
