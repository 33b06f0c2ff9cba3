"""What each line of a receipt says: its sentence, and where its value lies among the peers; the same for one lead and for a night."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.catalogue import Signal, SignalColumn
from pls_ml.core.protocols import Floats
from pls_ml.explanations.peers import Peers
from pls_ml.explanations.sentences import choose_kind, compare, name_peers, write_sentence


@dataclass(frozen=True)
class Telling:
    """What n leads' receipts over k signals say in words: the values, the contributions' signs, which windows lead, and the peers."""

    signals: tuple[Signal, ...]
    values: pd.DataFrame
    log_odds: Floats
    leading: npt.NDArray[np.int8]
    peers: Peers | None

    def tell(self, signal: int, rows: npt.NDArray[np.intp]) -> list[str]:
        """Takes a signal's place and r rows; returns its sentence for each, empty where nothing is known."""
        found = np.full(len(rows), "", dtype=object)
        for column, mine, values in self.by_window(signal, rows):
            below, upto = self._look_up(column, rows[mine], values)
            speaks_for = self.log_odds[rows[mine], signal] >= 0
            whose = self.peers.segments[rows[mine]] if self.peers else [""] * len(below)
            codes, distinct = _number_rows(values, speaks_for, np.asarray(whose, dtype=object))
            texts = [self._tell_once(column, values.iloc[n], bool(speaks_for[n]), (below[n], upto[n]), str(whose[n])) for n in distinct]
            found[mine] = np.array(texts, dtype=object)[codes]
        return list(found)

    def _tell_once(self, column: SignalColumn, value: Any, speaks_for: bool, place: tuple[float, float], segment: str) -> str:
        kind = choose_kind(column, value, speaks_for)
        if kind is None:
            return ""
        compared = compare(column, kind, place, name_peers(segment, self.peers.unit)) if self.peers else ""
        return write_sentence(column, value, kind, compared)

    def place(self, signal: int, rows: npt.NDArray[np.intp]) -> Floats:
        """Takes a signal's place and r rows; returns where each value lies among its peers, 0 to 100, NaN where nobody knows.

        Mid-rank: peers with the same value count half.
        """
        found = np.full(len(rows), np.nan)
        for column, mine, values in self.by_window(signal, rows):
            below, upto = self._look_up(column, rows[mine], values)
            found[mine] = np.round((below + upto) / 2, 1)
        return found

    def _look_up(self, column: SignalColumn, rows: npt.NDArray[np.intp], values: pd.Series[Any]) -> tuple[Floats, Floats]:
        if self.peers is None or column.signal.is_category:
            return np.full(len(rows), np.nan), np.full(len(rows), np.nan)
        return self.peers.place(column.name, values.to_numpy(np.float64, na_value=np.nan), rows)

    def by_window(self, signal: int, rows: npt.NDArray[np.intp]) -> Iterator[tuple[SignalColumn, npt.NDArray[np.intp], pd.Series[Any]]]:
        """Per window of a signal that leads in some of the rows: its column, which of the rows those are, and its values there."""
        columns = [column for column in self.signals[signal].columns if column.name in self.values]
        leading = self.leading[rows, signal]
        for place, column in enumerate(columns):
            mine = np.flatnonzero(leading == place)
            if mine.size:
                yield column, mine, self.values[column.name].iloc[rows[mine]]


def _number_rows(values: pd.Series[Any], speaks_for: npt.NDArray[np.bool_], whose: npt.NDArray[Any]) -> tuple[Any, Any]:
    """Rows that are said alike → one number each; and the first row of every number."""
    codes, _ = pd.factorize(values, use_na_sentinel=False)
    kinds, segments = pd.factorize(whose)
    joined = (codes * len(segments) + kinds) * 2 + speaks_for
    _, first, numbers = np.unique(joined, return_index=True, return_inverse=True)
    return numbers, first
