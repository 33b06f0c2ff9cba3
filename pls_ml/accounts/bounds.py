"""Lower bounds on columns: what a tier asks for, what earns points, what makes somebody a hand-raiser."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from pls_ml.core.errors import TableError
from pls_ml.core.protocols import Floats
from pls_ml.core.spec import Spec

Bools = npt.NDArray[np.bool_]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Bounds(Spec):
    """Columns that must reach (`at_least`) or pass (`above`) a number, all of them; more of anything never meets fewer bounds."""

    at_least: dict[str, Number] = {}
    above: dict[str, Number] = {}

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is asked for."""
        return tuple(dict.fromkeys((*self.at_least, *self.above)))

    def met(self, rows: pd.DataFrame) -> Bools:
        """Takes n rows; returns where every bound is met; a value that is missing, or not there at all, meets none."""
        met = np.ones(len(rows), dtype=np.bool_)
        for name, bound in self.at_least.items():
            met &= read_numbers(rows, name) >= bound
        for name, bound in self.above.items():
            met &= read_numbers(rows, name) > bound
        return met


def read_numbers(rows: pd.DataFrame, column: str) -> Floats:
    """Takes n rows and a column's name; returns n numbers, NaN where there is none or no such column; refuses text."""
    if column not in rows.columns:
        return np.full(len(rows), np.nan)
    try:
        return np.asarray(rows[column].astype("Float64").to_numpy(np.float64, na_value=np.nan), dtype=np.float64)
    except (TypeError, ValueError) as error:
        example = rows[column].dropna().iloc[0]
        raise TableError(f"column '{column}' holds text such as '{example}': expected numbers; name another column") from error


def require_columns(rows: pd.DataFrame, columns: tuple[str, ...], what: str) -> None:
    """Takes rows, the columns they need and what for; returns nothing; refuses rows that lack one."""
    absent = [column for column in columns if column not in rows.columns]
    if absent:
        raise TableError(f"{what} need the column {', '.join(absent)}: got {', '.join(map(str, rows.columns)) or 'no columns'}")
