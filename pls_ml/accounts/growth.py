"""How many active users an account has gained: net, against the same count some days before."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from pls_ml.core.spec import Spec


class Growth(Spec):
    """Which signal counts an account's active users, and against how many `days` before it is held."""

    of: str
    days: tuple[Annotated[int, Field(ge=1, le=365)], ...] = Field(min_length=1)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that come of it: users won less users lost, and that as a share of those before."""
        return tuple(name for days in self.days for name in _names(days))


def compare_users(now: pd.Series[float], before: pd.DataFrame) -> pd.DataFrame:
    """Takes n accounts' active users now, and those some days before (one column per number of days); returns what was gained.

    Per number of days: `net_users_<days>d`, and `net_growth_<days>d`, the same as a share of those before, of one where there was nobody.
    A count that is not known leaves both missing. Only active users are counted, so that an idle one is no growth.
    """
    gained = {}
    for days in map(int, before.columns):
        net = now.to_numpy(np.float64) - before[days].reindex(now.index).to_numpy(np.float64)
        users, share = _names(days)
        gained[users] = net
        gained[share] = net / np.maximum(now.to_numpy(np.float64) - net, 1.0)
    return pd.DataFrame(gained, index=now.index)


def _names(days: int) -> tuple[str, str]:
    return f"net_users_{days}d", f"net_growth_{days}d"
