"""Values as sentences: the catalogue's templates, what is made without them, comparisons, and text from the data."""

import math
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pls_ml.core.builtin import find_builtin
from pls_ml.core.catalogue import Catalogue, Signal
from pls_ml.explanations.sentences import choose_kind, compare, name_peers, write_sentence
from pls_ml.io.yaml import read_spec

COUNT = {"kind": "count", "events": ["x"]}
NEVER = float("nan")


def make_column(place=0, **given):
    declared = {"id": "x", "family": "f", "label": "x", "measure": COUNT}
    windowed = {} if "windows" in given or given.get("measure", COUNT) is not COUNT else {"windows": ["30d"]}
    return Signal.model_validate(declared | windowed | given).columns[place]


def say(value, column, speaks_for=True):
    return write_sentence(column, value, choose_kind(column, value, speaks_for))


PRICES = make_column(
    label="pricing page views",
    unit="times",
    sentences={"for": "Looked at prices {value} {window}", "absent": "Has not looked at prices {window}", "against": "Only {value}"},
)


@pytest.mark.parametrize(
    ("value", "speaks_for", "sentence"),
    [
        (3.0, True, "Looked at prices 3 times in the last 30 days"),
        (1.0, True, "Looked at prices once in the last 30 days"),
        (2.0, False, "Only twice"),
        (0.0, False, "Has not looked at prices in the last 30 days"),
        (0.0, True, "Has not looked at prices in the last 30 days"),
    ],
)
def test_the_side_and_the_value_choose_the_template(value, speaks_for, sentence):
    assert say(value, PRICES, speaks_for) == sentence


def test_without_a_sentence_against_the_one_for_is_said():
    column = make_column(unit="times", sentences={"for": "Did {label} {value}"})

    assert say(3.0, column, speaks_for=False) == "Did x 3 times"


@pytest.mark.parametrize(
    ("given", "value", "sentence"),
    [
        ({"label": "features used", "unit": "features"}, 4.0, "4 features used in the last 30 days"),
        ({"label": "features used", "unit": "features"}, 1.0, "1 feature used in the last 30 days"),
        ({"label": "features used", "unit": "features"}, 0.0, "No features used in the last 30 days"),
        ({"label": "team members invited", "unit": "people"}, 3.0, "3 team members invited in the last 30 days"),
        ({"label": "team members invited", "unit": "people"}, 1.0, "Team members invited: 1 person in the last 30 days"),
        ({"label": "‘export’", "unit": "times"}, 12.0, "‘export’: 12 times in the last 30 days"),
        ({"label": "‘export’", "unit": "times"}, 0.0, "No ‘export’ in the last 30 days"),
        ({"label": "sum of amount"}, 12.5, "Sum of amount: 12.5 in the last 30 days"),
        ({"label": "shares", "unit": "times", "windows": ["lifetime"]}, 3.0, "Shares: 3 times since signup"),
        ({"label": "active days", "unit": "days", "measure": {"kind": "active_days"}, "windows": ["7d"]}, 5.0,
         "5 active days in the last 7 days"),
        ({"label": "change of activity", "measure": {"kind": "growth"}, "windows": ["7d"]}, 1 / 3,
         "Change of activity: +100% in the last 7 days"),
        ({"label": "days since signup", "unit": "days", "measure": {"kind": "age_days"}}, 30.2, "30 days since signup"),
        ({"label": "days since the last ‘export’", "unit": "days", "measure": {"kind": "days_since_last"}}, 1.0,
         "1 day since the last ‘export’"),
        ({"label": "days since the last ‘export’", "unit": "days", "measure": {"kind": "days_since_last"}}, 0.25,
         "Days since the last ‘export’: 6 hours"),
        ({"label": "time from signup to activation", "unit": "seconds", "measure": {"kind": "seconds_to_first"}}, 7200.0,
         "Time from signup to activation: 2 hours"),
        ({"label": "own share", "unit": "share", "measure": {"kind": "ratio", "numerator": "a", "denominator": "b"}}, 0.0, "Own share: 0%"),
        ({"label": "usage is declining", "measure": {"kind": "declining"}}, 1.0, "Usage is declining"),
        ({"label": "usage is declining", "measure": {"kind": "declining"}}, 0.0, "Not so: usage is declining"),
        ({"label": "employees", "unit": "people", "measure": {"kind": "attribute", "table": "accounts", "column": "n"}}, 120.0,
         "120 employees"),
        ({"label": "industry", "measure": {"kind": "attribute", "table": "accounts", "column": "i", "type": "category"}}, "retail",
         "Industry: retail"),
        ({"label": "latest event", "measure": {"kind": "latest", "among": ["a", "b"]}}, "pricing_viewed", "Latest event: pricing viewed"),
    ],
)  # fmt: skip
def test_a_declaration_without_sentences_reads_well(given, value, sentence):
    assert say(value, make_column(**given)) == sentence


@pytest.mark.parametrize("kind", ["days_since_last", "days_since_first", "seconds_to_first"])
def test_what_never_happened_speaks_against_a_lead_and_never_for_it(kind):
    column = make_column(label="days since the last ‘export’", unit="days", measure={"kind": kind})

    assert say(NEVER, column, speaks_for=False) == "Days since the last ‘export’: it has not happened yet"
    assert choose_kind(column, NEVER, speaks_for=True) is None


@pytest.mark.parametrize(
    "measure", [{"kind": "attribute", "table": "accounts", "column": "n"}, {"kind": "ratio", "numerator": "a", "denominator": "b"}]
)
def test_what_is_not_known_is_no_reason_on_either_side(measure):
    column = make_column(measure=measure)

    assert [choose_kind(column, NEVER, side) for side in (True, False)] == [None, None]


