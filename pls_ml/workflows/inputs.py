"""What a signal reads, down to the log and the tables, and which of it is known to give the outcome away."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from pls_ml.core.atoms import atoms_of, read_properties
from pls_ml.core.catalogue import Catalogue, Signal, event_filters, references
from pls_ml.core.columns import TABLES, Unit
from pls_ml.core.database import Database
from pls_ml.core.errors import LeakageError
from pls_ml.core.measures import (
    Abandoned,
    AccountUsers,
    ActiveUsers,
    ActiveValues,
    AgeDays,
    Attribute,
    LimitUse,
    Minutes,
    NewUsers,
    OnEvents,
    Records,
    SecondsToFirst,
    Sessions,
)
from pls_ml.core.windows import Window
from pls_ml.signals.refusals import find_refusal
from pls_ml.workflows.data import LoadedData
from pls_ml.workflows.project import Project

AFTER_PURCHASE, OF_SALES = "purchase", "record"
"""Reasons of the refusal list: what exists only after a purchase, and what sales fill in or overwrite later."""
FOLLOWS = "mostly follows a purchase"


@dataclass(frozen=True)
class Inputs:
    """What one signal reads itself: event names (or every event), event properties, columns as `table.column`, other signals' columns."""

    events: tuple[str, ...]
    every_event: bool
    properties: tuple[str, ...]
    columns: tuple[str, ...]
    signals: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return asdict(self)


@dataclass(frozen=True)
class LeakProneInput:
    """Something in the data that is known to give outcomes away: what, why, and which declared signals read it."""

    name: str
    reason: str
    read_by: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The finding in words."""
        readers = f"read by {', '.join(self.read_by)}" if self.read_by else "no signal reads it"
        return f"{self.name} {self.reason}: {readers}"


def find_inputs(signal: Signal, unit: Unit = "user") -> Inputs:
    """Takes a signal and what the leads are; returns what it reads itself; what the columns it refers to read is theirs."""
    filters = event_filters(signal)
    names = tuple(dict.fromkeys(name for chosen in filters for name in chosen.events))
    every = isinstance(signal.measure, Sessions | Minutes) or any(not chosen.events for chosen in filters)
    properties = read_properties(atoms_of(signal))
    return Inputs(names, every, properties, tuple(_columns(signal, properties, unit)), tuple(dict.fromkeys(references(signal))))


def follow_references(catalogue: Catalogue, name: str) -> list[str]:
    """Takes a catalogue and a signal's id; returns the ids of all signals that it needs, itself last, each after those it refers to."""
    signals = {signal.id: signal for signal in catalogue.signals}
    found: dict[str, None] = {}

    def visit(one: str) -> None:
        for column in references(signals[one]):
            visit(catalogue.by_column[column].signal.id)
        found.setdefault(one)

    visit(name)
    return list(found)


def find_dated_tables(database: Database) -> set[str]:
    """Takes a database with `accounts` and `user_versions`; returns which of 'users' and 'accounts' say when their rows held."""
    versions = {"users": "user_versions", "accounts": "accounts"}
    dated = "SELECT 1 FROM {} WHERE valid_from IS NOT NULL OR valid_to IS NOT NULL LIMIT 1"
    return {table for table, rows in versions.items() if database.rows(dated.format(rows))}


def find_leak_risk(signal: Signal, dated: Collection[str]) -> str | None:
    """Takes a signal and the tables that say when their rows held; returns in words why the signal may know the outcome, or None.

    What only clears a signal (the completion of something abandoned) is not counted.
    """
    if signal.leak_risk == "high":
        return "is declared leak-prone"
    measure = signal.measure
    chosen = (measure.started,) if isinstance(measure, Abandoned) else event_filters(signal)
    named = [f"event '{name}'" for one in chosen for name in one.events if _follows_purchase(name)]
    named += [f"event property '{name}'" for name in find_inputs(signal).properties if _follows_purchase(name)]
    if named:
        return f"reads {named[0]}, which {FOLLOWS}"
    if isinstance(measure, Attribute) and measure.table not in dated and (reason := _find_column_risk(measure.column)):
        return f"reads `{measure.table}.{measure.column}`, which {reason}"
    return None


