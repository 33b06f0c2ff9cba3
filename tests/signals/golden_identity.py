"""Worked out by hand: people who move between accounts, attributes that change, and people who are not customers."""

from signals.golden_case import MISSING, US, Case


def moved(at: str) -> str:
    """`me` moves from co to rival."""
    return f"""
        user  | account | signup | seniority | department | from | to
        me    | co      | -60d   | junior    | sales      |      | {at}
        me    | rival   | -60d   | head      | it's       | {at} |
        mate  | co      | -60d   | junior    | sales      |      |
        other | rival   | -60d   | junior    | sales      |      |
        """


AT_RIVAL = "user | event | when\n other | a | -1d\n other | a | -9d\n mate | a | -2d\n "
MOVES = [
    Case(
        "counted in days the day of a move counts for the new account",
        {"count_of_user_lifetime": 4, "count_of_account_lifetime": 5, "count_of_colleagues_4w": 2},
        AT_RIVAL + "me | a | -5d -1us\n me | a | -5d\n me | a | -5d +13h\n me | a | -4d",
        people=moved("-5d +12h"),
        grains=("day",),
    ),
    Case(
        "counted in hours or minutes what came before the move counts for the old account",
        {"count_of_user_lifetime": 4, "count_of_account_lifetime": 4, "count_of_colleagues_4w": 2},
        AT_RIVAL + "me | a | -5d -1us\n me | a | -5d\n me | a | -5d +13h\n me | a | -4d",
        people=moved("-5d +12h"),
        grains=("hour", "minute"),
    ),
    Case(
        "counted in hours the hour of a move counts for the new account",
        {"count_of_account_lifetime": 4},
        AT_RIVAL + "me | a | -5d +12h -1us\n me | a | -5d +12h\n me | a | -5d +12h +59m",
        people=moved("-5d +12h +30m"),
        grains=("hour",),
    ),
    Case(
        "a move at midnight divides the days",
        {"count_of_user_lifetime": 3, "count_of_account_lifetime": 4, "count_of_colleagues_4w": 2, "own_department": "it's"},
        AT_RIVAL + "me | a | -5d -1us\n me | a | -5d\n me | a | -5d +1us",
        people=moved("-5d"),
    ),
    Case(
        "a move at as_of is not known yet",
        {
            "count_of_account_lifetime": 3,
            "count_of_colleagues_4w": 1,
            "account_users_of_user": 2,
            "employees": 60,
            "seniority": "junior",
        },
        AT_RIVAL + "me | a | -5d\n me | a | -1us",
        people=moved("0d"),
        accounts="account | employees\n co | 60\n rival | 7",
    ),
    Case(
        "a move just before as_of is known, and takes the last tick along",
        {"count_of_account_lifetime": 3, "account_users_of_user": 2, "employees": 7, "seniority": "head"},
        AT_RIVAL + "me | a | -5d\n me | a | -1us",
        people=moved("-1us"),
        accounts="account | employees\n co | 60\n rival | 7",
    ),
    Case(
        "the account written on an event is its account, before and after a move",
        {"count_of_user_lifetime": 4, "count_of_account_lifetime": 4, "count_of_colleagues_4w": 2},
        """
        user  | event | when | account
        me    | a     | -9d  |
        me    | a     | -8d  | rival
        me    | a     | -2d  | co
        me    | a     | -1d  |
        other | a     | -9d  |
        other | a     | -1d  | co
        mate  | a     | -1d  | rival
        """,
        people=moved("-5d"),
    ),
    Case(
        "colleagues of a lead who had two accounts are those of the present one, without its own part there",
        {
            "active_users_of_account_4w": 2,
            "active_users_of_colleagues_4w": 1,
            "sum_of_account_lifetime": -1.5,
            "sum_of_colleagues_4w": -0.5,
            "sum_of_user_lifetime": -5,
            "days_since_first_of_account": 4,
        },
        """
        user  | event | when | duration_s
        me    | a     | -9d  | 8
        me    | a     | -4d  | 2
        other | a     | -3d  | 1
        mate  | a     | -3d  | 16
        """,
        people=moved("-5d"),
    ),
    Case(
        "between two accounts a user belongs to none, nor do the events",
        {"count_of_user_lifetime": 3, "count_of_account_lifetime": 1},
        "user | event | when\n me | a | -20d\n me | a | -7d\n me | a | -1d",
        people="user | account | signup | from | to\n me | co | -60d | | -10d\n me | rival | -60d | -5d |",
    ),
    Case(
        "who belongs to no account any more has no account signals",
        {"count_of_account_lifetime": MISSING, "employees": MISSING, "seniority": MISSING, "count_of_user_lifetime": 2, "age_days": 60},
        "user | event | when\n me | a | -20d\n me | a | -1h",
        people="user | account | signup | seniority | to\n me | co | -60d | head | -1us\n mate | co | -60d | |",
    ),
    Case(
        "a version holds at its last moment",
        {"count_of_account_lifetime": 2, "employees": 60, "seniority": "head"},
        "user | event | when\n me | a | -20d\n me | a | -1h",
        people="user | account | signup | seniority | to\n me | co | -60d | head | 0d\n mate | co | -60d | |",
    ),
    Case(
        "who came back finds the events of the first stay, and those of the others meanwhile",
        {"count_of_user_lifetime": 3, "count_of_account_lifetime": 3, "count_of_colleagues_4w": 1},
        "user | event | when\n me | a | -20d\n me | a | -7d\n me | a | -1d\n mate | a | -7d\n other | a | -7d",
        people="""
            user  | account | signup | from | to
            me    | co      | -60d   |      | -10d
            me    | rival   | -60d   | -10d | -5d
            me    | co      | -60d   | -5d  |
            mate  | co      | -60d   |      |
            other | rival   | -60d   |      |
            """,
    ),
    Case(
        "a mate who moves away takes its later events, and leaves the earlier ones",
        {"count_of_account_lifetime": 2, "active_users_of_account_4w": 1, "account_users_of_user": 1},
        "user | event | when\n mate | a | -9d\n mate | a | -5d -1us\n mate | a | -5d\n mate | a | -1d",
        people="""
            user | account | signup | from | to
            me   | co      | -60d   |      |
            mate | co      | -60d   |      | -5d
            mate | rival   | -60d   | -5d  |
            """,
    ),
]

