"""All golden cases, computed at once."""

from __future__ import annotations

from typing import Protocol

import pandas as pd
from fakes.catalogues import full_catalogue
from fakes.worlds import World, join_worlds
from signals.golden_accounts import COLLEAGUES, DEPARTMENTS, NEWCOMERS, RECORDS
from signals.golden_case import BERLIN, Case
from signals.golden_identity import MOVES, STRANGERS, VERSIONS
from signals.golden_measures import DUPLICATES, MEASURES, NOTHING_HAPPENED
from signals.golden_rules import ABANDONED_D12, ATTRIBUTES, COLUMNS, DAU_MAU_D7, TRENDS_D8_D9, WHO
from signals.golden_sessions import SESSIONS
from signals.golden_times import FIRST_DAYS, FIRSTS_AND_LASTS, GROWTH, STREAKS, WEEKS_IN_A_ROW
from signals.golden_zones import LOCAL_TIME

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.windows import Grain

CASES = {
    case.name: case
    for cases in (
        *(NOTHING_HAPPENED, MEASURES, DUPLICATES, DAU_MAU_D7, TRENDS_D8_D9, ABANDONED_D12, WHO, ATTRIBUTES, COLUMNS),
        *(SESSIONS, STREAKS, WEEKS_IN_A_ROW, FIRSTS_AND_LASTS, GROWTH, FIRST_DAYS, LOCAL_TIME),
        *(MOVES, VERSIONS, STRANGERS, COLLEAGUES, DEPARTMENTS, NEWCOMERS, RECORDS),
    )
    for case in cases
}
GRAINS = (Grain("day"), Grain("hour"), Grain("minute"), Grain("day", BERLIN))


class Path(Protocol):
    """Some way from a world to its signals."""

    catalogue: Catalogue
    grain: Grain

    def signals(self, world: World) -> pd.DataFrame: ...


def cases_at(grain: Grain) -> dict[str, Case]:
    """The cases that can be computed at a grain."""
    return {name: case for name, case in CASES.items() if case.is_at(grain)}


def wrong_cases(path: Path) -> dict[str, str]:
    """The golden cases that a path gets wrong, with what it gives; all are computed at once, in worlds that do not touch.

    The path is one for the full catalogue of its grain.
    """
    cases = cases_at(path.grain)
    assert path.catalogue == full_catalogue(path.grain)
    frame = path.signals(join_worlds({name: case.world for name, case in cases.items()}))
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
