"""Which (lead, as_of) rows exist."""

from datetime import date, datetime, timedelta

import pytest
from core.text_tables import empty_database, load
from pydantic import TypeAdapter, ValidationError

from pls_ml.core.database import Database
from pls_ml.core.errors import ConfigError, TableError
from pls_ml.core.windows import Grain
from pls_ml.events.identity import resolve_users
from pls_ml.labels.spine import SpineSource, build_grid, build_moment

END = datetime(2024, 1, 31)


def open_users(users: str) -> Database:
    database = load(empty_database(), users=users)
    resolve_users(database)
    return database


def grid(users: str, end: datetime | None = END, grain: str = "day", zone: str = "UTC", **source) -> list[tuple]:
    database = open_users(users)
    build_grid(database, TypeAdapter(SpineSource).validate_python(source), Grain(grain, zone), end)
    return database.rows("SELECT lead_id, CAST(as_of AS VARCHAR) FROM grid ORDER BY as_of, lead_id")


def days_of(rows: list[tuple], lead: str) -> list[str]:
    return [as_of[:10] for who, as_of in rows if who == lead]


def test_a_calendar_has_every_monday_after_the_sign_up_up_to_the_end_of_the_data():
    rows = grid("user_id | signup_at\nu | 2024-01-03T10:00:00\nv | 2024-01-16", kind="calendar", every_days=7)

    assert days_of(rows, "u") == ["2024-01-08", "2024-01-15", "2024-01-22", "2024-01-29"]
    assert days_of(rows, "v") == ["2024-01-22", "2024-01-29"]
    assert {datetime.fromisoformat(as_of).weekday() for _, as_of in rows} == {0}


def test_a_lead_that_signs_up_at_a_moment_of_the_calendar_is_not_in_it_yet():
    rows = grid("user_id | signup_at\nu | 2024-01-08\nv | 2024-01-07T23:59:59.999999", kind="calendar", every_days=7)

    assert days_of(rows, "u")[0] == "2024-01-15"
    assert days_of(rows, "v")[0] == "2024-01-08"


def test_the_end_of_the_data_is_the_last_moment_of_the_calendar():
    user = "user_id | signup_at\nu | 2024-01-01"

    assert days_of(grid(user, datetime(2024, 1, 29), kind="calendar"), "u")[-1] == "2024-01-29"
    assert days_of(grid(user, datetime(2024, 1, 28, 23, 59), kind="calendar"), "u")[-1] == "2024-01-22"


def test_calendars_of_other_lengths_stand_on_fixed_days_whatever_the_data():
    early = days_of(grid("user_id | signup_at\nu | 2023-12-01\nv | 2024-01-05", kind="calendar", every_days=10), "v")
    late = days_of(grid("user_id | signup_at\nv | 2024-01-05", kind="calendar", every_days=10), "v")

    assert early == late
    assert all((date.fromisoformat(day) - date(1970, 1, 5)).days % 10 == 0 for day in late)


def test_a_calendar_may_start_later_than_the_first_sign_up():
    rows = grid("user_id | signup_at\nu | 2023-06-01", kind="calendar", every_days=7, start=date(2024, 1, 16))

    assert days_of(rows, "u") == ["2024-01-22", "2024-01-29"]


def test_a_calendar_without_a_moment_is_refused():
    with pytest.raises(TableError, match=r"no `as_of` fits between the first signup and the end of the data .*: lower `spine.every_days`"):
        grid("user_id | signup_at\nu | 2024-01-30", kind="calendar", every_days=7)


@pytest.mark.parametrize(
    ("zone", "mondays"),
    [
        ("Europe/Berlin", ["2024-03-24 23:00:00", "2024-03-31 22:00:00"]),
        ("Asia/Kolkata", ["2024-03-24 18:30:00", "2024-03-31 18:30:00"]),
        ("America/New_York", ["2024-03-25 04:00:00", "2024-04-01 04:00:00"]),
    ],
)
def test_mondays_begin_at_midnight_of_the_zone_also_across_a_change_of_the_clocks(zone, mondays):
    rows = grid("user_id | signup_at\nu | 2024-03-20", datetime(2024, 4, 5), zone=zone, kind="calendar")

    assert rows == [("u", monday) for monday in mondays]


