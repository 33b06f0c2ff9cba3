"""Worked out by hand: sessions and the minutes in them."""

from datetime import datetime

from signals.golden_case import US, Case

FOUR_WEEKS = ("sessions_of_user_4w", "minutes_of_user_4w")
MARCH_2, NEW_YEAR = datetime(2025, 3, 2), datetime(2025, 1, 2)


def case(name: str, sessions: float, minutes: float, events: str, **more: object) -> Case:
    """Events of the lead: when, and perhaps known, account or id."""
    header, *rows = events.strip().splitlines()
    lines = [f"user | event | {header}", *(f"me | a | {row}" for row in rows)]
    return Case(name, dict(zip(FOUR_WEEKS, (sessions, minutes), strict=True)), "\n".join(lines), **more)


SESSIONS = [
    case("events exactly half an hour apart are one session", 1, 60, "when\n -1d\n -1d +30m\n -1d +60m"),
    case("a microsecond more than the gap begins another session", 2, 0, "when\n -1d\n -1d +30m +1us"),
    case("a microsecond less does not", 1, 30 - 1 / 60_000_000, "when\n -1d\n -1d +30m -1us"),
    case("events at the same moment are one session of no length", 1, 0, "when\n -1d\n -1d\n -1d"),
    case("a session goes on across midnight", 1, 20, "when\n -1d -10m\n -1d +10m"),
    case("a session goes on across the end of a month", 1, 20, "when\n -1d -10m\n -1d +10m", as_of=MARCH_2),
    case("a session goes on across the end of a year", 1, 20, "when\n -1d -10m\n -1d +10m", as_of=NEW_YEAR),
    case("a session goes on for as long as events follow", 1, 25 * 60, "when\n" + "\n".join(f"-5d +{30 * n}m" for n in range(51))),
    case("an event that becomes known on the next day goes on with the session", 1, 5, "when | known\n -1d -10m |\n -1d -5m | -1d +9h"),
    case("an event that becomes known two days later begins a session", 2, 0, "when | known\n -3d |\n -3d +5m | -1d"),
    case("an event known at the last moment of the next day goes on", 1, 5, "when | known\n -3d |\n -3d +5m | -1d -1us"),
    case("an event told too late stands behind those told before it", 2, 20, "when | known\n -30h |\n -29h -50m | -1h\n -29h -40m |"),
    case("the first event of all told too late begins a session of its own", 2, 0, "when | known\n -30h | -1h\n -29h -50m |"),
    case("events told together on another day make a session", 1, 10, "when | known\n -30d +2d | -1h\n -28d +10m | -1h"),
    case("what is not known yet neither ends nor prolongs a session", 1, 20, "when | known\n -1h |\n -50m | 0d\n -40m |"),
    case("what is told before it happens is no part of others' sessions", 2, 20, "when | known\n -3h |\n -1h | -3h +5m\n -3h +20m |"),
    case("nor when it has not happened yet", 1, 20, "when | known\n -3h |\n 1h | -3h +5m\n -3h +20m |"),
    case("of several versions of an event only the first takes part", 1, 10, "when | known | id\n -1h | | x\n -50m | | y\n -30h | -1m | x"),
    Case(
        "the gap is the one that the signal names",
        {"sessions_of_user_first_14d": 3, "sessions_of_user_other_first_14d": 1, "minutes_of_user_other_first_14d": 90},
        "user | event | when\n me | a | -1d\n me | a | -1d +2h\n me | a | -1d +3h +30m",
        people="user | account | signup\n me | co | -10d",
    ),
    Case(
        "a microsecond more than the gap that the signal names begins another session",
        {"sessions_of_user_other_first_14d": 2, "minutes_of_user_other_first_14d": 0},
        "user | event | when\n me | a | -1d\n me | a | -1d +2h +1us",
        people="user | account | signup\n me | co | -10d",
    ),
    Case(
        "a session that began before the window counts there with its minutes only",
        {"sessions_of_user_2d": 0, "minutes_of_user_2d": 20, "sessions_of_user_4w": 1, "minutes_of_user_4w": 20},
        "user | event | when\n me | a | -2d -10m\n me | a | -2d +10m",
    ),
    Case(
        "minutes belong to the later event, also at the window's start",
        {"sessions_of_user_2d": 0, "minutes_of_user_2d": 30, "sessions_of_user_lifetime": 1, "minutes_of_user_lifetime": 60},
        "user | event | when\n me | a | -2d -60m\n me | a | -2d -30m\n me | a | -2d",
    ),
    Case(
        "a session that begins at the window's start counts, and one that begins at as_of does not",
        {"sessions_of_user_2d": 1, "minutes_of_user_2d": 0, "sessions_of_user_4w": 2},
        "user | event | when\n me | a | -2d\n me | a | -2d -31m\n me | a | 0d\n me | a | 10m",
    ),
    Case(
        "a session that began before signup counts in the first days with its minutes only",
        {"sessions_of_user_first_14d": 1, "minutes_of_user_first_14d": 20, "sessions_of_user_lifetime": 2, "minutes_of_user_lifetime": 20},
        "user | event | when\n me | a | -60d -10m\n me | a | -60d +10m\n me | a | -46d -1us",
    ),
    Case(
        "a guest's signup is no visit of whoever sent the invitation",
        {"sessions_of_user_4w": 1, "minutes_of_user_4w": 20, "invites_accepted_lifetime": 1},
        "user | event | when\n me | a | -1d\n me | a | -1d +20m",
        people="user | account | signup | invited_by\n me | co | -60d |\n guest | co | -1d +10m | me",
    ),
    Case(
        "of two events at the same moment under different accounts the one whose account is written comes first",
        {"sessions_of_user_4w": 1, "sessions_of_account_4w": 0, "sessions_of_colleagues_4w": 0, "count_of_account_4w": 1},
        "user | event | when | account\n me | a | -1d |\n me | a | -1d | rival",
        people=US,
    ),
    Case(
        "events by an excluded name take no part in sessions",
        {"sessions_of_user_4w": 2, "minutes_of_user_4w": 0, "count_of_user_4w": 2},
        "user | event | when\n me | a | -60m\n me | heartbeat | -40m\n me | b | -20m",
    ),
    Case(
        "everybody has sessions of his own; an account has the sum",
        {
            "sessions_of_user_4w": 1,
            "sessions_of_account_4w": 3,
            "sessions_of_colleagues_4w": 2,
            "minutes_of_user_4w": 0,
            "minutes_of_account_4w": 7,
            "minutes_of_colleagues_4w": 7,
        },
        "user | event | when\n me | a | -60m\n mate | a | -59m\n mate | a | -52m\n mate | a | -10d\n other | a | -55m",
        people=US,
    ),
    Case(
        "a session under two accounts: each event counts, with its minutes, for its own",
        {
            "sessions_of_user_4w": 1,
            "minutes_of_user_4w": 20,
            "sessions_of_account_4w": 1,
            "minutes_of_account_4w": 12,
            "sessions_of_colleagues_4w": 0,
            "minutes_of_colleagues_4w": 0,
        },
        "user | event | when | account\n me | a | -60m |\n me | a | -52m | rival\n me | a | -40m |",
        people=US,
    ),
    Case(
        "a session that begins under another account is none of this one",
        {"sessions_of_user_4w": 1, "sessions_of_account_4w": 0, "minutes_of_account_4w": 8},
        "user | event | when | account\n me | a | -60m | rival\n me | a | -52m |",
        people=US,
    ),
]
