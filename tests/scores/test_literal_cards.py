"""Both cards as their sources write them, with the defects that a linter must find: stacked rows, no windows, bands out of reach."""

import numpy as np
import pytest
from golden_cards import GOLDEN, SHIPPED, best_signals, find_band, find_card, find_score, give_points, list_cases, say, score_lead

LITERAL = [(f"card_{letter}_literal", f"card_{letter}") for letter in "ab"]
A, B = find_card("card_a_literal"), find_card("card_b_literal")
WITHOUT_WINDOW = {
    "card_a_literal": """premium_features limit_hit api_or_integrations distinct_features invited active_colleagues shared_externally
        pricing_viewed upgrade_abandoned enterprise_requested billing_support""",
    "card_b_literal": "pricing_viewed upgrade_clicked plans_compared limit_support invoice_downloaded api_key_created",
}


@pytest.mark.parametrize(("row", "signal", "value", "points"), list_cases("card_a_literal"))
def test_a_row_of_card_a_gives_its_points_below_at_and_above_each_threshold(row, signal, value, points):
    given = give_points(A, **{signal: value})

    assert given.pop(row) == points
    assert not any(given.values()), "no other row may read this signal"


@pytest.mark.parametrize(("row", "signal", "value", "points"), list_cases("card_b_literal"))
def test_a_row_of_card_b_gives_its_points_below_at_and_above_each_threshold(row, signal, value, points):
    given = give_points(B, **{signal: value})

    assert given.pop(row) == points
    assert not any(given.values()), "no other row may read this signal"


@pytest.mark.parametrize(("name", "signal"), [(name, signal) for name, _ in LITERAL for _, signal in GOLDEN[name]])
def test_a_missing_value_gives_no_points(name, signal):
    assert not any(give_points(find_card(name), **{signal: np.nan}).values())


@pytest.mark.parametrize(("literal", "decided"), LITERAL)
def test_rows_points_and_signals_are_those_of_the_decided_card(literal, decided):
    written, card = find_card(literal), find_card(decided)
    paid = [row for row in card.rows if any(row.range)]  # what a source names without points is no row of its own card

    assert [row.id for row in written.rows] == [row.id for row in paid]
    assert [row.signals for row in written.rows] == [row.signals for row in paid]
    assert [[rung.points for rung in row.rungs] for row in written.rows] == [[rung.points for rung in row.rungs] for row in paid]
    assert written.multiplier == card.multiplier
    assert [block.weight for block in written.blocks] == [block.weight for block in card.blocks]


def test_of_the_sources_rows_17_name_no_window_and_the_decided_cards_name_all():
    unstated = {name: {row.id for row in find_card(name).rows if row.window == "unstated"} for name in SHIPPED}

    assert unstated == {"card_a": set(), "card_b": set()} | {name: set(rows.split()) for name, rows in WITHOUT_WINDOW.items()}
    assert sum(map(len, unstated.values())) == 17


def test_rows_of_the_same_signal_both_count_on_card_a():
    assert {row.id for row in A.rows if row.ladder == "stacked"} == {"premium_features", "active_colleagues", "dau_mau", "pricing_viewed"}
    assert find_score(A, premium_features_30d=3, pricing_views_30d=3, dau_mau=0.6, account_active_users_30d=10) == 25 + 30 + 30 + 40
    assert find_score(A, invites_lifetime=6, employees=500) == 30 + 20


def test_card_a_ranges_from_minus_55_to_370():
    worst = {signal: min(cases, key=lambda case: case[1])[0] for (_, signal), cases in GOLDEN["card_a_literal"].items()}

    assert [sum(ends) for ends in zip(*(row.range for row in A.rows), strict=True)] == [-55, 370]
    assert find_score(A, **best_signals("card_a_literal")) == 370
    assert find_score(A, **worst) == -55


def test_fit_and_colleagues_alone_reach_warm_and_hot_on_card_a_and_one_family_is_enough():
    fit = {"employees": 500, "target_industry": 1, "icp_match": 1}

    assert find_band(A, **fit) == "Emerging"
    assert find_band(A, **fit, account_active_users_30d=3) == "Warm"
    assert find_band(A, **fit, account_active_users_30d=10) == "Hot"
    assert A.may_reach_out(score_lead(A, **fit)).tolist() == [True]


def test_the_best_lead_of_card_b_has_exactly_31_8_and_reaches_no_band():
    best = best_signals("card_b_literal") | {"employees": 1001}

    assert find_score(B, **best) == 31.8
    assert find_band(B, **best) == "Not ready"


def test_doing_nothing_earns_engagement_on_card_b():
    idle = dict.fromkeys(B.signals, 0.0) | {"minutes_per_session": np.nan}

    assert find_score(B, **idle) == 1.2


@pytest.mark.parametrize(
    ("signals", "score"),
    [
        ({"sessions_7d": 3, "features_30d": 2, "minutes_per_session": 15, "events_7d": 15}, 4.8),
        ({"invites_lifetime": 1, "integrations_lifetime": 0, "imports_lifetime": 0, "setup_steps_lifetime": 4}, 3.0),
        ({"pricing_views_30d": 2, "plans_compared_30d": 1}, 2.1),
        ({"pricing_views_30d": 2, "plans_compared_30d": 1, "employees": 1001}, 3.15),
        ({"pricing_views_30d": 2, "plans_compared_30d": 1, "employees": 51}, 2.52),
        ({"pricing_views_30d": 2, "plans_compared_30d": 1, "free_mail": 1}, 1.05),
    ],
)
def test_blocks_of_card_b_weigh_plain_points(signals, score):
    assert find_score(B, **signals) == score


@pytest.mark.parametrize(
    ("card", "score", "band"),
    [
        (A, 29, "Not a PQL"), (A, 30, "Emerging"), (A, 49, "Emerging"), (A, 50, "Warm"), (A, 79, "Warm"), (A, 80, "Hot"),
        (B, 39, "Not ready"), (B, 40, "Developing"), (B, 59, "Developing"), (B, 60, "Warm"), (B, 79, "Warm"), (B, 80, "Hot"),
    ],
)  # fmt: skip
def test_bands_are_those_of_the_source(card, score, band):
    nothing = [0.0] * len(card.rows)

    assert card.find_bands(say([nothing], [score])).tolist() == [band]
