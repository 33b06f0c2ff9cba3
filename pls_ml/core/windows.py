"""Half-open look-back windows and look-ahead horizons, in one place.

A window is `[as_of - w, as_of)`, a horizon `[as_of + gap, as_of + gap + h)`.
Ticks are whole numbers of the project's time grain since 1970-01-01 UTC.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from pls_ml.core.errors import ConfigError

DAY_US = 86_400_000_000
GRAIN_US = {"day": DAY_US, "hour": 3_600_000_000, "minute": 60_000_000}
_UNIT_US = {"m": 60_000_000, "h": 3_600_000_000, "d": DAY_US, "w": 7 * DAY_US}
LIFETIME = "lifetime"


@dataclass(frozen=True)
class Window:
    """A look-back: its name as written ('30d', 'lifetime') and its length in microseconds (None: no limit)."""

    name: str
    length_us: int | None

    @classmethod
    def parse(cls, text: str) -> "Window":
        """Takes '7d', '24h', '4w', '90m' or 'lifetime'; returns the window; refuses anything else."""
        return cls(text, None) if text == LIFETIME else cls(text, parse_duration(text))

    def ticks(self, grain: str) -> int | None:
        """Takes the time grain; returns the length in ticks; refuses a window that is no multiple of the grain."""
        return None if self.length_us is None else to_ticks(self.length_us, grain, self.name)

    @property
    def phrase(self) -> str:
        """The window in words, as sentences use it."""
        if self.length_us is None:
            return "since signup"
        for unit, length in (("days", DAY_US), ("hours", GRAIN_US["hour"]), ("minutes", GRAIN_US["minute"])):
            if self.length_us > length and self.length_us % length == 0:
                return f"in the last {self.length_us // length} {unit}"
        return "in the last minute"


@dataclass(frozen=True)
class Horizon:
    """Where an outcome counts: `[as_of + gap, as_of + gap + h)`; `lag_days` is how late closed deals are reported."""

    horizon_days: int
    gap_days: int
    lag_days: int

    @property
    def start(self) -> timedelta:
        """From `as_of` to the first moment that counts."""
        return timedelta(days=self.gap_days)

    @property
    def end(self) -> timedelta:
        """From `as_of` to the first moment that counts no more."""
        return timedelta(days=self.gap_days + self.horizon_days)

    def matured_until(self, data_end: datetime) -> datetime:
        """Takes the end of the data; returns the last `as_of` whose outcome is fully known."""
        return data_end - self.end - timedelta(days=self.lag_days)


def parse_duration(text: str) -> int:
    """Takes '7d', '24h', '4w' or '90m'; returns microseconds; refuses anything else."""
    match = re.fullmatch(r"([1-9]\d*)([mhdw])", text)
    if match is None:
        raise ConfigError(f"window '{text}' is not a length of time: write '30d', '4w', '24h', '90m' or 'lifetime'")
    return int(match[1]) * _UNIT_US[match[2]]


def to_ticks(length_us: int, grain: str, name: str) -> int:
    """Takes a length and the grain; returns whole ticks; refuses a remainder."""
    ticks, rest = divmod(length_us, GRAIN_US[grain])
    if rest:
        raise ConfigError(f"window '{name}' is no multiple of the time grain '{grain}': use a finer `grain` or whole {grain}s")
    return ticks
