"""Counts of events in a trailing window at the start of every week, by what was known then."""

import numpy as np

from pls_ml.synthetic.columns import Flags, Ints
from pls_ml.synthetic.world_spec import WEEK_US, Span


def count_trailing(group: Ints, times: tuple[Ints, Ints], window_us: int, groups: int, span: Span) -> Ints:
    """Takes n events with their group (-1: none), event times and known times; returns groups by weeks counts.

    An event counts at the week start T if `T - window <= event_time < T` and `known_at < T`.
    """
    event_us, known_us = times
    weeks = len(span.week_starts_us)
    # The first week start after it was known, and the last one that still looks back on it.
    first = (np.maximum(known_us, event_us) - span.start_us) // WEEK_US + 1
    last = np.minimum((event_us + window_us - span.start_us) // WEEK_US, weeks - 1)
    seen: Flags = (group >= 0) & (first <= last)
    row = group[seen] * (weeks + 1)
    opened = np.bincount(row + first[seen], minlength=groups * (weeks + 1))
    closed = np.bincount(row + last[seen] + 1, minlength=groups * (weeks + 1))
    return np.cumsum((opened - closed).reshape(groups, weeks + 1), axis=1)[:, :weeks]


def sum_rows(counts: Ints, group: Ints, groups: int) -> Ints:
    """Takes n by weeks numbers and the group (-1: none) of every row; returns groups by weeks sums."""
    inside = np.flatnonzero(group >= 0)
    order = inside[np.argsort(group[inside], kind="stable")]
    total = np.vstack([np.zeros((1, counts.shape[1]), dtype=np.int64), np.cumsum(counts[order], axis=0)])
    edges = np.searchsorted(group[order], np.arange(groups + 1))
    return total[edges[1:]] - total[edges[:-1]]
