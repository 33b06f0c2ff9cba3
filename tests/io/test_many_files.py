"""A table may be many files: a folder or a pattern is read as one file with all the rows, or refused by the file at fault."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from pls_ml.core.database import Database
from pls_ml.core.errors import TableError
from pls_ml.core.tables import TableSource
from pls_ml.io.reading import load_table
from pls_ml.io.sinks import write_parquet
from pls_ml.io.sources import list_files, open_source, refuse_damaged

HEADER = "user_id,event,event_time\n"
LARGE = 2**53 + 1


def write(folder: Path, **files: str | pa.Table) -> Path:
    """The folder, with CSV files and Parquet files by their stem; `__` stands for a folder in between."""
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.with_suffix(".csv").write_text(content)
        else:
            write_parquet(content, path.with_suffix(".parquet"))
    return folder


def events(*users: str, **columns: list) -> pa.Table:
    return pa.table({"user_id": users, "event": ["view"] * len(users), "event_time": ["2024-01-01"] * len(users)} | columns)


def read(path: Path, show: str = "user_id", name: str = "events", **source) -> list[tuple]:
    """The canonical table that is read from a path, with access to nothing but the folders of its files."""
    database = Database(sorted({file.parent for file in list_files(path)}), 1, "1GB")
    load_table(database, name, TableSource(path=path.name, **source), path.parent)
    return database.rows(f"SELECT {show} FROM {name} ORDER BY ALL")


def open_columns(path: Path) -> list[tuple]:
    database = Database([path], 1, "1GB")
    open_source(database, "raw", path)
    return [*database.columns("raw").items(), *database.rows("SELECT * FROM raw ORDER BY ALL")]


# --- which files -------------------------------------------------------------------------------------------------


@pytest.fixture
def year(tmp_path: Path) -> Path:
    return write(
        tmp_path / "events", year_2023__a=events("u1"), year_2024__05__a=events("u2"), year_2024__06__b=events("u3"), top=events("u0")
    )


@pytest.mark.parametrize(
    ("pattern", "users"),
    [
        ("", "u0 u1 u2 u3"),
        ("*", "u0 u1 u2 u3"),
        ("*.parquet", "u0"),
        ("t?p.parquet", "u0"),
        ("**/*.parquet", "u0 u1 u2 u3"),
        ("**", "u0 u1 u2 u3"),
        ("**/a.parquet", "u1 u2"),
        ("year_2024/**/*.parquet", "u2 u3"),
        ("year_*/a.parquet", "u1"),
        ("year_202[4-9]", "u2 u3"),
        ("year_2024/0[!5]/*", "u3"),
        ("top.parquet", "u0"),
    ],
)
def test_a_folder_or_a_pattern_stands_for_all_the_files_it_fits(year, pattern, users):
    database = Database([year], 1, "1GB")
    load_table(database, "events", TableSource(path=f"events/{pattern}"), year.parent)

    assert database.rows("SELECT user_id FROM events ORDER BY ALL") == [(user,) for user in users.split()]


def test_files_are_listed_in_the_order_of_their_names_each_once(year):
    expected = ["top.parquet", "year_2023/a.parquet", "year_2024/05/a.parquet", "year_2024/06/b.parquet"]

    assert [str(file.relative_to(year)) for file in list_files(year / "**" / "**")] == expected


def test_hidden_and_underscored_names_are_left_out(tmp_path):
    write(tmp_path, a=events("u"), _temporary__b=events("v"), _c=events("v"), sub__b=events("w"))
    for name in (".a.parquet.part", ".hidden.parquet", "_SUCCESS", "README.md"):
        (tmp_path / name).write_text("x")

    assert [file.name for file in list_files(tmp_path)] == ["a.parquet", "b.parquet"]


def test_a_folder_that_is_named_may_begin_with_an_underscore(tmp_path):
    assert read(write(tmp_path / "_in", a=events("u"))) == [("u",)]


def test_a_folder_may_be_named_like_a_file_as_some_engines_write_them(tmp_path):
    write(tmp_path, **{"day1.parquet__part-0": events("u"), "day2.parquet__part-0": events("v")})

    assert read(tmp_path / "*.parquet") == [("u",), ("v",)]


@pytest.mark.parametrize("folder", ["it's", "o[r]d", "o*d", "a b"])
@pytest.mark.parametrize("pattern", ["", "*.csv"])
def test_signs_of_patterns_in_the_name_of_a_folder_are_no_pattern(tmp_path, folder, pattern):
    write(tmp_path / folder, a=f"{HEADER}u,view,2024-01-01\n", b=f"{HEADER}v,view,2024-01-01\n")

    assert read(tmp_path / folder / pattern) == [("u",), ("v",)]


def test_signs_of_patterns_in_the_name_of_a_file_count_its_rows_once(tmp_path):
    write(tmp_path / "csv", **{"a*": f"{HEADER}u,view,2024-01-01\n", "ab": f"{HEADER}v,view,2024-01-01\n"})
    write(tmp_path / "parquet", **{"a[b]": events("u"), "ab": events("v")})

    assert read(tmp_path / "csv") == read(tmp_path / "parquet") == [("u",), ("v",)]


def test_names_of_folders_become_no_columns(tmp_path):
    write(tmp_path, **{"event=other__a": events("u"), "event=other__day=5__b": events("v")})

    assert read(tmp_path, "*") == [("u", "view", datetime(2024, 1, 1)), ("v", "view", datetime(2024, 1, 1))]


def test_a_link_to_a_file_that_is_there_already_adds_no_rows(tmp_path):
    write(tmp_path, a=events("u"), b=events("v"))
    (tmp_path / "latest.parquet").symlink_to("b.parquet")

    assert [file.name for file in list_files(tmp_path)] == ["a.parquet", "b.parquet"]


def test_a_link_to_a_folder_is_refused_unless_the_pattern_leaves_it_out(tmp_path):
    write(tmp_path, a=events("u"), sub__b=events("v"))
    (tmp_path / "loop").symlink_to(tmp_path)

    with pytest.raises(TableError, match=r"/loop is a link to a folder: name the folder itself"):
        list_files(tmp_path)
    assert [file.name for file in list_files(tmp_path / "s*")] == ["b.parquet"]
    assert [file.name for file in list_files(tmp_path / "loop" / "sub")] == ["b.parquet"]


def test_a_broken_link_is_refused_not_passed_over(tmp_path):
    write(tmp_path, a=events("u"))
    (tmp_path / "b.parquet").symlink_to("nowhere.parquet")

    with pytest.raises(TableError, match=r"b\.parquet is not a readable Parquet file"):
        read(tmp_path)


@pytest.mark.parametrize("path", ["", "part=1", "*/*.parquet"])
def test_a_delta_table_is_refused_because_its_folder_keeps_deleted_rows(tmp_path, path):
    write(tmp_path, **{"part=1__a": events("u")})
    (tmp_path / "_delta_log").mkdir()

    with pytest.raises(TableError, match=r"is a Delta table, whose folder also keeps rows that were deleted: export it"):
        list_files(tmp_path / path)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("empty", r"no file in .*/empty ends in \.parquet, \.csv, \.tsv: the folder is empty"),
        ("notes", r"no file in .*/notes ends in \.parquet, \.csv, \.tsv: the folder has README\.md, _a\.csv"),
        ("notes/*.csv", r"no file matches .*/notes/\*\.csv: expected Parquet or CSV files; .*/notes has README\.md, _a\.csv"),
        ("nowhere/*.csv", r"no file matches .*/nowhere/\*\.csv: expected Parquet or CSV files; .* has empty, notes"),
        ("empty/**/*.csv", r"no file matches .*; .*/empty is empty"),
        ("notes/README.*", r"README\.md ends in '\.md': expected one of \.parquet, \.csv, \.tsv"),
        ("notes/a.csv", r"no file .*/notes/a\.csv: expected a Parquet or CSV file; the folder has README\.md, _a\.csv"),
        ("nowhere/a.csv", r"no file .*/nowhere/a\.csv: expected a Parquet or CSV file; the folder does not exist or is empty"),
    ],
)
def test_a_path_without_files_is_refused_with_what_the_folder_holds(tmp_path, path, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "README.md").write_text("x")
    (tmp_path / "notes" / "_a.csv").write_text("x")

    with pytest.raises(TableError, match=message):
        list_files(tmp_path / path)


@pytest.mark.parametrize(
    ("names", "shown"),
    [("a.csv b.parquet", "a.csv and b.parquet"), ("a.tsv b.csv c.csv", "b.csv and a.tsv"), ("B.PARQUET a.tsv", "B.PARQUET and a.tsv")],
)
def test_files_of_several_kinds_are_refused_with_one_of_each(tmp_path, names, shown):
    for name in names.split():
        (tmp_path / name).write_text("x")

    with pytest.raises(TableError, match=f"has files of several kinds, such as {shown}: keep one kind, or choose one by a pattern"):
        list_files(tmp_path)


# --- Parquet -----------------------------------------------------------------------------------------------------


def test_several_files_are_one_file(tmp_path):
    whole = events("001", "NA", "nan", "002", plan=["pro", None, "free", "pro"], seats=[1, 2, None, LARGE])
    write(tmp_path / "one", a=whole)
    write(tmp_path / "many", a=whole.slice(3, 1), sub__b=whole.slice(0, 2), c=whole.slice(2, 0), d=whole.slice(2, 1))

    assert open_columns(tmp_path / "many") == open_columns(tmp_path / "one")


def test_a_column_that_a_file_does_not_have_is_missing_there(tmp_path):
    write(tmp_path, a=events("u"), b=events("v", plan=["pro"]), c=events("w", seats=[3]))

    assert read(tmp_path, "user_id, plan, seats") == [("u", None, None), ("v", "pro", None), ("w", None, 3)]


def test_the_order_of_the_files_changes_nothing(tmp_path):
    parts = [
        pa.table({"user_id": ["u"], "event": ["view"], "at": [date(2024, 1, 1)], "p": [{"x": 1}]}),
        pa.table({"z": [1], "event": ["edit"], "user_id": ["v"], "p": [{"x": 2}]}),
        pa.table({"at": [datetime(2024, 1, 2)], "z": [2.5], "a": pa.nulls(1), "user_id": ["w"]}),
    ]
    write(tmp_path / "there", **dict(zip("abc", parts, strict=True)))
    write(tmp_path / "back", **dict(zip("cba", parts, strict=True)))

    assert open_columns(tmp_path / "there") == open_columns(tmp_path / "back")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (pa.array([1], pa.int8()), pa.array([LARGE]), [1, LARGE]),
        (pa.array([2**64 - 1], pa.uint64()), pa.array([-1]), [-1, 2**64 - 1]),
        (pa.array([3]), pa.array([1.5, None]), [1.5, 3.0, None]),
        (pa.array([0.5], pa.float32()), pa.array([1.5]), [0.5, 1.5]),
        (pa.array([Decimal("1.25")]), pa.array([Decimal("1234.5")]), [Decimal("1.25"), Decimal("1234.5")]),
        (pa.array([date(2024, 1, 1)]), pa.array([datetime(2024, 1, 2)]), [datetime(2024, 1, 1), datetime(2024, 1, 2)]),
        (
            pa.array([datetime(2024, 1, 1)], pa.timestamp("ns")),
            pa.array([datetime(2024, 1, 2)], pa.timestamp("us")),
            [datetime(2024, 1, 1), datetime(2024, 1, 2)],
        ),
        (pa.nulls(1), pa.array(["a"]), ["a", None]),
        (pa.array(["b"]).dictionary_encode(), pa.array(["a"], pa.large_string()), ["a", "b"]),
    ],
    ids=["wider", "unsigned", "gaps", "floats", "decimals", "dates", "moments", "no values", "texts"],
)
def test_types_that_one_type_holds_without_loss_are_united(tmp_path, first, second, expected):
    write(tmp_path, a=pa.table({"x": first}), b=pa.table({"x": second}))

    assert [row[0] for row in open_columns(tmp_path)[1:]] == expected


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([1], ["a"], r"b\.parquet has column `x` as VARCHAR, expected BIGINT as in .*/a\.parquet: write it as one type"),
        ([True], [1], r"b\.parquet has column `x` as BIGINT, expected BOOLEAN as in .*/a\.parquet"),
        (["2024-01-01"], [date(2024, 1, 1)], r"b\.parquet has column `x` as DATE, expected VARCHAR as in .*/a\.parquet"),
        ([[1]], [1], r"b\.parquet has column `x` as BIGINT, expected BIGINT\[\] as in .*/a\.parquet"),
        ([{"y": 1}], [{"y": "a"}], r"b\.parquet has column `x` as STRUCT\(y VARCHAR\), expected STRUCT\(y BIGINT\) as in .*/a\.parquet"),
        ([{"y": 1}], ["{}"], r"b\.parquet has column `x` as VARCHAR, expected STRUCT\(y BIGINT\) as in .*/a\.parquet"),
        (
            [1.5],
            [LARGE, 5],
            r"b\.parquet has 1 values of `x` \(BIGINT\) that do not fit DOUBLE, the type that holds the other files' values",
        ),
    ],
)
def test_types_that_would_bend_values_are_refused_with_file_and_column(tmp_path, first, second, message):
    write(tmp_path, a=pa.table({"x": first}), b=pa.table({"x": second}))

    with pytest.raises(TableError, match=message):
        open_columns(tmp_path)


def test_a_moment_beyond_the_reach_of_nanoseconds_is_refused_beside_them(tmp_path):
    ns, us = ([datetime(2024, 1, 1)], pa.timestamp("ns")), ([datetime(9999, 1, 1)], pa.timestamp("us"))
    write(tmp_path, a=pa.table({"x": pa.array(*ns)}), b=pa.table({"x": pa.array(*us)}))

    with pytest.raises(TableError, match=r"b\.parquet has 1 values of `x` \(TIMESTAMP\) that do not fit TIMESTAMP_NS"):
        open_columns(tmp_path)


def test_moments_with_a_zone_beside_some_without_are_refused(tmp_path):
    write(tmp_path, a=pa.table({"x": pa.array([0], pa.timestamp("us"))}), b=pa.table({"x": pa.array([0], pa.timestamp("us", "UTC"))}))

    with pytest.raises(TableError, match=r"b\.parquet has column `x` as TIMESTAMP WITH TIME ZONE, expected TIMESTAMP as in .*/a\.parquet"):
        open_columns(tmp_path)


def test_a_column_without_values_takes_the_type_of_the_next_file_that_has_some(tmp_path):
    write(tmp_path, a=pa.table({"x": pa.nulls(1)}), b=pa.table({"x": [5]}), c=pa.table({"x": ["a"]}))

    with pytest.raises(TableError, match=r"c\.parquet has column `x` as VARCHAR, expected BIGINT as in .*/b\.parquet"):
        open_columns(tmp_path)


def test_a_name_that_differs_only_in_case_is_refused(tmp_path):
    write(tmp_path, a=events("u", plan=["pro"]), b=events("v", Plan=["pro"]))

    with pytest.raises(TableError, match=r"b\.parquet has a column 'Plan', expected 'plan' as in .*/a\.parquet: spell it one way"):
        read(tmp_path)


def test_fields_of_a_struct_are_reached_where_files_have_other_columns(tmp_path):
    write(tmp_path, a=events("u", p=[{"seats": 3}]), b=events("v", p=[{"seats": 5}], z=[1]), c=events("w"))

    assert read(tmp_path, "user_id, seats", columns={"seats": "p.seats"}) == [("u", "3"), ("v", "5"), ("w", None)]


@pytest.mark.parametrize("content", [b"", b"hello", b"PAR1" * 50])
def test_a_damaged_file_among_good_ones_is_refused_under_its_own_name(tmp_path, content):
    write(tmp_path, a=events("u"), c=events("v"))
    (tmp_path / "b.parquet").write_bytes(content)

    with pytest.raises(TableError, match=r"/b\.parquet is not a readable Parquet file"):
        read(tmp_path)


@pytest.mark.parametrize("start", [40, 100])
def test_a_page_damaged_in_one_of_many_files_is_refused_under_its_own_name(tmp_path, start):
    path = write(tmp_path, **{name: pa.table({"user_id": [f"{name}{i}" for i in range(500)]}) for name in "abc"})
    content = bytearray((path / "b.parquet").read_bytes())
    content[start : start + 60] = bytes(60)
    (path / "b.parquet").write_bytes(content)
    database = Database([path], 1, "1GB")

    with pytest.raises(TableError, match=r"/b\.parquet cannot be read: .*; restore the file or export it again"):
        load_table(database, "users", TableSource(path=path.name), path.parent)
    with pytest.raises(TableError, match=r"/b\.parquet cannot be read: .*; restore the file or export it again"):
        refuse_damaged(database, path)


def test_files_that_are_whole_are_not_called_damaged(tmp_path):
    write(tmp_path / "parquet", a=events("u"), b=events("v"))
    write(tmp_path / "csv", a=HEADER, b=HEADER)

    for name in ("parquet", "csv"):
        assert refuse_damaged(Database([tmp_path], 1, "1GB"), tmp_path / name) is None


# --- CSV ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["001", "nan", "NA", "NULL", "9007199254740993", "1e5", "true", " padded ", "0x1F"])
def test_texts_arrive_as_they_are_written_whatever_the_other_files_hold(tmp_path, text):
    write(tmp_path, a=f"{HEADER}{text},view,2024-01-01\n", b=f"{HEADER}12,view,2024-01-01\n", c=HEADER)

    assert sorted(read(tmp_path)) == sorted([(text,), ("12",)])


def test_several_csv_files_are_one_file(tmp_path):
    rows = ['001,"a,\n""b""",2024-01-01\n', "002,,2024-01-02\n", "002,NA,2024-01-02\n"]
    write(tmp_path / "one", a=HEADER + "".join(rows))
    write(tmp_path / "many", a=HEADER + rows[2], sub__b="\ufeff" + HEADER + rows[0].removesuffix("\n"), c=HEADER, d=HEADER + rows[1])

    assert open_columns(tmp_path / "many") == open_columns(tmp_path / "one")


