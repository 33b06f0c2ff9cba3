"""What the state keeps per user and tick so that every signal of a catalogue can be put together from it.

An atom is a quantity that merges: a number of events (sums), the first or last time (min, max), a sum, or the set of a property's
values as bits (or). Its name says what it holds, so that a state can be extended by the atoms that a changed catalogue adds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pls_ml.core.catalogue import Catalogue, Signal, event_filters
from pls_ml.core.database import literals, quote
from pls_ml.core.measures import (
    Abandoned,
    DaysSinceFirst,
    DaysSinceLast,
    Distinct,
    EventFilter,
    Latest,
    Minutes,
    SecondsToFirst,
    Sessions,
    Total,
)
from pls_ml.core.windows import parse_duration

BITS = 62
"""Values of one property per mask word: shifts stay below the sign bit in every engine."""
MAX_WORDS = 16
MAX_VALUES = BITS * MAX_WORDS
MICRO = 1_000_000
"""Sums are kept as whole millionths, so that they do not depend on the order of rows."""


EVERY = EventFilter()


@dataclass(frozen=True)
class Atom:
    """One quantity over the events that `chosen` keeps; `of` is a property, or a session's gap in microseconds."""

    kind: Literal["n", "first", "last", "sum", "bits", "starts", "busy"]
    chosen: EventFilter = EVERY
    of: str = ""

    @property
    def name(self) -> str:
        """The state's column (`bits`: the stem of its columns, one per word)."""
        plain = {"n": "n", "first": "first_us", "last": "last_us"}
        if self.is_plain and self.kind in plain:
            return plain[self.kind]
        where = sorted((key, sorted(values)) for key, values in self.chosen.where.items())
        said = json.dumps([self.kind, sorted(self.chosen.events), where, self.of])
        return f"{self.kind}_{hashlib.sha256(said.encode()).hexdigest()[:12]}"

    @property
    def is_plain(self) -> bool:
        """Whether every event counts."""
        return not self.chosen.events and not self.chosen.where

    def word(self, word: int) -> str:
        """Takes the number of a mask word; returns its column."""
        return f"{self.name}_{word}"

    def matches(self, alias: str = "e") -> str:
        """Takes the alias of logged rows; returns the SQL test of a row; one logged under two names counts once where any name will do."""
        tests = [f"{alias}.event IN {literals(self.chosen.events)}"] if self.chosen.events else [f"{alias}.name_no = 0"]
        tests += [f"{alias}.{quote(name)} IN {literals(values)}" for name, values in self.chosen.where.items()]
        return " AND ".join(tests)


ALWAYS = (Atom("n"), Atom("first"), Atom("last"))
"""Kept whatever the catalogue says."""


def find_atoms(catalogue: Catalogue) -> tuple[Atom, ...]:
    """Takes a catalogue; returns the atoms its signals read, each once, in a stable order."""
    found = {atom.name: atom for signal in catalogue.signals for atom in atoms_of(signal)}
    rest = sorted(found.keys() - {atom.name for atom in ALWAYS})
    return (*ALWAYS, *(found[name] for name in rest))


def atoms_of(signal: Signal) -> tuple[Atom, ...]:  # noqa: PLR0911  # one return per kind of measure reads best
    """Takes a signal; returns the atoms its measure reads."""
    measure = signal.measure
    match measure:
        case Sessions():
            return (Atom("starts", of=str(parse_duration(measure.gap))),)
        case Minutes():
            return (Atom("busy", of=str(parse_duration(measure.gap))),)
        case Abandoned() | Latest():
            return tuple(Atom("last", only(chosen)) for chosen in event_filters(signal))
        case DaysSinceLast():
            return (Atom("last", only(measure)),)
        case DaysSinceFirst() | SecondsToFirst():
            return (Atom("first", only(measure)),)
        case Total():
            return (Atom("sum", only(measure), measure.of),)
        case Distinct():
            return (Atom("bits", only(measure), measure.of),)
        case EventFilter():
            return (Atom("n", only(measure)),)
    return ()


def only(measure: EventFilter) -> EventFilter:
    """Takes a measure of events; returns just its filter."""
    return EventFilter(events=measure.events, where=measure.where)


def coded_properties(atoms: Sequence[Atom]) -> tuple[str, ...]:
    """Takes atoms; returns the properties whose values are kept as bits."""
    return tuple(sorted({atom.of for atom in atoms if atom.kind == "bits"}))


def read_properties(atoms: Sequence[Atom]) -> tuple[str, ...]:
    """Takes atoms; returns every event property they read."""
    filtered = {name for atom in atoms for name in atom.chosen.where}
    return tuple(sorted(filtered | {atom.of for atom in atoms if atom.kind in ("bits", "sum")}))
