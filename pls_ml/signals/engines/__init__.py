"""What computes signals: one file per engine, all registered here."""

from pls_ml.signals.engines.duckdb import DuckDBEngine
from pls_ml.signals.engines.spark import SparkEngine

ENGINES = (DuckDBEngine, SparkEngine)

__all__ = ["ENGINES", "DuckDBEngine", "SparkEngine"]
