"""Random small worlds for hypothesis: few people, every event that signals look for, times crowded around the edges.

Sizes and a seed are drawn, the rest follows from them: worlds are rich from the first example on, and shrink to fewer events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from fakes.catalogues import EXCLUDED, sample_events
from fakes.random_people import LEADS, account_histories, limit_readings, people, workspaces
from fakes.worlds import MICROSECOND, Event, World
from hypothesis import strategies as st

from pls_ml.core.windows import Grain

Moment = Callable[[Random], datetime]
Kind = tuple[str, Mapping[str, str | float]]
BEGINNINGS = (datetime(2025, 3, 3), datetime(2025, 3, 24), datetime(2025, 10, 20))
"""Mondays before a common fortnight, and before those in which Europe's clocks change; all have the end of a month in or before them."""
DAY = timedelta(days=1)
NOW = timedelta()
GRAINS = (Grain("day"), Grain("hour"), Grain("minute"), Grain("day", "Europe/Berlin"))
_EDGES = [timedelta(days=d) for d in (0, 1, 2, 4, 7, 28, 30, 60, 90)] + [timedelta(hours=h) for h in (1, 36)]
_EDGES += [timedelta(minutes=m) for m in (1, 45)]
_TRENDS = [(1, 2, 3, 4), (1, 2, 3, 5), (4, 3, 2, 1), (5, 5, 4, 3), (5, 5, 4, 4), (0, 1, 2, 3), (2, 2, 1, 4), (1, 0, 2, 3), (3, 2, 0, 0)]
_LONG_TRENDS = [tuple(range(1, 11)), tuple(range(10, 0, -1)), (1, 9, 20, 34), (34, 20, 9, 1)]
_PAUSES = [NOW, MICROSECOND, timedelta(minutes=10), timedelta(minutes=30), timedelta(minutes=30, microseconds=1)]
_PAUSES += [timedelta(minutes=29, seconds=59), timedelta(minutes=90), timedelta(hours=2), timedelta(hours=23)]


def past(as_of: datetime, grain: Grain = GRAINS[0]) -> Moment:
    """A moment before `as_of`, often within a microsecond of a window's edge or of a week's."""
    edges = [back(as_of, edge, grain) for edge in _EDGES]
    edges += [back(_monday(as_of, grain), timedelta(weeks=weeks), grain) for weeks in range(9)]

    def pick(random: Random) -> datetime:
        near = random.choice(edges) + random.choice([-1, 0, 0, 1]) * MICROSECOND
        anywhere = as_of - timedelta(minutes=int(100 * 24 * 60 * random.random() ** 2))
        return min(random.choice([near, anywhere]), as_of - MICROSECOND)

    return pick


def future(as_of: datetime) -> Moment:
    """A moment at or after `as_of`, often exactly then."""
    after = [NOW, NOW, MICROSECOND, timedelta(minutes=1), timedelta(hours=1), DAY, 7 * DAY]
    return lambda random: as_of + random.choice(after)


