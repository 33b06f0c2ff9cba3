"""Worked out by hand: what is missing when nothing happened, plain measures, ratios and rules, and repeated events."""

from datetime import datetime

from signals.golden_case import MISSING, US, Case

NOTHING_HAPPENED = [
    Case(
        "a lead without events has zero counts and flags, and no last action, activation or shares",
        {
            "events_7d": 0,
            "events_90d": 0,
            "features_30d": 0,
            "minutes_30d": 0,
            "active_days_30d": 0,
            "setup_steps_lifetime": 0,
            "upgrade_abandoned_30d": 0,
            "usage_rising": 0,
            "usage_declining": 0,
            "only_free_features": 0,
            "account_active_users_30d": 0,
            "account_feature_uses_30d": 0,
            "account_users": 1,
            "lone_user": 1,
            "dau_mau": 0,
            "age_days": 60,
            "days_since_last": MISSING,
            "seconds_to_activation": MISSING,
            "activity_change": MISSING,
            "last_account": MISSING,
        },
    ),
    Case(
        "a lead without account has no account signals, and counts as alone",
        {
            "account_active_users_30d": MISSING,
            "account_feature_uses_30d": MISSING,
            "account_pricing_views_30d": MISSING,
            "employees": MISSING,
            "industry": MISSING,
            "account_users": 1,
            "lone_user": 1,
            "target_industry": 0,
            "icp_match": 0,
            "feature_uses_30d": 1,
            "count_of_account_2d": MISSING,
            "rising_of_account": MISSING,
        },
        "user | event | when | tier\n me | feature_used | -1d | premium",
        people="user | account | signup\n me | | -60d\n alone | | -60d",
    ),
    Case(
        "without a signup there is no age, and nothing that needs one",
        {
            "age_days": MISSING,
            "dau_mau": MISSING,
            "seconds_to_activation": MISSING,
            "per_day": MISSING,
            "new": 0,
            "lone_user": 0,
            "only_free_features": 0,
            "events_30d": 1,
        },
        "user | event | when\n me | activated | -1d",
        people="user | account\n me | co",
    ),
    Case(
        "an account that the accounts table does not list has no attributes, but its users and events count",
        {"employees": MISSING, "industry": MISSING, "account_active_users_30d": 1, "account_users": 2},
        "user | event | when\n mate | activated | -1d",
        people=US,
        accounts="account | employees\n rival | 7",
    ),
    Case(
        "events without the property are not counted as one of its values",
        {"premium_features_30d": 0, "features_30d": 1, "feature_uses_30d": 3, "minutes_30d": 0, "sum_of_account_2d": 0},
        """
        user | event        | when | feature | tier
        me   | feature_used | -1d  | a       |
        me   | feature_used | -2d  | a       | free
        me   | feature_used | -3d  |         | premium
        """,
    ),
]

