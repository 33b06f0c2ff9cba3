"""Every signal of the shipped catalogue depends on what was known before `as_of` about its own lead or account, and on nothing else."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fakes.catalogues import default_catalogue, sample_events
from fakes.random_worlds import DAY, worlds
from fakes.worlds import MICROSECOND, Account, Event, User, World
from hypothesis import given, settings
from properties.invariances import GOOD_PATH, INVARIANCES, changed_columns
from signals.comparison import differing_columns

from pls_ml.core.measures import OnEvents
from pls_ml.core.windows import Grain

MONDAY = datetime(2025, 3, 3)
HOUR = timedelta(hours=1)

modest = settings(max_examples=6, deadline=None, derandomize=True)


@pytest.mark.parametrize("invariance", INVARIANCES)
def test_no_signal_depends_on(invariance):
    @modest
    @given(INVARIANCES[invariance].cases())
    def check(case: tuple[str, Any]) -> None:
        assert changed_columns(invariance, GOOD_PATH, case) == []

    check()


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/Bogota"])
def test_local_times_under_the_configured_zone_are_the_same_instants(zone):
    def write(moment: datetime) -> str:
        return moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat(sep=" ")

    @settings(modest, max_examples=3)
    @given(worlds(Grain("hour")))
    def check(world: World) -> None:
        path = GOOD_PATH.at(Grain("hour"))
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


def test_accounts_listed_in_any_order_give_the_same_attributes():
    sizes = ((5.0, "b"), (7.0, "a"), (5.0, "a"), (None, "c"))
    versions = tuple(Account("co", size, name, MONDAY - (n + 1) * DAY, MONDAY - n * DAY) for n, (size, name) in enumerate(sizes))
    world = World((User("me", "co", MONDAY - DAY),), (("me", MONDAY),), (Event("me", "page_viewed", MONDAY - DAY),), versions)
    assert differing_columns(GOOD_PATH.signals(world), GOOD_PATH.signals(replace(world, accounts=versions[::-1]))) == []


PEOPLE = (
    User("up", "co", MONDAY - 60 * DAY),
    User("mate", "co", MONDAY - 60 * DAY, "founder", department="sales"),
    User("down", None, MONDAY - 60 * DAY),
    User("new", "startup", MONDAY - 2 * DAY),
)
BURST = tuple(Event(user.user_id, name, MONDAY, properties=properties) for user in PEOPLE for name, properties in sample_events())
HISTORY = tuple(
    Event(user, "session_start" if n else "feature_used", MONDAY - timedelta(weeks=4 - week, hours=-n - 1))
    for user, weeks in {"up": (1, 2, 3, 3), "down": (20, 16, 12, 8)}.items()
    for week, count in enumerate(weeks)
    for n in range(count)
) + tuple(Event(user, "upgrade_started", MONDAY - days * DAY) for user in ("up", "down") for days in (9, 45))
THREE_LEADS = World(PEOPLE, (("up", MONDAY), ("down", MONDAY), ("new", MONDAY)), HISTORY)


@cache
def changed_by_burst(grain: str, event_time: timedelta, known_at: timedelta) -> list[str]:
    """Columns that change when everything happens, and becomes known, so long after `as_of`."""
    path = GOOD_PATH.at(Grain(grain))
    burst = [replace(event, event_time=MONDAY + event_time, known_at=MONDAY + known_at) for event in BURST]
    return differing_columns(path.signals(THREE_LEADS), path.signals(THREE_LEADS.adding(burst)))


@pytest.mark.parametrize("grain", ["day", "hour", "minute"])
@pytest.mark.parametrize("column", list(default_catalogue().by_column))
def test_a_signal_sees_the_last_microsecond_before_as_of_and_nothing_after_it(column, grain):
    just_before, now = -MICROSECOND, timedelta()
    on_events = isinstance(default_catalogue().by_column[column].signal.measure, OnEvents)
    assert column in changed_by_burst(grain, just_before, just_before) or not on_events
    assert column not in changed_by_burst(grain, just_before, now)
    assert column not in changed_by_burst(grain, now, just_before)
    assert column not in changed_by_burst(grain, now, now)


@pytest.mark.parametrize(
    ("log_ends", "event"),
    [(-HOUR, "invite_accepted"), (-3 * HOUR, "page_viewed")],
    ids=["the first accepted invitation in the log", "the first event after the signup"],
)
def test_an_event_of_another_account_at_as_of_does_not_touch_accepted_invitations(log_ends, event):
    guest = User("guest", "co", MONDAY - 2 * HOUR, invited_by="me")
    users = (User("me", "co", MONDAY - 60 * DAY), guest, User("other", "rival", MONDAY - 60 * DAY))
    world = World(users, (("me", MONDAY),), (Event("other", "page_viewed", MONDAY + log_ends),))
    assert differing_columns(GOOD_PATH.signals(world), GOOD_PATH.signals(world.adding([Event("other", event, MONDAY)]))) == []
