"""One row of a scorecard: a ladder of rungs over one signal or several, and what it can give."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, model_validator

from pls_ml.core.protocols import Floats
from pls_ml.core.spec import Spec
from pls_ml.scores.encoding import read_numbers

Bools = npt.NDArray[np.bool_]
Points = npt.NDArray[np.integer[Any]]
Bound = Annotated[float, Field(allow_inf_nan=False)]
MOST_POINTS = 1_000_000
DTYPE = np.int32
"""Of points: what a rung may give or take fits into it, also when many are added up, and a million leads into the memory."""


class Rung(Spec):
    """A test of the row's signal, or of another one, and the points it earns; exactly one operator."""

    points: int = Field(ge=-MOST_POINTS, le=MOST_POINTS)
    gte: Bound | None = None
    gt: Bound | None = None
    lt: Bound | None = None
    signal: str | None = None

    @model_validator(mode="after")
    def _one_operator(self) -> Rung:
        if sum(bound is not None for bound in (self.gte, self.gt, self.lt)) != 1:
            raise ValueError(f"a rung of {self.points} points needs exactly one of gte, gt, lt")
        return self

    def reached(self, values: Floats) -> Bools:
        """Takes signal values; returns where the rung is reached; a missing value reaches none."""
        test, bound = self._test
        return np.asarray(test(values, bound))

    @property
    def bound(self) -> float:
        """The threshold."""
        return self._test[1]

    @property
    def hardness(self) -> tuple[float, bool]:
        """Rises with how hard the rung is to reach, among rungs in one direction: a strict sign is harder than none."""
        return (-self.bound, False) if self.lt is not None else (self.bound, self.gt is not None)

    @property
    def _test(self) -> tuple[Any, float]:
        tests = ((np.greater_equal, self.gte), (np.greater, self.gt), (np.less, self.lt))
        return next((test, bound) for test, bound in tests if bound is not None)


class CardRow(Spec):
    """One row: the signal column it looks at and its ladder. Exclusive: the last rung reached counts alone (D-1).

    A rung reaches up to the next one, so that no range between two can be left out by mistake; one that gives nothing says `points: 0`.
    `scope: account` says that the row looks at the whole account, so that it counts once for the account and is no usage of the lead.
    `window: unstated` says that whoever wrote the card named no window; the signal's own is then used (D-5).
    """

    id: str
    family: str
    signal: str
    rungs: tuple[Rung, ...]
    ladder: Literal["exclusive", "stacked"] = "exclusive"
    block: str | None = None
    scope: Literal["user", "account"] = "user"
    window: Literal["stated", "unstated"] = "stated"

    @model_validator(mode="after")
    def _every_rung_counts(self) -> CardRow:
        if not self.rungs:
            raise ValueError(f"row '{self.id}' has no rung: give it one, or leave it out")
        for name in self.signals:
            rungs = self._rungs_on(name)
            up, down = [r for r in rungs if r.lt is None], [r for r in rungs if r.lt is not None]
            for hardness in ([rung.hardness for rung in up], [rung.hardness for rung in down]):
                if hardness != sorted(set(hardness)):
                    raise ValueError(
                        f"row '{self.id}': rungs must get harder from one to the next, since the last one reached counts; "
                        f"on '{name}' they are {', '.join(f'{rung.bound:g}' for rung in rungs)}"
                    )
            if self.ladder == "exclusive" and up and down and up[0].bound < down[0].bound:
                raise ValueError(
                    f"row '{self.id}': rungs on '{name}' overlap: from {up[0].bound:g} to {down[0].bound:g} both directions are reached; "
                    "move a bound, or write two rows"
                )
        return self

    @property
    def signals(self) -> tuple[str, ...]:
        """The columns the row looks at, its own first."""
        return tuple(dict.fromkeys((self.signal, *(rung.signal or self.signal for rung in self.rungs))))

    def points(self, signals: pd.DataFrame, out: Points | None = None) -> Points:
        """Takes n signal rows, and n zeros to write into, if there are; returns n points; refuses text.

        A rung whose signal is not there is not reached.
        """
        values = {name: read_numbers(signals[name]) for name in self.signals if name in signals.columns}
        earned = np.zeros(len(signals), DTYPE) if out is None else out
        for rung in self.rungs:
            name = rung.signal or self.signal
            if name not in values:
                continue
            reached = rung.reached(values[name])
            if self.ladder == "stacked":
                np.add(earned, rung.points, out=earned, where=reached)
            else:
                np.copyto(earned, rung.points, where=reached)
        return earned

    @property
    def range(self) -> tuple[int, int]:
        """The least and the most points the row can give."""
        if self.ladder == "exclusive":
            steps = [rung.points for rung in self.rungs]
            return min(0, *steps), max(0, *steps)
        totals = [self._try_totals(name) for name in self.signals]
        return sum(min(found) for found in totals), sum(max(found) for found in totals)

    @property
    def floor(self) -> int:
        """What a lead who did nothing earns (D-16): what rungs that ask for more give at zero; to ask for less is to ask for something."""
        given = [rung.points for rung in self.rungs if rung.lt is None and rung.reached(np.zeros(1))[0]]
        return max(0, sum(given[-1:] if self.ladder == "exclusive" else given))

    def _rungs_on(self, name: str) -> tuple[Rung, ...]:
        return tuple(rung for rung in self.rungs if (rung.signal or self.signal) == name)

    def _try_totals(self, name: str) -> list[int]:
        """What a stacked ladder gives on one signal where it is missing, and at, just below and just above every bound."""
        rungs = self._rungs_on(name)
        bounds = np.array([rung.bound for rung in rungs])
        values = np.concatenate([[np.nan], np.nextafter(bounds, -np.inf), bounds, np.nextafter(bounds, np.inf)])
        return [int(total) for total in sum((rung.points * rung.reached(values) for rung in rungs), np.zeros(len(values)))]
