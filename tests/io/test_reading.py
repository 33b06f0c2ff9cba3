"""Sources become canonical tables: names translated, values cast, all problems at once."""

from datetime import date, time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from core.text_tables import as_arrow, empty_database, load

from pls_ml.core.errors import TableError
from pls_ml.core.tables import TableSource
from pls_ml.io.reading import load_table

EVENT = {"user_id": ["u"], "event": ["view"], "event_time": ["2024-01-01"]}


def read(name: str, table, show: str = "*", **source) -> list[tuple]:
    return load(empty_database(), TableSource(**source), **{name: table}).rows(f"SELECT {show} FROM {name} ORDER BY ALL")


def test_columns_are_translated_to_the_names_of_the_contract():
    table = as_arrow("id | name | at | plan\nu | view | 2024-01-01 | pro")

    found = read("events", table, "user_id, event, plan", columns={"user_id": "id", "event": "name", "event_time": "at"})

    assert found == [("u", "view", "pro")]


def test_a_translated_column_takes_the_place_of_one_that_differs_only_in_case():
    table = as_arrow("user_id | Event | name | event_time\nu | Other | view | 2024-01-01")

    assert read("events", table, "event", columns={"event": "name"}) == [("view",)]


def test_a_constant_takes_the_type_of_its_column():
    table = as_arrow("user_id\nu")
    source = {"signup_at": "2024-01-01T10:00:00+02:00", "is_internal": "true", "source": "import"}

    found = read("users", table, "CAST(signup_at AS VARCHAR), is_internal, source", constants=source)

    assert found == [("2024-01-01 08:00:00", True, "import")]


def test_texts_that_mean_no_value_are_missing():
    table = as_arrow("user_id | title | score\nu | Select | 5\nv | CEO | n/a")

    assert read("users", table, "user_id, title, score", missing=("Select", "n/a")) == [("u", None, "5"), ("v", "CEO", None)]


def test_an_empty_text_is_no_value_as_in_csv():
    table = pa.table({"user_id": ["u"], "account_id": [""], "email_domain": [""]})

    assert read("users", table, "account_id, email_domain") == [(None, None)]


def test_columns_outside_the_contract_keep_their_names_and_numbers_their_type():
    table = pa.table({"user_id": ["u"], "seats": [3], "plan": ["pro"], "trial": [True]})

    database = load(empty_database(), users=table)

    assert {name: kind for name, kind in database.columns("users").items() if name != "user_id"} == {
        "seats": "BIGINT",
        "plan": "VARCHAR",
        "trial": "BOOLEAN",
    }


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (pa.array([1, 2**53 + 1]), ["1", "9007199254740993"]),
        (pa.array([1.0, 2.0]), ["1", "2"]),
        (pa.array([1.5, 2.0]), ["1.5", "2"]),
        (pa.array([2**64 - 1, 7], pa.uint64()), ["18446744073709551615", "7"]),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.array(["a", "b"], pa.large_string()), ["a", "b"]),
    ],
    ids=["integers", "whole doubles", "doubles", "unsigned", "categories", "large text"],
)
def test_ids_of_any_type_become_their_text(ids, expected):
    assert sorted(row[0] for row in read("users", pa.table({"user_id": ids}), "user_id")) == sorted(expected)


def test_an_id_that_is_no_number_in_a_column_of_numbers_is_missing():
    with pytest.raises(TableError, match="table 'users' has 1 rows without a readable `user_id`"):
        read("users", pa.table({"user_id": [1.0, float("nan")]}))


def test_every_missing_column_is_named_at_once_with_the_nearest_one():
    table = as_arrow("USERID | evnt | when\nu | view | 2024-01-01")

    with pytest.raises(TableError) as found:
        read("events", table, columns={"event": "event_nam", "session_id": "when"})

    message = str(found.value)
    assert "table 'events' does not fit the contract" in message
    assert "no column 'event_nam' for `event`" in message
    assert "no column `user_id` (did you mean 'USERID'?); name yours under `columns`" in message
    assert "no column `event_time`" in message
    assert message.endswith("It has: USERID, evnt, when")


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("employee_count", [date(2024, 1, 1)], "column `employee_count` holds DATE, expected a number"),
        ("employee_count", [[1, 2]], r"column `employee_count` holds BIGINT\[\], expected a number"),
        ("created_at", [1704067200], "column `created_at` holds BIGINT, expected a time stamp or ISO 8601 text"),
        ("created_at", [time(10, 30)], "column `created_at` holds TIME, expected a time stamp or ISO 8601 text"),
        ("created_at", [True], "column `created_at` holds BOOLEAN, expected a time stamp or ISO 8601 text"),
    ],
)
def test_a_column_of_the_wrong_type_is_refused(column, values, message):
    with pytest.raises(TableError, match=f"table 'accounts': {message}"):
        read("accounts", pa.table({"account_id": ["a"], column: values}))


