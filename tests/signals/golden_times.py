"""Worked out by hand: streaks, weeks in a row, first and last events, growth, and the first days after signup."""

from datetime import datetime

from signals.golden_case import MISSING, MONDAY, SUNDAY_NIGHT, US, Case

TEN = datetime(2025, 3, 12, 10)


def one_per_day(days: int) -> str:
    return "user | event | when\n" + "\n".join(f"me | a | -{day}d" for day in range(1, days + 1))


def rising_weeks(weeks: int) -> str:
    """As of a Wednesday: as many events in each complete week as weeks have passed since the first."""
    rows = [f"me | a | -{2 + 7 * back}d +{n}h" for back in range(1, weeks + 1) for n in range(weeks + 1 - back)]
    return "\n".join(["user | event | when", *rows])


def falling_weeks(weeks: int) -> str:
    rows = [f"me | a | -{2 + 7 * back}d +{n}h" for back in range(1, weeks + 1) for n in range(back)]
    return "\n".join(["user | event | when", *rows])


STREAKS = [
    Case("days in a row are counted back from yesterday", {"streak_of_user": 3}, one_per_day(3)),
    Case(
        "each day from its first to its last moment is one of a streak",
        {"streak_of_user": 3},
        "user | event | when\n me | a | -1us\n me | a | -2d\n me | a | -2d -1us",
    ),
    Case("a streak without yesterday is none", {"streak_of_user": 0}, "user | event | when\n me | a | -1d -1us\n me | a | -3d"),
    Case("a day without an event ends a streak", {"streak_of_user": 2}, one_per_day(2) + "\n me | a | -4d\n me | a | -5d"),
    Case("today is no part of a streak at midnight", {"streak_of_user": 1}, one_per_day(1) + "\n me | a | 0d"),
    Case(
        "a day that became known late is part of a streak, one that is not known is not",
        {"streak_of_user": 2},
        "user | event | when | known\n me | a | -1d |\n me | a | -2d | -1us\n me | a | -3d | 0d\n me | a | -4d |",
    ),
    Case("a streak of 62 days", {"streak_of_user": 62}, one_per_day(62)),
    Case("a streak of 61 days", {"streak_of_user": 61}, one_per_day(61)),
    Case("a streak is 62 days at most", {"streak_of_user": 62}, one_per_day(63)),
    Case(
        "in the middle of a day a streak counts that day",
        {"streak_of_user": 2},
        "user | event | when\n me | a | -1h\n me | a | -11h",
        as_of=TEN,
    ),
    Case("and is none while nothing happened on it", {"streak_of_user": 0}, "user | event | when\n me | a | -11h", as_of=TEN),
    Case(
        "an account's streak is made of everybody's days, and a filtered one of the chosen events'",
        {"streak_of_user": 1, "streak_of_account": 3, "streak_of_account_other": 2, "streak_of_user_other": 0},
        "user | event | when | tier\n me | a | -1d | free\n mate | a | -1d | premium\n mate | a | -2d | premium\n mate | a | -3d |",
        people=US,
    ),
]

