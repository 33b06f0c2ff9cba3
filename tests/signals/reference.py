"""Every signal computed a second time: one lead at a time, straight from the raw events, as slowly and plainly as it can be said."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import pandas as pd
from fakes.worlds import World
from signals.reference_events import ANSWERS, Question, Value, length
from signals.reference_past import DAY, Calendar, Past

from pls_ml.core.catalogue import Catalogue, SignalColumn
from pls_ml.core.columns import Unit
from pls_ml.core.measures import (
    AccountUsers,
    AgeDays,
    Attribute,
    Condition,
    Difference,
    LimitUse,
    NewUsers,
    Ratio,
    Records,
    Rule,
)
from pls_ml.core.windows import Grain

OPERATORS = {"gte": operator.ge, "gt": operator.gt, "lte": operator.le, "lt": operator.lt, "eq": operator.eq}


@dataclass(frozen=True)
class Reference:
    """The reference in the place of a path through the package: the same checks run on both."""

    catalogue: Catalogue
    grain: Grain

    def at(self, grain: Grain, catalogue: Catalogue | None = None) -> Reference:
        return replace(self, grain=grain, catalogue=catalogue or self.catalogue)

    def signals(self, world: World) -> pd.DataFrame:
        """The table an engine must make for this world."""
        calendar = Calendar(self.grain)
        pasts = {as_of: Past(world, calendar, as_of) for _, as_of in world.spine}
        rows = [LeadAtMoment(pasts[as_of], lead, self.catalogue.unit).values(self.catalogue) for lead, as_of in world.spine]
        index = pd.RangeIndex(1, len(rows) + 1, name="row")
        return pd.DataFrame(rows, index=index, columns=[column.name for column in self.catalogue], dtype=object)


class LeadAtMoment:
    """What one lead, a user or an account, looks like at one `as_of`."""

    def __init__(self, past: Past, lead: str, unit: Unit):
        self.past, self.lead, self.unit = past, lead, unit
        self.account = lead if unit == "account" else past.account_of(lead, past.as_of)
        self.signup = past.account_signup(lead) if unit == "account" else past.signup(lead)
        self.found: dict[str, Value] = {}

    def values(self, catalogue: Catalogue) -> Mapping[str, Value]:
        for column in catalogue.ordered:
            value = self.value(column)
            self.found[column.name] = column.signal.missing if value is None else value
        return self.found

    def value(self, column: SignalColumn) -> Value:  # noqa: PLR0911  # one return per measure reads best
        match column.signal.measure:
            case measure if type(measure) in ANSWERS:
                return self.of_events(column)
            case AgeDays():
                return None if self.signup is None else (self.past.as_of - self.signup) / DAY
            case AccountUsers():
                return self.account_users()
            case NewUsers():
                return self.dated(column, [self.past.signup(user) for user in self.past.members(self.account)])
            case Records():
                return self.dated(column, [w.created_at for w in self.past.world.workspaces if w.account_id == self.account])
            case LimitUse():
                return self.limit_use()
            case Attribute() as measure:
                return self.attribute(measure)
            case Ratio() as measure:
                return self.ratio(measure)
            case Difference() as measure:
                of, minus = self.found[measure.of], self.found[measure.minus]
                return None if of is None or minus is None else of - minus
            case Rule() as measure:
                some = not measure.any or any(map(self.holds, measure.any))
                return float(some and all(map(self.holds, measure.all)))
        raise AssertionError(column.name)

    def of_events(self, column: SignalColumn) -> Value:
        scope = "account" if self.unit == "account" else column.signal.scope
        if scope != "user" and self.account is None:
            return None
        return Question(self.past, column, self.signup, self.past.events(scope, self.lead, self.account)).answer()

    def account_users(self) -> float:
        if self.account is None:
            return 1.0
        signups = [self.past.signup(user) for user in self.past.members(self.account)]
        return float(sum(signup is not None and signup < self.past.as_of for signup in signups) or 1)

    def dated(self, column: SignalColumn, moments: list[datetime | None]) -> Value:
        """How many of the account's moments lie in the window."""
        if self.account is None:
            return None
        past = [moment for moment in moments if moment is not None and moment < self.past.as_of]
        name = column.window.name
        return float(sum(name == "lifetime" or self.past.now - length(name) <= self.past.calendar.wall(moment) for moment in past))

    def limit_use(self) -> Value:
        readings = [r for r in self.past.world.readings if r.account_id == self.account and r.at < self.past.as_of]
        last = {r.resource: max(other.at for other in readings if other.resource == r.resource) for r in readings}
        shares = [r.used / r.limit for r in readings if r.at == last[r.resource] and r.limit > 0]
        return None if self.account is None else max(shares, default=None)

    def attribute(self, measure: Attribute) -> Value:
        if measure.table == "users":
            return getattr(self.past.user_at(self.lead, self.past.as_of), measure.column, None)
        for account in self.past.world.accounts:
            begun = account.valid_from is None or account.valid_from < self.past.as_of
            ended = account.valid_to is not None and account.valid_to < self.past.as_of
            if account.account_id == self.account and begun and not ended:
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
        tests = {name: getattr(condition, name) for name in OPERATORS if getattr(condition, name) is not None}
        return all(OPERATORS[name](value, bound) for name, bound in tests.items())
