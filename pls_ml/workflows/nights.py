"""Scored nights as they are kept: the signals and bands that a later night, or a question about the past, compares with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pls_ml.core.errors import BundleError
from pls_ml.core.files import digest_file
from pls_ml.workflows.project import Project

SCORES, SIGNALS = "scores.parquet", "signals.parquet"


@dataclass(frozen=True)
class KeptNight:
    """An earlier night: its moment, the model, the leads' bands by id, and their signals by id as that model read them."""

    as_of: datetime
    version: str
    bands: pd.Series[str]
    signals: pd.DataFrame


def find_nights(project: Project) -> dict[datetime, Path]:
    """Takes a project; returns its scored nights that have a moment, the earliest first; leaves out those whose manifest is damaged."""
    found = {}
    for path in (project.output / "nights").glob("as_of=*/manifest.json"):
        try:
            found[datetime.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["as_of"])] = path.parent
        except (ValueError, KeyError, TypeError):
            continue
    return dict(sorted(found.items()))


def read_night(folder: Path) -> KeptNight:
    """Takes a night's folder; returns what is kept of it; refuses one that was changed, or scored before signals were kept."""
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        as_of, version, files = datetime.fromisoformat(manifest["as_of"]), str(manifest["version"]), dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{folder / 'manifest.json'} is damaged ({error}): run `pls-ml score` for that day again") from error
    if SIGNALS not in files:
        raise BundleError(f"{folder} has no {SIGNALS}: run `pls-ml score` for that day again")
    for name in (SCORES, SIGNALS):
        if not (folder / name).is_file() or digest_file(folder / name) != files.get(name):
            raise BundleError(f"{folder / name} is missing or was changed since it was scored: run `pls-ml score` for that day again")
    scores: pd.DataFrame = pd.read_parquet(folder / SCORES, columns=["lead_id", "band"])
    signals: pd.DataFrame = pd.read_parquet(folder / SIGNALS)
    return KeptNight(as_of, version, scores.set_index("lead_id")["band"], signals.set_index("lead_id"))
