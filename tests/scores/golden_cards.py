"""What every row of the shipped cards gives, written as tables, and ways to ask a card."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd

from pls_ml.core.builtin import find_builtin
from pls_ml.io.yaml import read_spec
from pls_ml.scores.card import CardScores, Scorecard

Cases = dict[tuple[str, str], list[tuple[float, int]]]
SHIPPED = ("card_a", "card_a_literal", "card_b", "card_b_literal")

# row | signal | value:points, from the lowest value on
CARD_A = """
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
# named by the source without points
CARD_A_UNPAID = """
data_exported       | exports_30d               | 0:0 1:0 100:0
early_features      | features_first_14d        | 4:0 5:0 100:0
early_invites       | invites_first_7d          | 2:0 3:0 100:0
five_colleagues     | account_active_users_30d  | 4:0 5:0 100:0
two_departments     | account_departments_30d   | 1:0 2:0 100:0
pricing_again       | pricing_views_30d         | 1:0 2:0 100:0
"""
CARD_A_LITERAL = """
premium_features    | premium_features_30d      | 0:0 1:10 2:10 3:25 4:25 100:25
active_colleagues   | account_active_users_30d  | 0:0 2:0 3:15 4:15 9:15 10:40 11:40 100:40
dau_mau             | dau_mau                   | 0:0 0.29:0 0.3:0 0.3000001:10 0.4:10 0.5:10 0.5000001:30 1:30
pricing_viewed      | pricing_views_30d         | 0:0 1:10 2:10 3:30 4:30 100:30
"""
CARD_B = """
sessions            | sessions_7d               | 0:0 0.9:0 1:1 2:1 2.9:1 3:3 4:3 5:3 5.9:3 6:5 7:5 100:5
features            | features_30d              | 0:0 1:1 2:1 3:3 4:3 5:5 6:5 100:5
minutes             | minutes_per_session       | -1:0 0:0 0.01:1 9:1 9.99:1 10:3 11:3 29.99:3 30:5 31:5 600:5
actions             | events_7d                 | 0:0 1:1 2:1 5:1 6:3 7:3 14:3 15:3 16:5 17:5 1000:5
invites             | invites_lifetime          | -1:0 0:1 0.5:1 1:3 2:3 3:5 4:5 100:5
integrations        | integrations_lifetime     | -1:0 0:1 0.5:1 1:3 1.5:3 2:5 3:5 100:5
data_imported       | imports_lifetime          | -1:0 0:1 0.5:1 1:3 2:3 100:3
data_imported       | full_imports_lifetime     | 0:0 0.5:0 1:5 2:5 100:5
setup               | setup_steps_lifetime      | -1:0 0:1 1:1 2:3 3:3 4:5 5:5
pricing_viewed      | pricing_views_30d         | 0:0 1:3 2:3 100:3
upgrade_clicked     | upgrade_clicks_30d        | 0:0 1:5 2:5 100:5
plans_compared      | plans_compared_30d        | 0:0 1:4 2:4 100:4
limit_support       | limit_questions_30d       | 0:0 1:5 2:5 100:5
invoice_downloaded  | invoice_downloads_30d     | 0:0 1:3 2:3 100:3
api_key_created     | api_keys_30d              | 0:0 1:4 2:4 100:4
"""
CARD_B_LITERAL = """
minutes             | minutes_per_session       | -1:0 0:1 0.01:1 9:1 9.99:1 10:3 11:3 29.99:3 30:5 31:5 600:5
actions             | events_7d                 | 0:0 1:1 2:1 5:1 6:3 7:3 14:3 15:5 16:5 17:5 1000:5
"""


def read_golden(*tables: str) -> Cases:
    """(row, signal) → its values and points; a later table replaces lines of an earlier one."""
    lines = [[cell.strip() for cell in line.split("|")] for table in tables for line in table.strip().splitlines()]
    return {
        (row, signal): [(float(value), int(points)) for value, points in (case.split(":") for case in cases.split())]
        for row, signal, cases in lines
    }


GOLDEN: Mapping[str, Cases] = {
    "card_a": read_golden(CARD_A, CARD_A_UNPAID),
    "card_a_literal": read_golden(CARD_A, CARD_A_LITERAL),
    "card_b": read_golden(CARD_B),
    "card_b_literal": read_golden(CARD_B, CARD_B_LITERAL),
}


def list_cases(name: str) -> list[tuple[str, str, float, int]]:
    """Every golden case of a card: row, signal, value, points."""
    return [(row, signal, value, points) for (row, signal), cases in GOLDEN[name].items() for value, points in cases]


def best_signals(name: str) -> dict[str, float]:
    """For every signal of a card's rows that give points, the value that gives most."""
    return {signal: max(cases, key=lambda case: case[1])[0] for signal, cases in list_paid(name)}


def worst_signals(name: str) -> dict[str, float]:
    """For every signal of a card's rows that give points, the value that gives least."""
    return {signal: min(cases, key=lambda case: case[1])[0] for signal, cases in list_paid(name)}


def list_paid(name: str) -> list[tuple[str, list[tuple[float, int]]]]:
    """The signal and the cases of every row that gives or takes points."""
    return [(signal, cases) for (_, signal), cases in GOLDEN[name].items() if any(points for _, points in cases)]


@cache
def find_card(name: str) -> Scorecard:
    """A card that ships with the package."""
    return read_spec(find_builtin(f"scorecards/{name}.yaml"), Scorecard, "scorecard")


def score_lead(card: Scorecard, **signals: float | None) -> CardScores:
    """What a card says of one lead; signals not named are not in the table."""
    return card.score_leads(pd.DataFrame({name: [value] for name, value in signals.items()}, index=[0]))


def give_points(card: Scorecard, **signals: float | None) -> dict[str, int]:
    """Row id → points of one lead."""
    return dict(zip([row.id for row in card.rows], score_lead(card, **signals).row_points[0].tolist(), strict=True))


def find_score(card: Scorecard, **signals: float | None) -> float:
    """The score of one lead."""
    return float(score_lead(card, **signals).score[0])


def find_band(card: Scorecard, **signals: float | None) -> str:
    """The band of one lead."""
    return str(card.find_bands(score_lead(card, **signals))[0])


def say(row_points: list[list[float]], multiplier: list[float] | None = None) -> CardScores:
    """What an additive card would say of leads with these points by row, and what a multiplier adds."""
    points = np.array(row_points, dtype=float).reshape(len(row_points), -1)
    added = np.zeros(len(points)) if multiplier is None else np.array(multiplier)
    return CardScores(points.astype(np.int64), np.column_stack([points, added]), np.full(len(points), -1))
