"""Two signal tables compared."""

import numpy as np
import pandas as pd


def differing_columns(one: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """The columns in which two signal tables differ by more than 1e-9 of the value; a missing value only equals a missing value."""
    assert list(one.columns) == list(other.columns)
    if list(one.index) != list(other.index):
        return ["row"]
    return [name for name in one.columns if not _same(one[name], other[name])]


def _same(one: pd.Series, other: pd.Series) -> bool:
    missing = one.isna().to_numpy()
    if (missing != other.isna().to_numpy()).any():
        return False
    first, second = one.to_numpy(object)[~missing], other.to_numpy(object)[~missing]
    if any(isinstance(value, str) for value in first):
        return list(first) == list(second)
    return bool(np.allclose(first.astype(float), second.astype(float), rtol=1e-9, atol=1e-9))
