"""What a record may hold, what makes two records the same, and its artifacts as files."""

import hashlib
import json
import re
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from pls_ml.core.errors import BundleError, ConfigError, suggest
from pls_ml.core.records import KINDS, RunRecord
from pls_ml.tracking.models import FOLDER

REPORT = "report.json"
"""The artifact that holds all a run found."""
_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def check_run(run: RunRecord) -> None:
    """Takes a run; returns nothing.

    Refuses with `ConfigError` a project name that is no plain name and an unknown kind, and with `BundleError` a bundle without a
    version or without files, and an artifact name that leaves the run or falls into its model.
    """
    if not _PROJECT.fullmatch(run.project):
        raise ConfigError(f"project '{run.project}' cannot name an experiment: expected {_PROJECT.pattern}; rename the project")
    if run.kind not in KINDS:
        raise ConfigError(f"run kind '{run.kind}' is unknown{suggest(run.kind, KINDS)}: expected one of {', '.join(KINDS)}")
    if run.bundle:
        _check_bundle(run.project, run.version, run.bundle.folder)
    for name in run.artifacts:
        parts = PurePosixPath(name).parts
        if not parts or parts[0] in ("/", FOLDER) or ".." in parts or {"\\", ":"} & set(name):
            raise BundleError(f"artifact '{name}' is no name below the run and outside `{FOLDER}/`; name it like '{REPORT}'")


def digest_run(run: RunRecord) -> str:
    """Takes a run; returns the SHA-256 of all it says; the bundle counts by its version, which names its content."""
    said: dict[str, Any] = {
        "project": run.project,
        "kind": run.kind,
        "version": run.version,
        "parent": run.parent,
        "parameters": run.parameters,
        "metrics": {name: float(value) for name, value in run.metrics.items()},
        "tags": run.tags,
        "artifacts": {name: hashlib.sha256(content).hexdigest() for name, content in run.artifacts.items()},
    }
    if run.trials:
        said["trials"] = [asdict(trial) for trial in run.trials]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def write_artifacts(artifacts: dict[str, bytes], folder: Path) -> int:
    """Takes file names with their bytes and a folder; writes them there and returns how many."""
    for name, content in artifacts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return len(artifacts)


def _check_bundle(project: str, version: str | None, folder: Path) -> None:
    if not version:
        raise BundleError(f"the run of '{project}' has no bundle version: expected the digest of the bundle's content")
    if not folder.is_dir() or not any(path.is_file() for path in folder.rglob("*")):
        raise BundleError(f"bundle {folder} is missing or empty: expected a folder with files; write the bundle before logging its run")
