"""Scored nights on disk: found by their moment, read with their manifest, refused where a table is not the one that was written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pandas as pd

from pls_ml.core.errors import BundleError, TableError
from pls_ml.core.files import digest_file
from pls_ml.core.windows import EPOCH
from pls_ml.workflows.project import Project

_KEYS = ("as_of", "version", "leads", "removed", "not_handed_over", "bases", "files")
_REPEATED = ("lead_id", "signal", "value", "scorer")
"""Columns that hold the same texts again and again: they are read as numbers of texts."""


@dataclass(frozen=True)
class NightFiles:
    """A scored night's folder and manifest."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def as_of(self) -> str:
        """The moment as people write it: a midnight is its day."""
        return str(self.manifest["as_of"]).removesuffix("T00:00:00")

    @property
    def moment(self) -> datetime:
        """The moment; refuses a night of leads without times."""
        return datetime.fromisoformat(self.manifest["as_of"])

    def has(self, name: str) -> bool:
        """Takes a table's name; returns whether the night has it."""
        return f"{name}.parquet" in self.manifest["files"]

    def read(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Takes a table's name and the columns wanted (None: all); returns it; refuses one that was changed since."""
        path = self.folder / f"{name}.parquet"
        if not self.has(name):
            raise BundleError(f"{self.folder} is of a night without `{path.name}`, as earlier versions scored: run `pls-ml score` again")
        if not path.is_file() or digest_file(path) != self.manifest["files"][path.name]:
            raise BundleError(f"{path} is missing or was changed since it was scored: run `pls-ml score` again")
        repeated = list(_REPEATED) if name == "receipts" else None
        frame: pd.DataFrame = pd.read_parquet(path, columns=list(columns) if columns else None, read_dictionary=repeated)
        return frame


def name_night(moment: datetime) -> str:
    """Takes an `as_of`; returns the name of its folder; a prepared table has no moment."""
    if moment == EPOCH:
        return "as_of=prepared"
    return f"as_of={moment:%Y-%m-%d}" if moment.time() == time() else f"as_of={moment:%Y-%m-%dT%H%M}"


def place_night(project: Project, moment: datetime) -> Path:
    """Takes a project and an `as_of`; returns the folder that its night has, or would have."""
    return project.output / "nights" / name_night(moment)


def find_night(project: Project, as_of: datetime | None = None) -> NightFiles:
    """Takes a project and an `as_of` (None: the latest night); returns the night; refuses one that was not scored."""
    folders = _list_folders(project)
    if not folders:
        raise TableError(f"no scored night in {project.output / 'nights'}: run `pls-ml score` first")
    if as_of is None:
        return open_night(folders[-1])
    wanted = place_night(project, as_of)
    if wanted not in folders:
        known = ", ".join(path.name.removeprefix("as_of=") for path in folders[-5:])
        raise TableError(f"no scored night of {as_of:%Y-%m-%d}: there are {known}; run `pls-ml score --as-of {as_of:%Y-%m-%d}`")
    return open_night(wanted)


def find_earlier(project: Project, folder: Path, most: int) -> list[Path]:
    """Takes a project, a night's folder and how many are wanted; returns those of the last nights before it, the earliest first."""
    return [path for path in _list_folders(project) if path.name < folder.name][-most:]


def open_night(folder: Path) -> NightFiles:
    """Takes a night's folder; returns the night; refuses one whose manifest is damaged."""
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        return NightFiles(folder, manifest | {key: manifest[key] for key in _KEYS})
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{path} is damaged ({error}): run `pls-ml score` again") from error


def _list_folders(project: Project) -> list[Path]:
    """The names of folders begin with the day and go on with the time, so their order is that of the moments."""
    return sorted(path.parent for path in (project.output / "nights").glob("as_of=*/manifest.json"))
