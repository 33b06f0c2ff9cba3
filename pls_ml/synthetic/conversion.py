"""Why accounts buy: the mechanism, its inputs from the log, and the draw of the moment.

Mechanism. At the start T of every week of the log, an account that exists and has not bought draws a new closed-won with

    log-odds = intercept + sum of coefficient times input

where every input is observable: it is computed from the account's events of the trailing 30 days, `[T - 30 d, T)`, known before T
(own people, and people without an account, count for nobody), or from the accounts table. Inputs lie between 0 and about 1.5.
Nothing latent enters: the latent need of `needs.py` only drives what people do. What makes it more than a sum of points:

* pricing views and limits count only in a team: with fewer than 3 active users their coefficient is 0;
* premium features count only where a contract is worth it: below 50 employees their coefficient is 0;
* premium features saturate: the first two count for more than the next four;
* many sessions of the only active user count against: one satisfied person needs no contract.

The deal closes 7 to 35 days after the draw, uniformly, whatever happens in between. Events do not depend on the draw,
except those that exist only after a purchase; these never enter an input, so that values after a draw tell what would have been.
Inputs with coefficient 0 look like intent and are not.
"""

from dataclasses import dataclass

import numpy as np

from pls_ml.core.windows import DAY_US
from pls_ml.synthetic.accounts import REGIONS, Accounts
from pls_ml.synthetic.columns import Flags, Floats, Ints
from pls_ml.synthetic.event_batch import EventBatch
from pls_ml.synthetic.trailing import count_trailing, sum_rows
from pls_ml.synthetic.vocabulary import KINDS, PREMIUM_FEATURES, kinds_of
from pls_ml.synthetic.world_spec import WEEK_US, Span

MONTH_US = 30 * DAY_US
CYCLE_DAYS = (7, 35)
TEAM = 3


@dataclass(frozen=True)
class Input:
    """One input of the mechanism: its name, its coefficient in log-odds per week, and how it is computed."""

    name: str
    coefficient: float
    meaning: str


MECHANISM: tuple[Input, ...] = (
    Input("premium_at_size", 1.8, "1 - exp(-n / 2), n distinct premium features, if employees are 50 or more or unknown, else 0"),
    Input("pricing_in_team", 1.8, "min(pricing views, 4) / 4 if 3 or more users are active, else 0"),
    Input("limit_in_team", 0.9, "1 if any limit was reached and 3 or more users are active"),
    Input("active_users", 0.8, "log2(1 + min(users with any event, 15)) / 4"),
    Input("invites_sent", 0.7, "min(invitations sent, 5) / 5"),
    Input("enterprise_request", 1.0, "1 if SSO, SCIM or an audit log was requested"),
    Input("upgrade_click", 0.8, "1 if anybody clicked on upgrade"),
    Input("employee_fit", 0.5, "log10(employees / 50) clipped to -1 ... 1.5; 0 if unknown"),
    Input("industry_fit", 0.7, "1 if the industry is software, fintech or logistics"),
    Input("inactive", -0.9, "1 if there was no event in the last 14 days"),
    Input("solo_heavy_use", -1.6, "1 if exactly one user is active and opened 8 or more sessions"),
    Input("premium_if_small", 0.0, "1 - exp(-n / 2), n distinct premium features used, if employees are fewer than 50, else 0"),
    Input("pricing_alone", 0.0, "min(pricing views, 4) / 4 if fewer than 3 users are active, else 0"),
    Input("limit_alone", 0.0, "1 if any limit was reached and fewer than 3 users are active"),
    Input("terms_viewed", 0.0, "1 if anybody read the terms"),
    Input("exported", 0.0, "1 if anybody exported data"),
    Input("support_how_to", 0.0, "1 if anybody asked support how to do something"),
    Input("region_emea", 0.0, "1 if the region is emea"),
)


@dataclass(frozen=True)
class Observed:
    """The events as the log will show them: what happened, when it became known, and who belongs to which account."""

    events: EventBatch
    known_us: Ints
    account_of_user: Ints


@dataclass(frozen=True)
class Purchases:
    """One entry per account: week of the draw (-1: none) and closing time in microseconds (0: none; may lie after the log)."""

    drawn_week: Ints
    closed_us: Ints


