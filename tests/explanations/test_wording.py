"""Signal values as a person would write them."""

import numpy as np
import pandas as pd
import pytest

from pls_ml.core.catalogue import Signal
from pls_ml.explanations.wording import format_value, say_values

COUNT = {"kind": "count", "events": ["x"]}
NUMBER = {"kind": "attribute", "table": "accounts", "column": "x"}


def make_signal(unit="", measure=None, windows=()):
    return Signal.model_validate(
        {"id": "x", "family": "f", "label": "x", "unit": unit, "measure": measure or (COUNT if windows else NUMBER), "windows": windows}
    )


@pytest.mark.parametrize(
    ("unit", "value", "words"),
    [
        ("times", 0.0, "0 times"),
        ("times", 1.0, "1 time"),
        ("times", 2.0, "2 times"),
        ("people", 1.0, "1 person"),
        ("people", 0, "0 people"),
        ("people", 1234.0, "1,234 people"),
        ("days", 1.0, "1 day"),
        ("days", 0.5, "0.5 days"),
        ("days", 1.25, "1.2 days"),
        ("days", 12.34, "12.3 days"),
        ("days", 365.4, "365 days"),
        ("euros", 1_500_000.0, "1,500,000 euros"),
        ("", 0.93, "0.93"),
        ("", 1.0, "1"),
        ("", -3.0, "-3"),
    ],
)
def test_numbers_carry_their_unit_in_the_singular_only_at_one(unit, value, words):
    assert format_value(make_signal(unit), value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 seconds"),
        (1.0, "1 second"),
        (59.0, "59 seconds"),
        (60.0, "1.0 minutes"),
        (3599.0, "60.0 minutes"),
        (3600.0, "1.0 hours"),
        (86_399.0, "24.0 hours"),
        (86_400.0, "1.0 days"),
        (10 * 86_400.0, "10.0 days"),
        (2000 * 86_400.0, "2,000.0 days"),
    ],
)
def test_durations_are_told_in_the_largest_unit_that_fits(seconds, words):
    assert format_value(make_signal("seconds"), seconds) == words


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, float("nan")])
@pytest.mark.parametrize("unit", ["times", "seconds", ""])
def test_no_value_is_not_known(missing, unit):
    assert format_value(make_signal(unit), missing) == "not known"


@pytest.mark.parametrize(
    "measure",
    [
        {"kind": "rule", "all": [{"signal": "a", "gte": 1}]},
        {"kind": "rising"},
        {"kind": "declining"},
    ],
)
def test_rules_and_trends_are_yes_or_no(measure):
    signal = make_signal(measure=measure)

    assert [format_value(signal, value) for value in (1.0, 0.0, np.nan)] == ["yes", "no", "not known"]


def test_an_abandoned_step_is_yes_or_no_in_its_window():
    signal = make_signal(measure={"kind": "abandoned", "started": {}, "completed": {}}, windows=("30d",))

    assert say_values(signal, pd.DataFrame({"x_30d": [1.0, 0.0]})) == ["yes in the last 30 days", "no in the last 30 days"]


def test_windows_stand_side_by_side_and_are_told_in_words():
    signal = make_signal("times", windows=("24h", "7d", "4w", "lifetime"))
    values = pd.DataFrame({"x_24h": [1.0, np.nan], "x_7d": [2.0, 0.0], "x_4w": [3.0, 1.0], "x_lifetime": [40.0, 1.0]})

    assert say_values(signal, values) == [
        "1 time in the last 24 hours, 2 times in the last 7 days, 3 times in the last 28 days, 40 times since signup",
        "not known, 0 times in the last 7 days, 1 time in the last 28 days, 1 time since signup",
    ]


def test_windows_that_were_not_computed_are_left_out():
    signal = make_signal("times", windows=("7d", "30d"))

    assert say_values(signal, pd.DataFrame({"x_30d": [3.0], "other_7d": [1.0]})) == ["3 times in the last 30 days"]


def test_each_lead_gets_its_own_words_whatever_the_index():
    signal = make_signal("days")
    values = pd.DataFrame({"x": [1.0, np.nan, 3.0, 1.0]}, index=[9, 9, 2, 0])

    assert say_values(signal, values) == ["1 day", "not known", "3 days", "1 day"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("software", "software"),
        ("a\nscore  99%", "a score 99%"),
        ("\x1b[2Jred", "[2Jred"),
        ("\u202egnp.exe", "gnp.exe"),
        ("ümlaut π", "ümlaut π"),
    ],
)
def test_text_from_the_data_stays_on_one_line_and_carries_no_control_characters(text, shown):
    signal = make_signal(measure=NUMBER | {"type": "category"})

    assert say_values(signal, pd.DataFrame({"x": [text, None]})) == [shown, "not known"]
