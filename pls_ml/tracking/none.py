"""No tracking: for runs that nobody will compare."""

from pathlib import Path

from pls_ml.core.records import RunRecord
from pls_ml.tracking.addresses import redact


class NullTracker:
    """Any run → a sentence that says where nothing was written; for machines on which nothing may be kept."""

    kind: str = "none"

    def __init__(self, uri: str | None, folder: Path, project: str | None = None) -> None:
        self._place = redact(uri or str(folder))
        self._project = project

    def log_run(self, run: RunRecord) -> str:
        """Takes a run; writes nothing and returns a line that says so."""
        return f"run of '{run.project}' not logged: tracking kind is 'none', nothing was written to {self._place}"

    def set_champion(self, version: str | None) -> str:
        """Takes a model version; sets nothing and returns a line that says so."""
        wanted = f"'{version}'" if version else "the newest version"
        return f"champion not set to {wanted}: tracking kind is 'none', nothing was written to {self._place}"

    def champion(self) -> str | None:
        """Takes nothing; returns None, as no champion is kept."""
        return None
