"""Margin (log-odds) → calibrated probability: one file per calibrator, stored as plain JSON."""

from pls_ml.calibration.beta import BetaCalibrator
from pls_ml.calibration.choice import choose_calibrator, fit_calibrator
from pls_ml.calibration.core import CalibrationWarning, MarginCalibrator
from pls_ml.calibration.intercept import InterceptCalibrator
from pls_ml.calibration.isotonic import IsotonicCalibrator
from pls_ml.calibration.registry import CALIBRATORS, calibrator_from_dict
from pls_ml.calibration.sigmoid import SigmoidCalibrator
from pls_ml.calibration.venn_abers import VennAbersBand, fit_band

__all__ = [
    "CALIBRATORS",
    "BetaCalibrator",
    "CalibrationWarning",
    "InterceptCalibrator",
    "IsotonicCalibrator",
    "MarginCalibrator",
    "SigmoidCalibrator",
    "VennAbersBand",
    "calibrator_from_dict",
    "choose_calibrator",
    "fit_band",
    "fit_calibrator",
]
