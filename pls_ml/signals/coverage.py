"""Which declared signals this data can answer, and why not the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pls_ml.core.atoms import MAX_VALUES, atoms_of, read_properties
from pls_ml.core.catalogue import Catalogue, Signal, event_filters, references
from pls_ml.core.database import Database, quote
from pls_ml.core.errors import ConfigError, suggest
from pls_ml.core.measures import ActiveUsers, ActiveValues, Attribute, Distinct, Latest, LimitUse, OnEvents, Records
from pls_ml.signals.units import find_meaningless


@dataclass(frozen=True)
class Coverage:
    """The catalogue of computable signals, the reason for each of the others, and the catalogue of all that were declared."""

    catalogue: Catalogue
    not_computable: dict[str, str]
    declared: Catalogue

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return {"computable": [s.id for s in self.catalogue.signals], "not_computable": self.not_computable}


@dataclass(frozen=True)
class LogContents:
    """What a log has: its canonical event names, and the values of the properties that are kept as bits (too many: one more than fit)."""

    names: tuple[str, ...]
    codes: Mapping[str, Sequence[str]]


def find_coverage(database: Database, catalogue: Catalogue, log: LogContents | None) -> Coverage:
    """Takes a database with the canonical tables, a catalogue and what the log has (None: no log); returns what can be computed.

    A signal is not computable when its table, column, event or property is not in the data, when it has no meaning for the leads, or
    when it reads one that is not. Refuses a catalogue of which nothing is left.
    """
    reasons = find_meaningless(catalogue)
    filled = _FilledProperties(database)
    for column in catalogue.ordered:
        signal = column.signal
        reason = reasons.get(signal.id) or _missing_input(database, signal, log, filled)
        for other in references(signal):
            if reason is None and catalogue.by_column[other].signal.id in reasons:
                reason = f"reads '{other}', which is not computable"
        if reason is not None:
            reasons.setdefault(signal.id, reason)
    kept = [signal.id for signal in catalogue.signals if signal.id not in reasons]
    if not kept:
        first = next(iter(reasons.items()))
        raise ConfigError(f"none of the {len(reasons)} declared signals can be computed, for example '{first[0]}': {first[1]}")
    not_computable = {signal.id: reasons[signal.id] for signal in catalogue.signals if signal.id in reasons}
    return Coverage(catalogue.select(kept), not_computable, catalogue)


class _FilledProperties(dict[str, bool]):
    """Event property → whether some event has a value in it; looked up once."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.columns = database.columns("events") if database.has("events") else {}

    def __missing__(self, name: str) -> bool:
        self[name] = bool(self.database.rows(f"SELECT 1 FROM events WHERE {quote(name)} IS NOT NULL LIMIT 1"))
        return self[name]


def _missing_input(database: Database, signal: Signal, log: LogContents | None, filled: _FilledProperties) -> str | None:
    measure = signal.measure
    if isinstance(measure, Attribute):
        return _missing_attribute(database, measure)
    if isinstance(measure, ActiveUsers | ActiveValues):
        columns = tuple(measure.who) if isinstance(measure, ActiveUsers) else (measure.column,)
        found = next((reason for c in columns if (reason := _missing_column(database, "users", c))), None)
        if found:
            return found
    if isinstance(measure, Records | LimitUse):
        table = measure.table if isinstance(measure, Records) else "usage_limits"
        return None if database.has(table) else f"there is no table '{table}'; add `data.{table}`"
    if not isinstance(measure, OnEvents):
        return None
    return "there is no event log" if log is None else _missing_in_log(signal, log, filled)


def _missing_in_log(signal: Signal, log: LogContents, filled: _FilledProperties) -> str | None:
    for chosen in event_filters(signal):
        if chosen.events and not set(chosen.events) & set(log.names) and not isinstance(signal.measure, Latest):
            return f"no event '{chosen.events[0]}' in the log{suggest(chosen.events[0], log.names)}"
    if isinstance(signal.measure, Latest) and not set(signal.measure.among) & set(log.names):
        return f"none of its events is in the log, for example '{signal.measure.among[0]}'{suggest(signal.measure.among[0], log.names)}"
    for name in read_properties(atoms_of(signal)):
        if name not in filled.columns:
            return f"events have no property '{name}'{suggest(name, list(filled.columns))}; map it under `data.events.columns`"
        if not filled[name]:
            return f"no event has a value in property '{name}'; map another one under `data.events.columns`"
        if len(log.codes.get(name, ())) > MAX_VALUES and isinstance(signal.measure, Distinct):
            example = log.codes[name][-1]
            return f"property '{name}' has more than {MAX_VALUES} values, such as '{example}'; count events, or map it to something coarser"
    return None


def _missing_column(database: Database, table: str, column: str) -> str | None:
    present = database.columns(table) if database.has(table) else {}
    if column not in present:
        return f"`{table}` has no column '{column}'{suggest(column, list(present))}"
    if not database.rows(f"SELECT 1 FROM {quote(table)} WHERE {quote(column)} IS NOT NULL LIMIT 1"):
        return f"`{table}` has no value in column '{column}'"
    return None


def _missing_attribute(database: Database, measure: Attribute) -> str | None:
    if reason := _missing_column(database, measure.table, measure.column):
        return reason
    wrong = database.rows(_not_a_number(measure)) if measure.type == "number" else []
    if wrong:
        return f"`{measure.table}.{measure.column}` holds text such as '{wrong[0][0]}': declare it with `type: category`"
    return None


def _not_a_number(measure: Attribute) -> str:
    column = quote(measure.column)
    return f"SELECT {column} FROM {quote(measure.table)} WHERE {column} IS NOT NULL AND TRY_CAST({column} AS DOUBLE) IS NULL LIMIT 1"
