"""Whether reasons are true of the score: do receipts add up, and does the score move as a reason says when its signal is taken away."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

MOST_FOR = 3
LEAST_MOVE = 1e-9
"""A raw score that moves by less has not moved."""
CLEAR = 2.0
"""So many standard errors tell a fall from chance."""


@dataclass(frozen=True)
class ReasonQuality:
    """`additivity` is the largest error of a receipt's sum; the rest is of the `named` reasons of `leads` leads, NaN where it has none.

    `sign_agreement` is the share of them whose score moves as they say when their signal is taken away, where that can be told;
    `ablation_ratio` how much more it falls without the first reason than it moves without another signal that counts.
    """

    additivity: float
    leads: int
    named: int
    sign_agreement: float
    ablation_ratio: float

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values, None for what is not defined."""
        return {name: None if math.isnan(value) else value for name, value in asdict(self).items()}


def name_reasons(log_odds: Floats, least: float) -> Mask:
    """Takes n × k lines of receipts and the least that is a reason; returns which are named: at most three for a lead, one against it."""
    order = np.argsort(-log_odds, axis=1, kind="stable")
    places = np.argsort(order, axis=1, kind="stable")
    speak_for = (places < MOST_FOR) & (log_odds > least)
    against = (places == log_odds.shape[1] - 1) & (log_odds < -least)
    return np.asarray(speak_for | against)


def draw_others(log_odds: Floats, seed: int) -> Places:
    """Takes n × k lines of receipts and a seed; returns per lead one signal at random that counts and is not the first, -1 for none."""
    lots = np.random.default_rng(seed).random(log_odds.shape)
    lots[log_odds == 0] = -1.0
    np.put_along_axis(lots, log_odds.argmax(axis=1)[:, None], -1.0, axis=1)
    return np.where(lots.max(axis=1, initial=-1.0) < 0, -1, lots.argmax(axis=1))


def measure_signs(lines: Floats, drops: Floats, noise: Floats) -> float:
    """Takes named lines, what the score falls by without their signal, and the standard errors of that; returns the share that agrees.

    A score that does not move agrees with no reason. Where it moves by less than twice its error, the draws cannot tell which way, and the
    line is not counted. NaN where nothing is left.
    """
    falls = np.where(np.abs(drops) > LEAST_MOVE, drops, 0.0)
    told = (np.abs(falls) > CLEAR * noise) | ((falls == 0) & (noise <= LEAST_MOVE))
    return float((np.sign(falls) == np.sign(lines))[told].mean()) if told.any() else math.nan


def measure_ablation(first: Floats, other: Floats) -> float:
    """Takes what scores fall by without the first reason, and without a random other signal of the same leads; returns the ratio of means.

    Of the other any move counts, whichever way, as a first reason has to weigh more than what speaks against a lead, too.
    """
    moved = float(np.abs(other).sum())
    return float(first.sum() / moved) if moved > LEAST_MOVE else math.nan
