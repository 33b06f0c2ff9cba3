"""Random small worlds for hypothesis: few people, every event that signals look for, times crowded around the edges.

Sizes and a seed are drawn, the rest follows from them: worlds are rich from the first example on, and shrink to fewer events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random

from fakes.catalogues import sample_events
from fakes.worlds import MICROSECOND, Account, Event, User, World
from hypothesis import strategies as st

Moment = Callable[[Random], datetime]
Kind = tuple[str, Mapping[str, str | float]]
MONDAY = datetime(2025, 3, 3)
DAY = timedelta(days=1)
NOW = timedelta()
GRAINS = {"day": DAY, "hour": timedelta(hours=1), "minute": timedelta(minutes=1)}
ACCOUNTS = {"ann": "acme", "bob": "acme", "cem": "bolt", "dan": None, "eve": None}
LEADS = tuple(ACCOUNTS)
_EDGES = [timedelta(days=d) for d in (0, 1, 2, 7, 28, 30, 90)] + [timedelta(hours=h) for h in (1, 36)]
_AGES = [timedelta(days=d) for d in (0.5, 6.5, 7, 7.25, 10.5, 29.5, 30, 45, 200)]
_TRENDS = [(1, 2, 3, 4), (1, 2, 3, 5), (4, 3, 2, 1), (5, 5, 4, 3), (5, 5, 4, 4), (0, 1, 2, 3), (2, 2, 1, 4)]


def past(as_of: datetime) -> Moment:
    """A moment before `as_of`, often within a microsecond of a window's edge or of a week's."""
    edges = [as_of - edge for edge in _EDGES] + [_monday(as_of) - timedelta(weeks=w) for w in range(5)]

    def pick(random: Random) -> datetime:
        near = random.choice(edges) + random.choice([-1, 0, 0, 1]) * MICROSECOND
        anywhere = as_of - timedelta(minutes=int(100 * 24 * 60 * random.random() ** 2))
        return min(random.choice([near, anywhere]), as_of - MICROSECOND)

    return pick


def future(as_of: datetime) -> Moment:
    """A moment at or after `as_of`, often exactly then."""
    after = [NOW, NOW, MICROSECOND, timedelta(minutes=1), timedelta(hours=1), DAY, 7 * DAY]
    return lambda random: as_of + random.choice(after)


def around(as_of: datetime) -> Moment:
    """A moment before `as_of` mostly, or after it."""
    return lambda random: random.choice([past, past, past, future])(as_of)(random)


@st.composite
def event_lists(
    draw: st.DrawFn,
    moment: Moment,
    *,
    users: tuple[str, ...] = LEADS,
    delays: tuple[timedelta, ...] = (NOW,),
    prefix: str = "e",
    most: int = 60,
) -> tuple[Event, ...]:
    """Up to `most` events that signals look for, each known after one of the delays, each with its own id."""
    random = Random(draw(st.integers(0, 2**32 - 1)))
    kinds = random.sample(sample_events("day"), len(sample_events("day")))  # each about equally often
    size = draw(st.integers(most // 2, most))
    return tuple(_event(random, kinds[n % len(kinds)], moment, (users, delays), f"{prefix}{n}") for n in range(size))


@st.composite
def worlds(draw: st.DrawFn, grain: str = "day", *, leads: tuple[str, ...] = LEADS, rows: int = 3) -> World:
    """People, accounts that change over time, a log from before and after the moments, and up to `rows` moments for every lead."""
    random = Random(draw(st.integers(0, 2**32 - 1)))
    moments = sorted({MONDAY + random.randint(0, 14 * DAY // GRAINS[grain]) * GRAINS[grain] for _ in range(draw(st.integers(1, rows)))})
    last = moments[-1]
    events = draw(
        event_lists(
            lambda random: around(random.choice(moments))(random),
            users=(*LEADS, *LEADS, "guest", "staff"),
            delays=(NOW, NOW, NOW, MICROSECOND, timedelta(minutes=30), DAY, 3 * DAY),
        )
    )
    spine = tuple((lead, as_of) for as_of in moments for lead in leads)
    return World(_people(random, moments[0], last), spine, events + _weekly_habit(random, last), _account_histories(random, last))


def _event(random: Random, kind: Kind, moment: Moment, choices: tuple[Sequence[str], Sequence[timedelta]], event_id: str) -> Event:
    (name, properties), happened = kind, moment(random)
    user, delay = random.choice(choices[0]), random.choice(choices[1])
    moved = user == "bob" and random.random() < 0.3
    return Event(user, name, happened, happened + delay if delay else None, "bolt" if moved else None, event_id, properties)


def _people(random: Random, first: datetime, last: datetime) -> tuple[User, ...]:
    """The leads, `eve` without a signup; a guest who signs up around the last moment; and somebody internal."""
    leads = [
        User(user, account, None if user == "eve" else first - random.choice(_AGES), random.choice(["junior", "head", None]))
        for user, account in ACCOUNTS.items()
    ]
    guest = User("guest", "acme", last + random.choice([-DAY, -MICROSECOND, NOW, DAY]))
    return (*leads, guest, User("staff", "acme", MONDAY - 50 * DAY, is_internal=True))


def _weekly_habit(random: Random, as_of: datetime) -> tuple[Event, ...]:
    """Sessions of one user over the last four complete weeks, more or fewer from week to week."""
    user, counts = random.choice(LEADS), random.choice(_TRENDS)
    starts = [_monday(as_of) - timedelta(weeks=4 - week, hours=-n) for week, count in enumerate(counts) for n in range(count)]
    return tuple(Event(user, "session_start", start, event_id=f"w{n}", properties={"tier": "premium"}) for n, start in enumerate(starts))


def _account_histories(random: Random, as_of: datetime) -> tuple[Account, ...]:
    changed = as_of + random.choice([-40 * DAY, -DAY, NOW, DAY])

    def version(account: str, valid_from: datetime | None, valid_to: datetime | None) -> Account:
        size, industry = random.choice([None, 10.0, 50.0, 600.0]), random.choice([None, "software", "retail", "it's"])
        return Account(account, size, industry, valid_from, valid_to)

    return version("acme", None, changed), version("acme", changed, None), version("bolt", None, None)


def _monday(moment: datetime) -> datetime:
    return datetime.combine(moment.date() - timedelta(days=moment.weekday()), datetime.min.time())
