"""Which signals a scorer listens to over many leads, which way, and which of a signal's windows says most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pls_ml.core.catalogue import Catalogue, SignalColumn
from pls_ml.core.protocols import Floats
from pls_ml.explanations.receipts import Receipts
from pls_ml.explanations.wording import NOT_KNOWN, format_value

CLEAR = 0.5
"""A rank correlation from here on is a direction."""
GROUPS = 5
"""Parts of a signal's values in which its shape is told."""
FOR, AGAINST, BY_VALUE, MIXED, TOGETHER = "more speaks for", "more speaks against", "by value", "up and down", "together"


@dataclass(frozen=True)
class SignalImportance:
    """A signal's mean contribution in size (log-odds), its share in all of them, how it goes with the value, and its leading column."""

    signal: str
    label: str
    family: str
    size: float
    share: float
    way: str
    column: SignalColumn
    shape: tuple[tuple[str, float], ...]
    """Values of the leading column in words, from the lowest, and the mean contribution (log-odds) of the leads that have them."""


@dataclass(frozen=True, eq=False)
class PairImportance:
    """Two signals, what only both together say of each of n leads (log-odds), and its mean size."""

    first: SignalImportance
    second: SignalImportance
    size: float
    shares: Floats


def measure_importance(receipts: Receipts, shares: Floats) -> tuple[SignalImportance, ...]:
    """Takes n receipts and the n × m shares of their signal columns; returns the signals that say anything, the loudest first.

    The direction is the rank correlation of the contribution with the values of the column that says most.
    """
    sizes = np.abs(receipts.log_odds).mean(axis=0)
    by_column = dict(zip(map(str, receipts.values.columns), np.abs(shares).mean(axis=0).tolist(), strict=True))
    found = []
    for place in np.flatnonzero(sizes > 0):
        signal, size, contribution = receipts.signals[place], float(sizes[place]), receipts.log_odds[:, place]
        leading = max((column for column in signal.columns if column.name in by_column), key=lambda column: by_column[column.name])
        values = receipts.values[leading.name]
        way, shape = _find_way(values, contribution), _find_shape(leading, values, contribution)
        found.append(SignalImportance(signal.id, signal.label, signal.family, size, size / float(sizes.sum()), way, leading, shape))
    return tuple(sorted(found, key=lambda one: (-one.size, one.signal)))


def rank_pairs(
    interactions: Floats, columns: Sequence[str], signals: tuple[SignalImportance, ...], catalogue: Catalogue
) -> tuple[PairImportance, ...]:
    """Takes n × m × m interactions of m columns (log-odds), signals by importance and the catalogue; returns pairs, the loudest first.

    Columns are summed per signal; of the two, the louder signal stands first.
    """
    owners = [catalogue.by_column[column].signal.id for column in columns]
    member = np.array([[owner == one.signal for one in signals] for owner in owners], np.float64)
    both = 2 * np.einsum("nij,ia,jb->nab", interactions, member, member, optimize=True)
    sizes = np.abs(both).mean(axis=0)
    above = zip(*np.triu_indices(len(signals), 1), strict=True)
    pairs = (PairImportance(signals[a], signals[b], float(sizes[a, b]), both[:, a, b]) for a, b in above if sizes[a, b] > 0)
    return tuple(sorted(pairs, key=lambda pair: (-pair.size, pair.first.signal, pair.second.signal)))


def _find_shape(column: SignalColumn, values: pd.Series[Any], contribution: Floats) -> tuple[tuple[str, float], ...]:
    """Numbers in up to five groups of about equal size, categories by how often they occur; what is not known last."""
    known = values.notna().to_numpy()
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(np.float64, na_value=np.nan)
        edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, GROUPS + 1)[1:], method="lower")) if known.any() else np.array([])
        group = np.searchsorted(edges, numbers)
        parts = [(known & (group == place), numbers) for place in range(len(edges))]
        named = [(part, _say_range(column, of[part])) for part, of in parts if part.any()]
    else:
        text = values.astype(str)
        named = [(known & (text == value).to_numpy(bool), format_value(column.signal, value)) for value in _most_frequent(text[known])]
    if not known.all():
        named.append((~known, NOT_KNOWN))
    return tuple((words, float(contribution[part].mean())) for part, words in named)


def _say_range(column: SignalColumn, values: Floats) -> str:
    low, high = (format_value(column.signal, float(edge)) for edge in (values.min(), values.max()))
    return low if low == high else f"{low.removesuffix(f' {column.signal.unit}')} to {high}"


def _most_frequent(values: pd.Series[Any]) -> list[str]:
    counts = values.value_counts()
    return sorted(counts.index, key=lambda value: (-counts[value], value))[:GROUPS]


def _find_way(values: pd.Series[Any], contribution: Floats) -> str:
    if not pd.api.types.is_numeric_dtype(values):
        return BY_VALUE
    known = values.notna().to_numpy()
    ranks = pd.DataFrame({"value": values[known].to_numpy(np.float64), "contribution": contribution[known]}).rank()
    if known.sum() < 2 or (ranks.nunique() < 2).any():
        return MIXED
    correlation = float(ranks["value"].corr(ranks["contribution"]))
    return FOR if correlation >= CLEAR else AGAINST if correlation <= -CLEAR else MIXED
