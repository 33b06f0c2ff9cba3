"""Worked out by hand: colleagues, departments, newcomers, and an account's records and limits."""

from signals.golden_case import MISSING, US, Case

COLLEAGUES = [
    Case(
        "colleagues are the account without the lead",
        {
            "count_of_user_4w": 2,
            "count_of_account_4w": 5,
            "count_of_colleagues_4w": 3,
            "count_of_colleagues_lifetime": 4,
            "sum_of_colleagues_4w": -0.75,
            "sum_of_colleagues_lifetime": -4.25,
            "active_users_of_account_4w": 3,
            "active_users_of_colleagues_4w": 2,
            "active_users_of_colleagues_lifetime": 2,
        },
        """
        user  | event | when | duration_s
        me    | a     | -1d  | 100
        me    | a     | -2d  |
        mate  | a     | -1d  | 0.5
        mate  | a     | -28d | 1
        third | a     | -3d  |
        mate  | a     | -28d -1us | 7
        other | a     | -1d  | 9
        """,
        people=US + "third | co | -9d",
    ),
    Case(
        "a lead who is alone has colleagues that do nothing",
        {
            "count_of_account_4w": 1,
            "count_of_colleagues_4w": 0,
            "active_users_of_colleagues_4w": 0,
            "sessions_of_colleagues_4w": 0,
            "minutes_of_colleagues_4w": 0,
            "sum_of_colleagues_4w": 0,
        },
        "user | event | when | duration_s\n me | a | -1d | 5",
    ),
    Case(
        "an idle lead takes nothing away from its colleagues",
        {"count_of_colleagues_4w": 1, "active_users_of_account_4w": 1, "active_users_of_colleagues_4w": 1, "sessions_of_colleagues_4w": 1},
        "user | event | when\n mate | a | -1d",
        people=US,
    ),
    Case(
        "a lead without account has no colleagues",
        {"count_of_colleagues_4w": MISSING, "active_users_of_colleagues_4w": MISSING, "sessions_of_colleagues_4w": MISSING},
        "user | event | when\n alone | a | -1d",
        people="user | account | signup\n me | | -60d\n alone | | -60d",
    ),
    Case(
        "who asks for some people takes the lead away only where it is one of them",
        {"active_users_of_account_other_4w": 1, "active_users_of_colleagues_other_4w": 1},
        "user | event | when | tier\n me | a | -1d | premium\n mate | a | -1d | premium\n third | a | -1d | free",
        people="""
            user  | account | signup | seniority | department
            me    | co      | -60d   | boss      | sales
            mate  | co      | -60d   | junior    | sales
            third | co      | -60d   | junior    | sales
            """,
    ),
    Case(
        "a lead who is one of them is taken away",
        {"active_users_of_account_other_4w": 2, "active_users_of_colleagues_other_4w": 1},
        "user | event | when | tier\n me | a | -1d | premium\n mate | a | -1d | premium\n third | a | -1d | premium",
        people="""
            user  | account | signup | seniority | department
            me    | co      | -60d   | head      | it's
            mate  | co      | -60d   | junior    | sales
            third | co      | -60d   | junior    |
            """,
    ),
]

FOUR = """
    user   | account | signup | department | seniority
    me     | co      | -60d   | sales      | head
    mate   | co      | -60d   | sales      |
    third  | co      | -60d   |            | boss
    fourth | co      | -60d   | it's       | head
    """
DEPARTMENTS = [
    Case(
        "a day on which several people were active is one day of the account",
        {"active_days_of_account_4w": 2, "active_days_of_account_lifetime": 3, "active_days_of_account_other_lifetime": 1},
        """
        user   | event | when        | tier
        me     | a     | -1d         | premium
        mate   | a     | -1d +5h     | premium
        third  | a     | -2d         |
        me     | a     | -2d +23h    |
        mate   | a     | -40d        |
        """,
        people=FOUR,
    ),
    Case(
        "each department counts once, and nobody's department does not",
        {"active_values_of_account_4w": 2, "active_users_of_account_4w": 4, "active_values_of_account_other_4w": 1, "heads_4w": 2},
        "user | event | when | tier\n me | a | -1d | premium\n mate | a | -2d | premium\n third | a | -3d | premium\n fourth | a | -4d |",
        people=FOUR,
    ),
    Case(
        "departments of the idle do not count, nor of those whose events are not in the window or not known",
        {"active_values_of_account_4w": 0, "active_values_of_account_2d": 0},
        """
        user   | event | when      | known
        third  | a     | -1d       |
        me     | a     | -28d -1us |
        fourth | a     | -1d       | 0d
        """,
        people=FOUR,
    ),
    Case(
        "without departments there are none",
        {"active_values_of_account_4w": 0, "own_department": MISSING, "ranks_4w": 0, "heads_4w": 0},
        "user | event | when\n me | a | -1d",
    ),
    Case(
        "without an account there are no departments to count",
        {"active_values_of_account_4w": MISSING, "heads_4w": MISSING},
        "user | event | when\n me | a | -1d",
        people="user | account | signup | department\n me | | -60d | sales",
    ),
]

