"""Wins seen against wins promised, by period or segment: small ones borrow from the others."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.errors import DataError
from pls_ml.evaluation.bootstrap import Estimate
from pls_ml.evaluation.reliability import check_probabilities
from pls_ml.evaluation.tables import render_html, render_text

Floats = npt.NDArray[np.float64]

Z95 = 1.959963984540054
HALF = 0.5
"""Added to wins seen and promised, so that a level without a win has a logarithm."""


@dataclass(frozen=True)
class LevelRatio:
    """One period or segment: its rows, wins, wins promised, their ratio alone, and the ratio pooled with the other levels."""

    level: str
    rows: int
    won: int
    expected: float
    ratio: float
    pooled: Estimate


@dataclass(frozen=True)
class PooledRatios:
    """Observed/expected by level of `by`; `spread` is how much levels differ beyond noise (standard deviation of log ratios)."""

    by: str
    spread: float
    levels: tuple[LevelRatio, ...]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        levels = [{**vars(level), "pooled": level.pooled.to_dict()} for level in self.levels]
        return {"by": self.by, "spread": self.spread, "levels": levels}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PooledRatios:
        """Takes what `to_dict` gave; returns the ratios."""
        levels = (LevelRatio(**level | {"pooled": Estimate.from_dict(level["pooled"])}) for level in data["levels"])
        return cls(data["by"], data["spread"], tuple(levels))

    def to_text(self) -> str:
        """Takes nothing; returns a table for a console, one line per level."""
        return "\n".join([self._title(), *render_text(*self._table())])

    def _repr_html_(self) -> str:
        return f"<p>{escape(self._title())}</p>" + render_html(*self._table())

    def _title(self) -> str:
        return f"observed/expected by {self.by}, small ones drawn to the common ratio; beyond noise they differ by ± {self.spread:.0%}"

    def _table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        return (self.by, "rows", "won", "expected", "alone", "pooled"), [_show(level) for level in self.levels]


def pool_ratios(by: str, levels: npt.ArrayLike, labels: npt.ArrayLike, probability: npt.ArrayLike, accounts: npt.ArrayLike) -> PooledRatios:
    """Takes what levels are, n levels, labels, probabilities and account ids; returns the ratio of every level, pooled.

    Normal random effects on log observed/expected: the spread between levels by moments (DerSimonian and Laird 1986, "Meta-analysis in
    clinical trials"), each level drawn to the common ratio by how little its own rows say (Efron and Morris 1975). A level's variance
    counts whole accounts, and is never below that of as many independent wins. Its 95 % intervals held the true ratio of 8 simulated
    levels 96 % of the time with leads alone in their account, 87 % with 60 accounts of ten leads that win together. Levels that
    share accounts, as months do, are treated as if they did not. Refuses lists of unequal length and probabilities outside [0, 1].
    """
    truth, promised = check_probabilities(labels, probability)
    names, groups = np.asarray(levels).astype(str), np.asarray(accounts).astype(str)
    if names.shape != truth.shape or groups.shape != truth.shape:
        raise DataError(f"{names.shape} levels and {groups.shape} accounts for {truth.size} labels: expected one each per row")
    found = sorted(set(names.tolist()))
    parts = [names == name for name in found]
    sums = [(float(truth[part].sum()), float(promised[part].sum())) for part in parts]
    ratios = np.array([np.log((won + HALF) / (expected + HALF)) for won, expected in sums])
    noise = np.array([_measure_noise(truth[part], promised[part], groups[part]) for part in parts])
    spread, values, errors = _pool(ratios, noise)
    return PooledRatios(
        by,
        spread,
        tuple(
            LevelRatio(name, int(part.sum()), int(won), expected, won / expected, _to_estimate(value, error))
            for name, part, (won, expected), value, error in zip(found, parts, sums, values, errors, strict=True)
        ),
    )


def _measure_noise(labels: Floats, probability: Floats, accounts: npt.NDArray[Any]) -> float:
    """The variance of a level's log ratio: from sums over accounts, as a ratio of totals has it (Cochran 1977, section 6.4)."""
    won, expected = labels.sum(), probability.sum()
    codes = np.unique(accounts, return_inverse=True)[1]
    off = np.bincount(codes, labels - won / expected * probability)
    clustered = off @ off * off.size / max(off.size - 1, 1) / (won + HALF) ** 2
    return float(max(clustered, 1 / (won + HALF)))


def _pool(ratios: Floats, noise: Floats) -> tuple[float, Floats, Floats]:
    """Takes k log ratios and their variances; returns the spread between them, the pooled log ratios and their standard errors."""
    weight = 1 / noise
    common = weight @ ratios / weight.sum()
    room = weight.sum() - weight @ weight / weight.sum()
    excess = weight @ (ratios - common) ** 2 - (ratios.size - 1)
    between = max(0.0, float(excess / room)) if ratios.size > 1 else 0.0
    weight = 1 / (noise + between)
    common = weight @ ratios / weight.sum()
    own = between / (between + noise)
    errors = np.sqrt(own * noise + (1 - own) ** 2 / weight.sum())
    return float(np.sqrt(between)), own * ratios + (1 - own) * common, errors


def _to_estimate(value: float, error: float) -> Estimate:
    low, high = value - Z95 * error, value + Z95 * error
    return Estimate(*(float(np.exp(number)) for number in (value, low, high)))


def _show(level: LevelRatio) -> tuple[str, ...]:
    pooled = level.pooled
    counts = level.level, f"{level.rows:,}", f"{level.won:,}", f"{level.expected:,.1f}", f"{level.ratio:.2f}"
    return *counts, f"{pooled.value:.2f} ({pooled.low:.2f}–{pooled.high:.2f})"
