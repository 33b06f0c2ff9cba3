"""The people: who founds an account, who joins later and on whose invitation; and the users table."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pls_ml.core.windows import DAY_US
from pls_ml.synthetic.accounts import Accounts, account_ids, domains, draw_office_hours
from pls_ml.synthetic.columns import Flags, Ints, choose, format_ids, take_or_null, time_column
from pls_ml.synthetic.needs import Needs
from pls_ml.synthetic.world_spec import Span

FREE_MAIL = "gmail.com"
OWN_DOMAIN = "seller.example"
_FIRST = (
    "anna",
    "ben",
    "carla",
    "deniz",
    "emil",
    "farah",
    "goran",
    "hanne",
    "ivo",
    "jana",
    "karim",
    "lena",
    "milan",
    "nora",
)
_LAST = ("abel", "brandt", "costa", "dahl", "engel", "fischer", "garcia", "hansen", "ito", "jansen", "kaya", "lund", "novak")
_DEPARTMENTS = ("engineering", "product", "marketing", "sales", "operations", "finance", "hr", "it")
_SENIORITIES = ("individual", "manager", "director", "vp", "c_level")
_TITLES = ("Specialist", "Manager", "Director", "VP", "Chief")
_SOURCES = ("organic", "paid", "referral", "content")


@dataclass(frozen=True)
class Users:
    """One entry per user, ordered by sign-up; `account` and `inviter` are -1 where there is none."""

    account: Ints
    signup_us: Ints
    inviter: Ints
    internal: Flags


def draw_users(rng: np.random.Generator, accounts: Accounts, needs: Needs, span: Span) -> Users:
    """Takes the accounts and their needs; returns founders, colleagues, individuals on free mail and a few of our own people."""
    account, signup = _draw_members(rng, accounts, needs, span)
    lone, own = round(len(account) / 9), max(2, len(account) // 500)
    lone_day = span.start_us + rng.integers(0, (span.end_us - span.start_us) // DAY_US, lone + own) * DAY_US
    signup = np.concatenate([signup, lone_day + draw_office_hours(rng, lone + own)])
    account = np.concatenate([account, np.full(lone + own, -1)])
    internal = np.arange(len(account)) >= len(account) - own
    order = np.argsort(signup, kind="stable")
    account, signup, internal = account[order], signup[order], internal[order]
    return Users(account, signup, _draw_inviters(rng, account), internal)


def _draw_members(rng: np.random.Generator, accounts: Accounts, needs: Needs, span: Span) -> tuple[Ints, Ints]:
    count = len(accounts.size)
    sociable = rng.gamma(2.0, 0.6, count) * (2.0 + 0.9 * np.log10(accounts.size))
    early = np.minimum(rng.poisson(sociable), accounts.size - 1).astype(np.int64)
    ramped = np.minimum(rng.poisson(3.0 * needs.ramping[:-1]), accounts.size - 1).astype(np.int64)
    account = np.concatenate([np.repeat(np.arange(count), early), np.repeat(np.arange(count), ramped)])
    # Nobody joins on the founder's day, so that the founder is first whatever the hour.
    early_delay = np.repeat(accounts.created_us, early) + rng.exponential(80 * DAY_US, early.sum())
    ramp_delay = np.repeat(needs.ramp_start_us[:-1], ramped) + rng.uniform(0, 75 * DAY_US, ramped.sum())
    day = np.concatenate([early_delay, ramp_delay]).astype(np.int64) // DAY_US + 1
    signup = day * DAY_US + draw_office_hours(rng, len(day))
    kept = signup < span.end_us
    return np.concatenate([np.arange(count), account[kept]]), np.concatenate([accounts.created_us, signup[kept]])


def _draw_inviters(rng: np.random.Generator, account: Ints) -> Ints:
    """Every second colleague or so was invited by somebody who was there before."""
    by_account = np.argsort(account, kind="stable")
    rank = rank_in_group(account[by_account])
    earlier = by_account[np.arange(len(account)) - rank + np.floor(rng.random(len(account)) * rank).astype(np.int64)]
    invited = (rng.random(len(account)) < 0.6) & (rank > 0) & (account[by_account] >= 0)
    inviter = np.full(len(account), -1)
    inviter[by_account] = np.where(invited, earlier, -1)
    return inviter


def rank_in_group(groups: Ints) -> Ints:
    """Takes n sorted group numbers; returns how many of the same group stand before each."""
    place = np.arange(len(groups))
    first = np.maximum.accumulate(np.where(np.diff(groups, prepend=groups[:1] - 1) != 0, place, 0))
    return place - first


def user_ids(count: int) -> pa.Array:
    """Takes a count; returns that many user ids."""
    return format_ids("u", np.arange(count), 6)


def users_table(rng: np.random.Generator, users: Users, accounts: int) -> pa.Table:
    """Takes the users and the number of accounts; returns the users table."""
    count = len(users.account)
    founder = np.zeros(count, dtype=np.bool_)
    founder[np.unique(users.account, return_index=True)[1]] = True
    founder &= users.account >= 0
    seniority = rng.choice(len(_SENIORITIES), count, p=(0.62, 0.2, 0.1, 0.05, 0.03))
    department = rng.integers(0, len(_DEPARTMENTS), count)
    known = rng.random(count) < 0.8
    source = np.where(users.inviter >= 0, len(_SOURCES), rng.integers(0, len(_SOURCES), count))
    role = np.where(founder, 0, 1 + (rng.random(count) < 0.2))
    return pa.table(
        {
            "user_id": user_ids(count),
            "account_id": take_or_null(account_ids(accounts), users.account),
            "email": _emails(rng, users, accounts),
            "signup_at": time_column(users.signup_us),
            "source": choose((*_SOURCES, "invite"), source),
            "title": _titles(np.where(known, department, -1), seniority),
            "department": choose(_DEPARTMENTS, np.where(known, department, -1)),
            "seniority": choose(_SENIORITIES, np.where(known, seniority, -1)),
            "role": choose(("admin", "member", "viewer"), role),
            "no_contact": pa.array(rng.random(count) < 0.02),
            "is_internal": pa.array(users.internal),
            "invited_by": take_or_null(user_ids(count), users.inviter),
        }
    )


def _titles(department: Ints, seniority: Ints) -> pa.Array:
    words = tuple(name.upper() if len(name) == 2 else name.capitalize() for name in _DEPARTMENTS)
    return pc.binary_join_element_wise(choose(words, department), choose(_TITLES, seniority), " ")


def _emails(rng: np.random.Generator, users: Users, accounts: int) -> pa.Array:
    count = len(users.account)
    first = choose(_FIRST, rng.integers(0, len(_FIRST), count))
    last = choose(_LAST, rng.integers(0, len(_LAST), count))
    # Nobody real owns 'synthetic.u000123', whatever the free-mail domain.
    person = pc.if_else(pa.array(users.account >= 0), pc.binary_join_element_wise(first, last, "."), "synthetic")
    local = pc.binary_join_element_wise(person, user_ids(count), ".")
    outside = choose((FREE_MAIL, OWN_DOMAIN), users.internal.astype(np.int64))
    host = pc.coalesce(take_or_null(domains(accounts), users.account), outside)
    return pc.binary_join_element_wise(local, host, "@")
