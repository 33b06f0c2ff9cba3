"""From the expert's card towards matured outcomes: other points for the same rungs, no further from the card than later rows bear out.

A logistic regression with one coefficient per increment of a ladder. Its prior is the card: coefficient ~ N(worth × the card's increment,
spread²). The worth, the log-odds of one point, is common to all rungs; it is the card's own slope at spread 0, else fitted along with
the coefficients. No increment may be negative, which keeps signs and orders. Coefficients divided by the worth are points on the card's
own scale. This is ridge regression towards a target in place of zero (van Wieringen 2015, "Lecture notes on ridge regression").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pls_ml.core.protocols import Floats
from pls_ml.scores.card import Scorecard
from pls_ml.scores.card_changes import Evidence, HeldOut, Repointing, Rounding, compare_bands, describe_changes
from pls_ml.scores.grouped_logistic import Pull, Tally, fit_nonnegative
from pls_ml.scores.increments import CardIncrements
from pls_ml.scores.learned_card import Fold, LearnedCard, MaturedRows, find_simplest, standard_error
from pls_ml.scores.scorecard import ScorecardClassifier

SPREADS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""How far a rung may lie from the card, in log-odds: from hardly at all to as good as free."""
LEAST_WON = 30
"""Wins among the rows to check below which one standard error means nothing."""
ENDS = (0.025, 0.975)


def repoint_card(card: Scorecard, rows: MaturedRows, folds: Sequence[Fold], resamples: Iterable[Floats] = ()) -> Repointing:
    """Takes an additive card, matured rows, (fit, check) positions forward in time, and blocks of b × n weights of resampled accounts.

    Returns the card with other points if later rows bear them out, else as it was. The spread is the least whose log loss on the rows
    to check is within one standard error (of the difference, rows summed by account) of the best spread's, and never above the card's.
    Intervals are percentiles over the resamples of what the outcomes alone give: at the widest spread, with the worth held. Without
    resamples there are none. Refuses a card with blocks or a multiplier.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    parts = CardIncrements.read(card, rows.signals)
    if not rows.decides():
        return _keep(parts, rows, "there are no rows of both outcomes to learn from")
    with threadpool_limits(1, user_api="blas"):  # matrices this size are slower on several threads
        tally = parts.groups.tally(rows.labels, rows.weight)
        path = _fit_path(parts, tally)
        if not path.worths[0]:
            return _keep(parts, rows, "leads with more points are not won more often, so a point is worth nothing: check the card first")
        place, held_out = _choose_spread(parts, rows, folds)
        return _conclude(_Found(parts, rows, tally, path, place, held_out), resamples)


class RepointedCard(LearnedCard):
    """The card re-pointed on the rows it is fitted on; `repointing_` says what changed and why.

    Without folds nothing can be checked on later rows, and the card stays as it is.
    """

    kind = "repointed"

    def __init__(self, card: Scorecard | None = None) -> None:
        """Takes the expert's card."""
        self.card = card

    def fit(self, X: Any, y: Any, sample_weight: Any = None, folds: Sequence[Fold] = (), accounts: Any = None) -> RepointedCard:
        """Takes n × m signals, n labels of two classes, n weights, (fit, check) positions and n accounts (None: each row its own)."""
        rows, card = self._read_rows(X, y, sample_weight, accounts), self.card
        if card is not None:
            self.repointing_ = repoint_card(card, rows, folds)
            card = self.repointing_.card
        self.scorer_ = ScorecardClassifier(card).fit(rows.signals, y, sample_weight)
        return self


@dataclass(frozen=True)
class _Path:
    """Points (not yet whole) and the worth of one, at spread 0 and at each of `SPREADS`; `last` are the coefficients at the last."""

    points: list[Floats]
    worths: list[float]
    last: Floats


@dataclass(frozen=True)
class _Found:
    parts: CardIncrements
    rows: MaturedRows
    tally: Tally
    path: _Path
    place: int
    held_out: HeldOut | None


def _fit_path(parts: CardIncrements, tally: Tally) -> _Path:
    card = parts.increments
    size = max(float(card @ card), 1.0)
    _, worth = _fit_line(parts.groups.flags @ parts.points, tally)
    points, worths, coefficients = [parts.points], [worth], worth * card
    for spread in SPREADS:
        # The common worth is fitted along by leaving the direction of the card itself without a pull.
        strength = (np.eye(len(card)) - np.outer(card, card) / size) / spread**2
        _, coefficients = fit_nonnegative(parts.design, tally, Pull(np.zeros(len(card)), strength), coefficients)
        worth = float(coefficients @ card) / size
        points.append(parts.steps @ coefficients / worth if worth > 0 else parts.points)
        worths.append(worth)
    return _Path(points, worths, coefficients)


def _fit_line(score: Floats, tally: Tally) -> tuple[Floats, float]:
    """Margins, and the log-odds that one point is worth."""
    intercept, slope = fit_nonnegative(score[:, None], tally)
    return intercept + slope[0] * score, float(slope[0])


