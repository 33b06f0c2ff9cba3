"""A scorecard as data: rows of rungs, bands, and the gate that keeps fit alone from looking like usage."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, model_validator

from pls_ml.core.protocols import Floats
from pls_ml.core.spec import Spec
from pls_ml.scores.encoding import read_numbers

Bools = npt.NDArray[np.bool_]


class Rung(Spec):
    """A test of the row's signal and the points it earns; exactly one operator."""

    points: int
    gte: float | None = None
    gt: float | None = None
    lt: float | None = None

    @model_validator(mode="after")
    def _one_operator(self) -> Rung:
        if sum(bound is not None for bound in (self.gte, self.gt, self.lt)) != 1:
            raise ValueError(f"a rung of {self.points} points needs exactly one of gte, gt, lt")
        return self

    def reached(self, values: Floats) -> Bools:
        """Takes signal values; returns where the rung is reached; a missing value reaches none."""
        if self.gte is not None:
            return np.asarray(values >= self.gte)
        if self.gt is not None:
            return np.asarray(values > self.gt)
        return np.asarray(values < (-np.inf if self.lt is None else self.lt))


class CardRow(Spec):
    """One row: the signal column it looks at and its ladder. Exclusive: the last rung reached counts alone (D-1)."""

    id: str
    family: str
    signal: str
    rungs: tuple[Rung, ...] = Field(min_length=1)
    ladder: Literal["exclusive", "stacked"] = "exclusive"

    @model_validator(mode="after")
    def _rungs_climb(self) -> CardRow:
        bounds = [-rung.lt if rung.lt is not None else next(b for b in (rung.gte, rung.gt) if b is not None) for rung in self.rungs]
        if bounds != sorted(set(bounds)):
            raise ValueError(f"row '{self.id}': rungs must get harder from one to the next, since the last one reached counts")
        return self

    def points(self, values: Floats) -> npt.NDArray[np.int64]:
        """Takes n signal values; returns n points."""
        earned = np.zeros(len(values), dtype=np.int64)
        for rung in self.rungs:
            reached = rung.reached(values)
            earned = earned + rung.points * reached if self.ladder == "stacked" else np.where(reached, rung.points, earned)
        return earned

    @property
    def range(self) -> tuple[int, int]:
        """The least and the most points the row can give."""
        steps = [rung.points for rung in self.rungs]
        if self.ladder == "stacked":
            return sum(p for p in steps if p < 0), sum(p for p in steps if p > 0)
        return min(0, *steps), max(0, *steps)


class Band(Spec):
    """A named range of points, from its lower bound up to the next band's."""

    name: str
    gte: float


class Gate(Spec):
    """A band that a lead without any positive row of these families, other than `account_rows`, cannot pass (D-3)."""

    families: tuple[str, ...]
    highest_without: str
    account_rows: tuple[str, ...] = ()


class Scorecard(Spec):
    """Additive points, bands by lower bound from the best down, the name of what is `below` them all, and a gate."""

    id: str
    bands: tuple[Band, ...] = Field(min_length=1)
    below: str
    rows: tuple[CardRow, ...] = Field(min_length=1)
    gate: Gate | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Scorecard:
        bounds = [band.gte for band in self.bands]
        if bounds != sorted(set(bounds), reverse=True):
            raise ValueError(f"bands must have falling lower bounds from the best on; got {bounds}")
        ids = [row.id for row in self.rows]
        if len(set(ids)) != len(ids):
            raise ValueError(f"row ids must be distinct; twice: {sorted({i for i in ids if ids.count(i) > 1})}")
        if self.gate and self.gate.highest_without not in self.band_names:
            raise ValueError(f"gate: no band '{self.gate.highest_without}'; the card has {', '.join(self.band_names)}")
        return self

    @property
    def band_names(self) -> tuple[str, ...]:
        """Bands from the best to the last."""
        return (*(band.name for band in self.bands), self.below)

    @property
    def range(self) -> tuple[int, int]:
        """The least and the most points the card can give."""
        return sum(row.range[0] for row in self.rows), sum(row.range[1] for row in self.rows)

    def row_points(self, signals: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Takes n signal rows; returns n × card rows points; a row whose signal is not there gives 0; refuses text."""
        table = np.zeros((len(signals), len(self.rows)), dtype=np.int64)
        for position, row in enumerate(self.rows):
            if row.signal in signals.columns:
                table[:, position] = row.points(read_numbers(signals[row.signal]))
        return table

    def find_bands(self, row_points: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
        """Takes n × card rows points; returns n band names, the gate applied."""
        names = list(self.band_names)
        bounds = np.array([*(band.gte for band in self.bands), -np.inf])
        band = np.argmax(row_points.sum(axis=1)[:, None] >= bounds[None, :], axis=1)
        if self.gate is not None:
            counts = [r.family in self.gate.families and r.id not in self.gate.account_rows for r in self.rows]
            used = (row_points[:, counts] > 0).any(axis=1)
            band = np.where(used, band, np.maximum(band, names.index(self.gate.highest_without)))
        return np.asarray(np.array(names, dtype=object)[band])
