"""What a quick model makes of all signals together: too good to be true, or good only on rows drawn at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.evaluation.leaks import MIN_WINNERS, MODEL, RANDOM_GAP, AuditRows, Finding, Floats, Index, find_area, won_by
from pls_ml.evaluation.splits import forward_folds, share_of_groups

TOO_GOOD_TOGETHER = 0.95
TOO_FLATTERED = 0.08
TIME_BLOCKS, ACCOUNT_FOLDS = 4, 2
MOST_LEVELS = 20
WINNERS_FOR_GAP = 50
"""With 13 to 39 winners the gap of honest worlds was anything from -0.13 to 0.17; with 53 to 145 it stayed below 0.05."""
PENALTY = 0.01
"""Inverse: rather too strong than too weak, since the audit asks what is plain to see."""


@dataclass(frozen=True)
class QuickModel:
    """AUC of a quick model on later rows of other accounts, and on the same rows when it learned from accounts of all times.

    `gap` is random minus temporal; `error` its standard error, as if the two were independent; `winners` how many win in training.
    """

    temporal: float
    gap: float
    error: float
    winners: int


def measure_quick_model(rows: AuditRows) -> QuickModel:
    """Takes rows; returns how well a logistic regression on ranked signals does on the training rows, forward in time and at random.

    At random means as many rows of other accounts from all times. One account's rows on both sides would flatter by 0.09 to 0.17 on
    honest data, and more rows to learn from by as much: neither says that anything leaks. Both are judged on the same rows, fold by
    fold; where no fold holds both outcomes, all figures are NaN.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    chosen = np.flatnonzero(rows.train)
    labels, accounts, as_of = rows.labels[chosen], rows.accounts[chosen], rows.as_of[chosen]
    winners = int(won_by(rows.units[chosen], labels)[1].sum())
    design = _rank_signals(rows.signals.iloc[chosen])
    folds = [
        (fit, anytime, check)
        for fit, check in forward_folds(as_of, accounts, TIME_BLOCKS, ACCOUNT_FOLDS)
        for anytime in [_draw_anytime(accounts, check, len(fit))]
        if all(0 < labels[part].sum() < len(part) for part in (fit, anytime, check))
    ]
    if not folds or not design.shape[1]:
        return QuickModel(np.nan, np.nan, np.nan, winners)
    with threadpool_limits(1, user_api="blas"):
        temporal, random = (
            np.array([find_area(_fit_score(design, labels, fold[how], fold[2]), labels[fold[2]]) for fold in folds]) for how in (0, 1)
        )
    weight = np.array([labels[check].sum() * (len(check) - labels[check].sum()) for _, _, check in folds])
    area = float(np.average(temporal, weights=weight))
    error = np.sqrt(2) * _find_error(area, winners, len(set(rows.units[chosen])) - winners)
    return QuickModel(area, float(np.average(random - temporal, weights=weight)), float(error), winners)


def find_model_too_good(model: QuickModel) -> list[Finding]:
    """Takes what the quick model reaches; returns a finding when its AUC on held-out rows is above 0.95, with 20 winners or more."""
    if not (model.winners >= MIN_WINNERS and model.temporal > TOO_GOOD_TOGETHER):
        return []
    told = f"a quick model on all signals has AUC {model.temporal:.3f} on later leads (limit {TOO_GOOD_TOGETHER:.2f})"
    return [Finding("model", MODEL, model.temporal, TOO_GOOD_TOGETHER, told, "look for what several signals know together")]


def find_random_gap(model: QuickModel) -> list[Finding]:
    """Takes what the quick model reaches; returns a finding when random folds flatter it by more than 0.08, by two standard errors.

    With fewer than 50 winners the gap is noise, and not judged.
    """
    if not (model.winners >= WINNERS_FOR_GAP and model.gap > TOO_FLATTERED and model.gap > 2 * model.error):
        return []
    told = f"a quick model does {model.gap:.3f} better in AUC on random folds than forward in time (limit {TOO_FLATTERED})"
    return [Finding("random gap", RANDOM_GAP, model.gap, TOO_FLATTERED, told, "look for signals whose meaning changes over time")]


def _fit_score(design: Floats, labels: Floats, fit: Index, check: Index) -> Floats:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=PENALTY, solver="newton-cholesky", max_iter=50).fit(design[fit], labels[fit])
    return np.asarray(model.decision_function(design[check]), np.float64)


def _find_error(area: float, winners: int, others: int) -> float:
    """The standard error of an AUC (Hanley and McNeil 1982), every outcome counted once however many rows show it."""
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (winners - 1) * (first - area**2) + (max(others, 1) - 1) * (second - area**2)
    return float(np.sqrt(spread / (winners * max(others, 1))))


def _draw_anytime(accounts: npt.NDArray[Any], check: Index, rows: int) -> Index:
    """About so many rows of other accounts than those checked, whole accounts from all times, drawn by their ids."""
    others = np.flatnonzero(~np.isin(accounts, accounts[check]))
    place = share_of_groups(accounts[others], "random")
    return np.asarray(others[np.argsort(place, kind="stable")][:rows], np.int64)


def _rank_signals(signals: pd.DataFrame) -> Floats:
    """Numbers as their rank, with a flag where one is missing; text as one column for each of its most frequent values; standardised."""
    columns = []
    for name in signals.columns:
        column = signals[name]
        if pd.api.types.is_numeric_dtype(column.dtype):
            ranks = column.rank(pct=True).to_numpy(np.float64, na_value=np.nan)
            columns += [np.nan_to_num(ranks, nan=0.5), np.isnan(ranks).astype(np.float64)]
        else:
            codes = pd.factorize(column, use_na_sentinel=False)[0]
            columns += [(codes == code).astype(np.float64) for code in np.argsort(-np.bincount(codes), kind="stable")[:MOST_LEVELS]]
    design = np.column_stack(columns) if columns else np.zeros((len(signals), 0))
    design = design[:, np.ptp(design, axis=0) > 0]
    return np.asarray((design - design.mean(axis=0)) / design.std(axis=0), np.float64)
