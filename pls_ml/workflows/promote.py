"""`pls-ml promote`: make one trained model the champion that scores, once it has passed its gates; nothing else ever does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pls_ml.core.errors import BundleError, ConfigError, GateError, suggest
from pls_ml.core.files import write_json
from pls_ml.core.locks import hold_alone
from pls_ml.evaluation.gates import BETTER, CALIBRATED, EXPECTED, GATES, Gate, replace_gates, say_gates
from pls_ml.evaluation.tables import render_html, render_text
from pls_ml.workflows.bundle import Bundle, load_bundle, read_pointer
from pls_ml.workflows.champion import judge_against_champion
from pls_ml.workflows.project import Project
from pls_ml.workflows.tracking import open_project_tracker, track

POINTER = "champion.json"
HEADER = ("gate", "verdict", "why")
KEPT = 20
"""How many champions before this one are remembered."""


@dataclass(frozen=True)
class Promotion:
    """Who scores now and who did before (None: nobody), the verdicts, and which failed ones were accepted; `tracked` says where."""

    version: str
    before: str | None
    gates: tuple[Gate, ...]
    accepted: tuple[str, ...]
    tracked: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        gates = [gate.to_dict() for gate in self.gates]
        return {"version": self.version, "before": self.before, "gates": gates, "accepted": list(self.accepted), "tracked": self.tracked}

    def to_text(self) -> str:
        """Takes nothing; returns who scores now, every verdict, and where it was written down."""
        before = f"before: {self.before}" if self.before else "before: none"
        head = [f"champion: {self.version} ({'already' if self.before == self.version else before})"]
        table = render_text(HEADER, self._rows()) if self.gates else []
        return "\n".join([*head, *table, *([self.tracked] if self.tracked else [])])

    def _repr_html_(self) -> str:
        return render_html(HEADER, self._rows())

    def _rows(self) -> list[tuple[str, str, str]]:
        return [(gate.name, _say(gate, self.accepted), gate.sentence) for gate in self.gates]


def promote(project: Project, version: str | None = None, accept: Sequence[str] = ()) -> Promotion:
    """Takes a project, a version (None: the newest) and names of gates that need not pass; makes it the champion; returns the verdicts.

    Here and, where it was tracked, in the tracker. Nothing happens to one that is the champion already. Refuses a model that fails a
    gate which is not accepted, naming it.
    """
    for name in accept:
        if name not in GATES:
            raise ConfigError(f"there is no gate '{name}'{suggest(name, GATES)}: expected one of {', '.join(GATES)}")
    wanted = version or read_pointer(project, "newest")
    if wanted is None:
        raise BundleError(f"no model in {project.models}: train one with `pls-ml train`")
    bundle = load_bundle(project, wanted)
    with hold_alone(project.models / ".promote.lock", "the champion"):
        before = read_pointer(project, "champion")
        gates = _judge(project, bundle, before)
        failed = [gate for gate in gates if not gate.passed]
        promotion = Promotion(bundle.version, before, gates, tuple(gate.name for gate in failed if gate.name in accept))
        if before == bundle.version:
            return promotion
        if open_gates := [gate for gate in failed if gate.name not in accept]:
            _write_down(project, promotion, refused=True)
            raise GateError(_explain(promotion, open_gates))
        return _crown(project, promotion, [] if before is None else [before, *_read_history(project)])


def roll_back(project: Project) -> Promotion:
    """Takes a project; makes the champion before this one the champion again; refuses where there was none."""
    with hold_alone(project.models / ".promote.lock", "the champion"):
        before, history = read_pointer(project, "champion"), _read_history(project)
        if not history:
            raise BundleError(f"there is no champion before {before or 'the first one'} in {project.models}: promote a version by its name")
        bundle = load_bundle(project, history[0])
        return _crown(project, Promotion(bundle.version, before, (), ()), history[1:])


def _judge(project: Project, bundle: Bundle, champion: str | None) -> tuple[Gate, ...]:
    """The verdicts of the training, and those against the champion where there is another one."""
    frozen = bundle.facts.get("gates")
    if frozen is None:
        raise BundleError(f"model {bundle.version} has no gates to pass: train it again")
    gates = tuple(Gate(**gate) for gate in frozen)
    if champion in (None, bundle.version):
        return gates
    if bundle.facts.get("recalibration", {}).get("from") == champion:  # the champion with other probabilities, and nothing else is new
        return tuple(gate for gate in gates if gate.name in (CALIBRATED, EXPECTED))
    return replace_gates(gates, judge_against_champion(project, bundle, str(champion)))


def _crown(project: Project, promotion: Promotion, history: Sequence[str]) -> Promotion:
    """Tells the tracker, then writes the pointer in one step: where either fails, the old champion still scores, and a rerun heals."""
    tracked = _write_down(project, promotion, refused=False)
    earlier = [version for version in dict.fromkeys(history) if version != promotion.version]
    write_json(_pointer(project), {"version": promotion.version, "history": earlier[:KEPT], "accepted": list(promotion.accepted)})
    return replace(promotion, tracked=tracked)


def _write_down(project: Project, promotion: Promotion, refused: bool) -> str | None:
    """Gives the alias and logs the verdicts; a model that was not tracked has no place in the tracker, and none is made for it."""
    tracker = open_project_tracker(project)
    if tracker.kind == "none":
        return None
    if not any(run.version == promotion.version for run in tracker.list_runs(project.config.project)):
        project.progress.note(f"model {promotion.version} was not tracked, so the tracker has no alias for it: train with `--track`")
        return None
    if not refused:
        tracker.set_champion(promotion.version)
    return track(project, "promote", promotion.to_dict() | {"refused": refused, "history": _read_history(project)}).line


def _explain(promotion: Promotion, failed: Sequence[Gate]) -> str:
    """Which gates failed, and what to do."""
    named = " ".join(f"--accept {gate.name}" for gate in failed)
    stay = "let the rules score (`model.use: rules`), " if promotion.before is None and BETTER in {gate.name for gate in failed} else ""
    said = say_gates(failed).partition("; ")[2]
    return f"model {promotion.version} is not promoted; {said}; {stay}train a better one, or promote it with `{named}`"


def _say(gate: Gate, accepted: Sequence[str]) -> str:
    return "passed" if gate.passed else "accepted" if gate.name in accepted else "failed"


def _pointer(project: Project) -> Path:
    return project.models / POINTER


def _read_history(project: Project) -> list[str]:
    path = _pointer(project)
    return list(json.loads(path.read_text(encoding="utf-8")).get("history", [])) if path.is_file() else []
