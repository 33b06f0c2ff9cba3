"""Whom sales contacts: accounts with visible intent, less those that chance holds out; and what a contact does."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pls_ml.core.windows import DAY_US
from pls_ml.synthetic.accounts import account_ids
from pls_ml.synthetic.columns import Floats, Ints, choose, time_column
from pls_ml.synthetic.world_spec import WorldSpec

VISIBLE = (
    "active_users",
    "invites_sent",
    "pricing_in_team",
    "pricing_alone",
    "limit_in_team",
    "limit_alone",
    "upgrade_click",
    "enterprise_request",
)
"""What sales looks at: intent as anybody sees it, whether it means something or not."""
EFFECT_WEEKS = 8
TOUCHES = 3
_CHANNELS = ("email", "call", "linkedin")


@dataclass(frozen=True, eq=False)
class Contacts:
    """One entry per picked account: the account, the week of the pick, and whether chance held it out."""

    account: Ints
    week: Ints
    held_out: np.ndarray[tuple[int], np.dtype[np.bool_]]

    def raise_hazard(self, hazard: Floats, effect: float) -> Floats:
        """Takes accounts by weeks hazards and an effect in log-odds; returns what they are where sales contacts."""
        raised, weeks = hazard.copy(), np.arange(hazard.shape[1])
        for account, week in zip(self.account[~self.held_out], self.week[~self.held_out], strict=True):
            after = (weeks > week) & (weeks <= week + EFFECT_WEEKS)
            odds = hazard[account, after] / (1 - hazard[account, after]) * np.exp(effect)
            raised[account, after] = odds / (1 + odds)
        return raised


def draw_contacts(inputs: dict[str, Floats], hazard: Floats, spec: WorldSpec) -> Contacts:
    """Takes the inputs, the hazard and the spec; returns whom sales picks, from a generator of its own: nothing else changes by it."""
    points = np.where(hazard > 0, np.sum([inputs[name] for name in VISIBLE], axis=0), -1.0)
    bar = np.quantile(points[points >= 0], 1 - spec.contact_share) if spec.contact_share else np.inf
    picked = points > bar
    account = np.flatnonzero(picked.any(axis=1))
    held_out = np.random.default_rng([spec.seed, 1]).random(len(hazard)) < spec.holdout_share
    return Contacts(account, picked[account].argmax(axis=1), held_out[account])


def contact_tables(contacts: Contacts, users: pa.Table, spec: WorldSpec) -> dict[str, pa.Table]:
    """Takes the picks, the users table and the spec; returns the touches of accounts, and the assignments of all their users."""
    rng, ids = np.random.default_rng([spec.seed, 2]), account_ids(spec.accounts)
    picked_us = spec.span.week_starts_us[contacts.week] + rng.integers(0, DAY_US, len(contacts.week))
    reached = ~contacts.held_out
    account = np.repeat(contacts.account[reached], TOUCHES)
    at = (picked_us[reached][:, None] + (1 + 7 * np.arange(TOUCHES)) * DAY_US).ravel()
    inside = at < spec.span.end_us
    account, at = account[inside], at[inside]
    touches = pa.table(
        {
            "account_id": ids.take(pa.array(account)),
            "user_id": pa.nulls(len(account), pa.string()),
            "at": time_column(at),
            "channel": choose(_CHANNELS, rng.integers(0, len(_CHANNELS), len(account))),
            "rep": choose(("rep-1", "rep-2", "rep-3"), account % 3),
        }
    )
    return {"touches": touches, "assignments": _assignments(contacts, picked_us, users, ids)}


def _assignments(contacts: Contacts, picked_us: Ints, users: pa.Table, ids: pa.Array) -> pa.Table:
    """One line per picked account, under its first user: chance decides about accounts."""
    owner = users.column("account_id").to_pylist()
    first = {account: user for user, account in zip(reversed(users.column("user_id").to_pylist()), reversed(owner), strict=True)}
    names = ids.take(pa.array(contacts.account)).to_pylist()
    known = np.array([name in first for name in names], dtype=np.bool_)
    return pa.table(
        {
            "lead_id": pa.array([first[name] for name in names if name in first], pa.string()),
            "experiment": pa.array(["holdout"] * int(known.sum()), pa.string()),
            "arm": choose(("treat", "holdout"), contacts.held_out[known].astype(np.int64)),
            "assigned_at": time_column(picked_us[known]),
        }
    )
