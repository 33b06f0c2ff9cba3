"""Regularised logistic regression on standardised, log-scaled signals."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.protocols import Floats
from pls_ml.scores.encoding import Encoding

STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


class LogisticScorer:
    """Numbers enter as sign(x)·log(1 + |x|), text as one column per value, no value as the training mean plus a flag.

    The L2 strength is the one with the least cross-validated log loss among `STRENGTHS`.
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
        groups: npt.NDArray[Any] | None = None,
    ) -> LogisticScorer:
        """Takes n × m signal columns, n labels, n weights and n accounts (kept together in the search); returns itself, fitted."""
        self.encoding_ = Encoding.learn(signals)
        raw = self.encoding_.encode(signals)
        self.design_ = _learn_design(raw, self.encoding_)
        expanded = _expand(raw, self.design_)
        self.mean_, self.scale_ = expanded.mean(axis=0), expanded.std(axis=0)
        self.scale_[self.scale_ < 1e-9] = np.inf  # a constant column says nothing
        standard = (expanded - self.mean_) / self.scale_
        model = _search(standard, labels, sample_weight, groups, self.seed)
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


def _search(X: Floats, y: npt.NDArray[np.int8], weight: Floats | None, groups: npt.NDArray[Any] | None, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold

    weight = np.ones(len(y)) if weight is None else np.asarray(weight)
    groups = np.arange(len(y)) if groups is None else groups
    folds = StratifiedGroupKFold(n_splits=4, shuffle=True, random_state=seed)
    losses = np.zeros(len(STRENGTHS))
    for fit, check in folds.split(X, y, groups):
        for position, strength in enumerate(STRENGTHS):
            model = LogisticRegression(C=strength, solver="newton-cholesky", max_iter=200).fit(X[fit], y[fit], sample_weight=weight[fit])
            margin = model.decision_function(X[check])
            losses[position] += np.sum(weight[check] * np.logaddexp(0.0, np.where(y[check] == 1, -margin, margin)))
    return LogisticRegression(C=STRENGTHS[int(losses.argmin())], solver="newton-cholesky", max_iter=200).fit(X, y, sample_weight=weight)
