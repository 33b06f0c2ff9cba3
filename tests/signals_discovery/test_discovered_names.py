"""Names from a log are anything; ids and labels made of them are not."""

import re

import pytest
from discovery_logs import discover, log_of
from hypothesis import given, settings
from hypothesis import strategies as st

from pls_ml.signals.naming import name_ids, name_label
from pls_ml.signals.refusals import split_words

ID = re.compile(r"[a-z][a-z0-9_]{0,39}")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("pricing_viewed", "pricing_viewed"),
        ("Viewed Pricing", "viewed_pricing"),
        ("W_Nabellen offertes", "w_nabellen_offertes"),
        ("Größe geändert", "groe_geandert"),
        ("2fa enabled", "n_2fa_enabled"),
        ("'; DROP TABLE users; --", "drop_table_users"),
        ('a"b', "a_b"),
        ("x" * 100, "x" * 40),
    ],
)
def test_a_name_becomes_an_id_that_can_be_recognised(name, word):
    assert name_ids([name]) == {name: word}


@pytest.mark.parametrize("names", [["Login", "login"], ["a b", "a_b", "a-b"], ["料金", "設定"], ["!", "?"], ["y" * 41, "y" * 42]])
def test_names_that_would_become_the_same_id_are_told_apart_whatever_their_order(names):
    found = name_ids(names)

    assert len(set(found.values())) == len(names)
    assert found == {name: name_ids(names[::-1])[name] for name in names}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=12, unique=True))
def test_any_names_become_distinct_and_safe_ids(names):
    found = list(name_ids(names).values())

    assert len(set(found)) == len(names)
    assert all(ID.fullmatch(word) for word in found)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("pricing_viewed", "pricing viewed"),
        ("a\nscore  99%", "a score 99%"),
        ("\x1b[2Jred", "[2Jred"),
        ("\u202egnp.exe", "gnp.exe"),
        ("z" * 80, "z" * 59 + "…"),
    ],
)
def test_a_label_stays_on_one_line_and_carries_no_control_characters(name, label):
    assert name_label(name) == label


AWKWARD = ("it's", 'say "hi"', "a; DROP TABLE users", "Prüfung ✓", "a\nb", "Login", "login", "<b>bold</b>", "7d", "events")


def test_a_log_with_awkward_names_gives_a_catalogue_that_asks_for_exactly_those():
    found = discover(log_of(*AWKWARD, kind=["it's", 'x"y', "z;"]))

    asked = {name for signal in found.values() if signal.id.endswith("_count") for name in signal.measure.events}
    values = {value for signal in found.values() if signal.id.endswith("_uses") for value in signal.measure.where["kind"]}
    assert asked == set(AWKWARD)
    assert values == {"it's", 'x"y', "z;"}


def test_five_thousand_names_are_no_more_than_twenty():
    rows = [row for n in range(50) for row in log_of(f"common {n}", users=60)]
    rows += [row for n in range(5000) for row in log_of(f"once {n}", users=1)]

    found = discover(rows)

    assert len([name for name in found if name.endswith("_count")]) == 20
    assert not [name for name in found if name.startswith("once")]


def test_signals_of_names_that_read_like_other_signals_do_not_meet():
    names = ("x", "x_count", "x_days_since_last", "x_count_7d", "events_7d", "activity_growth", "own", "visits")

    found = discover(log_of(*names, x=["count", "uses"], own=["part", "share"]))

    assert len([name for name in found if name.endswith("_count")]) == len(names)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("LeadQuality", ["lead", "quality"]),
        ("AMOUNT_REQ", ["amount", "req"]),
        ("IPAddress", ["ip", "address"]),
        ("user-ID", ["user", "id"]),
        ("mrr2024", ["mrr", "2024"]),
        ("Größe (cm)", ["größe", "cm"]),
        ("", []),
    ],
)
def test_names_are_split_into_words_in_any_spelling(name, words):
    assert split_words(name) == words
