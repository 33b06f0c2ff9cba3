"""Sigmoid: log-odds = b · margin + a. The default where receipts must scale exactly."""

from pls_ml.calibration.linear import LinearCalibrator


class SigmoidCalibrator(LinearCalibrator):
    """Margins → probabilities through a straight line in log-odds with slope b ≥ 0.

    Source: Platt (1999), fitted on the margin by plain log loss; his smoothed targets are left out because they move the mean
    probability away from the base rate.
    """

    kind = "sigmoid"
    positives_needed = 30
    slope_names = ("b",)
