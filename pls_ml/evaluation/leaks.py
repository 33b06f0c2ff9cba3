"""A thin audit before training: a single signal that nearly knows the outcome has usually seen it."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.errors import DataError, LeakageError
from pls_ml.evaluation.ranking import check_labels, group_by_score, roc_auc, sort_scores
from pls_ml.evaluation.splits import share_of_groups
from pls_ml.evaluation.tables import render_html

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

TOO_GOOD = 0.90
TOO_FAR_AHEAD = 0.15
N_FOLDS = 5
MISSINGNESS = "missingness"


@dataclass(frozen=True)
class SignalStrength:
    """One signal's ROC-AUC alone, and why it is suspected (empty: it is not); NaN where it could not be judged."""

    signal: str
    auc: float
    reason: str = ""


@dataclass(frozen=True)
class LeakAudit:
    """Every signal from the strongest, and the pattern of missing values as one more (`missingness`)."""

    signals: tuple[SignalStrength, ...]
    missingness: SignalStrength

    @property
    def suspects(self) -> tuple[SignalStrength, ...]:
        """What training should stop for, strongest first."""
        return tuple(found for found in (*self.signals, self.missingness) if found.reason)

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns the audit as plain JSON values, None for what could not be judged."""
        judged = [(found, found.auc if math.isfinite(found.auc) else None) for found in (*self.signals, self.missingness)]
        rows = [asdict(found) | {"auc": auc} for found, auc in judged]
        return {"signals": rows[:-1], "missingness": rows[-1], "suspects": [found.signal for found in self.suspects]}

    def _repr_html_(self) -> str:
        rows = [(found.signal, f"{found.auc:.3f}", found.reason) for found in (*self.signals, self.missingness)]
        return render_html(("signal", "AUC alone", "reason to suspect"), rows)


def audit_signals(values: pd.DataFrame, labels: npt.ArrayLike, groups: npt.ArrayLike) -> LeakAudit:
    """Takes n by m signal columns (numbers or categories), n labels and n account ids; returns how much each knows alone.

    Numbers rank by their value, whichever direction is better, missing ones as a level of their own at the better end.
    Categories, missing included, rank by the target mean of other accounts, the fill pattern by a logistic regression fitted on
    other accounts; worse than chance there counts as 0.5. Suspected: an AUC above 0.90, or, those set aside, the strongest when
    it is 0.15 or more above the next. Refuses with `DataError`: one class only, unequal lengths, columns that are neither
    numbers nor categories.
    """
    truth, accounts = check_labels(labels), np.asarray(groups)
    if len(values) != truth.size or accounts.shape != truth.shape:
        raise DataError(f"{len(values)} rows of signals, {truth.size} labels, {accounts.size} account ids: expected one each")
    if not 0 < truth.sum() < truth.size:
        raise DataError(f"{truth.sum():.0f} of {truth.size} rows are positive: the audit needs both outcomes; use more rows")
    folds = (share_of_groups(accounts, "leak") * N_FOLDS).astype(np.int64)
    measured = {str(name): _measure_signal(values[name], truth, folds) for name in values.columns}
    strongest = sorted(measured, key=lambda name: (-np.nan_to_num(measured[name]), name))
    signals = _suspect([SignalStrength(name, measured[name]) for name in strongest])
    return LeakAudit(signals, _suspect_too_good(SignalStrength(MISSINGNESS, _measure_missingness(values, truth, folds))))


def raise_if_leaking(audit: LeakAudit, acknowledged: tuple[str, ...] = ()) -> None:
    """Takes an audit and the names somebody has vouched for; returns nothing; raises `LeakageError` for any other suspect."""
    open_suspects = [found for found in audit.suspects if found.signal not in acknowledged]
    if open_suspects:
        reasons = "; ".join(found.reason for found in open_suspects)
        names = ", ".join(found.signal for found in open_suspects)
        step = f"drop or repair what knows the outcome; what was truly known at as_of goes under `acknowledge_leaks` ({names})"
        raise LeakageError(f"{reasons}: {step} in the project file")


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
    areas = [_area(np.where(missing, end, numbers), labels) for end in ends]
    return max(max(area, 1 - area) for area in areas)


def _measure_category(column: pd.Series, labels: Floats, folds: Index) -> float:
    codes = pd.factorize(column, use_na_sentinel=False)[0]

    def score(fit: npt.NDArray[np.bool_], held: npt.NDArray[np.bool_]) -> Floats:
        rows = np.bincount(codes[fit], minlength=codes.max() + 1)
        positives = np.bincount(codes[fit], labels[fit], minlength=codes.max() + 1)
        # One imagined row at the base rate: a level never seen elsewhere gets exactly that.
        return np.asarray((positives + labels[fit].mean()) / (rows + 1), np.float64)[codes[held]]

    return _held_out_area(score, labels, folds)


def _measure_missingness(values: pd.DataFrame, labels: Floats, folds: Index) -> float:
    patterns = np.unique(values.isna().to_numpy(), axis=1).astype(np.float64)
    patterns = patterns[:, patterns.std(axis=0) > 0]
    if not patterns.shape[1]:
        return 0.5

    def score(fit: npt.NDArray[np.bool_], held: npt.NDArray[np.bool_]) -> Floats:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(max_iter=200).fit(patterns[fit], labels[fit])
        return np.asarray(model.decision_function(patterns[held]), np.float64)

    return _held_out_area(score, labels, folds)


def _held_out_area(score: Any, labels: Floats, folds: Index) -> float:
    """AUC inside each fold, averaged by its pairs: scores of different fits are not comparable, and never pooled."""
    areas, pairs = [], []
    for fold in np.unique(folds):
        held, fit = folds == fold, folds != fold
        positives, of_fit = labels[held].sum(), labels[fit].sum()
        if 0 < positives < held.sum() and 0 < of_fit < fit.sum():
            areas.append(_area(score(fit, held), labels[held]))
            pairs.append(positives * (held.sum() - positives))
    return max(0.5, float(np.average(areas, weights=pairs))) if areas else math.nan


def _area(scores: Floats, labels: Floats) -> float:
    return float(roc_auc(group_by_score(sort_scores(scores), labels))[0])


def _suspect(found: list[SignalStrength]) -> tuple[SignalStrength, ...]:
    """Takes signals from the strongest; the gap counts among those that are not suspected already."""
    judged = [_suspect_too_good(signal) for signal in found]
    clean = [place for place, signal in enumerate(judged) if not signal.reason]
    if len(clean) > 1:
        first, second = judged[clean[0]], judged[clean[1]]
        if first.auc - second.auc >= TOO_FAR_AHEAD:
            ahead = f"{first.auc - second.auc:.3f} above the next, '{second.signal}' (limit {TOO_FAR_AHEAD})"
            reason = f"signal '{first.signal}' alone has AUC {first.auc:.3f}, {ahead}"
            judged[clean[0]] = SignalStrength(first.signal, first.auc, reason)
    return tuple(judged)


def _suspect_too_good(found: SignalStrength) -> SignalStrength:
    if not found.auc > TOO_GOOD:
        return found
    what = "the pattern of missing values" if found.signal == MISSINGNESS else f"signal '{found.signal}'"
    return SignalStrength(found.signal, found.auc, f"{what} alone has AUC {found.auc:.3f} (limit {TOO_GOOD:.2f})")
