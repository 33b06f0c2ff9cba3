"""One lead per signal column and edge of its window, with one event there: whether the column must see it is known by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fakes.catalogues import columns_on_events, matching_properties
from fakes.tables import SignalPath
from fakes.worlds import MICROSECOND, Account, Event, User, World, join_worlds

from pls_ml.core.catalogue import Abandoned, Catalogue, EventFilter, SignalColumn, Total
from pls_ml.core.windows import parse_duration

AS_OF = datetime(2025, 3, 12)
LONG_AGO = datetime(2000, 1, 1)


@dataclass(frozen=True)
class Edge:
    """One event at one place: `counts` says whether it lies in the window and was known."""

    place: str
    event_time: datetime
    known_at: datetime
    counts: bool


def edges(column: SignalColumn) -> tuple[Edge, ...]:
    """Both edges of the window, one microsecond around each, and both sides of becoming known too late."""
    length = column.window.length_us if column.window else None
    first = LONG_AGO if length is None else AS_OF - timedelta(microseconds=length)
    end = AS_OF - _grace(column)
    inside = end - MICROSECOND
    found = [
        ("at the window's start", first, first, True),
        ("one microsecond before the window's end", inside, inside, True),
        ("at the window's end", end, end, False),
        ("one microsecond after the window's end", end + MICROSECOND, end + MICROSECOND, False),
        ("inside, known one microsecond before as_of", inside, AS_OF - MICROSECOND, True),
        ("inside, known at as_of", inside, AS_OF, False),
        ("at the window's start, known a day after as_of", first, AS_OF + timedelta(days=1), False),
        ("at as_of, known long before", AS_OF, first, False),
    ]
    if length is not None:
        before = first - MICROSECOND
        found += [("one microsecond before the window's start", before, before, False)]
    return tuple(Edge(*edge) for edge in found)


def edge_cases(catalogue: Catalogue) -> Iterator[tuple[SignalColumn, Edge]]:
    return ((column, edge) for column in columns_on_events(catalogue) for edge in edges(column))


def expected(column: SignalColumn, edge: Edge) -> float:
    """Every windowed measure is 1 for a single event and 0 for none; a total is the event's value, scaled."""
    measure = column.signal.measure
    one = matching_properties(measure)[measure.of] * measure.scale if isinstance(measure, Total) else 1.0
    return one if edge.counts else 0.0


def edge_world(catalogue: Catalogue) -> World:
    return join_worlds({f"{column.name}|{edge.place}": _world(column, edge) for column, edge in edge_cases(catalogue)})


def wrong_edges(path: SignalPath) -> list[str]:
    """The (column, edge) pairs that the path gets wrong."""
    frame = path.signals(edge_world(path.catalogue))
    cases = list(edge_cases(path.catalogue))
    assert len(frame) == len(cases)
    return [
        f"{column.name}: {edge.place} gives {value}, expected {expected(column, edge)}"
        for row, (column, edge) in enumerate(cases, start=1)
        if not abs((value := frame.loc[row, column.name]) - expected(column, edge)) < 1e-9
    ]


def _world(column: SignalColumn, edge: Edge) -> World:
    chosen = _filter(column)
    event = Event(
        user_id="me",
        event=chosen.events[0] if chosen.events else "page_viewed",
        event_time=edge.event_time,
        known_at=edge.known_at,
        properties=matching_properties(chosen),
    )
    world = World((User("me", "co", LONG_AGO), User("mate", "co", LONG_AGO)), (("me", AS_OF),), (event,), (Account("co"),))
    return replace(world, events=(replace(event, user_id="mate"),)) if column.signal.scope == "account" else world


def _filter(column: SignalColumn) -> EventFilter:
    measure = column.signal.measure
    chosen = measure.started if isinstance(measure, Abandoned) else measure
    assert isinstance(chosen, EventFilter)
    return chosen


def _grace(column: SignalColumn) -> timedelta:
    measure = column.signal.measure
    return timedelta(microseconds=parse_duration(measure.grace)) if isinstance(measure, Abandoned) else timedelta()