NEWCOMERS = [
    Case(
        "new users signed up in the window, from its start to just before as_of",
        {"new_users_of_user_2d": 2, "new_users_of_user_4w": 3, "new_users_of_user_lifetime": 4, "account_users_of_user": 4, "net_users": 1},
        people="""
            user  | account | signup   | internal
            me    | co      | -60d     |
            u1    | co      | -1us     |
            u2    | co      | -2d      |
            u3    | co      | -2d -1us |
            u4    | co      | 0d       |
            u5    | rival   | -1d      |
            u6    | co      |          |
            staff | co      | -1d      | yes
            """,
    ),
    Case(
        "the lead is a newcomer too",
        {"new_users_of_user_2d": 1, "new_users_of_user_4w": 1},
        people="user | account | signup\n me | co | -2d",
    ),
    Case(
        "who moved in is no new user, and who signed up and moved on is none any more",
        {"new_users_of_user_2d": 1, "new_users_of_user_lifetime": 3, "account_users_of_user": 3},
        people="""
            user | account | signup | from | to
            me   | co      | -60d   |      |
            in   | rival   | -90d   |      | -1d
            in   | co      | -90d   | -1d  |
            out  | co      | -2d    |      | -1d
            out  | rival   | -2d    | -1d  |
            stay | co      | -1d    |      | 0d
            stay | rival   | -1d    | 0d   |
            """,
    ),
    Case(
        "a lead without account has no new users",
        {"new_users_of_user_4w": MISSING, "account_users_of_user": 1, "net_users": MISSING, "net_or_none": -0.5},
        people="user | account | signup\n me | | -1d\n alone | | -1d",
    ),
]

RECORDS = [
    Case(
        "an account's workspaces, from the window's start to just before as_of",
        {"records_of_user_2d": 2, "records_of_user_4w": 3, "records_of_user_lifetime": 4},
        workspaces="""
            account | when
            co      | -1us
            co      | -2d
            co      | -2d -1us
            co      | -400d
            co      | 0d
            rival   | -1d
            """,
    ),
    Case("an account without workspaces has none", {"records_of_user_lifetime": 0}, workspaces="account | when\n rival | -1d"),
    Case(
        "a lead without account has no records and no limits",
        {"records_of_user_lifetime": MISSING, "limit_use_of_user": MISSING},
        people="user | account | signup\n me | | -60d",
        workspaces="account | when\n co | -1d",
        limits="account | resource | limit | used | when\n co | seats | 10 | 5 | -1d",
    ),
    Case(
        "the largest share of a limit, by the last reading of each resource before as_of",
        {"limit_use_of_user": 0.75},
        limits="""
            account | resource | limit | used | when
            co      | seats    | 10    | 9    | -2d
            co      | seats    | 10    | 2    | -1d
            co      | seats    | 10    | 10   | 0d
            co      | storage  | 100   | 10   | -9d
            co      | storage  | 100   | 75   | -1us
            rival   | seats    | 10    | 10   | -1d
            """,
    ),
    Case(
        "a limit can be used more than it allows",
        {"limit_use_of_user": 1.2},
        limits="account | resource | limit | used | when\n co | seats | 10 | 12 | -400d",
    ),
    Case(
        "a resource without a limit has no share",
        {"limit_use_of_user": 0},
        limits="account | resource | limit | used | when\n co | seats | 0 | 12 | -4d\n co | storage | 10 | 0 | -4d",
    ),
    Case(
        "a limit that was lifted is none any more",
        {"limit_use_of_user": 0.1},
        limits="account | resource | limit | used | when\n co | seats | 10 | 9 | -4d\n co | seats | 0 | 9 | -3d\n co | api | 10 | 1 | -4d",
    ),
    *(
        Case(
            f"of two readings at one moment the larger share counts, {written}",
            {"limit_use_of_user": 0.9},
            limits="account | resource | limit | used | when\n" + "\n".join(rows),
        )
        for written, rows in (
            ("written first", (" co | seats | 10 | 9 | -1d", " co | seats | 100 | 9 | -1d", " co | seats | 10 | 10 | -2d")),
            ("written last", (" co | seats | 100 | 9 | -1d", " co | seats | 10 | 9 | -1d", " co | seats | 10 | 10 | -2d")),
        )
    ),
    Case(
        "an account without readings, or without limits, uses none",
        {"limit_use_of_user": MISSING},
        limits="""
            account | resource | limit | used | when
            co      | seats    | 0     | 12   | -4d
            co      | api      | 9     | 1    | 0d
            rival   | seats    | 10    | 1    | -4d
            """,
    ),
    Case(
        "a lead who moved has the limits and workspaces of the new account",
        {"limit_use_of_user": 0.1, "records_of_user_lifetime": 1},
        people="user | account | signup | from | to\n me | co | -60d | | -5d\n me | rival | -60d | -5d |",
        workspaces="account | when\n co | -1d\n co | -1d\n rival | -9d",
        limits="account | resource | limit | used | when\n co | seats | 10 | 9 | -1d\n rival | seats | 10 | 1 | -9d",
    ),
]
