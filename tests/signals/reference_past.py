"""What could be known before a moment: local time, usable events, who belonged where. Said plainly, for the reference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TypeVar
from zoneinfo import ZoneInfo

from fakes.catalogues import EXCLUDED
from fakes.worlds import Event, User, World

from pls_ml.core.windows import Grain

Key = TypeVar("Key")
DAY = timedelta(days=1)
TICK = {"day": DAY, "hour": timedelta(hours=1), "minute": timedelta(minutes=1)}
LONG_AGO = datetime(1970, 1, 1)
SAME_EVENT = timedelta(days=30)
"""A row whose event id became known at most so long before is the same event again."""


@dataclass(frozen=True)
class Calendar:
    """The clock on the wall of the project's zone, cut into ticks."""

    grain: Grain

    def wall(self, moment: datetime) -> datetime:
        return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(self.grain.zone)).replace(tzinfo=None)

    def tick(self, moment: datetime) -> datetime:
        """When the tick of a moment begins, on the wall."""
        return self.wall(moment) - (self.wall(moment) - LONG_AGO) % TICK[self.grain.kind]

    def next_tick(self, moment: datetime) -> datetime:
        """When the tick after that of a moment begins, as a moment."""
        wall = self.tick(moment) + TICK[self.grain.kind]
        return wall.replace(tzinfo=ZoneInfo(self.grain.zone)).astimezone(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Seen:
    """An event that could be seen: when it was on the wall, the account it counts for, and whether the log has it."""

    event: Event
    at: datetime
    account_id: str | None
    is_logged: bool

    def value(self, name: str) -> str | float | None:
        return self.event.properties.get(name)


class Past:
    """Everything that a world lets somebody know before `as_of`."""

    def __init__(self, world: World, calendar: Calendar, as_of: datetime):
        self.world, self.calendar, self.as_of = world, calendar, as_of
        self.now = calendar.wall(as_of)

    @cached_property
    def versions(self) -> dict[str, list[User]]:
        found = defaultdict(list)
        for user in sorted(self.world.users, key=lambda user: user.valid_from or LONG_AGO):
            found[user.user_id].append(user)
        return dict(found)

    def user_at(self, user_id: str, moment: datetime) -> User | None:
        """The version of a user that holds at a moment; what begins at it is not known yet."""
        for user in self.versions.get(user_id, []):
            begun = user.valid_from is None or user.valid_from < moment
            ended = user.valid_to is not None and user.valid_to < moment
            if begun and not ended:
                return user
        return None

    def account_of(self, user_id: str, moment: datetime) -> str | None:
        version = self.user_at(user_id, moment)
        return None if version is None else version.account_id

    def signup(self, user_id: str) -> datetime | None:
        return min((user.signup_at for user in self.versions.get(user_id, []) if user.signup_at is not None), default=None)

    def account_signup(self, account_id: str) -> datetime | None:
        """When the first customer had signed up and belonged to the account, for however short a while."""
        arrivals = []
        for user_id in filter(self.is_customer, self.versions):
            signup = self.signup(user_id)
            for version in self.versions[user_id]:
                if signup is not None and version.account_id == account_id:
                    arrival = max(signup, version.valid_from or signup)
                    arrivals += [arrival] if version.valid_to is None or arrival < version.valid_to else []
        return min(arrivals, default=None)

    def is_lead(self, account_id: str) -> bool:
        """Whether somebody who has signed up belongs to the account at `as_of`."""
        signups = [self.signup(user_id) for user_id in self.members(account_id)]
        return any(signup is not None and signup < self.as_of for signup in signups)

    def is_customer(self, user_id: str) -> bool:
        """Whether somebody is known, and not one of our own."""
        return user_id in self.versions and not self.versions[user_id][-1].is_internal

    def members(self, account_id: str | None) -> list[str]:
        """Who belongs to an account at `as_of`, our own people left out."""
        return self._members.get(account_id, [])

    @cached_property
    def _members(self) -> dict[str | None, list[str]]:
        found = defaultdict(list)
        for user_id in filter(self.is_customer, self.versions):
            found[self.account_of(user_id, self.as_of)].append(user_id)
        return found

    @cached_property
    def seen(self) -> list[Seen]:
        """Events of customers that had happened and were known."""
        found = [self._see(event, is_logged=True) for event in self._logged()]
        found += [self._see(event, is_logged=False) for event in self._invitations()]
        return [s for s in found if self.is_customer(s.event.user_id) and s.event.event_time < self.as_of and s.event.known < self.as_of]

    def events(self, scope: str, lead: str, account_id: str | None) -> list[Seen]:
        """The events of a lead, of an account, or of the lead's colleagues there."""
        if scope == "user":
            return self._by_user.get(lead, [])
        return [seen for seen in self._by_account.get(account_id, []) if scope == "account" or seen.event.user_id != lead]

    @cached_property
    def _by_user(self) -> dict[str, list[Seen]]:
        return _grouped((seen.event.user_id, seen) for seen in self.seen)

    @cached_property
    def _by_account(self) -> dict[str | None, list[Seen]]:
        return _grouped((seen.account_id, seen) for seen in self.seen)

    def _see(self, event: Event, is_logged: bool) -> Seen:
        owner = event.account_id or self.account_of(event.user_id, self.calendar.next_tick(event.event_time))
        return Seen(event, self.calendar.wall(event.event_time), owner, is_logged)

    def _logged(self) -> list[Event]:
        """The log with every event once, as it was told first, and without the names that must reach no signal."""
        log = [event for event in self.world.events if event.event not in EXCLUDED]
        log.sort(key=lambda event: (event.known, event.event_time, event.user_id, event.event))
        last: dict[str, datetime] = {}
        once = []
        for event in log:
            before = last.get(event.event_id) if event.event_id is not None else None
            if before is None or event.known - before > SAME_EVENT:
                once.append(event)
            last |= {event.event_id: event.known} if event.event_id is not None else {}
        return once

    def _invitations(self) -> list[Event]:
        """Who invited somebody had an invitation accepted when that guest signed up."""
        guests = [versions[-1] for guest, versions in self.versions.items() if self.is_customer(guest)]
        invited = [(guest.invited_by, self.signup(guest.user_id)) for guest in guests if guest.invited_by]
        return [Event(host, "invite_accepted", signup) for host, signup in invited if signup is not None]

    def pause(self, seen: Seen, gap: timedelta) -> timedelta | None:
        """How long after the user's event before it in the same session a logged event came; None where it begins a session."""
        before = self._before.get(id(seen))
        if before is None or not timedelta() <= seen.event.event_time - before.event_time <= gap:
            return None
        near = self._known_day(seen.event) - self._known_day(before) <= DAY
        return seen.event.event_time - before.event_time if near else None

    @cached_property
    def _before(self) -> dict[int, Event]:
        """Event (by identity) → the user's event before it in the order of arrival; at the same moment the account written decides.

        An event told in a tick before its own stands outside: it has none before it and is none before another, for it shows later.
        """

        def arrival(seen: Seen) -> tuple[datetime, datetime, bool, str]:
            event = seen.event
            return self.calendar.tick(event.known), event.event_time, event.account_id is None, event.account_id or ""

        found: dict[int, Event] = {}
        last: dict[str, Event] = {}
        told = [s for s in self.seen if s.is_logged and self.calendar.tick(s.event.event_time) <= self.calendar.tick(s.event.known)]
        for seen in sorted(told, key=arrival):
            if seen.event.user_id in last:
                found[id(seen)] = last[seen.event.user_id]
            last[seen.event.user_id] = seen.event
        return found

    def _known_day(self, event: Event) -> datetime:
        return datetime.combine(self.calendar.wall(event.known), datetime.min.time())


def _grouped(pairs: Iterable[tuple[Key, Seen]]) -> dict[Key, list[Seen]]:
    found = defaultdict(list)
    for key, seen in pairs:
        found[key].append(seen)
    return found


def six_decimals(value: str | float) -> Decimal | None:
    """A property as a number, rounded to six decimals; text that is none does not count."""
    try:
        return round(Decimal(str(value)), 6)
    except ArithmeticError:
        return None