USES = make_column(unit="times")
GROWTH = make_column(measure={"kind": "growth"}, windows=["30d"])
AGE = make_column(unit="days", measure={"kind": "age_days"})
TEAM = make_column(scope="account", unit="times")
FLAG = make_column(measure={"kind": "declining"})


@pytest.mark.parametrize(
    ("column", "kind", "place", "end"),
    [
        (USES, "for", (92.6, 97.0), ", more than 92% of mid-market users"),
        (USES, "for", (79.9, 99.0), ""),
        (USES, "for", (80.0, 99.0), ", more than 80% of mid-market users"),
        (USES, "for", (100.0, 100.0), ", more than 99% of mid-market users"),
        (USES, "against", (0.0, 12.5), ", fewer than 87% of mid-market users"),
        (USES, "absent", (0.0, 15.0), ", unlike 85% of mid-market users"),
        (USES, "absent", (0.0, 60.0), ""),
        (USES, "for", (NEVER, NEVER), ""),
        (TEAM, "for", (90.0, 91.0), ", more than for 90% of mid-market users"),
        (GROWTH, "for", (90.0, 91.0), ", higher than for 90% of mid-market users"),
        (AGE, "for", (5.0, 10.0), ", more recently than 90% of mid-market users"),
        (FLAG, "for", (95.0, 100.0), ""),
    ],
)
def test_a_comparison_is_made_only_where_four_in_five_are_on_one_side(column, kind, place, end):
    assert compare(column, kind, place, "mid-market users") == end


@pytest.mark.parametrize(
    ("segment", "unit", "name"),
    [("smb", "user", "small-company users"), ("consumer", "account", "private accounts"), ("gold", "user", "gold users")],
)
def test_peers_are_named_by_segment_and_unit(segment, unit, name):
    assert name_peers(segment, unit) == name


@pytest.mark.parametrize(
    ("sentence", "refusal"),
    [
        ("Looked {valeu} at prices", r"has \{valeu\} \(did you mean 'value'\?\): a sentence may have \{value\}, \{window\}, \{label\}"),
        ("Looked {value.real} times", r"\{value.real\}"),
        ("Looked {value!r} times", r"\{value!r\}"),
        ("Looked {value:>10} times", r"\{value:>10\}"),
        ("Looked {} times", r"has \{\}"),
        ("Looked {value times", "odd brace"),
        ("Looked\nat prices", "line breaks or control characters"),
        ("Looked \u202eat prices", "control characters"),
        (" ", "is empty"),
    ],
)
def test_a_sentence_that_cannot_be_said_is_refused(sentence, refusal):
    with pytest.raises(ValidationError, match=refusal):
        make_column(sentences={"for": sentence})


def test_an_unknown_kind_of_sentence_and_a_window_of_none_are_refused():
    with pytest.raises(ValidationError, match="'for', 'against' or 'absent'"):
        make_column(sentences={"fore": "x"})
    with pytest.raises(ValidationError, match=r"signal 'x' has no windows, and a sentence with \{window\}"):
        make_column(measure={"kind": "age_days"}, sentences={"for": "Signed up {window}"})


CATEGORY = {"kind": "attribute", "table": "accounts", "column": "i", "type": "category"}
HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "\u202eevil\u2066 text\u2069\u200b",
    "a\nscore  99%\r\n\x1b[2J\x00",
    "{value} {label.__class__} %s",
    "x" * 5000,
)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("sentences", [{}, {"for": "In {value} {label}"}])
def test_hostile_text_from_the_data_stays_one_short_line_of_the_sentence(text, sentences):
    said = say(text, make_column(label="industry", measure=CATEGORY, sentences=sentences))

    assert said.startswith(("Industry: ", "In "))
    assert len(said) <= 80
    assert not any(unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp") for sign in said)


@given(st.text())
def test_any_category_gives_a_printable_line(text):
    assert say(text, make_column(label="industry", measure=CATEGORY)).isprintable()


DEFAULT = read_spec(find_builtin("signals/default.yaml"), Catalogue, "catalogue")
EXAMPLES = (0.0, 1.0, 2.0, 7.5, 1234.0, NEVER)


@pytest.mark.parametrize("column", list(DEFAULT), ids=lambda column: column.name)
def test_every_shipped_signal_reads_as_a_sentence(column):
    values = ["pricing_viewed", NEVER] if column.signal.is_category else EXAMPLES
    told = [(value, choose_kind(column, value, side), side) for value in values for side in (True, False)]
    said = [write_sentence(column, value, kind) for value, kind, _ in told if kind]

    assert said
    for text in said:
        assert text == " ".join(text.split())
        assert text[0].isupper() or text[0].isdigit()
        assert not any(word in text for word in ("{", "nan", "not known"))
        assert len(text) <= 160


@pytest.mark.parametrize("signal", DEFAULT.signals, ids=lambda signal: signal.id)
def test_every_shipped_signal_that_reps_see_has_sentences_of_its_own_or_a_label_that_counts(signal):
    assert signal.sentences or not signal.rep_visible or signal.unit in signal.label.split() or signal.unit == "people"


def test_what_a_lead_is_or_did_once_is_not_actionable():
    fixed = {signal.id for signal in DEFAULT.signals if not signal.actionable}

    assert {"employees", "industry", "age_days", "seconds_to_activation", "colleagues_active", "source"} <= fixed
    assert not fixed & {"pricing_views", "invites", "features", "days_since_last", "integrations"}
    assert all(not s.actionable for s in DEFAULT.signals if s.family == "fit" or s.scope == "colleagues")


def test_percentages_are_rounded_down_so_that_no_comparison_promises_more_than_was_counted():
    for below in np.linspace(80, 99.99, 50):
        said = int(compare(USES, "for", (below, 100.0), "users").split("than ")[1].split("%")[0])
        assert said == math.floor(below)
