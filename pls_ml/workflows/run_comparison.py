"""`pls-ml compare RUN RUN`: what a decision between two tracked runs needs, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pls_ml.core.errors import BundleError
from pls_ml.core.files import digest_data, write_bytes
from pls_ml.core.records import LoggedRun
from pls_ml.evaluation.bootstrap import Estimate
from pls_ml.evaluation.comparison import MAIN_FIGURES
from pls_ml.evaluation.displays import Display, EstimatesDisplay, ReliabilityDisplay, draw_png
from pls_ml.evaluation.reliability import ReliabilityTable
from pls_ml.evaluation.tables import render_html, render_text
from pls_ml.workflows.project import Project
from pls_ml.workflows.runs import SHORT, find_run, read_estimate, say_estimate
from pls_ml.workflows.tracking import open_project_tracker

FIGURES = (*MAIN_FIGURES, "calibration_slope")
Change = tuple[str | None, str | None]
"""What the first run has and what the second has; None for nothing."""


@dataclass(frozen=True)
class RunComparison:
    """Two runs: each figure of what scores in them, gates, and every setting, signal and table that differs; where the pictures are."""

    runs: tuple[LoggedRun, LoggedRun]
    figures: Mapping[str, tuple[dict[str, float | None], dict[str, float | None]]]
    gates: Mapping[str, Change]
    settings: Mapping[str, Change]
    signals: Mapping[str, Change]
    data: Mapping[str, Change]
    pictures: tuple[Path, ...]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values; pairs are in the order asked for."""
        runs = [
            {"run": r.run_id, "kind": r.kind, "version": r.version, "used": r.tags.get("used"), "aliases": [*r.aliases]} for r in self.runs
        ]
        figures = {name: {"first": a, "second": b, "difference": _subtract(a, b)} for name, (a, b) in self.figures.items()}
        changes = {
            part: {name: list(pair) for name, pair in getattr(self, part).items()} for part in ("gates", "settings", "signals", "data")
        }
        return {"runs": runs, "figures": figures} | changes | {"pictures": [str(path) for path in self.pictures]}

    def to_text(self) -> str:
        """Takes nothing; returns the tables one below the other."""
        blocks = ["\n".join(render_text(*self._figure_table())), self._warning()]
        blocks += ["\n".join(render_text((title, *self._names()), rows)) for title, rows in self._changes()]
        same = [title for title in ("settings", "signals", "data") if not getattr(self, title)]
        blocks += [f"the same in both: {', '.join(same)}"] if same else []
        blocks += [f"picture: {path}" for path in self.pictures]
        return "\n\n".join(block for block in blocks if block)

    def _repr_html_(self) -> str:
        tables = [render_html((title, *self._names()), rows) for title, rows in self._changes()]
        return render_html(*self._figure_table()) + "".join(tables)

    def _figure_table(self) -> tuple[list[str], list[list[str]]]:
        rows = [[name.replace("_", " "), say_estimate(a), say_estimate(b), _say_difference(a, b)] for name, (a, b) in self.figures.items()]
        return ["figure", *self._names(), "difference"], rows

    def _changes(self) -> list[tuple[str, list[tuple[str, ...]]]]:
        parts = {part: getattr(self, part) for part in ("gates", "settings", "signals", "data")}
        return [(part, [(name, a or "–", b or "–") for name, (a, b) in pairs.items()]) for part, pairs in parts.items() if pairs]

    def _names(self) -> tuple[str, str]:
        first, second = (_name(run) for run in self.runs)
        return first, second

    def _warning(self) -> str:
        why = "were measured on other data" if self.data else "are of runs that do not keep their rows"
        return f"the differences {why} and so have no interval: `pls-ml promote` compares a model with the champion on the same leads"


def compare_runs(project: Project, first: str, second: str) -> RunComparison:
    """Takes a project and two runs, by the beginning of an id or by bundle version; returns what differs, and writes the pictures.

    Refuses unknown runs, one and the same run, and a project whose tracking is switched off.
    """
    tracker = open_project_tracker(project)
    known = tracker.list_runs(project.config.project)
    runs = find_run(known, first), find_run(known, second)
    if runs[0] == runs[1]:
        raise BundleError(f"'{first}' and '{second}' are the same run: give two")
    reports = tracker.read_report(runs[0].run_id), tracker.read_report(runs[1].run_id)
    used = [report.get("used") or "" for report in reports]
    figures = {name: (read_estimate(runs[0], used[0], name), read_estimate(runs[1], used[1], name)) for name in FIGURES}
    figures = {name: pair for name, pair in figures.items() if any(found["value"] is not None for found in pair)}
    gates = [{gate["name"]: _say_gate(gate) for gate in report.get("gates", ())} for report in reports]
    settings = [{"used": name} | run.parameters for run, name in zip(runs, used, strict=True)]
    signals = [{s["id"]: digest_data(s)[:SHORT] for s in report.get("catalogue", {}).get("signals", ())} for report in reports]
    data = [{table: digest[:SHORT] for table, digest in report.get("data", {}).items()} for report in reports]
    return RunComparison(
        runs=runs,
        figures=figures,
        gates=_pair(*gates),
        settings=_keep_changed(_pair(*settings)),
        signals=_keep_changed(_pair(*signals)),
        data=_keep_changed(_pair(*data)),
        pictures=_draw(project, runs, reports, figures),
    )


def _draw(
    project: Project, runs: tuple[LoggedRun, LoggedRun], reports: tuple[dict[str, Any], ...], figures: Mapping[str, Any]
) -> tuple[Path, ...]:
    """Reliability of both where both have it, and the figures with their intervals, in a folder named after the runs."""
    folder = project.output / "comparisons" / "_".join(run.run_id[:SHORT] for run in runs)
    names = [_name(run) for run in runs]
    tables = {n: found for n, r in zip(names, reports, strict=True) if (found := r.get("reliability", {}).get(r.get("used")))}
    drawn: dict[str, Display] = {}
    if tables:
        drawn["reliability"] = ReliabilityDisplay({name: ReliabilityTable.from_dict(table) for name, table in tables.items()})
    if figures:
        pairs = {figure: dict(zip(names, pair, strict=True)) for figure, pair in figures.items()}
        drawn["figures"] = EstimatesDisplay({f: {n: Estimate.from_dict(one) for n, one in found.items()} for f, found in pairs.items()})
    return tuple(write_bytes(folder / f"{name}.png", draw_png(display)) for name, display in drawn.items())


def _name(run: LoggedRun) -> str:
    return f"{run.run_id[:SHORT]} {run.tags.get('used', run.kind)}"


def _pair(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, Change]:
    """Both values by name, in the order of the first."""
    return {name: (first.get(name), second.get(name)) for name in dict.fromkeys((*first, *second))}


def _keep_changed(pairs: Mapping[str, Change]) -> dict[str, Change]:
    return {name: (first, second) for name, (first, second) in pairs.items() if first != second}


def _say_gate(gate: Mapping[str, Any]) -> str:
    figure = "" if gate["figure"] is None else f" {gate['figure']:.2f}"
    return ("passed" if gate["passed"] else "failed") + figure


def _subtract(first: Mapping[str, float | None], second: Mapping[str, float | None]) -> float | None:
    a, b = first["value"], second["value"]
    return None if a is None or b is None else b - a


def _say_difference(first: Mapping[str, float | None], second: Mapping[str, float | None]) -> str:
    difference = _subtract(first, second)
    return "" if difference is None else f"{difference:+.3f}"
