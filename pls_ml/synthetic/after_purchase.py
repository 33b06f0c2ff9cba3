"""What an account does only because it has bought: the traps for a model that reads the outcome.

Completed upgrades, invoices, and features that do not exist before the purchase.
"""

import numpy as np

from pls_ml.core.windows import DAY_US
from pls_ml.synthetic.columns import Ints
from pls_ml.synthetic.conversion import Purchases
from pls_ml.synthetic.event_batch import EventBatch, make_batch
from pls_ml.synthetic.users import Users
from pls_ml.synthetic.vocabulary import draw_kinds
from pls_ml.synthetic.world_spec import Span

_PURCHASED_A_MONTH = 8.0
MONTH_US = 30 * DAY_US


def draw_after_purchase(rng: np.random.Generator, users: Users, purchases: Purchases, span: Span) -> EventBatch:
    """Takes users and purchases; returns the events that follow a purchase, each by somebody who was there when it closed."""
    won = np.flatnonzero((purchases.drawn_week >= 0) & (purchases.closed_us < span.end_us))
    closed = purchases.closed_us[won]
    months = (span.end_us - closed) // MONTH_US + 1
    bill = np.repeat(np.arange(len(won)), months)
    number = np.arange(len(bill)) - np.repeat(np.cumsum(months) - months, months)
    billed = closed[bill] + number * MONTH_US + rng.integers(DAY_US // 24, 3 * DAY_US, len(bill))
    uses = rng.poisson(_PURCHASED_A_MONTH * (span.end_us - closed) / MONTH_US)
    use = np.repeat(np.arange(len(won)), uses)
    used = closed[use] + (rng.random(len(use)) * (span.end_us - closed[use])).astype(np.int64)
    upgraded = closed + rng.integers(0, DAY_US, len(won))
    place = np.concatenate([np.arange(len(won)), bill, use])
    kinds = [draw_kinds(rng, "upgrade_completed", len(won)), draw_kinds(rng, "invoice_downloaded", len(bill))]
    kinds.append(draw_kinds(rng, "purchased_feature", len(use)))
    user = _draw_member(rng, users, won[place], closed[place])
    return make_batch(np.concatenate([upgraded, billed, used]), user, np.concatenate(kinds))


def _draw_member(rng: np.random.Generator, users: Users, account: Ints, before_us: Ints) -> Ints:
    """Users are ordered by sign-up, so that members of an account sort by (account, user number)."""
    by_account = np.argsort(users.account, kind="stable")
    sorted_account = users.account[by_account]
    start = np.searchsorted(sorted_account, account)
    known = np.searchsorted(users.signup_us, before_us)
    total = len(users.account)
    until = np.searchsorted(sorted_account * total + by_account, account * total + known)
    return by_account[start + (rng.random(len(account)) * (until - start)).astype(np.int64)]
