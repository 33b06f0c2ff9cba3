"""Signals in the embedded database, in slices of the spine that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.database import Database
from pls_ml.core.windows import Grain
from pls_ml.signals.query import Query, Shape, find_shape

SLICE_ROWS = 1_000_000
"""Rows of the spine that are computed in one go, at most."""
ROW_BYTES = 8_000
"""Memory that a row takes while a hundred columns are computed."""


class DuckDBEngine:
    """Computes every column of a catalogue for every row of the spine."""

    kind = "duckdb"

    def __init__(self, database: Database, grain: Grain, words: Mapping[str, Sequence[str]]) -> None:
        """Takes a database with `spine`, `users`, `user_versions`, `accounts` and `state`, the time grain, and the state's mask columns."""
        self.database = database
        self.grain = grain
        self.words = words

    def build_signals(self, catalogue: Catalogue) -> None:
        """Takes a catalogue of computable signals; makes the table `signals`: the spine's `row`, then one column each."""
        for number, query in enumerate(self._slices(catalogue)):
            made = "INSERT INTO signals" if number else "CREATE OR REPLACE TABLE signals AS"
            self.database.execute(f"{made} {query.sql}")

    def stream_signals(self, catalogue: Catalogue, beside: str) -> Iterator[pa.RecordBatch]:
        """Takes a catalogue of computable signals and columns of the spine to put beside them; yields the rows, slice after slice."""
        for query in self._slices(catalogue):
            rows = f'({query.unordered}) AS g JOIN {query.spine} AS s ON s."row" = g."row"'
            with self.database.stream(f'SELECT {beside}, g.* EXCLUDE ("row") FROM {rows} ORDER BY g."row"') as reader:
                yield from reader

    def compile(self, catalogue: Catalogue) -> str:
        """Takes a catalogue; returns the query that computes it for the whole spine."""
        return Query(catalogue, self._shape()).sql

    def _slices(self, catalogue: Catalogue) -> Iterator[Query]:
        """The query, once for each slice of the spine; an account's leads are in one slice."""
        slices = -(-self.database.count("spine") // max(1, min(SLICE_ROWS, self.database.memory_bytes // ROW_BYTES)))
        if slices <= 1:
            yield Query(catalogue, self._shape())
            return
        query = Query(catalogue, self._shape(), "slice")
        try:
            for number in range(slices):
                chosen = f"SELECT * FROM spine WHERE hash(account_key) % {slices} = {number}"
                self.database.execute(f"CREATE OR REPLACE TEMP TABLE slice AS {chosen}")
                yield query
        finally:
            self.database.execute("DROP TABLE IF EXISTS slice")

    def _shape(self) -> Shape:
        return find_shape(lambda sql: bool(self.database.rows(sql)), self.grain, self.words)
