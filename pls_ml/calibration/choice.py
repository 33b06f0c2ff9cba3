"""Which calibrator the number of positives allows, and which of the allowed ones the data ask for."""

import numpy as np
import numpy.typing as npt

from pls_ml.calibration.beta import BetaCalibrator
from pls_ml.calibration.core import MarginCalibrator
from pls_ml.calibration.fitting import Floats, Labels, Sample, check_sample
from pls_ml.calibration.intercept import InterceptCalibrator
from pls_ml.calibration.registry import CALIBRATORS, calibrator_of_kind
from pls_ml.calibration.sigmoid import SigmoidCalibrator

POSITIVES_FOR_SIGMOID = 30
POSITIVES_FOR_BETA = 100
N_FOLDS = 5


def choose_calibrator(positives: int) -> MarginCalibrator:
    """Takes a number of positives; returns the most complex calibrator they can carry, unfitted."""
    if positives < POSITIVES_FOR_SIGMOID:
        return InterceptCalibrator()
    return SigmoidCalibrator() if positives < POSITIVES_FOR_BETA else BetaCalibrator()


def fit_calibrator(
    margins: Floats,
    labels: Labels,
    sample_weight: Floats | None = None,
    kind: str | None = None,
) -> MarginCalibrator:
    """Takes n margins, labels and weights from a later slice than training; returns the fitted calibrator they ask for.

    Without `kind`, the candidates are those no more complex than `choose_calibrator` allows; the simplest one whose
    cross-validated log loss is within one standard error of the best is fitted on all rows. The standard error is that of the
    paired difference to the best, row by row: the error of the loss itself is mostly label noise that all candidates share,
    and would nearly always return the intercept. Refuses what `fit` refuses, and an unknown kind with `ConfigError`.
    """
    if kind is not None:
        return calibrator_of_kind(kind).fit(margins, labels, sample_weight)
    sample = check_sample(margins, labels, sample_weight)
    allowed = choose_calibrator(int(sample.labels.sum()))
    candidates = [made() for made in CALIBRATORS[: CALIBRATORS.index(type(allowed)) + 1]]
    return _choose_simplest(candidates, sample).fit(margins, labels, sample_weight)


def _choose_simplest(candidates: list[MarginCalibrator], sample: Sample) -> MarginCalibrator:
    if len(candidates) == 1:
        return candidates[0]
    folds = _assign_folds(sample)
    losses = [_held_out_losses(candidate, sample, folds) for candidate in candidates]
    best = min(losses, key=lambda loss: float(sample.weights @ loss))
    pairs = zip(candidates, losses, strict=True)
    return next(candidate for candidate, loss in pairs if _is_within_one_error(loss - best, sample.weights))


def _is_within_one_error(excess: Floats, weights: Floats) -> bool:
    mean = weights @ excess / weights.sum()
    return bool(mean <= np.sqrt(weights**2 @ (excess - mean) ** 2) / weights.sum())


def _assign_folds(sample: Sample) -> npt.NDArray[np.int64]:
    """Every fold gets the same mix of labels and margins, whatever the order of the rows."""
    folds = np.empty(sample.labels.size, np.int64)
    folds[np.lexsort((sample.weights, sample.margins, sample.labels))] = np.arange(folds.size) % N_FOLDS
    return folds


def _held_out_losses(calibrator: MarginCalibrator, sample: Sample, folds: npt.NDArray[np.int64]) -> Floats:
    losses = np.empty(folds.size)
    for fold in range(N_FOLDS):
        kept, held = sample.rows(folds != fold), folds == fold
        fitted = type(calibrator)().adopt(calibrator.solve(kept), kept)
        log_odds = fitted.log_odds(sample.margins[held])
        losses[held] = np.logaddexp(0.0, log_odds) - sample.labels[held] * log_odds
    return losses
