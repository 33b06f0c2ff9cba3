"""What computes signals: one file per engine, all registered here."""

from pls_ml.signals.engines.duckdb import DuckDBEngine

ENGINES = (DuckDBEngine,)

__all__ = ["ENGINES", "DuckDBEngine"]
