"""What must not change a signal: each property draws a case, computes signals twice and names the columns that differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import cycle
from random import Random
from typing import Any

from fakes.catalogues import default_catalogue, full_catalogue, reads_others
from fakes.paths import SignalPath
from fakes.random_worlds import DAY, GRAINS, NOW, around, event_lists, future, past, worlds
from fakes.worlds import MICROSECOND, Account, Event, LimitReading, User, Workspace, World
from hypothesis import strategies as st
from signals.comparison import differing_columns

from pls_ml.core.windows import Grain

OFFSETS = {"+00:00": 0, "Z": 0, "+02:00": 2, "-08": -8, "+05:30": 5.5, "+0545": 5.75, "-03:30": -3.5}
UTC = tuple(grain for grain in GRAINS if grain.zone == "UTC")
ISLANDERS = (User("robinson", "island", datetime(2024, 1, 1), department="it's"), User("friday", None, datetime(2024, 1, 1)))


@dataclass(frozen=True)
class Invariance:
    """`draw` makes a case for a time grain; `changed` names the columns that the case changes though it must not."""

    draw: Callable[[st.DrawFn, Grain], Any]
    changed: Callable[[SignalPath, Any], list[str]]
    grains: tuple[Grain, ...] = GRAINS

    def cases(self) -> st.SearchStrategy[tuple[Grain, Any]]:
        """(grain, case) pairs."""

        @st.composite
        def one(draw: st.DrawFn) -> tuple[Grain, Any]:
            grain = draw(st.sampled_from(self.grains))
            return grain, self.draw(draw, grain)

        return one()


def _same_signals(path: SignalPath, case: tuple[World, World]) -> list[str]:
    before, after = case
    return differing_columns(path.signals(before), path.signals(after))


def _with_later_events(draw: st.DrawFn, grain: Grain) -> tuple[World, World]:
    world = draw(worlds(grain))
    return world, world.adding(draw(event_lists(future(_last(world)), delays=(NOW, DAY, -DAY / 24, -20 * DAY), prefix="later", most=20)))


def _with_late_arrivals(draw: st.DrawFn, grain: Grain) -> tuple[World, World]:
    """Events told late, among them some that were already known, told differently."""
    world = draw(worlds(grain))
    last = _last(world)
    random = draw(st.randoms(use_true_random=False))
    arrivals = [replace(e, known_at=future(last)(random)) for e in draw(event_lists(past(last, grain), prefix="late", most=20))]
    known = [event for event in world.events if event.known < last]
    corrected = [replace(arrival, event_id=event.event_id) for arrival, event in zip(arrivals, known[::5], strict=False)]
    return world, world.adding((*arrivals, *corrected))


def _with_later_facts(draw: st.DrawFn, grain: Grain) -> tuple[World, World]:
    """From the last `as_of` on people move and are promoted, sign up and begin workspaces; accounts change and hit their limits."""
    world = draw(worlds(grain))
    last, random = _last(world), draw(st.randoms(use_true_random=False))
    at = last + random.choice([NOW, MICROSECOND, DAY])
    users = [user for version in world.users for user in _moved(random, version, at)]
    newcomer = User("newcomer", "acme", at, "head", invited_by="ann", department="sales")
    accounts = [version for account in world.accounts for version in _resized(account, at)]
    more = replace(world, users=(*users, newcomer), accounts=tuple(accounts))
    begun = tuple(Workspace(account, at) for account in ("acme", "bolt"))
    readings = tuple(LimitReading(account, "seats", 10.0, 99.0, at) for account in ("acme", "bolt"))
    return world, replace(more, workspaces=(*world.workspaces, *begun), readings=(*world.readings, *readings))


def _moved(random: Random, user: User, at: datetime) -> tuple[User, ...]:
    if user.valid_to is not None or (user.valid_from is not None and user.valid_from >= at):
        return (user,)
    return user.moves(at, random.choice(["acme", "bolt", None]), seniority="boss", department="board", source="elsewhere")


def _resized(account: Account, at: datetime) -> tuple[Account, ...]:
    if account.valid_to is not None or (account.valid_from is not None and account.valid_from >= at):
        return (account,)
    return replace(account, valid_to=at), Account(account.account_id, 77_777.0, "moon", at, region="moon")


def _in_another_order(draw: st.DrawFn, grain: Grain) -> tuple[World, World]:
    """Some events came in several versions, known at the same or another time."""
    world = draw(worlds(grain))
    world = world.adding(draw(event_lists(past(_last(world), grain), delays=(NOW, DAY), most=20)))  # the ids e0, e1 … again
    random = draw(st.randoms(use_true_random=False))
    parts = ("events", "users", "accounts", "workspaces", "readings")
    return world, replace(world, **{part: tuple(random.sample(getattr(world, part), len(getattr(world, part)))) for part in parts})


def _with_duplicates(draw: st.DrawFn, grain: Grain) -> tuple[World, World]:
    world = draw(worlds(grain))
    delays = cycle(draw(st.permutations([NOW, MICROSECOND, DAY, 9 * DAY])))
    copies = [replace(event, known_at=event.known + next(delays)) for event in world.events[::2]]
    return world, replace(world, events=(*copies, *world.events))


def _in_other_weeks(draw: st.DrawFn, grain: Grain) -> tuple[World, World]:
    world = draw(worlds(grain))
    weeks = draw(st.one_of(st.sampled_from([-12, -9, -8, 12, 44]), st.integers(-150, 150)))  # often to the turn of a year
    return world, world.shifted(timedelta(weeks=weeks))


def _with_events_of_others(draw: st.DrawFn, grain: Grain) -> tuple[World, World]:
    world = draw(worlds(grain, leads=("ann", "cem")))
    return world, world.adding(draw(_events_of(world, ("bob", "guest", "dan", "eve"))))


def _own_signals(path: SignalPath, case: tuple[World, World]) -> list[str]:
    catalogue = path.catalogue
    return [name for name in _same_signals(path, case) if name == "row" or not reads_others(catalogue.by_column[name], catalogue)]


def _with_events_of_other_accounts(draw: st.DrawFn, grain: Grain) -> tuple[World, World]:
    world = draw(worlds(grain))
    world = replace(world, users=(*world.users, *ISLANDERS), accounts=(*world.accounts, Account("island", 9.0)))
    return world, world.adding(draw(_events_of(world, ("robinson", "friday"))))


def _with_events_of_strangers(draw: st.DrawFn, grain: Grain) -> tuple[World, World]:
    """Our own people, and people nobody knows, with and without an account written on their events."""
    world = draw(worlds(grain))
    events = draw(_events_of(world, ("staff", "ghost")))
    return world, world.adding(replace(event, account_id=("acme", "bolt", None)[n % 3]) for n, event in enumerate(events))


def _events_of(world: World, users: tuple[str, ...]) -> st.SearchStrategy[tuple[Event, ...]]:
    return event_lists(around(_last(world)), users=users, delays=(NOW, DAY), prefix="other", most=20)


def _with_other_moments(draw: st.DrawFn, grain: Grain) -> tuple[World, int]:
    """The same (lead, as_of) twice is among them, and moments a tick, some days and a month later."""
    world = draw(worlds(grain, rows=2))
    shifts = draw(st.lists(st.sampled_from([0, 1, grain.ticks_per_day, 40 * grain.ticks_per_day]), min_size=1, max_size=2))
    more = [(lead, grain.start_of(grain.tick_of(as_of) + shift)) for shift in shifts for lead, as_of in world.spine]
    spine = (*world.spine, *more)
    return replace(world, spine=spine), draw(st.integers(1, len(spine)))


def _alone_and_among_many(path: SignalPath, case: tuple[World, int]) -> list[str]:
    world, row = case
    among_many = path.signals(world)
    if list(among_many.index) != list(range(1, len(world.spine) + 1)):
        return ["row"]
    alone = path.signals(replace(world, spine=(world.spine[row - 1],)))
    return differing_columns(alone, among_many.loc[[row]].set_index(alone.index))


def _in_other_zones(draw: st.DrawFn, grain: Grain) -> tuple[World, list[str]]:
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
    "what people and accounts become at or after as_of": Invariance(_with_later_facts, _same_signals),
    "the order of rows": Invariance(_in_another_order, _same_signals),
    "rows repeated with the same event id": Invariance(_with_duplicates, _same_signals),
    "whole weeks later or earlier": Invariance(_in_other_weeks, _same_signals, UTC),
    "events of other leads": Invariance(_with_events_of_others, _own_signals),
    "events of other accounts": Invariance(_with_events_of_other_accounts, _same_signals),
    "events of people who are no customers": Invariance(_with_events_of_strangers, _same_signals),
    "other moments in the same query": Invariance(_with_other_moments, _alone_and_among_many),
    "the input's time zone": Invariance(_in_other_zones, _written_elsewhere),
}
"""What must not matter → how it is tried."""

GOOD_PATH = SignalPath(default_catalogue())
"""The path in use."""


def changed_columns(invariance: str, path: SignalPath, case: tuple[Grain, Any]) -> list[str]:
    """The columns that a drawn (grain, case) pair changes on this path, of the shipped signals and of every other kind."""
    grain, drawn = case
    return INVARIANCES[invariance].changed(path.at(grain, full_catalogue(grain)), drawn)