WEEKS_IN_A_ROW = [
    Case("three rises from week to week", {"rises_of_user": 3, "falls_of_user": 0}, weeks=(1, 2, 3, 4)),
    Case("a first week without events is no rise", {"rises_of_user": 2}, weeks=(0, 1, 2, 3)),
    Case("a week without events ends the rises", {"rises_of_user": 1}, weeks=(1, 0, 2, 3)),
    Case("an equal week ends the rises", {"rises_of_user": 1}, weeks=(1, 2, 2, 3)),
    Case("without a rise in the last week there is none", {"rises_of_user": 0, "falls_of_user": 0}, weeks=(1, 2, 3, 3)),
    Case("a last week after nothing is no rise", {"rises_of_user": 0}, weeks=(0, 0, 0, 5)),
    Case("three falls from week to week", {"falls_of_user": 3, "rises_of_user": 0}, weeks=(4, 3, 2, 1)),
    Case("a fall to nothing is a fall, and nothing after nothing is none", {"falls_of_user": 1}, weeks=(0, 0, 3, 0)),
    Case("two weeks of nothing are no fall", {"falls_of_user": 0}, weeks=(4, 3, 0, 0)),
    Case("without a fall in the last week there is none", {"falls_of_user": 0, "rises_of_user": 1}, weeks=(4, 3, 2, 3)),
    Case("the running week is neither a rise nor a fall", {"rises_of_user": 3, "falls_of_user": 0}, weeks=(1, 2, 3, 4, 0)),
    Case("the running week takes no part", {"rises_of_user": 0, "falls_of_user": 3}, weeks=(4, 3, 2, 1, 9)),
    Case("on a Monday the week that just ended is the last", {"rises_of_user": 3}, weeks=(1, 2, 3, 4), as_of=MONDAY),
    Case("late on a Sunday it is still running", {"rises_of_user": 1}, weeks=(2, 2, 2, 3, 9), as_of=SUNDAY_NIGHT),
    Case(
        "Sunday's last moment and Monday's first are in different weeks",
        {"rises_of_user": 1, "falls_of_user": 0},
        "user | event | when\n me | a | -2d -1us\n me | a | -9d\n me | a | -9d -1us\n me | a | -2d",
    ),
    Case("six rises", {"rises_of_user": 6}, rising_weeks(7)),
    Case("seven rises", {"rises_of_user": 7}, rising_weeks(8)),
    Case("more than seven rises are seven", {"rises_of_user": 7}, rising_weeks(9)),
    Case("six falls", {"falls_of_user": 6}, falling_weeks(7)),
    Case("seven falls", {"falls_of_user": 7}, falling_weeks(8)),
    Case("more than seven falls are seven", {"falls_of_user": 7}, falling_weeks(9)),
    Case(
        "what became known at as_of is no part of a week",
        {"rises_of_user": 0},
        "user | event | when | known\n me | a | -3d | 0d",
        weeks=(1, 2, 3, 3),
    ),
]

FIRSTS_AND_LASTS = [
    Case(
        "the first event that was known counts, also one before signup",
        {"days_since_first_of_user": 61 + 1 / 86_400_000_000, "days_since_last_of_user": 9},
        "user | event | when | known\n me | a | -70d | 0d\n me | a | -61d -1us | -1us\n me | a | -9d |\n me | a | 0d | -1d",
    ),
    Case(
        "without events there is no first, no last and no latest one",
        {"days_since_first_of_user": MISSING, "days_since_last_of_user": MISSING, "latest_of_user": MISSING},
        "user | event | when\n mate | a | -1d",
        people=US,
    ),
    Case(
        "an account's first and last events are anybody's",
        {"days_since_first_of_account": 20, "days_since_last_of_account": 2, "days_since_first_of_account_other": 2},
        "user | event | when | tier\n me | a | -9d |\n mate | a | -20d | free\n mate | a | -2d | premium\n other | a | -1d |",
        people=US,
    ),
    Case("the latest of several", {"latest_of_user": "exported"}, "user | event | when\n me | invite_sent | -9d\n me | exported | -8d"),
    Case(
        "a microsecond decides which event is the latest",
        {"latest_of_user": "invite_sent"},
        "user | event | when\n me | exported | -1d\n me | data_imported | -1d\n me | invite_sent | -1d +1us",
    ),
    Case(
        "of the latest at the same moment the alphabet decides",
        {"latest_of_user": "exported"},
        "user | event | when\n me | invite_sent | -1d\n me | exported | -1d\n me | data_imported | -1d -1us",
    ),
    Case(
        "the latest is one of those named that had happened and was known",
        {"latest_of_user": "data_imported"},
        """
        user | event         | when | known
        me   | data_imported | -9d  | -1us
        me   | exported      | -1d  | 0d
        me   | invite_sent   | 0d   | -1d
        me   | page_viewed   | -1d  |
        """,
    ),
    Case("other events have no latest", {"latest_of_user": MISSING}, "user | event | when\n me | page_viewed | -1d"),
    Case(
        "an account's latest is anybody's",
        {"latest_of_user": "exported", "latest_of_account": "invite_sent"},
        "user | event | when\n me | exported | -2d\n mate | invite_sent | -1d\n other | data_imported | -1h",
        people=US,
    ),
]

