"""CSV files, read as text under their own header and cast later, so that ids like 001 and the country NA survive."""

import csv
from pathlib import Path

from pls_ml.core.database import Database, literal, quote
from pls_ml.core.errors import TableError, suggest
from pls_ml.io.sources.finding import name_exactly


def open_view(database: Database, view: str, paths: tuple[Path, ...]) -> str:
    """Takes CSV or TSV files in UTF-8 with one header; makes them the table `view`; returns its name in SQL.

    Refuses headers that differ, ragged rows, NULs and other encodings, each under its file's name.
    """
    separator = "\t" if paths[0].suffix.lower() == ".tsv" else ","
    header = _read_header(paths[0], separator)
    for path in paths[1:]:
        _refuse_difference(path, _read_header(path, separator), paths[0], header)
    columns = ", ".join(f"{quote(name)} VARCHAR" for name in header)
    database.execute(f"CREATE OR REPLACE TABLE {quote(view)} ({columns})")
    for path in paths:
        _refuse_nul(path)
        _add_rows(database, view, path, separator, header)
    return quote(view)


def _add_rows(database: Database, view: str, path: Path, separator: str, header: list[str]) -> None:
    columns = ", ".join(f"{quote(name)}: 'VARCHAR'" for name in header)
    source = (
        f"read_csv({name_exactly(path)}, columns = {{{columns}}}, delim = {literal(separator)}, header = true, "
        "quote = '\"', auto_detect = false, strict_mode = true, null_padding = false, nullstr = '', hive_partitioning = false)"
    )
    try:
        database.execute(f"INSERT INTO {quote(view)} SELECT * FROM {source}")
    except database.errors as error:
        detail = " ".join(line.strip() for line in str(error).splitlines()[:3])
        raise TableError(f"{path} is not a well-formed CSV file: {detail}") from error


def _read_header(path: Path, separator: str) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file, delimiter=separator), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path} is not UTF-8 text: {error}; save it as UTF-8") from error
    except OSError as error:
        raise TableError(f"{path} cannot be opened: {error.strerror or error}; restore it or allow reading it") from error
    if not all(header) or len({name.lower() for name in header}) != len(header) or not header:
        raise TableError(f"{path} needs a header line with distinct column names; it has {', '.join(header) or 'no line at all'}")
    return header


def _refuse_difference(path: Path, header: list[str], first: Path, expected: list[str]) -> None:
    if header == expected:
        return
    lacking = [name for name in expected if name not in header]
    problems = [f"column '{name}' is unknown{suggest(name, lacking)}" for name in header if name not in expected]
    problems += [f"no column '{name}'" for name in lacking]
    raise TableError(
        f"{path} has another header than {first}: {'; '.join(problems) or 'the columns are in another order'}. "
        f"Expected {', '.join(expected)}; give every file the same header"
    )


def _refuse_nul(path: Path) -> None:
    line = 1
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found = block.find(b"\0")
            line += block.count(b"\n", 0, found if found >= 0 else len(block))
            if found >= 0:
                raise TableError(f"{path} line {line} has a NUL byte, so it is damaged or not UTF-8 text: export it again as UTF-8")
