"""Where the leads are accounts: every way from one log to its signals gives those of the reference, and what must not matter does not."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from fakes.catalogues import account_catalogue, some_signals
from fakes.paths import SignalPath
from fakes.random_worlds import GRAINS
from fakes.worlds import Event, User, World
from hypothesis import assume, given, settings
from properties.invariances import INVARIANCES
from properties.ways import SEEDED, WAYS, month_ends, summable
from signals.account_worlds import account_worlds, of_accounts
from signals.comparison import differing_columns
from signals.reference import Reference

from pls_ml.core.catalogue import Catalogue

DAY = GRAINS[0]
ABOUT_THE_LOG = (
    "events at or after as_of",
    "events that became known at or after as_of",
    "what people and accounts become at or after as_of",
    "the order of rows",
    "rows repeated with the same event id",
    "events of other accounts",
    "events of people who are no customers",
)
modest = settings(max_examples=3, deadline=None, derandomize=True)


@pytest.mark.parametrize("way", WAYS)
def test_the_signals_are_those_of_the_reference(way):
    @modest
    @given(account_worlds(DAY), SEEDED)
    def compare(world: World, random: Random) -> None:
        catalogue = some_signals(account_catalogue(DAY), random, 40)
        found = WAYS[way](SignalPath(catalogue, DAY), world, random)
        assert differing_columns(found, Reference(catalogue, DAY).signals(world)) == []

    compare()


def test_sums_of_the_far_past_give_the_signals_of_the_reference():
    """Where they are exact: for signals that ask neither for days of long ago nor for the first days, of people who stay where they are."""
    summed, catalogue = [], summable(account_catalogue(DAY))

    @modest
    @given(account_worlds(DAY, movers=False), SEEDED)
    def compare(world: World, random: Random) -> None:
        path = SignalPath(some_signals(catalogue, random, 40), DAY, nights=month_ends(DAY, world))
        with path.opened(world) as (database, state):
            found = path.compute(database, state)
            summed.append(database.rows("SELECT count(*) FROM state WHERE window_tick IS NULL")[0][0])
        assert differing_columns(found, Reference(path.catalogue, DAY).signals(world)) == []

    compare()
    assert sum(rows > 0 for rows in summed) > len(summed) / 2


@pytest.mark.parametrize("invariance", ABOUT_THE_LOG)
def test_no_signal_of_an_account_depends_on(invariance):
    @modest
    @given(INVARIANCES[invariance].cases())
    def check(case: tuple[Any, tuple[World, World]]) -> None:
        grain, (before, after) = case
        leads = tuple(row for row in of_accounts(before, grain).spine if row[0] != "island")
        assume(leads)
        path = SignalPath(account_catalogue(grain), grain)
        assert differing_columns(*(path.signals(replace(world, spine=leads)) for world in (before, after))) == []

    check()


OLD_HANDS = {
    "events from before the signup": (User("bob", "bolt", datetime(2025, 1, 20)), None),
    "events that another account has written on them": (User("bob", "acme", datetime(2024, 11, 1)), "bolt"),
}


@pytest.mark.parametrize("case", OLD_HANDS)
def test_sums_of_the_far_past_are_not_trusted_with_the_first_days_of_an_account_younger_than_its_users_events(case):
    """Sums keep the days apart on which a user began; an account may begin much later."""
    bob, written = OLD_HANDS[case]
    events = tuple(Event("bob", "page_viewed", datetime(2024, 11, 2) + timedelta(days=day), account_id=written) for day in range(120))
    early = {"id": "early", "family": "x", "label": "x", "measure": {"kind": "count"}, "windows": ["first_14d", "lifetime"]}
    catalogue = Catalogue.model_validate({"unit": "account", "signals": [early]})
    world = World((bob, User("cem", "bolt", datetime(2025, 1, 20))), (("bolt", datetime(2025, 3, 10)),), events)

    found = SignalPath(catalogue, DAY, nights=month_ends(DAY, world)).signals(world)

    assert found.to_numpy().tolist() == [[14, 120]]
