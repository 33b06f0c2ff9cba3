"""One lead per signal column and edge of its window, with one event there: whether the column must see it is known by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from fakes.catalogues import is_dated_table, matching_properties
from fakes.random_worlds import back
from fakes.worlds import MICROSECOND, Account, Event, User, Workspace, World, join_worlds
from signals.golden_case import SPRING, WEDNESDAY
from signals.golden_cases import Path

from pls_ml.core.catalogue import Catalogue, SignalColumn
from pls_ml.core.measures import Abandoned, ActiveUsers, EventFilter, Growth, Minutes, NewUsers, Records, Total
from pls_ml.core.windows import Grain, parse_duration

LONG_AGO = datetime(2000, 1, 1)
ZERO, PAUSE = timedelta(), timedelta(minutes=10)
Place = tuple[str, datetime, datetime, str]
"""Where an event lies: in words, when it happened, when it became known, and 'inside', 'before' the window, or 'outside'."""


@dataclass(frozen=True)
class Edge:
    """One event at one place for one column; the lead signed up at `signup`."""

    column: SignalColumn
    place: str
    event_time: datetime
    known_at: datetime
    lies: str
    signup: datetime = LONG_AGO

    @property
    def name(self) -> str:
        return f"{self.column.name}: {self.place}"

    @property
    def expected(self) -> float | None:
        """Every windowed measure is 1 for a single event and 0 for none, but for totals, minutes and growth."""
        measure, inside = self.column.signal.measure, self.lies == "inside"
        if isinstance(measure, Growth):
            return {"inside": 1.0, "before": -1.0, "outside": None}[self.lies]
        if isinstance(measure, Total):
            return inside * matching_properties(measure)[measure.of] * measure.scale
        return inside * (PAUSE / timedelta(minutes=1) if isinstance(measure, Minutes) else 1.0)

    def world(self, as_of: datetime) -> World:
        measure, who = self.column.signal.measure, "me" if self.column.signal.scope == "user" else "mate"
        users = [User("me", "co", self.signup, "junior", department="sales"), User("mate", "co", LONG_AGO, "head", department="sales")]
        events, workspaces = self._events(who), ()
        if isinstance(measure, ActiveUsers) and measure.who:
            wanted = {name: values[0] for name, values in measure.who.items()}
            users[1] = User("mate", "co", LONG_AGO, **wanted)
        if isinstance(measure, NewUsers):
            users, events = [User("me", "co"), User("mate", "co", self.event_time)], ()
        if isinstance(measure, Records):
            workspaces, events = (Workspace("co", self.event_time),), ()
        return World(tuple(users), (("me", as_of),), events, (Account("co"),), workspaces)

    def _events(self, who: str) -> tuple[Event, ...]:
        measure = self.column.signal.measure
        chosen = measure.started if isinstance(measure, Abandoned) else measure
        name, properties = "page_viewed", {}
        if isinstance(chosen, EventFilter):
            name, properties = (*chosen.events, name)[0], matching_properties(chosen)
        event = Event(who, name, self.event_time, self.known_at, properties=properties)
        if isinstance(measure, Minutes):  # they lie at the later of two events
            return Event(who, name, self.event_time - PAUSE, self.known_at), event
        return (event,)


def moment_of(grain: Grain) -> datetime:
    """The `as_of` of every edge: a midnight of the grain's zone."""
    return WEDNESDAY if grain.zone == "UTC" else SPRING


def edges(column: SignalColumn, grain: Grain) -> Iterator[Edge]:
    """Both edges of the column's window, one microsecond around each, and both sides of becoming known too late."""
    if column.window.from_signup:
        yield from _early_edges(column, grain)
        return
    for place, event_time, known_at, lies in _around_window(column, grain):
        if known_at == event_time or not is_dated_table(column):
            yield Edge(column, place, event_time, known_at, lies)


def _around_window(column: SignalColumn, grain: Grain) -> Iterator[Place]:
    as_of, length = moment_of(grain), column.window.length_us
    measure = column.signal.measure
    end = back(as_of, timedelta(microseconds=parse_duration(measure.grace)), grain) if isinstance(measure, Abandoned) else as_of
    first = LONG_AGO + timedelta(days=1) if length is None else back(as_of, timedelta(microseconds=length), grain)
    inside = end - MICROSECOND
    is_open = first <= inside
    if length is not None:
        yield "one microsecond before the window's start", first - MICROSECOND, first - MICROSECOND, "before"
    yield "at the window's start", first, first, "inside" if first < end else "outside"
    if is_open:
        yield "one microsecond before the window's end", inside, inside, "inside"
        yield "inside, known one microsecond before as_of", inside, as_of - MICROSECOND, "inside"
        yield "inside, known at as_of", inside, as_of, "outside"
    yield "at the window's end", end, end, "outside"
    yield "one microsecond after the window's end", end + MICROSECOND, end + MICROSECOND, "outside"
    yield "at the window's start, known a day after as_of", first, as_of + timedelta(days=1), "outside"
    yield "at as_of, known before", as_of, as_of - timedelta(days=20), "outside"


def _early_edges(column: SignalColumn, grain: Grain) -> Iterator[Edge]:
    """A lead who signed up within a tick long ago, and one who did in the last tick before `as_of`."""
    as_of, length = moment_of(grain), timedelta(microseconds=column.window.length_us)
    tick = timedelta(microseconds=grain.tick_us)
    old = back(as_of, timedelta(days=60), grain)
    end = back(as_of, timedelta(days=60) - length, grain) if length % timedelta(days=1) == ZERO else old + length
    for place, event_time, known_at, lies in (
        ("one microsecond before the tick of the signup", old - MICROSECOND, old - MICROSECOND, "outside"),
        ("at the start of the tick of the signup", old, old, "inside"),
        ("at the signup", old + tick / 2, old + tick / 2, "inside"),
        ("one microsecond before the first days end", end - MICROSECOND, end - MICROSECOND, "inside"),
        ("when the first days end", end, end, "outside"),
        ("in the first days, known one microsecond before as_of", old, as_of - MICROSECOND, "inside"),
        ("in the first days, known at as_of", old, as_of, "outside"),
    ):
        yield Edge(column, place, event_time, known_at, lies, old + tick / 2)
    last = as_of - MICROSECOND
    yield Edge(column, "in the last tick, in which the lead signed up", last, last, "inside", last)
    yield Edge(column, "at as_of, which the first days hold", as_of, as_of, "outside", last)


def edge_cases(catalogue: Catalogue, grain: Grain) -> list[Edge]:
    return [edge for column in catalogue if column.window is not None for edge in edges(column, grain)]


def wrong_edges(path: Path) -> list[str]:
    """The (column, edge) pairs that the path gets wrong."""
    cases = edge_cases(path.catalogue, path.grain)
    as_of = moment_of(path.grain)
    frame = path.signals(join_worlds({edge.name: edge.world(as_of) for edge in cases}))
    assert len(frame) == len(cases)
    found = [(edge, frame.loc[row, edge.column.name]) for row, edge in enumerate(cases, start=1)]
    return [f"{edge.name} gives {value}, expected {edge.expected}" for edge, value in found if not _is(value, edge.expected)]


def _is(value: float | None, expected: float | None) -> bool:
    is_missing = value is None or value != value  # noqa: PLR0124  # a missing number is not equal to itself
    return is_missing if expected is None else not is_missing and abs(value - expected) < 1e-9
