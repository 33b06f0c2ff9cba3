"""Golden cases of scorecard A: what every row gives below, at and above each of its thresholds."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

# row | signal | value:points, from the lowest value on
GOLDEN = """
premium_features    | premium_features_30d      | 0:0 1:10 2:10 3:15 4:15 100:15
limit_hit           | limits_hit_30d            | 0:0 1:20 2:20 100:20
api_or_integrations | api_or_integrations_30d   | 0:0 1:15 2:15 100:15
distinct_features   | features_30d              | 0:0 4:0 5:10 6:10 100:10
invited             | invites_lifetime          | 0:0 1:10 2:10 3:20 4:20 5:20 6:30 7:30 100:30
active_colleagues   | account_active_users_30d  | 0:0 2:0 3:15 4:15 9:15 10:25 11:25 100:25
shared_externally   | shared_externally_30d     | 0:0 1:10 2:10 100:10
fast_activation     | seconds_to_activation     | 0:10 3599:10 3599.999999:10 3600:0 3600.000001:0 86400:0
dau_mau             | dau_mau                   | 0:0 0.29:0 0.3:0 0.3000001:10 0.4:10 0.5:10 0.5000001:20 1:20
usage_rising        | usage_rising              | 0:0 1:15 2:15
active_week         | active_days_7d            | 0:0 4:0 5:15 6:15 7:15
pricing_viewed      | pricing_views_30d         | 0:0 1:10 2:10 3:20 4:20 100:20
upgrade_abandoned   | upgrade_abandoned_30d     | 0:0 1:25 2:25
enterprise_requested| enterprise_requests_90d   | 0:0 1:30 2:30 100:30
billing_support     | billing_questions_30d     | 0:0 1:20 2:20 100:20
company_size        | employees                 | 0:0 49:0 49.9:0 50:10 51:10 499:10 500:20 501:20 1e6:20
target_industry     | target_industry           | 0:0 1:10 2:10
icp_match           | icp_match                 | 0:0 1:15 2:15
inactive            | events_7d                 | 0:-20 0.5:-20 1:0 2:0 100:0
usage_declining     | usage_declining           | 0:0 1:-15 2:-15
lone_user           | lone_user                 | 0:0 1:-10 2:-10
only_free_features  | only_free_features        | 0:0 1:-10 2:-10
"""


def read_golden():
    lines = [[cell.strip() for cell in line.split("|")] for line in GOLDEN.strip().splitlines()]
    return {
        (row, signal): [(float(value), int(points)) for value, points in (case.split(":") for case in cases.split())]
        for row, signal, cases in lines
    }


CASES = [(row, signal, value, points) for (row, signal), cases in read_golden().items() for value, points in cases]
USAGE_ROWS = [
    (row, signal, value)
    for (row, signal), cases in read_golden().items()
    for value, points in cases
    if points == max(p for _, p in cases) > 0 and row not in ("active_colleagues", "company_size", "target_industry", "icp_match")
]
FIT_ONLY = {"employees": 500.0, "target_industry": 1.0, "icp_match": 1.0}


def give_points(card, **signals):
    """Row id → points of one lead; signals not named are not in the table."""
    points = card.row_points(pd.DataFrame({name: [value] for name, value in signals.items()}, index=[0]))
    return dict(zip([row.id for row in card.rows], points[0].tolist(), strict=True))


def find_band(card, **signals):
    return str(card.find_bands(card.row_points(pd.DataFrame({name: [value] for name, value in signals.items()})))[0])


@pytest.mark.parametrize(("row", "signal", "value", "points"), CASES)
def test_a_row_gives_its_points_below_at_and_above_each_threshold(card_a, row, signal, value, points):
    given = give_points(card_a, **{signal: value})

    assert given.pop(row) == points
    assert not any(given.values()), "no other row may read this signal"


def test_the_golden_cases_cover_every_row_and_both_sides_of_every_rung(card_a):
    golden = read_golden()

    assert {(row.id, row.signal) for row in card_a.rows} == set(golden)
    for row in card_a.rows:
        values = [value for value, _ in golden[row.id, row.signal]]
        bounds = [next(b for b in (rung.gte, rung.gt, rung.lt) if b is not None) for rung in row.rungs]
        for bound, before in zip(bounds, [-np.inf, *bounds], strict=False):
            assert bound in values
            assert any(before <= value < bound for value in values)
            assert any(value > bound for value in values)


@pytest.mark.parametrize(("row", "signal"), list(read_golden()))
def test_a_missing_value_gives_no_points(card_a, row, signal):
    assert give_points(card_a, **{signal: np.nan})[row] == 0
    assert give_points(card_a)[row] == 0


@pytest.mark.parametrize(
    ("active", "days", "points"),
    [(3, 10, 0), (6, 20, 0), (9, 30, 0), (10, 30, 10), (4, 8, 10), (5, 10, 10), (15, 30, 10), (16, 30, 20)],
)
def test_a_share_of_days_active_must_lie_strictly_above_its_threshold(card_a, active, days, points):
    assert give_points(card_a, dau_mau=active / days)["dau_mau"] == points


def test_only_the_highest_rung_of_a_ladder_counts(card_a):
    given = give_points(card_a, invites_lifetime=6, pricing_views_30d=3, dau_mau=0.9, account_active_users_30d=10, premium_features_30d=3)

    assert sum(given.values()) == 30 + 20 + 20 + 25 + 15


def test_points_range_from_minus_55_to_325_and_both_ends_are_reached(card_a):
    best = {signal: max(cases, key=lambda case: case[1])[0] for (_, signal), cases in read_golden().items()}
    worst = {signal: min(cases, key=lambda case: case[1])[0] for (_, signal), cases in read_golden().items()}

    assert card_a.range == (-55, 325)
    assert sum(give_points(card_a, **best).values()) == 325
    assert sum(give_points(card_a, **worst).values()) == -55


@pytest.mark.parametrize(
    ("points", "band"),
    [
        (-55, "Not a PQL"), (29, "Not a PQL"), (30, "Emerging"), (31, "Emerging"), (49, "Emerging"), (50, "Warm"), (51, "Warm"),
        (79, "Warm"), (80, "Hot"), (81, "Hot"), (325, "Hot"),
    ],
)  # fmt: skip
def test_a_band_begins_at_its_lower_bound(card_a, points, band):
    rows = np.zeros((1, len(card_a.rows)), dtype=np.int64)
    rows[0, 0], rows[0, 1] = 400, points - 400  # a positive usage row, so that the gate is open

    assert card_a.find_bands(rows).tolist() == [band]


def test_fit_alone_stays_emerging(card_a):
    assert sum(give_points(card_a, **FIT_ONLY).values()) == 45
    assert find_band(card_a, **FIT_ONLY) == "Emerging"


def test_an_idle_user_of_a_big_and_busy_account_stays_emerging(card_a):
    signals = FIT_ONLY | {"account_active_users_30d": 10.0}

    assert sum(give_points(card_a, **signals).values()) == 70
    assert find_band(card_a, **signals) == "Emerging"


@pytest.mark.parametrize(("row", "signal", "value"), USAGE_ROWS)
def test_one_positive_usage_row_of_the_person_opens_the_gate(card_a, row, signal, value):
    signals = FIT_ONLY | {"account_active_users_30d": 10.0, signal: value}

    total = sum(give_points(card_a, **signals).values())

    assert total >= 80
    assert find_band(card_a, **signals) == "Hot"


def test_every_user_row_of_the_gates_families_was_tried(card_a):
    counted = {row.id for row in card_a.rows if row.family in card_a.gate.families} - set(card_a.gate.account_rows)

    assert {row for row, _, _ in USAGE_ROWS} == counted


def test_the_gate_never_lifts_a_band(card_a):
    assert find_band(card_a, employees=500.0) == "Not a PQL"
    assert find_band(card_a, employees=500.0, target_industry=1.0) == "Emerging"


SIGNALS = sorted(signal for _, signal in read_golden())
FALLING = {"seconds_to_activation", "usage_declining", "lone_user", "only_free_features"}
numbers = st.one_of(st.none(), st.floats(0, 5000, allow_nan=False), st.integers(0, 12))


@settings(max_examples=300, deadline=None)
@given(
    values=st.fixed_dictionaries(dict.fromkeys(SIGNALS, numbers)),
    signal=st.sampled_from(SIGNALS),
    ends=st.tuples(st.floats(0, 5000), st.floats(0, 5000)),
)
def test_points_and_band_never_fall_when_a_signal_moves_the_right_way(card_a, values, signal, ends):
    low, high = sorted(ends)
    worse, better = (high, low) if signal in FALLING else (low, high)

    frames = [pd.DataFrame([{k: np.nan if v is None else v for k, v in (values | {signal: end}).items()}]) for end in (worse, better)]
    points = [card_a.row_points(frame) for frame in frames]
    place = [card_a.band_names.index(card_a.find_bands(p)[0]) for p in points]

    assert points[1].sum() >= points[0].sum()
    assert place[1] <= place[0]
    assert -55 <= points[0].sum() <= 325
