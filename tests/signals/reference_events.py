"""Each measure of events, worked out for one lead at one `as_of` as slowly and plainly as it can be said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TypeVar

from signals.reference_past import DAY, TICK, Past, Seen, six_decimals

from pls_ml.core.catalogue import SignalColumn
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
    EventFilter,
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

WEEK = timedelta(weeks=1)
LENGTHS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": DAY, "w": WEEK}
Value = float | str | None
M = TypeVar("M")


def length(text: str) -> timedelta:
    return int(text[:-1]) * LENGTHS[text[-1]]


def matches(chosen: EventFilter, seen: Seen) -> bool:
    named = not chosen.events or seen.event.event in chosen.events
    return named and all(seen.value(name) in values for name, values in chosen.where.items())


@dataclass(frozen=True)
class Question:
    """One column for one lead: the events that are its own (`ever`), those of them in the window, and when the lead signed up."""

    past: Past
    column: SignalColumn
    signup: datetime | None
    ever: Sequence[Seen]

    def answer(self) -> Value:
        measure = self.column.signal.measure
        return ANSWERS[type(measure)](self, measure)

    @property
    def recent(self) -> list[Seen]:
        """The events in the window, whatever the measure's filter."""
        window, now, calendar = self.column.window, self.past.now, self.past.calendar
        if window is None or window.name == "lifetime":
            return list(self.ever)
        if window.from_signup:
            start = calendar.tick(self.signup) if self.signup else None
            end = start + length(window.name.removeprefix("first_")) if start else None
            return [seen for seen in self.ever if start and end and start <= seen.at < end]
        return [seen for seen in self.ever if now - length(window.name) <= seen.at]

    def chosen(self, measure: EventFilter) -> list[Seen]:
        return [seen for seen in self.recent if matches(measure, seen)]

    def count(self, measure: Count) -> float:
        return float(len(self.chosen(measure)))

    def distinct(self, measure: Distinct) -> float:
        return float(len({seen.value(measure.of) for seen in self.chosen(measure)} - {None}))

    def total(self, measure: Total) -> float:
        given = [seen.value(measure.of) for seen in self.chosen(measure)]
        numbers = [six_decimals(value) for value in given if value is not None]
        return float(sum(number for number in numbers if number is not None)) * measure.scale

    def active_days(self, measure: ActiveDays) -> float:
        return float(len({seen.at.date() for seen in self.chosen(measure)}))

    def active_users(self, measure: ActiveUsers) -> float:
        return float(sum(self._is_wanted(user_id, measure) for user_id in {seen.event.user_id for seen in self.chosen(measure)}))

    def _is_wanted(self, user_id: str, measure: ActiveUsers) -> bool:
        user = self.past.user_at(user_id, self.past.as_of)
        return all(user is not None and getattr(user, name) in values for name, values in measure.who.items())

    def active_values(self, measure: ActiveValues) -> float:
        users = [self.past.user_at(seen.event.user_id, self.past.as_of) for seen in self.chosen(measure)]
        return float(len({getattr(user, measure.column) for user in users if user is not None} - {None}))

    def growth(self, measure: Growth) -> Value:
        now, window = self.past.now, length(self.column.window.name)
        before = [seen for seen in self.ever if matches(measure, seen) and now - 2 * window <= seen.at < now - window]
        a, b = len(self.chosen(measure)), len(before)
        return (a - b) / (a + b) if a + b else None

    def days_since_first(self, measure: DaysSinceFirst) -> Value:
        return max(((self.past.as_of - seen.event.event_time) / DAY for seen in self.chosen(measure)), default=None)

    def days_since_last(self, measure: DaysSinceLast) -> Value:
        return min(((self.past.as_of - seen.event.event_time) / DAY for seen in self.chosen(measure)), default=None)

    def seconds_to_first(self, measure: SecondsToFirst) -> Value:
        events = self.chosen(measure)
        if not events or self.signup is None:
            return None
        return max((min(seen.event.event_time for seen in events) - self.signup).total_seconds(), 0.0)

    def weeks(self, measure: EventFilter) -> list[int]:
        """Events of the last eight complete ISO weeks, the last one first."""
        today = self.past.now.date()
        monday = _midnight(today - timedelta(days=today.weekday()))
        times = [seen.at for seen in self.chosen(measure)]
        return [sum(monday - (back + 1) * WEEK <= at < monday - back * WEEK for at in times) for back in range(8)]

    def rising(self, measure: Rising) -> float:
        w1, w2, w3, w4 = self.weeks(measure)[:4]
        return float(w1 > w2 > w3 > w4 > 0)

    def declining(self, measure: Declining) -> float:
        w1, w2, w3, w4 = self.weeks(measure)[:4]
        return float(w1 < w2 < w3 < w4 or (10 * (w1 + w2) <= 7 * (w3 + w4) and w1 + w2 + w3 + w4 >= 10))

    def rises(self, measure: Rises) -> float:
        weeks = self.weeks(measure)
        return _run([later > earlier > 0 for later, earlier in pairwise(weeks)])

    def falls(self, measure: Falls) -> float:
        weeks = self.weeks(measure)
        return _run([later < earlier for later, earlier in pairwise(weeks)])

    def streak(self, measure: Streak) -> float:
        days = {seen.at.date() for seen in self.chosen(measure)}
        last = (self.past.now - TICK[self.past.calendar.grain.kind]).date()
        return _run([last - back * DAY in days for back in range(62)])

    def sessions(self, measure: Sessions) -> float:
        return float(sum(pause is None for pause in self._pauses(measure)))

    def minutes(self, measure: Minutes) -> float:
        return sum((pause or timedelta() for pause in self._pauses(measure)), timedelta()) / timedelta(minutes=1)

    def _pauses(self, measure: Sessions | Minutes) -> list[timedelta | None]:
        """A guest's signup is no visit of whoever sent the invitation."""
        return [self.past.pause(seen, length(measure.gap)) for seen in self.recent if seen.is_logged]

    def latest(self, measure: Latest) -> Value:
        times = {name: [s.event.event_time for s in self.recent if s.event.event == name] for name in measure.among}
        last = {name: max(moments) for name, moments in times.items() if moments}
        return min((name for name, moment in last.items() if moment == max(last.values())), default=None)

    def abandoned(self, measure: Abandoned) -> float:
        """Some start, older than the grace period, has no completion at or after it."""
        done = [seen.event.event_time for seen in self.ever if matches(measure.completed, seen)]
        old = [seen for seen in self.recent if matches(measure.started, seen) and seen.at < self.past.now - length(measure.grace)]
        return float(any(all(end < seen.event.event_time for end in done) for seen in old))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time())


def _run(steps: list[bool]) -> float:
    """How many steps hold before the first that does not."""
    return float(steps.index(False) if False in steps else len(steps))


ANSWERS: dict[type, Callable[[Question, M], Value]] = {
    Count: Question.count,
    Distinct: Question.distinct,
    Total: Question.total,
    ActiveDays: Question.active_days,
    ActiveUsers: Question.active_users,
    ActiveValues: Question.active_values,
    Growth: Question.growth,
    DaysSinceFirst: Question.days_since_first,
    DaysSinceLast: Question.days_since_last,
    SecondsToFirst: Question.seconds_to_first,
    Rising: Question.rising,
    Declining: Question.declining,
    Rises: Question.rises,
    Falls: Question.falls,
    Streak: Question.streak,
    Sessions: Question.sessions,
    Minutes: Question.minutes,
    Latest: Question.latest,
    Abandoned: Question.abandoned,
}
