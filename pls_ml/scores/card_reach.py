"""Which scores a card can give, segment by segment: every sum its rows can have together, rows on the same signal taken jointly."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import product
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.protocols import Floats
from pls_ml.scores.card import DECIMALS, CardScores, Scorecard

MOST_STATES = 100_000
"""Combinations of values that signals which hang together may have."""
MOST_SUMS = 3_000
"""Different sums that are kept; of more, the extremes and evenly placed ones between them."""
EVERYBODY, OTHERWISE = "everybody", "otherwise"
"""Leads of a card without a multiplier, and leads to whom no factor of it applies."""
Values = Mapping[str, Sequence[Any]]
"""Signal → the values it may have."""


@dataclass(frozen=True)
class Reach:
    """What leads of one segment, those of one factor of the multiplier, can score, and the bands they can be in, best first."""

    segment: str
    times: float
    lowest: float
    highest: float
    bands: tuple[str, ...]


@dataclass(frozen=True)
class Sums:
    """Sums of points, each once: of leads that the gate holds back, and of leads that may pass it."""

    held: Floats
    free: Floats

    def plus(self, other: Sums) -> Sums:
        """Takes what other rows can give; returns what both can give together."""
        return Sums(_add((self.held, other.held)), _add((self.free, other.free), (self.free, other.held), (self.held, other.free)))


def find_reach(card: Scorecard, values: Values, silent: Collection[str] = ()) -> tuple[Reach, ...]:
    """Takes a card, the values that each of its signals may have, and rows that must not speak for the lead; returns one per segment.

    Signals vary independently of each other. A segment to which no lead can belong is left out.
    """
    first, *others = (_read_group(card, group, values, silent) for group in group_signals(card))
    rest = reduce(Sums.plus, (_collect(group, np.ones(len(group[0]), bool)) for group in others), Sums(np.zeros(1), np.zeros(0)))
    found = []
    for place in (*range(len(card.multiplier)), -1):
        sums = _collect(first, first[2] == place).plus(rest)
        times = card.multiplier[place].times if place >= 0 else 1.0
        held, free = np.round(times * sums.held, DECIMALS), np.round(times * sums.free, DECIMALS)
        if len(both := np.concatenate([held, free])):
            name = card.multiplier[place].name if place >= 0 else OTHERWISE if card.multiplier else EVERYBODY
            found.append(Reach(name, times, float(both.min()), float(both.max()), _find_bands(card, held, free)))
    return tuple(found)


def group_signals(card: Scorecard) -> list[list[str]]:
    """Takes a card; returns its signals, together where one row looks at several, first those of the multiplier and what joins them."""
    groups = [{condition.signal for factor in card.multiplier for condition in factor.conditions}]
    for row in card.rows:
        joined = set(row.signals)
        touched = [group for group in groups[1:] if group & joined]
        groups = [group for group in groups if group not in touched]
        joined = joined.union(*touched)
        if joined & groups[0]:
            groups[0] |= joined
        else:
            groups.append(joined)
    return [sorted(group) for group in groups]


def find_knot(card: Scorecard, values: Values) -> tuple[str, ...]:
    """Takes a card and its signals' values; returns signals that hang together in more ways than can be tried, if there are any."""
    return next((tuple(group) for group in group_signals(card) if prod(len(values[name]) for name in group) > MOST_STATES), ())


def combine_values(names: Sequence[str], values: Values) -> pd.DataFrame:
    """Takes signals and their values; returns one row for each combination of them."""
    states = list(product(*(values[name] for name in names)))
    return pd.DataFrame({name: [state[place] for state in states] for place, name in enumerate(names)}, index=range(len(states)))


Group = tuple[Floats, npt.NDArray[np.bool_], npt.NDArray[np.int64]]
"""Of each combination of values: what its rows give together, whether the gate lets the lead pass, and the place of the factor."""


def _read_group(card: Scorecard, group: Sequence[str], values: Values, silent: Collection[str]) -> Group:
    scores = card.score_leads(combine_values(group, values))  # the signals of other groups are not there, so their rows give nothing
    allowed = ~scores.speak([row.id in silent for row in card.rows])
    boundless = scores.shares.copy()
    boundless[:, -1] = np.inf
    free = card.find_bands(replace(scores, shares=boundless)) == card.band_names[0]  # whom the gate holds back is in no better band
    return scores.shares[allowed, :-1].sum(axis=1), np.asarray(free)[allowed], scores.factors[allowed]


def _collect(group: Group, chosen: npt.NDArray[np.bool_]) -> Sums:
    sums, free, _ = group
    return Sums(_thin(sums[chosen & ~free]), _thin(sums[chosen & free]))


def _add(*pairs: tuple[Floats, Floats]) -> Floats:
    return _thin(np.concatenate([np.add.outer(left, right).ravel() for left, right in pairs]))


def _thin(sums: Floats) -> Floats:
    each: Floats = np.unique(np.round(sums, DECIMALS + 3))  # finer than scores: a sum of many parts must not be rounded off a bound
    if len(each) <= MOST_SUMS:
        return each
    return np.asarray(each[np.unique(np.linspace(0, len(each) - 1, MOST_SUMS).astype(int))])


def _find_bands(card: Scorecard, held: Floats, free: Floats) -> tuple[str, ...]:
    found: set[str] = set()
    for scores, judge in ((held, card), (free, card.model_copy(update={"gate": None}))):
        shares = np.zeros((len(scores), len(card.rows) + 1))
        shares[:, -1] = scores
        nothing = np.zeros((len(scores), len(card.rows)), np.int64)
        found |= set(judge.find_bands(CardScores(nothing, shares, np.full(len(scores), -1))).tolist())
    return tuple(name for name in card.band_names if name in found)
