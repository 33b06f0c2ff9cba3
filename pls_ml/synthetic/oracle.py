"""The best score that the state of an account allows: what its hazard says about closed-won deals in the coming weeks.

    1 - exp(-carried) times quiet

`carried` are the expected draws of past weeks that are still to close. `quiet` is how often no deal follows that is drawn from
this week on and closes within the horizon: the average after weeks with about this hazard, over the accounts of the same kind of
fit that have not bought yet, interpolated in between. The account's own future is not looked at.
"""

from dataclasses import dataclass

import numpy as np

from pls_ml.synthetic.columns import Flags, Floats, Ints
from pls_ml.synthetic.conversion import CYCLE_DAYS

_BANDS = 20


@dataclass(frozen=True)
class Outlook:
    """For one kind of account: log-hazards, ascending, and the chance that no deal follows in time, falling."""

    level: Floats
    quiet: Floats

    def chance_of_none(self, hazard: Floats) -> Floats:
        """Takes n hazards; returns n chances that no deal drawn from now on closes within the horizon."""
        return np.interp(np.log(np.maximum(hazard, 1e-12)), self.level, self.quiet)


def still_open_share(days_since_draw: float) -> float:
    """Takes the days since a draw; returns the share of such deals that have not closed yet."""
    low, high = CYCLE_DAYS
    return min(max((high - days_since_draw) / (high - low), 0.0), 1.0)


def carried_draws(hazard: Floats) -> Floats:
    """Takes accounts by weeks hazards; returns the expected draws of past weeks that are still to close, likewise."""
    carried = np.zeros_like(hazard)
    for age in range(1, CYCLE_DAYS[1] // 7 + 1):
        carried[:, age:] += still_open_share(7.0 * age) * hazard[:, :-age]
    return carried


def fit_outlook(hazard: Floats, at_risk: Flags, horizon_days: int) -> Outlook:
    """Takes accounts by weeks hazards, where they count, and the horizon; returns what follows a week by its hazard."""
    ahead = min(horizon_days // 7, hazard.shape[1] // 2)
    weeks = hazard.shape[1] - ahead
    coming = np.zeros((len(hazard), weeks))
    for age in range(ahead + 1):
        coming += (1.0 - still_open_share(horizon_days - 7.0 * age)) * hazard[:, age : age + weeks]
    chosen = at_risk[:, :weeks]
    today, quiet = hazard[:, :weeks][chosen], np.exp(-coming[chosen])
    if not len(today):
        return Outlook(np.zeros(1), np.ones(1))
    order = np.argsort(today, kind="stable")
    bands: list[Ints] = [band for band in np.array_split(order, _BANDS) if len(band)]
    level = np.array([np.log(today[band]).mean() for band in bands])
    return Outlook(level, np.minimum.accumulate(np.array([quiet[band].mean() for band in bands])))
