"""Smooth maps: log-odds = intercept + Σ slope_j · column_j(margin), slopes ≥ 0.

Columns never fall as the margin rises, so slopes that are not negative make the whole map monotone.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from pls_ml.calibration.core import LARGEST, SMALLEST, MarginCalibrator, are_finite
from pls_ml.calibration.fitting import Floats, Sample, Solution, expit, is_separated, solve_bounded, solve_intercept


class LinearCalibrator(MarginCalibrator):
    """Margins → probabilities, linear in log-odds over columns of the margin; base of intercept, sigmoid and beta.

    Where the slope cannot be fitted it is not: the best one is not above 0 (every lead gets the base rate), or the margins separate
    the classes (the margin's own slope stays).
    """

    #: names of the slopes that are fitted, in the order of the columns; empty means that the margin's own slope stays
    slope_names: tuple[str, ...] = ()
    intercept_name: str = "a"

    def columns(self, margins: Floats) -> list[Floats]:
        """Takes margins of any shape; returns the columns of the map, each of that shape; here the margin itself."""
        return [margins]

    def column_slopes(self, margins: Floats) -> list[Floats]:
        """Takes margins of any shape; returns d column / d margin for every column, never negative."""
        return [np.ones_like(margins)]

    def solve(self, sample: Sample) -> tuple[dict[str, Any], str]:
        """Takes checked rows; returns the best slopes and intercept by weighted log loss, and a sentence when slopes are not fitted."""
        found = self._solve(sample)
        fitted = dict(zip(self.slope_names, found.slopes, strict=False))
        return fitted | {self.intercept_name: found.intercept}, found.note

    def log_odds(self, margins: Floats) -> Floats:
        """Takes margins of any shape; returns calibrated log-odds of that shape; refuses margins that are not finite."""
        values = self.check_margins(margins)
        total = np.full(values.shape, self.parameters_[self.intercept_name])
        for slope, column in zip(self._slopes(), self.columns(values), strict=True):
            total = total + slope * column
        return total

    def transform(self, margins: Floats) -> Floats:
        """Takes margins of any shape; returns probabilities of that shape, strictly between 0 and 1.

        Strictly increasing where the slope is above 0, up to the resolution of a double: rank by the margin.
        """
        return np.clip(expit(self.log_odds(margins)), SMALLEST, LARGEST)

    def slope(self, margins: Floats) -> Floats:
        """Takes margins of any shape; returns d probability / d margin there, never negative."""
        log_odds = self.log_odds(margins)
        columns = zip(self._slopes(), self.column_slopes(np.asarray(margins, np.float64)), strict=True)
        inner = np.sum([slope * column for slope, column in columns], axis=0)
        # expit(-z) and not 1 - expit(z): the difference would cancel in the upper tail.
        return np.asarray(expit(log_odds) * expit(-log_odds) * inner, np.float64)

    def shift_parameters(self, shift: float) -> dict[str, Any]:
        """Takes a step in log-odds; returns the parameters with the intercept that much higher."""
        return self.parameters_ | {self.intercept_name: self.parameters_[self.intercept_name] + shift}

    @classmethod
    def find_fault(cls, parameters: dict[str, Any]) -> str | None:
        """Takes parameters as stored; returns what is wrong with them, or None."""
        names = {*cls.slope_names, cls.intercept_name}
        single = all(isinstance(value, float) for value in parameters.values())
        if set(parameters) != names or not single or not are_finite([*parameters.values()]):
            return f"parameters {parameters}, expected finite numbers for {sorted(names)}"
        if any(parameters[name] < 0 for name in cls.slope_names):
            return f"parameters {parameters} hold a slope below 0, which would reverse the order"
        return None

    def _solve(self, sample: Sample) -> Solution:
        columns = np.column_stack(self.columns(sample.margins))
        if not self.slope_names:
            return solve_intercept(columns, sample)
        if is_separated(sample):
            note = "no negative lies above a positive, so no slope can be estimated and the margin's own is kept"
            return replace(solve_intercept(columns, sample), note=f"{note}: use more rows, or look for a leak")
        return solve_bounded(columns, sample)

    def _slopes(self) -> tuple[float, ...]:
        return tuple(self.parameters_[name] for name in self.slope_names) or (1.0,)
