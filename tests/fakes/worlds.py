"""Small worlds as plain values: a log, its users and accounts, and the (lead, as_of) rows to build signals for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

MICROSECOND = timedelta(microseconds=1)
_UNITS = {"us": MICROSECOND, "s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)} | {
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


@dataclass(frozen=True)
class Event:
    user_id: str
    event: str
    event_time: datetime
    known_at: datetime | None = None
    account_id: str | None = None
    event_id: str | None = None
    properties: Mapping[str, str | float] = field(default_factory=dict)

    @property
    def known(self) -> datetime:
        return self.event_time if self.known_at is None else self.known_at


@dataclass(frozen=True)
class User:
    user_id: str
    account_id: str | None = None
    signup_at: datetime | None = None
    seniority: str | None = None
    is_internal: bool = False
    invited_by: str | None = None


@dataclass(frozen=True)
class Account:
    account_id: str
    employee_count: float | None = None
    industry: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, repr=False)
class World:
    """`spine` holds (lead_id, as_of); its position plus one is the `row`."""

    users: tuple[User, ...]
    spine: tuple[tuple[str, datetime], ...]
    events: tuple[Event, ...]
    accounts: tuple[Account, ...] = ()

    def __repr__(self) -> str:
        """Short enough to read in a failing test."""
        parts = [f"{lead} at {as_of}" for lead, as_of in self.spine]
        parts += [" ".join(f"{value}" for value in vars(part).values()) for part in (*self.users, *self.accounts)]
        parts += [" ".join(f"{value}" for value in vars(event).values() if value is not None) for event in self.events]
        return "World(" + "; ".join(parts) + ")"

    def adding(self, events: Iterable[Event]) -> World:
        return replace(self, events=(*self.events, *events))

    def shifted(self, by: timedelta) -> World:
        """The same world, everything `by` later."""
        return World(
            users=tuple(replace(u, signup_at=_later(u.signup_at, by)) for u in self.users),
            spine=tuple((lead, as_of + by) for lead, as_of in self.spine),
            events=tuple(replace(e, event_time=e.event_time + by, known_at=_later(e.known_at, by)) for e in self.events),
            accounts=tuple(replace(a, valid_from=_later(a.valid_from, by), valid_to=_later(a.valid_to, by)) for a in self.accounts),
        )


def join_worlds(worlds: Mapping[str, World]) -> World:
    """Many worlds in one, each with its own users and accounts: names get the world's name in front."""

    def named(world: str, name: str | None) -> str | None:
        return None if name is None else f"{world}/{name}"

    users, spine, events, accounts = [], [], [], []
    for key, world in worlds.items():
        users += [
            replace(u, user_id=named(key, u.user_id), account_id=named(key, u.account_id), invited_by=named(key, u.invited_by))
            for u in world.users
        ]
        accounts += [replace(a, account_id=named(key, a.account_id)) for a in world.accounts]
        spine += [(named(key, lead), as_of) for lead, as_of in world.spine]
        events += [
            replace(e, user_id=named(key, e.user_id), account_id=named(key, e.account_id), event_id=named(key, e.event_id))
            for e in world.events
        ]
    return World(tuple(users), tuple(spine), tuple(events), tuple(accounts))


def read_duration(text: str) -> timedelta:
    """'30d', '-30d -1us', '0d' → that length of time; the parts add up."""
    parts = re.findall(r"([+-]?)\s*(\d+)\s*(us|s|m|h|d|w)(?![a-z])", text)
    if not parts or re.sub(r"[+-]?\s*\d+\s*(us|s|m|h|d|w)(?![a-z])|\s", "", text):
        raise ValueError(f"'{text}' is not a length of time such as '-30d -1us'")
    return sum((int(number) * _UNITS[unit] * (-1 if sign == "-" else 1) for sign, number, unit in parts), timedelta())


def read_rows(text: str) -> list[dict[str, str]]:
    """A table written with `|` between columns and the names in its first line → rows without their empty cells."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    names, *rows = lines
    for row in rows:
        if len(row) != len(names):
            raise ValueError(f"{row} does not have the columns {names}")
    return [{name: cell for name, cell in zip(names, row, strict=True) if cell} for row in rows]


def read_events(text: str, as_of: datetime) -> tuple[Event, ...]:
    """A table with the columns user, event, when, and perhaps known, account, id and event properties; times count from `as_of`."""
    events = []
    for row in read_rows(text):
        known = row.pop("known", None)
        events.append(
            Event(
                user_id=row.pop("user"),
                event=row.pop("event"),
                event_time=as_of + read_duration(row.pop("when")),
                known_at=None if known is None else as_of + read_duration(known),
                account_id=row.pop("account", None),
                event_id=row.pop("id", None),
                properties=row,
            )
        )
    return tuple(events)


def _later(moment: datetime | None, by: timedelta) -> datetime | None:
    return None if moment is None else moment + by
