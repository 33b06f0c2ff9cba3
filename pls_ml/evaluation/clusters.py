"""Rows that belong to accounts: what a draw of accounts makes of any sum over rows, without touching the rows again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.errors import DataError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Sparse = Any
"""A scipy matrix in rows."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """n rows, each of one account and with a weight of its own.

    In a resample a row counts its own weight times how often its account was drawn. All sums over rows are linear in those draws, so a
    sparse matrix made once turns draws (accounts by B) into sums (parts by B).
    """

    codes: Ints
    count: int
    weight: Floats

    def sum_parts(self, part: Ints, parts: int, amount: Floats | None = None) -> Sparse:
        """Takes n part numbers, how many parts there are and n amounts (None: 1 each); returns the matrix of draws → sums by part."""
        from scipy.sparse import csr_array

        given = self.weight if amount is None else self.weight * amount
        some = given != 0
        return csr_array((given[some], (part[some], self.codes[some])), shape=(parts, self.count))

    def sum_amounts(self, *amounts: Floats) -> Floats:
        """Takes m lists of n amounts; returns accounts by m weighted sums: draws times them are the sums of a resample."""
        sums = [np.bincount(self.codes, amount * self.weight, self.count) for amount in amounts]
        return np.column_stack(sums)

    def spread(self, draws: Floats, rows: slice) -> Floats:
        """Takes accounts by B draws and some rows; returns those rows' weights in every resample, rows by B."""
        drawn = draws.take(self.codes[rows], axis=0)
        drawn *= self.weight[rows, None]
        return drawn


def cluster_rows(groups: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Clusters:
    """Takes n account ids and n row weights (None: 1 each); returns the rows by account; refuses weights that are not above 0."""
    names, codes = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    return Clusters(codes.astype(np.int64), names.size, _check_weight(weight, codes.size))


def single_rows(n: int) -> Clusters:
    """Takes a number of rows; returns each as an account of its own: draws are then weights of rows."""
    return Clusters(np.arange(n), n, np.ones(n))


def _check_weight(weight: npt.ArrayLike | None, rows: int) -> Floats:
    if weight is None:
        return np.ones(rows)
    given = np.asarray(weight, np.float64)
    if given.shape != (rows,) or not (given > 0).all():
        raise DataError(f"{given.size} row weights for {rows} rows, the least {given.min(initial=np.inf):g}: expected one above 0 for each")
    return given
