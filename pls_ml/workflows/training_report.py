"""What training found, as a value that prints, draws in a notebook, and turns into JSON."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from pls_ml.evaluation.comparison import Comparison
from pls_ml.evaluation.curves import LearningCurve
from pls_ml.evaluation.disagreement import Disagreement
from pls_ml.evaluation.displays import Displays
from pls_ml.evaluation.gates import Gate, say_gates
from pls_ml.evaluation.leaks import LeakAudit
from pls_ml.evaluation.pooling import PooledRatios
from pls_ml.evaluation.reliability import ReliabilityTable
from pls_ml.labels.horizon import LabelCounts
from pls_ml.workflows.held_out import HeldOut
from pls_ml.workflows.reasons import say_reasons
from pls_ml.workflows.training_displays import show_training
from pls_ml.workflows.tuning import TuningReport


@dataclass(frozen=True)
class TrainingReport:
    """What training found: the comparison on held-out leads, reliability, gain, leaks, gates, all counts, and the bundle's version."""

    version: str
    used: str
    comparison: Comparison
    known_accounts: Comparison | None
    held_out: HeldOut
    """Reliability, gain, precision against recall and scores by outcome of every candidate."""
    ratios: tuple[PooledRatios, ...]
    """Wins against promises of the scorer in use, by month and by segment of the held-out leads."""
    audit: LeakAudit
    gates: tuple[Gate, ...]
    reasons: dict[str, Any]
    disagreement: Disagreement | None
    """How often those win on whom rules and model disagree; None where there are no rules."""
    split: dict[str, int]
    labels: LabelCounts
    removed: dict[str, int]
    not_computable: dict[str, str]
    calibrators: dict[str, dict[str, Any]]
    tuning: TuningReport | None
    learning_curve: LearningCurve | None
    notes: tuple[str, ...]
    tracked: str | None

    def __repr__(self) -> str:
        """Takes nothing; returns it in one line."""
        return f"TrainingReport({self.version}: '{self.used}' scores; {self.comparison.decision.sentence})"

    @property
    def reliability(self) -> dict[str, ReliabilityTable]:
        """Reliability by candidate, on the held-out leads."""
        return self.held_out.reliability

    @property
    def displays(self) -> Displays:
        """Its pictures: `training.displays["gain"].plot()`; an unknown name is answered with those there are."""
        return show_training(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return {
            "version": self.version,
            "used": self.used,
            "comparison": self.comparison.to_dict(),
            "known_accounts": self.known_accounts.to_dict() if self.known_accounts else None,
            **self.held_out.to_dict(),
            "ratios": [ratios.to_dict() for ratios in self.ratios],
            "leak_audit": self.audit.to_dict(),
            "gates": [gate.to_dict() for gate in self.gates],
            "reasons": self.reasons,
            "disagreement": self.disagreement.to_dict() if self.disagreement else None,
            "split": self.split,
            "labels": self.labels.to_dict(),
            "removed": self.removed,
            "not_computable": self.not_computable,
            "calibrators": self.calibrators,
            "tuning": self.tuning.to_dict() if self.tuning else None,
            "learning_curve": self.learning_curve.to_dict() if self.learning_curve else None,
            "notes": list(self.notes),
            "tracked": self.tracked,
        }

    def to_text(self) -> str:
        """Takes nothing; returns what a person decides on: the comparison, what scores, and where the run is."""
        rows = ", ".join(f"{part.replace('_', ' ')} {n:,}" for part, n in self.split.items())
        lines = [self.comparison.to_text(), "", *(f"{ratios.to_text()}\n" for ratios in self.ratios)]
        lines += [f"{self.disagreement.to_text()}\n"] if self.disagreement else []
        lines.append(f"rows: {rows}; immature {self.labels.immature:,}")
        lines.append(f"model {self.version} is saved; '{self.used}' scores")
        lines += [self.tuning.to_text()] if self.tuning else []
        lines += [say_gates(self.gates), say_reasons(self.reasons)]
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join([*lines, self.tracked or "the run was not tracked: add --track"])

    def _repr_html_(self) -> str:
        ratios = "".join(one._repr_html_() for one in self.ratios)
        disputed = self.disagreement._repr_html_() if self.disagreement else ""
        reasons = f"<p>{escape(say_reasons(self.reasons))}</p>"
        return self.comparison._repr_html_() + self.reliability[self.used]._repr_html_() + ratios + disputed + reasons
