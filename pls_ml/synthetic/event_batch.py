"""Many events at once, as arrays: who, when, in which session, of which kind; text comes only at the very end."""

from dataclasses import dataclass

import numpy as np

from pls_ml.synthetic.columns import Flags, Floats, Ints


@dataclass(frozen=True)
class EventBatch:
    """One entry per event; `session` is -1 outside sessions, `value` and `duration_s` are NaN where they do not apply."""

    time_us: Ints
    user: Ints
    session: Ints
    kind: Ints
    value: Floats
    duration_s: Floats

    def select(self, chosen: Flags | Ints) -> "EventBatch":
        """Takes flags or positions; returns those events."""
        return EventBatch(
            self.time_us[chosen],
            self.user[chosen],
            self.session[chosen],
            self.kind[chosen],
            self.value[chosen],
            self.duration_s[chosen],
        )


def make_batch(time_us: Ints, user: Ints, kind: Ints, session: Ints | None = None) -> EventBatch:
    """Takes times, users, kinds and perhaps sessions of n events; returns them without numbers."""
    blank = np.full(len(time_us), np.nan)
    return EventBatch(time_us, user, np.full(len(time_us), -1) if session is None else session, kind, blank, blank)


def join_batches(batches: list[EventBatch]) -> EventBatch:
    """Takes batches; returns all their events in one, in the order given."""
    return EventBatch(
        np.concatenate([batch.time_us for batch in batches]),
        np.concatenate([batch.user for batch in batches]),
        np.concatenate([batch.session for batch in batches]),
        np.concatenate([batch.kind for batch in batches]),
        np.concatenate([batch.value for batch in batches]),
        np.concatenate([batch.duration_s for batch in batches]),
    )