def compute_inputs(observed: Observed, accounts: Accounts, span: Span) -> dict[str, Floats]:
    """Takes the log and the accounts; returns every input of the mechanism as accounts by weeks values."""
    count = len(accounts.size)
    active, silent = _activity(observed, count, span)

    def tally(group: str) -> Ints:
        return _count_kinds(observed, kinds_of(group), count, span)

    premium = np.sum([_count_kinds(observed, kinds_of_feature(name), count, span) > 0 for name in PREMIUM_FEATURES], axis=0)
    pricing = np.minimum(tally("pricing_viewed"), 4) / 4
    fit = np.nan_to_num(np.clip(np.log10(accounts.employees / 50), -1, 1.5), nan=0.0)
    big = ~(accounts.employees < 50)[:, None]
    breadth, limited = 1 - np.exp(-premium / 2), tally("limit_reached") > 0
    weeks = np.ones(len(span.week_starts_us))
    values = {
        "premium_at_size": np.where(big, breadth, 0),
        "premium_if_small": np.where(big, 0, breadth),
        "pricing_in_team": np.where(active >= TEAM, pricing, 0),
        "limit_in_team": limited & (active >= TEAM),
        "limit_alone": limited & (active < TEAM),
        "active_users": np.log2(1 + np.minimum(active, 15)) / 4,
        "invites_sent": np.minimum(tally("invite_sent"), 5) / 5,
        "enterprise_request": tally("enterprise_requested") > 0,
        "upgrade_click": tally("upgrade_clicked") > 0,
        "employee_fit": np.outer(fit, weeks),
        "industry_fit": np.outer(accounts.in_target_industry, weeks),
        "inactive": silent,
        "solo_heavy_use": (active == 1) & (tally("session_start") >= 8),
        "pricing_alone": np.where(active < TEAM, pricing, 0),
        "terms_viewed": tally("terms_viewed") > 0,
        "exported": tally("exported") > 0,
        "support_how_to": tally("support_how_to") > 0,
        "region_emea": np.outer(accounts.region == REGIONS.index("emea"), weeks),
    }
    return {item.name: values[item.name].astype(np.float64) for item in MECHANISM}


def kinds_of_feature(feature: str) -> Ints:
    """Takes a feature; returns the positions of the kinds of events that use it."""
    return np.array([place for place, kind in enumerate(KINDS) if kind.feature == feature], dtype=np.int64)


def compute_hazard(inputs: dict[str, Floats], intercept: float, accounts: Accounts, span: Span) -> Floats:
    """Takes the inputs; returns accounts by weeks probabilities of drawing a new closed-won, 0 before an account exists."""
    log_odds = intercept + sum(item.coefficient * inputs[item.name] for item in MECHANISM if item.coefficient)
    exists = span.week_starts_us[None, :] >= accounts.created_us[:, None]
    hazard: Floats = np.where(exists, 1 / (1 + np.exp(-log_odds)), 0.0)
    return hazard


def draw_purchases(rng: np.random.Generator, hazard: Floats, span: Span) -> Purchases:
    """Takes the hazard; returns the first week in which every account draws a purchase, and when that deal closes."""
    drawn: Flags = rng.random(hazard.shape) < hazard
    week = np.where(drawn.any(axis=1), drawn.argmax(axis=1), -1)
    low, high = CYCLE_DAYS
    cycle = (rng.uniform(low, high, len(week)) * DAY_US).astype(np.int64)
    return Purchases(week, np.where(week >= 0, span.start_us + week * WEEK_US + cycle, 0))


def _activity(observed: Observed, count: int, span: Span) -> tuple[Ints, Flags]:
    """Active users of 30 days, and whether the last 14 days are silent, both accounts by weeks."""
    users, times = observed.account_of_user, (observed.events.time_us, observed.known_us)
    month = count_trailing(observed.events.user, times, MONTH_US, len(users), span)
    active = sum_rows((month > 0).astype(np.int64), users, count)
    fortnight = count_trailing(users[observed.events.user], times, 14 * DAY_US, count, span)
    return active, fortnight == 0


def _count_kinds(observed: Observed, kinds: Ints, count: int, span: Span) -> Ints:
    wanted = np.zeros(len(KINDS), dtype=np.bool_)
    wanted[kinds] = True
    chosen = np.flatnonzero(wanted[observed.events.kind])
    account = observed.account_of_user[observed.events.user[chosen]]
    return count_trailing(account, (observed.events.time_us[chosen], observed.known_us[chosen]), MONTH_US, count, span)
