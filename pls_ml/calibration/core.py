"""The shared core: every calibrator is log-odds = intercept + Σ slope_j · column_j(margin), slopes ≥ 0.

Columns never fall as the margin rises, so slopes that are not negative make the whole map monotone.
"""

import math
import warnings
from dataclasses import replace
from typing import Any, Self

import numpy as np

from pls_ml.calibration.fitting import (
    Floats,
    Labels,
    Sample,
    Solution,
    check_finite,
    check_sample,
    expit,
    is_separated,
    solve_bounded,
    solve_intercept,
)
from pls_ml.core.errors import BundleError

# A double rounds to 0 or 1 beyond about ±37 log-odds; a probability shown to a person never claims certainty.
SMALLEST, LARGEST = float(np.finfo(np.float64).tiny), float(np.nextafter(1.0, 0.0))


class CalibrationWarning(UserWarning):
    """A calibrator could not use the slope it was asked to fit, and says what it did instead."""


class MarginCalibrator:
    """Margins in log-odds → calibrated probabilities; base of the calibrators, which differ in their columns only.

    Follows scikit-learn's estimator habits (`clone`, `get_params`, tags) without importing it: a night that only scores
    never pays for that import. Fitted attributes: `parameters_`, `positives_`, `rows_`, `domain_` (least and greatest margin).
    """

    kind: str = ""
    #: names of the slopes that are fitted, in the order of the columns; empty means that the margin's own slope stays
    slope_names: tuple[str, ...] = ()
    intercept_name: str = "a"

    parameters_: dict[str, float]
    positives_: int
    rows_: int
    domain_: tuple[float, float]

    def columns(self, margins: Floats) -> list[Floats]:
        """Takes margins of any shape; returns the columns of the map, each of that shape; here the margin itself."""
        return [margins]

    def column_slopes(self, margins: Floats) -> list[Floats]:
        """Takes margins of any shape; returns d column / d margin for every column, never negative."""
        return [np.ones_like(margins)]

    def fit(self, margins: Floats, labels: Labels, sample_weight: Floats | None = None) -> Self:
        """Takes n margins, n labels (0 or 1) and n weights; returns itself, fitted by weighted log loss.

        Refuses with `DataError`: unequal lengths, margins that are not finite, labels other than 0 and 1, one class only,
        weights that are negative or not finite. Warns with `CalibrationWarning` when the slope is not fitted: the best one is
        not above 0 (every lead gets the base rate), or the margins separate the classes (the margin's own slope stays).
        """
        sample = check_sample(margins, labels, sample_weight)
        solution = self.solve(sample)
        if solution.note:
            warnings.warn(f"{type(self).__name__}: {solution.note}", CalibrationWarning, stacklevel=2)
        return self.adopt(solution, sample)

    def solve(self, sample: Sample) -> Solution:
        """Takes checked rows; returns the best slopes and intercept, without touching the calibrator."""
        columns = np.column_stack(self.columns(sample.margins))
        if not self.slope_names:
            return solve_intercept(columns, sample)
        if is_separated(sample):
            note = "no negative lies above a positive, so no slope can be estimated and the margin's own is kept"
            return replace(solve_intercept(columns, sample), note=f"{note}: use more rows, or look for a leak")
        return solve_bounded(columns, sample)

    def adopt(self, solution: Solution, sample: Sample) -> Self:
        """Takes a solution and the rows it came from; returns itself with the fitted attributes set."""
        fitted = dict(zip(self.slope_names, solution.slopes, strict=False))
        self.parameters_ = fitted | {self.intercept_name: solution.intercept}
        self.positives_, self.rows_ = int(sample.labels.sum()), int(sample.labels.size)
        self.domain_ = (float(sample.margins.min()), float(sample.margins.max()))
        return self

    def log_odds(self, margins: Floats) -> Floats:
        """Takes margins of any shape; returns calibrated log-odds of that shape; refuses margins that are not finite."""
        slopes, intercept = self._fitted()
        total = np.full(np.shape(margins), intercept)
        for slope, column in zip(slopes, self.columns(check_finite(margins)), strict=True):
            total = total + slope * column
        return total

    def transform(self, margins: Floats) -> Floats:
        """Takes margins of any shape; returns probabilities of that shape, strictly between 0 and 1.

        Strictly increasing where the slope is above 0, up to the resolution of a double: rank by the margin.
        """
        return np.clip(expit(self.log_odds(margins)), SMALLEST, LARGEST)

    def slope(self, margins: Floats) -> Floats:
        """Takes margins of any shape; returns d probability / d margin there, never negative."""
        log_odds, (slopes, _) = self.log_odds(margins), self._fitted()
        columns = zip(slopes, self.column_slopes(np.asarray(margins, np.float64)), strict=True)
        inner = np.sum([slope * column for slope, column in columns], axis=0)
        # expit(-z) and not 1 - expit(z): the difference would cancel in the upper tail.
        return np.asarray(expit(log_odds) * expit(-log_odds) * inner, np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns kind, parameters, positives, rows and domain as plain JSON values; exact both ways."""
        self._fitted()
        facts = {"positives": self.positives_, "rows": self.rows_, "domain": list(self.domain_)}
        return {"kind": self.kind, "parameters": dict(self.parameters_), **facts}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Takes what `to_dict` gave; returns the same calibrator, to the last bit; refuses with `BundleError`."""
        names = {*cls.slope_names, cls.intercept_name}
        try:
            parameters = {name: float(value) for name, value in data["parameters"].items()}
            low, high = (float(edge) for edge in data["domain"])
            positives, rows = int(data["positives"]), int(data["rows"])
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise BundleError(_damaged(cls.kind, f"{type(fault).__name__}: {fault}")) from fault
        if set(parameters) != names or not all(map(math.isfinite, parameters.values())):
            raise BundleError(_damaged(cls.kind, f"parameters {parameters}, expected finite numbers for {sorted(names)}"))
        if any(parameters[name] < 0 for name in cls.slope_names):
            raise BundleError(_damaged(cls.kind, f"parameters {parameters} hold a slope below 0, which would reverse the order"))
        made = cls()
        made.parameters_, made.positives_, made.rows_, made.domain_ = parameters, positives, rows, (low, high)
        return made

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Takes scikit-learn's `deep`; returns the constructor's arguments: there are none."""
        return {}

    def set_params(self, **params: Any) -> Self:
        """Takes nothing; returns itself; refuses any parameter."""
        if params:
            raise ValueError(f"{type(self).__name__} has no parameters, but got {sorted(params)}: leave them out")
        return self

    def __sklearn_tags__(self) -> Any:
        """Takes nothing; returns scikit-learn's tags: one-dimensional input, labels required."""
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        shape = InputTags(one_d_array=True, two_d_array=False)
        return Tags(estimator_type=None, target_tags=TargetTags(True), transformer_tags=TransformerTags(), input_tags=shape)

    def __repr__(self) -> str:
        """Takes nothing; returns the class and, once fitted, its parameters."""
        shown = ", ".join(f"{name}={value:.4g}" for name, value in getattr(self, "parameters_", {}).items())
        return f"{type(self).__name__}()" if not shown else f"{type(self).__name__}() fitted: {shown}"

    def _fitted(self) -> tuple[tuple[float, ...], float]:
        if not hasattr(self, "parameters_"):
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(f"this {type(self).__name__} is not fitted yet: call fit, or read one with calibrator_from_dict")
        slopes = tuple(self.parameters_[name] for name in self.slope_names)
        return slopes or (1.0,), self.parameters_[self.intercept_name]


def _damaged(kind: str, fault: str) -> str:
    return f"the stored '{kind}' calibrator is damaged ({fault}): restore the bundle from a copy, or recalibrate"
