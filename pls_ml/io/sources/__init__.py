"""Where tables are read from: one opener per kind of file, all registered here; a table may be many files of one kind."""

from pathlib import Path

from pls_ml.core.database import Database
from pls_ml.core.errors import TableError
from pls_ml.io.sources import csv, parquet
from pls_ml.io.sources.finding import find_files

SOURCES = {".parquet": parquet.open_view, ".csv": csv.open_view, ".tsv": csv.open_view}


def open_source(database: Database, view: str, path: Path) -> str:
    """Takes a file, a folder or a pattern; makes all its rows the view `view`; refuses what `list_files` does and damaged files.

    Returns what stands behind the view in SQL: a filter reaches the files' own statistics through one view, not through two.
    """
    files = list_files(path)
    return SOURCES[files[0].suffix.lower()](database, view, files)


def refuse_damaged(database: Database, path: Path) -> None:
    """Takes the path of a table that could not be read to its end; refuses the damaged file under its own name."""
    files = list_files(path)
    if SOURCES[files[0].suffix.lower()] is parquet.open_view and len(files) > 1:  # CSV was read whole when it was opened
        parquet.refuse_damaged(database, files)


def list_files(path: Path) -> tuple[Path, ...]:
    """Takes a file, a folder or a pattern such as `events/*.parquet`; returns its files, sorted.

    A folder stands for every Parquet or CSV file below it; names that begin with `.` or `_` are left out.
    Refuses a path without files, an unknown ending, files of several kinds and links to folders.
    """
    files = find_files(path, tuple(SOURCES))
    endings = {file.suffix.lower(): file.name for file in reversed(files)}
    if len(endings) > 1:
        named = " and ".join(name for _, name in sorted(endings.items())[:2])
        raise TableError(f"{path} has files of several kinds, such as {named}: keep one kind, or choose one by a pattern such as *.parquet")
    for ending, name in endings.items():
        if ending not in SOURCES:
            raise TableError(f"{name} ends in '{ending}': expected one of {', '.join(SOURCES)}")
    return files