MEASURES = [
    Case(
        "distinct values count once, and only where the filter holds",
        {"premium_features_30d": 2, "features_30d": 3, "feature_uses_30d": 5, "feature_uses_7d": 4, "account_premium_features_30d": 2},
        """
        user | event        | when | feature | tier
        me   | feature_used | -1d  | a       | premium
        me   | feature_used | -1d  | a       | premium
        me   | feature_used | -2d  | b       | premium
        me   | feature_used | -3d  | c       | free
        me   | feature_used | -8d  | a       | free
        me   | exported     | -1d  | d       | premium
        """,
    ),
    Case(
        "a total adds the property in the window and scales it",
        {"minutes_30d": 2.5, "sum_of_account_2d": -330, "sum_of_account_other_4w": -30},
        """
        user | event         | when      | duration_s | tier
        me   | session_end   | -30d      | 90         |
        me   | session_end   | -1d       | 60         | premium
        me   | session_end   | -30d -1us | 600        |
        me   | session_start | -1d       | 600        |
        """,
    ),
    Case(
        "active days are days of the calendar in UTC, not spans of 24 hours",
        {"active_days_7d": 3, "active_days_30d": 4, "events_7d": 5},
        """
        user | event         | when
        me   | page_viewed   | -1us
        me   | page_viewed   | -1d
        me   | page_viewed   | -1d -1us
        me   | session_start | -7d
        me   | session_start | -7d +23h
        me   | session_start | -7d -1us
        """,
    ),
    Case(
        "active days are days of the calendar whatever the time grain",
        {"active_days_7d": 2, "active_days_30d": 2},
        "user | event | when\n me | page_viewed | -1us\n me | page_viewed | -10h\n me | page_viewed | -11h",
        as_of=datetime(2025, 3, 12, 10),
    ),
    Case(
        "days since the last action are exact to the microsecond and look at what was known only",
        {"days_since_last": 2.5 + 1 / 86_400_000_000},
        "user | event | when | known\n me | page_viewed | -60h -1us |\n me | page_viewed | -9d |\n me | page_viewed | -1d | 0d",
    ),
    Case(
        "the last action never ends a window: an old one still has its distance",
        {"days_since_last": 400, "events_90d": 0},
        "user | event | when\n me | page_viewed | -400d",
        people="user | account | signup\n me | co | -500d",
    ),
    Case(
        "time to activation runs from signup to the first activation",
        {"seconds_to_activation": 3599.999999},
        """
        user | event     | when
        me   | activated | -60d +1h -1us
        me   | activated | -50d
        me   | exported  | -60d
        """,
    ),
    Case(
        "an activation before signup took no time",
        {"seconds_to_activation": 0},
        "user | event | when\n me | activated | -61d",
    ),
    Case(
        "an activation at as_of has not happened yet",
        {"seconds_to_activation": MISSING},
        "user | event | when\n me | activated | 0d",
    ),
    Case(
        "a first activation that became known late counts from then on only",
        {"seconds_to_activation": 864_000},
        "user | event | when | known\n me | activated | -59d | 0d\n me | activated | -50d |",
    ),
    Case(
        "the share of the last week is taken over the month",
        {"activity_change": 0.25, "events_30d": 4},
        "user | event | when\n me | a | -1d\n me | a | -8d\n me | a | -9d\n me | a | -10d",
    ),
    Case(
        "a rule with a missing value is 0, and with all conditions true is 1",
        {"icp_match": 1, "target_industry": 1, "lone_user": 1, "only_free_features": 1, "fresh": 0},
        "user | event | when | tier\n me | feature_used | -3d | free",
        people="user | account | signup\n me | co | -30d",
    ),
    Case(
        "a rule is 0 just below each of its thresholds",
        {"icp_match": 0, "target_industry": 1, "lone_user": 0, "only_free_features": 0},
        "user | event | when | tier\n me | feature_used | -3d | free",
        people="user | account | signup\n me | co | -30d +1us",
        accounts="account | employees | industry\n co | 49 | fintech",
    ),
    Case(
        "shares outside the company are those marked so",
        {"shared_externally_30d": 1},
        """
        user | event          | when | external
        me   | content_shared | -1d  | true
        me   | content_shared | -1d  | false
        me   | content_shared | -1d  |
        """,
    ),
]

DUPLICATES = [
    Case(
        "of several versions of an event the one known first counts",
        {"features_30d": 1, "feature_uses_30d": 1, "feature_uses_7d": 0},
        """
        user | event        | when | known | id | feature
        me   | feature_used | -1d  | -1h   | x  | b
        me   | feature_used | -9d  | -2h   | x  | a
        me   | feature_used | -2d  | 0d    | x  | c
        """,
    ),
    Case(
        "equal events under different ids, or without an id, all count",
        {"feature_uses_30d": 4},
        "user | event | when | id\n" + "\n".join(f"me | feature_used | -9d | {name}" for name in ("x", "y", "", "")),
    ),
    Case(
        "an event id told again within thirty days of the time before is the same event, later it is another",
        {"count_of_user_lifetime": 4},
        """
        user | event | when | known     | id
        me   | a     | -59d | -59d      | x
        me   | a     | -59d | -29d      | x
        me   | a     | -59d | -59d      | y
        me   | a     | -59d | -29d +1us | y
        me   | a     | -59d | -59d      | z
        me   | a     | -59d | -31d      | z
        me   | a     | -59d | -3d       | z
        """,
    ),
]
