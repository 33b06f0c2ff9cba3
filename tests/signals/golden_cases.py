"""All golden cases, computed at once."""

from __future__ import annotations

from datetime import datetime

from fakes.catalogues import full_catalogue
from fakes.tables import SignalPath
from fakes.worlds import join_worlds
from signals.golden_case import Case
from signals.golden_measures import DUPLICATES, MEASURES, NOTHING_HAPPENED
from signals.golden_rules import ABANDONED_D12, ATTRIBUTES, DAU_MAU_D7, TRENDS_D8_D9, WHO

CASES = {
    case.name: case for case in (*NOTHING_HAPPENED, *MEASURES, *DAU_MAU_D7, *TRENDS_D8_D9, *ABANDONED_D12, *WHO, *ATTRIBUTES, *DUPLICATES)
}


def cases_at(grain: str) -> dict[str, Case]:
    """The cases whose `as_of` lies on a boundary of the grain."""
    return {name: case for name, case in CASES.items() if grain != "day" or case.as_of == datetime.combine(case.as_of, datetime.min.time())}


def wrong_cases(path: SignalPath) -> dict[str, str]:
    """The golden cases that a path gets wrong, with what it gives; all are computed at once, in worlds that do not touch."""
    cases = cases_at(path.grain)
    frame = path.at(path.grain, full_catalogue(path.grain)).signals(join_worlds({name: case.world for name, case in cases.items()}))
    if list(frame.index) != list(range(1, len(cases) + 1)):
        return dict.fromkeys(cases, "the table does not have one line per row of the spine")
    wrong = {}
    for row, case in enumerate(cases.values(), start=1):
        found = {name: _plain(frame.loc[row, name]) for name in case.expected}
        bad = [name for name, value in case.expected.items() if not _equal(found[name], value)]
        if bad:
            wrong[case.name] = ", ".join(f"{name} is {found[name]}, expected {case.expected[name]}" for name in bad)
    return wrong


def _plain(value: object) -> object:
    return None if value != value else value  # noqa: PLR0124  # a missing number is not equal to itself


def _equal(found: object, wanted: object) -> bool:
    if isinstance(wanted, int | float) and isinstance(found, int | float):
        return abs(found - wanted) < 1e-12 * max(1, abs(wanted)) + 1e-12
    return found == wanted
