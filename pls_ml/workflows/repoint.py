"""`pls-ml repoint`: the scorecard's points moved towards matured outcomes, as a table of what would change and as a card file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

from pls_ml.core.errors import ConfigError
from pls_ml.core.files import write_bytes
from pls_ml.evaluation import account_resamples
from pls_ml.evaluation.tables import render_html, render_text
from pls_ml.scores.card import Scorecard
from pls_ml.scores.card_changes import Repointing, RungChange
from pls_ml.scores.increments import require_additive
from pls_ml.scores.learned_card import MaturedRows
from pls_ml.scores.repointing import repoint_card
from pls_ml.workflows.candidates import TrainingRows, search_folds
from pls_ml.workflows.leak_audit import audit_training
from pls_ml.workflows.project import Project
from pls_ml.workflows.training_checks import check_training, refuse_one_account
from pls_ml.workflows.training_rows import load_training_rows, split_training

RESAMPLES = 300
HEADER = ("row", "rung", "points", "by outcomes alone", "rows", "won", "decision", "why")


@dataclass(frozen=True)
class RepointReport:
    """What re-pointing found, on how many rows of how many accounts, and where the card was written."""

    card: str
    rows: int
    won: int
    accounts: int
    repointing: Repointing
    path: Path

    @property
    def facts(self) -> str:
        """What the new points rest on."""
        return f"{self.rows:,} matured rows of {self.accounts:,} accounts, {self.won:,} won"

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        facts = {name: getattr(self, name) for name in ("rows", "won", "accounts")}
        return {"old_card": self.card} | facts | self.repointing.to_dict() | {"path": str(self.path)}

    def to_text(self) -> str:
        """Takes nothing; returns the verdict, the table of old and new points, and what rounding them costs."""
        found = self.repointing
        table = render_text(HEADER, [_show(rung) for rung in found.rungs])
        lines = [self._verdict(), "", *table, ""]
        if found.rounding:
            lines.append(
                f"rounding to whole points costs {found.rounding.loss:+.5f} log loss ({found.rounding.whole:.5f} with whole points)"
            )
        for band in found.bands:
            lines.append(
                f"band {band.name} from {band.bound:g} points on: {band.old:.1%} → {band.new:.1%} of the rows; "
                f"from {band.keeping:g} on it would not grow"
            )
        if found.missing_rows:
            lines.append(f"rows without a signal keep their points: {', '.join(found.missing_rows)}")
        return "\n".join([*lines, f"card: {self.path}"])

    def _verdict(self) -> str:
        counts = Counter(rung.decision for rung in self.repointing.rungs)
        said = ", ".join(f"{name} {counts[name]}" for name in ("keep", "change", "retire") if counts[name])
        verdict = f"changed ({said} of its rungs)" if self.repointing.changed else "kept"
        return f"card '{self.card}' {verdict}: {self.repointing.reason}\n{self.facts}; intervals are 95 %, from whole accounts drawn again"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self._verdict())}</p>" + render_html(HEADER, [_show(rung) for rung in self.repointing.rungs])


def repoint(project: Project) -> RepointReport:
    """Takes a project; returns its card with the points that the training rows' outcomes ask for, and writes it below `cards/`.

    The rows are those that training fits on, so that the held-out ones can still judge the new card. Refuses a project without a card,
    a card whose points are not simply added up, data without a matured win, and a signal that knows the outcome.
    """
    card = project.card()
    if card is None:
        raise ConfigError("the project has no scorecard to re-point: set `scorecard`, for example to card_a")
    require_additive(card)
    data, table, rows, _ = load_training_rows(project)
    refuse_one_account(rows)
    split = split_training(project, rows)
    training = rows.take(split.train)
    check_training(training)
    with project.progress.step("looking for leaks"):
        audit_training(project, data, table, rows, split)
    with project.progress.step(f"re-pointing the card on {len(training.labels):,} rows"):
        found = repoint_card(card, _to_matured(training), search_folds(training), _resample(project, training))
    path = project.output / "cards" / f"{card.id}_repointed.yaml"
    facts = len(training.labels), int(training.labels.sum()), len(set(training.accounts))
    report = RepointReport(card.id, *facts, found, path)
    write_bytes(path, _write_card(found.card.model_copy(update={"id": f"{card.id}_repointed"}), report).encode())
    return report


def _to_matured(training: TrainingRows) -> MaturedRows:
    return MaturedRows(training.signals, training.labels, training.weight, training.accounts)


def _resample(project: Project, training: TrainingRows) -> Any:
    return account_resamples(training.accounts, RESAMPLES, project.config.model.seed) if len(set(training.accounts)) > 1 else ()


def _show(rung: RungChange) -> tuple[str, ...]:
    points = f"{rung.old} → {rung.new}" if rung.new != rung.old else str(rung.old)
    interval = "" if rung.low is None or rung.high is None else f"[{rung.low:.0f}, {rung.high:.0f}]"
    return rung.row, rung.test, points, interval, f"{rung.rows:,}", f"{rung.won:,}", rung.decision, rung.reason


def _write_card(card: Scorecard, report: RepointReport) -> str:
    """As the shipped cards are written: one line per band and row, numbers without needless decimals."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width, yaml.default_flow_style = 10_000, False
    text = StringIO()
    yaml.dump(_lay_out(card.model_dump(mode="json", exclude_defaults=True)), text)
    verdict = "with new points" if report.repointing.changed else "as it was"
    return f"# Card '{report.card}' {verdict}, by `pls-ml repoint` from {report.facts}.\n{text.getvalue()}"


def _lay_out(card: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [_in_one_line(item) for item in value] if isinstance(value, list) else _in_one_line(value) for name, value in card.items()
    }


def _in_one_line(value: Any) -> Any:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(value, dict):
        line: Any = CommentedMap({name: _in_one_line(inner) for name, inner in value.items()})
    elif isinstance(value, list):
        line = CommentedSeq([_in_one_line(inner) for inner in value])
    else:
        return int(value) if isinstance(value, float) and value.is_integer() else value
    line.fa.set_flow_style()
    return line
