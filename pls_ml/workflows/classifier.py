"""The conversion model for those who bring their own table: a scikit-learn classifier with calibrated probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from pls_ml.calibration import fit_calibrator
from pls_ml.core.errors import DataError
from pls_ml.core.protocols import Floats, Scorer
from pls_ml.scores import BoostedScorer, LogisticScorer
from pls_ml.scores.boosted import can_grow
from pls_ml.scores.growth import TreeSettings

FOLDS = 5


class ConversionClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Monotone boosted trees, or a logistic regression where rows are too few for them, with probabilities calibrated on unseen rows.

    Signals are numbers or text, missing values allowed. Rows are taken as they come: whoever has times and accounts trains a project
    (`pls-ml train`), which also splits by them, audits for leaks and compares with the rules.
    """

    def __init__(
        self,
        directions: Mapping[str, str] | None = None,
        trees: Mapping[str, Any] | None = None,
        n_trees: int = 200,
        seeds: int = 1,
        random_state: int = 7,
    ) -> None:
        """Takes columns' declared directions ('up', 'down', 'none'), tree settings that differ from `TreeSettings`, trees per seed, how
        many seeds are averaged, and the first of them.
        """  # noqa: D205
        self.directions = directions
        self.trees = trees
        self.n_trees = n_trees
        self.seeds = seeds
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> ConversionClassifier:
        """Takes n × m signals, n labels of two classes, n weights and n account ids (None: each row its own); returns itself, fitted.

        The calibrator is fitted on margins of rows, and of accounts, that the scorer of their fold had not seen. `scorer_` then learns
        from all rows. Refuses labels that are not of two classes, and a class with fewer than two accounts.
        """
        frame = self._frame(X, reset=True)
        y = column_or_1d(y, warn=True)
        check_consistent_length(frame, y, groups)
        check_classification_targets(y)
        weight = _check_sample_weight(sample_weight, frame, dtype=np.float64, ensure_non_negative=True)
        encoder = LabelEncoder().fit(y)
        self.classes_ = encoder.classes_
        weighed = len(np.unique(y[weight > 0]))
        if len(self.classes_) != 2 or weighed != 2:
            raise DataError(
                f"Only binary classification is supported. The labels have {weighed} class(es) with weight: expected won and not won"
            )
        labels = encoder.transform(y).astype(np.int8)
        accounts = np.arange(len(labels)) if groups is None else np.unique(np.asarray(groups).astype(str), return_inverse=True)[1]
        frame, labels, accounts, weight = frame[weight > 0], labels[weight > 0], accounts[weight > 0], weight[weight > 0]
        grows = can_grow(labels)
        margins = self._cross_fit(frame, labels, weight, accounts, grows)
        self.calibrator_ = fit_calibrator(margins, labels, weight, groups=accounts)
        self.scorer_: Scorer = self._make(grows).fit(frame, labels, weight)
        return self

    def decision_function(self, X: Any) -> Floats:
        """Takes n × m signals; returns n calibrated log-odds of the second class."""
        won = self.predict_proba(X)[:, 1]
        return np.asarray(np.log(won) - np.log1p(-won))

    def predict_proba(self, X: Any) -> Floats:
        """Takes n × m signals; returns n × 2 probabilities, classes in the order of `classes_`."""
        check_is_fitted(self)
        won = self.calibrator_.transform(self.scorer_.raw_score(self._frame(X, reset=False)))
        return np.column_stack([1.0 - won, won])

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Takes n × m signals; returns n labels, the likelier class."""
        won = self.predict_proba(X)[:, 1] > 0.5
        return np.asarray(self.classes_[won.astype(int)])

    def _make(self, grows: bool) -> BoostedScorer | LogisticScorer:
        if not grows:
            return LogisticScorer(self.random_state)
        settings = TreeSettings.model_validate(dict(self.trees or {}))
        return BoostedScorer(self.directions, self.n_trees, self.seeds, self.random_state, settings=settings)

    def _cross_fit(
        self, frame: pd.DataFrame, labels: npt.NDArray[np.int8], weight: Floats, accounts: npt.NDArray[Any], grows: bool
    ) -> Floats:
        """Margins of every row by a scorer that knew neither the row nor its account."""
        from sklearn.model_selection import StratifiedGroupKFold

        least = min(len(np.unique(accounts[labels == label])) for label in (0, 1))
        if least < 2:
            raise DataError(f"a class has {least} account(s) only: expected two or more, so that probabilities can be checked on others")
        margins = np.empty(len(labels))
        folds = StratifiedGroupKFold(min(FOLDS, least), shuffle=True, random_state=self.random_state)
        for fit, check in folds.split(frame, labels, accounts):
            if len(np.unique(labels[fit])) < 2:
                raise DataError("one class lies in a few accounts only, so a part of the rows has none of it: expected it in more accounts")
            margins[check] = self._make(grows).fit(frame.iloc[fit], labels[fit], weight[fit]).raw_score(frame.iloc[check])
        return margins

    def _frame(self, X: Any, *, reset: bool) -> pd.DataFrame:
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X.set_axis([str(name) for name in X.columns], axis=1)
        numbers = validate_data(self, X, reset=reset, ensure_all_finite="allow-nan", dtype="numeric", ensure_min_samples=2 if reset else 1)
        return pd.DataFrame(numbers, columns=[f"column_{place}" for place in range(numbers.shape[1])])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags
