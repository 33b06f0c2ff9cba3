"""What is wrong with a card, found without any lead: on small cards made here, on random ones by brute force, and on the shipped ones."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pls_ml.core.builtin import find_builtin
from pls_ml.core.catalogue import Catalogue
from pls_ml.io.yaml import read_spec
from pls_ml.scores.card import Scorecard
from pls_ml.scores.card_findings import check_card
from pls_ml.scores.card_reach import find_reach
from pls_ml.scores.card_values import Range, find_kind, find_range, list_values

NAN = float("nan")
OPERATORS = {">=": "gte", ">": "gt", "<": "lt"}
CATALOGUE = Catalogue.model_validate(
    {
        "signals": [
            {"id": "views", "family": "intent", "label": "views", "windows": ["7d", "30d"], "direction": "up",
             "measure": {"kind": "count", "events": ["view"]}},
            {"id": "looks", "family": "intent", "label": "looks", "windows": ["30d"], "measure": {"kind": "count", "events": ["view"]}},
            {"id": "days", "family": "velocity", "label": "days", "windows": ["7d", "30d"], "measure": {"kind": "active_days"}},
            {"id": "daily", "family": "velocity", "label": "share of days", "direction": "up",
             "measure": {"kind": "ratio", "numerator": "days_30d", "denominator": "age", "floor": 7}},
            {"id": "speed", "family": "velocity", "label": "speed", "direction": "down",
             "measure": {"kind": "seconds_to_first", "events": ["activated"]}},
            {"id": "rising", "family": "velocity", "label": "rising", "direction": "up", "measure": {"kind": "rising"}},
            {"id": "quiet", "family": "negative", "label": "quiet", "direction": "down",
             "measure": {"kind": "rule", "all": [{"signal": "views_30d", "lt": 1}]}},
            {"id": "spend", "family": "intent", "label": "spend", "windows": ["30d"], "measure": {"kind": "sum", "of": "value"}},
            {"id": "change", "family": "velocity", "label": "change", "windows": ["30d"], "measure": {"kind": "growth"}},
            {"id": "age", "family": "fit", "label": "age", "measure": {"kind": "age_days"}},
            {"id": "rank", "family": "fit", "label": "rank",
             "measure": {"kind": "attribute", "table": "users", "column": "seniority", "type": "category"}},
            {"id": "employees", "family": "fit", "label": "employees", "direction": "up",
             "measure": {"kind": "attribute", "table": "accounts", "column": "employee_count"}},
            {"id": "ideal", "family": "fit", "label": "ideal", "direction": "up",
             "measure": {"kind": "rule", "all": [{"signal": "employees", "gte": 50}]}},
            {"id": "team", "family": "collaboration", "scope": "account", "label": "team", "windows": ["30d"],
             "measure": {"kind": "active_users"}},
            {"id": "users", "family": "collaboration", "label": "users", "measure": {"kind": "account_users"}},
            {"id": "visits", "family": "intent", "label": "visits", "windows": ["30d"], "missing": -1, "scope": "account",
             "measure": {"kind": "count", "events": ["visit"]}},
        ]
    }
)  # fmt: skip


def read_rows(text):
    """Lines of `id | family | signal | rungs | key=value …`, rungs such as `>=1:10 <1:-5`, one on another signal as `other>=1:5`."""
    rows = []
    for line in text.strip().splitlines():
        name, family, signal, rungs, *more = (cell.strip() for cell in line.split("|"))
        row = {"id": name, "family": family, "signal": signal, "rungs": []}
        for rung in rungs.split():
            other, sign, bound, points = re.fullmatch(r"(\w*?)(>=|>|<)([-\d.]+):(-?\d+)", rung).groups()
            row["rungs"].append({OPERATORS[sign]: float(bound), "points": int(points)} | ({"signal": other} if other else {}))
        rows.append(row | dict(pair.split("=") for cell in more for pair in cell.split()))
    return rows


def make_card(text, bands=(("High", 20), ("Middle", 10)), **more):
    named = [{"name": name, "gte": bound} for name, bound in bands]
    return Scorecard.model_validate({"id": "card", "bands": named, "below": "Low", "rows": read_rows(text)} | more)


def find(card, code, catalogue=CATALOGUE, **more):
    """The findings of one sort."""
    return [one for one in check_card(card, catalogue, **more).findings if one.code == code]


def find_one(card, code, catalogue=CATALOGUE, **more):
    (found,) = find(card, code, catalogue, **more)
    return found


def reach_of(card, catalogue=CATALOGUE):
    """Segment → least and most that it can score."""
    return {one.segment: (one.lowest, one.highest) for one in check_card(card, catalogue).reach}


# --- what a card can give ----------------------------------------------------------------------------------------

SIGNALS = ("a_30d", "b_30d", "c_30d")
FREE_GRID = (NAN, -1.0, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
COUNT_GRID = (0.0, 1.0, 2.0, 3.0, 4.0)
COUNTED = Catalogue.model_validate(
    {
        "signals": [
            {"id": name[0], "family": "f", "label": name, "windows": ["30d"], "measure": {"kind": "count", "events": [name]}}
            for name in SIGNALS
        ]
    }
)


@st.composite
def some_row(draw, name, block):
    signals = draw(st.lists(st.sampled_from(SIGNALS), min_size=1, max_size=2, unique=True))
    points, rungs = st.integers(-9, 9), []
    for signal in signals:
        bounds = sorted(draw(st.sets(st.sampled_from((0.0, 0.5, 1.0, 2.0)), min_size=1, max_size=2)))
        if draw(st.booleans()):
            rungs.append({"signal": signal, "lt": bounds[0], "points": draw(points)})
        rungs += [{"signal": signal, draw(st.sampled_from(("gte", "gt"))): bound, "points": draw(points)} for bound in bounds]
    ladder, scope = draw(st.sampled_from(("exclusive", "stacked"))), draw(st.sampled_from(("user", "account")))
    family = draw(st.sampled_from(("use", "fit")))
    return {"id": name, "family": family, "signal": signals[0], "rungs": rungs, "ladder": ladder, "scope": scope, "block": block}


@st.composite
def some_factor(draw, name):
    condition = st.builds(
        lambda signal, operator, bound: {"signal": signal, operator: bound},
        st.sampled_from(SIGNALS),
        st.sampled_from(("gte", "gt", "lte", "lt", "eq")),
        st.sampled_from((0, 1, 2)),
    )
    conditions = {"all": draw(st.lists(condition, min_size=1, max_size=2)), "any": draw(st.lists(condition, max_size=2))}
    return {"name": name, "times": draw(st.sampled_from((0.0, 0.5, 1.0, 1.5)))} | conditions


@st.composite
def some_card(draw):
    """Few rows over few signals, which they share with each other and with the multiplier; perhaps blocks, a gate, stacked ladders."""
    n = draw(st.integers(2, 4))
    blocks = draw(st.sampled_from(((), ("x", "y"))))
    rows = [draw(some_row(f"r{place}", blocks[place % 2] if blocks else None)) for place in range(n)]
    weighed = [{"id": name, "weight": 0.5, "normalise": draw(st.booleans()), "subtract_floor": draw(st.booleans())} for name in blocks]
    factors = [draw(some_factor(f"f{place}")) for place in range(draw(st.integers(0, 2)))]
    gate = draw(st.sampled_from((None, {"families": [rows[0]["family"]], "highest_without": "Middle"})))
    bands = [{"name": "High", "gte": 8}, {"name": "Middle", "gt": 2}]
    card = {"id": "card", "bands": bands, "below": "Low", "rows": rows, "blocks": weighed, "multiplier": factors, "gate": gate}
    return Scorecard.model_validate(card)


def try_everything(card, grid):
    """Segment → least and most score, and bands, of every combination of values on the grid."""
    frame = pd.DataFrame(list(itertools.product(grid, repeat=len(SIGNALS))), columns=list(SIGNALS))
    scores = card.score_leads(frame)
    bands = card.find_bands(scores)
    names = [factor.name for factor in card.multiplier] + ["otherwise" if card.multiplier else "everybody"]
    found = {}
    for place in (*range(len(card.multiplier)), -1):
        if (there := scores.factors == place).any():
            within = set(bands[there])
            found[names[place]] = (scores.score[there].min(), scores.score[there].max(), [b for b in card.band_names if b in within])
    return found


@settings(deadline=None)
@given(card=some_card(), counted=st.booleans())
def test_what_a_card_can_give_is_what_trying_every_value_gives(card, counted):
    columns, grid = (COUNTED.by_column, COUNT_GRID) if counted else ({}, FREE_GRID)

    found = {one.segment: (one.lowest, one.highest, list(one.bands)) for one in find_reach(card, list_values(card, columns))}

    tried = try_everything(card, grid)
    assert list(found) == list(tried)
    for segment, (least, most, bands) in tried.items():
        assert found[segment] == (pytest.approx(least, abs=1e-6), pytest.approx(most, abs=1e-6), bands)


@settings(deadline=None)
@given(card=some_card())
def test_any_card_can_be_checked_and_what_cannot_be_reached_is_said(card):
    found = check_card(card, COUNTED)

    tried = try_everything(card, COUNT_GRID)
    missed = {(segment, band.name) for segment, (*_, bands) in tried.items() for band in card.bands if band.name not in bands}
    told = [one for one in found.findings if one.code == "unreachable_band"]
    assert {(segment, name) for segment, name in missed} == {
        (segment, band.name) for one in told for segment in one.segments for band in card.bands if f"{band.name} (" in one.reason
    }


def test_rows_on_one_signal_are_never_added_up_to_what_no_lead_can_have():
    card = make_card("few  | use | views_30d | <1:10\nmany | use | views_30d | >=5:10 >=9:15")

    assert reach_of(card) == {"everybody": (0, 15)}


def test_a_factor_and_a_row_on_the_same_signal_are_looked_at_together():
    large = {"name": "large", "times": 2, "all": [{"signal": "employees", "gte": 1000}]}
    card = make_card("small | fit | employees | <50:10\nused | use | views_30d | >=1:5", multiplier=[large])

    assert reach_of(card) == {"large": (0, 10), "otherwise": (0, 15)}


def test_a_factor_on_text_and_one_on_what_is_left_are_told_apart():
    chiefs = {"name": "chiefs", "times": 3, "all": [{"signal": "rank", "among": ["chief", "owner"]}]}
    card = make_card("used | use | views_30d | >=1:5", multiplier=[chiefs, {"name": "others", "times": 1}])

    assert reach_of(card) == {"chiefs": (0, 15), "others": (0, 5)}


def test_more_different_sums_than_are_kept_still_have_their_extremes():
    text = "\n".join(f"r{place} | use | s{place} | >=1:{2**place}" for place in range(16))

    assert reach_of(make_card(text), None) == {"everybody": (0, 2**16 - 1)}


def test_signals_that_hang_together_in_too_many_ways_are_named_instead():
    factor = {"name": "all", "times": 2, "all": [{"signal": f"s{place}", "gte": 1} for place in range(20)]}
    card = make_card("used | use | views_30d | >=1:5", multiplier=[factor])

    assert check_card(card, None).reach == ()
    assert find_one(card, "not_worked_out", None).severity == "note"


# --- what signals can be -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("views_30d", Range(0, np.inf, whole=True, missing=False, idle=0)),
        ("days_7d", Range(0, 8, whole=True, missing=False, idle=0)),
        ("rising", Range(0, 1, whole=True, missing=False, idle=0)),
        ("quiet", Range(0, 1, whole=True, missing=False, idle=1)),
        ("spend_30d", Range(-np.inf, np.inf, missing=False, idle=0)),
        ("team_30d", Range(0, np.inf, whole=True, missing=True, idle=0)),
        ("users", Range(0, np.inf, whole=True, missing=False, idle=0)),
        ("visits_30d", Range(-1, np.inf, whole=True, missing=False, idle=0)),
        ("undeclared", Range(-np.inf, np.inf, missing=True, idle=0)),
    ],
)
def test_a_signals_values_follow_from_its_measure(name, expected):
    assert find_range(CATALOGUE.by_column, name) == expected


@pytest.mark.parametrize("name", ["speed", "change_30d", "age", "employees", "daily"])
def test_of_a_lead_who_did_nothing_some_signals_are_missing(name):
    assert np.isnan(find_range(CATALOGUE.by_column, name).idle)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("views_30d", "usage"), ("daily", "usage"), ("quiet", "usage"), ("team_30d", "account"), ("users", "account"),
     ("employees", "company"), ("ideal", "company"), ("age", "person"), ("rank", "person")],
)  # fmt: skip
def test_a_signal_tells_of_the_lead_or_of_its_account(name, kind):
    assert find_kind(CATALOGUE.by_column, name) == kind


def test_a_rung_that_no_value_reaches_is_named_with_the_values_there_are():
    found = find_one(make_card("week | use | days_7d | >=5:10 >=9:20"), "rung_without_effect")

    assert found.rows == ("week",)
    assert found.reason == "the rung `gte: 9` changes no lead's points, and 'days_7d' lies between 0 and 8"


def test_a_rung_that_gives_what_the_one_below_it_gives_is_named():
    found = find_one(make_card("seen | use | views_30d | >=1:10 >=3:10"), "rung_without_effect")

    assert found.reason == "the rung `gte: 3` changes no lead's points"


def test_a_row_without_points_is_no_mistake():
    assert find(make_card("seen | use | views_30d | >=1:0\nused | use | spend_30d | >=1:30"), "rung_without_effect") == []


# --- bands -------------------------------------------------------------------------------------------------------


def test_bands_that_nobody_can_reach_are_an_error_that_says_how_far_each_segment_comes():
    small = {"name": "small", "times": 0.5, "all": [{"signal": "users", "lt": 5}]}
    found = find_one(make_card("used | use | views_30d | >=1:8", multiplier=[small]), "unreachable_band")

    assert (found.severity, found.segments) == ("error", ("small", "otherwise"))
    assert found.reason == "small scores 0 to 4, otherwise scores 0 to 8: High (from 20) and Middle (from 10) cannot be reached"
    assert found.change == "lower the bands, or give more points"


def test_a_segment_that_is_held_below_a_band_is_a_warning_with_the_factor_it_takes():
    small = {"name": "small", "times": 0.5, "all": [{"signal": "users", "lt": 5}]}
    found = find_one(make_card("used | use | views_30d | >=1:10 >=3:25", multiplier=[small]), "unreachable_band")

    assert (found.severity, found.segments) == ("warning", ("small",))
    assert found.reason == "small scores 0 to 12.5: High (from 20) cannot be reached"
    assert found.change.startswith("High takes a factor of 0.8 in small (it is 0.5)")


def test_a_band_that_lies_between_two_sums_is_named_though_more_can_be_scored():
    found = find_one(make_card("used | use | views_30d | >=1:25", bands=(("High", 20), ("Middle", 10))), "unreachable_band")

    assert found.reason == "everybody scores 0 to 25: Middle (from 10) cannot be reached; no sum of points that may pass falls into Middle"


def test_a_band_behind_a_gate_that_no_row_opens_cannot_be_reached():
    gate = {"families": ["use"], "highest_without": "Middle"}
    text = "size | use | employees | >=50:30 | scope=account\nseen | intent | views_30d | >=1:12"

    assert find_one(make_card(text, gate=gate), "unreachable_band").reason.startswith("everybody scores 0 to 42: High (from 20)")


def test_nobody_below_the_lowest_band_is_named():
    card = make_card("used | use | views_30d | >=0:15 >=1:25")

    assert find_one(card, "nobody_below").reason == "the least that any lead can score is 15, so nobody is 'Low'"


def test_a_factor_behind_one_that_takes_all_its_leads_never_applies():
    factors = [{"name": name, "times": times, "all": [{"signal": "employees", "gte": size}]} for name, times, size in
               (("mid", 1.2, 50), ("large", 1.5, 1000))]  # fmt: skip

    found = find_one(make_card("used | use | views_30d | >=1:30", multiplier=factors), "factor_never_applies")

    assert found.segments == ("large",)


def test_more_families_than_can_speak_for_a_lead_stop_every_outreach():
    card = make_card("used | use | views_30d | >=1:30\nidle | negative | days_7d | <1:-5", outreach_families=2)

    assert find_one(card, "no_outreach").reason == "2 families must speak for a lead before anybody is sent to it, and 1 can"


# --- points for nothing, and for who somebody is -----------------------------------------------------------------


def test_points_for_doing_nothing_are_counted_per_block():
    text = "seen  | use | views_30d | >=0:1 >=1:3 | block=x\nspent | use | spend_30d | >=1:5 | block=x"
    block = {"id": "x", "weight": 0.5, "normalise": False, "subtract_floor": False}

    block_found, all_found = find(make_card(text, blocks=[block]), "floor")

    assert block_found.reason == "doing nothing earns 1 of the 8 points of block 'x'"
    assert (block_found.rows, block_found.change) == (("seen",), "`subtract_floor: true`")
    assert all_found.reason == "a lead who did nothing scores 0.5"


def test_a_floor_that_is_taken_off_is_none():
    block = {"id": "x", "weight": 0.5}

    assert find(make_card("seen | use | views_30d | >=0:1 >=1:3 | block=x", blocks=[block]), "floor") == []


def test_somebody_who_never_activated_is_not_fast():
    assert find(make_card("fast | use | speed | <3600:10\nseen | use | views_30d | >=1:15"), "floor") == []


def test_points_for_silence_are_points_for_doing_nothing():
    found = find_one(make_card("calm | use | views_30d | <1:10"), "floor")

    assert found.reason == "doing nothing earns 10 of the 10 points of the card"


FIT_AND_TEAM = """
seen | use           | views_30d | >=1:30
idle | negative      | days_7d   | <1:-5
size | fit           | employees | >=500:12 | scope=account
team | collaboration | team_30d  | >=10:14  | scope=account
"""
GATE = {"families": ["use"], "highest_without": "Middle"}


def test_who_the_lead_is_reaches_a_band_alone():
    found = find_one(make_card(FIT_AND_TEAM), "fit_alone")

    assert (found.severity, found.rows) == ("warning", ("size",))
    assert found.reason == "fit alone reaches Middle with 12, without any use of the product"


def test_an_idle_lead_of_a_large_account_reaches_a_band():
    found = find_one(make_card(FIT_AND_TEAM), "account_alone")

    assert (found.severity, found.rows) == ("warning", ("size", "team"))
    assert found.reason == "an idle lead of a large account reaches High with 21"


def test_one_whose_own_use_earns_nothing_is_told_apart_from_an_idle_one():
    card = make_card(FIT_AND_TEAM.replace("<1:-5", "<1:-9"))

    assert find_one(card, "account_alone").reason == (
        "an idle lead of a large account reaches Middle with 17, one whose own use earns nothing reaches High with 26"
    )


def test_a_gate_makes_it_a_note_that_says_where_such_a_lead_is_kept():
    fit, account = (find_one(make_card(FIT_AND_TEAM, gate=GATE), code) for code in ("fit_alone", "account_alone"))

    assert (fit.severity, account.severity) == ("note", "note")
    assert fit.reason.endswith("without any use of the product")
    assert account.reason == "an idle lead of a large account reaches High with 21 (the gate keeps it in Middle)"


def test_of_a_card_of_accounts_nothing_is_said_about_users():
    accounts = CATALOGUE.model_copy(update={"unit": "account"})

    assert find(make_card(FIT_AND_TEAM), "account_alone", accounts) == []
    assert find(make_card(FIT_AND_TEAM), "counted_per_user", accounts) == []


# --- evidence ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "code", "severity"),
    [
        ("a | use | views_30d | >=1:10\nb | use | views_30d | >=3:15", "same_signal", "warning"),
        ("a | use | views_30d | >=1:10\nb | use | views_7d | >=1:15", "other_window", "warning"),
        ("a | use | views_30d | >=1:10\nb | use | looks_30d | >=1:15", "same_measure", "warning"),
        ("a | use | employees | >=50:10\nb | use | ideal | >=1:15", "part_of_another", "note"),
        ("a | use | days_7d | >=5:10\nb | use | daily | >0.5:15", "part_of_another", "note"),
    ],
)
def test_evidence_that_counts_twice_is_found(rows, code, severity):
    found = find_one(make_card(rows), code)

    assert (found.severity, found.rows) == (severity, ("a", "b"))
    assert found.reason.startswith("the same evidence speaks for a lead twice: a by '")


@pytest.mark.parametrize(
    "rows",
    [
        "a | use | views_30d | >=1:10\nb | use | views_30d | <1:-10",
        "a | use | views_30d | >=3:10\nb | use | views_30d | <3:5",
        "a | use | views_30d | >=1:10\nb | use | spend_30d | >=1:10",
        "a | use | views_30d | >=1:10\nb | negative | quiet | >=1:-10",
    ],
    ids=["for and against", "never at once", "different evidence", "its absence against"],
)
def test_evidence_that_counts_once_is_not_held_against_a_card(rows):
    found = check_card(make_card(rows), CATALOGUE).findings

    assert not {one.code for one in found} & {"same_signal", "other_window", "same_measure", "part_of_another"}


def test_rungs_that_add_up_on_one_value_are_shown_with_what_one_ladder_gives():
    found = find_one(make_card("a | use | views_30d | >=1:10 >=3:15 | ladder=stacked\nb | use | spend_30d | >=1:5"), "stacked_ladder")

    assert found.rows == ("a",)
    assert found.reason.endswith("a gives up to 25, its highest rung 15")


def test_a_stacked_ladder_over_different_signals_is_no_mistake():
    assert find(make_card("a | use | views_30d | >=1:10 spend_30d>=1:15 | ladder=stacked"), "stacked_ladder") == []


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a | use | views_30d | >=1:10 >=3:5", "more of it takes points away"),
        ("a | negative | quiet | >=1:10", "more of it gives points"),
        ("a | use | speed | >=3600:10", "more of it gives points"),
    ],
)
def test_points_against_the_direction_of_a_signal_are_found(row, says):
    assert find_one(make_card(row), "against_direction").reason.endswith(says)


@pytest.mark.parametrize("row", ["a | use | views_30d | >=1:5 >=3:10", "a | use | speed | <3600:10", "a | use | days_7d | <1:-5 >=5:5"])
def test_points_along_the_direction_of_a_signal_are_all_right(row):
    assert find(make_card(row), "against_direction") == []


def test_rows_on_the_whole_account_are_counted_once_per_user_unless_they_say_so():
    card = make_card(FIT_AND_TEAM.replace("12 | scope=account", "12"))

    undeclared, declared = find(card, "counted_per_user")

    assert (undeclared.severity, undeclared.rows) == ("warning", ("size",))
    assert "its users has their up to 12 points: the sum of ten users' scores has them ten times" in undeclared.reason
    assert (declared.severity, declared.rows) == ("note", ("team",))


def test_a_row_of_the_lead_that_says_it_is_the_accounts_is_found():
    assert find_one(make_card("a | use | views_30d | >=1:10 | scope=account"), "own_row_of_account").rows == ("a",)


def test_rows_without_a_window_are_listed_with_the_windows_in_use():
    text = "a | use | views_30d | >=1:9 | window=unstated\nb | use | days_30d | >=5:9 | window=unstated\nc | use | spend_30d | >=1:9"
    found = find_one(make_card(text + "\nd | use | rising | >=1:9 | window=unstated"), "window_unstated")

    assert (found.severity, found.rows) == ("warning", ("a", "b", "d"))
    assert found.reason == "3 rows name no window: those of their signals are used (2 × 30d, 1 × unknown)"


def test_a_signal_that_nobody_declares_is_an_error_with_the_nearest_name():
    factor = {"name": "big", "times": 2, "all": [{"signal": "employes", "gt": 5}]}

    first, second = find(make_card("a | use | view_30d | >=1:10", multiplier=[factor]), "unknown_signal")

    assert (first.severity, first.rows, first.segments) == ("error", ("a",), ())
    assert first.reason == "no signal 'view_30d' is declared (did you mean 'views_30d'?): what asks for it never applies"
    assert (second.rows, second.segments) == ((), ("big",))


def test_without_a_catalogue_no_signal_is_unknown():
    assert find(make_card("a | use | view_30d | >=1:10"), "unknown_signal", None) == []


def test_text_that_is_compared_with_a_number_is_an_error():
    assert find_one(make_card("a | use | rank | >=1:10"), "text_signal").rows == ("a",)


def test_a_signal_tested_as_text_and_as_a_number_is_an_error_and_nothing_breaks():
    factor = {"name": "owners", "times": 2, "all": [{"signal": "role", "among": ["owner"]}]}

    found = find_one(make_card("a | use | role | >=1:10", multiplier=[factor]), "text_signal", None)

    assert (found.rows, found.segments) == (("a",), ("owners",))


def test_a_leak_prone_signal_is_a_warning_in_every_window():
    found = find_one(make_card("a | use | views_7d | >=1:10"), "leak_prone", leaks={"views": "mostly follows a purchase"})

    assert (found.severity, found.rows, found.reason) == ("warning", ("a",), "'views_7d' mostly follows a purchase")


def test_the_worst_comes_first_and_a_sound_card_has_nothing():
    card = make_card("a | use | rank | >=1:10\nb | use | views_30d | >=1:25 | window=unstated")

    severities = [one.severity for one in check_card(card, CATALOGUE).findings]
    assert severities == sorted(severities, key=("error", "warning", "note").index)
    assert severities[0] == "error"
    sound = make_card("a | use | views_30d | >=1:10\nb | use | spend_30d | >=1:10")
    assert check_card(sound, CATALOGUE).findings == ()


# --- the shipped cards -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped():
    return read_spec(find_builtin("signals/default.yaml"), Catalogue, "catalogue")


def read_card(name):
    return read_spec(find_builtin(f"scorecards/{name}.yaml"), Scorecard, "scorecard")


def test_card_b_as_written_cannot_reach_its_own_bands(shipped):
    found = find_one(read_card("card_b_literal"), "unreachable_band", shipped)

    assert found.severity == "error"
    assert "enterprise scores 1.8 to 31.8" in found.reason
    assert "Hot (from 80), Warm (from 60) and Developing (from 40) cannot be reached" in found.reason
    assert found.change.startswith("normalise the blocks")


def test_card_b_as_written_gives_four_of_twenty_points_for_nothing(shipped):
    by_block, overall = find(read_card("card_b_literal"), "floor", shipped)

    assert by_block.reason == "doing nothing earns 4 of the 20 points of block 'engagement'"
    assert by_block.rows == ("invites", "integrations", "data_imported", "setup")
    assert "1.8 in enterprise" in overall.reason


def test_a_consumer_stays_below_warm_on_both_cards_b(shipped):
    as_written, normalised = (find_one(read_card(name), "unreachable_band", shipped) for name in ("card_b_literal", "card_b"))

    assert "consumer" in as_written.segments
    assert (normalised.severity, normalised.segments) == ("warning", ("consumer",))
    assert normalised.reason == "consumer scores 0 to 50: Hot (from 80) and Warm (from 60) cannot be reached"
    assert normalised.change.startswith("Warm takes a factor of 0.6")


def test_the_normalised_card_b_goes_from_0_to_150_and_has_no_floor(shipped):
    assert reach_of(read_card("card_b"), shipped)["enterprise"] == (0, 150)
    assert find(read_card("card_b"), "floor", shipped) == []


def test_on_card_a_as_written_fit_alone_is_emerging_and_an_idle_user_of_a_big_account_warm(shipped):
    fit, account = (find_one(read_card("card_a_literal"), code, shipped) for code in ("fit_alone", "account_alone"))

    assert (fit.severity, fit.rows) == ("warning", ("company_size", "target_industry", "icp_match"))
    assert fit.reason == "fit alone reaches Emerging with 45, without any use of the product"
    assert account.severity == "warning"
    assert account.reason.startswith("an idle lead of a large account reaches Warm with 65")


def test_the_gate_of_card_a_keeps_such_leads_in_emerging(shipped):
    fit, account = (find_one(read_card("card_a"), code, shipped) for code in ("fit_alone", "account_alone"))

    assert (fit.severity, account.severity) == ("note", "note")
    assert "an idle lead of a large account reaches Warm with 50 (the gate keeps it in Emerging)" in account.reason


def test_rows_of_card_a_on_the_account_are_counted_once_per_user_by_a_sum(shipped):
    found = find_one(read_card("card_a_literal"), "counted_per_user", shipped)

    assert found.rows == ("active_colleagues", "company_size", "target_industry", "icp_match")
    assert "up to 85 points: the sum of ten users' scores has them ten times" in found.reason


def test_seventeen_rows_of_the_source_cards_name_no_window(shipped):
    a, b = (find_one(read_card(name), "window_unstated", shipped) for name in ("card_a_literal", "card_b_literal"))

    assert (len(a.rows), len(b.rows)) == (11, 6)


def test_card_a_as_written_counts_every_rung_below_the_one_reached(shipped):
    found = find_one(read_card("card_a_literal"), "stacked_ladder", shipped)

    assert found.rows == ("premium_features", "active_colleagues", "dau_mau", "pricing_viewed")
    assert "dau_mau gives up to 30, its highest rung 20" in found.reason


def test_the_points_of_card_a_range_from_minus_55_to_325(shipped):
    assert reach_of(read_card("card_a"), shipped) == {"everybody": (-55, 325)}
    assert find(read_card("card_a"), "unreachable_band", shipped) == []


def test_rows_of_card_a_that_give_no_points_add_no_finding(shipped):
    card = read_card("card_a")
    paid = card.model_copy(update={"rows": tuple(row for row in card.rows if any(row.range))})

    assert len(paid.rows) == len(card.rows) - 6
    assert check_card(card, shipped) == check_card(paid, shipped)


@pytest.mark.parametrize("name", ["card_a", "card_a_literal", "card_b", "card_b_literal", "relax"])
def test_every_signal_of_a_shipped_card_is_in_the_shipped_catalogue(shipped, name):
    assert find(read_card(name), "unknown_signal", shipped) == []
    assert find(read_card(name), "against_direction", shipped) == []
    assert find(read_card(name), "rung_without_effect", shipped) == []
