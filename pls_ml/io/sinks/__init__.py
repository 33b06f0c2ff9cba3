"""Where tables are written to."""

from pls_ml.io.sinks.parquet import write_batches, write_parquet

__all__ = ["write_batches", "write_parquet"]
