"""Intercept only: log-odds = margin + a. For fewer than 30 positives, and for a monthly shift of the mean."""

from pls_ml.calibration.linear import LinearCalibrator


class InterceptCalibrator(LinearCalibrator):
    """Margins → probabilities whose mean equals the base rate of the rows fitted on; the slope stays 1.

    The fit makes the weighted sum of the probabilities equal the weighted number of positives ("calibration in the large",
    Steyerberg 2009, section 15.3). The slope is not looked at: below 30 positives its sign would be judged by noise.
    """

    kind = "intercept"
