"""A training report → a tracked run: figures, pictures and the bundle where others can see and compare them."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from math import isfinite
from typing import Any

from pls_ml.core.files import digest_data, to_json
from pls_ml.core.records import RunRecord
from pls_ml.evaluation.plots import draw_gain, draw_reliability
from pls_ml.tracking import open_tracker
from pls_ml.workflows.project import Project
from pls_ml.workflows.recalibration_report import RecalibrationReport
from pls_ml.workflows.training_report import TrainingReport


def track_training(project: Project, report: TrainingReport, data_digest: str) -> TrainingReport:
    """Takes a training report and the digest of the data; writes it to the project's tracker; returns it with where to look."""
    config = project.config
    record = RunRecord(
        project=config.project,
        kind="train",
        version=report.version,
        parameters=_flatten(config.model_dump(mode="json", exclude_none=True, exclude={"signals": {"define"}})),
        metrics=_metrics(report),
        tags={
            "used": report.used,
            "config_digest": digest_data(config.model_dump(mode="json")),
            "data_digest": data_digest,
            "decision": report.comparison.decision.sentence,
        },
        artifacts={
            "reliability.png": draw_png(draw_reliability(report.reliability)),
            "gain.png": draw_png(draw_gain(report.gain, report.comparison.capacity)),
            "report.json": to_json(report.to_dict()).encode(),
            "comparison.txt": report.comparison.to_text().encode(),
        },
        bundle=project.models / report.version,
    )
    with project.progress.step("writing the run to the tracker"):
        tracker = open_tracker(config.tracking.kind, config.tracking.uri, project.output, config.project)
        return replace(report, tracked=tracker.log_run(record))


def track_recalibration(project: Project, report: RecalibrationReport, data_digest: str) -> RecalibrationReport:
    """Takes a recalibration and the digest of the data; writes it to the project's tracker; returns it with where to look."""
    config, figures = project.config, report.upkeep.figures
    record = RunRecord(
        project=config.project,
        kind="recalibrate",
        version=report.new_version or report.version,
        parameters={"judged": report.version, "first": report.first, "last": report.last},
        metrics={name: estimate.value for name, estimate in figures.items() if isfinite(estimate.value)},
        tags={"action": report.action, "used": report.used, "reasons": "; ".join(report.reasons), "data_digest": data_digest},
        artifacts={"report.json": to_json(report.to_dict()).encode(), "report.txt": report.to_text().encode()},
        bundle=project.models / (report.new_version or report.version),
    )
    with project.progress.step("writing the run to the tracker"):
        tracker = open_tracker(config.tracking.kind, config.tracking.uri, project.output, config.project)
        return replace(report, tracked=tracker.log_run(record))


def draw_png(figure: Any) -> bytes:
    """Takes a matplotlib figure; returns it as PNG, the same bytes every time."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()


def _metrics(report: TrainingReport) -> dict[str, float]:
    figures = {f"{name}/{figure}": e.value for name, all_figures in report.comparison.metrics.items() for figure, e in all_figures.items()}
    differences = {f"difference/{figure}": e.value for figure, e in report.comparison.differences.items()}
    counts = {f"rows/{part}": float(n) for part, n in report.split.items()}
    finite = figures | differences | counts | {"base_rate": report.comparison.base_rate}
    return {name.replace(" ", "_"): value for name, value in finite.items() if isfinite(value)}


def _flatten(data: Any, prefix: str = "") -> dict[str, str]:
    if isinstance(data, dict):
        return {k: v for key, value in data.items() for k, v in _flatten(value, f"{prefix}{key}.").items()}
    return {prefix.rstrip("."): str(data)}
