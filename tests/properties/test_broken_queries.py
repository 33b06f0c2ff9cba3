"""The checks of this folder and of the signal tests notice engines and cleanings that are wrong on purpose."""

from typing import Any

import pytest
from fakes.tables import SignalPath
from hypothesis import Phase, given, settings
from properties.breakages import BREAKAGES, EDGES, GOLDEN
from properties.invariances import GOOD_PATH, INVARIANCES, changed_columns
from signals.golden_cases import wrong_cases
from signals.window_edges import wrong_edges

CHECKS = (EDGES, GOLDEN, *INVARIANCES)
PAIRS = [(breakage, check) for breakage, broken in BREAKAGES.items() for check in broken.noticed_by]
searching = settings(max_examples=40, deadline=None, derandomize=True, phases=[Phase.generate])


@pytest.mark.parametrize(("breakage", "check"), PAIRS)
def test_a_broken_path_is_noticed(breakage, check):
    assert finds_fault(check, BREAKAGES[breakage].break_path(GOOD_PATH))


@pytest.mark.parametrize("check", [EDGES, GOLDEN])
def test_the_path_in_use_has_no_fault(check):
    assert not finds_fault(check, GOOD_PATH)


def test_every_check_notices_some_breakage():
    assert {check for broken in BREAKAGES.values() for check in broken.noticed_by} == set(CHECKS)


def finds_fault(check: str, path: SignalPath) -> bool:
    if check == EDGES:
        return bool(wrong_edges(path.at("hour")))
    if check == GOLDEN:
        return bool(wrong_cases(path.at("hour")))
    return _some_case_changes(check, path)


def _some_case_changes(invariance: str, path: SignalPath) -> bool:
    found = []

    @searching
    @given(INVARIANCES[invariance].cases())
    def search(case: tuple[str, Any]) -> None:
        if not found:
            found.extend(changed_columns(invariance, path, case))

    search()
    return bool(found)
