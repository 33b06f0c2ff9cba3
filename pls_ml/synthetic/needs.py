"""The latent need of an account for the paid product: nobody observes it, it only drives what people do.

Most accounts stay low. A minority ramps up from some day, stays high for a while and then fades.
"""

from dataclasses import dataclass

import numpy as np

from pls_ml.core.windows import DAY_US
from pls_ml.synthetic.accounts import Accounts
from pls_ml.synthetic.columns import Flags, Floats, Ints
from pls_ml.synthetic.world_spec import Span

_FADE_US = 60 * DAY_US


@dataclass(frozen=True)
class Needs:
    """One entry per account and a last one, low for ever, for people without an account (position -1)."""

    ramping: Flags
    low: Floats
    high: Floats
    ramp_start_us: Ints
    ramp_us: Floats
    plateau_us: Floats


def draw_needs(rng: np.random.Generator, accounts: Accounts, share: float, span: Span) -> Needs:
    """Takes the accounts and the share of them that ramps; returns the course of everybody's need."""
    created = np.append(accounts.created_us, span.start_us)
    count = len(created)
    ramping = rng.random(count) < share
    ramping[-1] = False
    low = 0.15 * rng.random(count) ** 2
    high = np.where(ramping, rng.uniform(0.5, 1.0, count), low)
    wait = rng.random(count) * 0.8 * (span.end_us - created)
    return Needs(
        ramping=ramping,
        low=low,
        high=high,
        ramp_start_us=created + wait.astype(np.int64),
        ramp_us=rng.uniform(20, 60, count) * DAY_US,
        plateau_us=rng.uniform(40, 150, count) * DAY_US,
    )


def need_at(needs: Needs, account: Ints, time_us: Ints) -> Floats:
    """Takes n accounts (-1: none) and n times; returns n needs between 0 and 1."""
    since = (time_us - needs.ramp_start_us[account]).astype(np.float64)
    risen = np.clip(since / needs.ramp_us[account], 0, 1)
    after = since - needs.ramp_us[account] - needs.plateau_us[account]
    faded = 0.7 * np.clip(after / _FADE_US, 0, 1)
    low = needs.low[account]
    need: Floats = low + (needs.high[account] - low) * risen**2 * (3 - 2 * risen) * (1 - faded)
    return need