GROWTH = [
    Case(
        "growth compares the window with the one before it, each from its start to just before its end",
        {"growth_of_user_2d": (2 - 3) / 5},
        """
        user | event | when
        me   | a     | -1us
        me   | a     | -2d
        me   | a     | -2d -1us
        me   | a     | -3d
        me   | a     | -4d
        me   | a     | -4d -1us
        me   | a     | 0d
        """,
    ),
    Case("without events in both windows growth is missing", {"growth_of_user_2d": MISSING}, "user | event | when\n me | a | -4d -1us"),
    Case("from nothing growth is one", {"growth_of_user_2d": 1}, "user | event | when\n me | a | -2d"),
    Case("to nothing growth is minus one", {"growth_of_user_2d": -1}, "user | event | when\n me | a | -4d"),
    Case("without a change growth is zero", {"growth_of_user_2d": 0}, "user | event | when\n me | a | -4d\n me | a | -1d"),
    Case(
        "growth leaves out what became known at as_of",
        {"growth_of_user_2d": 0},
        "user | event | when | known\n me | a | -3d | -1us\n me | a | -1d | -1us\n me | a | -1d | 0d",
    ),
    Case(
        "an account grows by everybody's events, a filtered one by the chosen ones",
        {"growth_of_user_2d": MISSING, "growth_of_account_2d": 1 / 3, "growth_of_account_other_2d": 1},
        "user | event | when | tier\n mate | a | -1d | premium\n mate | a | -1d |\n mate | a | -3d | free\n other | a | -3d |",
        people=US,
    ),
]

SIGNED_UP = "user | account | signup\n me | co | {}"
FIRST_DAYS = [
    Case(
        "the first fourteen days begin with the signup's and end before the fifteenth",
        {"count_of_user_first_14d": 2, "active_days_of_user_first_14d": 2},
        "user | event | when\n me | a | -20d -1us\n me | a | -20d\n me | a | -6d -1us\n me | a | -6d",
        people=SIGNED_UP.format("-20d"),
    ),
    Case(
        "counted in days they hold the whole day of the signup and are over at a midnight",
        {"count_of_user_first_14d": 2},
        "user | event | when\n me | a | -20d -1us\n me | a | -20d\n me | a | -6d -1us\n me | a | -6d",
        people=SIGNED_UP.format("-20d +10h +30m"),
        grains=("day",),
    ),
    Case(
        "counted in hours they hold the whole hour of the signup",
        {"count_of_user_first_14d": 2, "count_of_user_first_30h": 1},
        "user | event | when\n me | a | -20d +10h -1us\n me | a | -20d +10h\n me | a | -6d +10h -1us\n me | a | -6d +10h",
        people=SIGNED_UP.format("-20d +10h +30m"),
        grains=("hour",),
    ),
    Case(
        "counted in minutes they hold the whole minute of the signup",
        {"count_of_user_first_45m": 2},
        "user | event | when\n me | a | -20d -1us\n me | a | -20d\n me | a | -20d +45m -1us\n me | a | -20d +45m",
        people=SIGNED_UP.format("-20d +30s"),
        grains=("minute",),
    ),
    Case(
        "before they are over they count what happened so far",
        {"count_of_user_first_14d": 2, "sum_of_user_first_14d": -1.5, "distinct_of_user_first_14d": 1},
        "user | event | when | duration_s | step\n me | a | -5d | 1 | x\n me | a | -1us | 2 | x\n me | a | 0d | 4 | y",
        people=SIGNED_UP.format("-5d"),
    ),
    Case(
        "the fourteen days are just over",
        {"count_of_user_first_14d": 1},
        "user | event | when\n me | a | -1us\n me | a | 0d",
        people=SIGNED_UP.format("-14d"),
    ),
    Case(
        "what happened in them may become known long after, but before as_of",
        {"count_of_user_first_14d": 1},
        "user | event | when | known\n me | a | -39d | -1us\n me | a | -39d | 0d",
        people=SIGNED_UP.format("-40d"),
    ),
    Case(
        "without a signup there are no first days",
        {"count_of_user_first_14d": 0, "sessions_of_user_first_14d": 0, "minutes_of_user_first_14d": 0, "sum_of_user_first_14d": 0},
        "user | event | when | duration_s\n me | a | -2d | 5\n me | a | -2d +1m | 5",
        people="user | account\n me | co",
    ),
]
