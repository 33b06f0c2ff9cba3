"""What is wrong with the log, at known rates: late, repeated and broken rows.

Late rows delay what is known, and the mechanism respects that. Broken rows are additional: altered copies of sound ones under
ids of their own, so that a reader who drops them sees exactly what the mechanism saw.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from pls_ml.core.windows import DAY_US
from pls_ml.synthetic.columns import Ints
from pls_ml.synthetic.event_batch import EventBatch, join_batches


@dataclass(frozen=True)
class Flaw:
    """A planted flaw: its name, its share of the sound rows at scale 1, and what it looks like."""

    name: str
    rate: float
    meaning: str


LATE = Flaw("late", 0.01, "known_at is up to 3 days after event_time")
DUPLICATE = Flaw("duplicate", 0.005, "a row is there twice, with the same event_id and the same values")
NO_USER = Flaw("no_user", 0.001, "user_id is null")
IMPOSSIBLE_TIME = Flaw("impossible_time", 0.0005, "event_time lies in 1970 or in 9999; known_at is sound")
UNKNOWN_USER = Flaw("unknown_user", 0.0005, "user_id is not in the users table")
_BREAKING = (NO_USER, IMPOSSIBLE_TIME, UNKNOWN_USER)
FLAWS = (LATE, DUPLICATE, *_BREAKING)

_FAR_FUTURE_US = int(datetime(9999, 6, 1, tzinfo=UTC).timestamp()) * 1_000_000
_GHOSTS = 20


@dataclass(frozen=True)
class Log:
    """The log as it will be read, ordered by known time and id; `number` makes the id; `planted` counts rows per flaw.

    A user of -1 is null; one beyond the last is not in the users table.
    """

    events: EventBatch
    known_us: Ints
    number: Ints
    planted: dict[str, int]


def draw_known_times(rng: np.random.Generator, event_us: Ints, scale: float) -> Ints:
    """Takes event times and the scale of flaws; returns when each event became known, up to 3 days late for a few."""
    late = rng.random(len(event_us)) < LATE.rate * scale
    delay = rng.integers(60_000_000, 3 * DAY_US, len(event_us))
    return event_us + np.where(late, delay, 0)


def plant_flaws(rng: np.random.Generator, events: EventBatch, known_us: Ints, scale: float, users: int) -> Log:
    """Takes the sound log, the scale of flaws and the number of users; returns the log with broken and repeated rows in it."""
    sound = len(known_us)
    bad = {flaw.name: rng.integers(0, sound, round(flaw.rate * scale * sound)) for flaw in _BREAKING}
    broken = [
        _alter(events.select(bad["no_user"]), user=np.full(len(bad["no_user"]), -1)),
        _alter(events.select(bad["impossible_time"]), time_us=rng.choice([0, _FAR_FUTURE_US], len(bad["impossible_time"]))),
        _alter(events.select(bad["unknown_user"]), user=users + rng.integers(0, _GHOSTS, len(bad["unknown_user"]))),
    ]
    known = np.concatenate([known_us, *(known_us[places] for places in bad.values())])
    twice = rng.random(len(known)) < DUPLICATE.rate * scale
    position = np.argsort(known, kind="stable")
    copies = 1 + twice[position]
    position, number = np.repeat(position, copies), np.repeat(np.arange(len(known)), copies)
    planted = {LATE.name: int((known_us > events.time_us).sum()), DUPLICATE.name: int(twice.sum())}
    planted |= {name: len(places) for name, places in bad.items()}
    return Log(join_batches([events, *broken]).select(position), known[position], number, planted)


def _alter(batch: EventBatch, time_us: Ints | None = None, user: Ints | None = None) -> EventBatch:
    time_us = batch.time_us if time_us is None else time_us
    return EventBatch(time_us, batch.user if user is None else user, batch.session, batch.kind, batch.value, batch.duration_s)
