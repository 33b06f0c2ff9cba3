"""CSV files, read as text under their own header and cast later, so that ids like 001 and the country NA survive."""

import csv
from pathlib import Path

from pls_ml.core.database import Database, literal, quote
from pls_ml.core.errors import TableError


def open_view(database: Database, view: str, path: Path) -> None:
    """Takes a CSV or TSV file in UTF-8 with a header; makes it the table `view`; refuses ragged rows, NULs and other encodings."""
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    columns = ", ".join(f"{quote(name)}: 'VARCHAR'" for name in _read_header(path, separator))
    _refuse_nul(path)
    source = (
        f"read_csv({literal(path.resolve())}, columns = {{{columns}}}, delim = {literal(separator)}, header = true, quote = '\"', "
        "auto_detect = false, strict_mode = true, null_padding = false, nullstr = '', hive_partitioning = false)"
    )
    try:
        database.execute(f"CREATE OR REPLACE TABLE {quote(view)} AS SELECT * FROM {source}")
    except database.errors as error:
        detail = " ".join(line.strip() for line in str(error).splitlines()[:3])
        raise TableError(f"{path} is not a well-formed CSV file: {detail}") from error


def _read_header(path: Path, separator: str) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file, delimiter=separator), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path} is not UTF-8 text: {error}; save it as UTF-8") from error
    if not all(header) or len({name.lower() for name in header}) != len(header) or not header:
        raise TableError(f"{path} needs a header line with distinct column names; it has {', '.join(header) or 'no line at all'}")
    return header


def _refuse_nul(path: Path) -> None:
    line = 1
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found = block.find(b"\0")
            line += block.count(b"\n", 0, found if found >= 0 else len(block))
            if found >= 0:
                raise TableError(f"{path} line {line} has a NUL byte, so it is damaged or not UTF-8 text: export it again as UTF-8")
