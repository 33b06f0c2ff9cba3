"""Signal columns → one numeric matrix, the same way at training and at night."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.errors import BundleError, DataError, suggest
from pls_ml.core.protocols import Floats

MAX_CATEGORIES = 64


@dataclass(frozen=True)
class Encoding:
    """Column names in order, and for text columns the values seen in training (most frequent first)."""

    columns: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]

    @classmethod
    def learn(cls, signals: pd.DataFrame) -> Encoding:
        """Takes n × m signal columns; returns their encoding; refuses none and duplicates."""
        names = [str(name) for name in signals.columns]
        if not names or len(set(names)) != len(names):
            raise DataError(f"signal columns must have distinct names, got {names or 'none'}")
        text = {str(c): tuple(_frequent(signals[c])) for c in signals.columns if not pd.api.types.is_numeric_dtype(signals[c])}
        return cls(tuple(names), text)

    def encode(self, signals: pd.DataFrame) -> Floats:
        """Takes signal columns in any order; returns n × m doubles, text as its code; unseen text and no value become NaN.

        Refuses a missing column, with the nearest name, text where training had numbers, and infinite values.
        """
        absent = [c for c in self.columns if c not in signals.columns]
        if absent:
            near = suggest(absent[0], [str(c) for c in signals.columns])
            raise BundleError(f"signal '{absent[0]}' is missing{near}: the scorer needs {len(self.columns)} columns")
        matrix = np.empty((len(signals), len(self.columns)))
        for position, name in enumerate(self.columns):
            known = self.categories.get(name)
            matrix[:, position] = read_numbers(signals[name]) if known is None else _find_codes(signals[name], known)
        infinite = np.isinf(matrix).any(axis=0)
        if infinite.any():
            raise DataError(f"signal '{self.columns[int(infinite.argmax())]}' has infinite values: expected numbers or missing")
        return matrix

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return {"columns": list(self.columns), "categories": {name: list(values) for name, values in self.categories.items()}}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Encoding:
        """Takes what `to_dict` gave; returns the encoding."""
        return cls(tuple(data["columns"]), {name: tuple(values) for name, values in data["categories"].items()})


def read_numbers(values: pd.Series[Any]) -> Floats:
    """Takes one signal column; returns n doubles, NaN where there is no value; refuses text."""
    try:
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise DataError(f"signal '{values.name}' holds {values.dtype} values: expected numbers or missing") from None


def check_labels(signals: pd.DataFrame, labels: npt.NDArray[Any]) -> None:
    """Takes n rows of signals and their labels; refuses another number of labels, and labels of one class only."""
    if len(labels) != len(signals):
        raise DataError(f"{len(signals):,} rows of signals and {len(labels):,} labels: expected one label per row")
    if len(np.unique(labels)) < 2:
        raise DataError(f"all {len(labels):,} labels are {labels[0] if len(labels) else 'absent'}: expected both won and not won")


def _find_codes(values: pd.Series[Any], known: tuple[str, ...]) -> Floats:
    codes = pd.Index(known, dtype="string").get_indexer(pd.Index(values.astype("string")))
    return np.where(codes < 0, np.nan, codes)


def _frequent(values: pd.Series[Any]) -> list[str]:
    counts = values.dropna().astype(str).value_counts()
    return sorted(counts.index, key=lambda value: (-counts[value], value))[:MAX_CATEGORIES]
