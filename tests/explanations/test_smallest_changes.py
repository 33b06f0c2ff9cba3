"""The smallest realistic changes: found wherever trying everything finds one, verified, and in words."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pls_ml.core.catalogue import Catalogue
from pls_ml.explanations.habits import read_habits
from pls_ml.explanations.missing import Changes, Leads, Step, find_missing
from pls_ml.explanations.step_words import say_step

MOST = 5
"""Of each signal in the small cases: from 0 to so many."""
KNOTS = [[float(value), 10.0 * value, 10.0 * value + (50 if value == MOST else 10)] for value in range(MOST + 1)]
"""Half of the peers have the most."""


def declare(name, measure, windows=(), **more):
    return {"id": name, "family": "use", "label": name, "measure": measure, "windows": list(windows), "direction": "up"} | more


SMALL = Catalogue.model_validate({"signals": [
    declare("invites", {"kind": "count", "events": ["invite_sent"]}, ["lifetime"]),
    declare("exports", {"kind": "count", "events": ["exported"]}, ["30d"]),
    declare("steps", {"kind": "distinct", "of": "step", "events": ["setup_step_completed"]}, ["lifetime"]),
    declare("views", {"kind": "count", "events": ["pricing_viewed"]}, ["7d", "30d"]),
    declare("hidden", {"kind": "count", "events": ["x"]}, ["30d"], rep_visible=False),
    declare("team", {"kind": "attribute", "table": "accounts", "column": "size"}, actionable=False),
]})  # fmt: skip
COLUMNS = [column.name for column in SMALL]
PEERS = {"smb": dict.fromkeys(COLUMNS, KNOTS)}


def make_leads(rows, peers=None):
    values = pd.DataFrame(rows, columns=COLUMNS, dtype="float64")
    return Leads(values, ["smb"] * len(values), SMALL, PEERS if peers is None else peers)


def judge_by(weights, bonus, target):
    """A score that rises with every signal, by steps and together; reached from the target on."""

    def judge(signals, leads):
        score = sum(weight * np.minimum(signals[name].to_numpy(), 4) for name, weight in weights.items())
        both = np.minimum(signals["invites_lifetime"].to_numpy(), signals["views_7d"].to_numpy())
        return score + bonus * both, score + bonus * both >= target

    return judge


def try_everything(leads, judge, size):
    """Every set of so many moves with all amounts that reach: moves → amounts."""
    numbers, amounts = range(len(leads.moves.all)), range(1, MOST + 1)
    tried = [(moves, chosen) for moves in combinations(numbers, size) for chosen in product(amounts, repeat=size)]
    changes = Changes(np.zeros(len(tried), np.int64), np.array([m for m, _ in tried]), np.array([a for _, a in tried]))
    reached = leads.judge(changes, judge)[1]
    return {one for one, good in zip(tried, reached, strict=True) if good}


small_leads = st.lists(st.integers(0, 3).map(float), min_size=4, max_size=4).map(lambda v: [*v, v[3], 1.0, 2.0])


@settings(max_examples=60, deadline=None)
@given(row=small_leads, weights=st.lists(st.integers(1, 5), min_size=4, max_size=4), bonus=st.integers(0, 2), more=st.integers(1, 40))
def test_what_trying_everything_finds_is_found_with_as_few_signals_and_no_step_too_large(row, weights, bonus, more):
    leads = make_leads([row])
    weights = dict(zip(("invites_lifetime", "exports_30d", "steps_lifetime", "views_7d"), weights, strict=True))
    now = judge_by(weights, bonus, 0)(pd.DataFrame([row], columns=COLUMNS), None)[0][0]
    judge = judge_by(weights, bonus, now + more)

    found = find_missing(leads, judge)

    everything = next((all_ways for size in (1, 2, 3) if (all_ways := try_everything(leads, judge, size))), set())
    assert bool(found) == bool(everything)
    number = {move.signal.id: place for place, move in enumerate(leads.moves.all)}
    for option in found:
        moves, amounts = zip(*((number[step.signal.id], step.amount) for step in option.steps), strict=True)
        assert (moves, amounts) in everything
        assert option.reaches >= now + more
        for slot in range(len(moves)):
            assert (moves, (*amounts[:slot], amounts[slot] - 1, *amounts[slot + 1 :])) not in everything
    if found and len(found[0].steps) == 1:
        least = {moves: min(a for m, a in everything if m == moves) for moves, _ in everything}
        assert {(number[o.steps[0].signal.id],): (o.steps[0].amount,) for o in found}.items() <= least.items()
        assert len(found) == min(3, len(least))


@settings(max_examples=40, deadline=None)
@given(row=small_leads, target=st.integers(1, 60))
def test_nothing_hidden_or_given_is_suggested_and_nothing_is_less_or_beyond_the_peers(row, target):
    found = find_missing(make_leads([row]), judge_by(dict.fromkeys(COLUMNS, 1), 0, target))

    for option in found:
        assert not {step.signal.id for step in option.steps} & {"hidden", "team"}
        for before, after in (pair for step in option.steps for pair in step.values.values()):
            assert before < after <= MOST
            assert after == int(after)


def test_a_lead_alone_gets_what_it_gets_among_others():
    rows = np.random.default_rng(3).integers(0, 4, (40, len(COLUMNS))).astype(float)
    judge = judge_by({"invites_lifetime": 3, "exports_30d": 2, "steps_lifetime": 1, "views_7d": 2}, 1, 34)

    together = find_missing(make_leads(rows), judge)

    alone = [(place, option) for place in range(len(rows)) for option in find_missing(make_leads(rows[[place]]), judge)]
    assert [(o.lead, o.steps, o.reaches, o.bits) for o in together] == [(place, o.steps, o.reaches, o.bits) for place, o in alone]
    assert 0 < len({o.lead for o in together}) < len(rows)
    assert find_missing(make_leads(rows), judge) == together


def test_the_least_rare_way_comes_first():
    usual = [[0.0, 0, 10], [1.0, 10, 20], [2.0, 20, 100]]
    seldom = [[0.0, 0, 96], [1.0, 96, 98], [2.0, 98, 100]]
    peers = {"smb": PEERS["smb"] | {"invites_lifetime": seldom, "exports_30d": usual}}

    found = find_missing(make_leads([[0.0] * 7], peers), judge_by({"invites_lifetime": 1, "exports_30d": 1}, 0, 2))

    assert [[step.signal.id for step in option.steps] for option in found] == [["exports"], ["invites"]]
    assert [option.bits for option in found] == pytest.approx([np.log2(100 / 80), np.log2(100 / 2)])


def test_what_less_than_one_in_a_hundred_peers_do_is_not_realistic():
    peers = {"smb": PEERS["smb"] | {"invites_lifetime": [[0.0, 0, 99.5], [1.0, 99.5, 100]]}}

    assert find_missing(make_leads([[0.0] * 7], peers), judge_by({"invites_lifetime": 1}, 0, 1)) == []


def test_changes_that_are_rare_one_by_one_are_not_realistic_together():
    seldom = [[0.0, 0, 95], [1.0, 95, 100]]
    judge = judge_by({"invites_lifetime": 1, "exports_30d": 1, "steps_lifetime": 1}, 0, 3)

    assert find_missing(make_leads([[0.0] * 7], {"smb": dict.fromkeys(COLUMNS, seldom)}), judge) == []


def test_leads_without_peers_get_nothing():
    assert find_missing(make_leads([[0.0] * 7], {}), judge_by({"invites_lifetime": 1}, 0, 1)) == []


def test_a_way_that_includes_another_one_is_left_out():
    active_again = {"kind": "days_since_last"}
    catalogue = Catalogue.model_validate(
        {
            "signals": [
                declare("idle", active_again, direction="down"),
                declare("days", {"kind": "active_days"}, ["7d"]),
                declare("actions", {"kind": "count"}, ["7d"]),
            ]
        }
    )
    knots = [[float(value), value, value + 1.0] for value in range(100)]
    values = pd.DataFrame({"idle": [20.5], "days_7d": [0.0], "actions_7d": [0.0]})
    leads = Leads(values, ["smb"], catalogue, {"smb": {"idle": knots, "days_7d": knots, "actions_7d": knots}})

    found = find_missing(leads, lambda signals, _: (-signals["idle"].to_numpy(), signals["idle"].to_numpy() <= 7))

    assert len(found) == 1
    assert next(iter(found[0].steps[0].values.values())) in [(20.5, 7.0), (0.0, 1.0)]


def test_bits_say_how_many_of_the_peers_as_far_are_as_far_as_after():
    habit = read_habits({"x": [[0.0, 0, 50], [1.0, 50, 75], [4.0, 75, 100]]})["x"]
    up = habit.say_bits(np.array([0.0, 0.0, 1.0]), np.array([1.0, 4.0, 4.0]), down=False)
    down = habit.say_bits(np.array([4.0, 4.0]), np.array([1.0, 0.0]), down=True)

    assert up.tolist() == [1.0, 2.0, 1.0]
    assert down == pytest.approx([np.log2(4 / 3), 1.0])


def say(amount, before, after, **declared):
    catalogue = Catalogue.model_validate({"signals": [declare("x", **declared)]})
    column = next(iter(catalogue))
    return say_step(Step(column.signal, amount, {column.name: (before, after)}), column)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"amount": 2, "before": 1, "after": 3, "label": "team members invited", "windows": ["lifetime"]},
         "2 more team members invited (3 instead of 1 since signup)"),
        ({"amount": 1, "before": 0, "after": 1, "label": "uses of premium features", "windows": ["30d"]},
         "1 more use of premium features (1 instead of 0 in the last 30 days)"),
        ({"amount": 1, "before": 0, "after": 1, "label": "access to status pages", "windows": ["30d"]},
         "1 more access to status page (1 instead of 0 in the last 30 days)"),
        ({"amount": 1200, "before": 34, "after": 1234, "label": "actions", "windows": ["7d"]},
         "1,200 more actions (1,234 instead of 34 in the last 7 days)"),
        ({"amount": 15, "before": 40.25, "after": 55.25, "label": "time in the product", "unit": "minutes", "windows": ["30d"],
          "measure": {"kind": "sum", "of": "s"}},
         "15 minutes more time in the product (55.2 minutes instead of 40.2 minutes in the last 30 days)"),
        ({"amount": 15, "before": 40, "after": 55, "label": "sum of seats", "windows": ["30d"], "measure": {"kind": "sum", "of": "s"}},
         "sum of seats: 55 instead of 40 in the last 30 days"),
        ({"amount": 13, "before": 20.4, "after": 7, "label": "days since the last action", "unit": "days",
          "measure": {"kind": "days_since_last"}},
         "7 days since the last action instead of 20 days"),
        ({"amount": 6, "before": 7.3, "after": 1, "label": "days since the last action", "unit": "days",
          "measure": {"kind": "days_since_last"}},
         "1 day since the last action instead of 7.3 days"),
        ({"amount": 13, "before": 20.4, "after": 7, "label": "last seen", "unit": "days", "measure": {"kind": "days_since_last"}},
         "last seen: 7 days instead of 20 days"),
    ],
)  # fmt: skip
def test_a_step_in_words(told, words):
    assert say(**({"measure": {"kind": "count"}} | told)) == words
