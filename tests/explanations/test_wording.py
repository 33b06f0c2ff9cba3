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
        (60.0, "1 minute"),
        (3599.0, "60 minutes"),
        (3600.0, "1 hour"),
        (86_399.0, "24 hours"),
        (86_400.0, "1 day"),
        (10 * 86_400.0, "10 days"),
        (2000 * 86_400.0, "2,000 days"),
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
        {"kind": "rule", "any": [{"signal": "a", "gte": 1}]},
    ],
)
def test_rules_and_trends_are_yes_or_no(measure):
    signal = make_signal(measure=measure)

    assert [format_value(signal, value) for value in (1.0, 0.0, np.nan)] == ["yes", "no", "not known"]


def test_an_abandoned_step_is_yes_or_no_in_its_window():
    signal = make_signal(measure={"kind": "abandoned", "started": {}, "completed": {}}, windows=("30d",))

    assert say_values(signal, pd.DataFrame({"x_30d": [1.0, 0.0]})) == ["yes in the last 30 days", "no in the last 30 days"]


@pytest.mark.parametrize(("value", "words"), [(1.0, "yes"), (True, "yes"), (0.0, "no"), (np.nan, "not known")])
def test_an_attribute_that_says_yes_or_no_is_told_so(value, words):
    assert format_value(make_signal("yes/no"), value) == words


@pytest.mark.parametrize(
    ("growth", "words"),
    [
        (0.2, "+50%"),
        (1 / 3, "+100%"),
        (-1 / 3, "-50%"),
        (-1.0, "-100%"),
        (0.0, "unchanged"),
        (0.002, "unchanged"),
        (0.8, "+800%"),
        (0.9, "more than tenfold"),
        (1.0, "up from nothing"),
        (np.nan, "not known"),
    ],
)
def test_growth_is_told_as_the_change_against_the_time_before(growth, words):
    assert format_value(make_signal(measure={"kind": "growth"}, windows=("7d",)), growth) == words


@pytest.mark.parametrize(("after", "before"), [(3, 2), (1, 4), (7, 7), (20, 5)])
def test_the_change_told_is_that_of_the_counts(after, before):
    signal = make_signal(measure={"kind": "growth"}, windows=("7d",))

    said = format_value(signal, (after - before) / (after + before))

    assert said == {(3, 2): "+50%", (1, 4): "-75%", (7, 7): "unchanged", (20, 5): "+300%"}[after, before]


def test_growth_names_its_window():
    signal = make_signal(measure={"kind": "growth"}, windows=("7d", "30d"))

    assert say_values(signal, pd.DataFrame({"x_7d": [0.2], "x_30d": [-1 / 3]})) == ["+50% in the last 7 days, -50% in the last 30 days"]


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "0%"), (0.004, "under 1%"), (0.01, "1%"), (0.335, "34%"), (1.0, "100%"), (1.25, "125%"), (np.nan, "not known")],
)
def test_shares_are_told_in_percent(share, words):
    assert format_value(make_signal("share"), share) == words


@pytest.mark.parametrize(("seconds", "words"), [(-1.0, "-1 seconds"), (-90.0, "-1.5 minutes"), (-7200.0, "-2 hours"), (7200.0, "2 hours")])
def test_times_between_two_steps_keep_their_sign_and_unit(seconds, words):
    signal = make_signal("seconds", measure={"kind": "difference", "of": "a", "minus": "b"})

    assert format_value(signal, seconds) == words


@pytest.mark.parametrize(
    ("measure", "unit", "value", "words"),
    [
        ({"kind": "streak"}, "days", 1.0, "1 day"),
        ({"kind": "rises"}, "weeks", 4.0, "4 weeks"),
        ({"kind": "falls"}, "weeks", 0.0, "0 weeks"),
        ({"kind": "difference", "of": "a", "minus": "b"}, "people", -3.0, "-3 people"),
        ({"kind": "limit_use"}, "share", 0.95, "95%"),
    ],
)
def test_measures_without_a_window_are_told_by_their_unit(measure, unit, value, words):
    assert format_value(make_signal(unit, measure), value) == words


def test_a_stay_in_the_product_names_its_window():
    signal = make_signal("minutes", measure={"kind": "minutes"}, windows=("30d", "first_7d"))

    said = say_values(signal, pd.DataFrame({"x_30d": [12.5], "x_first_7d": [1.0]}))

    assert said == ["12.5 minutes in the last 30 days, 1 minute in the first 7 days"]


def test_the_latest_event_is_told_by_its_name_in_words():
    signal = make_signal(measure={"kind": "latest", "among": ["pricing_viewed", "contact\nsales"]})

    assert say_values(signal, pd.DataFrame({"x": ["pricing_viewed", "contact\nsales", None]})) == [
        "pricing viewed",
        "contact sales",
        "not known",
    ]


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
