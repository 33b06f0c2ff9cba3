"""What can be asked of an invented world: its size, its seed and a few knobs; and the stretch of time it covers."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from math import isfinite

import numpy as np

from pls_ml.core.errors import ConfigError
from pls_ml.core.windows import DAY_US
from pls_ml.synthetic.columns import Ints

WEEK_US = 7 * DAY_US


@dataclass(frozen=True)
class Span:
    """The half-open stretch `[start_us, end_us)` that the log covers, in microseconds since 1970-01-01 UTC."""

    start_us: int
    end_us: int

    @cached_property
    def week_starts_us(self) -> Ints:
        """Starts of the weeks of the log, counted from its first day; its end is one if the log has whole weeks."""
        return np.arange(self.start_us, self.end_us + 1, WEEK_US, dtype=np.int64)


@dataclass(frozen=True)
class WorldSpec:
    """Size, seed and knobs of a world; the same spec always gives the same tables.

    Attributes:
        accounts: how many accounts sign up during the log (at least 10).
        days: length of the log in days (at least 120, so that a quarter's outcomes can mature).
        seed: seed of the single random generator.
        start: first day of the log, midnight UTC.
        events_per_user_scale: multiplies how often people open a session; 1 gives about 200 events per user.
        ramping_share: share of accounts whose need for the paid product grows at some day; the others stay low.
        conversion_intercept: log-odds per week of a new closed-won with every mechanism input at zero; higher means more wins.
        flaw_scale: multiplies the rates of planted flaws (duplicates, late rows, broken rows); 0 gives a clean log.
        contact_share: share of the account weeks with the most visible intent, in which sales picks an account; 0: there are no touches.
        contact_effect: what being contacted adds to the weekly log-odds of the eight weeks that follow.
        holdout_share: chance that a picked account is held out and not contacted.
    """

    accounts: int = 2000
    days: int = 420
    seed: int = 7
    start: date = date(2024, 1, 1)
    events_per_user_scale: float = 1.0
    ramping_share: float = 0.35
    conversion_intercept: float = -8.5
    flaw_scale: float = 1.0
    contact_share: float = 0.0
    contact_effect: float = 0.0
    holdout_share: float = 0.2

    def __post_init__(self) -> None:
        """Refuse sizes and knobs outside their range."""
        _require("accounts", self.accounts, 10, 200_000)
        _require("days", self.days, 120, 3_650)
        _require("seed", self.seed, 0, 2**63)
        _require("events_per_user_scale", self.events_per_user_scale, 0.01, 20)
        _require("ramping_share", self.ramping_share, 0, 1)
        _require("conversion_intercept", self.conversion_intercept, -20, 5)
        _require("flaw_scale", self.flaw_scale, 0, 10)
        _require("contact_share", self.contact_share, 0, 0.5)
        _require("contact_effect", self.contact_effect, -5, 5)
        _require("holdout_share", self.holdout_share, 0, 1)

    @property
    def span(self) -> Span:
        """The stretch of time the log covers."""
        begin = datetime.combine(self.start, time(), UTC)
        start_us = round(begin.timestamp()) * 1_000_000
        return Span(start_us, start_us + self.days * DAY_US)


def _require(name: str, value: float, low: float, high: float) -> None:
    if not (isfinite(value) and low <= value <= high):
        raise ConfigError(f"{name} is {value}, expected a number from {low:g} to {high:g}: change `{name}` of the world's spec")
