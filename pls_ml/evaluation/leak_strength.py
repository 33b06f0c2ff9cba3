"""How much a single signal knows alone, and how much is known by which values are missing."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.errors import DataError
from pls_ml.evaluation.leaks import MISSINGNESS, AuditRows, Finding, Floats, Index, SignalStrength, check_both, find_area, won_by
from pls_ml.evaluation.splits import share_of_groups

TOO_GOOD = 0.90
TOO_FAR_AHEAD = 0.15
N_FOLDS = 5
Mask = npt.NDArray[np.bool_]


def measure_strengths(values: pd.DataFrame, labels: npt.ArrayLike, groups: npt.ArrayLike) -> tuple[SignalStrength, ...]:
    """Takes n by m signal columns (numbers or categories), n labels and n account ids; returns what each knows alone, strongest first.

    Numbers rank by their value, whichever direction is better, missing ones as a level of their own at the better end. Categories,
    missing included, rank by the target mean of other accounts; worse than chance there counts as 0.5. Refuses with `DataError`: one
    class only, unequal lengths, columns that are neither numbers nor categories.
    """
    truth, folds = _check(values, labels, groups)
    measured = {str(name): _measure_signal(values[name], truth, folds) for name in values.columns}
    strongest = sorted(measured, key=lambda name: (-np.nan_to_num(measured[name]), name))
    return tuple(SignalStrength(name, measured[name]) for name in strongest)


def measure_missingness(values: pd.DataFrame, labels: npt.ArrayLike, groups: npt.ArrayLike) -> float:
    """Takes what `measure_strengths` takes; returns the AUC of a logistic regression on what is missing, on accounts it had not seen."""
    truth, folds = _check(values, labels, groups)
    patterns = np.unique(values.isna().to_numpy(), axis=1).astype(np.float64)
    patterns = patterns[:, patterns.std(axis=0) > 0]
    if not patterns.shape[1]:
        return 0.5

    def score(fit: Mask, held: Mask) -> Floats:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(max_iter=200).fit(patterns[fit], truth[fit])
        return np.asarray(model.decision_function(patterns[held]), np.float64)

    return _held_out_area(score, truth, folds)


def find_strong_signals(strengths: tuple[SignalStrength, ...]) -> list[Finding]:
    """Takes signals from the strongest; returns those above an AUC of 0.90, or, those set aside, 0.15 above the next."""
    found = [_name_strong(signal) for signal in strengths if signal.auc > TOO_GOOD]
    rest = [signal for signal in strengths if not signal.auc > TOO_GOOD]
    if len(rest) > 1 and (ahead := rest[0].auc - rest[1].auc) >= TOO_FAR_AHEAD:
        told = f"signal '{rest[0].signal}' alone has AUC {rest[0].auc:.3f}, {ahead:.3f} above the next, '{rest[1].signal}'"
        found.append(Finding("far ahead", rest[0].signal, ahead, TOO_FAR_AHEAD, f"{told} (limit {TOO_FAR_AHEAD})"))
    return found


def find_telling_gaps(missingness: float) -> list[Finding]:
    """Takes the AUC of the pattern of missing values; returns a finding when it is above 0.90."""
    told = f"the pattern of missing values alone has AUC {missingness:.3f} (limit {TOO_GOOD:.2f})"
    return [Finding("missingness", MISSINGNESS, missingness, TOO_GOOD, told)] if missingness > TOO_GOOD else []


def find_strong_constants(rows: AuditRows) -> list[Finding]:
    """Takes rows; returns signals that never change within a lead and tell those that ever win from the rest with an AUC above 0.90.

    Rows long before a win count as lost, which hides a value written after it: judged by lead, it stands out. Where every lead has one
    row there is nothing to add.
    """
    leads, won = won_by(rows.leads, rows.labels)
    if won.size == len(leads) or not 0 < won.sum() < won.size:
        return []
    first = rows.first_rows()
    held = [name for name in rows.signals.columns if _never_changes(rows.signals[name], first[leads])]
    strengths = measure_strengths(rows.signals[held].iloc[first], won, rows.accounts[first])
    told = "never changes, and tells leads that ever win from the others with AUC {:.3f} (limit {:.2f})"
    return [
        Finding("constant", s.signal, s.auc, TOO_GOOD, f"signal '{s.signal}' " + told.format(s.auc, TOO_GOOD))
        for s in strengths
        if s.auc > TOO_GOOD
    ]


def _name_strong(signal: SignalStrength) -> Finding:
    told = f"signal '{signal.signal}' alone has AUC {signal.auc:.3f} (limit {TOO_GOOD:.2f})"
    return Finding("strength", signal.signal, signal.auc, TOO_GOOD, told)


def _never_changes(column: pd.Series, first: Index) -> bool:
    codes = pd.factorize(column)[0]
    return bool(codes.max(initial=-1) > 0) and bool((codes == codes[first]).all())


def _check(values: pd.DataFrame, labels: npt.ArrayLike, groups: npt.ArrayLike) -> tuple[Floats, Index]:
    truth, accounts = np.asarray(labels), np.asarray(groups)
    if len(values) != truth.size or accounts.shape != truth.shape:
        raise DataError(f"{len(values)} rows of signals, {truth.size} labels, {accounts.size} account ids: expected one each")
    return check_both(truth), (share_of_groups(accounts, "leak") * N_FOLDS).astype(np.int64)


def _measure_signal(column: pd.Series, labels: Floats, folds: Index) -> float:
    kind = column.dtype
    if pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind):
        return _measure_number(column.to_numpy(np.float64, na_value=np.nan), labels)
    if isinstance(kind, pd.CategoricalDtype) or pd.api.types.is_string_dtype(kind) or pd.api.types.is_object_dtype(kind):
        return _measure_category(column, labels, folds)
    raise DataError(f"signal '{column.name}' has type {kind}: expected numbers or categories; turn times into days before as_of")


def _measure_number(numbers: Floats, labels: Floats) -> float:
    missing = np.isnan(numbers)
    ends = (-np.inf, np.inf) if missing.any() else (0.0,)
    areas = [find_area(np.where(missing, end, numbers), labels) for end in ends]
    return max(max(area, 1 - area) for area in areas)


def _measure_category(column: pd.Series, labels: Floats, folds: Index) -> float:
    codes = pd.factorize(column, use_na_sentinel=False)[0]

    def score(fit: Mask, held: Mask) -> Floats:
        rows = np.bincount(codes[fit], minlength=codes.max() + 1)
        positives = np.bincount(codes[fit], labels[fit], minlength=codes.max() + 1)
        # One imagined row at the base rate: a level never seen elsewhere gets exactly that.
        return np.asarray((positives + labels[fit].mean()) / (rows + 1), np.float64)[codes[held]]

    return _held_out_area(score, labels, folds)


def _held_out_area(score: Callable[[Mask, Mask], Floats], labels: Floats, folds: Index) -> float:
    """AUC inside each fold, averaged by its pairs: scores of different fits are not comparable, and never pooled."""
    areas, pairs = [], []
    for fold in np.unique(folds):
        held, fit = folds == fold, folds != fold
        positives, of_fit = labels[held].sum(), labels[fit].sum()
        if 0 < positives < held.sum() and 0 < of_fit < fit.sum():
            areas.append(find_area(score(fit, held), labels[held]))
            pairs.append(positives * (held.sum() - positives))
    return max(0.5, float(np.average(areas, weights=pairs))) if areas else math.nan
