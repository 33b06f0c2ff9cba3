"""Worked out by hand: the decisions D-7, D-8, D-9 and D-12, who counts for whom, and accounts that change."""

from signals.golden_case import MISSING, MONDAY, SUNDAY_NIGHT, US, Case

DAU_MAU_D7 = [
    Case(
        "younger than seven days: not evaluable",
        {"dau_mau": MISSING, "active_days_30d": 1},
        "user | event | when\n me | a | -1d",
        people="user | account | signup\n me | co | -7d +1us",
    ),
    Case(
        "seven days old: over seven days",
        {"dau_mau": 2 / 7},
        "user | event | when\n me | a | -1d\n me | a | -2d\n me | a | -2d +1h",
        people="user | account | signup\n me | co | -7d",
    ),
    Case(
        "between seven and thirty days old: over the age",
        {"dau_mau": 1 / 10.5},
        "user | event | when\n me | a | -1d",
        people="user | account | signup\n me | co | -10d -12h",
    ),
    Case(
        "older than thirty days: over thirty days",
        {"dau_mau": 1 / 30},
        "user | event | when\n me | a | -30d\n me | a | -31d",
        people="user | account | signup\n me | co | -31d",
    ),
]

TRENDS_D8_D9 = [
    Case("three strict rises over four complete weeks", {"usage_rising": 1, "usage_declining": 0}, weeks=(1, 2, 3, 4)),
    Case("two equal weeks are no rise", {"usage_rising": 0, "usage_declining": 0}, weeks=(1, 2, 2, 3)),
    Case("a week without usage breaks the run", {"usage_rising": 0}, weeks=(0, 1, 2, 3)),
    Case("the running week does not count", {"usage_rising": 0, "usage_declining": 0}, weeks=(1, 2, 3, 3, 9)),
    Case("a running week without usage does not break the run", {"usage_rising": 1}, weeks=(1, 2, 3, 4, 0)),
    Case("a fall in the running week is no decline", {"usage_declining": 0}, weeks=(4, 4, 4, 4, 0)),
    Case("on a Monday the week that just ended counts", {"usage_rising": 1}, weeks=(1, 2, 3, 4), as_of=MONDAY),
    Case("late on Sunday the week is still running", {"usage_rising": 0}, weeks=(2, 2, 3, 4, 5), as_of=SUNDAY_NIGHT),
    Case("late on Sunday the four weeks before count", {"usage_rising": 1}, weeks=(1, 2, 3, 4, 0), as_of=SUNDAY_NIGHT),
    Case(
        "the last microsecond of Sunday belongs to the week that ended",
        {"usage_rising": 1},
        "user | event | when\n me | a | -2d -1us",
        weeks=(1, 2, 3, 3),
    ),
    Case("Monday midnight belongs to the running week", {"usage_rising": 0}, "user | event | when\n me | a | -2d", weeks=(1, 2, 3, 3)),
    Case("four weeks begin on a Monday midnight", {"usage_rising": 1}, "user | event | when\n me | a | -30d", weeks=(0, 2, 3, 4)),
    Case("what is older than four weeks is left out", {"usage_rising": 0}, "user | event | when\n me | a | -30d -1us", weeks=(0, 2, 3, 4)),
    Case("three strict falls are a decline", {"usage_declining": 1, "usage_rising": 0}, weeks=(4, 3, 2, 1)),
    Case("three strict falls to nothing are a decline", {"usage_declining": 1}, weeks=(3, 2, 1, 0)),
    Case("two equal weeks are no fall", {"usage_declining": 0}, weeks=(3, 2, 2, 1)),
    Case("seventy percent of the two weeks before is a decline", {"usage_declining": 1}, weeks=(5, 5, 3, 4)),
    Case("just above seventy percent is none", {"usage_declining": 0}, weeks=(5, 5, 4, 4)),
    Case("seventy percent is exact for larger numbers", {"usage_declining": 1}, weeks=(70, 40, 37, 40)),
    Case("ten events are enough for a decline by share", {"usage_declining": 1}, weeks=(3, 3, 2, 2)),
    Case("nine events are not", {"usage_declining": 0}, weeks=(3, 3, 1, 2)),
    Case("usage that stopped is a decline", {"usage_declining": 1}, weeks=(5, 5, 0, 0)),
    Case(
        "what became known at as_of is no part of a trend",
        {"usage_rising": 0},
        "user | event | when | known\n me | a | -3d | 0d",
        weeks=(1, 2, 3, 3),
    ),
]

ABANDONED_D12 = [
    Case(
        "a start a day and a bit ago without an end", {"upgrade_abandoned_30d": 1}, "user | event | when\n me | upgrade_started | -24h -1us"
    ),
    Case("a start that is not a day old", {"upgrade_abandoned_30d": 0}, "user | event | when\n me | upgrade_started | -24h +1us"),
    Case(
        "a later completion clears it, however late",
        {"upgrade_abandoned_30d": 0},
        "user | event | when\n me | upgrade_started | -10d\n me | upgrade_completed | -1us",
    ),
    Case(
        "a completion at the same moment clears it",
        {"upgrade_abandoned_30d": 0},
        "user | event | when\n me | upgrade_started | -10d\n me | upgrade_completed | -10d",
    ),
    Case(
        "a completion one microsecond before the start does not",
        {"upgrade_abandoned_30d": 1},
        "user | event | when\n me | upgrade_started | -10d\n me | upgrade_completed | -10d -1us",
    ),
    Case(
        "a completion at as_of has not happened yet",
        {"upgrade_abandoned_30d": 1},
        "user | event | when\n me | upgrade_started | -10d\n me | upgrade_completed | 0d",
    ),
    Case(
        "a completion known at as_of is not known yet",
        {"upgrade_abandoned_30d": 1},
        "user | event | when | known\n me | upgrade_started | -10d |\n me | upgrade_completed | -9d | 0d",
    ),
    Case(
        "a second start after a completion is a new one",
        {"upgrade_abandoned_30d": 1},
        """
        user | event             | when
        me   | upgrade_started   | -20d
        me   | upgrade_completed | -19d
        me   | upgrade_started   | -5d
        """,
    ),
    Case(
        "a fresh second start does not hide the first",
        {"upgrade_abandoned_30d": 1},
        "user | event | when\n me | upgrade_started | -20d\n me | upgrade_started | -1h",
    ),
    Case(
        "somebody else's completion clears nothing for a user, but does for the account",
        {"upgrade_abandoned_30d": 1, "abandoned_of_account_4w": 0},
        "user | event | when | tier\n me | upgrade_started | -10d | premium\n mate | upgrade_completed | -9d |",
        people=US,
    ),
]

