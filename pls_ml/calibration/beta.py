"""Beta: log-odds = a · log p0 - b · log(1 - p0) + c with p0 = expit(margin). Bends the two tails independently."""

import numpy as np

from pls_ml.calibration.fitting import Floats, expit
from pls_ml.calibration.linear import LinearCalibrator


class BetaCalibrator(LinearCalibrator):
    """Margins → probabilities through the three-parameter beta map with a, b ≥ 0; a = b = 1 leaves the slope alone.

    Source: Kull, Silva Filho and Flach (2017), "Beta calibration", AISTATS. The logarithms come from the margin and never from
    p0, which has rounded to 0 or 1 long before the margin is extreme.
    """

    kind = "beta"
    positives_needed = 100
    slope_names = ("a", "b")
    intercept_name = "c"

    def columns(self, margins: Floats) -> list[Floats]:
        """Takes margins of any shape; returns log p0 and -log(1 - p0), each of that shape."""
        return [-np.logaddexp(0.0, -margins), np.logaddexp(0.0, margins)]

    def column_slopes(self, margins: Floats) -> list[Floats]:
        """Takes margins of any shape; returns 1 - p0 and p0, the derivatives of the two columns."""
        return [expit(-margins), expit(margins)]
