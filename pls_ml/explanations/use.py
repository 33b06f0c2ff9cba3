"""More use of one signal → what it makes of a lead's columns: its own windows, and whatever else surely changes with them.

A change is a whole number of acts more (events, values, days, people, units of a sum), at some moment within the signal's shortest
window, or one event within fewer days where the signal says how long ago the last one was. So all its windows change by the same
amount; first days that are over do not. Of other signals, those change that count these very events and others (all events, the twin of
the whole account): counts by the same amount, days, people and different values to no less than what must be there, and how long ago the
last one was to no more than the window. Ratios, differences and rules follow from the columns they read. All else stays as it is, which
is the cautious assumption: when the events came (trends, streaks, growth, latest steps), how long they took, what came first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, nan
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.catalogue import Catalogue, Signal, SignalColumn, references
from pls_ml.core.derived import derive_values
from pls_ml.core.measures import (
    AccountUsers,
    ActiveDays,
    ActiveUsers,
    ActiveValues,
    AgeDays,
    Count,
    DaysSinceLast,
    Distinct,
    EventFilter,
    Minutes,
    OnColumns,
    OnEvents,
    Sessions,
    Total,
)
from pls_ml.core.protocols import Floats
from pls_ml.core.windows import DAY_US

Index = npt.NDArray[np.int64]
COUNTED = (Count, Distinct, Total, ActiveDays, ActiveUsers, ActiveValues, Sessions, Minutes)
"""Measures of which there can be more by a number of acts."""
SUMS = (Total, Minutes)
"""Of these there can be more without another event."""
WIDER = {"user": ("user", "account"), "colleagues": ("colleagues", "account"), "account": ("account",)}
"""Whose columns see what somebody of a scope does."""


@dataclass(frozen=True)
class Place:
    """A column's position, its window in days (infinite: life), whether that begins at signup, and what stands for a missing value."""

    position: int
    days: float
    from_signup: bool = False
    stands_in: float = nan

    def known(self, values: Floats) -> npt.NDArray[np.bool_]:
        """Takes n values; returns where they are no missing ones."""
        return np.asarray(~np.isnan(values) & (values != self.stands_in))


@dataclass(frozen=True)
class Move:
    """One signal of which there can be more: its columns, and the others that change with them.

    `added` grow by as many acts; `floors` grow to at least the signal's own new value, or (`floored`) to at least 1; of `recent` the last
    event is no longer ago than the change, also (True) where there was none before.
    """

    signal: Signal
    own: tuple[Place, ...]
    added: tuple[Place, ...]
    floors: tuple[Place, ...]
    floored: tuple[Place, ...]
    recent: tuple[tuple[Place, bool], ...]

    @property
    def down(self) -> bool:
        """Whether the signal's number falls with more use: days since the last time."""
        return isinstance(self.signal.measure, DaysSinceLast)

    @property
    def days(self) -> float:
        """The shortest window, which holds the acts."""
        return min(place.days for place in self.own if not place.from_signup)

    @property
    def counted(self) -> frozenset[int]:
        """The positions of all columns that count the acts of the move."""
        return frozenset(place.position for place in (*self.own, *self.added))

    @property
    def touched(self) -> frozenset[int]:
        """Every position that the move itself changes, without what is made of other columns."""
        others = (*self.floors, *self.floored, *(place for place, _ in self.recent))
        return self.counted | {place.position for place in others}


