"""One measure of events → the aggregates over the state it needs, and the expression that puts its value together from them.

`e` is a state row; `s` says for whom and when: `tick` (the `as_of`), `before` (the lead's tick before, 0 for none), `last_day`, `week`,
`signup_tick`. Finals read `s.as_of_us` and `s.signup_us` as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pls_ml.core.atoms import BITS, MICRO, Atom, atoms_of
from pls_ml.core.catalogue import SignalColumn
from pls_ml.core.database import literal, literals, quote
from pls_ml.core.measures import (
    Abandoned,
    ActiveDays,
    ActiveUsers,
    ActiveValues,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Declining,
    Distinct,
    Falls,
    Growth,
    Latest,
    Minutes,
    Rises,
    Rising,
    SecondsToFirst,
    Sessions,
    Streak,
    Total,
)
from pls_ml.core.windows import DAY_US, Grain, Window, parse_duration

RUN_WEEKS = 8
"""Complete weeks that `rises` and `falls` look at."""
TREND_WEEKS = 4
FIRST_DAY = "new_day_"
"""Prefix of the state's flag for the first row of a user's day."""


@dataclass(frozen=True)
class Part:
    """One aggregate over the visible rows: how it merges, its value and test per row, and how many ticks it looks back (None: life).

    `members` puts an account's value together from its users' (`m`, `{p}` the part) where it does not merge; `own` is the lead's share.
    """

    merge: str
    value: str
    test: str = ""
    reach: int | None = None
    members: str = ""
    own: str = "coalesce({p}, 0)"

    @property
    def sql(self) -> str:
        """The aggregate over state rows."""
        within = f"e.window_tick >= s.tick - {self.reach}" if self.reach is not None else "e.life_tick >= s.before"
        tests = " AND ".join(filter(None, (within, self.test)))
        return f"{self.merge}(CASE WHEN {tests} THEN {self.value} END)"


@dataclass(frozen=True)
class Recipe:
    """A column's parts, and its value from their SQL, in their order."""

    parts: tuple[Part, ...]
    final: Callable[[Sequence[str]], str] = field(compare=False)


