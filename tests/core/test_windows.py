from datetime import datetime, timedelta

import pytest
from core.text_tables import empty_database

from pls_ml.core.errors import ConfigError
from pls_ml.core.windows import DAY_US, LIFETIME, Grain, Horizon, Window, parse_duration

DAY, HOUR, MINUTE = Grain("day"), Grain("hour"), Grain("minute")
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "America/Sao_Paulo",
    "Atlantic/Azores",
    "America/Havana",
]


@pytest.mark.parametrize(
    ("text", "length"), [("30d", 30 * DAY_US), ("4w", 28 * DAY_US), ("24h", DAY_US), ("90m", 90 * 60_000_000), ("1d", DAY_US)]
)
def test_a_length_of_time_is_a_number_and_a_unit(text, length):
    assert parse_duration(text) == length
    assert Window.parse(text) == Window(text, length)


@pytest.mark.parametrize(
    "text", ["30", "d", "0d", "-3d", "1.5d", "30 d", "30D", "d30", "1d2h", "30s", "030d", "", "life", "٣d", "last_7d", "First_7d"]
)
def test_anything_else_is_no_length_of_time(text):
    with pytest.raises(
        ConfigError, match=f"window '{text}' is not a length of time: write '30d', '4w', '24h', '90m', 'lifetime' or 'first_14d'"
    ):
        Window.parse(text)


def test_a_lifetime_has_no_end():
    assert Window.parse(LIFETIME) == Window("lifetime", None)
    assert Window.parse(LIFETIME).ticks(DAY) is None
    assert Window.parse(LIFETIME).is_lifetime


def test_a_window_may_begin_at_signup():
    window = Window.parse("first_14d")

    assert window == Window("first_14d", 14 * DAY_US, from_signup=True)
    assert window.ticks(HOUR) == 14 * 24
    assert not window.is_lifetime


@pytest.mark.parametrize("text", ["first_", "first_0d", "first_lifetime", "first_first_7d"])
def test_what_follows_first_is_a_length_of_time(text):
    with pytest.raises(ConfigError, match="is not a length of time"):
        Window.parse(text)


@pytest.mark.parametrize(
    ("text", "grain", "ticks"), [("30d", DAY, 30), ("2w", DAY, 14), ("24h", DAY, 1), ("1d", HOUR, 24), ("90m", MINUTE, 90)]
)
def test_a_window_is_a_whole_number_of_ticks(text, grain, ticks):
    assert Window.parse(text).ticks(grain) == ticks


@pytest.mark.parametrize(("text", "grain"), [("36h", DAY), ("90m", HOUR), ("1m", DAY), ("first_36h", DAY)])
def test_a_window_that_the_grain_cannot_cut_is_refused(text, grain):
    said = f"window '{text}' is no multiple of the time grain '{grain.kind}': use a finer `grain` or whole {grain.kind}s"
    with pytest.raises(ConfigError, match=said):
        Window.parse(text).ticks(grain)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("30d", "in the last 30 days"),
        ("2w", "in the last 14 days"),
        ("24h", "in the last 24 hours"),
        ("1d", "in the last 24 hours"),
        ("36h", "in the last 36 hours"),
        ("12h", "in the last 12 hours"),
        ("90m", "in the last 90 minutes"),
        ("1m", "in the last minute"),
        ("lifetime", "since signup"),
        ("first_14d", "in the first 14 days"),
        ("first_30h", "in the first 30 hours"),
    ],
)
def test_a_window_in_words(text, phrase):
    assert Window.parse(text).phrase == phrase


@pytest.mark.parametrize(("grain", "per_day"), [(DAY, 1), (HOUR, 24), (MINUTE, 1440), (Grain("day", "Asia/Kolkata"), 1)])
def test_a_day_has_a_whole_number_of_ticks(grain, per_day):
    assert grain.ticks_per_day == per_day
    assert grain.tick_us * per_day == DAY_US


@pytest.mark.parametrize(
    ("moment", "grain", "tick"),
    [
        (datetime(1970, 1, 1), DAY, 0),
        (datetime(1969, 12, 31, 23, 59), DAY, -1),
        (datetime(2024, 1, 1, 23, 59, 59, 999_999), DAY, 19723),
        (datetime(2024, 1, 1, 1), HOUR, 19723 * 24 + 1),
        (datetime(2024, 1, 1, 0, 0, 59), MINUTE, 19723 * 1440),
        (datetime(2024, 1, 1, 22, 59), Grain("day", "Europe/Berlin"), 19723),
        (datetime(2024, 1, 1, 23), Grain("day", "Europe/Berlin"), 19724),
        (datetime(2024, 7, 1, 22), Grain("day", "Europe/Berlin"), 19906),
        (datetime(2024, 1, 1, 4, 59), Grain("day", "America/New_York"), 19722),
    ],
)
def test_a_moment_lies_in_the_tick_of_its_zone(moment, grain, tick):
    assert grain.tick_of(moment) == tick


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("year", [2018, 2024])
def test_ticks_lie_side_by_side_and_the_database_counts_them_alike(zone, year):
    grain = Grain("day", zone)
    moments = [datetime(year, 1, 1) + timedelta(minutes=170 * step) for step in range(3100)]
    values = ", ".join(f"(TIMESTAMP '{moment}')" for moment in moments)

    found = empty_database().rows(
        f"SELECT t, {grain.to_tick('t')}, {grain.to_stamp(grain.to_tick('t'))} FROM (VALUES {values}) AS v(t) ORDER BY t"
    )

    assert [tick for _, tick, _ in found] == [grain.tick_of(moment) for moment in moments]
    assert [start for _, _, start in found] == [grain.start_of(grain.tick_of(moment)) for moment in moments]
    for moment in moments:
        tick = grain.tick_of(moment)
        assert grain.start_of(tick) <= moment < grain.start_of(tick + 1)


@pytest.mark.parametrize("grain", [DAY, HOUR, Grain("day", "Europe/Berlin")])
def test_a_tick_begins_at_its_start_and_nowhere_else(grain):
    start = grain.start_of(19_813)

    assert grain.starts_at(start)
    assert not grain.starts_at(start + timedelta(microseconds=1))
    assert grain.tick_after(start) == 19_813
    assert grain.tick_after(start + timedelta(microseconds=1)) == 19_814
    assert grain.tick_after(start - timedelta(microseconds=1)) == 19_813


@pytest.mark.parametrize("kind", ["hour", "minute"])
def test_hours_of_a_local_time_are_refused(kind):
    with pytest.raises(ConfigError, match=f"`signals.timezone: Europe/Berlin` goes with `signals.grain: day`, not '{kind}'"):
        Grain(kind, "Europe/Berlin")


def test_a_horizon_begins_after_the_gap_and_is_half_open():
    horizon = Horizon(horizon_days=90, gap_days=1, lag_days=7)

    assert horizon.start == timedelta(days=1)
    assert horizon.end == timedelta(days=91)


def test_the_last_mature_as_of_lies_gap_horizon_and_lag_before_the_end_of_the_data():
    assert Horizon(90, 1, 7).matured_until(datetime(2024, 6, 1)) == datetime(2024, 6, 1) - timedelta(days=98)
    assert Horizon(30, 0, 0).matured_until(datetime(2024, 3, 31)) == datetime(2024, 3, 1)
