"""What a signal is: its declaration, its columns over windows, and the catalogue that holds them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pls_ml.core.columns import Unit
from pls_ml.core.errors import ConfigError, suggest
from pls_ml.core.measures import (
    OF_ACCOUNTS,
    SUBTRACTABLE,
    WINDOWED,
    Abandoned,
    Attribute,
    Difference,
    EventFilter,
    Growth,
    Latest,
    Measure,
    Number,
    OnTables,
    Ratio,
    Rule,
    SecondsToFirst,
)
from pls_ml.core.spec import Spec
from pls_ml.core.windows import LIFETIME, Window

TAKEN = ("row", "lead_id", "account_id", "account_key", "as_of", "label")
"""Columns beside the signals."""
PLACEHOLDERS = ("value", "window", "label")
"""What a sentence may leave open."""


class Signal(Spec):
    """One declared signal: how to measure it, which way it should point, and what may be said about it."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")
    family: str
    scope: Literal["user", "account", "colleagues"] = "user"
    """Whose events: the lead's (all of an account's where that is the lead), its account's, or those of the account's other users."""
    measure: Measure
    windows: tuple[str, ...] = ()
    direction: Literal["up", "down", "none"] = "none"
    missing: Number | None = None
    """What stands in for a missing value; none keeps it missing."""
    label: str
    unit: str = ""
    sentences: dict[Literal["for", "against", "absent"], str] = {}
    """What a reason says where the signal speaks for a lead, where it speaks against it (else as for), and where there is none of it;
    what is left out is made from label, value, unit and window."""
    rep_visible: bool = True
    outreach_safe: bool = True
    actionable: bool = True
    """Whether the lead's own use of the product can change it; what a lead is, or did once, it cannot."""
    leak_risk: Literal["none", "high"] = "none"

    @field_validator("id")
    @classmethod
    def _is_free(cls, value: str) -> str:
        if value in TAKEN:
            raise ValueError(f"'{value}' is the name of another column of the signal table: choose another `id`")
        return value

    @field_validator("sentences")
    @classmethod
    def _can_be_said(cls, value: dict[str, str]) -> dict[str, str]:
        for kind, text in value.items():
            if not text.strip() or not text.isprintable():
                raise ValueError(f"the sentence '{kind}' is empty or has line breaks or control characters: write one line of text")
            for name in _find_placeholders(kind, text):
                if name not in PLACEHOLDERS:
                    known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
                    raise ValueError(f"the sentence '{kind}' has {{{name}}}{suggest(name, PLACEHOLDERS)}: a sentence may have {known}")
        return value

    @model_validator(mode="after")
    def _sentences_fit(self) -> Signal:
        if not self.windows and any("{window}" in text for text in self.sentences.values()):
            raise ValueError(f"signal '{self.id}' has no windows, and a sentence with {{window}}: leave it out")
        return self

    @model_validator(mode="after")
    def _windows_fit(self) -> Signal:
        windowed = isinstance(self.measure, WINDOWED)
        if windowed and not self.windows:
            raise ValueError(f"signal '{self.id}' needs `windows`, for example [30d] or [lifetime] (measure '{self.measure.kind}')")
        if not windowed and self.windows:
            raise ValueError(f"signal '{self.id}' takes no `windows` (measure '{self.measure.kind}')")
        for window in map(Window.parse, self.windows):
            if window.from_signup and (self.scope != "user" or isinstance(self.measure, OnTables | Growth | Abandoned)):
                raise ValueError(
                    f"signal '{self.id}': '{window.name}' counts from a user's signup; use `scope: user` and a measure of events"
                )
        if LIFETIME in self.windows and isinstance(self.measure, Abandoned | Growth):
            raise ValueError(f"signal '{self.id}': measure '{self.measure.kind}' needs a window with an end, such as 30d")
        return self

    @model_validator(mode="after")
    def _scope_fits(self) -> Signal:
        kind = self.measure.kind
        if self.scope == "user" and isinstance(self.measure, OF_ACCOUNTS):
            raise ValueError(f"signal '{self.id}': only an account has '{kind}'; use `scope: account`")
        if self.scope == "account" and isinstance(self.measure, SecondsToFirst):
            raise ValueError(f"signal '{self.id}': an account has no signup; use `scope: user` with '{kind}'")
        if self.scope == "colleagues" and not isinstance(self.measure, SUBTRACTABLE):
            raise ValueError(f"signal '{self.id}': '{kind}' cannot be taken over colleagues; use `scope: account`")
        if self.missing is not None and self.is_category:
            raise ValueError(f"signal '{self.id}' is a category: `missing` is for numbers")
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
        return isinstance(self.measure, Latest) or (isinstance(self.measure, Attribute) and self.measure.type == "category")


def _find_placeholders(kind: str, text: str) -> list[str]:
    try:
        parts = [part for part in Formatter().parse(text) if part[1] is not None]
    except ValueError as error:
        raise ValueError(f"the sentence '{kind}' has an odd brace ({error}): write {{value}}, or a brace twice to say one") from None
    return [f"{name}{'!' + conversion if conversion else ''}{':' + form if form else ''}" for _, name, form, conversion in parts]


@dataclass(frozen=True)
class SignalColumn:
    """One column of the signal table: a signal over one window."""

    name: str
    signal: Signal
    window: Window | None


class Catalogue(Spec):
    """Every declared signal, and what the leads are; names are unique and references resolve without a circle.

    The project says what the leads are, so that the same signals can be taken of users and of accounts.
    """

    signals: tuple[Signal, ...] = Field(min_length=1)
    unit: Unit = "user"

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
        return Catalogue(signals=tuple(signal for signal in self.signals if signal.id in columns), unit=self.unit)


def references(signal: Signal) -> tuple[str, ...]:
    """Takes a signal; returns the columns its measure reads."""
    measure = signal.measure
    if isinstance(measure, Ratio):
        return (measure.numerator, measure.denominator, *(c.signal for c in measure.requires))
    if isinstance(measure, Difference):
        return (measure.of, measure.minus)
    return tuple(c.signal for c in (*measure.all, *measure.any)) if isinstance(measure, Rule) else ()


def event_filters(signal: Signal) -> tuple[EventFilter, ...]:
    """Takes a signal; returns the event filters its measure reads."""
    measure = signal.measure
    if isinstance(measure, Abandoned):
        return (measure.started, measure.completed)
    if isinstance(measure, Latest):
        return tuple(EventFilter(events=(name,)) for name in measure.among)
    return (measure,) if isinstance(measure, EventFilter) else ()
