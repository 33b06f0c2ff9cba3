"""What any card promises: ladders, blocks, multipliers, bands, gates, exact sums, and what it refuses."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from golden_cards import GOLDEN, SHIPPED, find_card, find_score, say, score_lead
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pls_ml.core.errors import DataError
from pls_ml.scores.card import Band, Block, CardRow, CardScores, Factor, Gate, Rung, Scorecard

LADDER = ({"gte": 1, "points": 10}, {"gte": 3, "points": 20}, {"gte": 6, "points": 30})
FALLING = ("seconds_to_activation", "usage_declining", "lone_user", "only_free_features", "free_mail")
"""Signals of the shipped cards of which more is worse."""


def make_row(rungs=LADDER, ladder="exclusive", **names):
    return CardRow(**({"id": "row", "family": "use", "signal": "x"} | names), rungs=rungs, ladder=ladder)


def make_card(*rows, bands=(("High", 20), ("Middle", 10)), **more):
    return Scorecard(id="card", bands=tuple(Band(name=n, gte=g) for n, g in bands), below="Low", rows=rows, **more)


def climb(row, *values):
    """The points of a row at some values of its signal."""
    return row.points(pd.DataFrame({"x": np.array(values, dtype=float)})).tolist()


# --- ladders -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "exclusive", "stacked"), [(0, 0, 0), (1, 10, 10), (2.9, 10, 10), (3, 20, 30), (6, 30, 60), (np.nan, 0, 0)]
)
def test_an_exclusive_ladder_gives_the_highest_rung_and_a_stacked_one_their_sum(value, exclusive, stacked):
    assert climb(make_row(), value) == [exclusive]
    assert climb(make_row(ladder="stacked"), value) == [stacked]


@pytest.mark.parametrize(
    ("rung", "below", "at", "above"),
    [({"gte": 2}, 0, 5, 5), ({"gt": 2}, 0, 0, 5), ({"lt": 2}, 5, 0, 0)],
)
def test_each_operator_says_which_side_its_threshold_belongs_to(rung, below, at, above):
    row = make_row(rungs=(rung | {"points": 5},))

    assert climb(row, np.nextafter(2, 0), 2.0, np.nextafter(2, 3)) == [below, at, above]


def test_a_rung_with_a_signal_of_its_own_is_reached_by_that_signal():
    row = make_row(({"gte": 0, "points": 1}, {"gte": 1, "points": 3}, {"signal": "y", "gte": 1, "points": 5}))
    signals = pd.DataFrame({"x": [0, 2, 0, 2, np.nan, np.nan], "y": [0, 0, 1, 1, 1, np.nan]})

    assert row.signals == ("x", "y")
    assert row.points(signals).tolist() == [1, 3, 5, 5, 5, 0]
    assert row.points(signals[["x"]]).tolist() == [1, 3, 1, 3, 0, 0]
    assert row.points(signals[["y"]]).tolist() == [0, 0, 5, 5, 5, 0]


@given(values=st.lists(st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.integers(-3, 9)), min_size=1), stacked=st.booleans())
def test_points_stay_within_the_rows_range(values, stacked):
    rungs = ({"lt": 0, "points": -7}, *LADDER)
    row = make_row(rungs, "stacked" if stacked else "exclusive")

    points = climb(row, *values)

    assert row.range == ((-7, 60) if stacked else (-7, 30))
    assert row.range[0] <= min(points) <= max(points) <= row.range[1]


def test_the_range_counts_no_rungs_together_that_no_value_reaches_together():
    opposite = make_row(({"lt": 1, "points": 4}, {"gte": 3, "points": 9}), "stacked")
    meeting = make_row(({"lt": 5, "points": 4}, {"gte": 3, "points": 9}), "stacked")
    two_signals = make_row(({"gte": 3, "points": 9}, {"signal": "y", "lt": 1, "points": -4}), "stacked")

    assert opposite.range == (0, 9)
    assert meeting.range == (0, 13)
    assert two_signals.range == (-4, 9)


@pytest.mark.parametrize("rung", [{"gte": 0}, {"gte": -1}, {"lt": 1}, {"gt": 0}], ids=str)
def test_the_floor_is_what_zero_earns_on_the_way_up(rung):
    row = make_row((rung | {"points": 2},))

    assert row.floor == (2 if rung in ({"gte": 0}, {"gte": -1}) else 0)


def test_a_floor_is_never_less_than_nothing():
    assert make_row(({"gte": 0, "points": -5}, {"gte": 1, "points": 5})).floor == 0
    assert make_row(({"gte": -1, "points": 1}, {"gte": 0, "points": 2}), "stacked").floor == 3


# --- missing things ----------------------------------------------------------------------------------------------


def test_a_row_whose_signal_is_not_there_gives_nothing():
    card = make_card(make_row(), make_row(id="other", signal="absent"))

    assert card.score_leads(pd.DataFrame({"x": [6.0, 0.0]})).row_points.tolist() == [[30, 0], [0, 0]]


@pytest.mark.parametrize(
    "values",
    [
        pd.array([1, None, 3], dtype="Int64"),
        pd.array([1.0, np.nan, 3.0]),
        pd.Series([1, None, 3], dtype=object),
        pd.array([True, None, True], dtype="boolean"),
    ],
    ids=["Int64", "float", "object", "boolean"],
)
def test_missing_values_of_every_kind_of_column_give_nothing(values):
    assert make_card(make_row()).score_leads(pd.DataFrame({"x": values})).row_points[1].tolist() == [0]


def test_text_in_a_cards_signal_is_refused_by_name():
    with pytest.raises(DataError, match=r"signal 'x' holds .* expected numbers or missing"):
        make_card(make_row()).score_leads(pd.DataFrame({"x": ["many", "few"]}))


@pytest.mark.parametrize("name", SHIPPED)
def test_no_lead_has_no_score_no_band_and_no_outreach(name):
    card = find_card(name)

    for nobody in (pd.DataFrame(), pd.DataFrame({signal: np.array([], dtype=float) for signal in card.signals})):
        said = card.score_leads(nobody)
        assert said.row_points.shape == (0, len(card.rows))
        assert said.score.tolist() == card.find_bands(said).tolist() == card.may_reach_out(said).tolist() == []


@pytest.mark.parametrize("name", SHIPPED)
def test_a_lead_of_whom_nothing_is_known_has_no_points(name):
    card = find_card(name)

    for unknown in ({}, dict.fromkeys(card.signals, np.nan), dict.fromkeys(card.signals)):
        assert find_score(card, **unknown) == 0
        assert card.find_bands(score_lead(card, **unknown)).tolist() == [card.below]


# --- blocks ------------------------------------------------------------------------------------------------------


def test_a_block_counts_its_rows_by_the_most_they_can_give_beyond_what_nothing_earns():
    free = make_row(({"gte": 0, "points": 1}, {"gte": 1, "points": 5}), id="free", signal="x", block="half")
    plain = make_row(({"gte": 1, "points": 6},), id="plain", signal="y", block="half")
    other = make_row(({"gte": 1, "points": 50},), id="other", signal="z", block="rest")
    card = make_card(free, plain, other, blocks=(Block(id="half", weight=0.5), Block(id="rest", weight=0.5)))

    said = card.score_leads(pd.DataFrame({"x": [0, 1, 0, 1], "y": [0, 0, 1, 1], "z": [0, 0, 0, 1]}))

    assert [card.scale(row) for row in card.rows] == [(1, 5.0), (0, 5.0), (0, 1.0)]
    assert said.row_points.tolist() == [[1, 0, 0], [5, 0, 0], [1, 6, 0], [5, 6, 50]]
    assert said.score.tolist() == [0, 20, 30, 100]


@pytest.mark.parametrize(
    ("normalise", "subtract_floor", "score"),
    [(True, True, 50.0), (True, False, 66.666666667), (False, True, 1.0), (False, False, 2.0)],
)
def test_a_block_may_keep_its_floor_and_its_own_maximum(normalise, subtract_floor, score):
    row = make_row(({"gte": 0, "points": 2}, {"gte": 1, "points": 4}, {"gte": 2, "points": 6}), block="all")
    block = Block(id="all", weight=0.5, normalise=normalise, subtract_floor=subtract_floor)

    assert find_score(make_card(row, blocks=(block,)), x=1) == pytest.approx(score * (1 if not normalise else 0.5), abs=1e-9)


def test_points_that_speak_against_a_lead_count_in_a_block_too():
    up = make_row(({"gte": 1, "points": 10},), id="up", block="all")
    down = make_row(({"lt": 1, "points": -4},), id="down", signal="y", block="all")
    card = make_card(up, down, blocks=(Block(id="all", weight=1),))

    assert [find_score(card, x=x, y=y) for x, y in ((0, 0), (0, 1), (1, 0), (1, 1))] == [-40, 0, 60, 100]


def test_a_block_in_which_nothing_can_be_won_gives_nothing():
    card = make_card(make_row(({"gte": 0, "points": 3},), block="all"), blocks=(Block(id="all", weight=1),))

    assert find_score(card, x=5) == 0


# --- multipliers -------------------------------------------------------------------------------------------------

FACTORS = (
    Factor(name="large", times=1.5, all=({"signal": "size", "gt": 1000},)),
    Factor(name="known", times=1.2, any=({"signal": "size", "gt": 50}, {"signal": "team", "gte": 10})),
    Factor(name="retail", times=0.5, all=({"signal": "trade", "among": ("retail", "food")}, {"signal": "size", "lte": 5})),
)


@pytest.mark.parametrize(
    ("signals", "score"),
    [
        ({"size": 1001, "team": 99, "trade": "retail"}, 45),
        ({"size": 1000, "team": 1, "trade": "retail"}, 36),
        ({"size": 50, "team": 10, "trade": "retail"}, 36),
        ({"size": None, "team": 10, "trade": None}, 36),
        ({"size": 50, "team": 9, "trade": "retail"}, 30),
        ({"size": 5, "team": 9, "trade": "retail"}, 15),
        ({"size": 5, "team": None, "trade": "food"}, 15),
        ({"size": 5, "team": None, "trade": "mining"}, 30),
        ({"size": 5, "team": None, "trade": None}, 30),
        ({"size": None, "team": None, "trade": "food"}, 30),
        ({}, 30),
    ],
)
def test_the_first_factor_that_applies_multiplies_and_a_missing_value_fails_its_condition(signals, score):
    assert find_score(make_card(make_row(), multiplier=FACTORS), x=6, **signals) == score


def test_the_multiplier_has_a_share_of_its_own_and_rows_keep_theirs():
    card = make_card(make_row(), make_row(id="other", signal="y"), multiplier=FACTORS)

    said = score_lead(card, x=6, y=1, size=2000)

    assert said.shares.tolist() == [[30, 10, 20]]
    assert said.factors.tolist() == [0]


def test_text_where_a_condition_compares_numbers_is_refused():
    with pytest.raises(DataError, match=r"signal 'size' holds .* expected numbers or missing"):
        find_score(make_card(make_row(), multiplier=FACTORS), x=6, size="big")


# --- bands and gates ---------------------------------------------------------------------------------------------


def test_the_gate_counts_positive_points_of_its_families_only():
    gate = Gate(families=("use",), highest_without="Middle")
    own, fit = make_row(id="own", signal="own"), make_row(id="fit", signal="fit", family="fit")
    card = make_card(own, make_row(id="account", signal="account", scope="account"), fit, gate=gate)

    bands = card.find_bands(say([[0, 30, 0], [0, 0, 30], [1, 30, 0], [-5, 30, 0], [0, 5, 0]]))

    assert bands.tolist() == ["Middle", "Middle", "High", "Middle", "Low"]


def test_what_doing_nothing_earns_opens_no_gate_and_speaks_for_nobody():
    use = make_row(({"gte": 0, "points": 5}, {"gte": 1, "points": 10}), block="use")
    fit = make_row(({"gte": 1, "points": 10},), id="fit", family="fit", signal="y", block="fit")
    blocks = (Block(id="use", weight=0.5), Block(id="fit", weight=0.5))
    card = make_card(use, fit, blocks=blocks, gate=Gate(families=("use",), highest_without="Middle"), outreach_families=2)

    idle, active = score_lead(card, x=0, y=1), score_lead(card, x=1, y=1)

    assert (idle.score.tolist(), active.score.tolist()) == ([50], [100])
    assert [*card.find_bands(idle), *card.find_bands(active)] == ["Middle", "High"]
    assert [*card.may_reach_out(idle), *card.may_reach_out(active)] == [False, True]


def test_without_a_gate_points_alone_decide():
    card = make_card(make_row(family="fit"))

    assert card.find_bands(say([[30], [20], [19], [10], [9], [-1]])).tolist() == ["High", "High", "Middle", "Middle", "Low", "Low"]
    assert card.band_names == ("High", "Middle", "Low")


def test_a_strict_band_leaves_its_bound_out():
    bands = (Band(name="High", gt=20), Band(name="Middle", gte=10))
    card = Scorecard(id="card", bands=bands, below="Low", rows=(make_row(),))

    assert card.find_bands(say([[20], [21], [10]])).tolist() == ["Middle", "High", "Middle"]


def test_bands_are_of_the_score_as_it_is_not_as_it_is_shown():
    card = make_card(make_row(), bands=(("Top", 120), ("High", 100)))

    assert card.find_bands(say([[99], [100], [130]])).tolist() == ["Low", "High", "Top"]


def test_the_last_bit_of_a_binary_number_keeps_nobody_out_of_a_band():
    rows = [make_row(({"gte": 1, "points": 1},), id=name, signal=name, block=name) for name in "abc"]
    blocks = tuple(Block(id=name, weight=weight, normalise=False) for name, weight in (("a", 0.1), ("b", 0.2), ("c", 0.7)))
    card = make_card(*rows, blocks=blocks, bands=(("High", 0.3),))

    said = score_lead(card, a=1, b=1)

    assert said.shares.sum() != 0.3
    assert said.score.tolist() == [0.3]
    assert card.find_bands(said).tolist() == ["High"]


@pytest.mark.parametrize(("needed", "allowed"), [(0, [True] * 4), (1, [False, True, True, True]), (2, [False, False, False, True])])
def test_as_many_families_as_the_card_says_must_speak_for_a_lead_before_outreach(needed, allowed):
    rows = [make_row(id="a"), make_row(id="b", signal="y"), make_row(id="fit", family="fit", signal="z")]
    card = make_card(*rows, outreach_families=needed)

    assert card.may_reach_out(say([[0, 0, -5], [10, 0, 0], [10, 10, -5], [0, 10, 10]])).tolist() == allowed


def test_a_card_that_says_nothing_of_outreach_bars_nobody():
    assert make_card(make_row()).may_reach_out(say([[-5]])).tolist() == [True]


# --- the shipped cards -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_the_golden_cases_cover_every_row_and_both_sides_of_every_rung(name):
    golden, card = GOLDEN[name], find_card(name)

    assert {(row.id, signal) for row in card.rows for signal in row.signals} == set(golden)
    for row in card.rows:
        for signal in row.signals:
            values = [value for value, _ in golden[row.id, signal]]
            bounds = [rung.bound for rung in row.rungs if (rung.signal or row.signal) == signal]
            for bound, before in zip(bounds, [-np.inf, *bounds], strict=False):
                assert bound in values
                assert any(before <= value < bound for value in values)
                assert any(value > bound for value in values)


VALUES = [0.0, 0.4, 1.0, 2.0, 3.0, 6.0, 16.0, 60.0, 1200.0, np.nan]
FEW_VALUES = {"free_mail": [0.0, 1.0, np.nan], "account_new_users_30d": [0.0, 1.0, np.nan]}


def draw_leads(card, n=300, seed=0):
    """Leads of a card with every rung and every factor among them, and with values missing."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame({name: rng.choice(FEW_VALUES.get(name, VALUES), n) for name in card.signals})


