"""Golden cases of scorecard B: what every row gives, blocks from 0 to 100, what the company multiplies by, and bands."""

import numpy as np
import pytest
from golden_cards import GOLDEN, best_signals, find_band, find_card, find_score, give_points, list_cases, say, score_lead

CARD = find_card("card_b")
BEST = best_signals("card_b")
IDLE = dict.fromkeys(CARD.signals, 0.0) | {"minutes_per_session": np.nan, "employees": np.nan}
SMB = {"account_new_users_30d": 0.0, "account_users": 1.0}


@pytest.mark.parametrize(("row", "signal", "value", "points"), list_cases("card_b"))
def test_a_row_gives_its_points_below_at_and_above_each_threshold(row, signal, value, points):
    given = give_points(CARD, **{signal: value})

    assert given.pop(row) == points
    assert not any(given.values()), "no other row may read this signal"


@pytest.mark.parametrize(("row", "signal"), list(GOLDEN["card_b"]))
def test_a_missing_value_gives_no_points(row, signal):
    assert give_points(CARD, **{signal: np.nan})[row] == 0
    assert give_points(CARD)[row] == 0


@pytest.mark.parametrize(
    ("imports", "full_imports", "points"),
    [(0, 0, 1), (1, 0, 3), (4, 0, 3), (1, 1, 5), (4, 2, 5), (1, np.nan, 3), (np.nan, 1, 5), (np.nan, np.nan, 0)],
)
def test_data_imported_is_none_some_or_full(imports, full_imports, points):
    assert give_points(CARD, imports_lifetime=imports, full_imports_lifetime=full_imports)["data_imported"] == points


# Sums of points by hand. Usage: of 20. Engagement: of 20, less the 4 that doing nothing earns, so of 16. Intent: of 24.
BLOCKS = [
    ({"sessions_7d": 3, "features_30d": 2, "minutes_per_session": 15, "events_7d": 16}, 0.4 * 100 * 12 / 20),
    ({"sessions_7d": 2}, 0.4 * 100 * 1 / 20),
    ({"minutes_per_session": 30}, 0.4 * 100 * 5 / 20),
    ({"invites_lifetime": 1, "integrations_lifetime": 0, "imports_lifetime": 0, "setup_steps_lifetime": 4}, 0.3 * 100 * 6 / 16),
    ({"invites_lifetime": 3}, 0.3 * 100 * 4 / 16),
    ({"full_imports_lifetime": 1, "imports_lifetime": 3}, 0.3 * 100 * 4 / 16),
    ({"invites_lifetime": 0, "integrations_lifetime": 0, "imports_lifetime": 0, "setup_steps_lifetime": 1}, 0),
    ({"pricing_views_30d": 2, "plans_compared_30d": 1}, 0.3 * 100 * 7 / 24),
    ({"upgrade_clicks_30d": 1, "limit_questions_30d": 1, "invoice_downloads_30d": 1, "api_keys_30d": 1}, 0.3 * 100 * 17 / 24),
]


@pytest.mark.parametrize(("signals", "score"), BLOCKS)
def test_a_block_counts_from_0_to_100_by_its_own_maximum_times_its_weight(signals, score):
    assert find_score(CARD, **signals) == pytest.approx(score, abs=1e-9)


def test_blocks_add_up():
    signals = BLOCKS[0][0] | BLOCKS[3][0] | BLOCKS[7][0]

    assert find_score(CARD, **signals) == 24 + 11.25 + 8.75 == 44
    assert find_band(CARD, **signals) == "Developing"


def test_an_idle_lead_has_nothing_for_doing_nothing():
    given = give_points(CARD, **IDLE)

    assert sum(given.values()) == 4
    assert find_score(CARD, **IDLE) == 0
    assert find_band(CARD, **IDLE) == "Not ready"


def test_the_score_reaches_from_0_to_100_and_for_large_companies_to_150():
    assert find_score(CARD, **IDLE) == find_score(CARD) == 0
    assert find_score(CARD, **BEST | SMB) == 100
    assert find_score(CARD, **BEST | {"employees": 51}) == 120
    assert find_score(CARD, **BEST | {"employees": 1001}) == 150
    assert np.clip(find_score(CARD, **BEST | {"employees": 1001}), 0, 100) == 100


