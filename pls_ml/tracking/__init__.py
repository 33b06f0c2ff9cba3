"""Where runs are written down and read again: one file per kind of tracker, mlflow imported only when one is used."""

from pathlib import Path

from pls_ml.core.errors import ConfigError, suggest
from pls_ml.core.protocols import Tracker
from pls_ml.tracking.mlflow import MlflowTracker
from pls_ml.tracking.none import NullTracker

TRACKERS: tuple[type[NullTracker] | type[MlflowTracker], ...] = (NullTracker, MlflowTracker)


def open_tracker(kind: str, uri: str | None, folder: Path, project: str | None = None) -> Tracker:
    """Takes a kind, an address (None: a file in the folder), an output folder and a project's name; returns that tracker.

    The project narrows `set_champion` to its own models on a shared server; nothing is opened or created here.
    Refuses an unknown kind with `ConfigError`.
    """
    known = {tracker.kind: tracker for tracker in TRACKERS}
    if kind not in known:
        raise ConfigError(f"tracking kind '{kind}' is unknown{suggest(kind, [*known])}: expected one of {', '.join(known)}")
    return known[kind](uri, folder, project)


__all__ = ["TRACKERS", "MlflowTracker", "NullTracker", "open_tracker"]
