from datetime import datetime, timedelta

import pytest

from pls_ml.core.errors import ConfigError
from pls_ml.core.windows import DAY_US, LIFETIME, Horizon, Window, parse_duration, to_ticks


@pytest.mark.parametrize(
    ("text", "length"), [("30d", 30 * DAY_US), ("4w", 28 * DAY_US), ("24h", DAY_US), ("90m", 90 * 60_000_000), ("1d", DAY_US)]
)
def test_a_length_of_time_is_a_number_and_a_unit(text, length):
    assert parse_duration(text) == length
    assert Window.parse(text) == Window(text, length)


@pytest.mark.parametrize("text", ["30", "d", "0d", "-3d", "1.5d", "30 d", "30D", "d30", "1d2h", "30s", "030d", "", "life", "٣d"])
def test_anything_else_is_no_length_of_time(text):
    with pytest.raises(ConfigError, match=f"window '{text}' is not a length of time: write '30d', '4w', '24h', '90m' or 'lifetime'"):
        parse_duration(text)


def test_a_lifetime_has_no_end():
    assert Window.parse(LIFETIME) == Window("lifetime", None)
    assert Window.parse(LIFETIME).ticks("day") is None


@pytest.mark.parametrize(
    ("text", "grain", "ticks"), [("30d", "day", 30), ("2w", "day", 14), ("24h", "day", 1), ("1d", "hour", 24), ("90m", "minute", 90)]
)
def test_a_window_is_a_whole_number_of_ticks(text, grain, ticks):
    assert Window.parse(text).ticks(grain) == ticks


@pytest.mark.parametrize(("text", "grain"), [("36h", "day"), ("90m", "hour"), ("1m", "day")])
def test_a_window_that_the_grain_cannot_cut_is_refused(text, grain):
    with pytest.raises(
        ConfigError, match=f"window '{text}' is no multiple of the time grain '{grain}': use a finer `grain` or whole {grain}s"
    ):
        Window.parse(text).ticks(grain)
    with pytest.raises(ConfigError, match="no multiple"):
        to_ticks(parse_duration(text), grain, text)


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
        ("lifetime", "since signup"),
    ],
)
def test_a_window_in_words(text, phrase):
    assert Window.parse(text).phrase == phrase


def test_a_horizon_begins_after_the_gap_and_is_half_open():
    horizon = Horizon(horizon_days=90, gap_days=1, lag_days=7)

    assert horizon.start == timedelta(days=1)
    assert horizon.end == timedelta(days=91)


def test_the_last_mature_as_of_lies_gap_horizon_and_lag_before_the_end_of_the_data():
    assert Horizon(90, 1, 7).matured_until(datetime(2024, 6, 1)) == datetime(2024, 6, 1) - timedelta(days=98)
    assert Horizon(30, 0, 0).matured_until(datetime(2024, 3, 31)) == datetime(2024, 3, 1)
