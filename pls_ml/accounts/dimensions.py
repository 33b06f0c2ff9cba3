"""Four dimensions of an account from 0 to 100 (R-PQA-3): breadth, depth, fit and momentum, each by anchors in its inputs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from pydantic import Field, field_validator

from pls_ml.accounts.bounds import Number, read_numbers
from pls_ml.core.protocols import Floats
from pls_ml.core.spec import Spec

NAMES = ("breadth", "depth", "fit", "momentum")
OF_USAGE = ("breadth", "depth", "momentum")
_PLACES = 9
"""Decimals that are kept: sums of weights in another order differ in the last ones, which must not decide at a cut."""


class DimensionInput(Spec):
    """A signal of the account, its weight within the dimension, and its worth from 0 to 100 at anchors, straight in between."""

    signal: str
    weight: float = Field(gt=0, allow_inf_nan=False)
    anchors: tuple[tuple[Number, Number], ...] = Field(min_length=2)

    @field_validator("anchors")
    @classmethod
    def _climb(cls, anchors: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        if any(x >= next_x or y > next_y for (x, y), (next_x, next_y) in pairwise(anchors)):
            raise ValueError("anchors are [value, worth] with rising values and worths that never fall")
        if anchors[0][1] < 0 or anchors[-1][1] > 100:
            raise ValueError("the worth at an anchor lies between 0 and 100")
        return anchors

    def rate(self, accounts: pd.DataFrame) -> Floats:
        """Takes n accounts; returns what each one's signal is worth, that of the outer anchors beyond them; NaN where it is not known."""
        values, worths = zip(*self.anchors, strict=True)
        return np.asarray(np.interp(read_numbers(accounts, self.signal), values, worths))


class Dimension(Spec):
    """A dimension: its weight among the four, and its inputs."""

    weight: float = Field(gt=0, allow_inf_nan=False)
    inputs: tuple[DimensionInput, ...] = Field(min_length=1)


class Dimensions(Spec):
    """The four dimensions."""

    breadth: Dimension
    depth: Dimension
    fit: Dimension
    momentum: Dimension

    @property
    def signals(self) -> tuple[str, ...]:
        """The columns that are read, each once."""
        return tuple(dict.fromkeys(one.signal for name in NAMES for one in getattr(self, name).inputs))


def measure_dimensions(accounts: pd.DataFrame, rules: Dimensions) -> pd.DataFrame:
    """Takes n accounts with their signals as columns; returns the four dimensions, `overall`, `usage` (all but fit) and `not_known`.

    An input that an account lacks is left out, its weight goes to the dimension's other ones, and `not_known` names it; a dimension
    without any input is NaN and left out of `overall` and `usage` in the same way.
    """
    parts: dict[str, Dimension] = {name: getattr(rules, name) for name in NAMES}
    found = {name: _blend([one.rate(accounts) for one in part.inputs], [one.weight for one in part.inputs]) for name, part in parts.items()}
    for blend, names in (("overall", NAMES), ("usage", OF_USAGE)):
        found[blend] = _blend([found[name] for name in names], [parts[name].weight for name in names])
    return pd.DataFrame(found, index=accounts.index).assign(not_known=_name_missing(accounts, rules.signals))


def _blend(values: list[Floats], weights: list[float]) -> Floats:
    """The weighted mean of those values that are known; NaN where none is."""
    table, weight = np.column_stack(values), np.array(weights)
    known = ~np.isnan(table)
    total = (known * weight).sum(axis=1)
    sums = (np.where(known, table, 0.0) * weight).sum(axis=1)
    return np.asarray(np.round(np.divide(sums, total, out=np.full(len(table), np.nan), where=total > 0), _PLACES))


def _name_missing(accounts: pd.DataFrame, signals: tuple[str, ...]) -> pd.Series[str]:
    """Each account's missing inputs, as a list with commas."""
    names = pd.Series("", index=accounts.index, dtype="str")
    for signal in signals:
        missing = np.isnan(read_numbers(accounts, signal))
        names = names.where(~missing, names + f", {signal}")
    return names.str.removeprefix(", ")
