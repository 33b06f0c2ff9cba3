"""What every calibrator shares: checked rows in, a monotone map out, exact JSON; the maps themselves differ by file."""

import math
import warnings
from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np

from pls_ml.calibration.fitting import Floats, Labels, Sample, check_finite, check_sample, find_shift
from pls_ml.core.errors import BundleError

# A double rounds to 0 or 1 beyond about ±37 log-odds; a probability shown to a person never claims certainty.
SMALLEST, LARGEST = float(np.finfo(np.float64).tiny), float(np.nextafter(1.0, 0.0))


class CalibrationWarning(UserWarning):
    """A calibrator could not fit the map it was asked for, and says what it did instead."""


class MarginCalibrator(ABC):
    """Margins in log-odds → calibrated probabilities; base of the calibrators, which differ in the map and its parameters.

    Follows scikit-learn's estimator habits (`clone`, `get_params`, tags) without importing it: a night that only scores
    never pays for that import. Fitted attributes: `parameters_`, `positives_`, `rows_`, `domain_` (least and greatest margin).
    """

    kind: str = ""
    #: from how many positives on it may be chosen
    positives_needed: int = 0

    parameters_: dict[str, Any]
    positives_: int
    rows_: int
    domain_: tuple[float, float]

    @abstractmethod
    def solve(self, sample: Sample) -> tuple[dict[str, Any], str]:
        """Takes checked rows; returns the best parameters, and a sentence when they are not the map asked for (else empty)."""

    @abstractmethod
    def log_odds(self, margins: Floats) -> Floats:
        """Takes margins of any shape; returns calibrated log-odds of that shape; refuses margins that are not finite."""

    @abstractmethod
    def transform(self, margins: Floats) -> Floats:
        """Takes margins of any shape; returns probabilities of that shape, strictly between 0 and 1, never falling."""

    @abstractmethod
    def slope(self, margins: Floats) -> Floats:
        """Takes margins of any shape; returns d probability / d margin there, never negative."""

    @abstractmethod
    def shift_parameters(self, shift: float) -> dict[str, Any]:
        """Takes a step in log-odds; returns the parameters of the map that lies that much higher everywhere."""

    @classmethod
    @abstractmethod
    def find_fault(cls, parameters: dict[str, Any]) -> str | None:
        """Takes parameters as stored; returns what is wrong with them, or None."""

    def fit(self, margins: Floats, labels: Labels, sample_weight: Floats | None = None) -> Self:
        """Takes n margins, n labels (0 or 1) and n weights; returns itself, fitted.

        Refuses with `DataError`: unequal lengths, margins that are not finite, labels other than 0 and 1, one class only,
        weights that are negative or not finite. Warns with `CalibrationWarning` when the map asked for cannot be fitted.
        """
        note = self.learn(check_sample(margins, labels, sample_weight))
        if note:
            warnings.warn(f"{type(self).__name__}: {note}", CalibrationWarning, stacklevel=2)
        return self

    def learn(self, sample: Sample) -> str:
        """Takes checked rows; sets the fitted attributes; returns the sentence of `solve`."""
        self.parameters_, note = self.solve(sample)
        self._note_facts(sample)
        return note

    def refit_intercept(self, margins: Floats, labels: Labels, sample_weight: Floats | None = None) -> Self:
        """Takes n newer margins, labels and weights; returns a new calibrator: this map, moved so that it meets their base rate.

        The shape stays: in log-odds, the map moves by one number ("calibration in the large", Steyerberg 2009, section 15.3).
        Refuses what `fit` refuses.
        """
        sample = check_sample(margins, labels, sample_weight)
        moved = type(self)()
        moved.parameters_ = self.shift_parameters(find_shift(self.log_odds(sample.margins), sample))
        moved._note_facts(sample)
        return moved

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns kind, parameters, positives, rows and domain as plain JSON values; exact both ways."""
        self.require_fitted()
        facts = {"positives": self.positives_, "rows": self.rows_, "domain": list(self.domain_)}
        return {"kind": self.kind, "parameters": dict(self.parameters_), **facts}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Takes what `to_dict` gave; returns the same calibrator, to the last bit; refuses with `BundleError`."""
        made = cls()
        try:
            parameters = {name: _to_floats(value) for name, value in data["parameters"].items()}
            low, high = (float(edge) for edge in data["domain"])
            made.positives_, made.rows_ = int(data["positives"]), int(data["rows"])
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise BundleError(say_damaged(cls.kind, f"{type(fault).__name__}: {fault}")) from fault
        if wrong := cls.find_fault(parameters):
            raise BundleError(say_damaged(cls.kind, wrong))
        made.parameters_, made.domain_ = parameters, (low, high)
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
        shown = ", ".join(f"{name}={_say(value)}" for name, value in getattr(self, "parameters_", {}).items())
        return f"{type(self).__name__}()" if not shown else f"{type(self).__name__}() fitted: {shown}"

    def require_fitted(self) -> None:
        """Takes nothing; returns nothing; refuses with scikit-learn's error when nothing was fitted or read."""
        if not hasattr(self, "parameters_"):
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(f"this {type(self).__name__} is not fitted yet: call fit, or read one with calibrator_from_dict")

    def check_margins(self, margins: Floats) -> Floats:
        """Takes margins of any shape; returns them as doubles; refuses those that are not finite, and to map before `fit`."""
        self.require_fitted()
        return check_finite(margins)

    def _note_facts(self, sample: Sample) -> None:
        self.positives_, self.rows_ = int(sample.labels.sum()), int(sample.labels.size)
        self.domain_ = (float(sample.margins.min()), float(sample.margins.max()))


def are_finite(values: Any) -> bool:
    """Takes a number or a list of numbers; returns whether each is finite."""
    return all(map(math.isfinite, values if isinstance(values, list) else [values]))


def say_damaged(kind: str, fault: str) -> str:
    """Takes a kind and what is wrong with its stored form; returns the sentence that says so."""
    return f"the stored '{kind}' calibrator is damaged ({fault}): restore the bundle from a copy, or recalibrate"


def _to_floats(value: Any) -> float | list[float]:
    return [float(number) for number in value] if isinstance(value, list) else float(value)


def _say(value: Any) -> str:
    return f"{len(value)} numbers" if isinstance(value, list) else f"{value:.4g}"
