import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pls_ml.core.errors import DataError, TableError
from pls_ml.handoffs.capacity import Capacity
from pls_ml.handoffs.selection import NO_REASON, OVER_CAPACITY, SAME_ACCOUNT, select_handoffs

COLUMNS = ["lead_id", "account_key", "score", "raw_score", "blocked"]
REASONS = ["suppressed", "no contact", "open opportunity", "already a customer"]


@st.composite
def lead_tables(draw):
    size = draw(st.integers(0, 25))
    ids = draw(st.permutations([f"u{n:02d}" for n in range(size)]))
    # few values, so that ties and shared accounts are common
    rows = [
        (lead_id, draw(st.sampled_from("ABCDEFGH")), 0.1, draw(st.integers(-3, 3)) / 2, draw(st.sampled_from([None, None, None, *REASONS])))
        for lead_id in ids
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


capacities = st.integers(1, 10).map(lambda n: Capacity(per_night=n))
bounded = settings(max_examples=60, deadline=None)


@bounded
@given(lead_tables(), capacities)
def test_handoffs_never_exceed_capacity_and_every_lead_is_accounted_for(leads, capacity):
    handoffs = select_handoffs(leads, capacity)
    assert len(handoffs.chosen) <= capacity.per_night
    assert len(handoffs.chosen) + sum(handoffs.removed.values()) == len(leads)
    assert handoffs.chosen["position"].tolist() == list(range(1, len(handoffs.chosen) + 1))
    assert all(count > 0 for count in handoffs.removed.values())


@bounded
@given(lead_tables(), capacities)
def test_no_blocked_lead_is_ever_chosen_and_no_account_twice(leads, capacity):
    chosen = select_handoffs(leads, capacity).chosen
    blocked = set(leads.loc[leads["blocked"].notna(), "lead_id"])
    assert not blocked & set(chosen["lead_id"])
    assert chosen["account_key"].is_unique


@bounded
@given(lead_tables(), capacities, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(leads, capacity, random):
    shuffled = leads.iloc[random.sample(range(len(leads)), len(leads))]
    first, second = select_handoffs(leads, capacity), select_handoffs(shuffled, capacity)
    pd.testing.assert_frame_equal(first.chosen, second.chosen)
    assert list(first.removed.items()) == list(second.removed.items())


@bounded
@given(lead_tables(), capacities, st.integers(0, 9), st.floats(0.01, 5))
def test_raising_a_chosen_lead_keeps_it_chosen_and_never_worsens_its_position(leads, capacity, pick, rise):
    before = select_handoffs(leads, capacity).chosen.set_index("lead_id")["position"]
    if before.empty:
        return
    lead_id = before.index[pick % len(before)]
    raised = leads.assign(raw_score=leads["raw_score"] + rise * (leads["lead_id"] == lead_id))
    after = select_handoffs(raised, capacity).chosen.set_index("lead_id")["position"]
    assert after[lead_id] <= before[lead_id]


@bounded
@given(lead_tables(), capacities)
def test_no_open_lead_left_out_beats_a_chosen_one_except_within_its_account(leads, capacity):
    chosen = select_handoffs(leads, capacity).chosen
    scores = leads.set_index("lead_id")["raw_score"]
    left = leads[leads["blocked"].isna() & ~leads["account_key"].isin(chosen["account_key"])]
    if len(chosen) and len(left):
        assert scores[chosen["lead_id"]].min() >= left["raw_score"].max()
    for row in chosen.itertuples():
        rivals = leads[leads["blocked"].isna() & (leads["account_key"] == row.account_key)]
        assert (-scores[row.lead_id], row.lead_id) == min(zip(-rivals["raw_score"], rivals["lead_id"], strict=True))


def test_each_filter_counts_what_it_removed_in_order():
    leads = pd.DataFrame(
        [
            ("u1", "A", 0.9, 4.0, "suppressed"),
            ("u2", "A", 0.5, 2.0, None),
            ("u3", "A", 0.5, 2.0, None),
            ("u4", "B", 0.4, 1.0, None),
            ("u5", "C", 0.3, 0.5, None),
            ("u6", "D", 0.8, 3.0, " "),
        ],
        columns=COLUMNS,
    )
    handoffs = select_handoffs(leads, Capacity(per_night=2))
    assert handoffs.chosen.to_dict("list") == {"lead_id": ["u2", "u4"], "account_key": ["A", "B"], "score": [0.5, 0.4], "position": [1, 2]}
    assert list(handoffs.removed.items()) == [(NO_REASON, 1), ("suppressed", 1), (SAME_ACCOUNT, 1), (OVER_CAPACITY, 1)]


def test_without_leads_there_are_no_handoffs():
    handoffs = select_handoffs(pd.DataFrame(columns=COLUMNS), Capacity())
    assert handoffs.chosen.columns.tolist() == ["lead_id", "account_key", "score", "position"]
    assert handoffs.chosen.empty
    assert handoffs.removed == {}


@pytest.mark.parametrize("column", ["lead_id", "account_key", "raw_score"])
def test_a_missing_key_or_score_is_refused(column):
    leads = pd.DataFrame([("u1", "A", 0.1, 1.0, None), ("u2", "B", 0.1, 1.0, None)], columns=COLUMNS)
    with pytest.raises(DataError, match=f"{column} is missing in 1 of 2"):
        select_handoffs(leads.assign(**{column: [leads[column][0], None]}), Capacity())


def test_a_blocked_lead_may_lack_a_score():
    leads = pd.DataFrame([("u1", "A", 0.1, 1.0, None), ("u2", None, None, None, "too little data")], columns=COLUMNS)
    assert select_handoffs(leads, Capacity()).removed == {"too little data": 1}


def test_a_lead_given_twice_is_refused():
    leads = pd.DataFrame([("u1", "A", 0.1, 1.0, None)] * 2, columns=COLUMNS)
    with pytest.raises(DataError, match="'u1' is given more than once"):
        select_handoffs(leads, Capacity())


def test_an_absent_column_is_named():
    with pytest.raises(TableError, match="blocked"):
        select_handoffs(pd.DataFrame(columns=COLUMNS[:-1]), Capacity())
