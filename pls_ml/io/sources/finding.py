"""The files a path stands for: a file, a folder, or a pattern with `*`, `?`, `[…]` and `**`."""

import glob
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from pls_ml.core.database import literal
from pls_ml.core.errors import TableError

SHOWN = 8


def find_files(path: Path, endings: tuple[str, ...]) -> tuple[Path, ...]:
    """Takes a path and the endings that count in folders; returns the files, sorted, each once; refuses a path without any."""
    if path.is_file():
        return (path,)
    base = path if path.is_dir() else next(parent for parent in path.parents if parent.is_dir())
    pattern = path.parts[len(base.parts) :]
    try:
        found = sorted(_find(base, pattern, endings))
        if not found:
            raise TableError(_describe_nothing(path, base, endings))
    except OSError as error:
        raise TableError(f"cannot list {error.filename or path}: {error.strerror or error}; allow reading it") from error
    _refuse_delta(found)
    return tuple(sorted({file.resolve(): file for file in reversed(found)}.values()))  # `latest.parquet`, a link, adds no rows


def _find(path: Path, pattern: tuple[str, ...], endings: tuple[str, ...]) -> Iterator[Path]:
    """Yields what fits the rest of a pattern; a folder that fits as a whole stands for every file of a known ending below it."""
    if not path.is_dir():
        if not pattern and (path.is_file() or path.is_symlink()):  # a broken link is refused when it is opened, not passed over
            yield path
    elif not pattern:
        below = (file for child in _list_visible(path, "*") for file in _find(child, (), endings))
        yield from (file for file in below if file.suffix.lower() in endings)
    elif pattern[0] == "**":
        yield from _find(path, pattern[1:], endings)
        for child in _list_visible(path, "*"):
            yield from _find(child, pattern, endings)
    else:
        for child in _list_visible(path, pattern[0]):
            yield from _find(child, pattern[1:], endings)


def _list_visible(folder: Path, pattern: str) -> Iterator[Path]:
    for child in folder.iterdir():
        if child.name.startswith((".", "_")) or not fnmatchcase(child.name, pattern):
            continue
        if child.is_symlink() and child.is_dir():  # it could lead round in a circle, or to rows that are already there
            raise TableError(f"{child} is a link to a folder: name the folder itself, or choose the files by a pattern that leaves it out")
        yield child


def _describe_nothing(path: Path, base: Path, endings: tuple[str, ...]) -> str:
    names = sorted(child.name for child in base.iterdir())[:SHOWN]
    holds = f"has {', '.join(names)}" if names else "is empty"
    if path == base:
        return f"no file in {path} ends in {', '.join(endings)}: the folder {holds}"
    if any(sign in part for part in path.parts[len(base.parts) :] for sign in "*?["):
        return f"no file matches {path}: expected Parquet or CSV files; {base} {holds}"
    is_there = base == path.parent and names
    return f"no file {path}: expected a Parquet or CSV file; the folder {holds if is_there else 'does not exist or is empty'}"


def _refuse_delta(files: list[Path]) -> None:
    folders = {folder for file in files for folder in file.parents}
    for folder in sorted(folders):
        if (folder / "_delta_log").is_dir():
            raise TableError(f"{folder} is a Delta table, whose folder also keeps rows that were deleted: export it to plain Parquet files")


def name_exactly(path: Path) -> str:
    """Takes a file; returns it as an SQL literal that names no other; refuses one in a folder whose name also fits another.

    DuckDB reads every name as a pattern: `a*.csv` as all that begin with `a`, `o[r]d/` as `ord/`. Only a file's own name can be
    escaped, as a folder must keep the name under which it may be read.
    """
    whole = path.resolve()
    pattern = str(whole.with_name(glob.escape(whole.name)))
    others = [name for name in glob.glob(pattern, include_hidden=True) if name != str(whole)]
    if others:
        raise TableError(f"{path} cannot be told from {others[0]}: rename the folder that has *, ? or [ in its name")
    return literal(pattern)
