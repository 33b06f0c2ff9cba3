"""What must not change a signal: each property draws a case, computes signals twice and names the columns that differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

from fakes.catalogues import reads_account_events
from fakes.random_worlds import DAY, NOW, around, event_lists, future, past, worlds
from fakes.tables import SignalPath, default_catalogue
from fakes.worlds import MICROSECOND, Event, World
from hypothesis import strategies as st
from signals.comparison import differing_columns

OFFSETS = {"+00:00": 0, "Z": 0, "+02:00": 2, "-08": -8, "+05:30": 5.5, "+0545": 5.75, "-03:30": -3.5}


@dataclass(frozen=True)
class Invariance:
    """`draw` makes a case for a time grain; `changed` names the columns that the case changes though it must not."""

    draw: Callable[[st.DrawFn, str], Any]
    changed: Callable[[SignalPath, Any], list[str]]

    def cases(self) -> st.SearchStrategy[tuple[str, Any]]:
        """(grain, case) pairs."""

        @st.composite
        def one(draw: st.DrawFn) -> tuple[str, Any]:
            grain = draw(st.sampled_from(["day", "hour", "minute"]))
            return grain, self.draw(draw, grain)

        return one()


def _same_signals(path: SignalPath, case: tuple[World, World]) -> list[str]:
    before, after = case
    return differing_columns(path.signals(before), path.signals(after))


def _with_later_events(draw: st.DrawFn, grain: str) -> tuple[World, World]:
    world = draw(worlds(grain))
    return world, world.adding(draw(event_lists(future(_last(world)), delays=(NOW, DAY, -40 * DAY), prefix="later", most=20)))


def _with_late_arrivals(draw: st.DrawFn, grain: str) -> tuple[World, World]:
    """Events told late, among them some that were already known, told differently."""
    world = draw(worlds(grain))
    last = _last(world)
    random = draw(st.randoms(use_true_random=False))
    arrivals = [replace(e, known_at=future(last)(random)) for e in draw(event_lists(past(last), prefix="late", most=20))]
    known = [event for event in world.events if event.known < last]
    corrected = [replace(arrival, event_id=event.event_id) for arrival, event in zip(arrivals, known[::5], strict=False)]
    return world, world.adding((*arrivals, *corrected))


def _in_another_order(draw: st.DrawFn, grain: str) -> tuple[World, World]:
    """Some events came in several versions, known at the same or another time."""
    world = draw(worlds(grain))
    world = world.adding(draw(event_lists(past(_last(world)), delays=(NOW, DAY), most=20)))  # the ids e0, e1 … again
    random = draw(st.randoms(use_true_random=False))
    return world, replace(
        world,
        events=tuple(random.sample(world.events, len(world.events))),
        users=tuple(random.sample(world.users, len(world.users))),
        accounts=tuple(random.sample(world.accounts, len(world.accounts))),
    )


def _with_duplicates(draw: st.DrawFn, grain: str) -> tuple[World, World]:
    world = draw(worlds(grain))
    delays = cycle(draw(st.permutations([NOW, MICROSECOND, DAY, 9 * DAY])))
    copies = [replace(event, known_at=event.known + next(delays)) for event in world.events[::2]]
    return world, replace(world, events=(*copies, *world.events))


def _in_other_weeks(draw: st.DrawFn, grain: str) -> tuple[World, World]:
    world = draw(worlds(grain))
    weeks = draw(st.one_of(st.sampled_from([-9, -8, -7, 44]), st.integers(-150, 150)))  # often to the turn of a year
    return world, world.shifted(timedelta(weeks=weeks))


def _with_events_of_others(draw: st.DrawFn, grain: str) -> tuple[World, World]:
    world = draw(worlds(grain, leads=("ann", "cem")))
    return world, world.adding(draw(_events_of(world, ("bob", "guest", "dan", "eve"))))


def _own_signals(path: SignalPath, case: tuple[World, World]) -> list[str]:
    catalogue = path.catalogue
    return [name for name in _same_signals(path, case) if name == "row" or not reads_account_events(catalogue.by_column[name], catalogue)]


def _with_events_of_other_accounts(draw: st.DrawFn, grain: str) -> tuple[World, World]:
    world = draw(worlds(grain, leads=("ann", "bob")))
    return world, world.adding(draw(_events_of(world, ("cem", "dan", "eve"))))


def _events_of(world: World, users: tuple[str, ...]) -> st.SearchStrategy[tuple[Event, ...]]:
    return event_lists(around(_last(world)), users=users, delays=(NOW, DAY), prefix="other", most=20)


def _with_other_moments(draw: st.DrawFn, grain: str) -> tuple[World, int]:
    """Moments that share a tick are among them, and the same (lead, as_of) twice."""
    world = draw(worlds(grain, rows=2))
    shifts = draw(st.lists(st.sampled_from([NOW, timedelta(seconds=30), timedelta(minutes=40), DAY]), min_size=1, max_size=2))
    spine = (*world.spine, *((lead, as_of + shift) for shift in shifts for lead, as_of in world.spine))
    return replace(world, spine=spine), draw(st.integers(1, len(spine)))


def _alone_and_among_many(path: SignalPath, case: tuple[World, int]) -> list[str]:
    world, row = case
    among_many = path.signals(world)
    if list(among_many.index) != list(range(1, len(world.spine) + 1)):
        return ["row"]
    alone = path.signals(replace(world, spine=(world.spine[row - 1],)))
    return differing_columns(alone, among_many.loc[[row]].set_index(alone.index))


def _in_other_zones(draw: st.DrawFn, grain: str) -> tuple[World, list[str]]:
    return draw(worlds(grain)), draw(st.lists(st.sampled_from(list(OFFSETS)), min_size=1, max_size=5))


def _written_elsewhere(path: SignalPath, case: tuple[World, list[str]]) -> list[str]:
    world, zones = case

    def write(moment: datetime) -> str:
        zone = zones[int(moment.timestamp()) // 60 % len(zones)]
        return (moment + timedelta(hours=OFFSETS[zone])).isoformat(timespec="microseconds") + zone

    return differing_columns(path.signals(world), replace(path, write_time=write).signals(world))


def _last(world: World) -> datetime:
    return max(as_of for _, as_of in world.spine)


INVARIANCES = {
    "events at or after as_of": Invariance(_with_later_events, _same_signals),
    "events that became known at or after as_of": Invariance(_with_late_arrivals, _same_signals),
    "the order of rows": Invariance(_in_another_order, _same_signals),
    "rows repeated with the same event id": Invariance(_with_duplicates, _same_signals),
    "whole weeks later or earlier": Invariance(_in_other_weeks, _same_signals),
    "events of other leads": Invariance(_with_events_of_others, _own_signals),
    "events of other accounts": Invariance(_with_events_of_other_accounts, _same_signals),
    "other moments in the same query": Invariance(_with_other_moments, _alone_and_among_many),
    "the input's time zone": Invariance(_in_other_zones, _written_elsewhere),
}
"""What must not matter → how it is tried."""

GOOD_PATH = SignalPath(default_catalogue())


def changed_columns(invariance: str, path: SignalPath, case: tuple[str, Any]) -> list[str]:
    """The columns that a drawn (grain, case) pair changes on this path."""
    grain, drawn = case
    return INVARIANCES[invariance].changed(path.at(grain), drawn)
