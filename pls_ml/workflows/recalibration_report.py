"""What a recalibration found and did, as a value that prints, draws in a notebook, and turns into JSON."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from pls_ml.evaluation.tables import render_html, render_text
from pls_ml.evaluation.upkeep import Action, Upkeep

SAID: dict[Action, str] = {
    "nothing": "nothing to do",
    "intercept": "intercept refitted",
    "slope": "calibrator refitted",
    "retrain": "retrain",
}
EXIT_CODES: dict[Action, int] = {"nothing": 99, "intercept": 0, "slope": 0, "retrain": 6}
HEADER = ("figure", "value", "95 % interval")


@dataclass(frozen=True)
class RecalibrationReport:
    """The model judged, on which newly matured leads, what they show, what was done and why, and the version it made (None: none)."""

    version: str
    used: str
    accounts: int
    first: str
    last: str
    upkeep: Upkeep
    action: Action
    reasons: tuple[str, ...]
    new_version: str | None
    calibrators: dict[str, dict[str, Any]]
    """By scorer, those of the new version; empty where there is none."""
    notes: tuple[str, ...]
    tracked: str | None

    @property
    def exit_code(self) -> int:
        """What the command ends with: 0 for a new version, 99 for nothing to do, 6 where only a training helps."""
        return EXIT_CODES[self.action]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        names = ("version", "used", "accounts", "first", "last", "action", "new_version", "calibrators", "tracked")
        return (
            {name: getattr(self, name) for name in names}
            | {"reasons": list(self.reasons), "notes": list(self.notes)}
            | self.upkeep.to_dict()
        )

    def to_text(self) -> str:
        """Takes nothing; returns the verdict, its reasons, the figures they rest on, and what to do next."""
        lines = [self._verdict(), *(f"  {reason}" for reason in self.reasons), "", *render_text(HEADER, self._rows())]
        if self.new_version:
            made = self.calibrators[self.used]
            lines += ["", f"model {self.new_version} is saved: {made['kind']} on {made['rows']:,} rows, {made['positives']:,} won"]
            lines.append(f"scorers and champion are as before: `pls-ml promote {self.new_version}` lets it score")
        if self.action == "retrain":
            lines += ["", "a new calibrator would not mend this: run `pls-ml train`"]
        lines += ["", *(f"note: {note}" for note in self.notes)] if self.notes else []
        return "\n".join([*lines, *([self.tracked] if self.tracked else [])])

    def _repr_html_(self) -> str:
        reasons = "".join(f"<li>{escape(reason)}</li>" for reason in self.reasons)
        return f"<p>{escape(self._verdict())}</p><ul>{reasons}</ul>" + render_html(HEADER, self._rows())

    def _verdict(self) -> str:
        found = self.upkeep
        leads = f"{found.rows:,} leads of {self.accounts:,} accounts, {self.first} to {self.last}, {found.won:,} won"
        return f"{SAID[self.action]}: {self.used} {self.version} on newly matured outcomes ({leads})"

    def _rows(self) -> list[tuple[str, str, str]]:
        found = self.upkeep
        rows = [(n.replace("_", " "), f"{e.value:.3f}", f"{e.low:.3f} to {e.high:.3f}") for n, e in found.figures.items()]
        bound = f"{found.bound_of}'s lower bound {found.lower_bound:.3f}" if found.lower_bound is not None else ""
        rows += [(f"roc auc {w.month}", f"{w.roc_auc:.3f}", f"{w.won:,} won; {bound}") for w in found.windows if w.roc_auc is not None]
        for one in found.drifts:
            rows.append((f"PSI {one.signal} ({one.share:.0%})", f"{one.drift.value:.3f}", f"{one.drift.low:.3f} to {one.drift.high:.3f}"))
        return rows
