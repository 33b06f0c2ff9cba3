"""CSV is read as text under its own header; what it says is what arrives."""

from pathlib import Path

import pytest

from pls_ml.core.database import Database
from pls_ml.core.errors import TableError
from pls_ml.core.tables import TableSource
from pls_ml.io.reading import load_table

HEADER = "user_id,event,event_time\n"


def read_csv(folder: Path, content: str | bytes, name: str = "events.csv", **source) -> list[tuple]:
    """The event log that is read from a file with this content."""
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    database = Database([folder], 1, "1GB")
    load_table(database, "events", TableSource(path=name, **source), folder)
    return database.rows("SELECT * EXCLUDE event_time FROM events ORDER BY ALL")


@pytest.mark.parametrize("text", ["001", "nan", "NA", "NULL", "null", "None", "9007199254740993", "1e5", "true", " padded ", "-", "0x1F"])
def test_ids_and_texts_arrive_as_they_are_written(tmp_path, text):
    assert read_csv(tmp_path, f"{HEADER}{text},{text},2024-01-01\n") == [(text, text)]


def test_the_country_na_is_a_value_of_an_attribute(tmp_path):
    assert read_csv(tmp_path, "user_id,event,event_time,country\nu,view,2024-01-01,NA\n") == [("u", "view", "NA")]


@pytest.mark.parametrize("empty", ["", '""'])
def test_an_empty_cell_is_a_missing_value(tmp_path, empty):
    assert read_csv(tmp_path, f"{HEADER}u,{empty},2024-01-01\n") == [("u", None)]


def test_quoted_cells_hold_separators_quotes_and_line_ends(tmp_path):
    content = HEADER + '"a\nb","say ""hi"", x\r\ny",2024-01-01\nc,d,2024-01-01\n'

    assert read_csv(tmp_path, content) == [("a\nb", 'say "hi", x\r\ny'), ("c", "d")]


@pytest.mark.parametrize("content", [HEADER.replace("\n", "\r\n") + "u,é,2024-01-01\r\n", "\ufeff" + HEADER + "u,é,2024-01-01"])
def test_windows_line_ends_and_byte_order_marks_are_no_part_of_the_text(tmp_path, content):
    assert read_csv(tmp_path, content) == [("u", "é")]


def test_a_file_that_ends_in_tsv_is_separated_by_tabs(tmp_path):
    assert read_csv(tmp_path, "user_id\tevent\tevent_time\nu\ta,b\t2024-01-01\n", "events.tsv") == [("u", "a,b")]


def test_a_header_may_hold_any_signs(tmp_path):
    content = 'it\'s,"a ""b""",time:stamp\nu,view,2024-01-01\n'

    found = read_csv(tmp_path, content, columns={"user_id": "it's", "event": 'a "b"', "event_time": "time:stamp"})

    assert found == [("u", "view")]


def test_a_header_without_rows_is_an_empty_table(tmp_path):
    assert read_csv(tmp_path, HEADER) == []


@pytest.mark.parametrize(("row", "found"), [("c,d", 2), ("c,d,2024-01-02,extra", 4)])
def test_a_row_with_other_columns_than_the_header_is_refused_with_its_line(tmp_path, row, found):
    with pytest.raises(TableError, match=rf"events\.csv is not a well-formed CSV file: .*Line: 3 .*Columns: 3 Found: {found}"):
        read_csv(tmp_path, f"{HEADER}a,b,2024-01-01\n{row}\n")


def test_a_quote_that_never_closes_is_refused_with_its_line(tmp_path):
    with pytest.raises(TableError, match=r"events\.csv is not a well-formed CSV file: .*Line: 3"):
        read_csv(tmp_path, f'{HEADER}a,b,2024-01-01\nc,"d,2024-01-01\n')


def test_a_nul_byte_is_refused_with_its_line(tmp_path):
    with pytest.raises(TableError, match=r"events\.csv line 3 has a NUL byte.*export it again as UTF-8"):
        read_csv(tmp_path, f"{HEADER}a,b,2024-01-01\nc,d\0,2024-01-01\n")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "cp1252"])
def test_another_encoding_than_utf_8_is_refused(tmp_path, encoding):
    with pytest.raises(TableError, match=r"events\.csv is not UTF-8 text: .*; save it as UTF-8"):
        read_csv(tmp_path, f"{HEADER}Jürgen,view,2024-01-01\n".encode(encoding))


def test_another_encoding_far_down_the_file_is_refused_too(tmp_path):
    content = HEADER.encode() + b"u,view,2024-01-01\n" * 50_000 + "Jürgen,view,2024-01-01\n".encode("latin-1")

    with pytest.raises(TableError, match=r"events\.csv is not a well-formed CSV file: .*Line: 50002 .*not utf-8"):
        read_csv(tmp_path, content)


def test_utf_16_without_a_mark_is_refused(tmp_path):
    with pytest.raises(TableError, match=r"events\.csv line 1 has a NUL byte, so it is damaged or not UTF-8 text"):
        read_csv(tmp_path, f"{HEADER}u,view,2024-01-01\n".encode("utf-16-le"))


@pytest.mark.parametrize("header", ["user_id,user_id,event_time", "user_id,USER_ID,event_time", "user_id,,event_time"])
def test_a_header_with_a_repeated_or_empty_name_is_refused(tmp_path, header):
    with pytest.raises(
        TableError, match=rf"events\.csv needs a header line with distinct column names; it has {header.replace(',', ', ')}"
    ):
        read_csv(tmp_path, f"{header}\na,b,2024-01-01\n")


def test_a_file_without_a_line_is_refused(tmp_path):
    with pytest.raises(TableError, match=r"events\.csv needs a header line with distinct column names; it has no line at all"):
        read_csv(tmp_path, "")
