"""No tracking: for runs that nobody will compare."""

from pathlib import Path
from typing import Any

from pls_ml.core.errors import ConfigError
from pls_ml.core.records import Logged, LoggedRun, RunRecord
from pls_ml.tracking.addresses import redact

OFF = "tracking is switched off (`tracking.kind: none`), so no run is kept: set `tracking.kind: mlflow` and run `pls-ml train --track`"


class NullTracker:
    """Any run → a sentence that says where nothing was written; for machines on which nothing may be kept."""

    kind: str = "none"

    def __init__(self, uri: str | None, folder: Path, project: str | None = None) -> None:
        self._place = redact(uri or str(folder))
        self._project = project

    def log_run(self, run: RunRecord) -> Logged:
        """Takes a run; writes nothing and returns a line that says so."""
        return Logged(None, f"run of '{run.project}' not logged: tracking kind is 'none', nothing was written to {self._place}")

    def set_champion(self, version: str | None) -> str:
        """Takes a model version; sets nothing and returns a line that says so."""
        wanted = f"'{version}'" if version else "the newest version"
        return f"champion not set to {wanted}: tracking kind is 'none', nothing was written to {self._place}"

    def list_runs(self, project: str) -> list[LoggedRun]:
        """Takes a project's name; refuses, as no run is kept."""
        raise ConfigError(OFF)

    def read_report(self, run_id: str) -> dict[str, Any]:
        """Takes a run's id; refuses, as no run is kept."""
        raise ConfigError(OFF)
