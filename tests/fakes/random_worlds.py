"""Random small worlds for hypothesis: few people, times crowded around the edges where mistakes live."""

from __future__ import annotations

from datetime import datetime, timedelta

from fakes.catalogues import sample_events
from fakes.worlds import MICROSECOND, Account, Event, User, World
from hypothesis import strategies as st

MONDAY = datetime(2025, 3, 3)
DAY = timedelta(days=1)
GRAINS = {"day": DAY, "hour": timedelta(hours=1), "minute": timedelta(minutes=1)}
USERS = ("ann", "bob", "cem", "dan", "eve")
_ACCOUNTS = {"ann": "acme", "bob": "acme", "cem": "bolt", "dan": None, "eve": None}
_EDGES = [timedelta(days=d) for d in (0, 1, 2, 7, 28, 30, 90)] + [timedelta(hours=h) for h in (1, 36)]
_AGES = [timedelta(days=d) for d in (0.5, 6.5, 7, 7.25, 10.5, 29.5, 30, 45, 200)]


def moments(grain: str) -> st.SearchStrategy[datetime]:
    """Any `as_of` on a grain boundary of one fortnight."""
    steps = 14 * DAY // GRAINS[grain]
    return st.integers(0, steps).map(lambda n: MONDAY + n * GRAINS[grain])


def past(as_of: datetime) -> st.SearchStrategy[datetime]:
    """A moment before `as_of`, often within a microsecond of a window's edge or of a week's."""
    monday = datetime.combine(as_of.date() - timedelta(days=as_of.weekday()), datetime.min.time())
    edges = [as_of - edge for edge in _EDGES] + [monday - timedelta(weeks=w) for w in range(5)]
    near = st.builds(lambda edge, step: edge + step * MICROSECOND, st.sampled_from(edges), st.sampled_from([-1, 0, 0, 1]))
    anywhere = st.integers(1, 100 * 24 * 60).map(lambda minutes: as_of - timedelta(minutes=minutes))
    return st.one_of(near, anywhere).map(lambda moment: min(moment, as_of - MICROSECOND))


def future(as_of: datetime) -> st.SearchStrategy[datetime]:
    """A moment at or after `as_of`, often exactly then."""
    return st.sampled_from([timedelta(), MICROSECOND, timedelta(minutes=1), timedelta(hours=1), DAY, 7 * DAY]).map(lambda d: as_of + d)


@st.composite
def event_lists(
    draw: st.DrawFn,
    times: st.SearchStrategy[datetime],
    *,
    users: tuple[str, ...] = USERS,
    delays: tuple[timedelta, ...] = (timedelta(),),
    prefix: str = "e",
    size: tuple[int, int] = (8, 40),
) -> tuple[Event, ...]:
    """Events that signals look for, each known after one of the delays, each with its own id."""
    one = st.tuples(st.sampled_from(users), st.sampled_from(sample_events("day")), times, st.sampled_from(delays), st.booleans())
    return tuple(
        Event(
            user_id=user,
            event=name,
            event_time=moment,
            known_at=moment + delay if delay else None,
            account_id="bolt" if elsewhere and user == "bob" else None,
            event_id=f"{prefix}{number}",
            properties=properties,
        )
        for number, (user, (name, properties), moment, delay, elsewhere) in enumerate(
            draw(st.lists(one, min_size=size[0], max_size=size[1]))
        )
    )


@st.composite
def weekly_habits(draw: st.DrawFn, as_of: datetime, prefix: str = "w") -> tuple[Event, ...]:
    """Sessions of one user over the last five weeks, some number in each: food for trends."""
    monday = datetime.combine(as_of.date() - timedelta(days=as_of.weekday()), datetime.min.time())
    user = draw(st.sampled_from(USERS))
    counts = draw(st.one_of(st.sampled_from([(1, 2, 3, 4), (4, 3, 2, 1), (5, 5, 4, 3)]), st.tuples(*[st.integers(0, 6)] * 4)))
    started = [monday - timedelta(weeks=4 - week, hours=-n) for week, count in enumerate(counts) for n in range(count)]
    return tuple(
        Event(user, "session_start", moment, event_id=f"{prefix}{n}", properties={"tier": "premium"}) for n, moment in enumerate(started)
    )


@st.composite
def worlds(draw: st.DrawFn, grain: str = "day", *, leads: tuple[str, ...] = USERS, rows: int = 3) -> World:
    """People, accounts that change over time, a log from before and after the moments, and up to `rows` moments for every lead."""
    as_ofs = sorted(draw(st.lists(moments(grain), min_size=1, max_size=rows, unique=True)))
    last = as_ofs[-1]
    users = tuple(
        User(
            user,
            _ACCOUNTS[user],
            None if user == "eve" else as_ofs[0] - draw(st.sampled_from(_AGES)),
            draw(st.sampled_from(["junior", "head", None])),
            is_internal=False,
        )
        for user in USERS
    )
    mate = User("guest", "acme", last - draw(st.sampled_from([-DAY, timedelta(), MICROSECOND, DAY])))
    staff = User("staff", "acme", MONDAY - 50 * DAY, is_internal=True)
    around = st.one_of(past(draw(st.sampled_from(as_ofs))), future(draw(st.sampled_from(as_ofs))))
    delays = (timedelta(), timedelta(), MICROSECOND, timedelta(minutes=30), DAY, 3 * DAY)
    events = draw(event_lists(around, users=(*USERS, "guest", "staff"), delays=delays)) + draw(weekly_habits(last))
    spine = tuple((lead, as_of) for as_of in as_ofs for lead in leads)
    return World((*users, mate, staff), spine, events, draw(_account_histories(last)))


@st.composite
def _account_histories(draw: st.DrawFn, as_of: datetime) -> tuple[Account, ...]:
    changed = as_of - draw(st.sampled_from([-DAY, timedelta(), DAY, 40 * DAY]))
    sizes = st.sampled_from([None, 10.0, 50.0, 600.0])
    industries = st.sampled_from([None, "software", "retail", "it's"])
    return (
        Account("acme", draw(sizes), draw(industries), None, changed),
        Account("acme", draw(sizes), draw(industries), changed, None),
        Account("bolt", draw(sizes), draw(industries)),
    )
