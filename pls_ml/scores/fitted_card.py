"""A scorecard found in the data: at most ten signals, small whole points, and how much they lose against points that need not be whole.

After Ustun and Rudin 2019, "Learning optimized risk scores" (small integers, moved one at a time) and Liu et al. 2022, "FasterRisk"
(a sparse continuous solution first, then the best of several multipliers); the search for it is greedy instead of exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Self

import numpy as np

from pls_ml.core.protocols import Floats
from pls_ml.scores.card import Band, Scorecard
from pls_ml.scores.grouped_logistic import Groups, Index, Pull, Tally, fit_nonnegative
from pls_ml.scores.ladder import CardRow, Rung
from pls_ml.scores.learned_card import Fold, LearnedCard, MaturedRows, find_simplest
from pls_ml.scores.rung_search import SPREAD, Bins, Cut, Grown, grow_cuts
from pls_ml.scores.scorecard import ScorecardClassifier

MOST_POINTS = 10
"""Of one row."""
TOP = 0.10
"""The share of the rows that the card's band holds at most."""


@dataclass(frozen=True)
class Certificate:
    """Mean log loss on the rows of the fit: of the card, and the least that any points of its rungs could reach."""

    card: float
    optimum: float

    @property
    def gap(self) -> float:
        """What whole points lose."""
        return self.card - self.optimum


