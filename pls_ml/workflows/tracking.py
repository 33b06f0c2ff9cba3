"""Any workflow's report → a tracked run, in one schema for every kind, so that runs can be listed and compared.

A workflow calls `track(project, kind, report, pictures)` with its report as plain values. The whole report is the artifact `report.json`.
These of its keys have a meaning, and all of them may be left out; an *estimate* is a number or {value, low, high}:

===============  ==================================================  ====================================================================
key              holds                                               becomes
===============  ==================================================  ====================================================================
`version`        the bundle the run is about                         tag `bundle_version`; where the run made it, as `train` does and
                                                                     what has a `new_version`, it is stored and registered as a model
`used`           the candidate that scores                           tag `used`; by default that of the bundle
`comparison`     `Comparison.to_dict()`                              metrics `<candidate>/<figure>` and `difference/<figure>`, each with
                                                                     `_low` and `_high`; `base_rate`; tag `decision`; a file
`metrics`        name → estimate, names as above                     metrics of that name
`gates`          [`Gate.to_dict()`]                                  metrics `gate/<name>`; tags `gates` ("7 of 8"), `gates_failed`; a file
`accepted`       names of gates that were let pass                   tag `gates_accepted`
`leak_audit`     `LeakAudit.to_dict()`                               tag `acknowledged_leaks`: what was found and let pass
`action`         what a recalibration did                            tag `action`
`refused`        whether a promotion was refused                     tag `refused`
`split`          part → rows                                         metrics `rows/<part>`
`reasons`        how the reasons are spread, and how stable          metrics `reasons/<name>` of its numbers; a file
`disagreement`   `Disagreement.to_dict()`                            metrics `disagreement/<cell>` and `disagreement/difference`, each with
                                                                     `_low` and `_high`; a file
`reliability`    candidate → `ReliabilityTable.to_dict()`            a file
`parameters`     settings of this run alone, such as a trial's       parameters, beside those of the project file
`data`           table → digest                                      tag `data_digest`; a file; by default that of the bundle
`catalogue`      the catalogue as plain values                       tag `catalogue_digest`; a file; by default that of the bundle
===============  ==================================================  ====================================================================

Further: the project file's settings as parameters and its digest as tag `config_digest`, pictures as files. A run with a `parent` is a
part of that run and does not repeat the project file; the trials of a search are such parts, of kind `tune`. The same report twice is one
run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

from pls_ml.core.files import digest_data, to_json
from pls_ml.core.protocols import Tracker
from pls_ml.core.records import Kind, Logged, RunRecord, TrialRecord
from pls_ml.evaluation.displays import Display, draw_png
from pls_ml.tracking import open_tracker
from pls_ml.workflows.backtest_report import BacktestReport
from pls_ml.workflows.bundle import Bundle, load_bundle
from pls_ml.workflows.project import Project
from pls_ml.workflows.recalibration_report import RecalibrationReport
from pls_ml.workflows.served import serve_bundle
from pls_ml.workflows.training_report import TrainingReport

FILES = ("comparison", "gates", "reasons", "disagreement", "reliability", "data", "catalogue")
"""Parts of a report that are files of their own beside it."""
MAKE_BUNDLES = ("train", "recalibrate")
"""Kinds of run that may make a bundle; a recalibration that found nothing to do makes none."""
_NO_METRIC_NAME = re.compile(r"[^\w./:-]")


def track(
    project: Project,
    kind: Kind,
    report: Mapping[str, Any],
    pictures: Mapping[str, Display] | None = None,
    parent: str | None = None,
    trials: tuple[TrialRecord, ...] = (),
) -> Logged:
    """Takes a project, the kind of run, its report, pictures by file stem, the run it is a part of, settings it tried; logs it."""
    bundle = load_bundle(project, report["version"]) if report.get("version") else None
    makes_bundle = kind in MAKE_BUNDLES and report.get("new_version", report.get("version")) is not None
    whole = _describe(bundle) | dict(report)
    config = project.config.model_dump(mode="json", exclude_none=True, exclude={"signals": {"define"}})
    record = RunRecord(
        project=project.config.project,
        kind=kind,
        version=whole.get("version"),
        parameters=({} if parent else _flatten(config)) | _flatten(whole.get("parameters", {})),
        metrics=read_metrics(whole),
        tags=_read_tags(project, whole),
        artifacts=_write_files(whole, pictures or {}),
        bundle=serve_bundle(bundle, project.models / bundle.version) if bundle and makes_bundle else None,
        parent=parent,
        trials=trials,
    )
    with project.progress.step("writing the run to the tracker"):
        return open_project_tracker(project).log_run(record)


def track_training(project: Project, report: TrainingReport) -> TrainingReport:
    """Takes a training report; writes it to the project's tracker; returns it with where to look."""
    trials = report.tuning.trials if report.tuning else ()
    return replace(report, tracked=track(project, "train", report.to_dict(), report.displays, trials=trials).line)


