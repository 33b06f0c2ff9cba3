"""What the catalogue knows of the signals that a card looks at: whose they are, and which of their values the card tells apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from math import inf, isnan, nan
from typing import Any, Literal

import numpy as np
import pandas as pd

from pls_ml.core.catalogue import Signal, SignalColumn, references
from pls_ml.core.measures import (
    FLAGS,
    AccountUsers,
    ActiveDays,
    ActiveUsers,
    ActiveValues,
    AgeDays,
    Attribute,
    Condition,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Difference,
    Distinct,
    Falls,
    Growth,
    Latest,
    LimitUse,
    Minutes,
    NewUsers,
    OnEvents,
    Ratio,
    Records,
    Rises,
    Rule,
    SecondsToFirst,
    Sessions,
    Streak,
)
from pls_ml.core.windows import DAY_US
from pls_ml.scores.card import CardRow, Factor, Rung, Scorecard
from pls_ml.scores.encoding import read_numbers

Columns = Mapping[str, SignalColumn]
"""What the catalogue declares, by column; empty where there is no catalogue."""
Kind = Literal["usage", "person", "account", "company"]
KINDS: tuple[Kind, ...] = ("usage", "person", "account", "company")
"""What the lead does, who the lead is, what its account does, who the account is; a mixture of them is the first that is in it."""
COUNTED = (
    Count, Distinct, ActiveDays, ActiveUsers, ActiveValues, Sessions, Rises, Falls, Streak, AccountUsers, NewUsers, Records,
)  # fmt: skip
LENGTHS = (DaysSinceFirst, DaysSinceLast, SecondsToFirst, AgeDays, LimitUse)
MOST_WEEKS, MOST_STREAK = 7, 62
"""How far weeks that rise or fall, and days in a row, are counted."""
OPERATORS = ("gte", "gt", "lte", "lt", "eq")


@dataclass(frozen=True)
class Range:
    """Numbers that a signal can be: within bounds, whole or not, missing or not; `idle` is that of a lead who did nothing."""

    lowest: float = -inf
    highest: float = inf
    whole: bool = False
    missing: bool = True
    idle: float = 0.0

    def pick(self, bounds: Collection[float]) -> list[float]:
        """Takes the bounds that tests compare with; returns values of the range on every side of each, and at it."""
        near = {self.lowest, self.highest, *bounds}
        for bound in bounds:
            below, above = np.floor(bound), np.ceil(bound)
            near |= {float(v) for v in (np.nextafter(bound, -inf), np.nextafter(bound, inf), below, above, below + 1, above - 1)}
        inside = (value for value in near if np.isfinite(value) and self.lowest <= value <= self.highest)
        return [*sorted(value for value in inside if not self.whole or value == np.floor(value)), *([nan] if self.missing else [])]


def find_kind(columns: Columns, name: str) -> Kind:
    """Takes declared columns and the name of one; returns what it tells of: of the lead or of its account, what they do or who they are."""
    signal = columns[name].signal
    if parts := references(signal):
        return min((find_kind(columns, part) for part in parts), key=KINDS.index)
    measure = signal.measure
    if isinstance(measure, OnEvents):
        return "usage" if signal.scope == "user" else "account"
    if isinstance(measure, Attribute):
        return "person" if measure.table == "users" else "company"
    return "person" if isinstance(measure, AgeDays) else "account"


def find_row_kind(columns: Columns, row: CardRow) -> Kind:
    """Takes declared columns and a row; returns what its signals tell of; where none is declared, what the row itself says of them."""
    known = [find_kind(columns, name) for name in row.signals if name in columns]
    if known:
        return min(known, key=KINDS.index)
    told: tuple[Kind, Kind] = ("person", "company") if row.family == "fit" else ("usage", "account")
    return told[row.scope == "account"]


def find_range(columns: Columns, name: str) -> Range:
    """Takes declared columns and a name; returns which numbers its measure can give; any number for one that is not declared."""
    if name not in columns:
        return Range()
    signal = columns[name].signal
    found = _measured(columns[name])
    if isinstance(signal.measure, Ratio | Difference | Rule):
        found = replace(found, idle=_idle(columns, signal))
    if signal.missing is None:
        return found
    stands_in = float(signal.missing)
    bounds = min(found.lowest, stands_in), max(found.highest, stands_in)
    return Range(*bounds, found.whole and stands_in.is_integer(), missing=False, idle=stands_in if isnan(found.idle) else found.idle)


def list_values(card: Scorecard, columns: Columns) -> dict[str, list[Any]]:
    """Takes a card and declared columns; returns for each of its signals the values, one for all that the card treats alike."""
    return {name: _tell_apart(card, columns, name) for name in card.signals}


def idle_values(card: Scorecard, columns: Columns) -> dict[str, list[Any]]:
    """Takes a card and declared columns; returns for each of its signals the one value of a lead who did nothing and is not known."""
    return {name: [find_range(columns, name).idle] for name in card.signals}


def list_tests(card: Scorecard, name: str) -> tuple[list[Rung], list[Condition]]:
    """Takes a card and a signal; returns the rungs and the conditions that ask for it."""
    rungs = [rung for row in card.rows for rung in row.rungs if (rung.signal or row.signal) == name]
    return rungs, [condition for factor in card.multiplier for condition in factor.conditions if condition.signal == name]


def _tell_apart(card: Scorecard, columns: Columns, name: str) -> list[Any]:
    rungs, conditions = list_tests(card, name)
    named = [value for condition in conditions for value in condition.among or ()]
    bounds = [rung.bound for rung in rungs]
    bounds += [float(b) for condition in conditions for key in OPERATORS if (b := getattr(condition, key)) is not None]
    values: list[Any] = find_range(columns, name).pick(bounds)
    if named:  # text that is compared with numbers has no value that scoring would take
        values = [None] if bounds else [*dict.fromkeys(named), None]
    frame = pd.DataFrame({name: values})
    told = [Factor(name=name, times=1, all=(condition,)).holds(frame) for condition in conditions]
    if not named or bounds:
        told += [rung.reached(read_numbers(frame[name])) for rung in rungs]
    _, first = np.unique(np.column_stack(told), axis=0, return_index=True)
    return [values[place] for place in sorted(first)]


def _measured(column: SignalColumn) -> Range:
    measure = column.signal.measure
    own = column.signal.scope == "user" and isinstance(measure, OnEvents)  # of an account, nothing is known where there is none
    if isinstance(measure, FLAGS):
        return Range(0, 1, whole=True, missing=not own and not isinstance(measure, Rule))
    if isinstance(measure, COUNTED):
        return Range(0, _most(column), whole=True, missing=not own and not isinstance(measure, AccountUsers))
    if isinstance(measure, Growth):
        return Range(-1, 1, idle=nan)
    if isinstance(measure, LENGTHS):
        return Range(0, idle=nan)
    if isinstance(measure, Attribute | Latest):
        return Range(idle=nan)
    return Range(0 if isinstance(measure, Minutes) else -inf, missing=not own)


def _most(column: SignalColumn) -> float:
    """How much can be counted; a window that begins within a day touches one day more than its length."""
    measure, window = column.signal.measure, column.window
    if isinstance(measure, Rises | Falls | Streak):
        return MOST_STREAK if isinstance(measure, Streak) else MOST_WEEKS
    if isinstance(measure, ActiveDays) and window is not None and window.length_us is not None:
        return -(-window.length_us // DAY_US) + 1
    return inf


def _idle(columns: Columns, signal: Signal) -> float:
    """The value of a column made of others for a lead who did nothing."""
    measure, others = signal.measure, {name: find_range(columns, name).idle for name in references(signal)}
    if isinstance(measure, Ratio):
        below = others[measure.denominator]
        below = below if measure.floor is None else max(below, float(measure.floor))  # a missing value stays missing
        below = below if measure.cap is None else min(below, float(measure.cap))
        return others[measure.numerator] / below if below else nan
    if isinstance(measure, Difference):
        return others[measure.of] - others[measure.minus]
    assert isinstance(measure, Rule)  # noqa: S101  # the only other measure of columns
    rule = Factor(name="rule", times=1, all=measure.all, any=measure.any)
    return float(rule.holds(pd.DataFrame({name: [value] for name, value in others.items()}))[0])
