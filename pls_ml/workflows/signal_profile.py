"""`pls-ml signals --show ID`: one signal in words, what it reads, how its values are spread, and what it says about the outcome alone."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from pls_ml.core.catalogue import Catalogue, Signal
from pls_ml.core.database import quote
from pls_ml.core.errors import ConfigError, ImmatureOutcomesError, suggest
from pls_ml.evaluation.leak_strength import measure_strengths
from pls_ml.reports.plain_text import clean_text
from pls_ml.workflows.data import LoadedData, build_signals, load_data
from pls_ml.workflows.definitions import define_signal
from pls_ml.workflows.distribution import Distribution, describe_values
from pls_ml.workflows.inputs import Inputs, find_dated_tables, find_inputs, find_leak_risk, follow_references
from pls_ml.workflows.project import Project
from pls_ml.workflows.signals import build_spine, keep_matured
from pls_ml.workflows.strength import Strength, measure_strength

WIDTH = 118
LONGEST = 400
"""Characters of a reason: it may quote names from the log."""


@dataclass(frozen=True)
class ColumnProfile:
    """One column over the rows looked at: its distribution; its strength, and for categories the AUC that other accounts' rates give."""

    name: str
    distribution: Distribution
    strength: Strength | None
    category_auc: float | None

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        strength = self.strength.to_dict() if self.strength else None
        return {"name": self.name, "distribution": self.distribution.to_dict(), "strength": strength, "category_auc": self.category_auc}

    def to_lines(self) -> list[str]:
        """Takes nothing; returns the column in words and figures."""
        found = self.strength.to_lines() if self.strength else []
        if self.category_auc is not None:
            found.append(f"AUC alone {self.category_auc:.3f}, each value ranked by the win rate of other accounts")
        return [self.name, *(f"  {line}" for line in (*self.distribution.to_lines(), *found))]


@dataclass(frozen=True, repr=False)
class SignalProfile:
    """One signal: declaration, definition and inputs, why it cannot be computed or may leak, and its columns over the rows looked at."""

    signal: Signal
    definition: str
    lineage: dict[str, Inputs]
    not_computable: str | None
    leak: str | None
    rows: str
    columns: tuple[ColumnProfile, ...]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return {
            "signal": self.signal.model_dump(mode="json", exclude_none=True),
            "definition": self.definition,
            "lineage": {name: inputs.to_dict() for name, inputs in self.lineage.items()},
            "not_computable": self.not_computable,
            "leak": self.leak,
            "rows": self.rows,
            "columns": [column.to_dict() for column in self.columns],
        }

    def to_text(self) -> str:
        """Takes nothing; returns the profile for a terminal."""
        signal = self.signal
        unit = f" ({signal.unit})" if signal.unit else ""
        said = [
            "reps see it" if signal.rep_visible else "hidden from reps",
            "safe to mention" if signal.outreach_safe else "not to be mentioned",
        ]
        flags = [
            f"family {signal.family}",
            f"scope {signal.scope}",
            f"measure {signal.measure.kind}",
            f"direction {signal.direction}",
            *said,
        ]
        lines = [
            f"{signal.id}: {clean_text(signal.label)}{unit}",
            *textwrap.wrap(self.definition, WIDTH),
            "",
            *textwrap.wrap(", ".join(flags), WIDTH),
        ]
        lines += [f"leak-prone: it {self.leak}"] if self.leak else []
        lines += ["reads", *(line for name, inputs in self.lineage.items() for line in _say_inputs(name, inputs))]
        lines += [f"cannot be computed: {clean_text(self.not_computable, LONGEST)}"] if self.not_computable else [f"rows: {self.rows}"]
        return "\n".join([*lines, *(line for column in self.columns for line in ("", *column.to_lines()))])

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.to_text())}</pre>"


def show_signal(project: Project, name: str, as_of: datetime | None = None) -> SignalProfile:
    """Takes a project, a signal's id (or a column of it) and one `as_of` (None: the training grid); returns the signal's profile.

    Computes that signal and what it refers to, and nothing else. Refuses an unknown name, with the nearest one.
    """
    data = load_data(project)
    declared = data.coverage.declared
    signal = _find_signal(declared, name)
    needed = follow_references(declared, signal.id)
    lineage = {one.id: find_inputs(one, declared.unit) for one in (_find_signal(declared, other) for other in needed)}
    reason = data.coverage.not_computable.get(signal.id)
    rows, columns = ("", ()) if reason else _profile_columns(project, data, signal, data.coverage.catalogue.select(needed), as_of)
    leak = find_leak_risk(signal, find_dated_tables(data.database))
    return SignalProfile(signal, define_signal(signal), lineage, reason, leak, rows, columns)


def _find_signal(catalogue: Catalogue, name: str) -> Signal:
    found = {signal.id: signal for signal in catalogue.signals} | {column.name: column.signal for column in catalogue}
    if name not in found:
        raise ConfigError(f"no signal '{name}'{suggest(name, list(found))}: `pls-ml signals --list` lists all {len(catalogue.signals)}")
    return found[name]


def _profile_columns(
    project: Project, data: LoadedData, signal: Signal, catalogue: Catalogue, as_of: datetime | None
) -> tuple[str, tuple[ColumnProfile, ...]]:
    build_spine(project, data, as_of)
    try:
        counts = keep_matured(project, data)
        rows = f"{counts.rows:,} (lead × as_of) with a known outcome, {counts.positives:,} of them won"
    except ImmatureOutcomesError:
        counts = None
        rows = f"{data.database.count('spine'):,} (lead × as_of), none with a known outcome"
    build_signals(project, data, catalogue)
    names = ", ".join(f"g.{quote(column.name)}" for column in signal.columns)
    label = "s.label" if counts else "CAST(NULL AS TINYINT) AS label"
    with project.progress.step(f"looking at '{signal.id}' alone"):
        frame = data.database.frame(
            f"SELECT CAST(dense_rank() OVER (ORDER BY s.account_key) - 1 AS BIGINT) AS account, {label}, {names} "
            'FROM spine AS s JOIN signals AS g USING ("row") ORDER BY "row"'
        )
        return rows, tuple(_profile(frame[column.name], frame, signal, labelled=counts is not None) for column in signal.columns)


def _profile(values: pd.Series, frame: pd.DataFrame, signal: Signal, labelled: bool) -> ColumnProfile:
    labels = frame["label"].to_numpy(np.int8) if labelled else None
    distribution = describe_values(values, labels)
    if labels is None or not 0 < labels.sum() < len(labels):
        return ColumnProfile(str(values.name), distribution, None, None)
    accounts = frame["account"].to_numpy(np.int64)
    if signal.is_category:
        area = measure_strengths(values.to_frame(), labels, accounts)[0].auc
        return ColumnProfile(str(values.name), distribution, None, area if np.isfinite(area) else None)
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    return ColumnProfile(str(values.name), distribution, measure_strength(numbers, labels, accounts, signal.direction), None)


def _say_inputs(name: str, inputs: Inputs) -> list[str]:
    events = [f"event '{clean_text(event, 40)}'" for event in inputs.events] + (["every event"] if inputs.every_event else [])
    read = ", ".join([*events, *(clean_text(column, 60) for column in inputs.columns), *(f"signal {other}" for other in inputs.signals)])
    return textwrap.wrap(f"{name}: {read}", WIDTH, initial_indent="  ", subsequent_indent="    ")
