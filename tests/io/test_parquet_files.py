"""Parquet in and out: read under its own names, written the same way every time, whole or not at all."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pls_ml import open_project
from pls_ml.core.database import Database
from pls_ml.core.errors import TableError, WriteError
from pls_ml.core.tables import TableSource
from pls_ml.io.reading import load_table
from pls_ml.io.sinks import write_parquet

EVENTS = pa.table({"user_id": ["001", "002"], "event": ["view", "edit"], "event_time": ["2024-01-01", "2024-01-02"]})


def read_events(path: Path) -> list[tuple]:
    database = Database([path.parent], 1, "1GB")
    load_table(database, "events", TableSource(path=path.name), path.parent)
    return database.rows("SELECT user_id, event FROM events ORDER BY ALL")


def test_what_is_written_is_what_is_read(tmp_path):
    path = write_parquet(EVENTS, tmp_path / "new folder" / "events.parquet")

    assert read_events(path) == [("001", "view"), ("002", "edit")]
    assert pq.read_table(path).equals(EVENTS)


def test_the_same_rows_are_the_same_bytes(tmp_path):
    first = write_parquet(EVENTS, tmp_path / "a.parquet").read_bytes()
    frame = EVENTS.to_pandas()
    second = write_parquet(pa.Table.from_pandas(frame, schema=EVENTS.schema), tmp_path / "b.parquet").read_bytes()

    assert first == second


def test_pages_carry_checksums(tmp_path):
    path = write_parquet(EVENTS, tmp_path / "a.parquet")
    content = bytearray(path.read_bytes())
    content[content.index(b"edit")] ^= 1
    path.write_bytes(content)

    with pytest.raises(OSError, match="CRC checksum"):
        pq.read_table(path, page_checksum_verification=True)


def test_a_write_that_fails_leaves_the_old_file_and_says_where(tmp_path, monkeypatch):
    path = write_parquet(EVENTS, tmp_path / "a.parquet")
    before = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(WriteError, match=r"cannot write .*a\.parquet: No space left on device; free space or choose another `output`"):
        write_parquet(EVENTS.slice(0, 1), path)
    assert path.read_bytes() == before


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path):
    (tmp_path / "a.parquet").mkdir()

    with pytest.raises(WriteError, match=r"cannot write .*a\.parquet"):
        write_parquet(EVENTS, tmp_path / "a.parquet")


def test_a_folder_named_like_a_column_hides_no_column_of_the_file(tmp_path):
    path = write_parquet(EVENTS, tmp_path / "event=other" / "events.parquet")

    assert read_events(path) == [("001", "view"), ("002", "edit")]


@pytest.mark.parametrize("folder", ["it's", "o[r]d", "a b", "ümlaut"])
def test_a_folder_may_have_any_name(tmp_path, folder):
    path = write_parquet(EVENTS, tmp_path / folder / "events.parquet")

    assert len(read_events(path)) == 2


@pytest.mark.parametrize("content", [b"", b"hello", b"user_id,event\na,b\n", "cut"])
def test_a_file_that_is_no_parquet_is_refused(tmp_path, content):
    path = tmp_path / "events.parquet"
    path.write_bytes(write_parquet(EVENTS, path).read_bytes()[:-9] if content == "cut" else content)

    with pytest.raises(TableError, match=r"events\.parquet is not a readable Parquet file"):
        read_events(path)


@pytest.mark.parametrize("name", ["users", "events"])
def test_a_page_that_is_damaged_is_refused_when_it_is_reached(tmp_path, name):
    users = pa.table({"user_id": [f"user-{i}" for i in range(500)]})
    events = pa.table({"user_id": users["user_id"], "event": ["view"] * 500, "event_time": ["2024-01-01"] * 500})
    paths = {key: write_parquet(table, tmp_path / f"{key}.parquet") for key, table in {"users": users, "events": events}.items()}
    content = bytearray(paths[name].read_bytes())
    content[40:200] = bytes(160)
    paths[name].write_bytes(content)
    (tmp_path / "pls.yaml").write_text("project: test\ndata: {users: {path: users.parquet}, events: {path: events.parquet}}\n")

    with pytest.raises(TableError, match=r"cannot be read: .*; restore the file or export it again"):
        open_project(tmp_path / "pls.yaml").check()


def test_a_missing_file_is_refused_with_the_files_that_are_there(tmp_path):
    write_parquet(EVENTS, tmp_path / "event.parquet")

    with pytest.raises(TableError, match=r"no file .*events\.parquet: expected a Parquet or CSV file; the folder has event\.parquet"):
        read_events(tmp_path / "events.parquet")


def test_a_missing_folder_is_named_as_such(tmp_path):
    with pytest.raises(TableError, match="the folder does not exist or is empty"):
        read_events(tmp_path / "nowhere" / "events.parquet")


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "events.parquet").mkdir()

    with pytest.raises(TableError, match=r"no file .*events\.parquet"):
        read_events(tmp_path / "events.parquet")


@pytest.mark.parametrize("name", ["events.xlsx", "events.csv.gz", "events"])
def test_an_unknown_ending_is_refused_with_the_known_ones(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")

    with pytest.raises(TableError, match=r"ends in '.*': expected one of \.parquet, \.csv, \.tsv"):
        read_events(tmp_path / name)


def test_an_ending_in_capitals_is_known(tmp_path):
    path = write_parquet(EVENTS, tmp_path / "EVENTS.PARQUET")

    assert len(read_events(path)) == 2
