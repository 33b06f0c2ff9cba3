"""An invented product, from its first sign-up to its last closed deal: every table of the contract, and the truth behind them."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pls_ml.synthetic.accounts import Accounts, account_ids, accounts_table, draw_accounts
from pls_ml.synthetic.activity import draw_activity
from pls_ml.synthetic.after_purchase import draw_after_purchase
from pls_ml.synthetic.columns import Floats
from pls_ml.synthetic.contacts import Contacts, contact_tables, draw_contacts
from pls_ml.synthetic.conversion import Observed, Purchases, compute_hazard, compute_inputs, draw_purchases
from pls_ml.synthetic.deals import draw_deals, opportunities_table, subscriptions_table
from pls_ml.synthetic.event_batch import EventBatch, join_batches
from pls_ml.synthetic.events_table import events_table
from pls_ml.synthetic.flaws import Log, draw_known_times, plant_flaws
from pls_ml.synthetic.lifecycle import draw_lifecycle
from pls_ml.synthetic.needs import draw_needs
from pls_ml.synthetic.sessions import draw_habits, draw_sessions
from pls_ml.synthetic.suppressions import suppressions_table
from pls_ml.synthetic.truth import Truth, close_times
from pls_ml.synthetic.users import Users, draw_users, users_table
from pls_ml.synthetic.world_spec import WorldSpec


@dataclass(frozen=True, eq=False)
class World:
    """Tables by name, the truth, and the spec.

    There are events, users, accounts, opportunities, subscriptions and suppressions; touches and assignments where sales contacts anybody.
    """

    tables: dict[str, pa.Table]
    truth: Truth
    spec: WorldSpec


@dataclass(frozen=True)
class _History:
    """All that was drawn, before it becomes tables."""

    accounts: Accounts
    users: Users
    inputs: dict[str, Floats]
    hazard: Floats
    purchases: Purchases
    contacts: Contacts
    log: Log


def generate_world(spec: WorldSpec) -> World:
    """Takes a spec; returns its world, the same one every time."""
    rng = np.random.default_rng(spec.seed)
    history = _draw_history(rng, spec)
    truth = Truth(
        intercept=spec.conversion_intercept,
        account_ids=tuple(account_ids(spec.accounts).to_pylist()),
        week_starts=spec.span.week_starts_us.astype("datetime64[us]"),
        hazard=history.hazard,
        inputs=history.inputs,
        drawn_week=history.purchases.drawn_week,
        won_at=close_times(history.purchases, spec.span),
        planted_flaws=history.log.planted,
    )
    return World(_make_tables(rng, history, spec), truth, spec)


def _draw_history(rng: np.random.Generator, spec: WorldSpec) -> _History:
    span = spec.span
    accounts, users, before = _draw_before_purchase(rng, spec)
    known_us = draw_known_times(rng, before.time_us, spec.flaw_scale)
    # What has not arrived when the log ends is not in it.
    arrived = known_us < span.end_us
    before, known_us = before.select(arrived), known_us[arrived]
    inputs = compute_inputs(Observed(before, known_us, users.account), accounts, span)
    hazard = compute_hazard(inputs, spec.conversion_intercept, accounts, span)
    contacts = draw_contacts(inputs, hazard, spec)
    purchases = draw_purchases(rng, contacts.raise_hazard(hazard, spec.contact_effect), span)
    after = _within(draw_after_purchase(rng, users, purchases, span), span.end_us)
    events, known_us = join_batches([before, after]), np.concatenate([known_us, after.time_us])
    log = plant_flaws(rng, events, known_us, spec.flaw_scale, len(users.account))
    return _History(accounts, users, inputs, hazard, purchases, contacts, log)


def _make_tables(rng: np.random.Generator, history: _History, spec: WorldSpec) -> dict[str, pa.Table]:
    accounts, span = history.accounts, spec.span
    deals = draw_deals(rng, history.purchases, history.hazard, accounts, span)
    users = users_table(rng, history.users, spec.accounts)
    contacts = contact_tables(history.contacts, users, spec) if spec.contact_share else {}
    return {
        "events": events_table(history.log, users.num_rows),
        "users": users,
        "accounts": accounts_table(rng, accounts),
        "opportunities": opportunities_table(rng, deals, spec.accounts, span),
        "subscriptions": subscriptions_table(rng, deals, accounts, span),
        "suppressions": suppressions_table(rng, users, spec.accounts, span),
        **contacts,
    }


def _draw_before_purchase(rng: np.random.Generator, spec: WorldSpec) -> tuple[Accounts, Users, EventBatch]:
    accounts = draw_accounts(rng, spec.accounts, spec.span)
    needs = draw_needs(rng, accounts, spec.ramping_share, spec.span)
    users = draw_users(rng, accounts, needs, spec.span)
    habits = draw_habits(rng, users, needs, spec)
    sessions = draw_sessions(rng, users, habits, needs)
    events = join_batches([draw_lifecycle(rng, users, habits), draw_activity(rng, sessions, habits, users, accounts)])
    return accounts, users, _within(events, spec.span.end_us)


def _within(events: EventBatch, end_us: int) -> EventBatch:
    return events.select(events.time_us < end_us)
