"""One log, many ways to its signals: by the reference, from a state made in one go, from one grown night by night in random steps."""

from datetime import timedelta
from random import Random

import pytest
from fakes.catalogues import full_catalogue, some_signals
from fakes.paths import SignalPath
from fakes.random_worlds import GRAINS, worlds
from fakes.worlds import World
from hypothesis import given, settings
from hypothesis import strategies as st
from properties.ways import WAYS, some_nights
from signals.comparison import differing_columns
from signals.reference import Reference

from pls_ml.signals.engines import duckdb

DAY = GRAINS[0]
modest = settings(max_examples=4, deadline=None, derandomize=True)


@pytest.mark.parametrize("grain", GRAINS, ids=str)
@pytest.mark.parametrize("way", WAYS)
def test_the_signals_are_those_of_the_reference(way, grain):
    @modest
    @given(worlds(grain), st.randoms(use_true_random=False))
    def compare(world: World, random: Random) -> None:
        catalogue = some_signals(full_catalogue(grain), random, 40)
        found = WAYS[way](SignalPath(catalogue, grain), world, random)
        assert differing_columns(found, Reference(catalogue, grain).signals(world)) == []

    compare()


@pytest.mark.parametrize("rows", [1, 2, 4])
def test_slices_of_the_spine_give_what_all_of_it_gives(rows, monkeypatch):
    @settings(modest, max_examples=3)
    @given(worlds(DAY), st.randoms(use_true_random=False))
    def compare(world: World, random: Random) -> None:
        path = SignalPath(some_signals(full_catalogue(DAY), random, 40), DAY)
        monkeypatch.setattr(duckdb, "SLICE_ROWS", 1_000_000)
        at_once = path.signals(world)
        monkeypatch.setattr(duckdb, "SLICE_ROWS", rows)
        assert differing_columns(path.signals(world), at_once) == []

    compare()


def test_nights_come_long_before_and_after_the_first_moment():
    """Guards the tests above against states that are always complete, or empty, before the last night."""
    seen = []

    @modest
    @given(worlds(DAY), st.randoms(use_true_random=False))
    def collect(world: World, random: Random) -> None:
        first = min(as_of for _, as_of in world.spine)
        seen.extend((night.at - first) // timedelta(days=30) for night in some_nights(SignalPath(full_catalogue(DAY)), world, random))

    collect()
    assert min(seen) < -1
    assert max(seen) >= 0


def test_the_far_past_is_read_from_its_sums_where_that_is_exact():
    """Guards the tests above against paths that always read every event."""
    summed = []

    @modest
    @given(worlds(DAY, leads=("ann", "cem"), movers=False))
    def collect(world: World) -> None:
        catalogue = full_catalogue(DAY).select(["count_of_user", "count_of_account", "days_since_first_of_user"])
        with SignalPath(catalogue, DAY).opened(world) as (database, _):
            summed.append(database.rows("SELECT count(*) FROM state WHERE window_tick IS NULL")[0][0])

    collect()
    assert any(summed)
