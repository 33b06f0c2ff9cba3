"""Small histories with signals worked out by hand. `me` is the lead; times count from `as_of`, a Wednesday unless said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from fakes.worlds import Account, Event, User, World, read_duration, read_events, read_rows

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
