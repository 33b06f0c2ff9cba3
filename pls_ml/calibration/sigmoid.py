"""Sigmoid: log-odds = b · margin + a. The default where receipts must scale exactly."""

from pls_ml.calibration.core import MarginCalibrator


class SigmoidCalibrator(MarginCalibrator):
    """Margins → probabilities through a straight line in log-odds with slope b ≥ 0.

    Source: Platt (1999), fitted on the margin by plain log loss; his smoothed targets are left out because they move the mean
    probability away from the base rate.
    """

    kind = "sigmoid"
    slope_names = ("b",)
