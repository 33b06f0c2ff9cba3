"""When people open the product: sessions by user and week of life, more of them on workdays and while need is high."""

from dataclasses import dataclass

import numpy as np

from pls_ml.core.windows import DAY_US
from pls_ml.synthetic.accounts import draw_office_hours
from pls_ml.synthetic.columns import Flags, Floats, Ints
from pls_ml.synthetic.needs import Needs, need_at
from pls_ml.synthetic.users import Users
from pls_ml.synthetic.world_spec import WEEK_US, WorldSpec

_WEEKDAY_SHARES = (0.19, 0.19, 0.19, 0.18, 0.15, 0.05, 0.05)
_SESSIONS_A_WEEK = 1.8


@dataclass(frozen=True)
class Habits:
    """One entry per user: does he stay, until when, how often does he come, does he write code."""

    stays: Flags
    until_us: Ints
    a_week: Floats
    developer: Flags


@dataclass(frozen=True)
class Sessions:
    """One entry per session, ordered by start; `need` is the account's need at that moment."""

    user: Ints
    start_us: Ints
    duration_us: Ints
    need: Floats


def draw_habits(rng: np.random.Generator, users: Users, needs: Needs, spec: WorldSpec) -> Habits:
    """Takes the users; returns their habits: a quarter only looks in, the others stay for most of a year."""
    count = len(users.account)
    stays = rng.random(count) < np.where(needs.ramping[users.account], 0.85, 0.7)
    life = np.where(stays, rng.exponential(300, count), rng.exponential(6, count)) * DAY_US
    until = np.minimum(users.signup_us + life.astype(np.int64), spec.span.end_us)
    a_week = rng.gamma(1.3, _SESSIONS_A_WEEK / 1.3, count) * spec.events_per_user_scale
    return Habits(stays, until, a_week, rng.random(count) < 0.2)


def draw_sessions(rng: np.random.Generator, users: Users, habits: Habits, needs: Needs) -> Sessions:
    """Takes users, habits and needs; returns all sessions, the first of every user at sign-up."""
    weeks = (habits.until_us - users.signup_us) // WEEK_US + 1
    user = np.repeat(np.arange(len(weeks)), weeks)
    week = np.arange(len(user)) - np.repeat(np.cumsum(weeks) - weeks, weeks)
    need = need_at(needs, users.account[user], users.signup_us[user] + week * WEEK_US)
    visits = rng.poisson(habits.a_week[user] * (0.7 + 0.9 * need))
    user, week = np.repeat(user, visits), np.repeat(week, visits)
    start = _draw_starts(rng, users.signup_us[user], week)
    kept = (start > users.signup_us[user]) & (start < habits.until_us[user])
    user = np.concatenate([np.arange(len(weeks)), user[kept]])
    start = np.concatenate([users.signup_us, start[kept]])
    order = np.argsort(start, kind="stable")
    user, start = user[order], start[order]
    minutes = np.clip(np.exp(rng.normal(np.log(14), 0.8, len(user))), 1, 180)
    return Sessions(user, start, (minutes * 60_000_000).astype(np.int64), need_at(needs, users.account[user], start))


def _draw_starts(rng: np.random.Generator, signup_us: Ints, week: Ints) -> Ints:
    signup_day = signup_us // DAY_US
    # 1970-01-01 was a Thursday: day 0 has weekday 3, Monday being 0.
    weekday = (signup_day + 3) % 7
    wanted = np.searchsorted(np.cumsum(_WEEKDAY_SHARES)[:-1], rng.random(len(week)), side="right")
    day = signup_day + 7 * week + (wanted - weekday) % 7
    return day * DAY_US + draw_office_hours(rng, len(week))
