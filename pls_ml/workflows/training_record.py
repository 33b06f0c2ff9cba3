"""What a training leaves for the report of its model: its findings, and a sample of the held-out leads without a trace of who they are.

Both stand beside the bundles, not in them: a bundle travels to the tracker and to servers, and people's data stay. The sample has
signals and outcomes of at most `MOST_LEADS` leads, in no order, without ids, accounts or times. Whoever has to forget a person deletes
`held_out.parquet`; the report then goes without the pictures of contributions, and the next training writes another sample.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pls_ml.core.errors import BundleError
from pls_ml.core.files import replacing, write_json
from pls_ml.workflows.candidates import TrainingRows
from pls_ml.workflows.project import Project
from pls_ml.workflows.training_report import TrainingReport

MOST_LEADS = 2000
FINDINGS, SAMPLE = "training.json", "held_out.parquet"
LABEL = "label"


def keep_training(project: Project, report: TrainingReport, test: TrainingRows) -> None:
    """Takes a project, a training and its held-out rows; writes both for the report of its model."""
    folder = name_folder(project, report.version)
    write_json(folder / FINDINGS, report.to_dict())
    drawn = np.random.default_rng(project.config.model.seed).permutation(len(test.labels))[:MOST_LEADS]
    sample = test.take(drawn)
    with replacing(folder / SAMPLE) as file:
        sample.signals.assign(**{LABEL: sample.labels}).reset_index(drop=True).to_parquet(file, index=False)


def read_training(project: Project, version: str) -> dict[str, Any] | None:
    """Takes a project and a model version; returns what `TrainingReport.to_dict` gave; None where it was not kept."""
    path = name_folder(project, version) / FINDINGS
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BundleError(f"{path} is damaged ({error}): delete it, or train again") from error
    return found


def read_sample(project: Project, version: str) -> tuple[pd.DataFrame, np.ndarray] | None:
    """Takes a project and a model version; returns signals and outcomes of some held-out leads; None where they were not kept."""
    path = name_folder(project, version) / SAMPLE
    if not path.is_file():
        return None
    found: pd.DataFrame = pd.read_parquet(path)
    return found.drop(columns=LABEL), found[LABEL].to_numpy(np.int8)


def name_folder(project: Project, version: str) -> Path:
    """Takes a project and a model version; returns the folder of its report."""
    return project.output / "reports" / version
