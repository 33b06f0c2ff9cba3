"""Parquet files: one view over all of them, columns matched by name, no value bent to fit another file's type."""

from pathlib import Path

from pls_ml.core.database import Database, quote
from pls_ml.core.errors import TableError
from pls_ml.io.sources.finding import name_exactly
from pls_ml.io.types import is_number, is_untyped

Types = dict[str, str]
"""A column's name → its SQL type, in the file's order."""


def open_view(database: Database, view: str, paths: tuple[Path, ...]) -> str:
    """Takes Parquet files; makes them the view `view`, with every column of any file; returns the SQL that reads them.

    Refuses a damaged file, a column whose type differs between files so that values would change, and a name spelt in two ways.
    """
    found = {path: _read_types(database, path) for path in paths}
    alike = len({tuple(types.items()) for types in found.values()}) == 1
    columns = "*"
    if not alike:
        _refuse_conflicts(found)
        # By name: the order of the files' own columns would depend on the order of the files.
        columns = ", ".join(quote(name) for name in sorted({name for types in found.values() for name in types}))
    rows = _scan(*paths, union_by_name=not alike)
    database.execute(f"CREATE OR REPLACE VIEW {quote(view)} AS SELECT {columns} FROM {rows}")
    if not alike:
        _refuse_losses(database, view, found)
    return rows


def refuse_damaged(database: Database, paths: tuple[Path, ...]) -> None:
    """Takes Parquet files; reads each to its end and refuses the first that is damaged inside, under its own name."""
    for path in paths:
        with database.reading(str(path)):
            database.rows(f"SELECT bit_xor(hash(t)) FROM {_scan(path)} AS t")


def _scan(*paths: Path, union_by_name: bool = False) -> str:
    # A folder named like `event=x` would otherwise become a column and hide the file's own.
    return f"read_parquet([{', '.join(map(name_exactly, paths))}], union_by_name = {union_by_name}, hive_partitioning = false)"


def _read_types(database: Database, path: Path) -> Types:
    try:
        return {name: kind for name, kind, *_ in database.rows(f"DESCRIBE SELECT * FROM {_scan(path)}")}
    except database.errors as error:
        raise TableError(f"{path} is not a readable Parquet file: {str(error).splitlines()[0]}") from error


def _refuse_conflicts(found: dict[Path, Types]) -> None:
    """Takes the types by file; refuses a name that differs only in case, as SQL does not tell them apart, and a value of another kind."""
    seen: dict[str, tuple[str, str, Path]] = {}
    for path, types in found.items():
        for name, kind in types.items():
            known, expected, first = seen.setdefault(name.lower(), (name, kind, path))
            if known != name:
                raise TableError(f"{path} has a column '{name}', expected '{known}' as in {first}: spell it one way")
            if is_untyped(expected):
                seen[name.lower()] = (name, kind, path)
            elif not is_untyped(kind) and _family(kind) != _family(expected):
                raise TableError(f"{path} has column `{name}` as {kind}, expected {expected} as in {first}: write it as one type")


def _family(kind: str) -> str:
    if is_number(kind):
        return "number"
    return "moment" if kind == "DATE" or (kind.startswith("TIMESTAMP") and kind != "TIMESTAMP WITH TIME ZONE") else kind


def _refuse_losses(database: Database, view: str, found: dict[Path, Types]) -> None:
    """Takes the types by file; refuses values that the common type cannot hold, such as ids above 2^53 beside doubles."""
    common = database.columns(view)
    for path, types in found.items():
        for name, kind in types.items():
            if kind == common[name] or is_untyped(kind):
                continue
            there_and_back = f"TRY_CAST(TRY_CAST({quote(name)} AS {common[name]}) AS {kind})"
            with database.reading(str(path)):
                lost = database.rows(f"SELECT count(*) FROM {_scan(path)} WHERE {there_and_back} IS DISTINCT FROM {quote(name)}")[0][0]
            if lost:
                raise TableError(
                    f"{path} has {lost:,} values of `{name}` ({kind}) that do not fit {common[name]}, "
                    "the type that holds the other files' values: write it as one type"
                )
