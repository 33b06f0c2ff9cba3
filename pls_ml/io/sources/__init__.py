"""Where tables are read from: one file per kind, all registered here."""

from pathlib import Path

from pls_ml.core.database import Database
from pls_ml.core.errors import TableError
from pls_ml.io.sources import csv, parquet

SOURCES = {".parquet": parquet.open_view, ".csv": csv.open_view, ".tsv": csv.open_view}


def open_source(database: Database, view: str, path: Path) -> None:
    """Takes a file; makes it the view `view`; refuses a missing file or an unknown ending."""
    if not path.is_file():
        near = sorted(p.name for p in path.parent.iterdir())[:8] if path.parent.is_dir() else []
        raise TableError(
            f"no file {path}: expected a Parquet or CSV file; "
            + (f"the folder has {', '.join(near)}" if near else "the folder does not exist or is empty")
        )
    opener = SOURCES.get(path.suffix.lower())
    if opener is None:
        raise TableError(f"{path.name} ends in '{path.suffix}': expected one of {', '.join(SOURCES)}")
    opener(database, view, path)