def find_leak_prone_inputs(data: LoadedData) -> tuple[LeakProneInput, ...]:
    """Takes loaded data; returns its events, event properties and undated columns whose names say that they may know the outcome."""
    declared = [(signal.id, find_inputs(signal, data.coverage.declared.unit)) for signal in data.coverage.declared.signals]
    found = [
        (f"event '{name}'", FOLLOWS, [one for one, read in declared if name in read.events])
        for name in data.event_names
        if _follows_purchase(name)
    ]
    logged = data.database.columns("events") if data.database.has("events") else {}
    for name in (name for name in logged if name not in TABLES["events"].columns and _follows_purchase(name)):
        found.append((f"event property '{name}'", FOLLOWS, [one for one, read in declared if name in read.properties]))
    dated = find_dated_tables(data.database)
    for table in (table for table in ("users", "accounts") if table not in dated):
        for name in (name for name in data.database.columns(table) if name not in TABLES[table].columns):
            if reason := _find_column_risk(name):
                found.append((f"`{table}.{name}`", reason, [one for one, read in declared if f"{table}.{name}" in read.columns]))
    return tuple(LeakProneInput(name, reason, tuple(readers)) for name, reason, readers in found)


def _follows_purchase(name: str) -> bool:
    return find_refusal(name, (AFTER_PURCHASE,)) is not None


def _find_column_risk(column: str) -> str | None:
    """Why a column of a table without history may give the outcome away, in words."""
    reason = find_refusal(column, (AFTER_PURCHASE, OF_SALES))
    why = FOLLOWS if reason == AFTER_PURCHASE else "is filled in or overwritten later"
    return f"{why}, and the table has no history" if reason else None


def set_aside_leaks(project: Project, database: Database, catalogue: Catalogue) -> tuple[Catalogue, tuple[str, ...]]:
    """Takes a project, its database and its computable signals; returns those that may train, and a sentence on each left out.

    A leak-prone signal takes no part unless `model.acknowledge_leaks` lists it, nor do signals that read one. One that the project file
    defines itself is refused: whoever wrote it has to decide.
    """
    acknowledged, defined = project.config.model.acknowledge_leaks, {signal.id for signal in project.config.signals.define}
    dated = find_dated_tables(database)
    reasons: dict[str, str] = {}
    vouched: dict[str, str] = {}
    for signal in dict.fromkeys(column.signal.id for column in catalogue.ordered):
        if reason := _find_reason(catalogue, signal, dated, reasons):
            (vouched if signal in acknowledged else reasons)[signal] = reason
    if refused := [name for name in reasons if name in defined]:
        told = "; ".join(f"signal '{name}' {reasons[name]}" for name in refused)
        raise LeakageError(f"{told}: drop it, or list it under `model.acknowledge_leaks` if it was known at the time")
    kept = [signal.id for signal in catalogue.signals if signal.id not in reasons]
    notes = [f"signal '{name}' {reason}: left out; `model.acknowledge_leaks` lets it take part" for name, reason in reasons.items()]
    notes += [f"acknowledged leak: signal '{name}' {reason}" for name, reason in vouched.items()]
    return (catalogue.select(kept) if reasons else catalogue), tuple(notes)


def _find_reason(catalogue: Catalogue, name: str, dated: Collection[str], found: dict[str, str]) -> str | None:
    signal = next(signal for signal in catalogue.signals if signal.id == name)
    read = next((c for c in references(signal) if catalogue.by_column[c].signal.id in found), None)
    return f"reads '{read}', which is leak-prone" if read else find_leak_risk(signal, dated)


def _columns(signal: Signal, properties: tuple[str, ...], unit: Unit) -> list[str]:
    measure, of_account = signal.measure, unit == "account" or signal.scope != "user"
    found = []
    if isinstance(measure, OnEvents):
        found += ["events.event", "events.event_time", "events.known_at", *(f"events.{name}" for name in properties)]
        found += ["users.account_id", "events.account_id"] if of_account else []
    if isinstance(measure, SecondsToFirst | AgeDays) or any(Window.parse(name).from_signup for name in signal.windows):
        found += ["users.account_id", "users.signup_at"] if of_account else ["users.signup_at"]
    if isinstance(measure, Records | LimitUse) or (isinstance(measure, Attribute) and measure.table == "accounts"):
        found.append("users.account_id")  # says which account that is
    match measure:
        case ActiveUsers():
            found += [f"users.{name}" for name in measure.who]
        case ActiveValues():
            found.append(f"users.{measure.column}")
        case AccountUsers() | NewUsers():
            found += ["users.account_id", "users.signup_at", "users.is_internal"]
        case Records():
            found += [f"{measure.table}.account_id", f"{measure.table}.created_at"]
        case LimitUse():
            found += [f"usage_limits.{name}" for name in ("account_id", "resource", "limit", "used", "at")]
        case Attribute():
            found += ["accounts.account_id"] if measure.table == "accounts" else []
            found.append(f"{measure.table}.{measure.column}")
    return list(dict.fromkeys(found))
