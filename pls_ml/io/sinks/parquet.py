"""The one writer of Parquet: fixed settings, page checksums, written whole or not at all."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pls_ml.core.errors import TableError
from pls_ml.core.files import replacing

GROUP_ROWS = 131_072


def write_parquet(table: pa.Table, path: Path) -> Path:
    """Takes an Arrow table and a path; writes the same bytes for the same rows every time."""
    write_batches(table.to_batches(), table.schema, path)
    return path


def write_batches(batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> int:
    """Takes record batches of any size, their schema and a path; writes them as they come and returns the number of rows.

    The same rows give the same bytes however they were cut into batches; no more than one row group is held beside the
    batch at hand. Refuses with the path when it cannot write, and then leaves the old file as it was.
    """
    plain = _drop_accidents(schema)
    rows = 0
    with replacing(path) as file, pq.ParquetWriter(file, plain, compression="zstd", write_page_checksum=True) as writer:
        for group in _regroup(_pull(batches, path), plain):
            writer.write_table(group, row_group_size=GROUP_ROWS)
            rows += group.num_rows
    return rows


def _drop_accidents(schema: pa.Schema) -> pa.Schema:
    """Drops what depends on where the rows come from: metadata, and dictionaries, which hold whatever values a batch met first."""
    return pa.schema(
        [
            pa.field(field.name, field.type.value_type if pa.types.is_dictionary(field.type) else field.type, field.nullable)
            for field in schema
        ]
    )


def _pull(batches: Iterable[pa.RecordBatch], path: Path) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except OSError as error:  # while rows are read; without this it would be taken for a failure to write them
        raise TableError(f"cannot write {path}: its rows cannot be read: {error}; restore their file or export it again") from error


def _regroup(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Cuts batches into whole row groups; a group is one chunk, for the bounds of chunks would show in those of pages."""
    held: list[pa.RecordBatch] = []
    room = GROUP_ROWS
    for batch in batches:
        rest = batch.cast(schema)
        while rest.num_rows >= room:
            yield pa.Table.from_batches([*held, rest.slice(0, room)], schema).combine_chunks()
            rest, held, room = rest.slice(room), [], GROUP_ROWS
        held.append(rest)
        room -= rest.num_rows
    if room < GROUP_ROWS:
        yield pa.Table.from_batches(held, schema).combine_chunks()
