"""What people do inside their sessions: every group of events at its own rate, most of intent rising with need."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pls_ml.core.windows import DAY_US
from pls_ml.synthetic.accounts import Accounts
from pls_ml.synthetic.columns import Floats, Ints
from pls_ml.synthetic.event_batch import EventBatch, join_batches, make_batch
from pls_ml.synthetic.sessions import Habits, Sessions
from pls_ml.synthetic.users import Users
from pls_ml.synthetic.vocabulary import draw_kinds, kinds_of

Scale = Literal["all", "developers", "by_size", "newcomers"]


@dataclass(frozen=True)
class Rate:
    """Events of a group per session: `flat + per_need * need`, times the scale of the session."""

    group: str
    flat: float
    per_need: float = 0.0
    scale: Scale = "all"


RATES: tuple[Rate, ...] = (
    Rate("free_feature", 4.4, 0.6),
    Rate("premium_feature", 0.10, 2.0),
    Rate("api_call", 1.2, 6.0, "developers"),
    Rate("integration_connected", 0.008, 0.02),
    Rate("limit_reached", 0.003, 0.035),
    Rate("invite_sent", 0.012, 0.06),
    Rate("content_shared_outside", 0.02, 0.10),
    Rate("content_shared_inside", 0.12),
    Rate("exported", 0.05),
    Rate("data_imported", 0.10, 0.0, "newcomers"),
    Rate("setup_step", 0.6, 0.0, "newcomers"),
    Rate("pricing_viewed", 0.015, 0.12),
    Rate("upgrade_clicked", 0.002, 0.025),
    Rate("contact_sales", 0.0004, 0.004),
    Rate("enterprise_requested", 0.0004, 0.012, "by_size"),
    Rate("terms_viewed", 0.02),
    Rate("support_commercial", 0.002, 0.010),
    Rate("support_how_to", 0.02),
    Rate("support_bug", 0.008),
)
FOLLOW_UPS = (("pricing_viewed", "plans_compared", 0.3), ("upgrade_clicked", "upgrade_started", 0.5))
"""(first, next, share): after the first event, within the same session, the next one happens in that share of cases."""
_COUNTED = ("api_call", "exported", "data_imported")
_NEWCOMER_US = 14 * DAY_US


def draw_activity(rng: np.random.Generator, sessions: Sessions, habits: Habits, users: Users, accounts: Accounts) -> EventBatch:
    """Takes all sessions and who is behind them; returns every event inside them, unordered."""
    scales = _session_scales(sessions, habits, users, accounts)
    drawn: dict[str, EventBatch] = {}
    for rate in RATES:
        chosen = scatter(rng, (rate.flat + rate.per_need * sessions.need) * scales[rate.scale])
        drawn[rate.group] = _inside(rng, sessions, rate.group, chosen)
    for first, following, share in FOLLOW_UPS:
        led = drawn[first].select(rng.random(len(drawn[first].time_us)) < share)
        drawn[following] = _follow(rng, sessions, led, following)
    return join_batches([_bounds(sessions), *drawn.values(), _first_keys(sessions, drawn["api_call"])])


def scatter(rng: np.random.Generator, rate: Floats) -> Ints:
    """Takes a rate per place; returns the place of every event of Poisson counts with these rates."""
    edges = np.cumsum(rate)
    # Rounding may put a draw on the last edge itself.
    places: Ints = np.searchsorted(edges[:-1], rng.random(rng.poisson(edges[-1])) * edges[-1], side="right")
    return places


def _session_scales(sessions: Sessions, habits: Habits, users: Users, accounts: Accounts) -> dict[Scale, Floats]:
    account = users.account[sessions.user]
    size = np.append(np.clip(np.log10(accounts.size / 10), 0.1, 3.0), 0.1)
    newcomer = sessions.start_us - users.signup_us[sessions.user] < _NEWCOMER_US
    return {
        "all": np.ones(len(account)),
        "developers": habits.developer[sessions.user].astype(np.float64),
        "by_size": size[account],
        "newcomers": newcomer.astype(np.float64),
    }


def _bounds(sessions: Sessions) -> EventBatch:
    place = np.arange(len(sessions.user))
    opening, closing = kinds_of("session_start")[0], kinds_of("session_end")[0]
    start = make_batch(sessions.start_us, sessions.user, np.full(len(place), opening), place)
    end = make_batch(sessions.start_us + sessions.duration_us, sessions.user, np.full(len(place), closing), place)
    timed = EventBatch(end.time_us, end.user, end.session, end.kind, end.value, sessions.duration_us / 1e6)
    return join_batches([start, timed])


def _inside(rng: np.random.Generator, sessions: Sessions, group: str, chosen: Ints) -> EventBatch:
    time_us = sessions.start_us[chosen] + (sessions.duration_us[chosen] * rng.random(len(chosen))).astype(np.int64)
    batch = make_batch(time_us, sessions.user[chosen], draw_kinds(rng, group, len(chosen)), chosen)
    if group not in _COUNTED:
        return batch
    value = np.ceil(np.exp(rng.normal(2.5, 1.0, len(chosen))))
    return EventBatch(batch.time_us, batch.user, batch.session, batch.kind, value, batch.duration_s)


def _follow(rng: np.random.Generator, sessions: Sessions, led: EventBatch, group: str) -> EventBatch:
    left = sessions.start_us[led.session] + sessions.duration_us[led.session] - led.time_us
    time_us = led.time_us + (left * rng.random(len(left))).astype(np.int64)
    return make_batch(time_us, led.user, draw_kinds(rng, group, len(left)), led.session)


def _first_keys(sessions: Sessions, calls: EventBatch) -> EventBatch:
    """Nobody calls the API without a key: each caller makes one in the session of his first call, before it."""
    order = np.argsort(calls.time_us, kind="stable")
    callers, first = np.unique(calls.user[order], return_index=True)
    call = calls.select(order[first])
    time_us = (sessions.start_us[call.session] + call.time_us) // 2
    return make_batch(time_us, callers, np.full(len(callers), kinds_of("api_key_created")[0]), call.session)
