"""What is realistic for a lead: what its peers do, by the tables that training froze (`peers`), and how rare a change is among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pls_ml.core.protocols import Floats
from pls_ml.explanations.peers import Knots, look_up

RARE = 0.01
"""What a smaller share of the peers does is not realistic."""


@dataclass(frozen=True)
class Habit:
    """One column among a segment's peers: the least and the largest realistic value, the 1st and the 99th percentile, and its knots."""

    low: float
    high: float
    knots: Knots

    def say_bits(self, before: Floats, after: Floats, down: bool) -> Floats:
        """Takes n values before and after a change, and whether it goes down; returns how rare the change is, in bits.

        One bit: of the peers that are at least as far as before, half are as far as after; two: a quarter. Bits of several changes add up.
        """
        return np.asarray(np.log2(self._share(before, down)) - np.log2(self._share(after, down)))

    def _share(self, values: Floats, down: bool) -> Floats:
        below, upto = look_up(self.knots, values)
        return np.maximum((upto if down else 100 - below) / 100, RARE)


def read_habits(tables: Mapping[str, Knots]) -> dict[str, Habit]:
    """Takes a segment's tables of its peers, by column; returns its habits."""
    return {name: habit for name, knots in tables.items() if (habit := _read(knots))}


def _read(knots: Knots) -> Habit | None:
    usual = [value for value, below, upto in knots if 100 - below >= 100 * RARE and upto >= 100 * RARE]
    return Habit(usual[0], usual[-1], knots) if usual else None