def test_a_value_that_does_not_cast_is_missing():
    table = as_arrow("account_id | employee_count\na | 12\nb | many\nc | 1,000")

    assert read("accounts", table, "account_id, employee_count") == [("a", 12.0), ("b", None), ("c", None)]


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), ("TRUE", True), ("1", True), ("yes", True), ("0", False), ("no", False), ("maybe", None)]
)
def test_flags_are_read_from_the_usual_words(text, expected):
    assert read("users", as_arrow(f"user_id | is_internal\nu | {text}"), "is_internal") == [(expected,)]


@pytest.mark.parametrize(
    ("name", "table", "message"),
    [
        ("accounts", "account_id | name\n | x\n | y\na | z", "table 'accounts' has 2 rows without a readable `account_id`"),
        ("suppressions", "reason | from\n | soon", "has 1 rows without a readable `reason`; 1 rows without a readable `from`"),
        ("subscriptions", "account_id | started_at\na | soon", "has 1 rows without a readable `started_at`"),
    ],
)
def test_a_required_value_that_is_missing_is_refused_outside_of_the_log(name, table, message):
    with pytest.raises(TableError, match=message + ": fill them in or leave those rows out"):
        read(name, as_arrow(table))


def test_an_open_opportunity_needs_no_closing_date():
    table = as_arrow("opportunity_id | account_id | created_at | closed_at | is_won\no | a | 2024-01-01 | | ")

    assert read("opportunities", table, "closed_at, is_won") == [(None, None)]


def test_a_field_that_a_struct_does_not_have_is_refused_with_those_it_has():
    table = pa.table(EVENT | {"properties": [{"feature": "x", "tier": "y"}]})

    with pytest.raises(
        TableError, match=r"`properties` has no field 'featur' for `feature` \(did you mean 'feature'\?\); it has: feature, tier"
    ):
        read("events", table, columns={"feature": "properties.featur"})


def test_a_field_of_a_column_that_holds_no_fields_is_refused():
    table = pa.table(EVENT | {"properties": [5]})

    with pytest.raises(TableError, match=r"`feature: properties\.x` needs a struct or JSON text, but `properties` holds BIGINT"):
        read("events", table, columns={"feature": "properties.x"})


def test_a_table_without_a_path_that_was_not_passed_in_is_refused(tmp_path):
    with pytest.raises(TableError, match="table 'users' has no `path` and was not passed in: give one"):
        load_table(empty_database(), "users", TableSource(), tmp_path)


# --- tables that are passed in -----------------------------------------------------------------------------------


SPEAKERS = {
    "pandas": pd.DataFrame,
    "pandas with an index": lambda event: pd.DataFrame(event, index=[7]),
    "pandas with extension types": lambda event: pd.DataFrame(event).convert_dtypes(),
    "table": pa.table,
    "record batch": pa.record_batch,
    "reader": lambda event: pa.table(event).to_reader(),
}
if find_spec("polars"):  # an optional guest
    SPEAKERS["polars"] = lambda event: import_module("polars").DataFrame(event)


@pytest.mark.parametrize("kind", SPEAKERS)
def test_anything_that_speaks_arrow_comes_in(kind):
    assert read("events", SPEAKERS[kind](EVENT), "user_id, event, CAST(event_time AS VARCHAR)") == [("u", "view", "2024-01-01 00:00:00")]


def test_integer_ids_with_gaps_that_pandas_made_doubles_come_in_as_integers():
    frame = pd.DataFrame({"user_id": ["u", "v"], "account_id": [7, None]})

    assert read("users", frame, "user_id, account_id") == [("u", "7"), ("v", None)]


def test_missing_values_of_pandas_are_missing():
    frame = pd.DataFrame({"user_id": ["u"], "title": [None], "signup_at": [pd.NaT]})

    assert read("users", frame, "title, signup_at") == [(None, None)]


@pytest.mark.parametrize("given", [EVENT, [("u", "view")], "events.csv", 5])
def test_something_that_does_not_speak_arrow_is_refused_by_its_type(given):
    with pytest.raises(TableError, match=f"table 'events' is a {type(given).__name__}: pass a pandas, polars or pyarrow table"):
        load_table(empty_database(), "events", TableSource(), Path(), given)


def test_a_column_of_mixed_types_is_refused():
    frame = pd.DataFrame({"user_id": [1, "a"]})

    with pytest.raises(TableError, match=r"table 'users' does not convert to Arrow: .*user_id.*; give every column one name and one type"):
        read("users", frame)


def test_repeated_column_names_are_refused():
    frame = pd.DataFrame([["u", "a", "b"]], columns=["user_id", "title", "title"])

    with pytest.raises(TableError, match=r"table 'users' does not convert to Arrow: .*; give every column one name and one type"):
        read("users", frame)
