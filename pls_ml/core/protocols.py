"""What a stage may ask of another stage's implementation, four methods at most."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.records import Logged, LoggedRun, RunRecord

if TYPE_CHECKING:
    import pyarrow as pa

WriteBatches = Callable[["Iterable[pa.RecordBatch]", "pa.Schema", Path], int]
"""Batches, their schema and a path → rows written, whole or not at all."""
Floats = npt.NDArray[np.float64]
Shares = tuple[float, Floats]
"""A base, and n × m shares: base + row sum is the raw score, or a part of it."""


class Scorer(Protocol):
    """Signals → raw score on the log-odds scale, and the signed share of every signal column in it."""

    kind: str

    def fit(self, signals: pd.DataFrame, labels: npt.NDArray[np.int8], sample_weight: Floats | None = None) -> "Scorer":
        """Takes n × m signal columns, n labels (0 or 1) and n weights; returns itself, fitted."""
        ...

    def raw_score(self, signals: pd.DataFrame) -> Floats:
        """Takes n × m signal columns; returns n margins in log-odds."""
        ...

    def contributions(self, signals: pd.DataFrame) -> tuple[float, Floats]:
        """Takes n × m signal columns; returns the base and n × m shares, base + row sum = raw score to 1e-9."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns all that is needed to score again, as plain JSON values with `kind`."""
        ...


@runtime_checkable
class TwoPartScorer(Protocol):
    """A scorer that may start from another one and learn what that gets wrong, both parts kept apart."""

    start_: Scorer | None

    def parts(self, signals: pd.DataFrame) -> tuple[Shares, Iterator[Shares]]:
        """Takes n × m signal columns; returns the start's shares, and seed by seed what was learned: their mean is what counts."""
        ...


@runtime_checkable
class PointsScorer(Protocol):
    """A scorer whose score is a sum of points, as a card's is."""

    def point_shares(self, signals: pd.DataFrame) -> Floats:
        """Takes n × m signal columns; returns each column's share of the score in points; each row sums to the score, from 0 on."""
        ...


class Calibrator(Protocol):
    """Margin (log-odds) → calibrated probability, strictly increasing."""

    kind: str

    def fit(self, margins: Floats, labels: npt.NDArray[np.int8], sample_weight: Floats | None = None) -> "Calibrator":
        """Takes n margins, n labels (0 or 1) and n weights; returns itself, fitted."""
        ...

    def transform(self, margins: Floats) -> Floats:
        """Takes margins of any shape; returns probabilities of that shape, strictly between 0 and 1."""
        ...

    def slope(self, margins: Floats) -> Floats:
        """Takes margins of any shape; returns d probability / d margin there, never negative."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns kind, parameters, positives, rows and domain as plain JSON values."""
        ...


class Tracker(Protocol):
    """Where runs are written down and read again."""

    kind: str

    def log_run(self, run: RunRecord) -> Logged:
        """Takes a run; returns its id and a line that tells a person where to look."""
        ...

    def set_champion(self, version: str | None) -> str:
        """Takes a model version (None: the newest); returns the version that now carries the champion alias."""
        ...

    def list_runs(self, project: str) -> list[LoggedRun]:
        """Takes a project's name; returns its runs, the newest first."""
        ...

    def read_report(self, run_id: str) -> dict[str, Any]:
        """Takes a run's id; returns its report as plain values."""
        ...
