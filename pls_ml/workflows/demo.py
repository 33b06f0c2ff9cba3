"""`pls-ml demo`: an invented product with known truth, then the real commands on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pls_ml.core.builtin import find_builtin
from pls_ml.core.files import write_bytes
from pls_ml.evaluation.gates import GATES, say_gates
from pls_ml.explanations.receipt import Receipt
from pls_ml.synthetic import WorldSpec, generate_world, write_world
from pls_ml.workflows.api import open_project
from pls_ml.workflows.progress import Progress
from pls_ml.workflows.promote import Promotion
from pls_ml.workflows.score import Night
from pls_ml.workflows.training_report import TrainingReport


@dataclass(frozen=True)
class DemoReport:
    """What the demo made: the folder, the comparison with the rules, the promotion, the scored night, three receipts and the page."""

    folder: Path
    training: TrainingReport
    promotion: Promotion
    night: Night
    receipts: tuple[Receipt, ...]
    page: Path

    def __repr__(self) -> str:
        """Takes nothing; returns it in one line."""
        return f"DemoReport({self.folder}: {self.training!r})"

    def to_text(self) -> str:
        """Takes nothing; returns the results and where everything is."""
        flat = len(self.training.reliability[self.training.used].bins) == 1
        blocks = [
            *([_warn_of_base_rate(self.training)] if flat else []),
            f"Rules against model, on {self.training.comparison.rows:,} held-out leads\n{self.training.comparison.to_text()}",
            f"Calibration of '{self.training.used}' on the same leads\n{_calibration(self.training)}",
            f"Promoted\n{_say_promotion(self.promotion)}",
            f"Three leads to talk to ({self.night.used}, {self.night.as_of:%Y-%m-%d})",
            *(f"{receipt.lead_id}\n{receipt.to_text(10)}" for receipt in self.receipts),
            "Where things are\n"
            f"  page         {_near(self.page)}\n"
            f"  tables       {_near(self.night.folder)}\n"
            f"  truth        {self.folder / 'data' / 'truth.json'}\n"
            f"  MLflow runs  {self.training.tracked}\n"
            f"  next         pls-ml explain {self.receipts[0].lead_id} --project {self.folder / 'pls.yaml'}",
        ]
        return "\n\n".join(blocks)


def demo(folder: Path, spec: WorldSpec, progress: Progress) -> DemoReport:
    """Takes a folder and the size of the invented product; generates it, trains, promotes, scores, explains and reports."""
    with progress.step(f"inventing a product: {spec.accounts:,} accounts over {spec.days} days"):
        write_world(generate_world(spec), folder / "data")
    write_bytes(folder / "pls.yaml", find_builtin("demo.yaml").read_bytes())
    project = open_project(folder / "pls.yaml", progress=progress)
    training = project.train(track=True)
    # Other sizes and seeds make other products: what a model of one of them lacks is said, and does not end the tour.
    promotion = project.promote(training.version, accept=GATES)
    night = project.score()
    page = project.report()
    receipts = tuple(night.receipts[night.used].one(lead) for lead in night.handoffs["lead_id"].head(3))
    return DemoReport(folder, training, promotion, night, receipts, page)


def _warn_of_base_rate(training: TrainingReport) -> str:
    rate, wins = training.reliability[training.used].bins[0].predicted, training.calibrators[training.used]["positives"]
    return (
        f"ATTENTION: every lead has the same probability, the base rate of {rate:.1%}, since this product is too small to learn from "
        f"({wins:,} wins to check on): what follows is a tour of the commands, not of a model; take `--accounts 1500` or more"
    )


def _near(path: Path) -> Path:
    """The path as a person here would write it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _say_promotion(promotion: Promotion) -> str:
    accepted = f"\n  accepted for the demo alone: {', '.join(promotion.accepted)}" if promotion.accepted else ""
    return f"  {promotion.version}, {say_gates(promotion.gates)}{accepted}"


def _calibration(training: TrainingReport) -> str:
    figures = training.comparison.metrics[training.used]
    table = training.reliability[training.used]
    rows = [f"  {b.predicted:8.1%} predicted  {b.observed:8.1%} won  {b.rows:6,} leads" for b in table.bins]
    line = (
        f"  slope {figures['calibration_slope'].value:.2f} (1 is right), observed/expected {figures['observed_expected'].value:.2f}, "
        f"Brier {figures['brier'].value:.4f} against {training.comparison.metrics['base rate']['brier'].value:.4f} for the base rate"
    )
    return "\n".join([*rows, line])