def track_recalibration(project: Project, report: RecalibrationReport, data: Mapping[str, str]) -> RecalibrationReport:
    """Takes a recalibration and the digests of the data; writes it to the project's tracker; returns it with where to look."""
    found = report.to_dict()
    about = {"version": report.new_version or report.version, "judged": report.version, "data": data, "why": found.pop("reasons")}
    figures = {"metrics": {f"{report.used}/{name}": estimate.to_dict() for name, estimate in report.upkeep.figures.items()}}
    return replace(report, tracked=track(project, "recalibrate", found | about | figures).line)


def track_backtest(project: Project, report: BacktestReport, data: Mapping[str, str]) -> BacktestReport:
    """Takes a backtest and the digests of its tables; writes it to the project's tracker; returns it with where to look.

    What is logged as the comparison is what the rule was applied to.
    """
    gaps = {f"random_gap/{name}": gap.difference.to_dict() for name, gap in report.random_gaps.items()}
    said = {"comparison": report.deciding.to_dict(), "metrics": gaps, "data": dict(data)}
    return replace(report, tracked=track(project, "backtest", report.to_dict() | said, report.displays).line)


def open_project_tracker(project: Project) -> Tracker:
    """Takes a project; returns its tracker."""
    tracking = project.config.tracking
    return open_tracker(tracking.kind, tracking.uri, project.output, project.config.project)


def read_metrics(report: Mapping[str, Any]) -> dict[str, float]:
    """Takes a report of the schema above; returns its metrics by name, those that are defined."""
    comparison = report.get("comparison") or {}
    found: dict[str, Any] = {f"{name}/{f}": e for name, figures in comparison.get("metrics", {}).items() for f, e in figures.items()}
    found |= {f"difference/{figure}": estimate for figure, estimate in comparison.get("differences", {}).items()}
    found |= {"base_rate": comparison.get("base_rate")} | dict(report.get("metrics", {}))
    if disputed := report.get("disagreement"):
        found |= {f"disagreement/{one['cell'].replace(' ', '_')}": one["rate"] for one in disputed["cells"]}
        found["disagreement/difference"] = disputed["difference"]
    found |= {f"gate/{gate['name']}": gate["figure"] for gate in report.get("gates", ())}
    found |= {
        f"{group}/{name}": value
        for group, key in (("rows", "split"), ("reasons", "reasons"))
        for name, value in report.get(key, {}).items()
    }
    numbers = {_NO_METRIC_NAME.sub("_", name): n for key, value in found.items() for name, n in _spread(key, value).items()}
    return {name: float(n) for name, n in numbers.items() if isinstance(n, int | float) and isfinite(n)}


def _describe(bundle: Bundle | None) -> dict[str, Any]:
    if bundle is None:
        return {}
    return {
        "used": bundle.used,
        "data": bundle.facts.get("data", {}),
        "catalogue": bundle.catalogue.model_dump(mode="json", exclude_none=True),
    }


def _spread(name: str, estimate: Any) -> dict[str, Any]:
    if not isinstance(estimate, dict) or "value" not in estimate:
        return {name: estimate}
    return {name: estimate["value"], f"{name}_low": estimate.get("low"), f"{name}_high": estimate.get("high")}


def _read_tags(project: Project, report: Mapping[str, Any]) -> dict[str, str]:
    tags = {"config_digest": digest_data(project.config.model_dump(mode="json"))}
    tags |= {f"{part}_digest": digest_data(report[part]) for part in ("data", "catalogue") if report.get(part)}
    if report.get("used"):
        tags["used"] = report["used"]
    if report.get("comparison"):
        tags["decision"] = report["comparison"]["decision"]["sentence"]
    if gates := report.get("gates"):
        failed = [gate["name"] for gate in gates if not gate["passed"]]
        tags |= {"gates": f"{len(gates) - len(failed)} of {len(gates)}", "gates_failed": ", ".join(failed)}
    if vouched := [found["name"] for found in report.get("leak_audit", {}).get("findings", ()) if found["acknowledged"]]:
        tags["acknowledged_leaks"] = ", ".join(dict.fromkeys(vouched))
    if report.get("action"):
        tags["action"] = report["action"]
    if report.get("refused"):
        tags["refused"] = "yes"
    if report.get("accepted"):
        tags["gates_accepted"] = ", ".join(report["accepted"])
    return tags


def _write_files(report: Mapping[str, Any], pictures: Mapping[str, Display]) -> dict[str, bytes]:
    files = {"report.json": to_json(report).encode()}
    files |= {f"{part}.json": to_json(report[part]).encode() for part in FILES if report.get(part)}
    return files | {f"{name}.png": draw_png(display) for name, display in pictures.items()}


def _flatten(data: Any, prefix: str = "") -> dict[str, str]:
    if isinstance(data, Mapping):
        return {k: v for key, value in data.items() for k, v in _flatten(value, f"{prefix}{key}.").items()}
    return {prefix.rstrip("."): str(data)}
