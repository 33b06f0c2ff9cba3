"""A scorecard as data: rows of rungs, blocks with weights, a multiplier, bands, and the gate that keeps fit from looking like usage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from pls_ml.core.errors import suggest
from pls_ml.core.protocols import Floats
from pls_ml.core.spec import Spec
from pls_ml.scores.ladder import DTYPE, Bools, Bound, CardRow, Points, Rung
from pls_ml.scores.multiplier import Factor

DECIMALS = 9
"""Scores are rounded to so many: points are decimal numbers, and no lead shall miss a band by the last bit of a binary one."""


class Block(Spec):
    """A part of the card: its weight, and whether its rows' points become 0 to 100 (D-15) without what doing nothing earns (D-16)."""

    id: str
    weight: float = Field(gt=0, le=1)
    normalise: bool = True
    subtract_floor: bool = True


class Band(Spec):
    """A named range of the card's score, from its lower bound up to the next band's; `gt` leaves the bound itself out."""

    name: str
    gte: Bound | None = None
    gt: Bound | None = None

    @model_validator(mode="after")
    def _one_operator(self) -> Band:
        if (self.gte is None) == (self.gt is None):
            raise ValueError(f"band '{self.name}' needs exactly one of gte, gt")
        return self

    @property
    def bound(self) -> float:
        """The lower bound."""
        return next(bound for bound in (self.gte, self.gt) if bound is not None)

    def reached(self, score: Floats) -> Bools:
        """Takes scores; returns where the band, or a better one, is reached."""
        return np.asarray(score >= self.bound if self.gt is None else score > self.bound)


class Gate(Spec):
    """A band that a lead without any positive row of these families cannot pass; rows on the whole account do not count (D-3)."""

    families: tuple[str, ...]
    highest_without: str


@dataclass(frozen=True)
class CardScores:
    """What a card says of n leads: the points of every row, and the shares of every row, and last of the multiplier, in the score."""

    row_points: Points
    shares: Floats
    factors: npt.NDArray[np.int64]
    """The place of the factor that applies, −1 for none."""

    @cached_property
    def score(self) -> Floats:
        """The card's score of each lead, not clipped."""
        return np.round(_add_up(self.shares), DECIMALS)

    def speak(self, rows: Sequence[bool]) -> Bools:
        """Takes for each row of the card whether it counts; returns where one of those speaks for the lead, beyond what nothing earns."""
        spoken = np.zeros(len(self.shares), dtype=bool)
        for counts, share in zip(rows, self.shares.T[:-1], strict=True):
            if counts:
                spoken |= share > 0
        return spoken


def _add_up(shares: Floats) -> Floats:
    """Column by column, so that one lead alone comes to the same last bit as among others."""
    total = np.zeros(len(shares))
    for column in shares.T:
        total += column
    return total


def _stand_in_block(row: CardRow, info: ValidationInfo) -> CardRow:
    blocks = [block.id for block in info.data.get("blocks", ())]
    if row.block is None and blocks:
        raise ValueError(f"row '{row.id}' stands in no block: add `block`, one of {', '.join(blocks)}")
    if row.block is not None and row.block not in blocks and "blocks" in info.data:
        raise ValueError(f"row '{row.id}': no block '{row.block}'{suggest(row.block, blocks)}; the card has {', '.join(blocks) or 'none'}")
    return row