WHO = [
    Case(
        "user signals count the lead's events only, account signals the account's",
        {
            "events_30d": 1,
            "feature_uses_30d": 1,
            "pricing_views_30d": 0,
            "days_since_last": 3,
            "last_account": 1,
            "account_active_users_30d": 2,
            "account_feature_uses_30d": 2,
            "account_pricing_views_30d": 1,
            "account_users": 2,
            "lone_user": 0,
        },
        """
        user  | event          | when
        me    | feature_used   | -3d
        mate  | feature_used   | -2d
        mate  | pricing_viewed | -1d
        other | feature_used   | -1d
        alone | pricing_viewed | -1d
        """,
        people=US,
    ),
    Case(
        "events of a user who moved count for the account of the time",
        {"events_30d": 2, "account_feature_uses_30d": 2, "account_active_users_30d": 2},
        """
        user | event        | when | account
        me   | feature_used | -20d | rival
        me   | feature_used | -3d  |
        mate | feature_used | -2d  | rival
        other| feature_used | -2d  | co
        """,
        people=US,
    ),
    Case(
        "users of an account are those that signed up before as_of",
        {"account_users": 2},
        "user | event | when\n me | a | -3d",
        people="user | account | signup\n me | co | -60d\n early | co | -1us\n late | co | 0d\n unknown | co | \n rival | rival | -1d",
    ),
    Case(
        "internal users and users nobody knows are not usage",
        {"account_active_users_30d": 1, "events_30d": 1},
        "user | event | when | account\n me | a | -3d |\n staff | a | -3d |\n ghost | a | -3d | co",
        people="user | account | signup | internal\n me | co | -60d | no\n staff | co | -60d | yes",
    ),
    Case(
        "a guest's signup is an accepted invitation from that moment on",
        {"invites_accepted_lifetime": 1},
        "user | event | when\n me | invite_sent | -9d",
        people="user | account | signup | invited_by\n me | co | -60d |\n g1 | co | -1us | me\n g2 | co | 0d | me",
    ),
]

ATTRIBUTES = [
    Case(
        "an account is what it was at as_of",
        {"employees": 60, "industry": "software", "icp_match": 1},
        accounts="""
            account | employees | industry | from | to
            co      | 10        | retail   |      | -1d
            co      | 60        | software | -1d  | 1us
            co      | 900       | retail   | 1us  |
            """,
    ),
    Case(
        "a version that begins at as_of is not known yet, and the one before still holds",
        {"employees": 10},
        accounts="account | employees | from | to\n co | 10 | -9d | 0d\n co | 60 | 0d | 9d",
    ),
    Case(
        "after the end of its last version an account has no attributes any more",
        {"employees": MISSING, "industry": MISSING},
        accounts="account | employees | industry | to\n co | 10 | software | -1us",
    ),
    Case(
        "before its first version an account has no attributes",
        {"employees": MISSING, "industry": MISSING, "target_industry": 0},
        accounts="account | employees | industry | from\n co | 10 | software | 1us",
    ),
    Case(
        "text stays text",
        {"seniority": "head", "plan_of_account": "it's", "shop": 1},
        people="user | account | signup | seniority\n me | co | -60d | head",
        accounts="account | industry\n co | it's",
    ),
]

COLUMNS = [
    Case(
        "what stands in for a missing value is there before other columns read it",
        {"last_account": MISSING, "last_or_never": 1000, "net_users": 0, "net_or_none": -0.5, "lively_shop": 0, "some": 1},
        "user | event | when\n mate | pricing_viewed | -1d",
        people="user | account | signup\n me | co | -10d\n mate | | -60d",
        accounts="account | industry\n co | retail",
    ),
    Case(
        "one condition of `any` is enough, beside every one of `all`",
        {"last_or_never": 29, "lively_shop": 1, "net_users": 2, "net_or_none": 2 - 29, "some": 0, "shop": 1},
        "user | event | when\n me | pricing_viewed | -29d",
        people=US,
        accounts="account | industry\n co | retail",
    ),
    Case(
        "no condition of `any` holds",
        {"last_or_never": 30, "lively_shop": 0, "some": 0},
        "user | event | when\n me | pricing_viewed | -30d",
        people=US,
        accounts="account | industry\n co | retail",
    ),
    Case(
        "`any` without `all` does not help where `all` fails",
        {"last_or_never": 1, "lively_shop": 0},
        "user | event | when\n me | pricing_viewed | -1d",
        people=US,
    ),
    Case(
        "a rule of `any` alone",
        {"some": 1, "net_users": 2, "net_or_none": 1, "new": 0},
        "user | event | when\n mate | session_start | -1d",
        people=US,
    ),
]
