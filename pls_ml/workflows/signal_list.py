"""`pls-ml signals --list`: every declared signal, family by family, and whether the data can answer it."""

from __future__ import annotations

import textwrap
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pls_ml.core.catalogue import Signal
from pls_ml.evaluation.tables import render_html
from pls_ml.reports.plain_text import clean_text
from pls_ml.signals.coverage import Coverage
from pls_ml.workflows.data import load_data
from pls_ml.workflows.definitions import define_signal
from pls_ml.workflows.inputs import find_dated_tables, find_leak_risk
from pls_ml.workflows.project import Project

WIDTH = 118
WIDEST = {"id": 40, "scope": 10, "measure": 16, "windows": 36, "direction": 4}


@dataclass(frozen=True, repr=False)
class SignalList:
    """Every declared signal in declared order, with its reason where it cannot be computed and its risk where it may leak."""

    coverage: Coverage
    leaks: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values: each signal's whole declaration, columns, definition, and what stands against it."""
        return {"signals": [self._describe(signal) for signal in self.coverage.declared.signals]}

    def to_text(self) -> str:
        """Takes nothing; returns the signals as lines for a terminal of 120 columns."""
        declared, absent = self.coverage.declared.signals, self.coverage.not_computable
        columns = len(list(self.coverage.catalogue))
        lines = [
            f"{len(declared)} signals are declared; {len(declared) - len(absent)} can be computed ({columns} columns), {len(absent)} cannot"
        ]
        cells = {signal.id: _cells(signal) for signal in declared}
        widths = {key: max(len(one[key]) for one in cells.values()) for key in WIDEST}
        for family in dict.fromkeys(signal.family for signal in declared):
            lines += ["", clean_text(family)]
            for signal in (one for one in declared if one.family == family):
                lines += self._lines(signal, "  ".join(cells[signal.id][key].ljust(width) for key, width in widths.items()))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        absent = self.coverage.not_computable
        rows = [
            (*_cells(s).values(), clean_text(s.label), clean_text(absent.get(s.id, "yes"), 400)) for s in self.coverage.declared.signals
        ]
        return render_html((*WIDEST, "label", "computable"), rows)

    def _describe(self, signal: Signal) -> dict[str, Any]:
        reason = self.coverage.not_computable.get(signal.id)
        return signal.model_dump(mode="json") | {
            "columns": [column.name for column in signal.columns],
            "definition": define_signal(signal),
            "computable": reason is None,
            "not_computable": reason,
            "leak": self.leaks.get(signal.id),
        }

    def _lines(self, signal: Signal, row: str) -> list[str]:
        reason = self.coverage.not_computable.get(signal.id)
        lines = [f"  {'–' if reason else '✓'} {row}".rstrip()]
        notes = [f"cannot: {clean_text(reason, 400)}"] if reason else []
        notes += [f"leak-prone: it {self.leaks[signal.id]}"] if signal.id in self.leaks else []
        return lines + [line for note in notes for line in textwrap.wrap(note, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 8)]


def list_signals(project: Project) -> SignalList:
    """Takes a project; returns every declared signal, and whether its data can answer it."""
    data = load_data(project)
    return SignalList(data.coverage, find_leaks(data.coverage, find_dated_tables(data.database)))


def find_leaks(coverage: Coverage, dated: Collection[str]) -> dict[str, str]:
    """Takes the coverage and the tables with history; returns why each leak-prone signal is one."""
    found = {signal.id: find_leak_risk(signal, dated) for signal in coverage.declared.signals}
    return {name: reason for name, reason in found.items() if reason}


def _cells(signal: Signal) -> dict[str, str]:
    direction = "" if signal.direction == "none" else signal.direction
    said = (signal.id, signal.scope, signal.measure.kind, ", ".join(signal.windows), direction)
    return {key: clean_text(text, most) for (key, most), text in zip(WIDEST.items(), said, strict=True)}