def _choose_spread(parts: CardIncrements, rows: MaturedRows, folds: Sequence[Fold]) -> tuple[int, HeldOut | None]:
    """The place of the chosen spread, 0 for the card itself; judged by whole points, as they would be used."""
    usable = rows.usable(folds)
    seen = np.concatenate([np.zeros(0, np.int64), *(check for _, check in usable)])
    if rows.labels[seen].sum() < LEAST_WON:
        return 0, None
    losses = np.concatenate([_check_path(parts, rows, fold) for fold in usable], axis=1)
    accounts, totals = rows.accounts[seen], losses.sum(axis=1)
    allowed = np.flatnonzero(totals <= totals[0])
    place = int(allowed[find_simplest(losses[allowed], accounts)])
    other = place or 1 + int(totals[1:].argmin())
    weight = rows.weight[seen].sum()
    excess = np.bincount(pd.factorize(accounts)[0], losses[other] - losses[0]).astype(np.float64)
    return place, HeldOut(*(float(figure / weight) for figure in (totals[0], totals[other], standard_error(excess))))


def _check_path(parts: CardIncrements, rows: MaturedRows, fold: Fold) -> Floats:
    fit, check = fold
    tally = parts.groups.tally(rows.labels, rows.weight, fit)
    losses = []
    for points in _fit_path(parts, tally).points:
        margins = _fit_line(parts.groups.flags @ np.rint(points), tally)[0][parts.groups.place[check]]
        losses.append(rows.weight[check] * (np.logaddexp(0.0, margins) - rows.labels[check] * margins))
    return np.array(losses)


def _conclude(found: _Found, resamples: Iterable[Floats]) -> Repointing:
    parts, points, worth = found.parts, found.path.points[found.place], found.path.worths[found.place]
    whole = np.rint(points)
    changed = bool((whole != parts.points).any())
    evidence = _gather_evidence(parts, found.rows, _find_intervals(found, worth, resamples))
    losses = [found.tally.mean_loss(_fit_line(parts.groups.flags @ given, found.tally)[0]) for given in (points, whole)]
    card = parts.replace_points(whole) if changed else parts.card
    return Repointing(
        card=card,
        changed=changed,
        reason=_explain(found, changed),
        rungs=tuple(describe_changes(parts, whole, evidence, changed)),
        bands=tuple(compare_bands(parts.card, card, found.rows.signals)) if changed else (),
        missing_rows=_find_missing(parts.card, found.rows.signals),
        spread=(0.0, *SPREADS)[found.place],
        worth=worth,
        held_out=found.held_out,
        rounding=Rounding(*losses),
    )


def _find_intervals(found: _Found, worth: float, resamples: Iterable[Floats]) -> Floats:
    """A rung's ends over the resamples, r × 2; so weak a pull hides nothing, and holds only what a resample says nothing of."""
    parts, rows = found.parts, found.rows
    pull = Pull(worth * parts.increments, np.eye(len(parts.increments)) / SPREADS[-1] ** 2)
    draws = []
    for drawn in (weights for block in resamples for weights in block):
        tally = parts.groups.tally(rows.labels, rows.weight * drawn)
        if tally.won.sum() > 0 and tally.lost.sum() > 0:
            draws.append(parts.steps @ fit_nonnegative(parts.design, tally, pull, found.path.last)[1] / worth)
    return np.quantile(draws, ENDS, axis=0).T if draws else np.full((len(parts.points), 2), np.nan)


def _gather_evidence(parts: CardIncrements, rows: MaturedRows, intervals: Floats) -> Evidence:
    flags, place = parts.groups.flags, parts.groups.place
    count, won = (np.bincount(place, amounts, len(flags)) @ flags for amounts in (np.ones(len(place)), rows.labels))
    names = [rung.signal or row.signal for row in parts.card.rows for rung in row.rungs]
    known = np.isin(names, [str(name) for name in rows.signals.columns])
    return Evidence(known, count, won, np.where(count[:, None] > 0, intervals, np.nan))


def _find_missing(card: Scorecard, signals: pd.DataFrame) -> tuple[str, ...]:
    return tuple(row.id for row in card.rows if not set(row.signals) & set(signals.columns))


def _keep(parts: CardIncrements, rows: MaturedRows, reason: str) -> Repointing:
    evidence = _gather_evidence(parts, rows, np.full((len(parts.points), 2), np.nan))
    changes = tuple(describe_changes(parts, parts.points, evidence, changed=False))
    return Repointing(parts.card, False, reason, changes, (), _find_missing(parts.card, rows.signals), 0.0, 0.0, None, None)


def _explain(found: _Found, changed: bool) -> str:
    if found.held_out is None:
        return f"there are fewer than {LEAST_WON} wins among later rows to check other points on"
    held = found.held_out
    losses = f"log loss {held.old:.4f} → {held.new:.4f}, one standard error of the difference {held.error:.4f}"
    if changed:
        return f"on later rows the new points are better: {losses}"
    if found.place:
        return f"the fitted points round to the card's own: {losses}"
    return f"on later rows no other points are better by more than one standard error: {losses}"