VERSIONS = [
    Case(
        "a user signed up at the earliest time that any version says",
        {"age_days": 60, "count_of_user_first_14d": 1, "seconds_to_first_of_user": 86_400},
        "user | event | when\n me | a | -59d\n me | a | -4d",
        people="user | account | signup | from | to\n me | co | -5d | | -5d\n me | rival | -60d | -5d |",
    ),
    Case(
        "what a user is called counts as of as_of, for the lead and for its mates",
        {"seniority": "head", "own_department": "it's", "heads_4w": 1, "ranks_4w": 2, "active_values_of_account_4w": 2},
        "user | event | when\n me | a | -9d\n mate | a | -9d",
        people="""
            user | account | signup | seniority | department | from  | to
            me   | co      | -60d   | junior    | sales      |       | -1us
            me   | co      | -60d   | head      | it's       | -1us  |
            mate | co      | -60d   | junior    | sales      |       | 0d
            mate | co      | -60d   | head      | it's       | 0d    |
            """,
    ),
    Case(
        "a mate who has left the company is active without a rank",
        {"heads_4w": 0, "ranks_4w": 1, "active_users_of_account_4w": 2, "active_values_of_account_4w": 1},
        "user | event | when\n me | a | -9d\n mate | a | -9d",
        people="""
            user | account | signup | seniority | department | to
            me   | co      | -60d   | junior    | sales      |
            mate | co      | -60d   | head      | it's       | -5d
            """,
    ),
    Case(
        "before the first version nobody is a member",
        {"count_of_account_lifetime": MISSING, "account_users_of_user": 1, "age_days": 60},
        "user | event | when\n me | a | -9d\n mate | a | -9d",
        people="user | account | signup | from\n me | co | -60d | 0d\n mate | co | -60d |",
    ),
]

STRANGERS = [
    Case(
        "neither our own people nor people nobody knows count for an account, whatever is written on their events",
        {
            "count_of_account_lifetime": 1,
            "count_of_colleagues_4w": 0,
            "active_users_of_account_4w": 1,
            "active_users_of_colleagues_4w": 0,
            "sessions_of_account_4w": 1,
            "minutes_of_colleagues_4w": 0,
            "sum_of_account_lifetime": -1,
            "active_values_of_account_4w": 1,
            "latest_of_account": "exported",
            "days_since_last_of_account": 3,
            "streak_of_account": 0,
            "account_users_of_user": 1,
            "new_users_of_user_4w": 0,
        },
        """
        user  | event       | when     | account | duration_s
        me    | exported    | -3d      |         | 2
        staff | invite_sent | -1d      | co      | 4
        staff | invite_sent | -1d +5m  |         | 4
        ghost | invite_sent | -1d      | co      | 4
        ghost | invite_sent | -1d +5m  |         | 4
        """,
        people="""
            user  | account | signup | department | internal
            me    | co      | -60d   | sales      | no
            staff | co      | -9d    | it's       | yes
            """,
    ),
    Case(
        "a lead of our own has no usage",
        {"count_of_user_lifetime": 0, "streak_of_user": 0, "count_of_account_lifetime": 1, "days_since_last": MISSING},
        "user | event | when\n me | a | -1d\n mate | a | -1d",
        people="user | account | signup | internal\n me | co | -60d | yes\n mate | co | -60d | no",
    ),
    Case(
        "people of other accounts, and without one, are no colleagues",
        {"count_of_account_lifetime": 0, "count_of_colleagues_4w": 0, "growth_of_account_4w": MISSING, "streak_of_account": 0},
        "user | event | when\n other | a | -1d\n alone | a | -1d",
        people=US,
    ),
]
