"""Signals on Apache Spark: the query that DuckDB runs, in Spark's SQL, over views of a session."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.database import quote
from pls_ml.core.windows import Grain
from pls_ml.signals.dialects import to_dialect
from pls_ml.signals.query import Query, Shape, find_shape
from pls_ml.signals.warehouse import visible_state

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

STATE_KEYS = {"user_id": "STRING", "account_id": "STRING", "event_tick": "BIGINT", "known_tick": "BIGINT"}


class SparkEngine:
    """Computes every column of a catalogue for every row of the spine, on a cluster."""

    kind = "spark"

    def __init__(self, session: SparkSession, grain: Grain, words: Mapping[str, Sequence[str]]) -> None:
        """Takes a session with the views `spine`, `users`, `user_versions`, `accounts` and `state`, the grain, and the mask columns.

        The session is one of `open_session`. Signals of workspaces and plan limits read `workspaces` and `usage_limits`.
        """
        self.session = session
        self.grain = grain
        self.words = words

    def build_signals(self, catalogue: Catalogue) -> None:
        """Takes a catalogue of computable signals; makes the view `signals`: the spine's `row`, then one column each."""
        self.session.sql(self.compile(catalogue)).createOrReplaceTempView("signals")

    def stream_signals(self, catalogue: Catalogue, beside: str) -> Iterator[pa.RecordBatch]:
        """Takes a catalogue of computable signals and columns of the spine `s` to put beside them; yields the rows in their order."""
        names = ", ".join(f"g.{quote(column.name)}" for column in catalogue)
        query = Query(catalogue, self._shape()).unordered
        joined = f'SELECT {beside}, {names} FROM ({query}) AS g JOIN spine AS s ON s."row" = g."row" ORDER BY g."row"'
        yield from self.session.sql(to_dialect(joined, "spark")).toArrow().to_batches()

    def compile(self, catalogue: Catalogue) -> str:
        """Takes a catalogue; returns the query that computes it for the whole spine."""
        return to_dialect(Query(catalogue, self._shape()).unordered, "spark")

    def _shape(self) -> Shape:
        return find_shape(lambda sql: bool(self.session.sql(to_dialect(sql, "spark")).take(1)), self.grain, self.words)


def open_tables(session: SparkSession, tables: Mapping[str, Any]) -> None:
    """Takes a session of `open_session` and Arrow tables or DataFrames by name; makes them its views, every time a naive one in UTC."""
    for name, table in tables.items():
        frame = _bring(session, table) if hasattr(table, "sparkSession") else session.createDataFrame(table)
        zoned = {column: frame[f"`{column}`"].cast("timestamp_ntz") for column, kind in frame.dtypes if kind == "timestamp"}
        (frame.withColumns(zoned) if zoned else frame).createOrReplaceTempView(name)


def open_state(session: SparkSession, rows: DataFrame) -> None:
    """Takes a session and the rows of a state, as kept or as rolled up; makes the view `state` of them."""
    rows.createOrReplaceTempView("state_rows")
    session.sql(to_dialect(visible_state("state_rows"), "spark")).createOrReplaceTempView("state")


def read_state(session: SparkSession, files: Sequence[Path], columns: Sequence[str]) -> DataFrame:
    """Takes a session, the Parquet files of a state and its columns of atoms; returns their rows; what a file lacks is missing in its rows.

    Every executor must be able to read the files.
    """
    schema = ", ".join([f"{key} {kind}" for key, kind in STATE_KEYS.items()] + [f"`{column}` BIGINT" for column in columns])
    if not files:
        return session.createDataFrame([], schema)
    return session.read.schema(schema).parquet(*map(str, files))


def _bring(session: SparkSession, frame: DataFrame) -> DataFrame:
    """The DataFrame in this session; views and settings belong to the session that a DataFrame was made in."""
    name = f"pls_ml_{uuid.uuid4().hex}"
    frame.createGlobalTempView(name)
    try:
        return session.table(f"global_temp.{name}")
    finally:
        session.catalog.dropGlobalTempView(name)
