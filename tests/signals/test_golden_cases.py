"""Signals of small histories, worked out by hand; the reference must get them right too."""

from functools import cache

import pytest
from fakes.catalogues import full_catalogue
from fakes.paths import SignalPath
from signals.golden_cases import CASES, GRAINS, cases_at, wrong_cases
from signals.reference import Reference

from pls_ml.core.windows import Grain


@cache
def wrong(way: type[SignalPath] | type[Reference], grain: Grain) -> dict[str, str]:
    return wrong_cases(way(full_catalogue(grain), grain))


@pytest.mark.parametrize("way", [SignalPath, Reference])
@pytest.mark.parametrize("name", CASES)
def test_signals_are_as_worked_out_by_hand(name, way):
    assert [wrong(way, grain)[name] for grain in GRAINS if name in wrong(way, grain)] == []


def test_every_case_is_computed_at_some_grain_and_most_at_several():
    computed = [name for grain in GRAINS for name in cases_at(grain)]
    assert set(computed) == set(CASES)
    assert len(computed) > 2.5 * len(CASES)
