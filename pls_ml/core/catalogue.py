"""What a signal is: its declaration, its columns over windows, and the catalogue that holds them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pls_ml.core.errors import ConfigError, suggest
from pls_ml.core.spec import Spec
from pls_ml.core.windows import LIFETIME, Window, parse_duration

Number = float | int


class EventFilter(Spec):
    """Which events count: names (empty: every event) and required property values."""

    events: tuple[str, ...] = ()
    where: dict[str, tuple[str, ...]] = {}


class Condition(Spec):
    """A test of one signal column; a missing value fails it. Exactly one operator is given."""

    signal: str
    gte: Number | None = None
    gt: Number | None = None
    lte: Number | None = None
    lt: Number | None = None
    eq: Number | None = None
    among: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one_operator(self) -> Condition:
        given = [name for name in ("gte", "gt", "lte", "lt", "eq", "among") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"condition on '{self.signal}' has {len(given)} operators: give one of gte, gt, lte, lt, eq, among")
        return self


class Count(EventFilter):
    """Events in the window."""

    kind: Literal["count"]


class Distinct(EventFilter):
    """Distinct values of a property in the window."""

    kind: Literal["distinct"]
    of: str


class Total(EventFilter):
    """Sum of a numeric property in the window, times `scale`; exact to six decimals before scaling."""

    kind: Literal["sum"]
    of: str
    scale: float = 1.0


class ActiveDays(EventFilter):
    """Distinct UTC days with an event in the window."""

    kind: Literal["active_days"]


class ActiveUsers(EventFilter):
    """Distinct users with an event in the window; of an account."""

    kind: Literal["active_users"]


class DaysSinceLast(EventFilter):
    """Days from the last event to `as_of`; missing when there was none."""

    kind: Literal["days_since_last"]


class SecondsToFirst(EventFilter):
    """Seconds from signup to the first event; missing when there was none."""

    kind: Literal["seconds_to_first"]


class Rising(EventFilter):
    """1 when events rose strictly three times over the last four complete ISO weeks (D-8)."""

    kind: Literal["rising"]


class Declining(EventFilter):
    """1 when events fell strictly three times over the last four complete ISO weeks (D-9).

    Also when the last two weeks hold at most 70 % of the two before, with ten events or more in all four.
    """

    kind: Literal["declining"]


class Abandoned(Spec):
    """1 when `started` happened in the window, `grace` has passed since, and no `completed` came at or after it (D-12)."""

    kind: Literal["abandoned"]
    started: EventFilter
    completed: EventFilter
    grace: str = "24h"

    @field_validator("grace")
    @classmethod
    def _known_length(cls, value: str) -> str:
        parse_duration(value)
        return value


class AgeDays(Spec):
    """Days from signup to `as_of`."""

    kind: Literal["age_days"]


class AccountUsers(Spec):
    """Users of the account that signed up before `as_of`, internal ones left out."""

    kind: Literal["account_users"]


class Attribute(Spec):
    """A column of the users or accounts table, as of `as_of` where the table has validity intervals."""

    kind: Literal["attribute"]
    table: Literal["users", "accounts"]
    column: str
    type: Literal["number", "category"] = "number"


class Ratio(Spec):
    """Numerator column over denominator column held within [floor, cap]; missing where a `requires` fails."""

    kind: Literal["ratio"]
    numerator: str
    denominator: str
    floor: Number | None = None
    cap: Number | None = None
    requires: tuple[Condition, ...] = ()


class Rule(Spec):
    """1 where every condition holds, else 0."""

    kind: Literal["rule"]
    all: tuple[Condition, ...] = Field(min_length=1)


EventMeasure = Count | Distinct | Total | ActiveDays | ActiveUsers | DaysSinceLast | SecondsToFirst | Rising | Declining
Measure = Annotated[
    EventMeasure | Abandoned | AgeDays | AccountUsers | Attribute | Ratio | Rule,
    Field(discriminator="kind"),
]
_WINDOWED = (Count, Distinct, Total, ActiveDays, ActiveUsers, Abandoned)


class Signal(Spec):
    """One declared signal: how to measure it, which way it should point, and what may be said about it."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")
    family: str
    scope: Literal["user", "account"] = "user"
    measure: Measure
    windows: tuple[str, ...] = ()
    direction: Literal["up", "down", "none"] = "none"
    label: str
    unit: str = ""
    rep_visible: bool = True
    outreach_safe: bool = True
    leak_risk: Literal["none", "high"] = "none"

    @model_validator(mode="after")
    def _windows_fit(self) -> Signal:
        windowed = isinstance(self.measure, _WINDOWED)
        if windowed and not self.windows:
            raise ValueError(f"signal '{self.id}' needs `windows`, for example [30d] or [lifetime] (measure '{self.measure.kind}')")
        if not windowed and self.windows:
            raise ValueError(f"signal '{self.id}' takes no `windows` (measure '{self.measure.kind}')")
        if self.scope == "account" and isinstance(self.measure, SecondsToFirst):
            raise ValueError(f"signal '{self.id}': an account has no signup; use `scope: user` with '{self.measure.kind}'")
        for name in self.windows:
            Window.parse(name)
        if LIFETIME in self.windows and isinstance(self.measure, Abandoned):
            raise ValueError(f"signal '{self.id}': an abandoned step needs a window with an end, such as 30d")
        return self

    @property
    def columns(self) -> tuple[SignalColumn, ...]:
        """The signal's columns: one per window, or a single one."""
        if not self.windows:
            return (SignalColumn(self.id, self, None),)
        return tuple(SignalColumn(f"{self.id}_{name}", self, Window.parse(name)) for name in self.windows)

    @property
    def is_category(self) -> bool:
        """Whether values are text."""
        return isinstance(self.measure, Attribute) and self.measure.type == "category"


