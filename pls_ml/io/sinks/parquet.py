"""The one writer of Parquet: fixed settings, page checksums, written whole or not at all."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pls_ml.io.files import write_bytes


def write_parquet(table: pa.Table, path: Path) -> Path:
    """Takes an Arrow table and a path; writes the same bytes for the same rows every time."""
    buffer = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(None), buffer, compression="zstd", write_page_checksum=True, row_group_size=131_072)
    return write_bytes(path, buffer.getvalue().to_pybytes())
