"""The points of an additive card as increments that are never negative, so that signs and orders hold whatever is fitted to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.errors import ConfigError
from pls_ml.core.protocols import Floats
from pls_ml.scores.card import Scorecard
from pls_ml.scores.encoding import read_numbers
from pls_ml.scores.grouped_logistic import Groups
from pls_ml.scores.ladder import Bools, CardRow


@dataclass(frozen=True)
class CardIncrements:
    """The r rungs of a card, row by row: their points, which leads they count for, and the k increments that the points are made of.

    points = `steps` (r × k) @ increments. Along a ladder each increment is what a rung gives beyond the next smaller one of its sign;
    a rung of a stacked ladder is an increment of its own. A rung of 0 points takes the sign of its ladder; where the whole row gives
    nothing there is no sign, and no increment. `groups` are leads for whom the same rungs count.
    """

    card: Scorecard
    points: Floats
    steps: Floats
    groups: Groups

    @classmethod
    def read(cls, card: Scorecard, signals: pd.DataFrame) -> CardIncrements:
        """Takes an additive card and n signal rows; returns its increments; refuses blocks and multipliers."""
        from scipy.linalg import block_diag

        require_additive(card)
        points = np.array([rung.points for row in card.rows for rung in row.rungs], dtype=np.float64)
        steps = np.asarray(block_diag(*(_make_steps(row) for row in card.rows)), dtype=np.float64)
        counting = np.column_stack([find_counting(row, signals) for row in card.rows])
        return cls(card, points, steps, Groups.gather(counting))

    @cached_property
    def increments(self) -> Floats:
        """The increments of the card's own points."""
        return self.split(self.points)

    def split(self, points: Floats) -> Floats:
        """Takes r whole points that keep the card's signs and orders; returns their increments."""
        return np.round(np.linalg.lstsq(self.steps, points)[0]) if self.steps.shape[1] else np.zeros(0)  # exact: steps are triangular

    @cached_property
    def design(self) -> Floats:
        """What an increment counts for each group: g × k of 0, 1 and −1."""
        return np.asarray(self.groups.flags @ self.steps)

    @property
    def own(self) -> list[int | None]:
        """For each rung the increment that is its alone: what it gives beyond the next smaller one; None where it has no sign."""
        held = np.count_nonzero(self.steps, axis=0)
        parts = [np.flatnonzero(row) for row in self.steps]
        return [int(found[held[found].argmin()]) if len(found) else None for found in parts]

    def replace_points(self, points: Floats) -> Scorecard:
        """Takes r whole points; returns the card with them, under its old name."""
        left = iter(int(value) for value in points)
        rows = [
            row.model_copy(update={"rungs": tuple(rung.model_copy(update={"points": next(left)}) for rung in row.rungs)})
            for row in self.card.rows
        ]
        return self.card.model_copy(update={"rows": tuple(rows)})


def require_additive(card: Scorecard) -> None:
    """Takes a card; returns nothing; refuses one whose points are not simply added up."""
    if card.blocks or card.multiplier:
        parts = " and ".join(name for name, found in (("blocks", card.blocks), ("a multiplier", card.multiplier)) if found)
        raise ConfigError(
            f"card '{card.id}' has {parts}: only points that are simply added up can be re-pointed; "
            "write its rows without them, or let `pls-ml train` fit a card of its own (`fitted_card`)"
        )


def find_counting(row: CardRow, signals: pd.DataFrame) -> Bools:
    """Takes a row and n signal rows; returns n × rungs flags: which rungs earn the lead their points."""
    reached = np.zeros((len(signals), len(row.rungs)), dtype=bool)
    for place, rung in enumerate(row.rungs):
        name = rung.signal or row.signal
        if name in signals.columns:
            reached[:, place] = rung.reached(read_numbers(signals[name]))
    if row.ladder == "stacked":
        return reached
    harder = np.cumsum(reached[:, ::-1], axis=1)[:, ::-1] - reached
    return np.asarray(reached & (harder == 0))


def _make_steps(row: CardRow) -> npt.NDArray[np.float64]:
    points = np.array([rung.points for rung in row.rungs])
    signs = np.sign(points)
    if len(set(signs[signs != 0].tolist())) == 1:
        signs[:] = signs[signs != 0][0]
    columns = []
    for sign in (1, -1):
        climbing = [place for place in np.argsort(abs(points), kind="stable") if signs[place] == sign]
        for position, place in enumerate(climbing):
            column = np.zeros(len(points))
            column[[place] if row.ladder == "stacked" else climbing[position:]] = sign
            columns.append(column)
    return np.column_stack(columns) if columns else np.zeros((len(points), 0))
