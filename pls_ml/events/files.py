"""The Parquet files of a kept state: each written whole, known by its SHA-256, which is in its name as well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pls_ml.core.atoms import Atom
from pls_ml.core.database import literal, quote
from pls_ml.core.files import digest_file
from pls_ml.core.protocols import WriteBatches
from pls_ml.events.manifest import StateFile
from pls_ml.events.state import KEYS, Codes, columns_of

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class StateFiles:
    """The folder that holds the files, made when first written to, and what writes Parquet."""

    folder: Path
    write: WriteBatches

    def write_file(self, reader: pa.RecordBatchReader, name: str, atoms: Iterable[Atom]) -> StateFile:
        """Takes the state's rows, what to call the file, and the atoms in it; writes it; returns what to know of it."""
        draft = self.folder / f"{name}.draft"
        rows = self.write(reader, reader.schema, draft)
        digest = digest_file(draft)
        path = draft.replace(self.folder / f"{name}-{digest[:12]}.parquet")
        return StateFile(name=path.name, rows=rows, sha256=digest, atoms=tuple(sorted(atom.name for atom in atoms)))

    def scan(self, files: Iterable[StateFile]) -> str:
        """Takes files; returns the SQL that reads them as one table; columns that some lack are missing in their rows."""
        listed = ", ".join(literal((self.folder / file.name).resolve()) for file in files)
        return f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"

    def read_rows(self, files: Sequence[StateFile], atoms: Sequence[Atom], codes: Codes) -> str:
        """Takes files of a kept state, atoms and codes; returns the query of their rows, with every column of the atoms."""
        columns = [quote(column) for atom in atoms for column in columns_of(atom, codes)]
        types = {"user_id": "VARCHAR", "account_id": "VARCHAR"}
        named = (*KEYS, *columns)
        empty = ", ".join(f"CAST(NULL AS {types.get(name, 'BIGINT')}) AS {name}" for name in named)
        scanned = f" UNION ALL BY NAME SELECT * FROM {self.scan(files)}" if files else ""
        return f"SELECT {', '.join(named)} FROM (SELECT {empty} WHERE FALSE{scanned})"