def around(as_of: datetime, grain: Grain = GRAINS[0]) -> Moment:
    """A moment before `as_of` mostly, or after it."""
    return lambda random: (future(as_of) if random.random() < 0.25 else past(as_of, grain))(random)


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
    kinds = random.sample(sample_events(), len(sample_events()))  # each about equally often
    size = draw(st.integers(most // 2, most))
    return tuple(_event(random, kinds[n % len(kinds)], moment, (users, delays), f"{prefix}{n}") for n in range(size))


@st.composite
def worlds(draw: st.DrawFn, grain: Grain, *, leads: tuple[str, ...] = LEADS, rows: int = 3, movers: bool | None = None) -> World:
    """People, accounts that change, a log from before and after the moments, and up to `rows` moments for every lead.

    Some people move, unless `movers` says otherwise or they happen to live in one of the worlds where nobody does.
    """
    random = Random(draw(st.integers(0, 2**32 - 1)))
    begin = random.choice(BEGINNINGS)
    ticks = sorted({grain.tick_of(begin + random.random() * 14 * DAY) for _ in range(draw(st.integers(1, rows)))})
    moments = [grain.start_of(tick) for tick in ticks]
    last = moments[-1]
    events = draw(
        event_lists(
            lambda random: around(random.choice(moments), grain)(random),
            users=(*LEADS, *LEADS, "guest", "staff", "ghost"),
            delays=(NOW, NOW, NOW, NOW, MICROSECOND, timedelta(minutes=30), DAY, 3 * DAY, -timedelta(hours=1)),
        )
    )
    users = people(random, moments, grain, random.random() < 0.7 if movers is None else movers)
    events += (*_weekly_habit(random, last, grain), *_daily_habit(random, last, grain), *_dense(random, moments, grain))
    events += (*_burst(random, last - timedelta(minutes=1), "l"), *_burst(random, random.choice([u.signup_at or last for u in users]), "f"))
    events += tuple(_told_again(random, random.choice(events)) for _ in range(8))
    spine = tuple((lead, as_of) for as_of in moments for lead in leads)
    return World(users, spine, events, account_histories(random, last), workspaces(random, last), limit_readings(random, last))


def back(moment: datetime, by: timedelta, grain: Grain) -> datetime:
    """So long before, in days of the grain's zone where it is a number of days."""
    days, rest = divmod(by, DAY)
    local = Grain("day", grain.zone)
    if rest or not local.starts_at(moment):
        return moment - by
    return local.start_of(local.tick_of(moment) - days)


def _event(random: Random, kind: Kind, moment: Moment, choices: tuple[Sequence[str], Sequence[timedelta]], event_id: str) -> Event:
    (name, properties), happened = kind, moment(random)
    user, delay = random.choice(choices[0]), random.choice(choices[1])
    written = "bolt" if user == "bob" and random.random() < 0.3 else None
    if user in ("staff", "ghost"):
        written = random.choice(["acme", "bolt", None])
    return Event(user, name, happened, happened + delay if delay else None, written, event_id, properties)


def _weekly_habit(random: Random, as_of: datetime, grain: Grain) -> list[Event]:
    """Sessions of one user over the last complete weeks, more or fewer from week to week."""
    user, counts = (
        random.choice(LEADS),
        random.choice(_TRENDS) if random.random() < 0.7 else random.choice([range(1, 11), range(10, 0, -1)]),
    )
    starts = [
        back(_monday(as_of, grain), timedelta(weeks=len(counts) - week), grain) + timedelta(hours=n)
        for week, count in enumerate(counts)
        for n in range(count)
    ]
    return [Event(user, "session_start", start, event_id=f"w{n}", properties={"tier": "premium"}) for n, start in enumerate(starts)]


def _daily_habit(random: Random, as_of: datetime, grain: Grain) -> list[Event]:
    """One event on each of the last days, at midnight or just before it, with a day left out now and then."""
    user, days, skipped = random.choice(LEADS), random.choice([2, 5, 61, 62, 63, 70]), random.choice([None, 0, 1, 4])
    late = random.choice([NOW, DAY - timedelta(hours=1, microseconds=1)])
    starts = [back(as_of, (day + 1) * DAY, grain) + late for day in range(days) if day != skipped]
    tiers = random.choice([["premium"], ["free"], ["premium", "free"]])
    return [Event(user, "page_viewed", at, event_id=f"d{n}", properties={"tier": tiers[n % len(tiers)]}) for n, at in enumerate(starts)]


def _dense(random: Random, moments: Sequence[datetime], grain: Grain) -> list[Event]:
    """Runs of events as in sessions: pauses around the gap, across midnights, ends of months and `as_of`; some told late, some excluded."""
    events = []
    for run in range(4):
        as_of, user = random.choice(moments), random.choice(LEADS)
        first_of_month = datetime(as_of.year, as_of.month, 1)
        about = [as_of, back(as_of, random.choice([DAY, 2 * DAY, 28 * DAY]), grain), grain.start_of(grain.tick_of(first_of_month))]
        at = random.choice(about) - random.choice([timedelta(minutes=m) for m in (5, 30, 61, 1500)])
        late = random.choice([NOW, timedelta(minutes=20), timedelta(hours=5), DAY, 2 * DAY])
        for n in range(random.randint(2, 8)):
            name = random.choice(["page_viewed", "page_viewed", "feature_used", "upgrade_started", *EXCLUDED])
            known = at + random.choice([NOW, NOW, NOW, late])
            events.append(Event(user, name, at, known, random.choice([None, None, None, "bolt"]), f"s{run}-{n}", {"tier": "premium"}))
            at += random.choice(_PAUSES)
    return events


def _burst(random: Random, begin: datetime, prefix: str) -> list[Event]:
    """Everything that signals look for within a minute, for windows so short."""
    kinds = random.sample(sample_events(), 25)
    delays = [timedelta(seconds=random.randint(0, 59)) for _ in kinds]
    return [
        Event(random.choice(LEADS), name, begin + delay, None, None, f"{prefix}{n}", properties)
        for n, ((name, properties), delay) in enumerate(zip(kinds, delays, strict=True))
    ]


def _told_again(random: Random, event: Event) -> Event:
    """The event under its id once more, told differently, sometimes so late that it is another one."""
    later = [MICROSECOND, timedelta(hours=2), DAY, 29 * DAY, 30 * DAY, 30 * DAY + MICROSECOND, 45 * DAY]
    known, moved = event.known + random.choice(later), random.choice([NOW, NOW, timedelta(minutes=7)])
    user = random.choice([event.user_id, event.user_id, *LEADS])
    return replace(event, user_id=user, event_time=event.event_time + moved, known_at=known)


def _monday(moment: datetime, grain: Grain) -> datetime:
    """When the week of a moment begins in the grain's zone."""
    local = Grain("day", grain.zone)
    day = local.tick_of(moment)
    return local.start_of(day - (day + 3) % 7)
