"""Regularised logistic regression on standardised, log-scaled signals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.protocols import Floats
from pls_ml.scores.encoding import Encoding, check_labels

STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Inverse penalties, the strongest penalty first."""
N_FOLDS = 4


Fold = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


class LogisticScorer:
    """Numbers enter as sign(x)·log(1 + |x|), text as one column per value, no value as the training mean plus a flag.

    The L2 penalty is the strongest among `STRENGTHS` whose cross-validated log loss is within one standard error of the least.
    """

    kind = "logistic"

    def __init__(self, seed: int = 7) -> None:
        """Takes the seed of the cross-validation."""
        self.seed = seed

    def fit(
        self,
        signals: pd.DataFrame,
        labels: npt.NDArray[np.int8],
        sample_weight: Floats | None = None,
        folds: Sequence[Fold] | None = None,
    ) -> LogisticScorer:
        """Takes n × m signal columns, n labels, n weights and the (fit, check) row positions of the search; returns itself, fitted.

        Without folds, four stratified random ones are used; where time matters, pass ones that check later than they fit.
        """
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        check_labels(signals, labels)
        self.encoding_ = Encoding.learn(signals)
        raw = self.encoding_.encode(signals)
        self.design_ = _learn_design(raw, self.encoding_)
        expanded = _expand(raw, self.design_)
        self.mean_, self.scale_ = expanded.mean(axis=0), expanded.std(axis=0)
        self.scale_[self.scale_ < 1e-9] = np.inf  # a constant column says nothing
        standard = (expanded - self.mean_) / self.scale_
        weight = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight)
        folds = folds or _random_folds(labels, self.seed)
        with threadpool_limits(1, user_api="blas"):  # matrices this size are slower on several threads
            model = _search(standard, labels, weight, folds)
        self.coefficients_ = model.coef_[0].astype(np.float64)
        self.intercept_ = float(model.intercept_[0])
        return self

    def raw_score(self, signals: pd.DataFrame) -> Floats:
        """Takes n × m signal columns; returns n margins in log-odds."""
        base, shares = self.contributions(signals)
        return np.asarray(base + shares.sum(axis=1))

    def contributions(self, signals: pd.DataFrame) -> tuple[float, Floats]:
        """Takes n × m signal columns; returns the margin of the average lead and each column's departure from it."""
        expanded = _expand(self.encoding_.encode(signals), self.design_)
        shares = (expanded - self.mean_) / self.scale_ * self.coefficients_
        columns = np.zeros((len(signals), len(self.encoding_.columns)))
        for position, (source, _) in enumerate(self.design_):
            columns[:, source] += shares[:, position]
        return self.intercept_, columns

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return {
            "kind": self.kind,
            "encoding": self.encoding_.to_dict(),
            "design": [list(item) for item in self.design_],
            "mean": self.mean_.tolist(),
            "scale": [None if np.isinf(value) else float(value) for value in self.scale_],
            "coefficients": self.coefficients_.tolist(),
            "intercept": self.intercept_,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> LogisticScorer:
        """Takes what `to_dict` gave; returns the fitted scorer."""
        scorer = cls()
        scorer.encoding_ = Encoding.from_dict(data["encoding"])
        scorer.design_ = [(int(source), None if how is None else how) for source, how in data["design"]]
        scorer.mean_ = np.array(data["mean"])
        scorer.scale_ = np.array([np.inf if value is None else value for value in data["scale"]])
        scorer.coefficients_ = np.array(data["coefficients"])
        scorer.intercept_ = float(data["intercept"])
        return scorer


Design = list[tuple[int, float | int | str | None]]
"""One entry per model column: the signal column's position and what is taken of it: a fill value (number), 'missing', or a code."""


def _learn_design(raw: Floats, encoding: Encoding) -> Design:
    design: Design = []
    for position, name in enumerate(encoding.columns):
        if name in encoding.categories:
            design += [(position, f"code:{code}") for code in range(len(encoding.categories[name]))]
            continue
        scaled = _log_scale(raw[:, position])
        present = scaled[~np.isnan(scaled)]
        design.append((position, float(present.mean()) if len(present) else 0.0))
        if len(present) < len(scaled):
            design.append((position, "missing"))
    return design


def _expand(raw: Floats, design: Design) -> Floats:
    expanded = np.empty((len(raw), len(design)))
    for column, (position, how) in enumerate(design):
        values = raw[:, position]
        if how == "missing":
            expanded[:, column] = np.isnan(values)
        elif isinstance(how, str):
            expanded[:, column] = values == float(how.removeprefix("code:"))
        else:
            scaled = _log_scale(values)
            expanded[:, column] = np.where(np.isnan(scaled), 0.0 if how is None else how, scaled)
    return expanded


def _log_scale(values: Floats) -> Floats:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def _search(X: Floats, y: npt.NDArray[np.int8], weight: Floats, folds: Sequence[Fold]) -> Any:
    """The strongest penalty within one standard error of the least held-out loss (Breiman et al. 1984); of the difference to it."""
    from sklearn.linear_model import LogisticRegression

    losses = np.zeros((len(STRENGTHS), len(y)))
    for fit, check in folds:
        for position, strength in enumerate(STRENGTHS):
            model = LogisticRegression(C=strength, solver="newton-cholesky", max_iter=200).fit(X[fit], y[fit], sample_weight=weight[fit])
            margin = model.decision_function(X[check])
            losses[position, check] = weight[check] * np.logaddexp(0.0, np.where(y[check] == 1, -margin, margin))
    excess = losses - losses[losses.sum(axis=1).argmin()]
    near = excess.sum(axis=1) <= np.sqrt(np.sum((excess - excess.mean(axis=1, keepdims=True)) ** 2, axis=1))
    return LogisticRegression(C=STRENGTHS[int(near.argmax())], solver="newton-cholesky", max_iter=200).fit(X, y, sample_weight=weight)


def _random_folds(labels: npt.NDArray[np.int8], seed: int) -> list[Fold]:
    """Stratified folds; none where a class has too few rows for them, and then the strongest penalty wins the tie."""
    from sklearn.model_selection import StratifiedKFold

    if np.unique(labels, return_counts=True)[1].min() < N_FOLDS:
        return []
    return list(StratifiedKFold(n_splits=N_FOLDS, shuffle=True, random_state=seed).split(labels, labels))
