"""Signals in words: only the catalogue's sentences and numbers, never free text from the data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from pls_ml.core.catalogue import Abandoned, Declining, Rising, Rule, Signal
from pls_ml.core.windows import DAY_US

NOT_KNOWN = "not known"
SINGULAR = {"people": "person"}
"""Units are declared in the plural; others lose their s."""


@dataclass(frozen=True)
class Line:
    """One signal's share of one score, in log-odds and in probability, with its label and value in words."""

    signal: str
    log_odds: float
    probability: float
    label: str
    value: str
    family: str
    rep_visible: bool

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return asdict(self)


def say_values(signal: Signal, values: pd.DataFrame) -> list[str]:
    """Takes a signal and n rows of signal columns; returns its values in words, one text per row, windows side by side."""
    columns = [column for column in signal.columns if column.name in values.columns]
    texts = []
    for column in columns:
        window = f" {column.window.phrase}" if column.window else ""
        distinct = values[column.name].unique()
        words = {value: f"{format_value(signal, value)}{window}" for value in distinct if not pd.isna(value)}
        texts.append([words.get(value, NOT_KNOWN) for value in values[column.name]])
    return [", ".join(parts) for parts in zip(*texts, strict=True)]


def format_value(signal: Signal, value: Any) -> str:
    """Takes a signal and one value; returns it as a person would write it."""
    if pd.isna(value):
        return NOT_KNOWN
    if isinstance(value, str):
        return _one_line(value)
    if isinstance(signal.measure, Rule | Rising | Declining | Abandoned):
        return "yes" if value else "no"
    if signal.unit == "seconds":
        return _duration(float(value))
    number = f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:,.2g}" if abs(value) < 1 else f"{value:,.1f}"
    unit = SINGULAR.get(signal.unit, signal.unit.removesuffix("s")) if value == 1 else signal.unit
    return f"{number} {unit}".rstrip()


def _duration(seconds: float) -> str:
    for unit, length in (("days", DAY_US / 1e6), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= length:
            return f"{seconds / length:,.1f} {unit}"
    return "1 second" if seconds == 1 else f"{seconds:.0f} seconds"


def _one_line(text: str) -> str:
    """A category comes from the data: line breaks and control characters would forge lines of a receipt."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