@pytest.mark.parametrize(
    ("signals", "factor", "times"),
    [
        ({"employees": 1001}, "enterprise", 1.5),
        ({"employees": 1000}, "mid_market", 1.2),
        ({"employees": 51}, "mid_market", 1.2),
        (SMB | {"employees": 50}, "smb", 1.0),
        (SMB | {"employees": 50, "account_users": 10}, "smb", 1.0),
        (SMB | {"employees": 50, "account_users": 11}, "mid_market", 1.2),
        (SMB | {"account_users": 11}, "mid_market", 1.2),
        (SMB | {"employees": 5000, "account_users": 11}, "enterprise", 1.5),
        (SMB, "smb", 1.0),
        (SMB | {"account_new_users_30d": 30}, "smb", 1.0),
        (SMB | {"free_mail": 1}, "smb", 1.0),
        (SMB | {"free_mail": 1, "employees": 51}, "mid_market", 1.2),
        ({"free_mail": 1, "account_users": 1}, "consumer", 0.5),
        ({"free_mail": 1, "account_users": 1, "employees": np.nan, "account_new_users_30d": np.nan}, "consumer", 0.5),
        ({"free_mail": 0, "account_users": 1}, None, 1.0),
        ({"free_mail": np.nan, "account_users": 1}, None, 1.0),
        ({}, None, 1.0),
    ],
)
def test_what_the_company_is_multiplies_the_score(signals, factor, times):
    plain = find_score(CARD, **BLOCKS[0][0])

    said = score_lead(CARD, **BLOCKS[0][0] | signals)

    assert [*(one.name for one in CARD.multiplier), None][said.factors[0]] == factor
    assert said.score.tolist() == [pytest.approx(plain * times, abs=1e-9)]
    assert said.shares[0, -1] == pytest.approx(plain * (times - 1), abs=1e-9)


def test_fit_alone_multiplies_nothing():
    signals = IDLE | {"employees": 90_000, "account_users": 300, "account_new_users_30d": 40}

    assert find_score(CARD, **signals) == 0
    assert not CARD.may_reach_out(score_lead(CARD, **signals))[0]


@pytest.mark.parametrize(
    ("score", "band"),
    [
        (0, "Not ready"), (39, "Not ready"), (39.999999999, "Not ready"), (40, "Developing"), (41, "Developing"),
        (59.999999999, "Developing"), (60, "Warm"), (61, "Warm"), (79.999999999, "Warm"), (80, "Hot"), (81, "Hot"), (150, "Hot"),
    ],
)  # fmt: skip
def test_a_band_begins_at_its_lower_bound(score, band):
    nothing = [0.0] * len(CARD.rows)

    assert CARD.find_bands(say([nothing], [score])).tolist() == [band]


# 50, and times 1.2 exactly 60: the last bit of a binary number must not decide.
@pytest.mark.parametrize(
    "signals",
    [
        {"sessions_7d": 6, "features_30d": 5, "minutes_per_session": 30, "invites_lifetime": 2, "integrations_lifetime": 2,
         "imports_lifetime": 0, "setup_steps_lifetime": 2, "api_keys_30d": 1},
        {"sessions_7d": 6, "features_30d": 5, "minutes_per_session": 30, "events_7d": 20, "upgrade_clicks_30d": 1,
         "invoice_downloads_30d": 1},
    ],
)  # fmt: skip
def test_a_lead_on_the_edge_of_a_band_is_in_the_better_one(signals):
    assert find_score(CARD, **signals) == 50
    assert find_score(CARD, **signals, employees=51) == 60
    assert find_band(CARD, **signals, employees=51) == "Warm"


def test_without_invoices_the_card_does_without_their_row():
    signals = {name: value for name, value in BEST.items() if name != "invoice_downloads_30d"}

    assert find_score(CARD, **signals) == pytest.approx(40 + 30 + 30 * 21 / 24, abs=1e-9)


def test_weights_are_one_together_and_every_row_stands_in_a_block():
    assert sum(block.weight for block in CARD.blocks) == pytest.approx(1, abs=1e-12)
    assert [(block.id, sum(row.range[1] for row in CARD.rows if row.block == block.id)) for block in CARD.blocks] == [
        ("usage", 20), ("engagement", 20), ("intent", 24),
    ]  # fmt: skip


def test_outreach_needs_two_families_beyond_what_doing_nothing_earns():
    def allowed(**signals):
        return bool(CARD.may_reach_out(score_lead(CARD, **IDLE | signals))[0])

    assert not allowed(sessions_7d=9, events_7d=99, minutes_per_session=30)
    assert not allowed(upgrade_clicks_30d=1, pricing_views_30d=3)
    assert allowed(sessions_7d=1, invites_lifetime=1)
    assert allowed(features_30d=1, upgrade_clicks_30d=1)
