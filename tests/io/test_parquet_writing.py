"""Parquet is written one way: the same rows are the same bytes, streamed, whole or not at all."""

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pls_ml.core.errors import TableError, WriteError
from pls_ml.io.sinks import write_batches, write_parquet
from pls_ml.io.sinks.parquet import GROUP_ROWS

ROWS = 2 * GROUP_ROWS + 5_000
EVENTS = pa.table({"user_id": ["001", "002"], "event": ["view", "edit"], "event_time": ["2024-01-01", "2024-01-02"]})


@pytest.fixture(scope="module")
def many() -> pa.Table:
    numbers = range(ROWS)
    return pa.table(
        {
            "user_id": [f"u{n % 977}" for n in numbers],
            "plan": [None if n % 5 == 0 else ("free", "pro")[n % 2] for n in numbers],
            "amount": [None if n % 7 == 0 else n * 0.5 for n in numbers],
            "tags": [[n] * (n % 3) for n in numbers],
            "text": [f"long enough to fill many pages {n * 7919 % 1_000_003}" for n in numbers],
        }
    )


def cut(table: pa.Table, *sizes: int) -> Iterator[pa.RecordBatch]:
    """The table's rows in batches of these sizes, over and over."""
    start = 0
    while start < table.num_rows:
        for size in sizes:
            yield from table.slice(start, size).combine_chunks().to_batches()
            start += size


def test_what_is_written_is_what_is_read(tmp_path):
    assert pq.read_table(write_parquet(EVENTS, tmp_path / "new folder" / "a.parquet")).equals(EVENTS)


def test_the_same_rows_are_the_same_bytes(tmp_path):
    first = write_parquet(EVENTS, tmp_path / "a.parquet").read_bytes()
    frame = EVENTS.to_pandas()
    second = write_parquet(pa.Table.from_pandas(frame, schema=EVENTS.schema), tmp_path / "b.parquet").read_bytes()

    assert first == second


@pytest.mark.parametrize("sizes", [(4_099,), (GROUP_ROWS,), (GROUP_ROWS + 1,), (1, 65_536, 2 * GROUP_ROWS), (ROWS,)], ids=str)
def test_the_bytes_do_not_depend_on_how_the_rows_come_in_batches(tmp_path, many, sizes):
    whole = write_parquet(many, tmp_path / "whole.parquet").read_bytes()

    rows = write_batches(cut(many, *sizes), many.schema, tmp_path / "cut.parquet")

    assert rows == ROWS
    assert (tmp_path / "cut.parquet").read_bytes() == whole


def test_every_row_group_but_the_last_is_full(tmp_path, many):
    write_batches(cut(many, 50_000), many.schema, tmp_path / "a.parquet")

    found = pq.ParquetFile(tmp_path / "a.parquet").metadata

    assert [found.row_group(i).num_rows for i in range(found.num_row_groups)] == [GROUP_ROWS, GROUP_ROWS, 5_000]


def test_rows_are_written_before_the_last_of_them_come(tmp_path, many):
    seen = []

    def watch() -> Iterator[pa.RecordBatch]:
        for batch in cut(many, 10_000):
            yield batch
            seen.append((tmp_path / ".a.parquet.part").stat().st_size)

    write_batches(watch(), many.schema, tmp_path / "a.parquet")

    assert seen[len(seen) // 2] > 100_000


def test_dictionaries_leave_no_trace_in_the_bytes(tmp_path):
    plain = write_parquet(pa.table({"plan": ["pro", "free", None]}), tmp_path / "a.parquet").read_bytes()
    batches = [pa.record_batch({"plan": pa.array(part, pa.string()).dictionary_encode()}) for part in (["pro"], ["free", None])]

    write_batches(batches, batches[0].schema, tmp_path / "b.parquet")

    assert (tmp_path / "b.parquet").read_bytes() == plain


def test_no_batch_at_all_is_an_empty_table(tmp_path):
    assert write_batches([], EVENTS.schema, tmp_path / "a.parquet") == 0
    assert pq.read_table(tmp_path / "a.parquet").equals(EVENTS.slice(0, 0))


def test_pages_carry_checksums(tmp_path):
    path = write_parquet(EVENTS, tmp_path / "a.parquet")
    content = bytearray(path.read_bytes())
    content[content.index(b"edit")] ^= 1
    path.write_bytes(content)

    with pytest.raises(OSError, match="CRC checksum"):
        pq.read_table(path, page_checksum_verification=True)


# --- whole or not at all -----------------------------------------------------------------------------------------


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return write_parquet(EVENTS, tmp_path / "a.parquet")


def check_only_the_old_file_is_there(old: Path) -> None:
    assert [path.name for path in old.parent.iterdir()] == [old.name]
    assert pq.read_table(old).equals(EVENTS)


def test_a_write_that_fails_leaves_the_old_file_and_says_where(old, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(WriteError, match=r"cannot write .*a\.parquet: No space left on device; free space or choose another `output`"):
        write_parquet(EVENTS.slice(0, 1), old)
    check_only_the_old_file_is_there(old)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ZeroDivisionError])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(old, many, error):
    def stop() -> Iterator[pa.RecordBatch]:
        yield from cut(many, GROUP_ROWS)
        raise error

    with pytest.raises(error):
        write_batches(stop(), many.schema, old)
    check_only_the_old_file_is_there(old)


def test_rows_that_cannot_be_read_are_not_taken_for_a_full_disk(old):
    def break_off() -> Iterator[pa.RecordBatch]:
        yield from EVENTS.to_batches()
        raise OSError("CRC checksum verification failed")

    with pytest.raises(TableError, match=r"a\.parquet: its rows cannot be read: CRC checksum verification failed; restore their file"):
        write_batches(break_off(), EVENTS.schema, old)
    check_only_the_old_file_is_there(old)


def test_a_batch_that_does_not_fit_the_schema_is_not_written(old):
    batches = [*EVENTS.to_batches(), pa.record_batch({"user_id": ["003"]})]

    with pytest.raises(ValueError, match="event"):
        write_batches(batches, EVENTS.schema, old)
    check_only_the_old_file_is_there(old)


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path):
    (tmp_path / "a.parquet").mkdir()

    with pytest.raises(WriteError, match=r"cannot write .*a\.parquet"):
        write_parquet(EVENTS, tmp_path / "a.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("x")

    with pytest.raises(WriteError, match=r"cannot write .*out/a\.parquet"):
        write_parquet(EVENTS, tmp_path / "out" / "a.parquet")