def test_several_files_separated_by_tabs_are_read_so(tmp_path):
    for name in ("a.tsv", "b.TSV"):
        (tmp_path / name).write_text(f"user_id\tevent\tevent_time\n{name[0]}\ta,b\t2024-01-01\n")

    assert read(tmp_path, "user_id, event") == [("a", "a,b"), ("b", "a,b")]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("user_id,evnt,event_time", r"column 'evnt' is unknown \(did you mean 'event'\?\); no column 'event'\. "),
        ("user_id,event,event_time,plan", r"column 'plan' is unknown\. "),
        ("user_id,event", r"no column 'event_time'\. "),
        ("user_id,Event,event_time", r"column 'Event' is unknown \(did you mean 'event'\?\); no column 'event'\. "),
        ("event,user_id,event_time", r"the columns are in another order\. "),
    ],
)
def test_a_header_that_differs_is_refused_with_file_column_and_the_nearest_name(tmp_path, header, message):
    write(tmp_path, a=HEADER, b=HEADER, c=f"{header}\n")

    with pytest.raises(
        TableError,
        match=rf"/c\.csv has another header than .*/a\.csv: {message}Expected user_id, event, event_time; give every file the same header",
    ):
        read(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{HEADER}a,b,2024-01-01\nc,d\n", r"is not a well-formed CSV file: .*Line: 3 .*Columns: 3 Found: 2"),
        (f"{HEADER}a,b,2024-01-01,x\n", r"is not a well-formed CSV file: .*Line: 2 .*Columns: 3 Found: 4"),
        (f'{HEADER}a,"b,2024-01-01\n', r"is not a well-formed CSV file: .*Line: 2"),
        (f"{HEADER}a,b\0,2024-01-01\n", r"line 2 has a NUL byte"),
        (f"{HEADER}Jürgen,b,2024-01-01\n".encode("latin-1"), r"is not UTF-8 text: .*; save it as UTF-8"),
        (f"{HEADER}a,b,2024-01-01\n".encode("utf-16"), r"is not UTF-8 text: .*; save it as UTF-8"),
        (HEADER.encode() + b"u,view,2024-01-01\n" * 50_000 + b"J\xfcrgen,b,2024-01-01\n", r"is not a well-formed CSV file: .*Line: 50002 "),
        ("user_id,user_id,event_time\n", r"needs a header line with distinct column names"),
        ("", r"needs a header line with distinct column names; it has no line at all"),
    ],
    ids=["short row", "long row", "open quote", "NUL", "latin-1", "utf-16", "latin-1 far down", "repeated name", "no line"],
)
def test_a_bad_csv_file_among_good_ones_is_refused_under_its_own_name(tmp_path, content, message):
    write(tmp_path, a=f"{HEADER}u,view,2024-01-01\n", c=f"{HEADER}v,view,2024-01-01\n")
    (tmp_path / "b.csv").write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(TableError, match=rf"/b\.csv {message}"):
        read(tmp_path)
