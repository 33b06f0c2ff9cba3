"""Which declared signals this data can answer, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pls_ml.core.catalogue import Attribute, Catalogue, Distinct, Signal, Total, event_filters, references
from pls_ml.core.database import Database, quote
from pls_ml.core.errors import ConfigError, suggest


@dataclass(frozen=True)
class Coverage:
    """The catalogue of computable signals, and the reason for each of the others."""

    catalogue: Catalogue
    not_computable: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return {"computable": [s.id for s in self.catalogue.signals], "not_computable": self.not_computable}


def find_coverage(database: Database, catalogue: Catalogue) -> Coverage:
    """Takes a database with the canonical tables and a catalogue; returns what can be computed.

    A signal is not computable when its table, column, event or property is not in the data, or when it reads one that is not.
    Refuses a catalogue of which nothing is left.
    """
    events = _known_events(database)
    reasons: dict[str, str] = {}
    for column in catalogue.ordered:
        signal = column.signal
        reason = _missing_input(database, signal, events)
        for other in references(signal):
            if reason is None and catalogue.by_column[other].signal.id in reasons:
                reason = f"reads '{other}', which is not computable"
        if reason is not None:
            reasons.setdefault(signal.id, reason)
    kept = [signal.id for signal in catalogue.signals if signal.id not in reasons]
    if not kept:
        first = next(iter(reasons.items()))
        raise ConfigError(f"none of the {len(reasons)} declared signals can be computed, for example '{first[0]}': {first[1]}")
    return Coverage(catalogue.select(kept), {signal.id: reasons[signal.id] for signal in catalogue.signals if signal.id in reasons})


def _known_events(database: Database) -> list[str]:
    return [row[0] for row in database.rows("SELECT DISTINCT event FROM state ORDER BY 1")] if database.has("state") else []


def _missing_input(database: Database, signal: Signal, events: list[str]) -> str | None:
    measure = signal.measure
    if isinstance(measure, Attribute):
        return _missing_attribute(database, measure)
    filters = event_filters(signal)
    if filters and not events:
        return "there is no event log"
    for chosen in filters:
        if chosen.events and not set(chosen.events) & set(events):
            name = chosen.events[0]
            return f"no event '{name}' in the log{suggest(name, events)}"
    present = database.columns("state") if filters else {}
    properties = [name for chosen in filters for name in chosen.where]
    properties += [measure.of] if isinstance(measure, Distinct) else []
    missing = [name for name in properties if name not in present]
    missing += [measure.of] if isinstance(measure, Total) and f"sum_{measure.of}" not in present else []
    return f"events have no property '{missing[0]}'; map it under `data.events.columns`" if missing else None


def _missing_attribute(database: Database, measure: Attribute) -> str | None:
    present = database.columns(measure.table) if database.has(measure.table) else {}
    if measure.column not in present:
        return f"`{measure.table}` has no column '{measure.column}'{suggest(measure.column, list(present))}"
    if not database.rows(_any_value(measure)):
        return f"`{measure.table}` has no value in column '{measure.column}'"
    wrong = database.rows(_not_a_number(measure)) if measure.type == "number" else []
    if wrong:
        return f"`{measure.table}.{measure.column}` holds text such as '{wrong[0][0]}': declare it with `type: category`"
    return None


def _not_a_number(measure: Attribute) -> str:
    column = quote(measure.column)
    return f"SELECT {column} FROM {quote(measure.table)} WHERE {column} IS NOT NULL AND TRY_CAST({column} AS DOUBLE) IS NULL LIMIT 1"


def _any_value(measure: Attribute) -> str:
    return f"SELECT 1 FROM {quote(measure.table)} WHERE {quote(measure.column)} IS NOT NULL LIMIT 1"
