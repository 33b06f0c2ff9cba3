"""Who sees what: words that are refused, signals that are hidden, and totals that stay true in every view."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pls_ml.calibration import SigmoidCalibrator
from pls_ml.core.builtin import find_builtin
from pls_ml.core.catalogue import Catalogue, Signal
from pls_ml.core.errors import ConfigError
from pls_ml.explanations.policy import Policy, find_visible, show_lines
from pls_ml.explanations.reasons import pick_reasons
from pls_ml.explanations.receipts import build_receipts
from pls_ml.io.yaml import read_spec
from pls_ml.workflows.policy_rules import hide_faults, refuse_faults

SHIPPED = read_spec(find_builtin("policies/default.yaml"), Policy, "policy")
COUNT = {"kind": "count", "events": ["x"]}


def make_signal(name="x", **given):
    windows = {"windows": ["30d"]} if given.get("measure", COUNT) is COUNT else {}
    return Signal.model_validate({"id": name, "family": "f", "label": "uses", "measure": COUNT} | windows | given)


@pytest.mark.parametrize(
    ("label", "fault"),
    [
        ("uses because of the price", "its label 'uses because of the price' says 'because' (cause)"),
        ("what DRIVES a purchase", "says 'drives' (cause)"),
        ("thanks to colleagues", "says 'thanks to' (cause)"),
        ("pages we noticed", "says 'we noticed' (surveillance)"),
        ("videos watched", "says 'watched' (surveillance)"),
        ("users’ gender", "says 'gender' (protected attribute)"),
        ("account-age in days", "says 'age' (protected attribute)"),
        ("trade  union", "says 'trade union' (protected attribute)"),
        ("x" * 161, "its label has 161 characters, and `longest_sentence` allows 160"),
    ],
)
def test_a_label_with_a_forbidden_word_is_refused_by_name(label, fault):
    assert fault in SHIPPED.find_fault(make_signal(label=label))


@pytest.mark.parametrize("label", ["pages opened", "percentage of storage used", "traces exported", "union of two sets", "noticed boards"])
def test_a_word_inside_another_word_is_no_fault(label):
    assert SHIPPED.find_fault(make_signal(label=label)) is None


@pytest.mark.parametrize("kind", ["for", "against", "absent"])
def test_every_sentence_is_read_and_its_placeholders_are_not(kind):
    assert f"its sentence '{kind}'" in SHIPPED.find_fault(make_signal(sentences={kind: "Bought because of {value}"}))
    assert SHIPPED.model_copy(update={"protected": ("value",)}).find_fault(make_signal(sentences={kind: "Used it {value}"})) is None


@pytest.mark.parametrize(
    "measure",
    [
        {"kind": "attribute", "table": "users", "column": "userGender", "type": "category"},
        {"kind": "attribute", "table": "accounts", "column": "owner_date_of_birth"},
    ],
)
def test_a_signal_that_reads_a_protected_attribute_is_refused_whatever_its_words(measure):
    with pytest.raises(ConfigError, match=r"signal 'x': it reads '\w+\.\w+', and '(gender|birth)' is a protected attribute"):
        refuse_faults(SHIPPED, [make_signal(measure=measure)])


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"measure": {"kind": "distinct", "of": "religion"}}, "events.religion"),
        ({"measure": {"kind": "count", "where": {"marital_status": ["x"]}}}, "events.marital_status"),
        ({"measure": {"kind": "active_users", "who": {"nationality": ["x"]}}, "scope": "account"}, "users.nationality"),
        ({"measure": {"kind": "active_values", "column": "ethnicity"}, "scope": "account"}, "users.ethnicity"),
    ],
)
def test_event_properties_and_columns_of_members_count_as_inputs(given, name):
    with pytest.raises(ConfigError, match=f"it reads '{name}'"):
        refuse_faults(SHIPPED, [make_signal(windows=["30d"], **given)])


def test_every_fault_is_told_at_once_with_the_next_step():
    with pytest.raises(ConfigError, match="2 signals break the policy; reword or drop what is named, or give your own list") as refusal:
        refuse_faults(SHIPPED, [make_signal("one", label="watched"), make_signal("two"), make_signal("three", label="due to x")])

    assert [line.split(":")[0] for line in str(refusal.value).splitlines()[1:]] == ["  signal 'one'", "  signal 'three'"]


def test_words_of_a_log_hide_a_discovered_signal_and_refuse_none():
    found = hide_faults(SHIPPED, [make_signal("one", label="‘video watched’"), make_signal("two")])

    assert [(signal.rep_visible, signal.outreach_safe) for signal in found] == [(False, False), (True, True)]


def test_the_shipped_catalogue_says_nothing_that_the_shipped_policy_forbids():
    refuse_faults(SHIPPED, read_spec(find_builtin("signals/default.yaml"), Catalogue, "catalogue").signals)


def test_a_policy_that_hides_what_nobody_declared_is_refused():
    policy = Policy.model_validate({"audiences": {"rep": {"hide": ["pricing_view"]}}})

    with pytest.raises(ConfigError, match=r"`audiences.rep.hide` names 'pricing_view', .* \(did you mean 'pricing_views'\?\)"):
        policy.refuse_unknown([make_signal("pricing_views")])
    with pytest.raises(ConfigError, match=r"`audiences.outreach.hide_families` names 'fitt'.*\(did you mean 'fit'\?\)"):
        Policy.model_validate({"audiences": {"outreach": {"hide_families": ["fitt"]}}}).refuse_unknown([make_signal(family="fit")])


@pytest.mark.parametrize("wrong", [{"audiences": {"boss": {}}}, {"forbidden": {"why": ["—"]}}, {"longest_sentence": 5}, {"hidden": []}])
def test_a_policy_that_cannot_be_meant_is_refused(wrong):
    with pytest.raises(ValidationError):
        Policy.model_validate(wrong)


def test_what_reps_may_not_see_is_never_told_to_the_lead():
    catalogue = Catalogue(signals=(make_signal("one"), make_signal("two", family="g"), make_signal("three", outreach_safe=False)))
    policy = Policy.model_validate({"audiences": {"rep": {"hide": ["one"]}, "outreach": {"hide_families": ["g"]}}})

    signals = policy.restrict(catalogue).signals

    assert find_visible(signals) == {"two", "three"}
    assert find_visible(signals, "outreach") == set()


def test_hidden_lines_of_each_lead_become_one_line_that_keeps_the_sum():
    lines = pd.DataFrame(
        {
            "lead_id": ["a", "a", "a", "b"],
            "signal": ["one", "two", "three", "two"],
            "log_odds": [1.0, 2.0, 4.0, 8.0],
            "probability": [0.1, 0.2, 0.4, 0.8],
            "value": ["1 time", "secret", "secret", "secret"],
            "percentile": [90.0, 1.0, 2.0, 3.0],
        }
    )

    shown = show_lines(lines, {"one"})

    assert shown[["lead_id", "signal", "log_odds", "value"]].to_numpy().tolist() == [
        ["a", "one", 1.0, "1 time"], ["a", "other", 6.0, ""], ["b", "other", 8.0, ""],
    ]  # fmt: skip
    assert shown["probability"].tolist() == pytest.approx([0.1, 0.6, 0.8])
    assert shown["percentile"].isna().tolist() == [False, True, True]
    assert list(shown.columns) == list(lines.columns)


class Fixed:
    kind = "fixed"

    def __init__(self, shares):
        self.shares = shares

    def contributions(self, signals):
        return -1.0, self.shares


def draw_catalogue(draw):
    families = draw(st.lists(st.sampled_from(["famone", "famtwo", "famthree"]), min_size=2, max_size=6))
    return Catalogue(
        signals=tuple(
            make_signal(
                f"sigid{n}", family=family, label=f"labelled{n}", rep_visible=draw(st.booleans()), outreach_safe=draw(st.booleans()),
                unit="times", sentences=draw(st.sampled_from([{}, {"for": f"Spoken{n} {{value}}", "absent": f"Unspoken{n}"}])),
                measure={"kind": "attribute", "table": "accounts", "column": f"column{n}", "type": "category"},
            )
            for n, family in enumerate(families)
        )
    )  # fmt: skip


@st.composite
def cases(draw):
    catalogue = draw_catalogue(draw)
    ids, families = [s.id for s in catalogue.signals], sorted({s.family for s in catalogue.signals})
    hidden = {
        name: {
            "hide": draw(st.lists(st.sampled_from(ids), max_size=3)),
            "hide_families": draw(st.lists(st.sampled_from(families), max_size=1)),
        }
        for name in ("rep", "outreach")
    }
    shares = draw(st.lists(st.lists(st.floats(-2, 2), min_size=len(ids), max_size=len(ids)), min_size=1, max_size=4))
    return catalogue, Policy.model_validate({"audiences": hidden}), np.array(shares)


def expect_visible(signal, policy, audience):
    hidden = [policy.audiences[name] for name in (("rep",) if audience == "rep" else ("rep", "outreach"))]
    flags = signal.rep_visible and (audience == "rep" or signal.outreach_safe)
    return flags and not any(signal.id in one.hide or signal.family in one.hide_families for one in hidden)


def find_secrets(catalogue, visible):
    """Everything by which a signal could be recognised."""
    hidden = [n for n, signal in enumerate(catalogue.signals) if signal.id not in visible]
    return [f"{word}{n}" for n in hidden for word in ("sigid", "labelled", "spoken", "unspoken", "datavalue", "column")]


@settings(max_examples=60, deadline=None)
@given(cases())
def test_no_view_shows_anything_of_a_hidden_signal_and_every_total_stays_true(case):
    catalogue, policy, shares = case
    restricted = policy.restrict(catalogue)
    values = pd.DataFrame({s.id: [f"datavalue{n}"] * len(shares) for n, s in enumerate(catalogue.signals)})
    calibrator = SigmoidCalibrator().fit(np.array([-1.0, 0.0, 1.0, 2.0] * 20), np.array([0, 1, 0, 1] * 20, np.int8))
    leads = [f"lead{n}" for n in range(len(shares))]
    receipts = build_receipts(Fixed(shares), calibrator, values, leads, restricted)

    for audience in ("rep", "outreach"):
        visible = {signal.id for signal in catalogue.signals if expect_visible(signal, policy, audience)}
        assert find_visible(restricted.signals, audience) == visible
        folded = show_lines(receipts.to_frame(), visible)
        views = [folded.to_json(), pick_reasons(receipts, audience).to_json()]
        if audience == "rep":
            shown = [receipts.one(lead) for lead in leads]
            views += [
                view
                for one in shown
                for view in (json.dumps(one.to_dict()), one.to_text(), one.to_text(1), one._repr_html_(), repr(one), repr(receipts))
            ]
        assert [secret for secret in find_secrets(catalogue, visible) for view in views if secret in view.lower()] == []
        sums = folded.groupby("lead_id")["probability"].sum().reindex(leads, fill_value=0.0)
        assert receipts.base_probability + sums.to_numpy() == pytest.approx(receipts.score, abs=1e-9)
    for one in map(receipts.one, leads):
        told = one.to_dict()
        assert told["base"] + sum(line["probability"] for line in told["lines"]) == pytest.approx(told["score"], abs=1e-9)
