"""Parquet files."""

from pathlib import Path

from pls_ml.core.database import Database, literal, quote
from pls_ml.core.errors import TableError


def _scan(path: Path) -> str:
    # A folder named like `event=x` would otherwise become a column and hide the file's own.
    return f"read_parquet({literal(path.resolve())}, hive_partitioning = false)"


def open_view(database: Database, view: str, path: Path) -> None:
    """Takes a Parquet file; makes it the view `view`; refuses a damaged file."""
    try:
        database.execute(f"CREATE OR REPLACE VIEW {quote(view)} AS SELECT * FROM {_scan(path)}")
    except database.errors as error:
        raise TableError(f"{path} is not a readable Parquet file: {str(error).splitlines()[0]}") from error