@pytest.mark.parametrize("name", SHIPPED)
def test_a_lead_alone_scores_as_among_others_to_the_last_bit(name):
    card = find_card(name)
    leads = draw_leads(card)

    said = card.score_leads(leads)
    alone = [card.score_leads(leads.iloc[[place]]) for place in range(len(leads))]

    assert [float(one.score[0]) for one in alone] == said.score.tolist()
    assert [one.shares[0].tolist() for one in alone] == said.shares.tolist()
    assert [card.find_bands(one)[0] for one in alone] == card.find_bands(said).tolist()
    assert len(set(said.score.tolist())) > 30
    assert set(said.factors) == {-1, *range(len(card.multiplier))}


@pytest.mark.parametrize("name", SHIPPED)
def test_shares_sum_to_the_score(name):
    said = find_card(name).score_leads(draw_leads(find_card(name)))

    assert said.shares.sum(axis=1) == pytest.approx(said.score, abs=1e-9)


numbers = st.one_of(st.none(), st.floats(0, 5000, allow_nan=False), st.integers(0, 12))


@pytest.mark.parametrize("name", SHIPPED)
def test_score_and_band_never_fall_when_a_signal_moves_the_right_way(name):
    card = find_card(name)

    @settings(max_examples=150, deadline=None)
    @given(
        values=st.fixed_dictionaries(dict.fromkeys(card.signals, numbers)),
        signal=st.sampled_from(card.signals),
        ends=st.tuples(st.floats(0, 5000), st.floats(0, 5000)),
    )
    def check(values, signal, ends):
        moved = sorted(ends, reverse=signal in FALLING)
        frame = pd.DataFrame([values | {signal: end} for end in moved], dtype=float)

        said = card.score_leads(frame)
        place = [card.band_names.index(band) for band in card.find_bands(said)]

        assert said.score[1] >= said.score[0]
        assert place[1] <= place[0]

    check()


