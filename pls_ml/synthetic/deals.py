"""Opportunities and subscriptions: the drawn purchases, lost and open deals, and a few expansions."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pls_ml.core.windows import DAY_US
from pls_ml.synthetic.accounts import Accounts, account_ids
from pls_ml.synthetic.columns import Flags, Floats, Ints, choose, format_ids, time_column
from pls_ml.synthetic.conversion import Purchases
from pls_ml.synthetic.world_spec import WEEK_US, Span

_OPEN_STAGES = ("discovery", "proposal", "negotiation")
_SOURCES = ("product", "inbound", "outbound", "partner")
_LOST_REASONS = ("price", "no_budget", "competitor", "no_decision")
_PLANS = ("team", "business", "enterprise")


@dataclass(frozen=True)
class Deals:
    """One entry per opportunity; `closes_us` is when it will close, perhaps after the log has ended."""

    account: Ints
    created_us: Ints
    closes_us: Ints
    will_win: Flags
    expansion: Flags
    amount: Floats

    def select(self, chosen: Flags | Ints) -> "Deals":
        """Takes flags or positions; returns those deals."""
        return Deals(
            self.account[chosen],
            self.created_us[chosen],
            self.closes_us[chosen],
            self.will_win[chosen],
            self.expansion[chosen],
            self.amount[chosen],
        )


def draw_deals(rng: np.random.Generator, purchases: Purchases, hazard: Floats, accounts: Accounts, span: Span) -> Deals:
    """Takes the drawn purchases and the hazard; returns every opportunity opened during the log, by time of opening."""
    price = (1200 * np.sqrt(accounts.size / 10) * np.exp(rng.normal(0, 0.4, len(accounts.size)))).round(-1)
    wins = _wins(rng, purchases, price, span)
    losses = _losses(rng, hazard, price, span)
    opens_win = np.full(len(price), np.iinfo(np.int64).max)
    opens_win[wins.account] = wins.created_us
    # A deal cannot be lost while, or after, the same account buys.
    losses = losses.select(losses.closes_us < opens_win[losses.account])
    parts = [wins, losses, _expansions(rng, wins, span)]
    columns = [np.concatenate(values) for values in zip(*(vars(part).values() for part in parts), strict=True)]
    deals = Deals(*columns)
    deals = deals.select(deals.created_us < span.end_us)
    return deals.select(np.argsort(deals.created_us, kind="stable"))


def _wins(rng: np.random.Generator, purchases: Purchases, price: Floats, span: Span) -> Deals:
    account = np.flatnonzero(purchases.drawn_week >= 0)
    closes = purchases.closed_us[account]
    since_draw = closes - (span.start_us + purchases.drawn_week[account] * WEEK_US)
    # Opened after the draw, and 3 to 30 days before it closes.
    longest = np.minimum(30 * DAY_US, since_draw)
    lead = 3 * DAY_US + (rng.random(len(account)) * (longest - 3 * DAY_US)).astype(np.int64)
    flags = np.ones(len(account), dtype=np.bool_)
    return Deals(account, closes - lead, closes, flags, ~flags, price[account])


def _losses(rng: np.random.Generator, hazard: Floats, price: Floats, span: Span) -> Deals:
    """Salespeople open deals with the likely accounts, and with some others, that come to nothing."""
    lost = rng.random(hazard.shape) < (hazard > 0) * (0.5 * hazard + 0.0012)
    account = np.flatnonzero(lost.any(axis=1))
    created = span.week_starts_us[lost[account].argmax(axis=1)] + rng.integers(0, WEEK_US, len(account))
    closes = created + (rng.uniform(14, 75, len(account)) * DAY_US).astype(np.int64)
    flags = np.zeros(len(account), dtype=np.bool_)
    return Deals(account, created, closes, flags, flags, price[account])


def _expansions(rng: np.random.Generator, wins: Deals, span: Span) -> Deals:
    growing = wins.select((rng.random(len(wins.account)) < 0.2) & (wins.closes_us < span.end_us))
    created = growing.closes_us + (rng.uniform(45, 200, len(growing.account)) * DAY_US).astype(np.int64)
    closes = created + (rng.uniform(10, 40, len(created)) * DAY_US).astype(np.int64)
    amount = (growing.amount * rng.uniform(0.2, 0.6, len(created))).round(-1)
    return Deals(growing.account, created, closes, growing.will_win, np.ones(len(created), dtype=np.bool_), amount)


def opportunities_table(rng: np.random.Generator, deals: Deals, accounts: int, span: Span) -> pa.Table:
    """Takes the deals; returns the opportunities table, in which a deal that closes after the log is still open."""
    count = len(deals.account)
    is_open = deals.closes_us >= span.end_us
    ending = np.where(deals.will_win, len(_OPEN_STAGES), len(_OPEN_STAGES) + 1)
    stage = np.where(is_open, rng.integers(0, len(_OPEN_STAGES), count), ending)
    reason = np.where(is_open | deals.will_win, -1, rng.integers(0, len(_LOST_REASONS), count))
    return pa.table(
        {
            "opportunity_id": format_ids("o", np.arange(count), 5),
            "account_id": account_ids(accounts).take(pa.array(deals.account)),
            "user_id": pa.nulls(count, pa.string()),
            "created_at": time_column(deals.created_us),
            "stage": choose((*_OPEN_STAGES, "closed_won", "closed_lost"), stage),
            "type": choose(("new", "expansion"), deals.expansion.astype(np.int64)),
            "amount": pa.array(deals.amount),
            "closed_at": time_column(deals.closes_us, missing=is_open),
            "is_won": pa.array(deals.will_win, pa.bool_(), mask=is_open),
            "source": choose(_SOURCES, rng.choice(len(_SOURCES), count, p=(0.5, 0.2, 0.2, 0.1))),
            "lost_reason": choose(_LOST_REASONS, reason),
        }
    )


def subscriptions_table(rng: np.random.Generator, deals: Deals, accounts: Accounts, span: Span) -> pa.Table:
    """Takes the deals; returns the subscriptions table: one per first win, a few of them cancelled later."""
    won = deals.select(deals.will_win & ~deals.expansion & (deals.closes_us < span.end_us))
    ends = won.closes_us + (rng.uniform(90, 365, len(won.account)) * DAY_US).astype(np.int64)
    cancelled = (rng.random(len(ends)) < 0.15) & (ends < span.end_us)
    size = accounts.size[won.account]
    return pa.table(
        {
            "account_id": account_ids(len(accounts.size)).take(pa.array(won.account)),
            "plan": choose(_PLANS, np.searchsorted([50, 500], size, side="right")),
            "started_at": time_column(won.closes_us),
            "ended_at": time_column(ends, missing=~cancelled),
            "mrr": pa.array((won.amount / 12).round(2)),
            "seats": pa.array(np.maximum(2, np.sqrt(size)).round()),
            "status": choose(("active", "cancelled"), cancelled.astype(np.int64)),
        }
    )
