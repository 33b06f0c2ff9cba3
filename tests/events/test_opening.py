"""What signals can still see of the past gives the same values as the whole state does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pandas as pd
import pytest
from fakes.catalogues import full_catalogue, sample_events
from fakes.paths import Night, SignalPath
from fakes.worlds import Account, Event, User, World
from kept_logs import keep
from random_logs import BEGIN, MEASURES, random_log

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.measures import ActiveDays
from pls_ml.core.windows import Grain
from pls_ml.events.opening import KeptState
from pls_ml.signals.query import longest_reach

APRIL = datetime(2024, 4, 1)
DAYS = timedelta(days=1)
LEADS = ("ann", "bob", "eve", "zoe")


def lasting(grain: Grain) -> Catalogue:
    """Every measure, scope and window but days over life, which sums do not tell."""
    signals = full_catalogue(grain).signals
    kept = [
        s.model_copy(update={"windows": tuple(w for w in s.windows if w != "lifetime")}) if isinstance(s.measure, ActiveDays) else s
        for s in signals
    ]
    return Catalogue(signals=tuple(kept))


def world(seed: int, *signups: datetime, spine: tuple[datetime, ...] = (APRIL, APRIL + 2 * DAYS, APRIL + 9 * DAYS)) -> World:
    """Half a year of four people at two accounts up to April 15th: late events, and some known before they happened."""
    draw = Random(seed)
    accounts = ("acme", "acme", "globex", None)
    users = tuple(
        User(lead, account, signup, draw.choice(["head", "junior"]), department="sales", invited_by=draw.choice([None, "ann"]))
        for lead, account, signup in zip(
            LEADS, accounts, signups or [datetime(2023, 10, 1 + draw.randrange(60) // 3) for _ in LEADS], strict=True
        )
    )
    return World(
        users=users,
        spine=tuple((lead, moment) for lead in LEADS for moment in spine),
        events=tuple(_event(draw, number) for number in range(700)),
        accounts=(Account("acme", 50, "retail"), Account("globex", 5)),
    )


def _event(draw: Random, number: int) -> Event:
    known = datetime(2023, 10, 1) + draw.choice([draw.uniform(0, 197), draw.uniform(150, 197), 183, 182.999, 184]) * DAYS
    shift = draw.choice([timedelta(), timedelta(), draw.uniform(0, 29.9) * DAYS, -draw.uniform(0, 100) * DAYS, timedelta(minutes=-20)])
    name, properties = draw.choice(sample_events())
    return Event(
        draw.choice((*LEADS, "gone")),
        name,
        max(known + shift, datetime(2023, 10, 1)),
        known,
        draw.choice([None, None, "acme"]),
        f"e{number}",
        properties,
    )


def signals(of: World, path: SignalPath) -> tuple[pd.DataFrame, bool]:
    """The signals, and whether they were computed from sums of the past."""
    with path.opened(of) as (database, state):
        path.engine(database, path.grain, state.words()).build_signals(path.catalogue)
        summed = bool(database.rows("SELECT 1 FROM state WHERE window_tick IS NULL LIMIT 1"))
        return database.frame('SELECT * FROM signals ORDER BY "row"'), summed


@pytest.mark.parametrize("grain", [Grain("day"), Grain("hour"), Grain("day", "Europe/Berlin")], ids=["day", "hour", "day of a zone"])
@pytest.mark.parametrize("seed", range(2))
def test_sums_of_the_past_and_what_came_since_give_the_signals_of_the_whole_state(seed, grain):
    path = SignalPath(lasting(grain), grain)
    starts = tuple(grain.start_of(grain.tick_of(moment + 2 * DAYS / 24)) for moment in (APRIL, APRIL + 2 * DAYS, APRIL + 9 * DAYS))
    of = world(seed, spine=starts)

    found, summed = signals(of, path)
    expected, whole = signals(of, replace(path, whole=True))

    assert (summed, whole) == (True, False)
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize(
    "nights", [(datetime(2024, 2, 10), datetime(2024, 3, 2), datetime(2024, 3, 31)), (datetime(2024, 4, 1), datetime(2024, 4, 5))]
)
def test_sums_added_to_month_by_month_are_as_good(nights):
    path, of = SignalPath(lasting(Grain("day"))), world(5)

    found, summed = signals(of, replace(path, nights=tuple(map(Night, nights))))
    expected, _ = signals(of, replace(path, whole=True))

    assert summed
    pd.testing.assert_frame_equal(found, expected)


def test_a_first_event_long_before_signup_is_still_found_within_the_days_kept_apart():
    path = SignalPath(lasting(Grain("day")))
    of = world(6, *[datetime(2023, 11, 10)] * 4)

    found, summed = signals(of, path)

    assert summed
    pd.testing.assert_frame_equal(found, signals(of, replace(path, whole=True))[0])


def test_where_the_first_days_from_signup_are_no_longer_kept_apart_the_whole_state_is_read():
    path = SignalPath(lasting(Grain("day")))
    of = world(7, *[datetime(2024, 1, 20)] * 4)

    found, summed = signals(of, path)

    assert not summed
    pd.testing.assert_frame_equal(found, signals(of, replace(path, whole=True))[0])


def test_where_somebody_moved_and_accounts_are_measured_over_life_the_whole_state_is_read():
    of = world(8)
    moved = of.users[0].moves(datetime(2024, 1, 1), "globex")

    assert not signals(replace(of, users=(*moved, *of.users[1:])), SignalPath(lasting(Grain("day"))))[1]


def test_days_over_life_are_read_from_the_whole_state():
    assert not signals(world(9), SignalPath(full_catalogue(Grain("day"))))[1]


def test_a_moment_before_the_sums_is_read_from_the_whole_state():
    of = world(10, spine=(APRIL - DAYS, APRIL + DAYS))

    assert not signals(of, SignalPath(lasting(Grain("day"))))[1]


def test_a_state_may_be_opened_for_one_moment_after_the_other():
    path, of = SignalPath(lasting(Grain("day"))), world(11)
    reach = longest_reach(path.catalogue, path.grain)
    with path.opened(of) as (database, state):
        before = []
        for moment in (APRIL + 5 * DAYS, APRIL - 40 * DAYS, APRIL + DAYS):
            state.open_from(database, path.catalogue, path.grain.tick_of(moment), reach)
            before.append(bool(database.rows("SELECT 1 FROM state WHERE window_tick IS NULL LIMIT 1")))

    assert before == [True, False, True]


def count_once(state: KeptState, database, catalogue: Catalogue, tick: int) -> list[tuple]:
    state.open_from(database, catalogue, tick, 7)
    return database.rows("SELECT user_id, sum(n) FROM state WHERE life_tick IS NOT NULL GROUP BY 1 ORDER BY 1")


def test_every_event_is_counted_once_over_life_however_the_state_was_opened():
    kept = keep(random_log(40), MEASURES)
    catalogue = Catalogue.model_validate(
        {"signals": [{"id": "x", "family": "f", "label": "x", "measure": {"kind": "count"}, "windows": ["7d", "lifetime"]}]}
    )
    kept.database.execute("CREATE TABLE IF NOT EXISTS user_versions AS SELECT NULL AS valid_from, NULL AS valid_to WHERE FALSE")
    first, last = (kept.state.grain.tick_of(BEGIN + days * DAYS) for days in (1, 70))

    whole, summed = (count_once(kept.state, kept.database, catalogue, tick) for tick in (first, last))

    assert summed == whole
    assert kept.database.rows("SELECT count(*) FROM state WHERE window_tick IS NULL")[0][0] > 0