class FittedCard(LearnedCard):
    """A card of few rows, fitted: ladders of up to three rungs on numeric signals, all points positive; text is left out.

    Rungs keep to the declared directions: a signal that should go up earns points from a threshold on, one that should go down below it.
    `certificate_` says what is lost by whole points; it and the card are None where no signal says enough.
    """

    kind = "fitted_card"

    def __init__(self, directions: Mapping[str, str] | None = None, most_rows: int = 10) -> None:
        """Takes each column's declared direction ('up', 'down', 'none') and how many rows the card may have."""
        self.directions = directions
        self.most_rows = most_rows

    def fit(self, X: Any, y: Any, sample_weight: Any = None, folds: Sequence[Fold] = (), accounts: Any = None) -> FittedCard:
        """Takes n × m signals, n labels of two classes, n weights, (fit, check) positions and n accounts (None: each row its own).

        With folds, the card has the fewest rungs whose log loss on the rows to check is within one standard error of the best number's.
        Without, each rung must reach the extended criterion of Chen and Chen (2008), ½ log(accounts) + log(rungs to choose from), which
        pure noise hardly ever does.
        """
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        rows = self._read_rows(X, y, sample_weight, accounts)
        with threadpool_limits(1, user_api="blas"):  # matrices this size are slower on several threads
            bins = Bins.learn(rows.signals, rows.weight, self.directions or {})
            if usable := rows.usable(folds):
                path = grow_cuts(bins, rows, self.most_rows)
                grown = path[self._choose_size(bins, rows, usable, len(path))]
            else:
                least = np.log(len(np.unique(rows.accounts[rows.weight > 0]))) / 2 + np.log(max(bins.size, 1))
                grown = grow_cuts(bins, rows, self.most_rows, float(least))[-1]
            made = _make_card(bins, rows, grown)
        self.certificate_ = made.certificate if made else None
        self.scorer_ = ScorecardClassifier(made.card if made else None).fit(rows.signals, y, sample_weight)
        if made:
            self.scorer_.intercept_, self.scorer_.slope_ = made.line
        return self

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return super().to_dict() | {"certificate": asdict(self.certificate_) if self.certificate_ else None}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Takes what `to_dict` gave; returns the fitted scorer."""
        scorer = super().from_dict(data)
        scorer.certificate_ = Certificate(**data["certificate"]) if data["certificate"] else None
        return scorer

    def _choose_size(self, bins: Bins, rows: MaturedRows, folds: Sequence[Fold], sizes: int) -> int:
        losses = []
        for fit, check in folds:
            path = grow_cuts(bins.take(fit), rows.take(fit), self.most_rows)
            later = bins.take(check)
            margins = np.array([path[min(size, len(path) - 1)].margins(later) for size in range(sizes)])
            losses.append(rows.weight[check] * (np.logaddexp(0.0, margins) - rows.labels[check] * margins))
        seen = np.concatenate([check for _, check in folds])
        return find_simplest(np.concatenate(losses, axis=1), rows.accounts[seen])


@dataclass(frozen=True)
class _Made:
    card: Scorecard
    certificate: Certificate
    line: tuple[float, float]


def _make_card(bins: Bins, rows: MaturedRows, grown: Grown) -> _Made | None:
    order = sorted(range(len(grown.cuts)), key=lambda place: _climb(grown.cuts[place]))
    cuts, coefficients = [grown.cuts[place] for place in order], grown.coefficients[order]
    groups = Groups.gather(bins.flags(cuts))
    tally = groups.tally(rows.labels, rows.weight)
    rounding = _Rounding(groups.flags, tally, np.unique([cut.signal for cut in cuts], return_inverse=True)[1])
    whole = rounding.polish(rounding.scale(coefficients)) if cuts else np.zeros(0, np.int64)
    if not whole.any():
        return None
    whole //= np.gcd.reduce(whole)
    score, line = groups.flags @ whole, rounding.fit_line(whole)
    intercept, free = fit_nonnegative(groups.flags, tally, start=coefficients)
    certificate = Certificate(*(tally.mean_loss(margins) for margins in (line[0] + line[1] * score, intercept + groups.flags @ free)))
    band = Band(name="Top tenth", gte=_find_top(score, tally.total))
    return _Made(Scorecard(id="fitted", bands=(band,), below="The rest", rows=_make_rows(bins, cuts, whole)), certificate, line)


def _climb(cut: Cut) -> tuple[int, int]:
    """Sorts cuts by signal, and along the ladder of each from the easiest on."""
    return cut.signal, -cut.at if cut.below else cut.at


@dataclass(frozen=True)
class _Rounding:
    """Whole increments for k rungs, sought by log loss; `ladders` tells which ladder each rung is part of, the easiest rung first."""

    flags: Floats
    tally: Tally
    ladders: Index

    def fit_line(self, increments: Index) -> tuple[float, float]:
        """Takes k increments; returns the intercept and the log-odds of a point that suit their card best, pulled as the increments are."""
        pull = Pull(np.zeros(1), np.array([[increments @ increments / SPREAD**2]]))
        intercept, slope = fit_nonnegative((self.flags @ increments)[:, None], self.tally, pull)
        return intercept, float(slope[0])

    def loss(self, increments: Index) -> float:
        """Takes k increments; returns the mean log loss of their card, its distance from no card at all added."""
        intercept, slope = self.fit_line(increments)
        pull = slope**2 * np.sum(increments**2) / (2 * SPREAD**2 * self.tally.total.sum())
        return float(self.tally.mean_loss(intercept + slope * (self.flags @ increments)) + pull)

    def scale(self, coefficients: Floats) -> Index:
        """Takes k coefficients; returns their best rounding over the multipliers that give the highest ladder 1 to 10 points."""
        top = np.bincount(self.ladders, coefficients).max()
        if top <= 0:
            return np.zeros(len(coefficients), np.int64)
        return min((self._round(coefficients * most / top) for most in range(1, MOST_POINTS + 1)), key=self.loss)

    def polish(self, increments: Index) -> Index:
        """Takes k whole increments; moves one at a time by one for as long as that lowers the loss; returns where this ends."""
        found, best, before = increments, self.loss(increments), np.inf
        while best < before:
            before = best
            for place, step in product(range(len(found)), (1, -1)):
                tried = found + step * (np.arange(len(found)) == place)
                allowed = tried[place] >= 0 and np.bincount(self.ladders, tried).max() <= MOST_POINTS
                if allowed and (loss := self.loss(tried)) < best - 1e-9:
                    found, best = tried, loss
        return found

    def _round(self, increments: Floats) -> Index:
        """Rounds the points of a ladder's rungs, not its increments, whose errors would add up."""
        whole = np.zeros(len(increments), np.int64)
        for ladder in np.unique(self.ladders):
            own = self.ladders == ladder
            whole[own] = np.diff(np.rint(increments[own].cumsum()), prepend=0.0).astype(np.int64)
        return whole


def _make_rows(bins: Bins, cuts: Sequence[Cut], whole: Index) -> tuple[CardRow, ...]:
    """The rows that earn most first; a rung that adds nothing is left out."""
    rungs: dict[int, list[Rung]] = {}
    for cut, increment in zip(cuts, whole, strict=True):
        if increment:
            ladder = rungs.setdefault(cut.signal, [])
            points = int(increment) + (ladder[-1].points if ladder else 0)
            bound = float(bins.thresholds[cut.signal][cut.at])
            ladder.append(Rung(points=points, lt=bound) if cut.below else Rung(points=points, gte=bound))
    best_first = sorted(rungs.items(), key=lambda item: -item[1][-1].points)
    return tuple(
        CardRow(id=bins.names[signal], family="fitted", signal=bins.names[signal], rungs=tuple(ladder)) for signal, ladder in best_first
    )


def _find_top(score: Floats, weight: Floats) -> float:
    """The least score that at most a tenth of the rows reach; the highest one where more than that have it."""
    levels, place = np.unique(score, return_inverse=True)
    reaching = np.bincount(place, weight)[::-1].cumsum()[::-1] / weight.sum()
    return float([*levels[reaching <= TOP], levels[-1]][0])
