"""Half-open look-back windows, look-ahead horizons, and the grain that time is counted in, in one place.

A window is `[as_of - w, as_of)`, a horizon `[as_of + gap, as_of + gap + h)`.
Ticks are whole numbers of the project's time grain since 1970-01-01 in the project's time zone.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pls_ml.core.errors import ConfigError

DAY_US = 86_400_000_000
GRAIN_US = {"day": DAY_US, "hour": 3_600_000_000, "minute": 60_000_000}
_UNIT_US = {"m": 60_000_000, "h": 3_600_000_000, "d": DAY_US, "w": 7 * DAY_US}
LIFETIME = "lifetime"
FIRST = "first_"
EPOCH = datetime(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Grain:
    """What time is counted in: 'day', 'hour' or 'minute' ticks; days, and so weeks, begin at midnight of `zone`."""

    kind: str
    zone: str = "UTC"

    def __post_init__(self) -> None:
        """Takes nothing; refuses hours or minutes of a local time, which repeats and skips some of them."""
        if self.zone != "UTC" and self.kind != "day":
            raise ConfigError(f"`signals.timezone: {self.zone}` goes with `signals.grain: day`, not '{self.kind}': use one or the other")

    @property
    def tick_us(self) -> int:
        """A tick's length in microseconds."""
        return GRAIN_US[self.kind]

    @property
    def ticks_per_day(self) -> int:
        """Ticks in a day."""
        return DAY_US // self.tick_us

    def ticks(self, length_us: int, name: str) -> int:
        """Takes a length in microseconds and its name; returns whole ticks; refuses a remainder."""
        ticks, rest = divmod(length_us, self.tick_us)
        if rest:
            raise ConfigError(f"window '{name}' is no multiple of the time grain '{self.kind}': use a finer `grain` or whole {self.kind}s")
        return ticks

    def tick_of(self, moment: datetime) -> int:
        """Takes a moment in UTC; returns the tick it lies in."""
        return (self._local(moment) - EPOCH) // timedelta(microseconds=self.tick_us)

    def start_of(self, tick: int) -> datetime:
        """Takes a tick; returns the moment it begins, in UTC."""
        local = EPOCH + timedelta(microseconds=tick * self.tick_us)
        return local.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC).replace(tzinfo=None)

    def tick_after(self, moment: datetime) -> int:
        """Takes a moment in UTC; returns the first tick that begins there or later."""
        tick = self.tick_of(moment)
        return tick if self.start_of(tick) == moment else tick + 1

    def starts_at(self, moment: datetime) -> bool:
        """Takes a moment in UTC; returns whether a tick begins there."""
        return self.start_of(self.tick_of(moment)) == moment

    def to_tick(self, stamp: str) -> str:
        """Takes the SQL of a UTC time stamp; returns the SQL of its tick."""
        local = stamp if self.zone == "UTC" else f"timezone('{self.zone}', timezone('UTC', {stamp}))"
        return f"(epoch_us({local}) // {self.tick_us})"

    def to_stamp(self, tick: str) -> str:
        """Takes the SQL of a tick; returns the SQL of the UTC time stamp at which it begins."""
        if self.zone == "UTC":
            return f"make_timestamp(CAST({tick} AS BIGINT) * {self.tick_us})"
        last = f"make_timestamp(CAST({tick} AS BIGINT) * {self.tick_us} - 1)"  # midnight itself may come twice where clocks are set back
        return f"(timezone('UTC', timezone('{self.zone}', {last})) + INTERVAL 1 MICROSECOND)"

    def _local(self, moment: datetime) -> datetime:
        return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)


@dataclass(frozen=True)
class Window:
    """A look-back: its name as written, its length in microseconds (None: no limit), and whether it begins at signup instead."""

    name: str
    length_us: int | None
    from_signup: bool = False

    @classmethod
    def parse(cls, text: str) -> "Window":
        """Takes '7d', '24h', '4w', '90m', 'lifetime' or 'first_14d' (from signup on); returns the window; refuses anything else."""
        if text.startswith(FIRST):
            return cls(text, parse_duration(text.removeprefix(FIRST)), from_signup=True)
        return cls(text, None) if text == LIFETIME else cls(text, parse_duration(text))

    @property
    def is_lifetime(self) -> bool:
        """Whether the window has no beginning of its own."""
        return self.length_us is None

    def ticks(self, grain: Grain) -> int | None:
        """Takes the time grain; returns the length in ticks; refuses a window that is no multiple of the grain."""
        return None if self.length_us is None else grain.ticks(self.length_us, self.name)

    @property
    def phrase(self) -> str:
        """The window in words, as sentences use it."""
        if self.length_us is None:
            return "since signup"
        within = "first" if self.from_signup else "last"
        for unit, length in (("days", DAY_US), ("hours", GRAIN_US["hour"]), ("minutes", GRAIN_US["minute"])):
            if self.length_us > length and self.length_us % length == 0:
                return f"in the {within} {self.length_us // length} {unit}"
        return f"in the {within} minute"


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
        raise ConfigError(f"window '{text}' is not a length of time: write '30d', '4w', '24h', '90m', 'lifetime' or 'first_14d'")
    return int(match[1]) * _UNIT_US[match[2]]
