"""Isotonic: any rising shape, from thousands of positives; straight lines between the centres of the pooled steps."""

from itertools import pairwise
from typing import Any

import numpy as np

from pls_ml.calibration.core import MarginCalibrator, are_finite
from pls_ml.calibration.fitting import Floats, Sample, expit

NAMES = ("margins", "probabilities")


class IsotonicCalibrator(MarginCalibrator):
    """Margins → probabilities by pooling adjacent violators; parameters are the steps: their centres and their probabilities.

    Steps alone are flat: leads that differ would get one probability and an empty receipt. So the map runs straight from the centre of
    one step (the weighted mean of its margins) to that of the next, and rises everywhere between the first and the last; beyond them
    it stays at their probability. Source: Oron and Flournoy (2017), "Centered isotonic regression", Statistics in Biopharmaceutical
    Research 9(3). A first or last step of one class only is pooled with its neighbour: no sample makes an outcome certain.
    """

    kind = "isotonic"
    positives_needed = 2000

    def solve(self, sample: Sample) -> tuple[dict[str, Any], str]:
        """Takes checked rows; returns the steps of the isotonic fit, and a sentence when everything is one step."""
        weight, positive, moment, low, high = _pool_ends(_pool_violators(sample))
        # A mean may round to just outside its own step; inside them, centres can never tie or cross.
        centres, heights = np.clip(moment / weight, low, high), positive / weight
        note = ""
        if len(centres) == 1:
            step = "check the labels, look for a leak, or retrain"
            note = f"the margins make one step only, so every lead gets the base rate {heights[0]:.4g}: {step}"
        return dict(zip(NAMES, (centres.tolist(), heights.tolist()), strict=True)), note

    def transform(self, margins: Floats) -> Floats:
        """Takes margins of any shape; returns probabilities of that shape, strictly between 0 and 1; beyond the outer steps constant."""
        return np.interp(self.check_margins(margins), *self._steps())

    def log_odds(self, margins: Floats) -> Floats:
        """Takes margins of any shape; returns calibrated log-odds of that shape; refuses margins that are not finite."""
        probability = self.transform(margins)
        return np.asarray(np.log(probability) - np.log1p(-probability), np.float64)

    def slope(self, margins: Floats) -> Floats:
        """Takes margins of any shape; returns d probability / d margin there, to the right at a centre; 0 beyond the outer steps."""
        values, (centres, heights) = self.check_margins(margins), self._steps()
        rises = np.concatenate([[0.0], np.diff(heights) / np.diff(centres), [0.0]])
        return np.asarray(rises[np.searchsorted(centres, values, side="right")], np.float64)

    def shift_parameters(self, shift: float) -> dict[str, Any]:
        """Takes a step in log-odds; returns the parameters with every step's probability that much higher."""
        centres, heights = self._steps()
        return dict(zip(NAMES, (centres.tolist(), expit(np.log(heights) - np.log1p(-heights) + shift).tolist()), strict=True))

    @classmethod
    def find_fault(cls, parameters: dict[str, Any]) -> str | None:
        """Takes parameters as stored; returns what is wrong with them, or None."""
        lists = [parameters.get(name) for name in NAMES]
        if set(parameters) != {*NAMES} or not all(isinstance(one, list) and one and are_finite(one) for one in lists):
            return f"parameters {sorted(parameters)}, expected finite numbers for {list(NAMES)}"
        centres, heights = parameters["margins"], parameters["probabilities"]
        if len(centres) != len(heights) or any(left >= right for left, right in pairwise(centres)):
            return f"{len(heights)} probabilities for {len(centres)} margins, expected one each, margins rising"
        if any(left > right for left, right in pairwise([0.0, *heights, 1.0])) or heights[0] == 0 or heights[-1] == 1:
            return "probabilities fall or are not between 0 and 1, which would reverse the order or claim certainty"
        return None

    def _steps(self) -> tuple[Floats, Floats]:
        self.require_fitted()
        return np.array(self.parameters_["margins"]), np.array(self.parameters_["probabilities"])


def _pool_violators(sample: Sample) -> list[Floats]:
    """Weight, weight of the positives, weighted sum of margins, least and greatest margin of every step, lowest step first."""
    from scipy.optimize import isotonic_regression

    order = np.lexsort((sample.weights, sample.labels, sample.margins))  # sums of equal margins must not depend on the rows' order
    margins, labels, weights = sample.margins[order], sample.labels[order], sample.weights[order]
    starts = np.flatnonzero(np.append(True, np.diff(margins) > 0))
    weight, positive = np.add.reduceat(weights, starts), np.add.reduceat(weights * labels, starts)
    steps = isotonic_regression(positive / weight, weights=weight).blocks[:-1]
    sums = [np.add.reduceat(amount, steps) for amount in (weight, positive, weight * margins[starts])]
    ends = np.append(steps[1:], len(starts)) - 1
    return [*sums, margins[starts][steps], margins[starts][ends]]


def _pool_ends(steps: list[Floats]) -> tuple[Floats, ...]:
    weight, positive, _, low, high = steps
    # The first step that holds a positive takes in all below it, the last that holds a negative all above it.
    first, last = np.flatnonzero(positive > 0)[0], np.flatnonzero(positive < weight)[-1]
    starts = np.append(0, np.arange(first + 1, last + 1))
    ends = np.append(starts[1:], len(weight)) - 1
    return *(np.add.reduceat(amount, starts) for amount in steps[:3]), low[starts], high[ends]
