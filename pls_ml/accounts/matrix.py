"""Fit × usage (R-PQA-4): four cells with a motion each, and how much their sizes hang on the cuts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from pls_ml.core.protocols import Floats
from pls_ml.core.spec import Spec

CELLS = ("hot", "develop", "self_serve", "deprioritise")
"""High fit and high usage: sales now; high fit: nurture; high usage: self-serve; neither."""
UNKNOWN = "unknown"
"""The cell of an account whose fit or usage nothing is known about."""


class MatrixCuts(Spec):
    """From where on fit and usage are high, and by how much the cuts are moved to see what hangs on them."""

    fit: float = Field(ge=0, le=100)
    usage: float = Field(ge=0, le=100)
    moved_by: float = Field(gt=0, le=50)


def assign_cells(fit: Floats, usage: Floats, fit_cut: float, usage_cut: float) -> npt.NDArray[np.str_]:
    """Takes n accounts' fit and usage and the two cuts; returns n cells; a cut itself is high."""
    chosen = np.select(
        [np.isnan(fit) | np.isnan(usage), (fit >= fit_cut) & (usage >= usage_cut), fit >= fit_cut, usage >= usage_cut],
        [UNKNOWN, *CELLS[:3]],
        default=CELLS[3],
    )
    return np.asarray(chosen, dtype=np.str_)


def count_cells(fit: Floats, usage: Floats, cuts: MatrixCuts) -> pd.DataFrame:
    """Takes n accounts' fit and usage; returns how many are in each cell, at the cuts and at each of them moved down and up."""
    rows = []
    for fit_cut in (cuts.fit - cuts.moved_by, cuts.fit, cuts.fit + cuts.moved_by):
        for usage_cut in (cuts.usage - cuts.moved_by, cuts.usage, cuts.usage + cuts.moved_by):
            cells = assign_cells(fit, usage, fit_cut, usage_cut)
            rows.append({"fit_cut": fit_cut, "usage_cut": usage_cut} | {c: int((cells == c).sum()) for c in (*CELLS, UNKNOWN)})
    return pd.DataFrame(rows)
