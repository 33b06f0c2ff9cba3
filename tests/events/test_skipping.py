"""Of a log in the order of time, only what became known in the span asked for is read: the rest may even be damaged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pls_ml.core.database import Database
from pls_ml.core.windows import Grain
from pls_ml.events.log import Log
from pls_ml.events.mapping import EventSource
from pls_ml.io.reading import load_table

BEGIN, GROUP, GROUPS = datetime(2024, 1, 1), 5_000, 3
DAY = Grain("day")


def damaged_log(folder: Path, zone: str | None) -> Path:
    """Three row groups, a month each, of which the first cannot be read but for its times."""
    rows = GROUP * GROUPS
    times = [BEGIN + timedelta(days=30 * GROUPS * row / rows) for row in range(rows)]
    stamps = pa.array([moment.replace(tzinfo=UTC) if zone else moment for moment in times], pa.timestamp("us", zone))
    names = [f"{row * 2654435761 % 2**32:x}" for row in range(rows)]
    path = folder / "log.parquet"
    table = pa.table({"event_id": names, "user_id": names, "event": ["view"] * rows, "event_time": stamps, "known_at": stamps})
    pq.write_table(table, path, row_group_size=GROUP, compression="zstd")
    first = pq.ParquetFile(path).metadata.row_group(0)
    content = bytearray(path.read_bytes())
    for column in (first.column(0), first.column(1)):
        begin = min(offset for offset in (column.dictionary_page_offset, column.data_page_offset) if offset)
        content[begin : begin + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("zone", ["UTC", None])
def test_row_groups_before_the_span_are_not_read(zone, tmp_path):
    path = damaged_log(tmp_path, zone)
    database = Database([tmp_path], 1, "1GB")
    load_table(database, "events", EventSource(path=path.name), tmp_path)
    log = Log(database, EventSource(), DAY)
    first = DAY.tick_of(BEGIN)

    last_month = f"{log.usable} AND {log.known_between(first + 60, first + 90)}"

    assert database.rows(f"SELECT count(DISTINCT e.event_id) FROM events AS e WHERE {last_month}") == [(GROUP,)]
    with pytest.raises(database.errors):
        database.rows(f"SELECT count(DISTINCT e.event_id) FROM events AS e WHERE {log.usable}")
