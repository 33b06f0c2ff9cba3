"""Signals in words: only the catalogue's sentences and numbers, never free text from the data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from pls_ml.core.catalogue import Signal
from pls_ml.core.measures import FLAGS, AgeDays, DaysSinceFirst, DaysSinceLast, Growth, Latest
from pls_ml.core.windows import DAY_US

NOT_KNOWN = "not known"
SINGULAR = {"people": "person"}
"""Units are declared in the plural; others lose their s."""
YES_NO, SHARE, SECONDS = "yes/no", "share", "seconds"
"""Units that say how a number is written: as an answer, in percent, as a length of time."""
MOST_CHARACTERS = 60
"""Of a category: names are shorter."""
TENFOLD = 9.0
"""From this growth on, (10 − 1) in shares of the former, percent say nothing any more."""


@dataclass(frozen=True)
class Line:
    """One signal's share of one score, in log-odds and in probability, with its label and value in words.

    `learned` is the part of `log_odds` that trees give, 0 of a score without trees. `percentile` places the value among the lead's peers,
    None where it cannot be compared; `sentence` says it as a person would, empty where nothing is known. `points` are a card's, None of
    other scorers.
    """

    signal: str
    log_odds: float
    probability: float
    label: str
    value: str
    family: str
    rep_visible: bool
    learned: float = 0.0
    percentile: float | None = None
    sentence: str = ""
    points: float | None = None

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
        return _one_line(value.replace("_", " ") if isinstance(signal.measure, Latest) else value)
    if isinstance(signal.measure, FLAGS) or signal.unit == YES_NO:
        return "yes" if value else "no"
    if isinstance(signal.measure, Growth):
        return _change(float(value))
    if isinstance(signal.measure, AgeDays | DaysSinceFirst | DaysSinceLast):
        return _ago(float(value), signal.unit)
    return _quantity(float(value), signal.unit)


def _quantity(value: float, unit: str) -> str:
    if unit == SHARE:
        return _percent(value)
    return _duration(value) if unit == SECONDS else _number(value, unit)


def _number(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:,.2g}" if abs(value) < 1 else f"{value:,.1f}"
    return f"{number} {singular(unit) if value == 1 else unit}".rstrip()


def singular(unit: str) -> str:
    """Takes a unit in the plural; returns it for one."""
    return SINGULAR.get(unit, unit.removesuffix("s"))


def _change(growth: float) -> str:
    """(a − b) / (a + b) back to what people call growth: (a − b) / b, against the equally long time before."""
    if growth >= 1:
        return "up from nothing"
    rise = 2 * growth / (1 - growth)
    return "more than tenfold" if rise > TENFOLD else "unchanged" if abs(rise) < 0.005 else f"{rise:+.0%}"


def _ago(days: float, unit: str) -> str:
    """Hours within the first day, whole days after the tenth: finer figures say no more."""
    return _duration(days * DAY_US / 1e6) if 0 < days < 1 else _number(float(round(days)) if days >= 10 else days, unit)


def _percent(share: float) -> str:
    return "under 1%" if 0 < share < 0.01 else f"{share:.0%}"


def _duration(seconds: float) -> str:
    for unit, length in (("days", DAY_US / 1e6), ("hours", 3600.0), ("minutes", 60.0)):
        if abs(seconds) >= length:
            return _number(round(seconds / length, 1), unit)
    return _number(round(seconds), "seconds")


def _one_line(text: str) -> str:
    """A category comes from the data: line breaks and control characters would forge lines of a receipt, length would bury them."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text[: 8 * MOST_CHARACTERS]).split())
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1].rstrip()}…"
