"""`pls-ml signals`: the signals of every eligible lead, at one `as_of` or on the training grid, streamed to Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pls_ml.core.catalogue import Catalogue
from pls_ml.io.sinks import write_batches
from pls_ml.labels.horizon import LabelCounts, label_spine
from pls_ml.labels.population import select_spine
from pls_ml.labels.spine import build_grid, build_moment
from pls_ml.workflows.data import LoadedData, load_data, open_engine, place_moment
from pls_ml.workflows.inputs import set_aside_leaks
from pls_ml.workflows.project import Project

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "signals.parquet"
KEYS = ("lead_id", "account_id", "account_key", "as_of")
LABEL = "label"
SHOWN_ROWS = 20


@dataclass(frozen=True)
class SignalTable:
    """n leads: `spine` (lead_id, account_id, account_key, as_of), `values` (n × m signal columns), and what was left out and why."""

    spine: pd.DataFrame
    values: pd.DataFrame
    catalogue: Catalogue
    removed: dict[str, int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SignalFile:
    """Signals on disk: where, how many rows, which signal columns, who was left out and why; `labels` where the rows are labelled."""

    path: Path
    rows: int
    columns: tuple[str, ...]
    removed: dict[str, int]
    labels: LabelCounts | None
    notes: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Takes nothing; reads the file; returns its rows: lead, account, `as_of`, the label where there is one, the signal columns."""
        frame: pd.DataFrame = pd.read_parquet(self.path)
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return asdict(self) | {"path": str(self.path)}

    def to_text(self) -> str:
        """Takes nothing; returns what was written, and what was not, in a few lines."""
        lines = [f"{self.rows:,} rows × {len(self.columns):,} signal columns in {self.path}; left out: {_count(self.removed) or 'nobody'}"]
        if self.labels:
            labels = self.labels
            unusable = _count({"immature": labels.immature, "won inside the gap": labels.won_in_gap}) or "none"
            lines.append(f"labelled rows: {labels.rows:,}, {labels.positives:,} of them won; rows without a label: {unusable}")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.path) as file:
            first = next(file.iter_batches(SHOWN_ROWS), None)
        return f"<p>{self.rows:,} rows</p>" + (str(first.to_pandas().to_html()) if first is not None else "")


def signals(project: Project, as_of: datetime | None = None, labels: bool = False) -> SignalFile:
    """Takes a project, one `as_of` (None: the training grid) and whether to label the rows; writes `signals.parquet`; says what is in it.

    Rows are in a total order and never lie in memory together. With labels only matured rows are kept, and no leak-prone signal that
    training would leave out; refuses rows of which none has matured.
    """
    data = load_data(project)
    removed = build_spine(project, data, as_of)
    catalogue, notes = set_aside_leaks(project, data.database, data.coverage.catalogue) if labels else (data.coverage.catalogue, ())
    counts = keep_matured(project, data) if labels else None
    keys = (*KEYS, LABEL) if labels else KEYS
    schema, path = make_schema(catalogue, keys), project.output / FILE
    with project.progress.step(f"computing {len(list(catalogue))} signal columns for {data.database.count('spine'):,} rows, writing them"):
        rows = write_batches(_stream(data, catalogue, keys), schema, path)
    return SignalFile(path, rows, tuple(column.name for column in catalogue), removed, counts, notes)


def build_spine(project: Project, data: LoadedData, as_of: datetime | None) -> dict[str, int]:
    """Takes loaded data and one `as_of` (None: the training grid); makes `spine`; returns the removed rows by reason."""
    config = project.config
    if as_of is None:
        build_grid(data.database, config.spine, data.grain, data.data_end, config.unit)
    else:
        build_moment(data.database, place_moment(data, as_of), config.unit)
    return select_spine(data.database, config.population, data.grain, config.outcome.level, config.unit)


def keep_matured(project: Project, data: LoadedData) -> LabelCounts:
    """Takes loaded data with `spine`; leaves its matured rows, each with its `label`; returns the counts; refuses a spine without any."""
    horizon = project.config.horizon.to_horizon() if project.config.timed else None
    counts = label_spine(data.database, horizon, data.data_end)
    data.database.execute('CREATE OR REPLACE TABLE spine AS SELECT s.*, l.label FROM spine AS s JOIN labels AS l USING ("row")')
    return counts


def read_signals(data: LoadedData, catalogue: Catalogue, removed: dict[str, int], notes: tuple[str, ...] = ()) -> SignalTable:
    """Takes data with `spine` and `signals`, and what was left out; returns them as frames in the spine's order."""
    frame = data.database.frame(
        'SELECT s.lead_id, s.account_id, s.account_key, s.as_of, g.* FROM spine AS s JOIN signals AS g USING ("row") ORDER BY g."row"'
    )
    spine: Any = frame[list(KEYS)]
    return SignalTable(spine, frame[[column.name for column in catalogue]], catalogue, removed, notes)


def _stream(data: LoadedData, catalogue: Catalogue, keys: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    if data.database.count("spine"):
        yield from open_engine(data, catalogue).stream_signals(catalogue, ", ".join(f"s.{key}" for key in keys))


def make_schema(catalogue: Catalogue, keys: tuple[str, ...]) -> pa.Schema:
    """Takes the catalogue and columns that stand before its own; returns the Arrow schema of its signals: numbers, and text."""
    import pyarrow as pa

    types = {"as_of": pa.timestamp("us"), LABEL: pa.int8()}
    fields = [(key, types.get(key, pa.string())) for key in keys]
    for column in catalogue:
        fields.append((column.name, pa.string() if column.signal.is_category else pa.float64()))
    return pa.schema(fields)


def _count(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.items() if n)
