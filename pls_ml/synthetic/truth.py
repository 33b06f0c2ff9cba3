"""What really made accounts buy: the coefficients, the hazard of every account and week, and the best possible score."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.errors import ConfigError, DataError
from pls_ml.synthetic.columns import Flags, Floats, Ints
from pls_ml.synthetic.conversion import CYCLE_DAYS, MECHANISM, Purchases
from pls_ml.synthetic.flaws import FLAWS
from pls_ml.synthetic.oracle import Outlook, carried_draws, fit_outlook
from pls_ml.synthetic.vocabulary import PURCHASED_FEATURES
from pls_ml.synthetic.world_spec import WEEK_US, Span

Times = npt.NDArray[np.datetime64]

ORACLE = (
    "1 - (no draw of the past weeks is still to close) times (nothing drawn from now on closes in time); the second by this "
    "week's hazard, averaged over accounts of the same kind of fit that have not bought yet; 0 before an account exists and "
    "from its win on"
)
_TRAP_FEATURES = tuple(f"feature_used:{name}" for name in PURCHASED_FEATURES)
LEAK_TRAPS = ("upgrade_completed", "invoice_downloaded", *_TRAP_FEATURES, "subscriptions.*")


@dataclass(frozen=True, eq=False)
class Truth:
    """The mechanism behind a world, and what it drew.

    Attributes:
        intercept: log-odds per week with every input at zero.
        account_ids: accounts, in the order of the rows below.
        week_starts: starts of the weeks, in the order of the columns below (UTC, microseconds).
        hazard: accounts by weeks probabilities of drawing a new closed-won; 0 at weeks before the account exists, and
            after a draw what it would have been without.
        inputs: name of an input → its accounts by weeks values.
        drawn_week: per account, the week in which its purchase was drawn; -1: none.
        won_at: per account, when its first deal closed; NaT: not during the log.
        planted_flaws: name of a flaw → rows it altered or added.
    """

    intercept: float
    account_ids: tuple[str, ...]
    week_starts: Times
    hazard: Floats
    inputs: dict[str, Floats]
    drawn_week: Ints
    won_at: Times
    planted_flaws: dict[str, int]

    @property
    def coefficients(self) -> dict[str, float]:
        """Name of every input of the mechanism → its coefficient in log-odds per week."""
        return {item.name: item.coefficient for item in MECHANISM}

    @property
    def planted_signals(self) -> dict[str, int]:
        """Name of every input → 1 (for), -1 (against) or 0 (looks like intent, is irrelevant)."""
        return {item.name: (item.coefficient > 0) - (item.coefficient < 0) for item in MECHANISM}

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.account_ids)}

    @cached_property
    def _carried(self) -> Floats:
        return carried_draws(self.hazard)

    @cached_property
    def _fit_class(self) -> Ints:
        """Four kinds of accounts: big enough or unknown, times in a target industry; fit is the part of the state that stays."""
        return 2 * (self.inputs["employee_fit"][:, 0] >= 0) + (self.inputs["industry_fit"][:, 0] > 0)

    def _outlooks(self, horizon_days: int) -> list[Outlook]:
        weeks = np.arange(self.hazard.shape[1])[None, :]
        drawn = self.drawn_week[:, None]
        at_risk: Flags = (self.hazard > 0) & ((drawn < 0) | (weeks <= drawn))
        members = [self._fit_class == fit for fit in range(4)]
        return [fit_outlook(self.hazard[chosen], at_risk[chosen], horizon_days) for chosen in members]

    def score(self, account_ids: Sequence[str], as_of: datetime | Times, horizon_days: int = 90) -> Floats:
        """Takes n accounts and one moment or n of them (naive means UTC); returns n oracle probabilities of a new closed-won.

        The probability is for `[as_of, as_of + horizon)`, given the state at the last week start at or before `as_of`; the
        account's own future is not looked at. An approximation on two counts (see `oracle.py`): what comes depends on this
        week's hazard and the kind of fit only, and the age of the state, at most a week, is ignored. No strict upper bound,
        therefore: a model that reads from the log how lasting a state is may come close to it, or pass it by a hair.

        Raises:
            DataError: an account is unknown, or a moment lies outside the log.
            ConfigError: the horizon is shorter than a day.
        """
        if horizon_days < 1:
            raise ConfigError(f"horizon_days is {horizon_days}, expected 1 or more: choose the days in which a win counts")
        rows = self._rows(account_ids)
        moments = np.broadcast_to(_to_utc(as_of), rows.shape)
        weeks = self._weeks(moments)
        now, fit = self.hazard[rows, weeks], self._fit_class[rows]
        chances = [outlook.chance_of_none(now) for outlook in self._outlooks(horizon_days)]
        quiet = np.exp(-self._carried[rows, weeks]) * np.choose(fit, chances)
        possible: Flags = (now > 0) & ~(self.won_at[rows] <= moments)
        return np.where(possible, 1 - quiet, 0.0)

    def describe(self) -> dict[str, Any]:
        """Takes nothing; returns the mechanism, the flaws, the traps and the outcome in plain JSON values."""
        won = int((~np.isnat(self.won_at)).sum())
        return {
            "mechanism": {
                "form": "weekly log-odds of a new closed-won = intercept + sum of coefficient times input",
                "inputs_from": "the account's events of the trailing 30 days known by then, and the accounts table",
                "intercept": self.intercept,
                "inputs": {m.name: {"coefficient": m.coefficient, "meaning": m.meaning} for m in MECHANISM},
                "days_from_draw_to_close": list(CYCLE_DAYS),
                "oracle_score": ORACLE,
            },
            "planted_signals": self.planted_signals,
            "flaws": {f.name: {"rate": f.rate, "rows": self.planted_flaws[f.name], "meaning": f.meaning} for f in FLAWS},
            "leak_traps": list(LEAK_TRAPS),
            "outcome": {"accounts": len(self.account_ids), "won": won, "won_share": won / len(self.account_ids)},
        }

    def _rows(self, account_ids: Sequence[str]) -> Ints:
        unknown = sorted({name for name in account_ids if name not in self._row_of})
        if unknown:
            raise DataError(f"account '{unknown[0]}' is not in this world: use ids from its accounts table")
        return np.array([self._row_of[name] for name in account_ids], dtype=np.int64)

    def _weeks(self, moments: Times) -> Ints:
        first, last = self.week_starts[0], self.week_starts[-1] + np.timedelta64(WEEK_US, "us")
        outside = moments[(moments < first) | (moments >= last)]
        if len(outside):
            raise DataError(f"as_of {outside[0]} lies outside the log, expected {first} up to {last}: choose a moment within it")
        weeks: Ints = np.searchsorted(self.week_starts, moments, side="right") - 1
        return weeks


def close_times(purchases: Purchases, span: Span) -> Times:
    """Takes the purchases; returns when each account's first deal closed during the log, else NaT."""
    times = purchases.closed_us.astype("datetime64[us]")
    times[(purchases.drawn_week < 0) | (purchases.closed_us >= span.end_us)] = np.datetime64("NaT")
    return times


def _to_utc(as_of: datetime | Times) -> Times:
    if isinstance(as_of, datetime):
        naive = as_of if as_of.tzinfo is None else as_of.astimezone(UTC).replace(tzinfo=None)
        return np.array(naive, dtype="datetime64[us]")
    return np.asarray(as_of, dtype="datetime64[us]")
