"""Signals of small histories, worked out by hand."""

from functools import cache

import pytest
from fakes.catalogues import full_catalogue
from fakes.tables import SignalPath
from signals.golden_cases import CASES, cases_at, wrong_cases


@cache
def wrong(grain: str) -> dict[str, str]:
    return wrong_cases(SignalPath(full_catalogue(grain), grain))


@pytest.mark.parametrize("name", CASES)
def test_signals_are_as_worked_out_by_hand(name):
    assert [wrong(grain)[name] for grain in ("day", "hour", "minute") if name in wrong(grain)] == []


def test_every_case_is_computed_at_the_finer_grains():
    assert list(cases_at("hour")) == list(cases_at("minute")) == list(CASES)
    assert len(cases_at("day")) > 0.9 * len(CASES)
