"""What learned cards share: the rows they learn from, the rule that prefers the simplest, and scoring as the card they found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from pls_ml.core.errors import DataError
from pls_ml.core.protocols import Floats
from pls_ml.scores.card import Scorecard
from pls_ml.scores.scorecard import ScorecardClassifier

Fold = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""Positions of rows to fit on, and of later rows of other accounts to check on."""


@dataclass(frozen=True)
class MaturedRows:
    """n rows whose outcome is known: signals (n × m), labels (0 or 1), weights, and the account of each."""

    signals: pd.DataFrame
    labels: npt.NDArray[Any]
    weight: Floats
    accounts: npt.NDArray[Any]

    def __post_init__(self) -> None:
        """Takes nothing; returns nothing; refuses parts of unequal lengths and labels other than 0 and 1."""
        if len({len(part) for part in (self.signals, self.labels, self.weight, self.accounts)}) > 1:
            counts = f"{len(self.signals):,} rows of signals, {len(self.labels):,} labels, {len(self.weight):,} weights"
            raise DataError(f"{counts} and {len(self.accounts):,} accounts: expected one of each per row")
        if others := [label for label in np.unique(self.labels).tolist() if label not in (0, 1)]:
            raise DataError(f"labels hold {others[0]}: expected 1 for won and 0 for not won; drop rows that have not matured")

    def take(self, part: npt.NDArray[Any]) -> MaturedRows:
        """Takes positions; returns those rows."""
        return MaturedRows(self.signals.iloc[part], self.labels[part], self.weight[part], self.accounts[part])

    def usable(self, folds: Sequence[Fold]) -> list[Fold]:
        """Takes folds; returns those whose rows to fit on hold both outcomes, and that check at all."""
        return [(fit, check) for fit, check in folds if self.decides(fit) and len(check)]

    def decides(self, part: npt.NDArray[Any] | slice = slice(None)) -> bool:
        """Takes positions of rows (by default all); returns whether both outcomes have weight among them."""
        return len(np.unique(self.labels[part][self.weight[part] > 0])) == 2


def find_simplest(losses: Floats, accounts: npt.NDArray[Any]) -> int:
    """Takes c × n losses of candidates, the simplest first, and n accounts; returns the place of the simplest that is near the best.

    Near: as `find_near_best` says.
    """
    return int(find_near_best(losses, accounts).argmax())


def find_near_best(losses: Floats, accounts: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Takes c × n losses of candidates and n accounts; returns which of the candidates are near the best.

    Near: within one standard error of the paired difference to the least loss, with rows summed by account.
    """
    codes = pd.factorize(accounts)[0]
    best = losses[losses.sum(axis=1).argmin()]
    excess = np.array([np.bincount(codes, loss - best) for loss in losses])
    return np.asarray(excess.sum(axis=1) <= standard_error(excess), np.bool_)


def standard_error(by_account: Floats) -> Floats:
    """Takes figures with accounts along the last axis; returns the standard error of each sum over them."""
    return np.asarray(np.sqrt(np.sum((by_account - by_account.mean(axis=-1, keepdims=True)) ** 2, axis=-1)))


class LearnedCard(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A card found by fitting: `scorer_` holds it with its slope and intercept; the columns of an array are called x0, x1 and so on."""

    kind: str
    scorer_: ScorecardClassifier

    @property
    def card_(self) -> Scorecard | None:
        """The card that was found."""
        return self._fitted().card

    def raw_score(self, signals: Any) -> Floats:
        """Takes n × m signals; returns n margins in log-odds."""
        return self._fitted().raw_score(self._frame(signals))

    decision_function = raw_score

    def contributions(self, signals: pd.DataFrame) -> tuple[float, Floats]:
        """Takes n × m signals; returns the margin at a score of 0 and each column's share, what its rows score times the slope."""
        return self._fitted().contributions(self._frame(signals))

    def point_shares(self, signals: pd.DataFrame) -> Floats:
        """Takes n × m signals; returns each column's share of the score in points; each row sums to the score."""
        return self._fitted().point_shares(self._frame(signals))

    def points(self, X: Any) -> Floats:
        """Takes n × m signals; returns n sums of points."""
        return self._fitted().points(self._frame(X))

    def bands(self, X: Any) -> npt.NDArray[np.object_]:
        """Takes n × m signals; returns n band names."""
        return self._fitted().bands(self._frame(X))

    def predict_proba(self, X: Any) -> Floats:
        """Takes n × m signals; returns n × 2 probabilities, classes in the order of `classes_`."""
        return self._fitted().predict_proba(self._frame(X))

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Takes n × m signals; returns n labels, the likelier class."""
        return self._fitted().predict(self._frame(X))

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return {"kind": self.kind, "scorecard": self._fitted().to_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Takes what `to_dict` gave; returns the fitted scorer."""
        scorer = cls()
        scorer.scorer_ = ScorecardClassifier.from_dict(data["scorecard"])
        for name in {"classes_", "n_features_in_", "feature_names_in_"} & set(vars(scorer.scorer_)):
            setattr(scorer, name, getattr(scorer.scorer_, name))
        return scorer

    def _read_rows(self, X: Any, y: Any, sample_weight: Any, accounts: Any) -> MaturedRows:
        """Refuses what no card can be fitted on, in the words of `ScorecardClassifier`."""
        frame = self._frame(X, reset=True)
        self.classes_ = ScorecardClassifier().fit(frame, y, sample_weight).classes_
        labels = (column_or_1d(y) == self.classes_[1]).astype(np.int8)
        weight = _check_sample_weight(sample_weight, frame, dtype=np.float64)
        return MaturedRows(frame, labels, weight, np.arange(len(frame)) if accounts is None else np.asarray(accounts))

    def _fitted(self) -> ScorecardClassifier:
        check_is_fitted(self)
        return self.scorer_

    def _frame(self, X: Any, *, reset: bool = False) -> pd.DataFrame:
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X.rename(columns=str)
        array = validate_data(self, X, reset=reset, ensure_all_finite="allow-nan", dtype="numeric")
        return pd.DataFrame(array, columns=[f"x{place}" for place in range(array.shape[1])])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags
