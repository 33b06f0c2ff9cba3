"""Both cards as an analyst would write them for once: column arithmetic in pandas and numpy, thresholds in the code, bands at the end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Result = tuple[npt.NDArray[np.float64], npt.NDArray[np.str_]]
"""Scores and bands."""


def pick(values: pd.Series, *rungs: tuple[float, int]) -> npt.NDArray[np.int64]:
    """The points of the highest rung reached; rungs from the hardest on."""
    return np.select([values >= bound for bound, _ in rungs], [points for _, points in rungs], 0)


def card_a(d: pd.DataFrame) -> Result:
    """Scorecard A: additive points, and the gate that keeps fit and colleagues alone in Emerging."""
    own = (
        pick(d["premium_features_30d"], (3, 15), (1, 10))
        + np.where(d["limits_hit_30d"] >= 1, 20, 0)
        + np.where(d["api_or_integrations_30d"] >= 1, 15, 0)
        + np.where(d["features_30d"] >= 5, 10, 0)
        + pick(d["invites_lifetime"], (6, 30), (3, 20), (1, 10))
        + np.where(d["shared_externally_30d"] >= 1, 10, 0)
        + np.where(d["seconds_to_activation"] < 3600, 10, 0)
        + np.select([d["dau_mau"] > 0.5, d["dau_mau"] > 0.3], [20, 10], 0)
        + np.where(d["usage_rising"] >= 1, 15, 0)
        + np.where(d["active_days_7d"] >= 5, 15, 0)
        + pick(d["pricing_views_30d"], (3, 20), (1, 10))
        + np.where(d["upgrade_abandoned_30d"] >= 1, 25, 0)
        + np.where(d["enterprise_requests_90d"] >= 1, 30, 0)
        + np.where(d["billing_questions_30d"] >= 1, 20, 0)
    )
    account = (
        pick(d["account_active_users_30d"], (10, 25), (3, 15))
        + pick(d["employees"], (500, 20), (50, 10))
        + np.where(d["target_industry"] >= 1, 10, 0)
        + np.where(d["icp_match"] >= 1, 15, 0)
    )
    against = (
        np.where(d["events_7d"] < 1, -20, 0)
        + np.where(d["usage_declining"] >= 1, -15, 0)
        + np.where(d["lone_user"] >= 1, -10, 0)
        + np.where(d["only_free_features"] >= 1, -10, 0)
    )
    points = own + account + against
    bands = np.select([(points >= 80) & (own > 0), (points >= 50) & (own > 0), points >= 30], ["Hot", "Warm", "Emerging"], "Not a PQL")
    return points.astype(float), bands


def card_b(d: pd.DataFrame) -> Result:
    """Scorecard B: three blocks from 0 to 100, times what the company is."""
    usage = (
        pick(d["sessions_7d"], (6, 5), (3, 3), (1, 1))
        + pick(d["features_30d"], (5, 5), (3, 3), (1, 1))
        + np.select([d["minutes_per_session"] >= 30, d["minutes_per_session"] >= 10, d["minutes_per_session"] > 0], [5, 3, 1], 0)
        + pick(d["events_7d"], (16, 5), (6, 3), (1, 1))
    )
    engagement = (
        pick(d["invites_lifetime"], (3, 4), (1, 2))
        + pick(d["integrations_lifetime"], (2, 4), (1, 2))
        + np.select([d["full_imports_lifetime"] >= 1, d["imports_lifetime"] >= 1], [4, 2], 0)
        + pick(d["setup_steps_lifetime"], (4, 4), (2, 2))
    )
    intent = (
        np.where(d["pricing_views_30d"] >= 1, 3, 0)
        + np.where(d["upgrade_clicks_30d"] >= 1, 5, 0)
        + np.where(d["plans_compared_30d"] >= 1, 4, 0)
        + np.where(d["limit_questions_30d"] >= 1, 5, 0)
        + np.where(d["invoice_downloads_30d"] >= 1, 3, 0)
        + np.where(d["api_keys_30d"] >= 1, 4, 0)
    )
    company = [
        d["employees"] > 1000,
        (d["employees"] > 50) | (d["account_users"] > 10),
        d["account_new_users_30d"] >= 0,
        d["free_mail"] >= 1,
    ]
    score = (40 * usage / 20 + 30 * engagement / 16 + 30 * intent / 24) * np.select(company, [1.5, 1.2, 1.0, 0.5], 1.0)
    score = np.round(score, 9)
    return score, np.select([score >= 80, score >= 60, score >= 40], ["Hot", "Warm", "Developing"], "Not ready")
