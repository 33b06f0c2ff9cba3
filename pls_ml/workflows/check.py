"""`pls-ml check`: what the data hold, what was set aside and why, which signals can be computed, and what looks like a leak."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pls_ml.core.catalogue import Attribute
from pls_ml.core.database import quote
from pls_ml.core.errors import ImmatureOutcomesError, suggest
from pls_ml.labels.horizon import LabelCounts, label_spine
from pls_ml.labels.twins import OutcomeTwin, find_outcome_twins
from pls_ml.workflows.data import LoadedData, load_data
from pls_ml.workflows.project import Project
from pls_ml.workflows.signals import build_spine

MOST_NAMES = 30


@dataclass(frozen=True)
class CheckReport:
    """What was found: rows per table, the log's counts, coverage, labels, removed leads, missing card rows and outcome twins."""

    tables: dict[str, int]
    events: dict[str, Any] | None
    data_end: str | None
    event_names: dict[str, int]
    computable: tuple[str, ...]
    not_computable: dict[str, str]
    card_rows_missing: tuple[str, ...]
    removed: dict[str, int]
    labels: LabelCounts
    not_trainable: str | None
    without_history: tuple[str, ...]
    unused_mapping: tuple[str, ...]
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
            lines.append(f"event names: {_count(dict(list(self.event_names.items())[:MOST_NAMES]))}")
            lines.append(f"data end: {self.data_end}")
        unusable = _count({"immature": self.labels.immature, "won inside the gap": self.labels.won_in_gap})
        lines.append(f"rows (lead × as_of): {self.labels.rows:,} matured, {self.labels.positives:,} of them won; not usable: {unusable}")
        lines.append(f"left out: {_count(self.removed)}")
        lines.append(f"signals: {len(self.computable)} can be computed, {len(self.not_computable)} cannot")
        lines += [f"  - {name}: {reason}" for name, reason in self.not_computable.items()]
        if self.card_rows_missing:
            lines.append(f"scorecard rows without a signal, worth 0: {', '.join(self.card_rows_missing)}")
        lines += [f"mapping: {finding}" for finding in self.unused_mapping]
        if self.without_history:
            lines.append(f"attributes without history, as of the extract in every row: {', '.join(self.without_history)}")
        lines += [f"leak: {twin.sentence}" for twin in self.twins]
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
    return (*found, *(f"`{c}: {source.columns[c]}` has no value in any row" for c, n in zip(columns, filled, strict=True) if not n))


def _without_history(data: LoadedData) -> tuple[str, ...]:
    """Attribute signals whose value at a past `as_of` is not known: the table has no validity intervals."""
    dated = bool(data.database.rows("SELECT 1 FROM accounts WHERE valid_from IS NOT NULL LIMIT 1"))
    measures = [(signal.id, signal.measure) for signal in data.coverage.catalogue.signals]
    return tuple(name for name, m in measures if isinstance(m, Attribute) and not (m.table == "accounts" and dated))


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
    names = ("events", "users", "accounts", "subscriptions", "opportunities", "suppressions")
    columns = {column.name for column in data.coverage.catalogue}
    has_state = data.database.has("state")
    return CheckReport(
        tables={name: data.database.count(name) for name in names if data.database.has(name)},
        events=data.events.to_dict() if data.events else None,
        data_end=data.data_end.isoformat() if data.data_end else None,
        event_names=dict(data.database.rows("SELECT event, CAST(sum(n) AS BIGINT) FROM state GROUP BY 1 ORDER BY 2 DESC, 1"))
        if has_state
        else {},
        computable=tuple(signal.id for signal in data.coverage.catalogue.signals),
        not_computable=data.coverage.not_computable,
        card_rows_missing=tuple(row.id for row in card.rows if row.signal not in columns) if card else (),
        removed=removed,
        labels=labels,
        not_trainable=not_trainable,
        without_history=_without_history(data),
        unused_mapping=_unused_mapping(project, data),
        twins=find_outcome_twins(data.database, project.config.outcome.level),
    )