@dataclass(frozen=True)
class SignalColumn:
    """One column of the signal table: a signal over one window."""

    name: str
    signal: Signal
    window: Window | None


class Catalogue(Spec):
    """Every declared signal; names are unique and references resolve without a circle."""

    signals: tuple[Signal, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Catalogue:
        names = [column.name for column in self]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"signal columns declared twice: {', '.join(twice)}")
        for column in self:
            for other in references(column.signal):
                if other not in names:
                    raise ValueError(f"signal '{column.name}' refers to '{other}', which is not declared{suggest(other, names)}")
        self.ordered  # noqa: B018  # a circle is refused here, at reading
        return self

    def __iter__(self) -> Iterator[SignalColumn]:  # type: ignore[override]
        """Takes nothing; yields every column in declared order."""
        for signal in self.signals:
            yield from signal.columns

    @cached_property
    def by_column(self) -> dict[str, SignalColumn]:
        """Column name → column."""
        return {column.name: column for column in self}

    @cached_property
    def ordered(self) -> tuple[SignalColumn, ...]:
        """Columns so that each stands after those it refers to; refuses a circle."""
        done: dict[str, SignalColumn] = {}

        def visit(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                raise ConfigError(f"signals refer to each other in a circle: {' → '.join((*path, name))}")
            if name in done:
                return
            for other in references(self.by_column[name].signal):
                visit(other, (*path, name))
            done[name] = self.by_column[name]

        for name in self.by_column:
            visit(name, ())
        return tuple(done.values())

    def select(self, columns: list[str]) -> Catalogue:
        """Takes signal ids to keep; returns the catalogue of only those, in declared order."""
        return Catalogue(signals=tuple(signal for signal in self.signals if signal.id in columns))


def references(signal: Signal) -> tuple[str, ...]:
    """Takes a signal; returns the columns its measure reads."""
    measure = signal.measure
    if isinstance(measure, Ratio):
        return (measure.numerator, measure.denominator, *(c.signal for c in measure.requires))
    return tuple(c.signal for c in measure.all) if isinstance(measure, Rule) else ()


def event_filters(signal: Signal) -> tuple[EventFilter, ...]:
    """Takes a signal; returns the event filters its measure reads."""
    measure = signal.measure
    if isinstance(measure, Abandoned):
        return (measure.started, measure.completed)
    return (measure,) if isinstance(measure, EventFilter) else ()
