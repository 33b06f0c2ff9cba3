"""An outcome counts in `[as_of + gap, as_of + gap + h)`, and only when that stretch and the reporting lag lie within the data."""

from datetime import datetime, timedelta

import pytest
from core.text_tables import empty_database, put

from pls_ml.core.errors import ImmatureOutcomesError
from pls_ml.core.windows import Horizon
from pls_ml.labels.horizon import LabelCounts, label_spine

AS_OF = datetime(2024, 3, 1)
LATER = datetime(2030, 1, 1)
HORIZON = Horizon(horizon_days=30, gap_days=2, lag_days=0)
DAY, MICROSECOND = timedelta(days=1), timedelta(microseconds=1)


def open_rows(spine: str, outcomes: str = "lead_key | closed_at | is_won"):
    database = put(empty_database(), "spine", spine, row="BIGINT", as_of="TIMESTAMP")
    return put(database, "outcomes", outcomes, closed_at="TIMESTAMP", is_won="BOOLEAN")


def label_one(*closed: datetime, won: bool = True, horizon: Horizon = HORIZON, data_end: datetime = LATER):
    """The label of one row of 1 March whose lead has these outcomes, or None where it is dropped; and the counts.

    A second row, of a lead without an outcome, is there so that something matures.
    """
    outcomes = "".join(f"\nx | {moment} | {won}" for moment in closed)
    database = open_rows(f"row | lead_key | as_of\n1 | x | {AS_OF}\n2 | y | 2020-01-01", "lead_key | closed_at | is_won" + outcomes)
    counts = label_spine(database, horizon, data_end)
    return dict(database.rows('SELECT "row", label FROM labels')).get(1), counts


@pytest.mark.parametrize(
    ("after", "label"),
    [
        (2 * DAY, 1),
        (20 * DAY, 1),
        (32 * DAY - MICROSECOND, 1),
        (32 * DAY, 0),
        (400 * DAY, 0),
        (-MICROSECOND, 0),
        (-400 * DAY, 0),
    ],
)
def test_a_win_counts_from_the_end_of_the_gap_to_the_end_of_the_horizon(after, label):
    assert label_one(AS_OF + after)[0] == label


@pytest.mark.parametrize("after", [timedelta(), DAY, 2 * DAY - MICROSECOND])
def test_a_win_inside_the_gap_drops_the_row(after):
    label, counts = label_one(AS_OF + after)

    assert label is None
    assert counts == LabelCounts(rows=1, positives=0, won_in_gap=1, immature=0)


def test_a_win_inside_the_gap_drops_the_row_even_when_another_follows():
    assert label_one(AS_OF, AS_OF + 5 * DAY)[0] is None


def test_without_a_gap_a_win_at_as_of_counts():
    assert label_one(AS_OF, horizon=Horizon(30, 0, 0))[0] == 1
    assert label_one(AS_OF - MICROSECOND, horizon=Horizon(30, 0, 0))[0] == 0


def test_something_lost_is_no_win():
    label, counts = label_one(AS_OF + 5 * DAY, won=False)

    assert label == 0
    assert counts == LabelCounts(rows=2, positives=0, won_in_gap=0, immature=0)


def test_several_wins_are_one_positive_row():
    label, counts = label_one(AS_OF + 5 * DAY, AS_OF + 6 * DAY)

    assert label == 1
    assert (counts.rows, counts.positives) == (2, 1)


@pytest.mark.parametrize(
    ("closed", "label"),
    [
        ((-20 * DAY, 5 * DAY), 1),
        ((5 * DAY, 5 * DAY), 1),
        ((-20 * DAY, 5 * DAY, 200 * DAY), 1),
        ((-20 * DAY, 200 * DAY, 300 * DAY), 0),
        ((-20 * DAY, -20 * DAY), 0),
    ],
)
def test_the_first_win_at_or_after_as_of_decides(closed, label):
    found, counts = label_one(*(AS_OF + after for after in closed))

    assert found == label
    assert (counts.rows, counts.positives) == (2, label)


@pytest.mark.parametrize("lag", [0, 10])
def test_a_row_is_mature_when_gap_horizon_and_reporting_lag_end_with_the_data(lag):
    horizon = Horizon(30, 2, lag)
    end = AS_OF + (32 + lag) * DAY

    assert label_one(horizon=horizon, data_end=end)[0] == 0
    assert label_one(horizon=horizon, data_end=end - MICROSECOND)[0] is None


def test_an_immature_row_is_neither_negative_nor_positive():
    for closed in ((), (AS_OF + 3 * DAY,), (AS_OF,)):
        label, counts = label_one(*closed, data_end=AS_OF + 31 * DAY)

        assert label is None
        assert counts == LabelCounts(rows=1, positives=0, won_in_gap=0, immature=1)


def test_leads_that_share_a_key_share_the_outcome():
    database = open_rows(
        "row | lead_key | as_of\n1 | acme | 2024-03-01\n2 | acme | 2024-03-08\n3 | globex | 2024-03-01",
        "lead_key | closed_at | is_won\nacme | 2024-04-05 | true",
    )

    label_spine(database, HORIZON, LATER)

    assert database.rows('SELECT "row", label FROM labels ORDER BY 1') == [(1, 0), (2, 1), (3, 0)]


def test_without_a_horizon_every_row_counts():
    outcomes = "lead_key | closed_at | is_won\nx | | true\ny | | false"
    database = open_rows("row | lead_key | as_of\n1 | x | 1970-01-01\n2 | y | 1970-01-01\n3 | z | 1970-01-01", outcomes)

    counts = label_spine(database, None, None)

    assert database.rows('SELECT "row", label FROM labels ORDER BY 1') == [(1, 1), (2, 0), (3, 0)]
    assert counts.to_dict() == {"rows": 3, "positives": 1, "won_in_gap": 0, "immature": 0}


def test_a_spine_without_a_mature_row_is_refused_with_the_day_it_matures():
    database = open_rows("row | lead_key | as_of\n1 | x | 2024-03-01\n2 | y | 2024-02-01")

    with pytest.raises(
        ImmatureOutcomesError,
        match="the first lead is scored at 2024-02-01 and its outcome is complete on 2024-03-09, but the data end on 2024-03-04",
    ):
        label_spine(database, Horizon(30, 2, 5), datetime(2024, 3, 4))


def test_a_spine_of_which_every_row_is_won_in_the_gap_is_refused_as_such():
    database = open_rows("row | lead_key | as_of\n1 | x | 2024-03-01", "lead_key | closed_at | is_won\nx | 2024-03-02 | true")

    with pytest.raises(ImmatureOutcomesError, match="every matured lead is won inside the gap"):
        label_spine(database, HORIZON, LATER)


def test_a_spine_without_a_row_is_refused():
    with pytest.raises(ImmatureOutcomesError, match="no lead is eligible at any `as_of`"):
        label_spine(open_rows("row | lead_key | as_of"), HORIZON, LATER)