@pytest.mark.parametrize(
    ("signup", "first"), [("2024-03-24T22:59:59.999999", "2024-03-24 23:00:00"), ("2024-03-24T23:00", "2024-03-31 22:00:00")]
)
def test_a_sign_up_at_midnight_of_the_zone_belongs_to_the_new_day(signup, first):
    rows = grid(f"user_id | signup_at\nu | {signup}", datetime(2024, 4, 5), zone="Europe/Berlin", kind="calendar")

    assert rows[0] == ("u", first)


def test_the_start_of_a_calendar_is_a_date_of_the_zone():
    users = "user_id | signup_at\nu | 2023-06-01"

    assert days_of(grid(users, zone="Asia/Kolkata", kind="calendar", start=date(2024, 1, 15)), "u")[0] == "2024-01-14"
    assert days_of(grid(users, zone="Asia/Kolkata", kind="calendar", start=date(2024, 1, 16)), "u")[0] == "2024-01-21"


def test_a_sign_up_at_an_impossible_time_does_not_stretch_the_calendar():
    rows = grid("user_id | signup_at\nu | 0001-01-01\nv | 2024-01-01", zone="America/New_York", kind="calendar")

    assert days_of(rows, "u")[0] == "2000-01-03"


@pytest.mark.parametrize(
    ("grain", "as_of"), [("day", "2024-01-17 00:00:00"), ("hour", "2024-01-17 10:00:00"), ("minute", "2024-01-17 10:41:00")]
)
def test_an_age_counts_from_the_sign_up_rounded_down_to_the_grain(grain, as_of):
    assert grid("user_id | signup_at\nu | 2024-01-03T10:41:59.9", grain=grain, kind="age", after="14d") == [("u", as_of)]


@pytest.mark.parametrize(
    ("signup", "as_of"),
    [
        ("2024-03-24T22:59:59", "2024-03-30 23:00:00"),
        ("2024-03-24T23:00", "2024-03-31 22:00:00"),
        ("2024-10-21T10:00", "2024-10-27 23:00:00"),
    ],
    ids=["up to the change", "across it in spring", "across it in autumn"],
)
def test_an_age_in_days_ends_at_a_midnight_of_the_zone(signup, as_of):
    rows = grid(f"user_id | signup_at\nu | {signup}", datetime(2025, 1, 1), zone="Europe/Berlin", kind="age", after="7d")

    assert rows == [("u", as_of)]


def test_every_lead_of_the_age_is_there_once_and_the_others_are_not():
    users = "user_id | signup_at\nu | 2024-01-17\nv | 2024-01-18\nw |\nx | 2020-05-05"

    assert grid(users, kind="age", after="14d") == [("x", "2020-05-19 00:00:00"), ("u", "2024-01-31 00:00:00")]


@pytest.mark.parametrize("after", ["14", "0d", "two weeks", "lifetime", "-3d", "1.5d"])
def test_an_age_that_is_no_length_of_time_is_refused(after):
    with pytest.raises(ValidationError, match="is not a length of time: write '30d', '4w', '24h', '90m'"):
        TypeAdapter(SpineSource).validate_python({"kind": "age", "after": after})


def test_an_age_that_the_grain_cannot_cut_is_refused():
    with pytest.raises(ConfigError, match="window '36h' is no multiple of the time grain 'day'"):
        grid("user_id | signup_at\nu | 2024-01-01", kind="age", after="36h")


def test_a_prepared_table_has_one_row_per_lead_in_the_order_of_its_column():
    rows = grid("user_id | number\nu | 2024-03\nv | 2024-01\nw | 2024-02\nx | 2024-01", None, kind="order", column="number")

    assert [lead for lead, _ in rows] == ["v", "x", "w", "u"]
    assert [as_of for _, as_of in rows] == [f"1970-01-01 00:00:0{rank}" for rank in (1, 2, 3, 4)]


def test_a_column_to_order_by_that_is_not_there_is_refused_with_the_nearest_one():
    with pytest.raises(TableError, match=r"no column 'numbr' in `users` to order leads by \(did you mean 'number'\?\)"):
        grid("user_id | number\nu | 1", None, kind="order", column="numbr")


@pytest.mark.parametrize("source", [{"kind": "calendar"}, {"kind": "age"}])
def test_times_need_an_end_of_the_data(source):
    with pytest.raises(TableError, match=f"`spine.kind: {source['kind']}` needs an event log"):
        grid("user_id | signup_at\nu | 2024-01-01", None, **source)


@pytest.mark.parametrize("source", [{"kind": "calendar"}, {"kind": "age"}])
def test_times_need_sign_ups(source):
    with pytest.raises(TableError, match=r"table 'users' has no `signup_at`: name your column under `data.users.columns`"):
        grid("user_id\nu", **source)


