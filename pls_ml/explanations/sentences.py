"""A signal's value as a sentence: from the catalogue's templates, else made from the declaration; never a cause, only what is so."""

from __future__ import annotations

import math
from typing import Any, Literal

import pandas as pd

from pls_ml.core.catalogue import SignalColumn
from pls_ml.core.measures import (
    FLAGS,
    ActiveDays,
    ActiveUsers,
    ActiveValues,
    AgeDays,
    Attribute,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Difference,
    Distinct,
    Falls,
    Growth,
    Latest,
    NewUsers,
    OnEvents,
    Records,
    Rises,
    SecondsToFirst,
    Sessions,
    Streak,
)
from pls_ml.explanations.wording import SECONDS, SHARE, YES_NO, format_value, singular

HAPPENS_ONCE = (DaysSinceFirst, DaysSinceLast, SecondsToFirst, Latest)
"""Measures whose missing value says something: it never happened. Of all others, a missing value is not known."""
NEVER_NONE = (AgeDays, DaysSinceFirst, DaysSinceLast, SecondsToFirst, Growth, Difference)
"""Measures of which 0 is a value like any other, not the absence of something."""
COUNTED = (Count, Distinct, ActiveDays, ActiveUsers, ActiveValues, Sessions, Streak, Rises, Falls, NewUsers, Records)
AGO = (AgeDays, DaysSinceFirst, DaysSinceLast)
OFTEN = {"1 time": "once", "2 times": "twice"}
"""Counts that sentences have a word for."""
PEERS = {"enterprise": "enterprise", "mid_market": "mid-market", "smb": "small-company", "consumer": "private"}
TELLING = 80
"""From this percentage of the peers on, a comparison says something."""
Kind = Literal["for", "against", "absent"]


def choose_kind(column: SignalColumn, value: Any, speaks_for: bool) -> Kind | None:
    """Takes a column, a value and whether it speaks for the lead; returns which sentence fits, None where nothing is known.

    What never happened is a reason against a lead, never one for it: nobody is called because something is missing.
    """
    measure = column.signal.measure
    if pd.isna(value):
        return "absent" if isinstance(measure, HAPPENS_ONCE) and not speaks_for else None
    number = isinstance(measure, Attribute) and column.signal.unit != YES_NO
    if not isinstance(value, str) and value == 0 and not number and not isinstance(measure, NEVER_NONE):
        return "absent"
    return "for" if speaks_for else "against"


def write_sentence(column: SignalColumn, value: Any, kind: Kind, peers: str = "") -> str:
    """Takes a column, a value of it, which sentence fits, and what compares it with its peers; returns the sentence."""
    signal = column.signal
    template = signal.sentences.get(kind) or (signal.sentences.get("for") if kind == "against" else None)
    window = column.window.phrase if column.window else ""
    said = format_value(signal, value)
    said = OFTEN.get(said, said)
    text = template.format(value=said, window=window, label=signal.label) if template else _make(column, value, kind, (said, window))
    return text[:1].upper() + text[1:] + peers


def compare(column: SignalColumn, kind: Kind, place: tuple[float, float], peers: str) -> str:
    """Takes a column, which sentence fits, the percentages of peers below and at or below, and who they are.

    Returns the end of the sentence, empty where four in five or more are not on one side, or where there is nothing to compare.
    """
    signal, (below, upto) = column.signal, place
    if math.isnan(below) or isinstance(signal.measure, (*FLAGS, Attribute)) or max(below, 100 - upto) < TELLING:
        return ""
    higher = below >= TELLING
    share = min(math.floor(below if higher else 100 - upto), 99)
    if kind == "absent":
        return "" if higher else f", unlike {share}% of {peers}"
    own = signal.scope == "user" and isinstance(signal.measure, OnEvents | AgeDays) and not isinstance(signal.measure, Growth)
    return f", {_name_sides(column)[0 if higher else 1]} than {'' if own else 'for '}{share}% of {peers}"


def name_peers(segment: str, unit: str) -> str:
    """Takes a segment and what the leads are; returns who is in it, as sentences say it."""
    return f"{PEERS.get(segment, segment)} {unit}s"


def _name_sides(column: SignalColumn) -> tuple[str, str]:
    """What a higher value is called, and a lower one."""
    measure, unit = column.signal.measure, column.signal.unit
    if isinstance(measure, AGO):
        return "longer ago", "more recently"
    if unit == SECONDS:
        return "later", "earlier"
    if unit == SHARE or isinstance(measure, Growth | Difference):
        return "higher", "lower"
    return "more", "fewer" if isinstance(measure, COUNTED) else "less"


def _make(column: SignalColumn, value: Any, kind: Kind, words: tuple[str, str]) -> str:
    """A sentence of the declaration alone: label, value and window in words."""
    signal, (said, window) = column.signal, words
    if isinstance(signal.measure, FLAGS) or signal.unit == YES_NO:
        text = signal.label if value else f"not so: {signal.label}"
    elif pd.isna(value):
        text = f"{signal.label}: it has not happened yet"
    elif kind == "absent" and signal.unit != SHARE:
        text = f"no {signal.label}"
    else:
        text = _join(signal.label, signal.unit, said)
    return f"{text} {window}".rstrip()


def _join(label: str, unit: str, said: str) -> str:
    """Label and value; a unit that the label names already is not said twice: '4 features used', '5 active days'."""
    words = label.split()
    number, _, spoken = said.partition(" ")
    if unit in words and spoken in (unit, singular(unit)):
        return f"{number} {' '.join(spoken if word == unit else word for word in words)}"
    if unit == "people" and spoken == unit:
        return f"{number} {label}"
    return f"{label}: {said}"
