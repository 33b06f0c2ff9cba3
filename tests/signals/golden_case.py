"""Small histories with signals worked out by hand. `me` is the lead; times count from `as_of`, a Wednesday unless said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from fakes.worlds import Account, Event, LimitReading, User, Workspace, World, read_duration, read_events, read_rows

from pls_ml.core.windows import Grain

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


BERLIN = "Europe/Berlin"
SPRING = datetime(2025, 4, 1, 22)
"""Midnight in Berlin before a Wednesday, in the week after the night that lost an hour; seven days before are 167 hours before."""
AUTUMN = datetime(2025, 10, 28, 23)
"""The same after the night that had an hour twice; seven days before are 169 hours before."""


@dataclass(frozen=True)
class Case:
    """`expected`: signal column → value; `weeks`: sessions in the last four complete weeks, oldest first, then in the running one.

    `as_of` is a midnight of `zone` for those with days in another zone than UTC. `grains`: where the values are the same.
    """

    name: str
    expected: Mapping[str, float | str | None]
    events: str = ""
    weeks: tuple[int, ...] = ()
    people: str = ME
    accounts: str = "account | employees | industry\n co | 60 | software"
    as_of: datetime = WEDNESDAY
    workspaces: str = "account | when"
    limits: str = "account | when"
    zone: str = "UTC"
    grains: tuple[str, ...] = ("day", "hour", "minute")

    def is_at(self, grain: Grain) -> bool:
        """Whether the case can be computed at a grain: `as_of` must be one of its boundaries."""
        return grain.kind in self.grains and grain.zone == self.zone and grain.starts_at(self.as_of)

    @property
    def world(self) -> World:
        return World(
            users=tuple(self._user(row) for row in read_rows(self.people)),
            spine=(("me", self.as_of),),
            events=(*(read_events(self.events, self.as_of) if self.events else ()), *self._sessions()),
            accounts=tuple(self._account(row) for row in read_rows(self.accounts)),
            workspaces=tuple(Workspace(row["account"], self.moment(row["when"])) for row in read_rows(self.workspaces)),
            readings=tuple(self._reading(row) for row in read_rows(self.limits)),
        )

    def moment(self, duration: str | None) -> datetime | None:
        return None if duration is None else self.as_of + read_duration(duration)

    def _user(self, row: dict[str, str]) -> User:
        return User(
            row["user"],
            row.get("account"),
            self.moment(row.get("signup")),
            row.get("seniority"),
            row.get("internal") == "yes",
            row.get("invited_by"),
            row.get("department"),
            self.moment(row.get("from")),
            self.moment(row.get("to")),
        )

    def _account(self, row: dict[str, str]) -> Account:
        size = float(row["employees"]) if "employees" in row else None
        return Account(row["account"], size, row.get("industry"), self.moment(row.get("from")), self.moment(row.get("to")))

    def _reading(self, row: dict[str, str]) -> LimitReading:
        return LimitReading(row["account"], row["resource"], float(row["limit"]), float(row["used"]), self.moment(row["when"]))

    def _sessions(self) -> list[Event]:
        monday = datetime.combine(self.as_of.date() - timedelta(days=self.as_of.weekday()), datetime.min.time())
        starts = [monday - timedelta(weeks=4 - week, minutes=-10 * n) for week, count in enumerate(self.weeks) for n in range(count)]
        return [Event("me", "session_start", start) for start in starts]
