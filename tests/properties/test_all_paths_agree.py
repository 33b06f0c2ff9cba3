"""One log, many ways to its signals: by the reference, from a state made in one go, from one grown night by night in random steps."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from fakes.catalogues import full_catalogue, some_signals
from fakes.paths import SignalPath
from fakes.random_worlds import GRAINS, worlds
from fakes.worlds import World
from hypothesis import given, settings
from properties.ways import SEEDED, WAYS, month_ends, some_nights, summable
from signals.comparison import differing_columns
from signals.reference import Reference

from pls_ml.events.store import StateStore, Update
from pls_ml.signals.engines import duckdb

DAY = GRAINS[0]
modest = settings(max_examples=4, deadline=None, derandomize=True)


@pytest.mark.parametrize("grain", GRAINS, ids=str)
@pytest.mark.parametrize("way", WAYS)
def test_the_signals_are_those_of_the_reference(way, grain):
    @modest
    @given(worlds(grain), SEEDED)
    def compare(world: World, random: Random) -> None:
        catalogue = some_signals(full_catalogue(grain), random, 40)
        found = WAYS[way](SignalPath(catalogue, grain), world, random)
        assert differing_columns(found, Reference(catalogue, grain).signals(world)) == []

    compare()


@pytest.mark.parametrize("rows", [1, 2, 4])
def test_slices_of_the_spine_give_what_all_of_it_gives(rows, monkeypatch):
    @settings(modest, max_examples=3)
    @given(worlds(DAY), SEEDED)
    def compare(world: World, random: Random) -> None:
        path = SignalPath(some_signals(full_catalogue(DAY), random, 40), DAY)
        monkeypatch.setattr(duckdb, "SLICE_ROWS", 1_000_000)
        at_once = path.signals(world)
        monkeypatch.setattr(duckdb, "SLICE_ROWS", rows)
        assert differing_columns(path.signals(world), at_once) == []

    compare()


@pytest.mark.parametrize(
    ("way", "is_told"),
    [
        ("a state grown night by night", False),
        ("a state grown by a log in which rows turned up late", True),
        ("a state grown for other signals", True),
    ],
)
def test_a_state_is_built_again_or_extended_only_where_it_must_be(way, is_told, monkeypatch):
    """Guards the tests above against states that are made anew every night."""
    told, update = [], StateStore.update

    def listen(self: StateStore, *wanted: Any) -> Update:
        updated = update(self, *wanted)
        told.extend(updated.done)
        return updated

    monkeypatch.setattr(StateStore, "update", listen)

    @modest
    @given(worlds(DAY), SEEDED)
    def grow(world: World, random: Random) -> None:
        WAYS[way](SignalPath(some_signals(full_catalogue(DAY), random, 40), DAY), world, random)

    grow()
    assert bool(told) == is_told


def test_nights_come_long_before_and_after_the_first_moment():
    """Guards the tests above against states that are always complete, or empty, before the last night."""
    seen = []

    @modest
    @given(worlds(DAY), SEEDED)
    def collect(world: World, random: Random) -> None:
        first = min(as_of for _, as_of in world.spine)
        seen.extend((night.at - first) // timedelta(days=30) for night in some_nights(SignalPath(full_catalogue(DAY)), world, random))

    collect()
    assert min(seen) < -1
    assert max(seen) >= 0


@pytest.mark.parametrize("grain", GRAINS, ids=str)
def test_sums_of_the_far_past_give_the_signals_of_the_reference(grain):
    """Where they are exact: for signals that ask neither for days of long ago nor for the first days, of people who stay where they are."""
    summed = []
    catalogue = summable(full_catalogue(grain))

    @modest
    @given(worlds(grain, movers=False), SEEDED)
    def compare(world: World, random: Random) -> None:
        path = SignalPath(some_signals(catalogue, random, 40), grain, nights=month_ends(grain, world))
        with path.opened(world) as (database, state):
            found = path.compute(database, state)
            summed.append(database.rows("SELECT count(*) FROM state WHERE window_tick IS NULL")[0][0])
        assert differing_columns(found, Reference(path.catalogue, grain).signals(world)) == []

    compare()
    assert sum(rows > 0 for rows in summed) > len(summed) / 2
