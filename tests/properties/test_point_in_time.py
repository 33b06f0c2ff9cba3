"""Every signal of the shipped catalogue depends on what was known before `as_of` about its own lead or account, and on nothing else."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fakes.random_worlds import worlds
from fakes.worlds import World
from hypothesis import given, settings
from properties.invariances import GOOD_PATH, INVARIANCES, changed_columns
from signals.comparison import differing_columns

modest = settings(max_examples=10, deadline=None, derandomize=True)


@pytest.mark.parametrize("invariance", INVARIANCES)
def test_no_signal_depends_on(invariance):
    @modest
    @given(INVARIANCES[invariance].cases())
    def check(case: tuple[str, Any]) -> None:
        assert changed_columns(invariance, GOOD_PATH, case) == []

    check()


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_local_times_under_the_configured_zone_are_the_same_instants(zone):
    def write(moment: datetime) -> str:
        return moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat(sep=" ")

    @settings(modest, max_examples=3)
    @given(worlds("hour"))
    def check(world: World) -> None:
        path = GOOD_PATH.at("hour")
        local = replace(path, write_time=write, timezone=zone)
        assert differing_columns(path.signals(world), local.signals(world)) == []

    check()


def test_an_event_that_changes_nothing_at_as_of_does_change_signals_a_moment_later():
    """Guards the tests above against a world in which nothing ever matters."""

    @settings(modest, max_examples=3)
    @given(INVARIANCES["events at or after as_of"].cases())
    def check(case: tuple[str, Any]) -> None:
        grain, (before, after) = case
        path = GOOD_PATH.at(grain)
        later = tuple((lead, as_of + timedelta(days=60)) for lead, as_of in before.spine)
        changed = differing_columns(path.signals(replace(before, spine=later)), path.signals(replace(after, spine=later)))
        assert "events_90d" in changed

    check()
