"""What re-pointing found: every rung's old and new points, the evidence, and the decision in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.protocols import Floats
from pls_ml.scores.card import Scorecard
from pls_ml.scores.increments import CardIncrements
from pls_ml.scores.ladder import CardRow, Rung

Verdict = Literal["keep", "change", "retire"]


@dataclass(frozen=True)
class RungChange:
    """One rung: old and new points, what the outcomes alone would give with its 95 % interval's ends, and the decision with its reason.

    `rows` and `won` count the rows that earn these points; `low` and `high` are None where nobody does, or a point has no worth.
    """

    row: str
    test: str
    old: int
    new: int
    low: float | None
    high: float | None
    rows: int
    won: int
    decision: Verdict
    reason: str


@dataclass(frozen=True)
class BandChange:
    """A band, whose bound stays: the shares of the rows that are in it with old and new points, and the bound that would keep the share.

    More exactly, with `keeping` no more rows than before would reach this band or a better one, the gate left out.
    """

    name: str
    bound: float
    old: float
    new: float
    keeping: float


@dataclass(frozen=True)
class HeldOut:
    """Mean log loss on later rows: of the card as it was, of its best other points, and one standard error of their difference."""

    old: float
    new: float
    error: float


@dataclass(frozen=True)
class Rounding:
    """Mean log loss on all rows with the points as fitted, and with whole points."""

    continuous: float
    whole: float

    @property
    def loss(self) -> float:
        """What rounding costs."""
        return self.whole - self.continuous


@dataclass(frozen=True)
class Repointing:
    """The card to use, whether it changed and why, rung by rung, and what the points rest on.

    `spread` is how far a rung was let from the card, as a standard deviation in log-odds (0: not at all); `worth` is what one point is
    worth in log-odds. `held_out` and `rounding` are None where there was nothing to check on.
    """

    card: Scorecard
    changed: bool
    reason: str
    rungs: tuple[RungChange, ...]
    bands: tuple[BandChange, ...]
    missing_rows: tuple[str, ...]
    spread: float
    worth: float
    held_out: HeldOut | None
    rounding: Rounding | None

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        found = asdict(self) | {"card": self.card.model_dump(mode="json", exclude_none=True)}
        return found | {"rounding": asdict(self.rounding) | {"loss": self.rounding.loss} if self.rounding else None}


@dataclass(frozen=True)
class Evidence:
    """What is known of r rungs: whether their signal is there, rows and wins that earn them, and r × 2 interval ends (NaN: none)."""

    known: npt.NDArray[np.bool_]
    rows: Floats
    won: Floats
    intervals: Floats


def describe_changes(parts: CardIncrements, points: Floats, evidence: Evidence, changed: bool) -> Iterator[RungChange]:
    """Takes the card's increments, r new whole points, the evidence, and whether the card changed; yields each rung's change."""
    beyond = parts.split(points)
    rungs = [(row, rung) for row in parts.card.rows for rung in row.rungs]
    for place, ((row, rung), own) in enumerate(zip(rungs, parts.own, strict=True)):
        new, rows, (low, high) = int(points[place]), int(evidence.rows[place]), evidence.intervals[place]
        verdict: tuple[Verdict, str]
        if own is None:
            verdict = "keep", "the row gives no points, so it has no sign to learn in"
        elif parts.increments[own] and not beyond[own]:
            verdict = "retire", "the outcomes give it nothing" + (" beyond the rung before it" if new else "")
        elif new == rung.points:
            verdict = "keep", _explain_keep(bool(evidence.known[place]), rows > 0, changed)
        else:
            unsure = "; the old points would do too" if low <= rung.points <= high else ""
            weight = "more" if abs(new) > abs(rung.points) else "less"
            verdict = "change", f"the outcomes give it {weight} weight{unsure}" if rows else "it moves with its ladder; nobody earns it"
        ends = [None if np.isnan(end) else float(end) for end in (low, high)]
        yield RungChange(
            row.id, _name_test(row, rung), rung.points, new, ends[0], ends[1], rows, int(evidence.won[place]), verdict[0], verdict[1]
        )


def compare_bands(old: Scorecard, new: Scorecard, signals: pd.DataFrame) -> Iterator[BandChange]:
    """Takes a card before and after, and n signal rows; yields how each band but the last fills before and after."""
    scores = [card.score_leads(signals) for card in (old, new)]
    named = [card.find_bands(found) for card, found in zip((old, new), scores, strict=True)]
    ranked = np.sort(scores[1].score)[::-1]
    for band in old.bands:
        reaching = int(band.reached(scores[0].score).sum())
        keeping = float(ranked[reaching]) + 1 if reaching < len(ranked) else band.bound
        before, after = (float(np.mean(names == band.name)) for names in named)
        yield BandChange(band.name, band.bound, before, after, keeping)


def _explain_keep(known: bool, earned: bool, changed: bool) -> str:
    if not known:
        return "its signal is not in the data"
    if not earned:
        return "nobody earns it"
    return "the outcomes agree" if changed else "the card is kept as it is"


def _name_test(row: CardRow, rung: Rung) -> str:
    sign = "≥" if rung.gte is not None else ">" if rung.gt is not None else "<"
    return f"{rung.signal or row.signal} {sign} {rung.bound:g}"
