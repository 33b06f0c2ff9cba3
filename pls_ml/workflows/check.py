"""`pls-ml check`: what the data hold, what was set aside and why, which signals can be computed, and what looks like a leak."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import asdict, dataclass
from typing import Any

from pls_ml.core.columns import TABLES
from pls_ml.core.database import quote
from pls_ml.core.errors import ImmatureOutcomesError, suggest
from pls_ml.core.measures import Attribute
from pls_ml.events.invitations import NAME as INVITED
from pls_ml.labels.horizon import LabelCounts, label_spine
from pls_ml.labels.twins import OutcomeTwin, find_outcome_twins
from pls_ml.reports.plain_text import clean_text
from pls_ml.workflows.data import LoadedData, count_events, load_data
from pls_ml.workflows.inputs import LeakProneInput, find_dated_tables, find_inputs, find_leak_prone_inputs
from pls_ml.workflows.project import Project
from pls_ml.workflows.signals import build_spine

MOST_LINES = 30
LONGEST_NAME = 60


@dataclass(frozen=True)
class StateFacts:
    """The kept state: up to which moment, in how many segments, how many bytes, and a digest of what it holds."""

    until: str
    segments: int
    bytes: int
    digest: str


@dataclass(frozen=True)
class CheckReport:
    """What was found: rows per table, the log's counts and state, coverage, labels, removed leads, missing card rows, and leaks."""

    tables: dict[str, int]
    events: dict[str, Any] | None
    data_end: str | None
    state: StateFacts | None
    event_names: dict[str, int]
    computable: tuple[str, ...]
    not_computable: dict[str, str]
    card_rows_missing: tuple[str, ...]
    removed: dict[str, int]
    users_without_account: int | None
    labels: LabelCounts
    not_trainable: str | None
    without_history: tuple[str, ...]
    unused_mapping: tuple[str, ...]
    leak_prone: tuple[LeakProneInput, ...]
    twins: tuple[OutcomeTwin, ...]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return asdict(self)

    def to_text(self) -> str:
        """Takes nothing; returns the findings as lines for a person."""
        lines = [f"tables: {_count(self.tables)}"]
        if self.events:
            aside = self.events["quarantined"] | {"duplicates": self.events["duplicates"]} | self.events["excluded"]
            lines.append(f"events: {self.events['kept']:,} of {self.events['read']:,} kept; set aside: {_count(aside)}")
            names = _count({clean_text(name, LONGEST_NAME): n for name, n in list(self.event_names.items())[:MOST_LINES]})
            lines.append(f"event names: {names}{_more(self.event_names, ', ')}")
            lines.append(f"data end: {self.data_end}")
        if self.state:
            size = f"{self.state.segments:,} segments, {self.state.bytes / 1e6:,.1f} MB"
            lines.append(f"state: kept until {self.state.until}, {size}, digest {self.state.digest[:12]}")
        unusable = _count({"immature": self.labels.immature, "won inside the gap": self.labels.won_in_gap})
        lines.append(f"rows (lead × as_of): {self.labels.rows:,} matured, {self.labels.positives:,} of them won; not usable: {unusable}")
        lines.append(f"left out: {_count(self.removed)}")
        if self.users_without_account is not None:
            lines.append(f"leads are accounts; users that belong to none, and so to no lead: {self.users_without_account:,}")
        lines.append(f"signals: {len(self.computable)} can be computed, {len(self.not_computable)} cannot")
        lines += [f"  - {name}: {clean_text(reason, 400)}" for name, reason in self.not_computable.items()]
        if self.card_rows_missing:
            lines.append(f"scorecard rows without a signal, worth 0: {', '.join(self.card_rows_missing)}")
        lines += [f"mapping: {clean_text(finding, 400)}" for finding in self.unused_mapping[:MOST_LINES]]
        lines += [f"mapping:{_more(self.unused_mapping)}"] if len(self.unused_mapping) > MOST_LINES else []
        if self.without_history:
            lines.append(f"attributes without history, as of the extract in every row: {', '.join(self.without_history)}")
        lines += [f"leak-prone: {clean_text(found.sentence, 400)}" for found in self.leak_prone[:MOST_LINES]]
        lines += [f"leak-prone:{_more(self.leak_prone)}"] if len(self.leak_prone) > MOST_LINES else []
        lines += [f"leak: {clean_text(twin.sentence, 400)}" for twin in self.twins]
        lines += [f"cannot train yet: {self.not_trainable}"] if self.not_trainable else []
        return "\n".join(lines)


