"""One embedded DuckDB connection that holds the canonical tables; the only import of duckdb.

Stages meet in tables with canonical names and columns. File access is limited to the folders named at opening,
and the configuration is locked, so no query can reach further.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pls_ml.core.errors import TableError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

STREAM_ROWS = 131_072
"""Most rows of a batch of a stream."""


def quote(identifier: str) -> str:
    """Takes a column or table name; returns it quoted for SQL."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(value: object) -> str:
    """Takes text or a number from a declaration; returns it as an SQL literal."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else "'" + str(value).replace("'", "''") + "'"


def literals(values: Iterable[object]) -> str:
    """Takes values; returns a parenthesised SQL list of them."""
    return "(" + ", ".join(literal(v) for v in values) + ")"


def _damaged(what: str, error: Exception) -> str:
    return f"{what} cannot be read: {str(error).splitlines()[0]}; restore the file or export it again"


class Database:
    """The canonical tables of one project at work."""

    def __init__(self, folders: Sequence[Path], threads: int = 2, memory_limit: str = "8GB", spill: Path | None = None) -> None:
        """Takes the folders that may be read and written, the resource caps (as '500MB' or '8GB') and where to spill to; opens it empty."""
        import duckdb

        self.errors: tuple[type[Exception], ...] = (duckdb.Error,)
        self.memory_bytes = int(memory_limit[:-2]) * {"MB": 10**6, "GB": 10**9}[memory_limit[-2:]]
        self._connection = duckdb.connect(":memory:")
        allowed = ", ".join(literal(f"{folder.resolve()}/") for folder in folders)
        for setting in (
            f"SET threads = {int(threads)}",
            f"SET memory_limit = {literal(memory_limit)}",
            "SET TimeZone = 'UTC'",
            "SET preserve_insertion_order = false",
            f"SET temp_directory = {literal(str(spill.resolve()) if spill else '')}",
            "SET autoinstall_known_extensions = false",
            f"SET allowed_directories = [{allowed}]",
            "SET enable_external_access = false",
            "SET lock_configuration = true",
        ):
            self._connection.execute(setting)

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> None:
        """Takes a statement and its values; runs it."""
        self._connection.execute(sql, parameters)

    def rows(self, sql: str, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Takes a query and its values; returns its rows."""
        found: list[tuple[Any, ...]] = self._connection.execute(sql, parameters).fetchall()
        return found

    def arrow(self, sql: str, parameters: Sequence[Any] | None = None) -> pa.Table:
        """Takes a query and its values; returns an Arrow table."""
        return self._connection.sql(sql, params=parameters).to_arrow_table()

    @contextmanager
    def stream(self, sql: str) -> Iterator[pa.RecordBatchReader]:
        """Takes a query; gives its rows batch by batch, so that they never lie in memory together."""
        reader = self._connection.sql(sql).to_arrow_reader(STREAM_ROWS)
        try:
            yield reader
        finally:
            reader.close()

    def frame(self, sql: str, parameters: Sequence[Any] | None = None) -> pd.DataFrame:
        """Takes a query and its values; returns a pandas frame."""
        frame: pd.DataFrame = self.arrow(sql, parameters).to_pandas()
        return frame

    def register(self, name: str, table: pa.Table) -> None:
        """Takes an Arrow table; makes it a view of that name."""
        self._connection.register(name, table)

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Takes what is read from outside; a file that turns out damaged while it is read is refused under that name."""
        import duckdb

        try:
            yield
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            raise TableError(_damaged(what, error)) from error
        except duckdb.Error as error:
            if type(error) is not duckdb.Error:  # a wrong query is our bug; only damage is reported without a class of its own
                raise
            raise TableError(_damaged(what, error)) from error

    def has(self, table: str) -> bool:
        """Takes a table's name; returns whether it exists."""
        return bool(self.rows("SELECT 1 FROM information_schema.tables WHERE table_name = ?", [table]))

    def columns(self, table: str) -> dict[str, str]:
        """Takes a table's name; returns its columns with their SQL types, in order."""
        return {row[0]: row[1] for row in self.rows(f"DESCRIBE {quote(table)}")}

    def count(self, table: str) -> int:
        """Takes a table's name; returns its number of rows."""
        return int(self.rows(f"SELECT count(*) FROM {quote(table)}")[0][0])

    def close(self) -> None:
        """Takes nothing; releases the connection."""
        self._connection.close()
