"""A change in words: what there would be more of, as an option, never as a promise."""

from __future__ import annotations

import re

from pls_ml.core.catalogue import SignalColumn
from pls_ml.core.measures import DaysSinceLast
from pls_ml.explanations.missing import Step
from pls_ml.explanations.use import SUMS
from pls_ml.explanations.wording import format_value


def say_step(step: Step, column: SignalColumn) -> str:
    """Takes a step and one of its columns; returns what there would be: '2 more team members invited (3 instead of 1 since signup)'."""
    before, after = step.values[column.name]
    label, unit = step.signal.label, step.signal.unit
    window = f" {column.window.phrase}" if column.window else ""
    told = f"{format_value(step.signal, after)} instead of {format_value(step.signal, before)}{window}"
    if isinstance(step.signal.measure, DaysSinceLast) and label.startswith("days "):
        return f"{after:,.0f} {_one_of(label) if after == 1 else label} instead of {format_value(step.signal, before)}"
    if isinstance(step.signal.measure, DaysSinceLast) or (isinstance(step.signal.measure, SUMS) and not unit):
        return f"{label}: {told}"
    if isinstance(step.signal.measure, SUMS):
        return f"{step.amount:,} {unit} more {label} ({told})"
    return f"{step.amount:,} more {_one_of(label) if step.amount == 1 else label} ({after:,.0f} instead of {before:,.0f}{window})"


def say_value(column: SignalColumn, value: float) -> str:
    """Takes a column and a value of it; returns it in words, with the column's window."""
    return f"{format_value(column.signal, value)}{f' {column.window.phrase}' if column.window else ''}"


def _one_of(label: str) -> str:
    """A label names many: 'team members invited'; of its first plural one is left."""
    return re.sub(r"(?<=[a-hj-rtv-z])s\b", "", label, count=1)
