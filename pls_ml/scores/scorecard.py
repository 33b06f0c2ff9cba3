"""A scorecard as a scikit-learn classifier: points, bands, and a probability fitted on training data only."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from pls_ml.core.errors import DataError
from pls_ml.core.protocols import Floats
from pls_ml.scores.card import Bools, CardScores, Points, Scorecard


class ScorecardClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The score of a card; log-odds = intercept + slope × score, slope ≥ 0, fitted by maximum likelihood.

    Signals come as a DataFrame with the columns the card names; a row whose signal is not there gives no points and is listed in
    `missing_rows_`. Without a card everybody has 0 points and the base rate.
    """

    kind = "scorecard"

    def __init__(self, card: Scorecard | None = None) -> None:
        """Takes the card."""
        self.card = card

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> ScorecardClassifier:
        """Takes n × m signals, n labels of two classes and n weights; returns itself; refuses other label counts."""
        frame = self._frame(X, reset=True)
        y = column_or_1d(y, warn=True)
        check_consistent_length(frame, y)
        check_classification_targets(y)
        weight = _check_sample_weight(sample_weight, frame, dtype=np.float64)
        encoder = LabelEncoder().fit(y)
        self.classes_ = encoder.classes_
        weighed = len(np.unique(np.asarray(y)[weight > 0]))
        if len(self.classes_) != 2 or weighed != 2:
            raise DataError(
                f"Only binary classification is supported. The labels have {weighed} class(es) with weight: expected won and not won"
            )
        rows = self.card.rows if self.card else ()
        self.missing_rows_ = tuple(row.id for row in rows if not set(row.signals) & set(frame.columns))
        self.slope_, self.intercept_ = _fit_line(self._scores(frame).score, encoder.transform(y), weight)
        return self

    def score_leads(self, X: Any) -> CardScores:
        """Takes n × m signals; returns what the card says of them: points of rows, shares, score."""
        check_is_fitted(self)
        return self._scores(self._frame(X, reset=False))

    def row_points(self, X: Any) -> Points:
        """Takes n × m signals; returns n × card rows points."""
        return self.score_leads(X).row_points

    def points(self, X: Any) -> Floats:
        """Takes n × m signals; returns n scores of the card, not clipped; of an additive card, sums of points."""
        return self.score_leads(X).score

    def bands(self, X: Any) -> npt.NDArray[np.object_]:
        """Takes n × m signals; returns n band names; refuses when there is no card."""
        if self.card is None:
            raise DataError("there is no card, so there are no bands: pass `card`")
        return self.card.find_bands(self.score_leads(X))

    def may_reach_out(self, X: Any) -> Bools:
        """Takes n × m signals; returns where the card lets anybody be sent to the lead; without a card, everywhere."""
        scores = self.score_leads(X)
        return np.ones(len(scores.score), dtype=bool) if self.card is None else self.card.may_reach_out(scores)

    def raw_score(self, signals: Any) -> Floats:
        """Takes n × m signals; returns n margins in log-odds."""
        points = self.points(signals)  # first, since it refuses an unfitted card
        return np.asarray(self.intercept_ + self.slope_ * points)

    decision_function = raw_score

    def contributions(self, signals: pd.DataFrame) -> tuple[float, Floats]:
        """Takes n × m signals; returns the margin at a score of 0 and each column's share, what its rows score times the slope."""
        return self.intercept_, self.slope_ * self.point_shares(signals)

    def point_shares(self, signals: pd.DataFrame) -> Floats:
        """Takes n × m signals; returns each column's share of the score in points; each row sums to the score.

        A row on several signals is credited to the first that is there, the multiplier to the signal of the first condition that holds
        for the lead.
        """
        scores = self.score_leads(signals)
        places = {name: place for place, name in enumerate(signals.columns)}
        shares = np.zeros((len(signals), len(places)))
        for position, row in enumerate(self.card.rows if self.card else ()):
            if credited := [places[name] for name in row.signals if name in places]:
                shares[:, credited[0]] += scores.shares[:, position]
        for position, factor in enumerate(self.card.multiplier if self.card else ()):
            for name, first in factor.credit(signals):
                here = first & (scores.factors == position)
                if here.any():
                    shares[here, places[name]] += scores.shares[here, -1]
        return shares

    def predict_proba(self, X: Any) -> Floats:
        """Takes n × m signals; returns n × 2 probabilities, classes in the order of `classes_`."""
        won = 1.0 / (1.0 + np.exp(-self.raw_score(X)))
        return np.column_stack([1.0 - won, won])

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Takes n × m signals; returns n labels, the likelier class."""
        won = self.raw_score(X) > 0
        return np.asarray(self.classes_[won.astype(int)])

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        card = None if self.card is None else self.card.model_dump(mode="json", exclude_none=True)
        columns = [str(name) for name in getattr(self, "feature_names_in_", [])]
        return {"kind": self.kind, "card": card, "slope": self.slope_, "intercept": self.intercept_, "columns": columns}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ScorecardClassifier:
        """Takes what `to_dict` gave; returns the fitted classifier."""
        scorer = cls(None if data["card"] is None else Scorecard.model_validate(data["card"]))
        scorer.slope_, scorer.intercept_ = float(data["slope"]), float(data["intercept"])
        scorer.classes_ = np.array([0, 1])
        if data["columns"]:  # fitted on an array, there are no names to hold new data against
            scorer.n_features_in_ = len(data["columns"])
            scorer.feature_names_in_ = np.array(data["columns"], dtype=object)
        known = set(data["columns"])
        scorer.missing_rows_ = tuple(row.id for row in (scorer.card.rows if scorer.card else ()) if not known & set(row.signals))
        return scorer

    def _scores(self, frame: pd.DataFrame) -> CardScores:
        n = len(frame)
        nothing = CardScores(np.zeros((n, 0), np.int64), np.zeros((n, 1)), np.full(n, -1))
        return nothing if self.card is None else self.card.score_leads(frame)

    def _frame(self, X: Any, *, reset: bool) -> pd.DataFrame:
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        if self.card is not None:
            raise DataError(f"the card reads signals by name: expected a DataFrame, got {type(X).__name__}")
        return pd.DataFrame(validate_data(self, X, reset=reset, ensure_all_finite="allow-nan", dtype="numeric"))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.poor_score = True  # a card knows what it was told, whatever the data
        tags.input_tags.allow_nan = True
        return tags


def _fit_line(points: Floats, labels: npt.NDArray[np.int64], weight: Floats) -> tuple[float, float]:
    """Slope ≥ 0 and intercept of the logistic regression of labels on points; the base rate when points do not help."""
    from sklearn.linear_model import LogisticRegression

    rate = float(np.average(labels, weights=weight))
    flat = 0.0, float(np.log(rate / (1.0 - rate)))
    if np.ptp(points) == 0:
        return flat
    model = LogisticRegression(C=1e6, max_iter=1000).fit(points[:, None] / 10.0, labels, sample_weight=weight)
    slope = float(model.coef_[0, 0]) / 10.0
    return (slope, float(model.intercept_[0])) if slope > 0 else flat