@pytest.mark.parametrize("name", SHIPPED)
@settings(max_examples=40, deadline=None)
@given(events=st.lists(st.integers(0, 40), min_size=1, max_size=30), seed=st.integers(0, 1000))
def test_one_more_positive_event_never_lowers_the_score(name, events, seed):
    card = find_card(name)
    counted = [signal for row in card.rows for signal in row.signals if re.search(r"_(\d+d|lifetime)$", signal)]
    leads = draw_leads(card, 1, seed)
    history = [leads]
    for event in events:
        signal = counted[event % len(counted)]
        history.append(history[-1].assign(**{signal: history[-1][signal].fillna(0) + 1}))

    score = card.score_leads(pd.concat(history, ignore_index=True)).score

    assert (np.diff(score) >= 0).all()


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rung(points=5), "a rung of 5 points needs exactly one of gte, gt, lt"),
        (lambda: Rung(points=5, gte=1, lt=3), "needs exactly one of gte, gt, lt"),
        (lambda: Rung(points=5, gte=np.nan), "finite number"),
        (lambda: make_row(rungs=()), "row 'row' has no rung: give it one, or leave it out"),
        (make_card, "a card needs at least one row"),
        (lambda: make_card(make_row(), bands=()), r"falling lower bounds from the best on; got \[\]"),
        (lambda: make_row(ladder="piled"), "'exclusive' or 'stacked'"),
        (lambda: make_card(make_row(), make_row()), r"row ids must be distinct; twice: \['row'\]"),
        (lambda: make_card(make_row(), bands=(("A", 10), ("B", 20))), r"falling lower bounds .* got \[10.0, 20.0\]"),
        (lambda: make_card(make_row(), bands=(("A", 10), ("B", 10))), "falling lower bounds"),
        (lambda: make_card(make_row(), bands=(("A", 20), ("A", 10))), r"bands must be distinct; twice: \['A'\]"),
        (lambda: make_card(make_row(), bands=(("A", 20), ("Low", 10))), r"bands must be distinct; twice: \['Low'\]"),
        (lambda: Band(name="A"), "band 'A' needs exactly one of gte, gt"),
        (lambda: Band(name="A", gte=1, gt=2), "band 'A' needs exactly one of gte, gt"),
        (
            lambda: make_card(make_row(), gate=Gate(families=("use",), highest_without="Mid")),
            r"no band 'Mid' \(did you mean 'Middle'\?\); the card has High, Middle, Low",
        ),
        (
            lambda: make_card(make_row(), gate=Gate(families=("usage",), highest_without="Low")),
            r"no family 'usage' \(did you mean 'use'\?\); the card has use",
        ),
        (lambda: make_card(make_row(block="a")), "row 'row': no block 'a'; the card has none"),
        (lambda: make_card(make_row(), blocks=(Block(id="a", weight=1),)), "row 'row' stands in no block: add `block`, one of a"),
        (
            lambda: make_card(make_row(block="a"), blocks=(Block(id="a", weight=0.5), Block(id="b", weight=0.5))),
            "block 'b' has no row",
        ),
        (lambda: Block(id="a", weight=0), "greater than 0"),
        (lambda: Factor(name="f", times=2), "factor 'f' has no condition, so no signal can be credited with it"),
        (lambda: Factor(name="f", times=-1, all=({"signal": "x", "gt": 1},)), "greater than or equal to 0"),
        (lambda: Rung(points=5, gte=1, at_least=2), "at_least"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused(make, message):
    with pytest.raises(ValidationError, match=message):
        make()


def test_a_factor_that_changes_nothing_needs_no_condition():
    card = make_card(make_row(), multiplier=(Factor(name="everybody", times=1),))

    assert find_score(card, x=6) == 30


# A ladder names only where each rung begins, and a rung reaches up to the next. So nobody can leave out a range between two rungs;
# what can go wrong instead is a rung that would never count, or that would count beside another, or one that gives nothing by mistake.
@pytest.mark.parametrize(
    "rungs",
    [
        ({"gte": 3, "points": 5}, {"gte": 1, "points": 9}),
        ({"gte": 3, "points": 5}, {"gte": 3, "points": 9}),
        ({"gt": 3, "points": 5}, {"gte": 3, "points": 9}),
        ({"lt": 1, "points": 5}, {"lt": 3, "points": 9}),
        ({"gte": 1, "points": 5}, {"signal": "y", "gte": 3, "points": 1}, {"signal": "y", "gte": 2, "points": 9}),
    ],
)
@pytest.mark.parametrize("ladder", ["exclusive", "stacked"])
def test_rungs_that_do_not_climb_are_refused_because_one_of_them_would_never_count(rungs, ladder):
    with pytest.raises(ValidationError, match="row 'row': rungs must get harder from one to the next, since the last one reached counts"):
        make_row(rungs, ladder)


@pytest.mark.parametrize(
    "rungs",
    [
        ({"lt": 3, "points": -5}, {"gte": 1, "points": 9}),
        ({"gte": 1, "points": 9}, {"lt": 3, "points": -5}),
        ({"gt": 1, "points": 9}, {"lt": 3, "points": -5}),
        ({"lt": 3, "points": 1}, {"lt": 2, "points": 2}, {"gte": 1, "points": 3}),
    ],
)
def test_rungs_in_opposite_directions_that_one_value_reaches_both_are_refused_unless_both_count(rungs):
    with pytest.raises(ValidationError, match="row 'row': rungs on 'x' overlap: from 1 to 3 both directions are reached"):
        make_row(rungs)
    assert make_row(rungs, "stacked").rungs


@pytest.mark.parametrize(
    "rungs",
    [
        ({"lt": -0.5, "points": -10}, {"gte": 0.2, "points": 10}),
        ({"gte": 0.2, "points": 10}, {"lt": -0.5, "points": -10}),
        ({"lt": 1, "points": -10}, {"gte": 1, "points": 10}),
        ({"gte": 3, "points": 5}, {"gt": 3, "points": 9}),
        ({"gte": 1, "points": 5}, {"gte": 3, "points": 0}),
        ({"gte": 3, "points": 5}, {"signal": "y", "gte": 1, "points": 9}),
    ],
)
def test_rungs_each_of_which_counts_somewhere_are_taken(rungs):
    row = make_row(rungs)

    assert row.range == (min(0, *(rung["points"] for rung in rungs)), max(rung["points"] for rung in rungs))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_card_survives_json(name):
    card = find_card(name)

    assert Scorecard.model_validate_json(card.model_dump_json()) == card
    assert Scorecard.model_validate(json.loads(json.dumps(card.model_dump(mode="json", exclude_none=True)))) == card


def test_scores_made_by_hand_are_summed_in_the_order_of_the_rows():
    said = CardScores(np.zeros((2, 2), np.int64), np.array([[0.1, 0.2, 0.0], [1.0, -1.0, 0.5]]), np.array([-1, 0]))

    assert said.score.tolist() == [0.3, 0.5]
    assert said.speak([False, True]).tolist() == [True, False]
