"""What a backtest found, as a value that prints, shows in a notebook, and turns into JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

from pls_ml.evaluation.bootstrap import Estimate
from pls_ml.evaluation.comparison import VALUE_FIGURES, Comparison, Decision, label_figure, name_capacity, show_brief
from pls_ml.evaluation.contact import ContactBias
from pls_ml.evaluation.displays import Displays
from pls_ml.evaluation.measures import Economics
from pls_ml.evaluation.tables import render_html, render_text
from pls_ml.labels.horizon import LabelCounts
from pls_ml.workflows.training_displays import show_backtest
from pls_ml.workflows.tuning import TuningReport

Table = tuple[str, list[str], list[list[str]]]
"""A title, a header and rows."""

GROUPS = {
    "Ranking": ("average_precision", "roc_auc", "precision_at_capacity", "recall_at_capacity", "lift_at_capacity"),
    "Probabilities": ("log_loss", "brier", "calibration_slope", "observed_expected", "ici"),
    "Decisions": ("expected_value", "net_benefit"),
    "Value": VALUE_FIGURES,
}
PAIRED = ("precision_at_capacity", "average_precision", "log_loss", "expected_value", "net_benefit", "captured_share")


@dataclass(frozen=True)
class FoldResult:
    """One fold: its times, its rows by part, the search for settings, what was chosen, and the comparison on new accounts.

    `tuning` is None without a search, `comparison` where one class tells nothing.
    """

    trained_until: str
    test_start: str
    tested_until: str
    rows: dict[str, int]
    positives: int
    tuning: TuningReport | None
    chosen: str
    comparison: Comparison | None

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        parts = {"comparison": self.comparison, "tuning": self.tuning}
        return vars(self) | {name: part.to_dict() if part else None for name, part in parts.items()}


@dataclass(frozen=True)
class RandomGap:
    """ROC-AUC on the same rows by fits on random rows and by fits on the past, and the paired difference: what random splits flatter by."""

    random: Estimate
    temporal: Estimate
    difference: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return {name: estimate.to_dict() for name, estimate in vars(self).items()}


@dataclass(frozen=True)
class BacktestReport:
    """What a backtest found: the rule, every fold, all folds together on new and on known accounts, and what random splits would show."""

    rule: str
    folds: tuple[FoldResult, ...]
    pooled: Comparison
    known_accounts: Comparison | None
    random_gaps: dict[str, RandomGap]
    contact: ContactBias | None
    economics: Economics
    labels: LabelCounts
    about: dict[str, Any]
    """Where the data ended and a digest of what a bundle freezes, by which a recalibration knows whether these folds speak of its model."""
    notes: tuple[str, ...]
    path: Path
    tracked: str | None

    def __repr__(self) -> str:
        """Takes nothing; returns it in one line."""
        return f"BacktestReport({len(self.folds)} folds: {self.decision.sentence})"

    @property
    def deciding(self) -> Comparison:
        """What the rule is applied to: the rows that chance weighs, where there are any, else all."""
        return self.contact.weighted if self.contact and self.contact.weighted else self.pooled

    @property
    def decision(self) -> Decision:
        """The outcome of the rule."""
        return self.deciding.decision

    @property
    def displays(self) -> Displays:
        """Its pictures: `backtest.displays["precision_by_fold"].plot()`; an unknown name is answered with those there are."""
        return show_backtest(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return {
            "rule": self.rule,
            "folds": [fold.to_dict() for fold in self.folds],
            "comparison": self.pooled.to_dict(),
            "known_accounts": self.known_accounts.to_dict() if self.known_accounts else None,
            "random_gaps": {name: gap.to_dict() for name, gap in self.random_gaps.items()},
            "contact": self.contact.to_dict() if self.contact else None,
            "decision": self.decision.sentence,
            "economics": asdict(self.economics),
            "labels": self.labels.to_dict(),
            "about": self.about,
            "notes": list(self.notes),
        }

    def to_text(self) -> str:
        """Takes nothing; returns the rule, compact tables for a console, the decision and the notes."""
        blocks = [f"The rule, written beforehand: {self.rule}", *("\n".join([t, *render_text(h, rows)]) for t, h, rows in self._tables())]
        lines = [self.decision.sentence, "", *(f"note: {note}" for note in self.notes), f"everything is in {self.path}"]
        return "\n\n".join([*blocks, "\n".join([*lines, self.tracked or "the run was not tracked: add --track"])])

    def _repr_html_(self) -> str:
        tables = "".join(f"<h4>{escape(title)}</h4>{render_html(header, rows)}" for title, header, rows in self._tables())
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return f"<p>{escape(self.rule)}</p>{tables}<p><b>{escape(self.decision.sentence)}</b></p><ul>{notes}</ul>"

    def _tables(self) -> Iterator[Table]:
        yield self._fold_table()
        yield from _figure_tables(self.pooled, f"new accounts of all folds ({_count(self.pooled)})", self.economics)
        yield _paired_table(self.pooled)
        if self.known_accounts:
            found = self.known_accounts
            yield f"Known accounts of all folds ({_count(found)})", *_lines(found.metrics, (*GROUPS["Ranking"][:3], "log_loss"))
        if self.contact:
            yield _contact_table(self.contact)
        if self.random_gaps:
            rows = [[name, *map(show_brief, vars(gap).values())] for name, gap in self.random_gaps.items()]
            yield "ROC-AUC if rows were split at random, on the same rows", ["", "random", "temporal", "flattered by"], rows

    def _fold_table(self) -> Table:
        pair = (self.pooled.reference, self.pooled.challenger)
        head = ["tests from", "to", "trained until", "rows", "tested", "won", "chosen"]
        rows = [_fold_line(fold, pair) for fold in self.folds]
        columns = [*(f"{name}: precision" for name in pair), *(f"{name}: log loss" for name in pair), f"{pair[1]}: observed/expected"]
        return f"Folds; precision in the {name_capacity(self.pooled.capacity)}, of new accounts", [*head, *columns], rows


def _fold_line(fold: FoldResult, pair: tuple[str, str]) -> list[str]:
    counts = [f"{fold.rows['train']:,}", f"{fold.rows['test']:,}", f"{fold.positives:,}"]
    line = [fold.test_start, fold.tested_until, fold.trained_until, *counts, fold.chosen]
    if fold.comparison is None:
        return [*line, "", "", "", "", ""]
    found = [fold.comparison.metrics[name] for name in pair]
    figures = [one.get(figure) for figure in ("precision_at_capacity", "log_loss") for one in found]
    return [*line, *("" if one is None else f"{one.value:.3f}" for one in figures), show_brief(found[1].get("observed_expected"))]


def _figure_tables(found: Comparison, where: str, economics: Economics) -> Iterator[Table]:
    for group, figures in GROUPS.items():
        title = f"{group}, {where}; base rate {found.base_rate:.3g}; {name_capacity(found.capacity)}"
        if group == "Decisions":
            prices = f"a win is worth {economics.win_value:g}, a contact costs {economics.contact_cost:.3g}"
            taken = f"value of the {name_capacity(found.capacity)}, net benefit from a probability of {economics.threshold:.3g} on"
            title = f"{group}, per lead, {where}: {prices}; {taken}"
        header, lines = _lines(found.metrics, figures)
        if group == "Value":
            title = f"{group}: amounts of won deals in the {name_capacity(found.capacity)} of {where}"
        if lines:
            yield title, header, lines


def _paired_table(found: Comparison) -> Table:
    shown = {name: one for name, one in found.paired.items() if one}
    return f"Differences from '{found.reference}', paired", *_lines(shown, PAIRED)


def _contact_table(contact: ContactBias) -> Table:
    """A bracket per line: how both sides rank there, and by how much they differ."""
    lines = []
    for bracket, found in contact.brackets.items():
        both = [
            found.metrics[name][figure] for figure in ("roc_auc", "precision_at_capacity") for name in (found.reference, found.challenger)
        ]
        lines.append(
            [bracket, f"{found.rows:,}", f"{found.base_rate:.3g}", *map(show_brief, (*both, found.differences["precision_at_capacity"]))]
        )
    pair = (contact.all_rows.reference, contact.all_rows.challenger)
    header = [f"{name}: {figure}" for figure in ("roc auc", "precision") for name in pair]
    return "Contacts: " + "; ".join(contact.sentences), ["", "rows", "base rate", *header, "difference"], lines


def _lines(metrics: dict[str, dict[str, Estimate]], figures: tuple[str, ...]) -> tuple[list[str], list[list[str]]]:
    """A header, and a line per candidate that has one of the figures."""
    lines = [[name, *(show_brief(found.get(figure)) for figure in figures)] for name, found in metrics.items()]
    return ["", *map(label_figure, figures)], [line for line in lines if any(line[1:])]


def _count(found: Comparison) -> str:
    return f"{found.rows:,} rows of {found.accounts:,}, {found.positives:,} won"