def test_one_moment_has_every_lead_that_signed_up_before_it():
    database = open_users("user_id | signup_at\nu | 2024-01-01\nv | 2024-01-02\nw | 2024-01-01T23:59:59.999999\nx |")

    build_moment(database, datetime(2024, 1, 2))

    assert database.rows("SELECT lead_id, CAST(as_of AS VARCHAR) FROM grid ORDER BY 1") == [
        ("u", "2024-01-02 00:00:00"),
        ("w", "2024-01-02 00:00:00"),
    ]


def test_a_lead_without_an_account_is_its_own():
    database = open_users("user_id | account_id | signup_at\nu | acme | 2024-01-01\nv | | 2024-01-01")

    build_moment(database, END)

    assert database.rows("SELECT lead_id, account_key FROM grid ORDER BY 1") == [("u", "acme"), ("v", "user:v")]


# --- the account of the time ---------------------------------------------------------------------------------------

MOVER = """
    user_id | account_id | signup_at  | valid_from | valid_to
    u       | acme       | 2024-01-01 | 2024-01-01 | 2024-01-15
    u       | globex     | 2024-01-01 | 2024-01-15 | 2024-01-22
    v       | acme       | 2024-01-01 |            |
"""


def accounts_at(users: str, as_of: datetime) -> dict[str, tuple]:
    """Lead → account and key, at one moment."""
    database = open_users(users)
    build_moment(database, as_of)
    return {lead: (account, key) for lead, account, key in database.rows("SELECT lead_id, account_id, account_key FROM grid")}


@pytest.mark.parametrize(
    ("as_of", "account"),
    [
        (datetime(2024, 1, 15), "acme"),
        (datetime(2024, 1, 15) + timedelta(microseconds=1), "globex"),
        (datetime(2024, 1, 16), "globex"),
        (datetime(2024, 1, 22), "globex"),
        (datetime(2024, 1, 22) + timedelta(microseconds=1), None),
    ],
)
def test_a_lead_belongs_to_the_account_that_was_known_before_as_of(as_of, account):
    assert accounts_at(MOVER, as_of) == {"u": (account, account or "user:u"), "v": ("acme", "acme")}


def test_a_calendar_has_a_lead_that_moves_once_per_moment_with_the_account_of_that_moment():
    database = open_users(MOVER)

    build_grid(database, TypeAdapter(SpineSource).validate_python({"kind": "calendar"}), Grain("day"), END)

    rows = database.rows("SELECT CAST(as_of AS VARCHAR)[:10], account_id FROM grid WHERE lead_id = 'u' ORDER BY 1")
    assert rows == [("2024-01-08", "acme"), ("2024-01-15", "acme"), ("2024-01-22", "globex"), ("2024-01-29", None)]


def test_a_calendar_of_a_zone_has_the_account_of_its_midnights():
    users = """
        user_id | account_id | signup_at  | valid_from       | valid_to
        u       | acme       | 2024-01-01 |                  | 2024-01-14T23:30
        u       | globex     | 2024-01-01 | 2024-01-14T23:30 |
    """
    found = {}
    for zone in ("UTC", "Europe/Berlin"):
        database = open_users(users)
        build_grid(database, TypeAdapter(SpineSource).validate_python({"kind": "calendar"}), Grain("day", zone), datetime(2024, 1, 16))
        found[zone] = [account for (account,) in database.rows("SELECT account_id FROM grid ORDER BY as_of")]

    assert found == {"UTC": ["acme", "globex"], "Europe/Berlin": ["acme", "acme"]}


def test_an_age_has_the_account_of_its_moment():
    database = open_users(MOVER)

    build_grid(database, TypeAdapter(SpineSource).validate_python({"kind": "age", "after": "15d"}), Grain("day"), END)

    assert database.rows("SELECT lead_id, account_id FROM grid ORDER BY 1") == [("u", "globex"), ("v", "acme")]


def test_a_prepared_table_has_no_time_and_so_the_newest_account():
    database = open_users("user_id | account_id | number | valid_from\nu | acme | 1 | 2024-01-01")

    build_grid(database, TypeAdapter(SpineSource).validate_python({"kind": "order", "column": "number"}), Grain("day"), None)

    assert database.rows("SELECT lead_id, account_id, account_key FROM grid") == [("u", "acme", "acme")]
