"""What a card's points are multiplied by: factors with conditions, of which the first that applies counts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from pls_ml.core.derived import meets
from pls_ml.core.measures import Condition
from pls_ml.core.spec import Spec
from pls_ml.scores.encoding import read_numbers
from pls_ml.scores.ladder import Bools


class Factor(Spec):
    """What the card's points are multiplied by where every condition of `all`, and one of `any` if given, holds; the first that applies."""

    name: str
    times: float = Field(ge=0, allow_inf_nan=False)
    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()

    @model_validator(mode="after")
    def _credited(self) -> Factor:
        if not self.conditions and self.times != 1:
            raise ValueError(f"factor '{self.name}' has no condition, so no signal can be credited with it: give one, or `times: 1`")
        return self

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All conditions, those of `all` first."""
        return (*self.all, *self.any)

    def holds(self, signals: pd.DataFrame) -> Bools:
        """Takes n signal rows; returns where the factor applies."""
        held = np.ones(len(signals), dtype=bool)
        for condition in self.all:
            held &= _holds(condition, signals)
        return held & np.any([_holds(condition, signals) for condition in self.any], axis=0) if self.any else held

    def credit(self, signals: pd.DataFrame) -> Iterator[tuple[str, Bools]]:
        """Takes n signal rows; yields each condition's signal and where it is the first condition that holds.

        What the factor does to a lead's score is that signal's doing.
        """
        left = np.ones(len(signals), dtype=bool)
        for condition in self.conditions:
            first = left & _holds(condition, signals)
            left &= ~first
            yield condition.signal, first


def _holds(condition: Condition, signals: pd.DataFrame) -> Bools:
    """Where a condition holds; a value that is missing, or not there at all, fails it."""
    if condition.signal not in signals.columns:
        return np.zeros(len(signals), dtype=bool)
    column = signals[condition.signal]
    return meets(condition, column if condition.among is not None else read_numbers(column))
