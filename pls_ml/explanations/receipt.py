"""One lead's receipt as people see it: every line that the policy hides is part of one line 'other', so that the sum stays true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from pls_ml.explanations.policy import show_lines
from pls_ml.explanations.wording import Line

START = "starting point"
"""The base in words: the average lead of a model, a lead with 0 points of a card."""
NOT_SHOWN = "not shown"
"""What stands for the values of what the policy hides."""


@dataclass(frozen=True)
class Parts:
    """A raw score, a log-odds before calibration, in two parts: what the start says, and what trees add to it."""

    start: str
    start_score: float
    learned: float

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values, with the raw score that both sum to."""
        return {"start": self.start, "start_score": self.start_score, "learned": self.learned, "raw_score": self.start_score + self.learned}

    def to_text(self) -> str:
        """Takes nothing; returns the sum in words."""
        return f"{self.start} {self.start_score:+.2f} + learned {self.learned:+.2f} = raw score {self.start_score + self.learned:+.2f}"


@dataclass(frozen=True)
class Family:
    """What the signals of one family give together."""

    family: str
    log_odds: float
    probability: float
    points: float | None

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return asdict(self)


@dataclass(frozen=True, repr=False)
class Receipt:
    """One lead's receipt: `base` plus all lines is `score`, the calibrated probability; lines run from the largest on.

    `points` is the score of a card, the sum of its lines' points; None of other scorers.
    """

    lead_id: str
    score: float
    base: float
    base_log_odds: float
    lines: tuple[Line, ...]
    parts: Parts | None = None
    points: float | None = None

    @property
    def shown(self) -> tuple[Line, ...]:
        """The lines with a share, as reps see them: what the policy hides is one line 'other', so that the sum stays true."""
        told = [line for line in self.lines if line.log_odds != 0 or line.points]
        lines = pd.DataFrame([line.to_dict() | {"lead_id": self.lead_id} for line in told])
        if lines.empty:
            return ()
        seen = show_lines(lines, {line.signal for line in told if line.rep_visible}).drop(columns="lead_id").assign(rep_visible=True)
        numbers = {name: [or_none(x) for x in seen[name]] for name in ("percentile", "points")}
        whole = [row | {name: of[n] for name, of in numbers.items()} for n, row in enumerate(seen.to_dict("records"))]
        return tuple(Line(**{str(name): value for name, value in row.items()}) for row in whole)

    @property
    def families(self) -> tuple[Family, ...]:
        """The shown lines summed by family, the largest first."""
        groups: dict[str, list[Line]] = {}
        for line in self.shown:
            groups.setdefault(line.family, []).append(line)
        found = [Family(f, sum(x.log_odds for x in g), sum(x.probability for x in g), _sum_points(g)) for f, g in groups.items()]
        return tuple(sorted(found, key=lambda one: (-abs(one.probability), one.family)))

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values of what people see."""
        head = {"lead_id": self.lead_id, "score": self.score, "base": self.base, "base_log_odds": self.base_log_odds}
        return head | {
            "lines": [{name: value for name, value in line.to_dict().items() if name != "rep_visible"} for line in self.shown],
            "families": [one.to_dict() for one in self.families],
            "parts": self.parts.to_dict() if self.parts else None,
            "points": self.points,
        }

    def to_explanation(self) -> Any:
        """Takes nothing; returns this receipt as a `shap.Explanation` in probability: `shap.plots.waterfall` draws it."""
        import shap

        values = np.array([line.probability for line in self.shown], dtype=np.float64)
        words = np.array([line.value or NOT_SHOWN for line in self.shown], dtype=object)
        return shap.Explanation(values=values, base_values=self.base, data=words, feature_names=[line.label for line in self.shown])

    def to_text(self, most: int | None = None) -> str:
        """Takes how many lines to spell out (None: all); returns the receipt as aligned lines that add up.

        Of a card, every line also has its points. Where trees correct a card, a last line says what each of them gives.
        """
        lines = self.shown
        rows = [(START, 0.0, self.base)]
        rows += [(f"{x.label}{': ' if x.value else ''}{x.value}", x.points or 0.0, x.probability) for x in lines[:most]]
        if most is not None and (rest := lines[most:]):
            rows.append((f"{len(rest)} smaller signals", _sum_points(rest) or 0.0, sum(x.probability for x in rest)))
        width = max(len(text) for text, _, _ in rows)
        body = [f"  {text:<{width}}  {self._say_points(points, '+')}{share:+8.2%}" for text, points, share in rows]
        last = [f"  {self.parts.to_text()}"] if self.parts else []
        return "\n".join([*body, f"  {'score':<{width}}  {self._say_points(self.points or 0.0, '')}{self.score:8.2%}", *last])

    def _say_points(self, points: float, sign: str) -> str:
        return "" if self.points is None else f"{points:{sign}8.4g} points  "

    def __repr__(self) -> str:
        return f"{self.lead_id}\n{self.to_text()}"

    def _repr_html_(self) -> str:
        from html import escape

        body = "".join(f"<tr><td>{escape(x.label)}</td><td>{escape(x.value)}</td><td>{x.probability:+.2%}</td></tr>" for x in self.shown)
        head = f"<caption>{escape(self.lead_id)}: {self.score:.1%}</caption><tr><td>{START}</td><td></td><td>{self.base:.2%}</td></tr>"
        foot = f"<tr><td>{escape(self.parts.to_text())}</td><td></td><td></td></tr>" if self.parts else ""
        return f"<table>{head}{body}{foot}</table>"


def or_none(number: float | None) -> float | None:
    """Takes a number; returns it, or None where it is none."""
    return None if number is None or np.isnan(number) else float(number)


def _sum_points(lines: Sequence[Line]) -> float | None:
    known = [line.points for line in lines if line.points is not None]
    return sum(known) if known else None
