"""Worked out by hand: days and weeks of Berlin, around the night of 23 hours (30 March 2025) and that of 25 (26 October)."""

from signals.golden_case import AUTUMN, BERLIN, SPRING, Case


def spring(name: str, expected: dict[str, float | str | None], events: str = "", **more: object) -> Case:
    return Case(name, expected, events, as_of=SPRING, zone=BERLIN, **more)


def autumn(name: str, expected: dict[str, float | str | None], events: str = "", **more: object) -> Case:
    return Case(name, expected, events, as_of=AUTUMN, zone=BERLIN, **more)


LOCAL_TIME = [
    spring(
        "seven local days are 167 hours when one of them lost an hour",
        {"events_7d": 2, "count_of_user_2d": 1, "days_since_first_of_user": 7},
        "user | event | when\n me | a | -7d +1h\n me | a | -1us\n me | a | -7d",
    ),
    spring(
        "a window begins to the microsecond at a local midnight",
        {"events_7d": 1, "count_of_user_4w": 3},
        "user | event | when\n me | a | -7d +1h\n me | a | -7d +1h -1us\n me | a | -28d +1h\n me | a | -28d +1h -1us",
    ),
    autumn(
        "seven local days are 169 hours when one of them had an hour twice",
        {"events_7d": 2, "days_since_first_of_user": 7 + 1 / 24 + 1 / 86_400_000_000},
        "user | event | when\n me | a | -7d -1h\n me | a | -7d\n me | a | -7d -1h -1us",
    ),
    spring(
        "two local days that are 47 hours long",
        {"count_of_user_2d": 1, "growth_of_user_2d": -1 / 3},
        "user | event | when\n me | a | -2d\n me | a | -2d -1us\n me | a | -4d +1h\n me | a | -4d +1h -1us",
    ),
    spring(
        "the day of 23 hours is one day",
        {"active_days_7d": 3, "streak_of_user": 0},
        "user | event | when\n me | a | -2d\n me | a | -2d -1us\n me | a | -3d +1h\n me | a | -3d +1h -1us",
    ),
    autumn(
        "the day of 25 hours is one day",
        {"active_days_7d": 3},
        "user | event | when\n me | a | -2d\n me | a | -2d -1us\n me | a | -3d -1h\n me | a | -3d -1h -1us",
    ),
    spring(
        "a streak goes through the night of 23 hours",
        {"streak_of_user": 5},
        "user | event | when\n me | a | -1us\n me | a | -1d -1us\n me | a | -2d -1us\n me | a | -3d +1h -1us\n me | a | -4d +1h -1us",
    ),
    spring(
        "a week ends at a local midnight and begins at one",
        {"rises_of_user": 1, "falls_of_user": 0},
        "user | event | when\n me | a | -9d +1h\n me | a | -2d -1us\n me | a | -9d +1h -1us\n me | a | -2d",
    ),
    autumn(
        "so does the week of 169 hours",
        {"rises_of_user": 1, "falls_of_user": 0},
        "user | event | when\n me | a | -9d -1h\n me | a | -2d -1us\n me | a | -9d -1h -1us\n me | a | -2d",
    ),
    spring(
        "the first fourteen days are local ones and end after 335 hours",
        {"count_of_user_first_14d": 2, "age_days": 15 - 11 / 24},
        "user | event | when\n me | a | -15d +1h\n me | a | -15d +1h -1us\n me | a | -1d -1us\n me | a | -1d",
        people="user | account | signup\n me | co | -15d +11h",
    ),
    spring(
        "an event known two local days later begins a session, though they are one day apart elsewhere",
        {"sessions_of_user_4w": 2, "minutes_of_user_4w": 0},
        "user | event | when | known\n me | a | -5d |\n me | a | -5d +5m | -5d +25h +30m",
    ),
    spring(
        "an event known on the next local day goes on with a session, though they are two days apart elsewhere",
        {"sessions_of_user_4w": 1, "minutes_of_user_4w": 5},
        "user | event | when | known\n me | a | -5d +90m |\n me | a | -5d +95m | -5d +36h",
    ),
    autumn(
        "a session in the hour that comes twice goes on",
        {"sessions_of_user_4w": 1, "minutes_of_user_4w": 15, "active_days_7d": 1},
        "user | event | when\n me | a | -2d -22h -15m\n me | a | -2d -22h",
    ),
    autumn(
        "the same time of day in the hour that comes twice is an hour apart",
        {"sessions_of_user_4w": 2, "minutes_of_user_4w": 0},
        "user | event | when\n me | a | -2d -22h -30m\n me | a | -2d -21h -30m",
    ),
    spring(
        "a session goes on across a local midnight and across one elsewhere",
        {"sessions_of_user_4w": 2, "minutes_of_user_4w": 20},
        "user | event | when\n me | a | -1d -5m\n me | a | -1d +5m\n me | a | -22h -5m\n me | a | -22h +5m",
    ),
    spring(
        "the day of a move is a local one",
        {"count_of_account_lifetime": 2, "count_of_user_lifetime": 3},
        "user | event | when\n me | a | -7d +1h -1us\n me | a | -7d +1h\n me | a | -1us",
        people="user | account | signup | from | to\n me | co | -60d | | -7d +9h\n me | rival | -60d | -7d +9h |",
    ),
    spring(
        "new users and workspaces are counted over local days",
        {"new_users_of_user_4w": 1, "records_of_user_4w": 1, "records_of_user_lifetime": 2},
        people="user | account | signup\n me | co | -60d\n u1 | co | -28d +1h\n u2 | co | -28d +1h -1us",
        workspaces="account | when\n co | -28d +1h\n co | -28d +1h -1us",
    ),
    spring(
        "the grace period is counted in local days",
        {"abandoned_of_user_4w": 1},
        "user | event | when\n me | upgrade_started | -1d -1us",
    ),
    spring(
        "a start that is not a local day old",
        {"abandoned_of_user_4w": 0},
        "user | event | when\n me | upgrade_started | -1d",
    ),
]
