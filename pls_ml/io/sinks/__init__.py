"""Where tables are written to."""

from pls_ml.io.sinks.parquet import write_parquet

__all__ = ["write_parquet"]
