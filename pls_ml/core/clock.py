"""The only reader of the system clock; everything else takes time as an argument."""

from datetime import UTC, datetime
from time import perf_counter


def read_clock() -> datetime:
    """Takes nothing; returns the present moment in UTC."""
    return datetime.now(UTC)


def read_stopwatch() -> float:
    """Takes nothing; returns seconds since an arbitrary start, for durations only."""
    return perf_counter()
