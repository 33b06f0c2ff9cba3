"""Small worlds as plain values: a log, its users and accounts, and the (lead, as_of) rows to build signals for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

MICROSECOND = timedelta(microseconds=1)
_UNITS = {"us": MICROSECOND, "s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)} | {
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_IDS = ("user_id", "account_id", "invited_by", "event_id")


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
    """One version of a user: a user who moves has several, `valid_to` of one being `valid_from` of the next."""

    user_id: str
    account_id: str | None = None
    signup_at: datetime | None = None
    seniority: str | None = None
    is_internal: bool = False
    invited_by: str | None = None
    department: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    source: str | None = None
    free_mail: float | None = None

    def moves(self, at: datetime, account_id: str | None, **changed: str | None) -> tuple[User, User]:
        """This version until the move, and the one after it."""
        return replace(self, valid_to=at), replace(self, account_id=account_id, valid_from=at, **changed)


@dataclass(frozen=True)
class Account:
    account_id: str
    employee_count: float | None = None
    industry: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    region: str | None = None


@dataclass(frozen=True)
class Workspace:
    account_id: str
    created_at: datetime


@dataclass(frozen=True)
class LimitReading:
    """How much of a plan limit an account uses, as read at a moment."""

    account_id: str
    resource: str
    limit: float
    used: float
    at: datetime


Row = TypeVar("Row", Event, User, Account, Workspace, LimitReading)


@dataclass(frozen=True, repr=False)
class World:
    """`spine` holds (lead_id, as_of); its position plus one is the `row`."""

    users: tuple[User, ...]
    spine: tuple[tuple[str, datetime], ...]
    events: tuple[Event, ...]
    accounts: tuple[Account, ...] = ()
    workspaces: tuple[Workspace, ...] = ()
    readings: tuple[LimitReading, ...] = ()

    def __repr__(self) -> str:
        """Short enough to read in a failing test."""
        rows = (*self.users, *self.accounts, *self.workspaces, *self.readings, *self.events)
        parts = [f"{lead} at {as_of}" for lead, as_of in self.spine]
        parts += [" ".join(f"{name}={value}" for name, value in vars(row).items() if value) for row in rows]
        return "World(" + "; ".join(parts) + ")"

    def adding(self, events: Iterable[Event]) -> World:
        return replace(self, events=(*self.events, *events))

    def shifted(self, by: timedelta) -> World:
        """The same world, everything `by` later."""
        return World(
            users=_later(self.users, by),
            spine=tuple((lead, as_of + by) for lead, as_of in self.spine),
            events=_later(self.events, by),
            accounts=_later(self.accounts, by),
            workspaces=_later(self.workspaces, by),
            readings=_later(self.readings, by),
        )

    def named(self, name: str) -> World:
        """The same world with `name` in front of every id."""
        return World(
            users=_named(self.users, name),
            spine=tuple((f"{name}/{lead}", as_of) for lead, as_of in self.spine),
            events=_named(self.events, name),
            accounts=_named(self.accounts, name),
            workspaces=_named(self.workspaces, name),
            readings=_named(self.readings, name),
        )


def join_worlds(worlds: Mapping[str, World]) -> World:
    """Many worlds in one, each with its own users and accounts: ids get the world's name in front."""
    parts = [world.named(name) for name, world in worlds.items()]
    return World(
        users=tuple(row for part in parts for row in part.users),
        spine=tuple(row for part in parts for row in part.spine),
        events=tuple(row for part in parts for row in part.events),
        accounts=tuple(row for part in parts for row in part.accounts),
        workspaces=tuple(row for part in parts for row in part.workspaces),
        readings=tuple(row for part in parts for row in part.readings),
    )


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


def _later(rows: tuple[Row, ...], by: timedelta) -> tuple[Row, ...]:
    return tuple(replace(row, **{name: at + by for name, at in vars(row).items() if isinstance(at, datetime)}) for row in rows)


def _named(rows: tuple[Row, ...], name: str) -> tuple[Row, ...]:
    return tuple(replace(row, **{key: f"{name}/{vars(row)[key]}" for key in _IDS if vars(row).get(key) is not None}) for row in rows)
