"""Where the leads are accounts, a signal is that of everybody in them: by the slow reference, by hand, alone and together."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime

import pytest
from fakes.catalogues import account_catalogue
from fakes.paths import SignalPath
from fakes.random_worlds import GRAINS
from fakes.worlds import Account, User, World, read_events
from hypothesis import given, settings
from signals.account_worlds import account_worlds
from signals.comparison import differing_columns
from signals.reference import Reference

from pls_ml.core.catalogue import Catalogue

DAY = GRAINS[0]
NOW, LATER = datetime(2025, 3, 10), datetime(2025, 3, 17)
modest = settings(max_examples=8, deadline=None, derandomize=True)


@pytest.mark.parametrize("grain", GRAINS, ids=str)
def test_the_engine_agrees_with_the_reference_on_random_logs(grain):
    path, reference = (way(account_catalogue(grain), grain) for way in (SignalPath, Reference))

    @modest
    @given(account_worlds(grain))
    def compare(world: World) -> None:
        assert differing_columns(path.signals(world), reference.signals(world)) == []

    compare()


def test_random_logs_reach_several_values_of_every_signal():
    reference, seen = Reference(account_catalogue(DAY), DAY), defaultdict(set)

    @settings(modest, max_examples=40)
    @given(account_worlds(DAY))
    def collect(world: World) -> None:
        for name, values in reference.signals(world).items():
            seen[name] |= set(values.dropna())

    collect()
    always_one = ["own_share"]  # of what an account does, all is its own
    assert [column.name for column in reference.catalogue if len(seen[column.name]) < 2] == always_one


def test_one_account_alone_has_the_signals_it_has_among_others():
    path = SignalPath(account_catalogue(DAY), DAY)

    @settings(modest, max_examples=3)
    @given(account_worlds(DAY))
    def compare(world: World) -> None:
        together = path.signals(world)
        for place, row in enumerate(world.spine):
            alone = path.signals(replace(world, spine=(row,)))
            assert differing_columns(alone.reset_index(drop=True), together.iloc[[place]].reset_index(drop=True)) == []

    compare()


def signal(name: str, measure: dict, *windows: str, scope: str = "user") -> dict:
    return {"id": name, "family": "test", "label": name, "measure": measure, "windows": windows, "scope": scope}


CATALOGUE = Catalogue.model_validate(
    {
        "unit": "account",
        "signals": [
            signal("age", {"kind": "age_days"}),
            signal("views", {"kind": "count", "events": ["page_viewed"]}, "7d", "lifetime", "first_2d"),
            signal("days", {"kind": "active_days"}, "lifetime"),
            signal("steps", {"kind": "distinct", "of": "step"}, "lifetime"),
            signal("wait", {"kind": "seconds_to_first", "events": ["page_viewed"]}),
            signal("busy", {"kind": "active_users"}, "7d", scope="account"),
            signal("users", {"kind": "account_users"}),
            signal("size", {"kind": "attribute", "table": "accounts", "column": "employee_count"}),
        ],
    }
)
MOVED = datetime(2025, 3, 5, 12)
WORLD = World(
    users=(
        User("ann", "acme", datetime(2025, 3, 1)),
        *User("mia", "acme", datetime(2025, 3, 3)).moves(MOVED, "bolt"),
        User("own", "acme", datetime(2025, 2, 1), is_internal=True),
        User("eve", None, datetime(2025, 2, 1)),
    ),
    spine=(("acme", NOW), ("bolt", NOW), ("acme", LATER), ("bolt", LATER)),
    events=read_events(
        """
        user | event       | when    | account | step
        ann  | page_viewed | -8d     |         | a
        mia  | page_viewed | -6d     |         | b
        mia  | page_viewed | -6d     |         | a
        mia  | page_viewed | -4d     |         | c
        mia  | page_viewed | -2d     | acme    | d
        own  | page_viewed | -2d     |         | e
        eve  | page_viewed | -2d     |         | f
        ann  | page_viewed | 0d      |         | g
        mia  | page_viewed | 1d      |         | h
        """,
        NOW,
    ),
    accounts=(Account("acme", 60.0), Account("bolt", 5.0)),
)
EXPECTED = """
    account, at | age | views_7d | views_lifetime | views_first_2d | days_lifetime | steps_lifetime | wait   | busy_7d | users | size
    acme, now   | 9   | 3        | 4              | 1              | 3             | 3              | 86400  | 1       | 1     | 60
    bolt, now   | 4.5 | 1        | 1              | 1              | 1             | 1              | 43200  | 1       | 1     | 5
    acme, later | 16  | 1        | 5              | 1              | 4             | 4              | 86400  | 1       | 1     | 60
    bolt, later | 11.5| 1        | 2              | 1              | 2             | 2              | 43200  | 1       | 1     | 5
"""


def test_what_people_do_counts_for_the_account_they_belonged_to_then():
    names, *rows = [[cell.strip() for cell in line.split("|")] for line in EXPECTED.strip().splitlines()]

    found = SignalPath(CATALOGUE, DAY).signals(WORLD)

    assert list(found.columns) == names[1:]
    assert found.to_numpy(float).tolist() == [[float(cell) for cell in row[1:]] for row in rows]
