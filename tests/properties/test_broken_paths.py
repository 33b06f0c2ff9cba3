"""The checks of this folder and of the signal tests notice paths that are wrong on purpose."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from fakes.catalogues import full_catalogue, some_signals
from fakes.paths import SignalPath
from fakes.random_worlds import worlds
from fakes.worlds import World
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from properties.breakages import BREAKAGES, EDGES, GOLDEN, NIGHTS
from properties.invariances import GOOD_PATH, INVARIANCES, changed_columns
from properties.ways import SEEDED, grown_month_by_month, read_whole, summable
from signals.comparison import differing_columns
from signals.golden_cases import wrong_cases
from signals.window_edges import wrong_edges

from pls_ml.core.windows import Grain

CHECKS = (EDGES, GOLDEN, NIGHTS, *INVARIANCES)
PAIRS = [(breakage, check) for breakage, broken in BREAKAGES.items() for check in broken.noticed_by]
HOUR = Grain("hour")
searching = settings(max_examples=40, deadline=None, derandomize=True, phases=[Phase.generate])


@pytest.mark.parametrize(("breakage", "check"), PAIRS)
def test_a_broken_path_is_noticed(breakage, check):
    broken = BREAKAGES[breakage]
    is_noticed = finds_fault(check, broken.break_path(GOOD_PATH))
    assert broken.rewritten != [], "the breakage found nothing to rewrite: its pattern has to follow the query"
    assert is_noticed


@pytest.mark.parametrize("check", [EDGES, GOLDEN])
def test_the_path_in_use_has_no_fault(check):
    assert not finds_fault(check, GOOD_PATH)


def test_every_check_notices_some_breakage():
    assert {check for broken in BREAKAGES.values() for check in broken.noticed_by} == set(CHECKS)


def finds_fault(check: str, path: SignalPath) -> bool:
    if check == EDGES:
        return bool(wrong_edges(path.at(HOUR, full_catalogue(HOUR))))
    if check == GOLDEN:
        return bool(wrong_cases(path.at(HOUR, full_catalogue(HOUR))))
    return _some_night_differs(path) if check == NIGHTS else _some_case_changes(check, path)


def _some_case_changes(invariance: str, path: SignalPath) -> bool:
    return _search(INVARIANCES[invariance].cases(), lambda case: changed_columns(invariance, path, case))


def _some_night_differs(path: SignalPath) -> bool:
    catalogue = summable(full_catalogue(HOUR))

    def differing(case: tuple[World, Random]) -> list[str]:
        world, random = case
        chosen = path.at(HOUR, some_signals(catalogue, random, 40))
        return differing_columns(grown_month_by_month(chosen, world, random), read_whole(chosen, world, random))

    return _search(st.tuples(worlds(HOUR, movers=False), SEEDED), differing)


def _search(cases: st.SearchStrategy[Any], differing: Callable[[Any], list[str]]) -> bool:
    found = []

    @searching
    @given(cases)
    def search(case: Any) -> None:
        if not found:
            found.extend(differing(case))

    search()
    return bool(found)
