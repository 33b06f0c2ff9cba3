"""Every signal computed a second time: one lead at a time, straight from the raw events, as slowly and plainly as it can be said."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pandas as pd
from fakes.worlds import Account, Event, User, World

from pls_ml.core.catalogue import (
    Abandoned,
    AccountUsers,
    ActiveDays,
    ActiveUsers,
    AgeDays,
    Attribute,
    Catalogue,
    Condition,
    Count,
    DaysSinceLast,
    Declining,
    Distinct,
    EventFilter,
    Ratio,
    Rising,
    SecondsToFirst,
    SignalColumn,
    Total,
)

DAY = timedelta(days=1)
Value = float | str | None


def reference_signals(world: World, catalogue: Catalogue) -> pd.DataFrame:
    """The table an engine must make for this world."""
    log = usable_events(world)
    rows = [LeadAtMoment(world, log, lead, as_of).values(catalogue) for lead, as_of in world.spine]
    index = pd.RangeIndex(1, len(rows) + 1, name="row")
    return pd.DataFrame(rows, index=index, columns=[column.name for column in catalogue], dtype=object)


def usable_events(world: World) -> list[Event]:
    """The log with one line per event id, the one known first; without internal and unknown users."""
    users = {user.user_id: user for user in world.users}
    first: dict[str, Event] = {}
    log = []
    for event in world.events:
        if event.event_id is None:
            log.append(event)
        elif event.event_id not in first or event.known < first[event.event_id].known:
            first[event.event_id] = event
    return [event for event in (*log, *first.values()) if event.user_id in users and not users[event.user_id].is_internal]


class LeadAtMoment:
    """What one lead looks like at one `as_of`."""

    def __init__(self, world: World, log: Sequence[Event], lead: str, as_of: datetime):
        self.as_of = as_of
        self.users: dict[str, User] = {user.user_id: user for user in world.users}
        self.accounts: Sequence[Account] = world.accounts
        self.me = self.users[lead]
        self.visible = [event for event in log if event.event_time < as_of and event.known < as_of]
        self.found: dict[str, Value] = {}

    def values(self, catalogue: Catalogue) -> dict[str, Value]:
        for column in catalogue.ordered:
            self.found[column.name] = self.value(column)
        return self.found

    def value(self, column: SignalColumn) -> Value:
        measure = column.signal.measure
        if isinstance(measure, EventFilter | Abandoned):
            return self.of_events(column)
        if isinstance(measure, AgeDays):
            return None if self.me.signup_at is None else (self.as_of - self.me.signup_at) / DAY
        if isinstance(measure, AccountUsers):
            return self.account_users()
        if isinstance(measure, Attribute):
            return self.attribute(measure)
        return self.ratio(measure) if isinstance(measure, Ratio) else float(all(self.holds(condition) for condition in measure.all))

    def of_events(self, column: SignalColumn) -> Value:
        measure = column.signal.measure
        if column.signal.scope == "account" and self.me.account_id is None:
            return None
        mine = self.of_account if column.signal.scope == "account" else self.of_user
        ever = [event for event in self.visible if mine(event)]
        recent = [event for event in ever if self.in_window(event, column)]
        if isinstance(measure, Abandoned):
            return self.abandoned(measure, recent, ever)
        return MEASURES[type(measure)](self, measure, [event for event in recent if matches(measure, event)])

    def of_user(self, event: Event) -> bool:
        return event.user_id == self.me.user_id

    def of_account(self, event: Event) -> bool:
        """Whether the event belongs to the lead's account: the one it was logged under, else its user's."""
        owner = event.account_id if event.account_id is not None else self.users[event.user_id].account_id
        return owner == self.me.account_id

    def in_window(self, event: Event, column: SignalColumn) -> bool:
        if column.window is None or column.window.length_us is None:
            return True
        return event.event_time >= self.as_of - timedelta(microseconds=column.window.length_us)

    def account_users(self) -> float:
        if self.me.account_id is None:
            return 1.0
        mates = [u for u in self.users.values() if u.account_id == self.me.account_id and u.signup_at and not u.is_internal]
        return float(sum(mate.signup_at < self.as_of for mate in mates) or 1)

    def attribute(self, measure: Attribute) -> Value:
        if measure.table == "users":
            return getattr(self.me, measure.column)
        for account in self.accounts:
            begun = account.valid_from is None or account.valid_from < self.as_of
            ended = account.valid_to is not None and account.valid_to < self.as_of
            if account.account_id == self.me.account_id and begun and not ended:
                return getattr(account, measure.column)
        return None

    def ratio(self, measure: Ratio) -> Value:
        above, below = self.found[measure.numerator], self.found[measure.denominator]
        if above is None or below is None or not all(self.holds(condition) for condition in measure.requires):
            return None
        if measure.floor is not None:
            below = max(below, measure.floor)
        if measure.cap is not None:
            below = min(below, measure.cap)
        return None if below == 0 else above / below

    def holds(self, condition: Condition) -> bool:
        value = self.found[condition.signal]
        if value is None:
            return False
        if condition.among is not None:
            return value in condition.among
        tests = {"gte": operator.ge, "gt": operator.gt, "lte": operator.le, "lt": operator.lt, "eq": operator.eq}
        return all(test(value, getattr(condition, name)) for name, test in tests.items() if getattr(condition, name) is not None)

    def abandoned(self, measure: Abandoned, recent: Sequence[Event], ever: Sequence[Event]) -> float:
        """Some start, older than the grace period, has no completion at or after it."""
        grace = {"h": timedelta(hours=1), "d": DAY, "m": timedelta(minutes=1), "w": 7 * DAY}[measure.grace[-1]] * int(measure.grace[:-1])
        completed = [event.event_time for event in ever if matches(measure.completed, event)]
        starts = [e.event_time for e in recent if matches(measure.started, e) and e.event_time < self.as_of - grace]
        return float(any(not any(done >= start for done in completed) for start in starts))

    def count(self, measure: Count, events: Sequence[Event]) -> float:
        return float(len(events))

    def distinct(self, measure: Distinct, events: Sequence[Event]) -> float:
        return float(len({e.properties[measure.of] for e in events if e.properties.get(measure.of) is not None}))

    def total(self, measure: Total, events: Sequence[Event]) -> float:
        return sum(float(e.properties[measure.of]) for e in events if e.properties.get(measure.of) is not None) * measure.scale

    def active_days(self, measure: ActiveDays, events: Sequence[Event]) -> float:
        return float(len({e.event_time.date() for e in events}))

    def active_users(self, measure: ActiveUsers, events: Sequence[Event]) -> float:
        return float(len({e.user_id for e in events}))

    def days_since_last(self, measure: DaysSinceLast, events: Sequence[Event]) -> Value:
        return (self.as_of - max(e.event_time for e in events)) / DAY if events else None

    def seconds_to_first(self, measure: SecondsToFirst, events: Sequence[Event]) -> Value:
        if not events or self.me.signup_at is None:
            return None
        return max((min(e.event_time for e in events) - self.me.signup_at).total_seconds(), 0.0)

    def weeks(self, events: Sequence[Event]) -> list[int]:
        """Events of the last four complete ISO weeks, oldest first."""
        monday = datetime.combine(self.as_of.date() - timedelta(days=self.as_of.weekday()), datetime.min.time())
        return [sum(monday - (k + 1) * 7 * DAY <= e.event_time < monday - k * 7 * DAY for e in events) for k in (3, 2, 1, 0)]

    def rising(self, measure: Rising, events: Sequence[Event]) -> float:
        weeks = self.weeks(events)
        return float(0 < weeks[0] < weeks[1] < weeks[2] < weeks[3])

    def declining(self, measure: Declining, events: Sequence[Event]) -> float:
        weeks = self.weeks(events)
        falling = weeks[0] > weeks[1] > weeks[2] > weeks[3]
        return float(falling or (10 * (weeks[2] + weeks[3]) <= 7 * (weeks[0] + weeks[1]) and sum(weeks) >= 10))


def matches(chosen: EventFilter, event: Event) -> bool:
    named = not chosen.events or event.event in chosen.events
    return named and all(event.properties.get(name) in values for name, values in chosen.where.items())


MEASURES: dict[type, Callable[[LeadAtMoment, EventFilter, Sequence[Event]], Value]] = {
    Count: LeadAtMoment.count,
    Distinct: LeadAtMoment.distinct,
    Total: LeadAtMoment.total,
    ActiveDays: LeadAtMoment.active_days,
    ActiveUsers: LeadAtMoment.active_users,
    DaysSinceLast: LeadAtMoment.days_since_last,
    SecondsToFirst: LeadAtMoment.seconds_to_first,
    Rising: LeadAtMoment.rising,
    Declining: LeadAtMoment.declining,
}