class Scorecard(Spec):
    """Rows of points, summed as they are or in weighted blocks, times a multiplier; bands from the best down, what is `below`, a gate.

    `outreach_families` is how many families must speak for a lead before anybody is sent to it (D-3); 0: the card bars nobody.
    """

    id: str
    blocks: tuple[Block, ...] = ()
    bands: tuple[Band, ...]
    below: str
    rows: tuple[Annotated[CardRow, AfterValidator(_stand_in_block)], ...]
    gate: Gate | None = None
    multiplier: tuple[Factor, ...] = ()
    outreach_families: int = Field(default=0, ge=0)

    @field_validator("bands")
    @classmethod
    def _bands_fall(cls, bands: tuple[Band, ...]) -> tuple[Band, ...]:
        bounds = [band.bound for band in bands]
        if not bounds or bounds != sorted(set(bounds), reverse=True):
            raise ValueError(f"bands must have falling lower bounds from the best on; got {bounds}")
        return bands

    @field_validator("rows")
    @classmethod
    def _rows_differ(cls, rows: tuple[CardRow, ...]) -> tuple[CardRow, ...]:
        if not rows:
            raise ValueError("a card needs at least one row")
        ids = [row.id for row in rows]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"row ids must be distinct; twice: {twice}")
        return rows

    @field_validator("gate")
    @classmethod
    def _gate_opens(cls, gate: Gate | None, info: ValidationInfo) -> Gate | None:
        if gate is None or not {"bands", "below", "rows"} <= info.data.keys():  # what is wrong there is said there
            return gate
        bands = [*(band.name for band in info.data["bands"]), info.data["below"]]
        families = sorted({row.family for row in info.data["rows"]})
        for what, names, known in (("band", (gate.highest_without,), bands), ("family", gate.families, families)):
            for name in names:
                if name not in known:
                    raise ValueError(f"no {what} '{name}'{suggest(name, known)}; the card has {', '.join(known)}")
        return gate

    @model_validator(mode="after")
    def _names_differ(self) -> Scorecard:
        blocks = [block.id for block in self.blocks]
        for what, names in (("blocks", blocks), ("bands", self.band_names)):
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{what} must be distinct; twice: {twice}")
        if empty := sorted(set(blocks) - {row.block for row in self.rows}):
            raise ValueError(f"block '{empty[0]}' has no row: give it one, or leave it out")
        return self

    @property
    def band_names(self) -> tuple[str, ...]:
        """Bands from the best to the last."""
        return (*(band.name for band in self.bands), self.below)

    @property
    def signals(self) -> tuple[str, ...]:
        """Every column the card looks at."""
        looked_at = [name for row in self.rows for name in row.signals]
        return tuple(dict.fromkeys([*looked_at, *(c.signal for factor in self.multiplier for c in factor.conditions)]))

    def scale(self, row: CardRow) -> tuple[int, float]:
        """Takes a row; returns its floor and what one of its points above it weighs in the score, before the multiplier."""
        block = next((block for block in self.blocks if block.id == row.block), None)
        if block is None:
            return 0, 1.0
        floor = row.floor if block.subtract_floor else 0
        if not block.normalise:
            return floor, block.weight
        own = [other for other in self.rows if other.block == block.id]
        most = sum(other.range[1] - (other.floor if block.subtract_floor else 0) for other in own)
        return floor, 100 * block.weight / most if most > 0 else 0.0

    def score_leads(self, signals: pd.DataFrame) -> CardScores:
        """Takes n signal rows; returns what the card says; a row whose signal is not there gives 0; refuses text.

        Points between 0 and the floor are worth 0, as the floor is; points that speak against the lead count in full.
        """
        n, k = len(signals), len(self.rows)
        points, shares = np.zeros((n, k), DTYPE, order="F"), np.zeros((n, k + 1), order="F")
        for place, row in enumerate(self.rows):
            earned = row.points(signals, out=points[:, place])
            floor, weight = self.scale(row)
            np.multiply(np.maximum(earned - floor, np.minimum(earned, 0)) if floor else earned, weight, out=shares[:, place])
        factors = self._find_factors(signals)
        if self.multiplier:
            times = np.array([*(factor.times for factor in self.multiplier), 1.0])[factors]
            shares[:, -1] = (times - 1) * _add_up(shares[:, :-1])
        return CardScores(points, shares, factors)

    def _find_factors(self, signals: pd.DataFrame) -> npt.NDArray[np.int64]:
        found = np.full(len(signals), -1)
        for place, factor in reversed(list(enumerate(self.multiplier))):
            found[factor.holds(signals)] = place
        return found

    def find_bands(self, scores: CardScores) -> npt.NDArray[np.object_]:
        """Takes what the card says of n leads; returns n band names, the gate applied."""
        found = np.full(len(scores.score), len(self.bands))
        for place, band in reversed(list(enumerate(self.bands))):
            found[band.reached(scores.score)] = place
        if self.gate is not None:
            used = scores.speak([row.family in self.gate.families and row.scope == "user" for row in self.rows])
            found = np.where(used, found, np.maximum(found, self.band_names.index(self.gate.highest_without)))
        return np.asarray(np.array(self.band_names, dtype=object)[found])

    def may_reach_out(self, scores: CardScores) -> Bools:
        """Takes what the card says of n leads; returns where enough families speak for the lead."""
        families = sorted({row.family for row in self.rows})
        speaking = [scores.speak([row.family == family for row in self.rows]) for family in families]
        return np.asarray(np.sum(speaking, axis=0) >= self.outreach_families)


__all__ = ["Band", "Block", "Bools", "Bound", "CardRow", "CardScores", "Factor", "Gate", "Points", "Rung", "Scorecard"]
