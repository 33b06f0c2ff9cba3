"""Why one lead's score moved between two moments, in words: what the lead did, another model, another calibrator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Any

import numpy as np

from pls_ml.core.windows import EPOCH
from pls_ml.explanations.policy import OTHER, OTHER_LABEL
from pls_ml.explanations.reasons import LEAST_LOG_ODDS, NO_REASON

DATA, MODEL, CALIBRATOR = PARTS = ("data", "model", "calibrator")
"""What a score can move by, in the order of the steps."""
MOST = 8
"""Lines of a part that a text spells out."""
ANEW = "calibrated anew"


@dataclass(frozen=True)
class Moment:
    """When a score was given, and by which model."""

    as_of: datetime
    version: str

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return {"as_of": self.as_of.isoformat(), "version": self.version}

    def to_text(self) -> str:
        """Takes nothing; returns both in words; a table without times has no moment."""
        day = "" if self.as_of == EPOCH else f"{self.as_of:%Y-%m-%d}" if self.as_of.time() == time() else f"{self.as_of:%Y-%m-%d %H:%M}"
        return f"on {day} by {self.version}" if day else f"by {self.version}"


@dataclass(frozen=True)
class ChangeLine:
    """One line of a change: its part, its signal (empty for a line of none), its share, and the value then and now, in words."""

    part: str
    signal: str
    log_odds: float
    probability: float
    label: str
    family: str
    rep_visible: bool
    before: str
    after: str

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return {name: value for name, value in asdict(self).items() if name != "rep_visible"}

    def to_text(self) -> str:
        """Takes nothing; returns what changed, in words."""
        if self.part == CALIBRATOR:
            return ANEW
        if self.part == MODEL:
            value = self.after if self.before == self.after else f"{self.before} → {self.after}"
            return f"weighed differently, {self.label}{': ' if value else ''}{value}"
        if not self.before and not self.after:
            return self.label
        return f"{self.label}: " + (f"{self.after}, as before" if self.before == self.after else f"{self.before} → {self.after}")


@dataclass(frozen=True)
class ChangeReceipt:
    """Why one lead's score moved: `before` plus all lines is `after`; lines part by part, each from its largest on."""

    lead_id: str
    then: Moment
    now: Moment
    before: float
    after: float
    lines: tuple[ChangeLine, ...]

    @property
    def shown(self) -> tuple[ChangeLine, ...]:
        """The lines as people see them: what the policy hides is one line 'other' in each part, so that the sum stays true."""
        return tuple(line for part in PARTS for line in self._fold(part))

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values of what people see."""
        then, now = (
            moment.to_dict() | {"score": score, "log_odds": _log_odds(score)}
            for moment, score in ((self.then, self.before), (self.now, self.after))
        )
        parts = {part: _total([line for line in self.lines if line.part == part]) for part in PARTS}
        whole = {"log_odds": now["log_odds"] - then["log_odds"], "probability": self.after - self.before}
        lines = [line.to_dict() for line in self.shown]
        return {"lead_id": self.lead_id, "then": then, "now": now, "change": whole, "parts": parts, "lines": lines}

    def to_text(self, most: int | None = MOST) -> str:
        """Takes how many lines of each part to spell out (None: all); returns the change as aligned lines that add up."""
        rows = [(line_text, f"{share:+8.2%}") for line_text, share in self._rows(most)]
        ends = [(f"score {self.then.to_text()}", f"{self.before:8.2%}"), (f"score {self.now.to_text()}", f"{self.after:8.2%}")]
        width = max(len(text) for text, _ in (*ends, *rows))
        head = [] if self._has_reason() else [f"  {'nothing changed' if not rows else NO_REASON}"]
        return "\n".join([*head, *(f"  {text:<{width}}  {share}" for text, share in (ends[0], *rows, ends[1]))])

    def _repr_html_(self) -> str:
        from html import escape

        rows = [(f"score {self.then.to_text()}", f"{self.before:.2%}"), *((text, f"{share:+.2%}") for text, share in self._rows(None))]
        rows.append((f"score {self.now.to_text()}", f"{self.after:.2%}"))
        head = f"<caption>{escape(self.lead_id)}: {self.before:.1%} → {self.after:.1%}</caption>"
        return f"<table>{head}{''.join(f'<tr><td>{escape(text)}</td><td>{share}</td></tr>' for text, share in rows)}</table>"

    def _rows(self, most: int | None) -> Iterator[tuple[str, float]]:
        for part in PARTS:
            lines = [line for line in self.shown if line.part == part]
            yield from ((line.to_text(), line.probability) for line in lines[:most])
            if most is not None and (rest := lines[most:]):
                what = ("change", "changes") if part == DATA else ("difference of the models", "differences of the models")
                yield f"{len(rest)} smaller {what[len(rest) > 1]}", _total(rest)["probability"]

    def _fold(self, part: str) -> list[ChangeLine]:
        own = [line for line in self.lines if line.part == part]
        seen, hidden = [x for x in own if x.rep_visible], [x for x in own if not x.rep_visible]
        if hidden:
            seen.append(ChangeLine(part, OTHER, **_total(hidden), label=OTHER_LABEL, family=OTHER, rep_visible=True, before="", after=""))
        return sorted(seen, key=lambda line: (-abs(line.probability), line.signal))

    def _has_reason(self) -> bool:
        return any(abs(line.log_odds) > LEAST_LOG_ODDS for line in self.shown)


def _total(lines: list[ChangeLine]) -> dict[str, float]:
    return {name: float(sum(getattr(line, name) for line in lines)) for name in ("log_odds", "probability")}


def _log_odds(probability: float) -> float:
    return float(np.log(probability) - np.log1p(-probability))
