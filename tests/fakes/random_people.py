"""Random people for random worlds: some move, some work for us, some nobody knows; and what their accounts have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from fakes.worlds import MICROSECOND, Account, LimitReading, User, Workspace

from pls_ml.core.windows import Grain

ACCOUNTS = {"ann": "acme", "bob": "acme", "cem": "bolt", "dan": None, "eve": None}
"""Where everybody begins; `bob` often has events written under `bolt`."""
LEADS = tuple(ACCOUNTS)
DAY = timedelta(days=1)
_AGES = [timedelta(days=d) for d in (0.5, 1, 6.5, 7, 7.25, 10.5, 14, 14.25, 29.5, 30, 45, 200)]
_AGES += [timedelta(minutes=m) for m in (30, 45, 46, 1800, 1801)]
_RANKS, _DEPARTMENTS = ["junior", "head", "founder", None], ["sales", "it's", None]


def people(random: Random, moments: Sequence[datetime], grain: Grain, movers: bool) -> tuple[User, ...]:
    """The leads, `eve` without a signup; a guest who signs up around the last moment; and somebody internal."""
    versions = {name: _lead(random, name, moments, grain) for name in LEADS}
    users = [user for several in versions.values() for user in ([replace(several[0], valid_to=None)] if not movers else several)]
    near = moments[-1] + random.choice([-DAY, -MICROSECOND, timedelta(), DAY])
    guest = User("guest", "acme", near, invited_by=random.choice([*LEADS, "staff", "ghost", None]), department="sales")
    staff = User("staff", random.choice(["acme", "bolt"]), moments[0] - 50 * DAY, "head", is_internal=True, department="it's")
    return (*users, guest, staff)


def _lead(random: Random, name: str, moments: Sequence[datetime], grain: Grain) -> list[User]:
    """One or several versions: moved in the middle of a day, at a midnight, around an `as_of`, or away for a while."""
    signup = None if name == "eve" else moments[0] - random.choice(_AGES)
    source = random.choice(["ad", "friend", None])
    user = User(
        name,
        ACCOUNTS[name],
        signup,
        random.choice(_RANKS),
        department=random.choice(_DEPARTMENTS),
        source=source,
        free_mail={"ad": 1.0, "friend": 0.0}.get(source or ""),
    )
    if random.random() < 0.5:
        return [user]
    at = random.choice(moments)
    at = random.choice([at, at - MICROSECOND, at + MICROSECOND, at - DAY / 2, grain.start_of(grain.tick_of(at - 3 * DAY)), at - 20 * DAY])
    then = {"seniority": random.choice(_RANKS), "department": random.choice(_DEPARTMENTS)}
    first, second = user.moves(at, random.choice(["acme", "bolt", None]), **then)
    if random.random() < 0.3:
        second = replace(second, valid_from=at + random.choice([MICROSECOND, DAY, 5 * DAY]), signup_at=None)
    if random.random() < 0.2:
        return [first]
    if random.random() < 0.3:
        return [first, *second.moves(second.valid_from + random.choice([timedelta(hours=5), DAY, 4 * DAY]), ACCOUNTS[name])]
    return [first, second]


def account_histories(random: Random, as_of: datetime) -> tuple[Account, ...]:
    """Two accounts, one of which changes around `as_of` or long before."""
    changed = as_of + random.choice([-40 * DAY, -DAY, timedelta(), DAY])

    def version(account: str, valid_from: datetime | None, valid_to: datetime | None) -> Account:
        size, industry = random.choice([None, 10.0, 50.0, 600.0]), random.choice([None, "software", "retail", "it's"])
        return Account(account, size, industry, valid_from, valid_to, random.choice(["emea", "apac", None]))

    return version("acme", None, changed), version("acme", changed, None), version("bolt", None, None)


def workspaces(random: Random, as_of: datetime) -> tuple[Workspace, ...]:
    """Some workspaces, begun around the edges of windows."""
    return tuple(Workspace(random.choice(["acme", "bolt", "gone"]), _around(random, as_of)) for _ in range(random.randint(0, 8)))


def limit_readings(random: Random, as_of: datetime) -> tuple[LimitReading, ...]:
    """Readings of two resources, some of them at the same moment, some without a limit."""
    readings = []
    for _ in range(random.randint(0, 10)):
        account, resource = random.choice(["acme", "bolt"]), random.choice(["seats", "storage"])
        at = _around(random, as_of)
        readings.append(LimitReading(account, resource, random.choice([0.0, 10.0, 8.0]), float(random.randint(0, 12)), at))
    return tuple(readings)


def _around(random: Random, as_of: datetime) -> datetime:
    days = random.choice([0, 0, 1, 2, 28, 40])
    return as_of - days * DAY + random.choice([-1, 0, 0, 1]) * random.choice([MICROSECOND, timedelta(minutes=1), DAY])
