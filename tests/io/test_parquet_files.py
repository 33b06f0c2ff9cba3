"""Parquet files are read under their own names and columns; what is damaged is refused."""

from pathlib import Path

import pyarrow as pa
import pytest

import pls_ml
from pls_ml.core.database import Database
from pls_ml.core.errors import TableError
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


def test_a_folder_named_like_a_column_hides_no_column_of_the_file(tmp_path):
    path = write_parquet(EVENTS, tmp_path / "event=other" / "events.parquet")

    assert read_events(path) == [("001", "view"), ("002", "edit")]


@pytest.mark.parametrize("folder", ["it's", "o[r]d", "o*d", "o?d", "a b", "ümlaut"])
def test_a_folder_may_have_any_name(tmp_path, folder):
    path = write_parquet(EVENTS, tmp_path / folder / "events.parquet")

    assert len(read_events(path)) == 2


@pytest.mark.parametrize("folder", ["o[r]d", "o*d", "o?d"])
def test_a_folder_whose_name_also_fits_another_is_refused(tmp_path, folder):
    write_parquet(EVENTS, tmp_path / "ord" / "events.parquet")
    path = write_parquet(EVENTS, tmp_path / folder / "events.parquet")

    with pytest.raises(TableError, match=r"events\.parquet cannot be told from .*/ord/events\.parquet: rename the folder that has"):
        read_events(path)


@pytest.mark.parametrize("name", ["o[r]d", "o*d", "o?d", "or[", "it's"])
def test_a_file_may_have_any_name_that_others_fit_or_not(tmp_path, name):
    write_parquet(EVENTS.slice(0, 1), tmp_path / "ord.parquet")

    assert len(read_events(write_parquet(EVENTS, tmp_path / f"{name}.parquet"))) == 2


@pytest.mark.parametrize("content", [b"", b"hello", b"user_id,event\na,b\n", "cut"])
def test_a_file_that_is_no_parquet_is_refused(tmp_path, content):
    path = tmp_path / "events.parquet"
    path.write_bytes(write_parquet(EVENTS, path).read_bytes()[:-9] if content == "cut" else content)

    with pytest.raises(TableError, match=r"events\.parquet is not a readable Parquet file"):
        read_events(path)


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[40:200] = bytes(160)
    path.write_bytes(content)


def test_a_page_that_is_damaged_is_refused_when_the_table_is_read(tmp_path):
    damage(write_parquet(pa.table({"user_id": [f"user-{i}" for i in range(500)]}), tmp_path / "users.parquet"))

    with pytest.raises(TableError, match=r"table 'users' cannot be read: .*; restore the file or export it again"):
        load_table(Database([tmp_path], 1, "1GB"), "users", TableSource(path="users.parquet"), tmp_path)


def test_a_page_that_is_damaged_in_the_log_is_refused_when_it_is_reached(tmp_path):
    ids = [f"user-{i}" for i in range(500)]
    write_parquet(pa.table({"user_id": ids}), tmp_path / "users.parquet")
    damage(write_parquet(pa.table({"user_id": ids, "event": ids, "event_time": ["2024-01-01"] * 500}), tmp_path / "events.parquet"))
    (tmp_path / "pls.yaml").write_text("project: test\ndata: {users: {path: users.parquet}, events: {path: events.parquet}}\n")

    with pytest.raises(TableError, match=r"cannot be read: .*; restore the file or export it again"):
        pls_ml.open_project(tmp_path / "pls.yaml").check()


def test_a_missing_file_is_refused_with_the_files_that_are_there(tmp_path):
    write_parquet(EVENTS, tmp_path / "event.parquet")

    with pytest.raises(TableError, match=r"no file .*events\.parquet: expected a Parquet or CSV file; the folder has event\.parquet"):
        read_events(tmp_path / "events.parquet")


def test_a_missing_folder_is_named_as_such(tmp_path):
    with pytest.raises(TableError, match="the folder does not exist or is empty"):
        read_events(tmp_path / "nowhere" / "events.parquet")


@pytest.mark.parametrize("name", ["events.xlsx", "events.csv.gz", "events"])
def test_an_unknown_ending_is_refused_with_the_known_ones(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")

    with pytest.raises(TableError, match=r"ends in '.*': expected one of \.parquet, \.csv, \.tsv"):
        read_events(tmp_path / name)


def test_an_ending_in_capitals_is_known(tmp_path):
    path = write_parquet(EVENTS, tmp_path / "EVENTS.PARQUET")

    assert len(read_events(path)) == 2
