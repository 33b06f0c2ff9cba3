"""Which thresholds of which signals say most about the outcome: one rung after the other, as long as it says enough more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.protocols import Floats
from pls_ml.scores.encoding import Encoding
from pls_ml.scores.grouped_logistic import Groups, Pull, fit_nonnegative
from pls_ml.scores.ladder import Bools
from pls_ml.scores.learned_card import MaturedRows

SHARES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
"""Shares of the rows below a threshold that is tried."""
WAYS = {"up": (False,), "down": (True,), "none": (False, True)}
"""Which sides of a threshold may earn points: where it is not `below`, and where it is."""
MOST_RUNGS = 3
SPREAD = 0.3
"""In log-odds, of a rung's coefficient around 0. Many small steps say more about later rows than few that fit the present ones best."""
TWO_ERRORS = 2.0
"""Half the score statistic of a cut that stands out by two standard errors."""


@dataclass(frozen=True)
class Cut:
    """A rung: the number of its signal and of its threshold, and whether it is reached below it in place of from it on."""

    signal: int
    at: int
    below: bool


@dataclass(frozen=True)
class Bins:
    """m numeric signals with their thresholds and ways, and n × m codes: 0 without a value, else 1 + how many thresholds are reached."""

    names: tuple[str, ...]
    thresholds: tuple[Floats, ...]
    ways: tuple[tuple[bool, ...], ...]
    codes: npt.NDArray[np.int16]

    @classmethod
    def learn(cls, signals: pd.DataFrame, weight: Floats, directions: Mapping[str, str]) -> Bins:
        """Takes n × m signals, n weights and the declared directions; returns their bins, text left out; refuses infinite values."""
        encoding = Encoding.learn(signals)
        matrix = encoding.encode(signals)
        numeric = [place for place, name in enumerate(encoding.columns) if name not in encoding.categories]
        thresholds = tuple(_find_thresholds(matrix[:, place], weight) for place in numeric)
        codes = np.zeros((len(matrix), len(numeric)), np.int16, order="F")
        for column, (place, found) in enumerate(zip(numeric, thresholds, strict=True)):
            values = matrix[:, place]
            codes[:, column] = np.where(np.isnan(values), 0, 1 + np.searchsorted(found, values, side="right"))
        names = tuple(encoding.columns[place] for place in numeric)
        return cls(names, thresholds, tuple(WAYS[directions.get(name, "none")] for name in names), codes)

    @property
    def size(self) -> int:
        """How many cuts there are to choose from."""
        return sum(len(found) * len(ways) for found, ways in zip(self.thresholds, self.ways, strict=True))

    def take(self, rows: npt.NDArray[np.int64]) -> Bins:
        """Takes positions of rows; returns the bins of those."""
        return replace(self, codes=np.asfortranarray(self.codes[rows]))

    def flags(self, cuts: Sequence[Cut]) -> Bools:
        """Takes k cuts; returns n × k: where each is reached; a missing value reaches none."""
        reached = np.zeros((len(self.codes), len(cuts)), dtype=bool)
        for place, cut in enumerate(cuts):
            codes = self.codes[:, cut.signal]
            reached[:, place] = (codes > 0) & (codes <= cut.at + 1) if cut.below else codes > cut.at + 1
        return reached


@dataclass(frozen=True)
class Grown:
    """Cuts in the order in which they were found, and the logistic regression on them; none of its k coefficients is negative."""

    cuts: tuple[Cut, ...]
    intercept: float
    coefficients: Floats

    def margins(self, bins: Bins) -> Floats:
        """Takes n rows of bins; returns their log-odds."""
        return np.asarray(self.intercept + bins.flags(self.cuts) @ self.coefficients)


def grow_cuts(bins: Bins, rows: MaturedRows, most_signals: int, least: float = TWO_ERRORS) -> list[Grown]:
    """Takes n rows of both outcomes, their bins, how many signals to use, and half the score statistic that a cut must reach.

    Returns what is found with 0, 1, 2, … cuts. Greedy: each cut is the one with the largest score statistic given the others, then all
    are fitted again. The statistic that must be reached has residuals summed by account (Boos 1992, "On generalized score tests"):
    colleagues are won together, and as single rows they would prove too much.
    """
    rate = float(np.average(rows.labels, weights=rows.weight))
    path = [Grown((), float(np.log(rate / (1 - rate))), np.zeros(0))]
    search = _Search(bins, rows.labels, rows.weight, pd.factorize(rows.accounts)[0], most_signals, least)
    margins = np.full(len(rows.labels), path[0].intercept)
    while cut := search.find_best(margins, path[-1].cuts):
        cuts = (*path[-1].cuts, cut)
        groups = Groups.gather(bins.flags(cuts))
        pull = Pull(np.zeros(len(cuts)), np.eye(len(cuts)) / SPREAD**2)
        tally, start = groups.tally(rows.labels, rows.weight), np.append(path[-1].coefficients, 0.0)
        intercept, coefficients = fit_nonnegative(groups.flags, tally, pull, start)
        margins = (intercept + groups.flags @ coefficients)[groups.place]
        path.append(Grown(cuts, intercept, coefficients))
    return path


