"""The ways from one log to its signals that must not differ: moments at once or apart, a state made in one go or grown by nights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

import pandas as pd
from fakes.catalogues import full_catalogue, some_signals
from fakes.paths import Night, SignalPath
from fakes.random_worlds import DAY
from fakes.worlds import World
from hypothesis import strategies as st

from pls_ml.core.catalogue import Catalogue, references
from pls_ml.core.windows import EPOCH, Grain

Way = Callable[[SignalPath, World, Random], pd.DataFrame]
SEEDED = st.builds(Random, st.integers(0, 2**32 - 1))
"""What a way may choose, all from one drawn number."""


def all_at_once(path: SignalPath, world: World, random: Random) -> pd.DataFrame:
    return path.signals(world)


def read_whole(path: SignalPath, world: World, random: Random) -> pd.DataFrame:
    return replace(path, whole=True).signals(world)


def one_moment_at_a_time(path: SignalPath, world: World, random: Random) -> pd.DataFrame:
    frames = []
    for as_of in dict.fromkeys(as_of for _, as_of in world.spine):
        rows = [row for row, (_, moment) in enumerate(world.spine, start=1) if moment == as_of]
        found = path.signals(replace(world, spine=tuple(world.spine[row - 1] for row in rows)))
        frames.append(found.set_index(pd.Index(rows, name="row")))
    return pd.concat(frames).sort_index()


def grown(path: SignalPath, world: World, random: Random) -> pd.DataFrame:
    return replace(path, nights=some_nights(path, world, random)).signals(world)


def grown_and_read_whole(path: SignalPath, world: World, random: Random) -> pd.DataFrame:
    return grown(replace(path, whole=True), world, random)


def grown_by_a_log_with_gaps(path: SignalPath, world: World, random: Random) -> pd.DataFrame:
    """Nights in the middle of a tick, and rows that were not there in time."""
    early = random.random() * timedelta(microseconds=path.grain.tick_us)
    nights = [Night(night.at - early, random.choice([0, 2, 7])) for night in some_nights(path, world, random)]
    return replace(path, nights=tuple(nights)).signals(world)


def grown_month_by_month(path: SignalPath, world: World, random: Random) -> pd.DataFrame:
    return replace(path, nights=month_ends(path.grain, world)).signals(world)


def grown_for_other_signals(path: SignalPath, world: World, random: Random) -> pd.DataFrame:
    before = some_signals(full_catalogue(path.grain), random, 20)
    return replace(path, nights=some_nights(path, world, random), known_signals=before).signals(world)


def some_nights(path: SignalPath, world: World, random: Random) -> tuple[Night, ...]:
    """Up to six moments on the grain, since shortly before the first event became known."""
    known = [event.known for event in world.events]
    begin, end = min(known) - DAY, max(known) + DAY
    moments = [begin + random.random() * (end - begin) for _ in range(random.randint(1, 6))]
    return tuple(Night(path.grain.start_of(path.grain.tick_of(moment))) for moment in sorted(moments))


def summable(catalogue: Catalogue) -> Catalogue:
    """Those signals for which sums of the far past are exact where people stay in their accounts.

    Not those of the first days or of days over life, and none that reads them.
    """
    asking = {c.signal.id for c in catalogue if c.window and (c.window.from_signup or (c.window.is_lifetime and "active_days" in c.name))}
    for column in catalogue.ordered:
        if any(catalogue.by_column[name].signal.id in asking for name in references(column.signal)):
            asking.add(column.signal.id)
    return catalogue.select([signal.id for signal in catalogue.signals if signal.id not in asking])


def month_ends(grain: Grain, world: World) -> tuple[Night, ...]:
    """The first midnight of each month before the first moment of the spine."""
    day = Grain("day", grain.zone)
    ticks = range(day.tick_of(min(event.known for event in world.events)), day.tick_of(min(as_of for _, as_of in world.spine)) + 1)
    return tuple(Night(day.start_of(tick)) for tick in ticks if (EPOCH + timedelta(days=tick)).day == 1)


WAYS: dict[str, Way] = {
    "every moment at once": all_at_once,
    "one moment at a time": one_moment_at_a_time,
    "all of the state": read_whole,
    "a state grown night by night": grown,
    "a state grown month by month": grown_month_by_month,
    "a state grown night by night, read whole": grown_and_read_whole,
    "a state grown by a log in which rows turned up late": grown_by_a_log_with_gaps,
    "a state grown for other signals": grown_for_other_signals,
}
