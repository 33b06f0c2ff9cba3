"""What any card promises: ladders, stacked ladders, bands, gates, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pls_ml.core.errors import DataError
from pls_ml.scores.card import Band, CardRow, Gate, Rung, Scorecard

LADDER = ({"gte": 1, "points": 10}, {"gte": 3, "points": 20}, {"gte": 6, "points": 30})


def make_row(rungs=LADDER, ladder="exclusive", **names):
    return CardRow(**({"id": "row", "family": "use", "signal": "x"} | names), rungs=rungs, ladder=ladder)


def make_card(*rows, gate=None, bands=(("High", 20), ("Middle", 10))):
    return Scorecard(id="card", bands=tuple(Band(name=n, gte=g) for n, g in bands), below="Low", rows=rows, gate=gate)


@pytest.mark.parametrize(
    ("value", "exclusive", "stacked"), [(0, 0, 0), (1, 10, 10), (2.9, 10, 10), (3, 20, 30), (6, 30, 60), (np.nan, 0, 0)]
)
def test_an_exclusive_ladder_gives_the_highest_rung_and_a_stacked_one_their_sum(value, exclusive, stacked):
    assert make_row().points(np.array([value])).tolist() == [exclusive]
    assert make_row(ladder="stacked").points(np.array([value])).tolist() == [stacked]


@pytest.mark.parametrize(
    ("rung", "below", "at", "above"),
    [({"gte": 2}, 0, 5, 5), ({"gt": 2}, 0, 0, 5), ({"lt": 2}, 5, 0, 0)],
)
def test_each_operator_says_which_side_its_threshold_belongs_to(rung, below, at, above):
    row = make_row(rungs=(rung | {"points": 5},))

    assert row.points(np.array([np.nextafter(2, 0), 2.0, np.nextafter(2, 3)])).tolist() == [below, at, above]


@given(values=st.lists(st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.integers(-3, 9)), min_size=1), stacked=st.booleans())
def test_points_stay_within_the_rows_range(values, stacked):
    rungs = ({"lt": 0, "points": -7}, *LADDER)
    row = make_row(rungs, "stacked" if stacked else "exclusive")

    points = row.points(np.array(values, dtype=float))

    assert row.range == ((-7, 60) if stacked else (-7, 30))
    assert row.range[0] <= points.min() <= points.max() <= row.range[1]


def test_a_row_whose_signal_is_not_there_gives_nothing():
    card = make_card(make_row(), make_row(id="other", signal="absent"))

    assert card.row_points(pd.DataFrame({"x": [6.0, 0.0]})).tolist() == [[30, 0], [0, 0]]


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
    assert make_card(make_row()).row_points(pd.DataFrame({"x": values}))[1].tolist() == [0]


def test_text_in_a_cards_signal_is_refused_by_name():
    with pytest.raises(DataError, match=r"signal 'x' holds .* expected numbers or missing"):
        make_card(make_row()).row_points(pd.DataFrame({"x": ["many", "few"]}))


def test_points_of_no_lead_are_an_empty_table():
    card = make_card(make_row())

    assert card.row_points(pd.DataFrame({"x": np.array([], dtype=float)})).shape == (0, 1)
    assert card.find_bands(np.zeros((0, 1), dtype=np.int64)).tolist() == []


def test_the_gate_counts_positive_points_of_its_families_only():
    gate = Gate(families=("use",), highest_without="Middle", account_rows=("of_account",))
    rows = [make_row(id=name, signal=name, family=family) for name, family in (("own", "use"), ("of_account", "use"), ("fit", "fit"))]
    card = make_card(*rows, gate=gate)

    bands = card.find_bands(np.array([[0, 30, 0], [0, 0, 30], [1, 30, 0], [-5, 30, 0], [0, 5, 0]]))

    assert bands.tolist() == ["Middle", "Middle", "High", "Middle", "Low"]


def test_without_a_gate_points_alone_decide():
    card = make_card(make_row(family="fit"))

    assert card.find_bands(np.array([[30], [20], [19], [10], [9], [-1]])).tolist() == ["High", "High", "Middle", "Middle", "Low", "Low"]
    assert card.band_names == ("High", "Middle", "Low")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rung(points=5), "a rung of 5 points needs exactly one of gte, gt, lt"),
        (lambda: Rung(points=5, gte=1, lt=3), "needs exactly one of gte, gt, lt"),
        (lambda: make_row(rungs=()), "at least 1 item"),
        (lambda: make_row(ladder="piled"), "'exclusive' or 'stacked'"),
        (lambda: make_card(make_row(), make_row()), r"row ids must be distinct; twice: \['row'\]"),
        (lambda: make_card(make_row(), bands=(("A", 10), ("B", 20))), r"falling lower bounds .* got \[10.0, 20.0\]"),
        (lambda: make_card(make_row(), bands=(("A", 10), ("B", 10))), "falling lower bounds"),
        (
            lambda: make_card(make_row(), gate=Gate(families=("use",), highest_without="Mid")),
            "gate: no band 'Mid'; the card has High, Middle",
        ),
        (lambda: Rung(points=5, gte=1, at_least=2), "at_least"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused(make, message):
    with pytest.raises(ValidationError, match=message):
        make()


def test_a_card_survives_json(card_a):
    assert Scorecard.model_validate_json(card_a.model_dump_json()) == card_a
