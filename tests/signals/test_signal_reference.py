"""The engine computes what the slow reference computes, for every signal, every grain, one `as_of` and many."""

from collections import defaultdict

import pytest
from fakes.catalogues import KINDS, full_catalogue
from fakes.paths import SignalPath
from fakes.random_worlds import GRAINS, worlds
from fakes.worlds import World
from hypothesis import given, settings
from signals.comparison import differing_columns
from signals.reference import Reference

modest = settings(max_examples=12, deadline=None, derandomize=True)


def test_the_catalogue_under_test_uses_every_kind_of_measure():
    assert {signal.measure.kind for signal in full_catalogue(GRAINS[0]).signals} == set(KINDS)


@pytest.mark.parametrize("grain", GRAINS, ids=str)
def test_the_engine_agrees_with_the_reference_on_random_logs(grain):
    path, reference = (way(full_catalogue(grain), grain) for way in (SignalPath, Reference))

    @modest
    @given(worlds(grain))
    def compare(world: World) -> None:
        assert differing_columns(path.signals(world), reference.signals(world)) == []

    compare()


@pytest.mark.parametrize("grain", GRAINS, ids=str)
def test_random_logs_reach_several_values_of_every_signal(grain):
    reference = Reference(full_catalogue(grain), grain)
    seen = defaultdict(set)

    @settings(modest, max_examples=40)
    @given(worlds(grain))
    def collect(world: World) -> None:
        for name, values in reference.signals(world).items():
            seen[name] |= set(values.dropna())

    collect()
    assert [column.name for column in reference.catalogue if len(seen[column.name]) < 2] == []
