"""A time stamp is UTC from the boundary inwards, however it was written."""

from datetime import UTC, date, datetime, timedelta, timezone

import pandas as pd
import pyarrow as pa
import pytest
from core.text_tables import empty_database, load
from kept_logs import keep

from pls_ml.core.errors import ConfigError
from pls_ml.core.windows import Grain
from pls_ml.events.mapping import EventSource


def read_time(value, zone: str = "UTC") -> str | None:
    """The event time that is read from one value, in UTC."""
    values = value if isinstance(value, pa.Array) else pa.array([value], pa.string())
    events = pa.table({"user_id": ["u"], "event": ["view"], "event_time": values})
    database = load(empty_database(), EventSource(timezone=zone), events=events)
    return database.rows("SELECT CAST(event_time AS VARCHAR) FROM events")[0][0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-07-01", "2024-07-01 00:00:00"),
        ("2024-07-01 10:30", "2024-07-01 10:30:00"),
        ("2024-07-01T10:30:15.25", "2024-07-01 10:30:15.25"),
        ("2024-07-01T10:30:00Z", "2024-07-01 10:30:00"),
        ("2024-07-01T10:30:00.123456789Z", "2024-07-01 10:30:00.123456"),
        ("2024-07-01T10:30:00+02:00", "2024-07-01 08:30:00"),
        ("2024-07-01T10:30:00-0530", "2024-07-01 16:00:00"),
        ("2024-07-01 10:30:00+02", "2024-07-01 08:30:00"),
        ("2024-07-01 10:30:00 +0200", "2024-07-01 08:30:00"),
        ("2024-07-01 10:30:00 UTC", "2024-07-01 10:30:00"),
        ("2024-07-01 10:30:00 Europe/Berlin", "2024-07-01 08:30:00"),
    ],
)
def test_text_with_or_without_a_zone_becomes_utc(text, expected):
    assert read_time(text) == expected


@pytest.mark.parametrize("text", ["2024-07-01 10:30 PM", "2024-07-01 10:30:00 Nowhere", "2024-07-01T10:30:00+2", "yesterday", "2024"])
def test_a_time_that_cannot_be_placed_is_missing_rather_than_guessed(text):
    assert read_time(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-07-01 10:30", "2024-07-01 08:30:00"),
        ("2024-01-01 10:30", "2024-01-01 09:30:00"),
        ("2024-07-01", "2024-06-30 22:00:00"),
        ("2024-07-01T10:30:00Z", "2024-07-01 10:30:00"),
        ("2024-07-01 10:30:00 UTC", "2024-07-01 10:30:00"),
        ("2024-07-01T10:30:00-04:00", "2024-07-01 14:30:00"),
    ],
)
def test_the_configured_zone_counts_only_where_the_text_has_none(text, expected):
    assert read_time(text, "Europe/Berlin") == expected


def test_a_clock_time_that_daylight_saving_skips_moves_forward_by_the_hour():
    assert read_time("2024-03-31 02:30", "Europe/Berlin") == "2024-03-31 01:30:00"
    assert read_time("2024-03-31 03:30", "Europe/Berlin") == "2024-03-31 01:30:00"


def test_a_clock_time_that_daylight_saving_repeats_is_the_second_one():
    assert read_time("2024-10-27 02:30", "Europe/Berlin") == "2024-10-27 01:30:00"
    assert read_time("2024-10-27 01:59", "Europe/Berlin") == "2024-10-26 23:59:00"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_time_stamps_without_a_zone_are_in_the_configured_one_whatever_their_unit(unit):
    values = pa.array([datetime(2024, 7, 1, 10, 30)], pa.timestamp(unit))

    assert read_time(values) == "2024-07-01 10:30:00"
    assert read_time(values, "America/New_York") == "2024-07-01 14:30:00"


def test_time_stamps_with_a_zone_keep_their_moment():
    moment = datetime(2024, 7, 1, 10, 30, tzinfo=timezone(timedelta(hours=5)))

    assert read_time(pa.array([moment], pa.timestamp("us", "Asia/Karachi")), "Europe/Berlin") == "2024-07-01 05:30:00"
    assert read_time(pa.array([moment.astimezone(UTC)], pa.timestamp("us", "UTC")), "Europe/Berlin") == "2024-07-01 05:30:00"


def test_a_date_is_its_midnight_in_the_configured_zone():
    values = pa.array([date(2024, 7, 1)])

    assert read_time(values) == "2024-07-01 00:00:00"
    assert read_time(values, "America/New_York") == "2024-07-01 04:00:00"


def test_the_same_log_in_two_zones_gives_the_same_clean_events():
    moments = pd.Series(pd.to_datetime(["2024-03-31T00:59:59Z", "2024-03-31T01:00:00Z", "2024-07-01T22:30:00Z"]))
    logs = {
        zone: pa.table(
            {"user_id": ["u"] * 3, "event": ["view"] * 3, "event_time": pa.array(moments.dt.tz_convert(zone).dt.tz_localize(None))}
        )
        for zone in ("UTC", "Europe/Berlin", "Asia/Kolkata")
    }

    found = [keep(log, source=EventSource(timezone=zone)).clean for zone, log in logs.items()]

    assert len(found[0]) == 3
    assert found[0] == found[1] == found[2]


def test_an_unknown_zone_is_refused_with_the_nearest_one():
    with pytest.raises(ConfigError, match=r"`timezone: Europe/Berlni` is no known zone \(did you mean 'Europe/Berlin'\?\)"):
        read_time("2024-07-01", "Europe/Berlni")


def test_without_known_at_an_event_was_known_when_it_happened():
    log = """
        user_id | event | event_time | known_at
        u       | view  | 2024-01-01 |
        u       | view  | 2024-01-02 | 2024-01-04
    """

    kept = keep(log)

    assert kept.rows("CAST(CAST(known_at AS DATE) AS VARCHAR)", "clean_events") == [("2024-01-01",), ("2024-01-04",)]
    assert kept.rows("event_tick - 19723, known_tick - 19723, seen_tick - 19723, n") == [(0, 0, 0, 1), (1, 3, 3, 1)]


def test_an_event_known_before_it_happens_is_seen_when_it_happens():
    log = """
        user_id | event | event_time | known_at
        u       | view  | 2024-01-01 |
        u       | view  | 2024-01-20 | 2024-01-02
    """

    assert keep(log).rows("event_tick - 19723, known_tick - 19723, seen_tick - 19723") == [(0, 0, 0), (19, 1, 19)]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Atlantic/Azores", "America/Sao_Paulo"])
def test_a_day_is_that_of_the_zone(zone):
    moments = pd.date_range("2017-10-10", "2017-11-20", freq="23min", tz="UTC")
    log = pa.table(
        {
            "user_id": ["u"] * len(moments),
            "event": ["view"] * len(moments),
            "event_time": moments.astype("datetime64[us, UTC]").tz_convert(None),
        }
    )
    local = moments.tz_convert(zone).date

    kept = keep(log, grain=Grain("day", zone))

    found = kept.rows("event_tick, n")
    assert found == sorted(((day - date(1970, 1, 1)).days, int((local == day).sum())) for day in set(local))
    assert kept.counts.kept == len(moments)