def _unused_mapping(project: Project, data: LoadedData) -> tuple[str, ...]:
    """Event names and columns of the mapping that meet nothing in the log: mostly slips of the pen."""
    source = project.config.data.events
    if source is None or not data.database.has("events"):
        return ()
    known = [row[0] for row in data.database.rows("SELECT DISTINCT event FROM events WHERE event IS NOT NULL ORDER BY 1")]
    names = (*source.names, *source.exclude)
    found = [f"no event '{name}' in the log{suggest(name, known)}" for name in names if name not in known]
    columns = [column for column in source.columns if column in data.database.columns("events")]
    filled = data.database.rows(f"SELECT {', '.join(f'count({quote(column)})' for column in columns)} FROM events")[0] if columns else ()
    found += [f"`{c}: {source.columns[c]}` has no value in any row" for c, n in zip(columns, filled, strict=True) if not n]
    return (*found, *_unknown_names(project, data))


def _unknown_names(project: Project, data: LoadedData) -> list[str]:
    """Event names beside known ones in signals that the project defines: such a signal is computed, but not as it was meant."""
    defined = {signal.id for signal in project.config.signals.define}
    known = [*data.event_names, *([INVITED] if data.state and data.state.invitations else [])]
    return [
        f"signal '{signal.id}' asks for event '{name}', which is not in the log{suggest(name, known)}"
        for signal in data.coverage.catalogue.signals
        if signal.id in defined
        for name in find_inputs(signal).events
        if name not in known
    ]


def _without_history(data: LoadedData) -> tuple[str, ...]:
    """Attribute signals whose value at a past `as_of` is not known: the table has no validity intervals."""
    dated = find_dated_tables(data.database)
    measures = [(signal.id, signal.measure) for signal in data.coverage.catalogue.signals]
    return tuple(name for name, m in measures if isinstance(m, Attribute) and m.table not in dated)


def _count_without_account(data: LoadedData) -> int:
    alone = "SELECT count(*) FROM users WHERE account_id IS NULL AND NOT coalesce(is_internal, FALSE)"
    return int(data.database.rows(alone)[0][0])


def _describe_state(data: LoadedData) -> StateFacts | None:
    if data.state is None or data.state.manifest.until is None:
        return None
    manifest, folder = data.state.manifest, data.state.store.folder
    size = sum((folder / name).stat().st_size for name in manifest.names_of_files)
    return StateFacts(data.grain.start_of(data.state.manifest.until).isoformat(), len(manifest.segments), size, data.digests["events"])


def _more(found: Sized, before: str = " ") -> str:
    return f"{before}… and {len(found) - MOST_LINES:,} more" if len(found) > MOST_LINES else ""


def _count(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.items() if n) or "none"


def check(project: Project) -> CheckReport:
    """Takes a project; returns what its data hold, without training anything."""
    card = project.card()
    data = load_data(project)
    removed = build_spine(project, data, None)
    horizon = project.config.horizon.to_horizon() if project.config.timed else None
    try:
        labels, not_trainable = label_spine(data.database, horizon, data.data_end), None
    except ImmatureOutcomesError as error:
        labels, not_trainable = LabelCounts(0, 0, 0, 0), str(error)
    columns = {column.name for column in data.coverage.catalogue}
    return CheckReport(
        tables={name: data.database.count(name) for name in TABLES if data.database.has(name)},
        events=counts.to_dict() if (counts := count_events(data)) else None,
        data_end=data.data_end.isoformat() if data.data_end else None,
        state=_describe_state(data),
        event_names=data.event_names,
        computable=tuple(signal.id for signal in data.coverage.catalogue.signals),
        not_computable=data.coverage.not_computable,
        card_rows_missing=tuple(row.id for row in card.rows if any(row.range) and not set(row.signals) & set(columns)) if card else (),
        removed=removed,
        users_without_account=_count_without_account(data) if project.config.unit == "account" else None,
        labels=labels,
        not_trainable=not_trainable,
        without_history=_without_history(data),
        unused_mapping=_unused_mapping(project, data),
        leak_prone=find_leak_prone_inputs(data),
        twins=find_outcome_twins(data.database, project.config.outcome.level),
    )
