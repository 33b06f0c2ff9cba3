"""The engine computes what the slow reference computes, for every signal, every grain, one `as_of` and many."""

from collections import defaultdict
from typing import get_args

import pytest
from fakes.catalogues import full_catalogue
from fakes.random_worlds import worlds
from fakes.tables import SignalPath
from fakes.worlds import World
from hypothesis import given, settings
from signals.comparison import differing_columns
from signals.reference import reference_signals

from pls_ml.core.catalogue import Measure

KINDS = {kind.model_fields["kind"].annotation.__args__[0] for kind in get_args(get_args(Measure)[0])}
GRAINS = ["day", "hour", "minute"]
modest = settings(max_examples=12, deadline=None, derandomize=True)


def test_the_catalogues_under_test_use_every_kind_of_measure():
    assert {signal.measure.kind for signal in full_catalogue("day").signals} == KINDS


@pytest.mark.parametrize("grain", GRAINS)
def test_the_engine_agrees_with_the_reference_on_random_logs(grain):
    path = SignalPath(full_catalogue(grain), grain)

    @modest
    @given(worlds(grain))
    def compare(world: World) -> None:
        assert differing_columns(path.signals(world), reference_signals(world, path.catalogue)) == []

    compare()


@pytest.mark.parametrize("grain", GRAINS)
def test_random_logs_reach_several_values_of_every_signal(grain):
    path = SignalPath(full_catalogue(grain), grain)
    seen = defaultdict(set)

    @settings(modest, max_examples=25)
    @given(worlds(grain))
    def collect(world: World) -> None:
        for name, values in reference_signals(world, path.catalogue).items():
            seen[name] |= set(values)

    collect()
    assert [column.name for column in path.catalogue if len(seen[column.name]) < 2] == []
