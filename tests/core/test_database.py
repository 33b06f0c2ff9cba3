"""The embedded database reaches the folders it was given and nothing else."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from core.text_tables import empty_database

from pls_ml.core.database import Database, literal, literals, quote
from pls_ml.core.errors import TableError


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    folder = tmp_path / "inside"
    folder.mkdir()
    (folder / "a.csv").write_text("x\n1\n")
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "inside and more"  # begins with the allowed folder's name
    folder.mkdir()
    (folder / "secret.csv").write_text("x\n42\n")
    return folder


@pytest.fixture
def database(inside: Path) -> Database:
    return Database([inside], threads=1, memory_limit="500MB")


def test_files_in_the_given_folders_can_be_read(database, inside):
    assert database.rows(f"SELECT * FROM read_csv('{inside / 'a.csv'}')") == [(1,)]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('{path}')",
        "SELECT * FROM read_text('{path}')",
        "SELECT * FROM read_blob('{path}')",
        "SELECT * FROM '{path}'",
        "SELECT * FROM glob('{folder}/*')",
        "COPY (SELECT 1) TO '{folder}/stolen.csv'",
        "ATTACH '{folder}/new.db' AS other",
    ],
)
def test_files_elsewhere_cannot_be_reached(database, outside, query):
    with pytest.raises(duckdb.PermissionException):
        database.rows(query.format(path=outside / "secret.csv", folder=outside))
    assert sorted(path.name for path in outside.iterdir()) == ["secret.csv"]


def test_a_path_that_climbs_out_of_the_folder_cannot_be_reached(database, inside, outside):
    with pytest.raises(duckdb.PermissionException):
        database.rows(f"SELECT * FROM read_csv('{inside}/../{outside.name}/secret.csv')")


def test_without_folders_no_file_can_be_reached(inside):
    with pytest.raises(duckdb.PermissionException):
        empty_database().rows(f"SELECT * FROM read_csv('{inside / 'a.csv'}')")


@pytest.mark.parametrize(
    "statement",
    [
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SET allowed_directories = ['/']",
        "SET threads = 8",
        "SET TimeZone = 'Europe/Berlin'",
        "RESET allowed_directories",
        "PRAGMA enable_external_access",
    ],
)
def test_settings_cannot_be_changed(database, statement):
    with pytest.raises(duckdb.Error):
        database.execute(statement)


def test_extensions_cannot_be_fetched(database):
    with pytest.raises(duckdb.Error):
        database.execute("INSTALL httpfs")


def test_clock_time_is_utc(database):
    assert database.rows("SELECT current_setting('TimeZone')") == [("UTC",)]


@pytest.mark.parametrize("name", ["plain", "with space", 'with "quotes"', "select", "semi;colon", "--", "ümlaut", "it's"])
def test_a_quoted_name_is_one_name(database, name):
    database.execute(f"CREATE TABLE {quote(name)} ({quote(name)} INTEGER)")

    assert database.has(name)
    assert database.columns(name) == {name: "INTEGER"}
    assert database.count(name) == 0


@pytest.mark.parametrize("value", ["plain", "it's", "'; DROP TABLE x; --", "\\", "", "a\nb", 'say "hi"', 5, -2.5])
def test_a_literal_is_the_value(database, value):
    assert database.rows(f"SELECT {literal(value)}")[0][0] == pytest.approx(value)


def test_a_list_of_literals_is_each_of_them(database):
    assert database.rows(
        f"SELECT x FROM (VALUES ('a'), ('it''s'), ('b')) AS t(x) WHERE x IN {literals(['a', chr(39).join(['it', 's'])])}"
    ) == [
        ("a",),
        ("it's",),
    ]


def test_parameters_are_values_and_never_sql(database):
    assert database.rows("SELECT ?", ["1; DROP TABLE x"]) == [("1; DROP TABLE x",)]


def test_a_query_comes_back_as_rows_arrow_or_a_frame(database):
    query = "SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS t(n, text) ORDER BY n"

    assert database.rows(query) == [(1, "a"), (2, None)]
    assert database.arrow(query).to_pylist() == [{"n": 1, "text": "a"}, {"n": 2, "text": None}]
    assert database.frame(query)["n"].tolist() == [1, 2]


def test_rows_come_one_batch_after_the_other_as_they_do_at_once(database):
    with database.stream("SELECT range AS n FROM range(300000) ORDER BY 1") as reader:
        batches = list(reader)

    assert len(batches) > 1
    assert pa.Table.from_batches(batches)["n"].to_pylist() == list(range(300_000))


def test_a_stream_that_is_left_early_leaves_the_database_at_work(database):
    with database.stream("SELECT range AS n FROM range(300000)") as reader:
        next(reader)

    assert database.rows("SELECT 1") == [(1,)]


def test_a_registered_table_is_a_table(database):
    database.register("given", pa.table({"x": [1, 2]}))

    assert database.has("given")
    assert database.count("given") == 2
    assert not database.has("other")


def test_damage_found_while_reading_is_refused_under_the_name_of_what_is_read(database, inside):
    (inside / "a.parquet").write_bytes(b"PAR1" + bytes(50) + b"PAR1")

    with (
        pytest.raises(TableError, match=r"table 'users' cannot be read: .*; restore the file or export it again"),
        database.reading("table 'users'"),
    ):
        database.rows(f"SELECT * FROM read_parquet('{inside / 'a.parquet'}')")


@pytest.mark.parametrize("query", ["SELECT nothing FROM nowhere", "SELECT 1 +", "SELECT CAST('a' AS INTEGER)"])
def test_a_wrong_query_is_our_fault_and_not_taken_for_damage(database, query):
    with pytest.raises(duckdb.Error), database.reading("table 'users'"):
        database.rows(query)
