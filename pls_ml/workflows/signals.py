"""`pls-ml signals`: the signals of every eligible lead, at one `as_of` or on the training grid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from pls_ml.core.catalogue import Catalogue
from pls_ml.io.sinks import write_parquet
from pls_ml.labels.population import select_spine
from pls_ml.labels.spine import build_grid, build_moment
from pls_ml.workflows.data import LoadedData, build_signals, load_data, place_moment
from pls_ml.workflows.project import Project


@dataclass(frozen=True)
class SignalTable:
    """n leads: `spine` (lead_id, account_id, account_key, as_of), `values` (n × m signal columns), and who was left out and why."""

    spine: pd.DataFrame
    values: pd.DataFrame
    catalogue: Catalogue
    removed: dict[str, int]

    def to_frame(self) -> pd.DataFrame:
        """Takes nothing; returns spine and values side by side."""
        return pd.concat([self.spine, self.values], axis=1)

    def _repr_html_(self) -> str:
        return str(self.to_frame().head(20).to_html())


def signals(project: Project, as_of: datetime | None = None) -> SignalTable:
    """Takes a project and one `as_of` (None: the training grid); returns the signals and writes them to `signals.parquet`."""
    import pyarrow as pa

    data = load_data(project)
    removed = build_spine(project, data, as_of)
    catalogue = data.coverage.catalogue
    build_signals(project, data, catalogue, project.config.signals.grain)
    table = read_signals(data, catalogue, removed)
    with project.progress.step("writing the signals"):
        write_parquet(pa.Table.from_pandas(table.to_frame(), preserve_index=False), project.output / "signals.parquet")
    return table


def build_spine(project: Project, data: LoadedData, as_of: datetime | None) -> dict[str, int]:
    """Takes loaded data and one `as_of` (None: the training grid); makes `spine`; returns the removed rows by reason."""
    config = project.config
    if as_of is None:
        build_grid(data.database, config.spine, config.signals.grain, data.data_end)
    else:
        build_moment(data.database, place_moment(data, as_of, config.signals.grain))
    return select_spine(data.database, config.population, config.signals.grain, config.outcome.level)


def read_signals(data: LoadedData, catalogue: Catalogue, removed: dict[str, int]) -> SignalTable:
    """Takes data with `spine` and `signals`; returns them as frames in the spine's order."""
    frame = data.database.frame(
        'SELECT s.lead_id, s.account_id, s.account_key, s.as_of, g.* FROM spine AS s JOIN signals AS g USING ("row") ORDER BY g."row"'
    )
    spine: Any = frame[["lead_id", "account_id", "account_key", "as_of"]]
    return SignalTable(spine, frame[[column.name for column in catalogue]], catalogue, removed)
