"""Small histories with signals worked out by hand. `me` is the lead; times count from `as_of`, a Wednesday unless said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from fakes.catalogues import full_catalogue
from fakes.tables import SignalPath
from fakes.worlds import Account, Event, User, World, join_worlds, read_duration, read_events, read_rows

WEDNESDAY = datetime(2025, 3, 12)
MONDAY = datetime(2025, 3, 10)
SUNDAY_NIGHT = datetime(2025, 3, 9, 23)
MISSING = None
ME = """
    user | account | signup
    me   | co      | -60d
    """
US = """
    user  | account | signup
    me    | co      | -60d
    mate  | co      | -60d
    other | rival   | -60d
    alone |         | -60d
    """


@dataclass(frozen=True)
class Case:
    """`expected`: signal column → value; `weeks`: sessions in the last four complete weeks, oldest first, then in the running one."""

    name: str
    expected: Mapping[str, float | str | None]
    events: str = ""
    weeks: tuple[int, ...] = ()
    people: str = ME
    accounts: str = "account | employees | industry\n co | 60 | software"
    as_of: datetime = WEDNESDAY

    @property
    def world(self) -> World:
        people = tuple(
            User(
                row["user"],
                row.get("account"),
                self.moment(row.get("signup")),
                row.get("seniority"),
                row.get("internal") == "yes",
                row.get("invited_by"),
            )
            for row in read_rows(self.people)
        )
        accounts = tuple(
            Account(
                row["account"],
                float(row["employees"]) if "employees" in row else None,
                row.get("industry"),
                self.moment(row.get("from")),
                self.moment(row.get("to")),
            )
            for row in read_rows(self.accounts)
        )
        events = read_events(self.events, self.as_of) if self.events else ()
        return World(people, (("me", self.as_of),), (*events, *self._sessions()), accounts)

    def moment(self, duration: str | None) -> datetime | None:
        return None if duration is None else self.as_of + read_duration(duration)

    def _sessions(self) -> list[Event]:
        monday = datetime.combine(self.as_of.date() - timedelta(days=self.as_of.weekday()), datetime.min.time())
        starts = [monday - timedelta(weeks=4 - week, minutes=-10 * n) for week, count in enumerate(self.weeks) for n in range(count)]
        return [Event("me", "session_start", start) for start in starts]


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
            "count_account_2d": MISSING,
            "rising_account": MISSING,
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
        {"premium_features_30d": 0, "features_30d": 1, "feature_uses_30d": 3, "minutes_30d": 0, "sum_account_2d": 0},
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
        {"minutes_30d": 2.5, "sum_account_2d": -30},
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
        {"upgrade_abandoned_30d": 1, "abandoned_account_4w": 0},
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
        "a version holds from its first moment and no longer at its last",
        {"employees": 60},
        accounts="account | employees | from | to\n co | 10 | -9d | 0d\n co | 60 | 0d | 9d",
    ),
    Case(
        "versions without an end hold until the next one begins",
        {"employees": 60},
        accounts="account | employees | from\n co | 10 | \n co | 60 | -9d\n co | 30 | -20d\n co | 90 | 1us",
    ),
    Case(
        "at the end of its last version an account has no attributes any more",
        {"employees": MISSING, "industry": MISSING},
        accounts="account | employees | industry | to\n co | 10 | software | 0d",
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
]

CASES = {
    case.name: case for case in (*NOTHING_HAPPENED, *MEASURES, *DAU_MAU_D7, *TRENDS_D8_D9, *ABANDONED_D12, *WHO, *ATTRIBUTES, *DUPLICATES)
}


def cases_at(grain: str) -> dict[str, Case]:
    """The cases whose `as_of` lies on a boundary of the grain."""
    return {name: case for name, case in CASES.items() if grain != "day" or case.as_of == datetime.combine(case.as_of, datetime.min.time())}


def wrong_cases(path: SignalPath) -> dict[str, str]:
    """The golden cases that a path gets wrong, with what it gives; all are computed at once, in worlds that do not touch."""
    cases = cases_at(path.grain)
    frame = path.at(path.grain, full_catalogue(path.grain)).signals(join_worlds({name: case.world for name, case in cases.items()}))
    if list(frame.index) != list(range(1, len(cases) + 1)):
        return dict.fromkeys(cases, "the table does not have one line per row of the spine")
    wrong = {}
    for row, case in enumerate(cases.values(), start=1):
        found = {name: _plain(frame.loc[row, name]) for name in case.expected}
        bad = [name for name, value in case.expected.items() if not _equal(found[name], value)]
        if bad:
            wrong[case.name] = ", ".join(f"{name} is {found[name]}, expected {case.expected[name]}" for name in bad)
    return wrong


def _plain(value: object) -> object:
    return None if value != value else value  # noqa: PLR0124  # a missing number is not equal to itself


def _equal(found: object, wanted: object) -> bool:
    if isinstance(wanted, int | float) and isinstance(found, int | float):
        return abs(found - wanted) < 1e-12 * max(1, abs(wanted)) + 1e-12
    return found == wanted