@dataclass(frozen=True)
class _Search:
    bins: Bins
    labels: npt.NDArray[np.int8]
    weight: Floats
    accounts: npt.NDArray[np.int64]
    most_signals: int
    least: float

    def find_best(self, margins: Floats, cuts: Sequence[Cut]) -> Cut | None:
        """The cut with the largest score statistic that is large enough, of those that a ladder can still take."""
        won = 1 / (1 + np.exp(-margins))
        residual, curvature = self.weight * (self.labels - won), self.weight * won * (1 - won)
        ranked = sorted(self._rank(residual, curvature, cuts), key=lambda pair: -pair[0])
        enough = (cut for gain, cut in ranked if gain >= self.least and self._robust_gain(cut, residual, curvature) >= self.least)
        return next(enough, None)

    def _rank(self, residual: Floats, curvature: Floats, cuts: Sequence[Cut]) -> Iterator[tuple[float, Cut]]:
        """The best cut of each signal and side that is still open: a ladder has one side and at most `MOST_RUNGS` rungs."""
        used = {cut.signal for cut in cuts}
        for signal, (thresholds, ways) in enumerate(zip(self.bins.thresholds, self.bins.ways, strict=True)):
            own = [cut for cut in cuts if cut.signal == signal]
            if not len(thresholds) or len(own) == MOST_RUNGS or (not own and len(used) == self.most_signals):
                continue
            codes, size = self.bins.codes[:, signal], len(thresholds) + 2
            sums = [np.bincount(codes, amounts, size).astype(np.float64) for amounts in (residual, curvature)]
            for below in ways if not own else (own[0].below,):
                gains = _score(sums[0], sums[1], below, float(curvature.sum()))
                gains[[cut.at for cut in own]] = 0.0
                yield float(gains.max()), Cut(signal, int(gains.argmax()), below)

    def _robust_gain(self, cut: Cut, residual: Floats, curvature: Floats) -> float:
        """Half the score statistic with the variance of sums over accounts in place of the model's."""
        flags = self.bins.flags([cut])[:, 0]
        apart = (flags - curvature @ flags / curvature.sum()) * residual
        variance = float(np.sum(np.bincount(self.accounts, apart) ** 2))
        return float(apart.sum() ** 2 / (2 * max(variance, 1e-300)))


def _score(residual: Floats, curvature: Floats, below: bool, total: float) -> Floats:
    """The score statistic of each cut of one signal from sums by code; 0 where the cut speaks against the lead."""
    gain, size = ((sums[1:].cumsum()[:-1] if below else sums[::-1].cumsum()[::-1][2:]) for sums in (residual, curvature))
    spread = size - size**2 / total
    return np.asarray(np.where((gain > 0) & (spread > 1e-9 * total), gain**2 / (2 * np.maximum(spread, 1e-300)), 0.0))


def _find_thresholds(values: Floats, weight: Floats) -> Floats:
    """Distinct thresholds between neighbouring values, as short as decimals can be, at `SHARES` of the weight."""
    present = ~np.isnan(values) & (weight > 0)
    distinct, place = np.unique(values[present], return_inverse=True)
    if len(distinct) < 2:
        return np.zeros(0)
    share = np.bincount(place, weight[present]).cumsum()[:-1] / weight[present].sum()
    picked = np.unique(np.minimum(np.searchsorted(share, SHARES), len(share) - 1))
    return np.array([_shorten(distinct[one], distinct[one + 1]) for one in picked])


def _shorten(low: float, high: float) -> float:
    """The number in (low, high] with the fewest decimals: nobody wants to read the sixteenth."""
    for decimals in range(-6, 13):
        short = float(np.round(np.floor(high * 10.0**decimals) / 10.0**decimals, max(decimals, 0)))
        if low < short <= high:
            return short
    return float(high)
