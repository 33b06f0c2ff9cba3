"""The calibrators there are, simplest first, and the way back from their stored form."""

from typing import Any

from pls_ml.calibration.beta import BetaCalibrator
from pls_ml.calibration.core import MarginCalibrator
from pls_ml.calibration.intercept import InterceptCalibrator
from pls_ml.calibration.isotonic import IsotonicCalibrator
from pls_ml.calibration.sigmoid import SigmoidCalibrator
from pls_ml.core.errors import BundleError, ConfigError, PlsError, suggest

CALIBRATORS: tuple[type[MarginCalibrator], ...] = (InterceptCalibrator, SigmoidCalibrator, BetaCalibrator, IsotonicCalibrator)


def calibrator_from_dict(data: dict[str, Any]) -> MarginCalibrator:
    """Takes what a calibrator's `to_dict` gave; returns that calibrator; refuses unknown kinds and damage with `BundleError`."""
    return _find_class(data.get("kind"), BundleError).from_dict(data)


def calibrator_of_kind(kind: str) -> MarginCalibrator:
    """Takes a kind as the project file names it; returns an unfitted calibrator; refuses an unknown one with `ConfigError`."""
    return _find_class(kind, ConfigError)()


def _find_class(kind: Any, error: type[PlsError]) -> type[MarginCalibrator]:
    known = {calibrator.kind: calibrator for calibrator in CALIBRATORS}
    if kind not in known:
        raise error(f"calibrator kind '{kind}' is unknown{suggest(str(kind), [*known])}: expected one of {', '.join(known)}")
    return known[kind]