class Moves:
    """What more use changes in rows of numbers (c × m); `columns` are their names."""

    def __init__(self, catalogue: Catalogue, columns: Sequence[str]) -> None:
        """Takes the catalogue and the names of the numeric columns, in the order of the rows."""
        self.columns = tuple(columns)
        self._position = {name: place for place, name in enumerate(columns)}
        self._catalogue = catalogue
        ages = (c.name for c in catalogue if isinstance(c.signal.measure, AgeDays))
        self._age = self._position.get(next(ages, ""))
        self.all = tuple(move for signal in catalogue.signals if _can_move(signal) and (move := self._make(signal)))
        touched = {self.columns[position] for move in self.all for position in move.touched}
        self._derived: list[SignalColumn] = []
        for column in catalogue.ordered:
            if isinstance(column.signal.measure, OnColumns) and column.name in self._position and touched & {*references(column.signal)}:
                touched.add(column.name)
                self._derived.append(column)

    def change(self, rows: Floats, texts: Mapping[str, Any], sets: Index, amounts: Index) -> None:
        """Takes c × m rows, the text columns of the same leads, c × k moves (−1: none) and c × k amounts; changes the rows in place."""
        made = [(self.all[number], at, amounts[at, slot]) for number, at, slot in _group(sets)]
        within = [self._add(rows, *one) for one in made]
        for (move, at, _), days in zip(made, within, strict=True):
            self._follow(rows, move, at, days)

        def read(name: str) -> Any:
            return rows[:, self._position[name]] if name in self._position else texts[name]

        for column in self._derived:
            values, missing = derive_values(column.signal.measure, read), column.signal.missing  # type: ignore[arg-type]
            rows[:, self._position[column.name]] = values if missing is None else np.where(np.isnan(values), missing, values)

    def largest(self, rows: Floats, move: Move, low: Floats, high: Floats) -> Index:
        """Takes n rows, a move, and n × m bounds; returns the largest amount that keeps what it adds to within them; 0 for none."""
        first = move.own[0]
        values = rows[:, first.position]
        if move.down:
            most = np.floor(values) - np.maximum(np.ceil(low[:, first.position]), 1.0)
        else:
            ages = self._ages(rows)
            room = [np.where(_is_live(p, ages, move.days), high[:, p.position] - rows[:, p.position], inf) for p in move.own]
            most = np.min(room, axis=0)
        most = np.where(first.known(values) & np.isfinite(most), most, 0.0)
        return np.asarray(np.maximum(np.floor(most), 0.0), np.int64)

    def _add(self, rows: Floats, move: Move, at: Index, amounts: Index) -> Floats:
        """Changes the move's own columns and what counts the same events; returns within how many days that happened."""
        ages = self._ages(rows, at)
        if move.down:
            position = move.own[0].position
            days: Floats = np.floor(rows[at, position]) - amounts
            rows[at, position] = days
        else:
            days = np.full(len(at), move.days)
            for place in move.own:
                live = _is_live(place, ages, days)
                rows[at[live], place.position] += amounts[live]
        events = np.ones_like(amounts) if move.down else amounts
        for place in move.added:
            live = _is_live(place, ages, days) & place.known(rows[at, place.position])
            rows[at[live], place.position] += events[live]
        return days

    def _follow(self, rows: Floats, move: Move, at: Index, days: Floats) -> None:
        ages = self._ages(rows, at)
        for places, own in ((move.floors, True), (move.floored, False)):
            for place in places:
                seen = np.array([p.position for p in move.own if own and p.days <= place.days], np.int64)
                least = np.max(rows[np.ix_(at, seen)], axis=1) if len(seen) else np.ones(len(at))
                before = rows[at, place.position]
                low = _is_live(place, ages, days) & place.known(before) & (before < least)
                rows[at[low], place.position] = least[low]
        for place, never_too in move.recent:
            before = rows[at, place.position]
            older = np.isfinite(days) & ~(before <= days) & (place.known(before) | never_too)
            rows[at[older], place.position] = days[older]

    def _ages(self, rows: Floats, at: Index | slice = slice(None)) -> Floats:
        """How old leads are in days; beyond all first days where no signal says so."""
        ages: Floats = np.full(len(rows), inf) if self._age is None else rows[:, self._age]
        return np.asarray(ages[at], np.float64)

    def _make(self, signal: Signal) -> Move | None:
        own = tuple(place for column in signal.columns if (place := self._place(column, whoever=isinstance(signal.measure, DaysSinceLast))))
        if not own or all(place.from_signup for place in own):
            return None
        found: dict[str, list[Any]] = {"added": [], "floors": [], "floored": [], "recent": []}
        for column in self._catalogue:
            place = self._place(column)
            if place and column.signal.id != signal.id and (how := _follows(signal, column.signal)):
                found[how].append((place, column.signal.scope == "user") if how == "recent" else place)
        return Move(signal, own, **{how: tuple(places) for how, places in found.items()})

    def _place(self, column: SignalColumn, whoever: bool = False) -> Place | None:
        """Where a column stands; what a lead itself does is never missing but where it says how long ago something was."""
        if column.name not in self._position:
            return None
        window, missing = column.window, column.signal.missing
        days = inf if window is None or window.length_us is None else window.length_us / DAY_US
        told = missing is not None and (whoever or column.signal.scope != "user")
        return Place(self._position[column.name], days, bool(window and window.from_signup), float(missing or 0) if told else nan)


def _can_move(signal: Signal) -> bool:
    """What people may be shown, the lead's use can change, and practice does not hold against it."""
    if not (signal.actionable and signal.rep_visible):
        return False
    if isinstance(signal.measure, DaysSinceLast):
        return signal.direction != "up"
    grows = not isinstance(signal.measure, Total) or signal.measure.scale > 0
    return isinstance(signal.measure, COUNTED) and signal.direction != "down" and grows


def _follows(signal: Signal, other: Signal) -> str | None:  # noqa: PLR0911  # one return per measure reads best
    """How another signal's columns follow a change of this one, if they surely do."""
    mine, its = signal.measure, other.measure
    if isinstance(its, AccountUsers):
        return "floors" if isinstance(mine, ActiveUsers) else None
    seen = isinstance(its, EventFilter) and other.scope in WIDER[signal.scope] and _holds_all(its, mine)
    if isinstance(mine, SUMS) or not isinstance(its, OnEvents) or not seen:
        return None
    if isinstance(its, Count):
        return "added"
    if isinstance(its, DaysSinceLast):
        return "recent"
    if isinstance(its, Distinct):
        return "floors" if isinstance(mine, Distinct) and mine.of == its.of else None
    if isinstance(its, ActiveValues):
        return "floors" if isinstance(mine, ActiveValues) and mine.column == its.column else None
    if isinstance(its, ActiveDays):
        return "floors" if isinstance(mine, ActiveDays) else "floored"
    if isinstance(its, ActiveUsers) and not its.who:
        return "floors" if isinstance(mine, ActiveUsers) else "floored"
    return None


def _holds_all(wide: EventFilter, mine: Any) -> bool:
    """Whether a filter keeps every event that a measure looks at; sessions look at all."""
    narrow = mine if isinstance(mine, EventFilter) else EventFilter()
    names = not wide.events or (bool(narrow.events) and set(narrow.events) <= set(wide.events))
    return names and all(key in narrow.where and set(narrow.where[key]) <= set(values) for key, values in wide.where.items())


def _is_live(place: Place, ages: Floats, days: Floats | float) -> npt.NDArray[np.bool_]:
    """Where a column's window holds whatever happened within so many days: a long enough one, or first days that are not over."""
    return np.asarray(ages <= place.days if place.from_signup else np.broadcast_to(place.days >= np.asarray(days), ages.shape))


def _group(sets: Index) -> Iterator[tuple[int, Index, Index]]:
    """Every move with the rows it is made in, and its slot there."""
    for number in np.unique(sets[sets >= 0]):
        at, slot = np.nonzero(sets == number)
        yield int(number), at, slot
