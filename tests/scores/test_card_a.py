"""Golden cases of scorecard A: what every row gives below, at and above each of its thresholds, its bands and its gate."""

import numpy as np
import pytest
from golden_cards import GOLDEN, best_signals, find_band, give_points, list_cases, say, score_lead, worst_signals

USAGE_ROWS = [
    (row, signal, value)
    for (row, signal), cases in GOLDEN["card_a"].items()
    for value, points in cases
    if points == max(p for _, p in cases) > 0 and row not in ("active_colleagues", "company_size", "target_industry", "icp_match")
]
FIT_ONLY = {"employees": 500.0, "target_industry": 1.0, "icp_match": 1.0}


@pytest.mark.parametrize(("row", "signal", "value", "points"), list_cases("card_a"))
def test_a_row_gives_its_points_below_at_and_above_each_threshold(card_a, row, signal, value, points):
    given = give_points(card_a, **{signal: value})

    assert given[row] == points
    readers = {other for other, read in GOLDEN["card_a"] if read == signal}
    assert not any(given[other] for other in given.keys() - readers), "no other row may read this signal"


@pytest.mark.parametrize(("row", "signal"), list(GOLDEN["card_a"]))
def test_a_missing_value_gives_no_points(card_a, row, signal):
    assert give_points(card_a, **{signal: np.nan})[row] == 0
    assert give_points(card_a)[row] == 0


@pytest.mark.parametrize(
    ("active", "days", "points"),
    [(3, 10, 0), (6, 20, 0), (9, 30, 0), (10, 30, 10), (4, 8, 10), (5, 10, 10), (15, 30, 10), (16, 30, 20)],
)
def test_a_share_of_days_active_must_lie_strictly_above_its_threshold(card_a, active, days, points):
    assert give_points(card_a, dau_mau=active / days)["dau_mau"] == points


def test_signals_that_the_source_names_without_points_have_rows_that_give_none(card_a):
    unpaid = {row.id: (row.signal, row.rungs[0].gte) for row in card_a.rows if not any(row.range)}

    assert unpaid == {
        "data_exported": ("exports_30d", 1),
        "two_departments": ("account_departments_30d", 2),
        "pricing_again": ("pricing_views_30d", 2),
        "five_colleagues": ("account_active_users_30d", 5),
        "early_invites": ("invites_first_7d", 3),
        "early_features": ("features_first_14d", 5),
    }


def test_only_the_highest_rung_of_a_ladder_counts(card_a):
    given = give_points(card_a, invites_lifetime=6, pricing_views_30d=3, dau_mau=0.9, account_active_users_30d=10, premium_features_30d=3)

    assert sum(given.values()) == 30 + 20 + 20 + 25 + 15


def test_points_range_from_minus_55_to_325_and_both_ends_are_reached(card_a):
    assert [sum(ends) for ends in zip(*(row.range for row in card_a.rows), strict=True)] == [-55, 325]
    assert sum(give_points(card_a, **best_signals("card_a")).values()) == 325
    assert sum(give_points(card_a, **worst_signals("card_a")).values()) == -55


def test_the_score_is_the_sum_of_whole_points(card_a):
    said = score_lead(card_a, **best_signals("card_a") | {"events_7d": 0.0, "lone_user": 1.0})

    assert said.score.tolist() == [295]
    assert said.shares.tolist() == [[*said.row_points[0].tolist(), 0]]


@pytest.mark.parametrize(
    ("points", "band"),
    [
        (-55, "Not a PQL"), (29, "Not a PQL"), (30, "Emerging"), (31, "Emerging"), (49, "Emerging"), (50, "Warm"), (51, "Warm"),
        (79, "Warm"), (80, "Hot"), (81, "Hot"), (325, "Hot"),
    ],
)  # fmt: skip
def test_a_band_begins_at_its_lower_bound(card_a, points, band):
    rows = [400, points - 400] + [0] * (len(card_a.rows) - 2)  # a positive usage row, so that the gate is open

    assert card_a.find_bands(say([rows])).tolist() == [band]


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
    counted = {row.id for row in card_a.rows if row.family in card_a.gate.families and row.scope == "user" and any(row.range)}

    assert {row for row, _, _ in USAGE_ROWS} == counted


def test_the_gate_never_lifts_a_band(card_a):
    assert find_band(card_a, employees=500.0) == "Not a PQL"
    assert find_band(card_a, employees=500.0, target_industry=1.0) == "Emerging"


@pytest.mark.parametrize(
    ("signals", "allowed"),
    [
        ({}, False),
        ({"enterprise_requests_90d": 3}, False),
        ({"enterprise_requests_90d": 3, "pricing_views_30d": 3, "billing_questions_30d": 1}, False),
        ({"enterprise_requests_90d": 3, "events_7d": 0}, False),
        ({"enterprise_requests_90d": 3, "employees": 50}, True),
        ({"invites_lifetime": 1, "account_active_users_30d": 10}, False),
        ({"invites_lifetime": 1, "dau_mau": 0.4}, True),
    ],
)
def test_outreach_needs_two_families_that_speak_for_the_lead(card_a, signals, allowed):
    assert card_a.may_reach_out(score_lead(card_a, **signals)).tolist() == [allowed]