@dataclass(frozen=True)
class Cook:
    """Makes recipes for one time grain and the state's mask words (atom → columns)."""

    grain: Grain
    words: Callable[[Atom], Sequence[str]]

    def recipe(self, column: SignalColumn) -> Recipe:  # noqa: PLR0911, PLR0912  # one return per measure reads best
        """Takes a column measured on events; returns its recipe: 0 or missing where nothing happened."""
        measure, window = column.signal.measure, column.window
        atom, *others = atoms_of(column.signal)
        match measure:
            case Count() | Sessions():
                return Recipe((self._sum(atom, window),), lambda p: f"coalesce({p[0]}, 0)")
            case Total():
                return Recipe(
                    (self._sum(atom, window),), lambda p: f"{_double(f'coalesce({p[0]}, 0)')} / {_double(MICRO)} * {_exact(measure.scale)}"
                )
            case Minutes():
                return Recipe((self._sum(atom, window),), lambda p: f"{_double(f'coalesce({p[0]}, 0)')} / {_double(60 * MICRO)}")
            case Distinct():
                masks = tuple(self._over(window, "bit_or", f"e.{quote(word)}") for word in self.words(atom))
                return Recipe(masks, _count_bits)
            case ActiveUsers():
                return Recipe((self._users(atom, measure, window),), lambda p: f"coalesce({p[0]}, 0)")
            case ActiveValues():
                members = f"count(DISTINCT CASE WHEN m.{{p}} > 0 THEN v.{quote(measure.column)} END)"
                return Recipe((self._sum(atom, window, members),), lambda p: f"coalesce({p[0]}, 0)")
            case ActiveDays():
                return self._active_days(atom, window)
            case Growth():
                return self._growth(atom, window)
            case Streak():
                mask = self._days(atom, 0, BITS * self.grain.ticks_per_day)
                return Recipe((mask,), lambda p: f"coalesce(bit_count({p[0]} & ({2**63 - 2} - {p[0]})), 0)")
            case DaysSinceFirst() | DaysSinceLast():
                merge = "min" if isinstance(measure, DaysSinceFirst) else "max"
                part = Part(merge, f"e.{quote(atom.name)}")
                return Recipe((part,), lambda p: f"{_double(f'(s.as_of_us - {p[0]})')} / {_double(DAY_US)}")
            case SecondsToFirst():
                return Recipe((Part("min", f"e.{quote(atom.name)}"),), _seconds_to_first)
            case Rising() | Declining() | Rises() | Falls():
                weeks = TREND_WEEKS if isinstance(measure, Rising | Declining) else RUN_WEEKS
                return Recipe(tuple(self._week(atom, back) for back in range(1, weeks + 1)), _TRENDS[type(measure)])
            case Latest():
                return Recipe(tuple(Part("max", f"e.{quote(a.name)}") for a in (atom, *others)), lambda p: _latest(measure.among, p))
            case Abandoned():
                return self._abandoned(measure, atom, others[0], window)
        raise AssertionError(measure.kind)

    def _over(self, window: Window | None, merge: str, value: str, members: str = "") -> Part:
        """A part over a window, over life, or over the first days from signup on."""
        ticks = None if window is None or window.length_us is None else self.grain.ticks(window.length_us, window.name)
        if window is None or ticks is None:
            return Part(merge, value, members=members)
        if window.from_signup:
            return Part(merge, value, f"e.event_tick >= s.signup_tick AND e.event_tick < s.signup_tick + {ticks}", members=members)
        return Part(merge, value, reach=ticks, members=members)

    def _sum(self, atom: Atom, window: Window | None, members: str = "") -> Part:
        return self._over(window, "sum", f"e.{quote(atom.name)}", members)

    def _users(self, atom: Atom, measure: ActiveUsers, window: Window | None) -> Part:
        who = "".join(f" AND {{v}}.{quote(name)} IN {literals(values)}" for name, values in measure.who.items())
        part = self._sum(atom, window)
        counted = f"count(CASE WHEN m.{{p}} > 0{who.format(v='v')} THEN 1 END)"
        return Part(part.merge, part.value, part.test, part.reach, counted, f"CASE WHEN {{p}} > 0{who.format(v='uv')} THEN 1 ELSE 0 END")

    def _active_days(self, atom: Atom, window: Window | None) -> Recipe:
        day = self.grain.ticks_per_day
        ticks = None if window is None or window.length_us is None else self.grain.ticks(window.length_us, window.name)
        if window is None or ticks is None:
            return Recipe((Part("sum", f"e.{quote(FIRST_DAY + atom.name)}"),), lambda p: f"coalesce({p[0]}, 0)")
        days = -(-ticks // day) + (1 if ticks % day or day > 1 else 0)
        if window.from_signup:
            inside = f"e.event_tick >= s.signup_tick AND e.event_tick < s.signup_tick + {ticks} AND e.{quote(atom.name)} > 0"
            age = f"(CAST(e.event_tick // {day} AS BIGINT) - CAST(s.signup_tick // {day} AS BIGINT))"
            return Recipe(tuple(Part("bit_or", *_bit(age, first, inside)) for first in range(0, days, BITS)), _count_bits)
        return Recipe(tuple(self._days(atom, first, ticks) for first in range(0, days, BITS)), _count_bits)

    def _days(self, atom: Atom, first: int, reach: int) -> Part:
        """The days with an event as bits: bit 0 is the day `first` days before the last one."""
        age = f"(s.last_day - CAST(e.window_tick // {self.grain.ticks_per_day} AS BIGINT))"
        return Part("bit_or", *_bit(age, first, f"e.{quote(atom.name)} > 0"), reach=reach)

    def _growth(self, atom: Atom, window: Window | None) -> Recipe:
        ticks = self._length(window)
        now = Part("sum", f"e.{quote(atom.name)}", reach=ticks)
        before = Part("sum", f"e.{quote(atom.name)}", f"e.window_tick < s.tick - {ticks}", 2 * ticks)
        return Recipe((now, before), _growth)

    def _length(self, window: Window | None) -> int:
        """A window's ticks, where the catalogue asks for a window with an end."""
        if window is None or window.length_us is None:
            raise AssertionError("the catalogue asks for a window with an end")
        return self.grain.ticks(window.length_us, window.name)

    def _week(self, atom: Atom, back: int) -> Part:
        week = f"CAST((CAST(e.window_tick // {self.grain.ticks_per_day} AS BIGINT) + 3) // 7 AS BIGINT)"
        return Part("sum", f"e.{quote(atom.name)}", f"s.week - {week} = {back}", (7 * back + 7) * self.grain.ticks_per_day)

    def _abandoned(self, measure: Abandoned, started: Atom, completed: Atom, window: Window | None) -> Recipe:
        grace = self.grain.ticks(parse_duration(measure.grace), measure.grace)
        ticks = self._length(window)
        begun = Part("max", f"e.{quote(started.name)}", f"e.window_tick < s.tick - {grace}", ticks)
        done = Part("max", f"e.{quote(completed.name)}")
        return Recipe((begun, done), lambda p: f"CASE WHEN {p[0]} IS NOT NULL AND coalesce({p[1]} < {p[0]}, TRUE) THEN 1 ELSE 0 END")


def _bit(age: str, first: int, test: str) -> tuple[str, str]:
    """A day's bit within its mask word, and the test that it belongs there."""
    return f"CAST(1 AS BIGINT) << CAST({age} - {first} AS INTEGER)", f"{test} AND {age} >= {first} AND {age} < {first + BITS}"


def _double(sql: object) -> str:
    return f"CAST({sql} AS DOUBLE)"


def _exact(number: float) -> str:
    return f"CAST({literal(repr(number))} AS DOUBLE)"


def _count_bits(masks: Sequence[str]) -> str:
    return " + ".join(f"coalesce(bit_count({mask}), 0)" for mask in masks) or "0"


def _growth(p: Sequence[str]) -> str:
    now, before = (f"coalesce({part}, 0)" for part in p)
    return f"{_double(f'({now} - {before})')} / nullif({_double(f'({now} + {before})')}, 0)"


def _seconds_to_first(p: Sequence[str]) -> str:
    waited = f"({p[0]} - s.signup_us)"
    return f"{_double(f'CASE WHEN {waited} < 0 THEN 0 ELSE {waited} END')} / {_double(MICRO)}"  # greatest() would make a missing value 0


def _weeks(p: Sequence[str]) -> list[str]:
    return [f"coalesce({part}, 0)" for part in p]


def _rising(p: Sequence[str]) -> str:
    w1, w2, w3, w4 = _weeks(p)
    return f"CASE WHEN {w4} > 0 AND {w3} > {w4} AND {w2} > {w3} AND {w1} > {w2} THEN 1 ELSE 0 END"


def _declining(p: Sequence[str]) -> str:
    w1, w2, w3, w4 = _weeks(p)
    falling = f"{w3} < {w4} AND {w2} < {w3} AND {w1} < {w2}"
    shrunk = f"10 * ({w1} + {w2}) <= 7 * ({w3} + {w4}) AND {w1} + {w2} + {w3} + {w4} >= 10"
    return f"CASE WHEN ({falling}) OR ({shrunk}) THEN 1 ELSE 0 END"


def _run(p: Sequence[str], goes_on: str) -> str:
    weeks = _weeks(p)
    ends = " ".join(f"WHEN NOT ({goes_on.format(new=new, old=old)}) THEN {n}" for n, (new, old) in enumerate(pairwise(weeks)))
    return f"CASE {ends} ELSE {len(weeks) - 1} END"


def _latest(names: Sequence[str], p: Sequence[str]) -> str:
    times = dict(sorted(zip(names, (f"coalesce({part}, -1)" for part in p), strict=True)))
    last = f"greatest({', '.join(times.values())})"
    return f"CASE WHEN {last} = -1 THEN NULL {' '.join(f'WHEN {time} = {last} THEN {literal(name)}' for name, time in times.items())} END"


_TRENDS: dict[type, Callable[[Sequence[str]], str]] = {
    Rising: _rising,
    Declining: _declining,
    Rises: lambda p: _run(p, "{new} > {old} AND {old} > 0"),
    Falls: lambda p: _run(p, "{new} < {old}"),
}
