"""A trained model with the signals of one night, and what scoring them locally gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pls_ml.explanations.receipts import build_receipts
from pls_ml.workflows.bundle import Bundle, save_bundle

SCORERS = ("rules", "repointed", "fitted_card", "logistic", "lightgbm")


@dataclass(frozen=True)
class Model:
    """A project, its bundle and the signals of one night beside their spine."""

    project: Any
    bundle: Bundle
    signals: pd.DataFrame

    def folder(self, used: str) -> Path:
        """Where the bundle lies that scores with the scorer named."""
        return Path(self.project.models) / save_bundle(self.project, replace(self.bundle, used=used))


def score_locally(model: Model, used: str, signals: pd.DataFrame) -> pd.DataFrame:
    """Lead, as_of, scores and contributions as the local night computes them, in the order of the leads."""
    bundle = model.bundle
    values = signals[[column.name for column in bundle.catalogue]]
    receipts = build_receipts(bundle.scorers[used], bundle.calibrators[used], values, signals["lead_id"].tolist(), bundle.catalogue)
    scores = {"raw_score": bundle.scorers[used].raw_score(values), "score": receipts.score, "base_log_odds": receipts.base_log_odds}
    shares = {f"log_odds_{signal.id}": receipts.log_odds[:, k] for k, signal in enumerate(receipts.signals)}
    return signals[["lead_id", "as_of"]].assign(**scores, **shares).sort_values("lead_id", ignore_index=True)


def send(spark: Any, signals: pd.DataFrame) -> Any:
    """The table as a Spark DataFrame."""
    return spark.createDataFrame(pa.Table.from_pandas(signals, preserve_index=False))


def fetch(scored: Any) -> pd.DataFrame:
    """What Spark computed, in the order of the leads."""
    return scored.toArrow().to_pandas().sort_values("lead_id", ignore_index=True)


def differing(found: pd.DataFrame, expected: pd.DataFrame) -> list[str]:
    """Names of the numeric columns that differ in any bit of any row."""
    assert list(found.columns) == list(expected.columns)
    assert found["lead_id"].tolist() == expected["lead_id"].tolist()
    numbers = [name for name in expected.columns if name not in ("lead_id", "as_of")]
    return [name for name in numbers if not np.array_equal(_bits(found[name]), _bits(expected[name]))]


def _bits(column: pd.Series) -> np.ndarray:
    return column.to_numpy(dtype=np.float64).view(np.int64)
