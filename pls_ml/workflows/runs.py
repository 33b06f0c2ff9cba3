"""`pls-ml runs`: the project's tracked runs as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pls_ml.core.errors import BundleError, suggest
from pls_ml.core.records import LoggedRun
from pls_ml.evaluation.tables import render_html, render_text
from pls_ml.workflows.project import Project
from pls_ml.workflows.tracking import MAKE_BUNDLES, open_project_tracker

HEADER = ("run", "kind", "when", "model", "used", "precision at capacity", "log loss", "slope", "gates", "alias")
FIGURES = ("precision_at_capacity", "log_loss", "calibration_slope")
SHORT = 8
"""Signs of a run's id that are shown, and enough to name it."""
Estimate = Mapping[str, float | None]


@dataclass(frozen=True)
class RunTable:
    """Runs, the newest first; `parts` counts those that are a part of one of them, such as a search's trials, by its id."""

    runs: tuple[LoggedRun, ...]
    parts: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return {"runs": [self._describe(run) for run in self.runs]}

    def to_text(self) -> str:
        """Takes nothing; returns the table, as wide as a console."""
        if not self.runs:
            return "no run is tracked yet: `pls-ml train --track` writes the first one"
        return "\n".join(render_text(HEADER, self._rows()))

    def _repr_html_(self) -> str:
        return render_html(HEADER, self._rows())

    def _rows(self) -> list[tuple[str, ...]]:
        return [self._row(run) for run in self.runs]

    def _row(self, run: LoggedRun) -> tuple[str, ...]:
        precision, loss, slope = (read_estimate(run, run.tags.get("used", ""), figure) for figure in FIGURES)
        parts = f" ({self.parts[run.run_id]} trials)" if self.parts.get(run.run_id) else ""
        when, used = f"{run.started:%Y-%m-%d %H:%M}", run.tags.get("used", "")
        figures = (say_estimate(precision), *(_say_number(found["value"]) for found in (loss, slope)))
        return (run.run_id[:SHORT], run.kind + parts, when, run.version or "", used, *figures, _say_gates(run), ", ".join(run.aliases))

    def _describe(self, run: LoggedRun) -> dict[str, Any]:
        used = run.tags.get("used")
        plain = {"run": run.run_id, "kind": run.kind, "when": run.started.isoformat(), "version": run.version, "used": used}
        gates = {
            "gates": run.tags.get("gates"),
            "accepted": run.tags.get("gates_accepted"),
            "refused": "refused" in run.tags,
            "aliases": list(run.aliases),
        }
        return (
            plain
            | {figure: read_estimate(run, used or "", figure) for figure in FIGURES}
            | gates
            | {"parts": self.parts.get(run.run_id, 0)}
        )


def list_runs(project: Project) -> RunTable:
    """Takes a project; returns its tracked runs; refuses where tracking is switched off."""
    found = open_project_tracker(project).list_runs(project.config.project)
    return RunTable(tuple(run for run in found if run.parent is None), Counter(run.parent for run in found if run.parent))


def find_run(runs: Sequence[LoggedRun], wanted: str) -> LoggedRun:
    """Takes runs, the newest first, and the beginning of an id or a bundle version; returns that run.

    Of a version it is the run that made it. Refuses what is unknown, and a beginning that several ids share.
    """
    of_version = [run for run in runs if run.version == wanted]
    if of_version:
        return next((run for run in of_version if run.kind in MAKE_BUNDLES), of_version[0])
    matching = [run for run in runs if wanted and run.run_id.startswith(wanted)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise BundleError(f"'{wanted}' begins the ids of {len(matching)} runs: give more of it; `pls-ml runs --json` prints whole ids")
    known = [name for run in runs for name in (run.run_id[:SHORT], run.version) if name]
    exists = f"the newest are {', '.join(dict.fromkeys(known[:6]))}" if known else "none is tracked yet; run `pls-ml train --track`"
    raise BundleError(f"no run '{wanted}'{suggest(wanted, known)}: {exists}")


def read_estimate(run: LoggedRun, candidate: str, figure: str) -> dict[str, float | None]:
    """Takes a run, a candidate and a figure; returns value, low and high, None for what was not measured."""
    name = f"{candidate}/{figure}".replace(" ", "_")
    return {part: run.metrics.get(f"{name}{ending}") for part, ending in (("value", ""), ("low", "_low"), ("high", "_high"))}


def say_estimate(found: Estimate) -> str:
    """Takes value, low and high; returns them as text, nothing for what was not measured."""
    if found["value"] is None:
        return ""
    interval = "" if found["low"] is None else f" ({_say_number(found['low'])} to {_say_number(found['high'])})"
    return _say_number(found["value"]) + interval


def _say_number(number: float | None) -> str:
    return "" if number is None else f"{number:.3f}"


def _say_gates(run: LoggedRun) -> str:
    accepted = run.tags.get("gates_accepted")
    refused = ", refused" if "refused" in run.tags else ""
    return run.tags.get("gates", "") + refused + (f", accepted {accepted}" if accepted else "")
