"""Which calibrator the number of positives allows, and which of the allowed ones the data ask for."""

from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.calibration.core import MarginCalibrator
from pls_ml.calibration.fitting import Floats, Labels, Sample, check_sample
from pls_ml.calibration.registry import CALIBRATORS, calibrator_of_kind
from pls_ml.core.errors import DataError

N_FOLDS = 5
Codes = npt.NDArray[np.int64]


def choose_calibrator(positives: int) -> MarginCalibrator:
    """Takes a number of positives; returns the most complex calibrator they can carry, unfitted."""
    return _list_allowed(positives)[-1]


def fit_calibrator(
    margins: Floats,
    labels: Labels,
    sample_weight: Floats | None = None,
    kind: str | None = None,
    groups: npt.NDArray[Any] | None = None,
) -> MarginCalibrator:
    """Takes n margins, labels and weights from a later slice than training; returns the fitted calibrator they ask for.

    Without `kind`, the candidates are those no more complex than `choose_calibrator` allows; the simplest one whose
    cross-validated log loss is within one standard error of the best is fitted on all rows. The standard error is that of the
    paired difference to the best: the error of the loss itself is mostly label noise that all candidates share, and would
    nearly always return the intercept. `groups` are n ids (of accounts): rows of one stay in one fold and count once in the error, for
    repeated rows flatter the map that bends most. Refuses what `fit` refuses, and an unknown kind with `ConfigError`.
    """
    if kind is not None:
        return calibrator_of_kind(kind).fit(margins, labels, sample_weight)
    sample = check_sample(margins, labels, sample_weight)
    codes = _number_groups(groups, sample_weight, len(margins))
    return _choose_simplest(_list_allowed(int(sample.labels.sum())), sample, codes).fit(margins, labels, sample_weight)


def _list_allowed(positives: int) -> list[MarginCalibrator]:
    return [made() for made in CALIBRATORS if positives >= made.positives_needed]


def _number_groups(groups: npt.NDArray[Any] | None, weights: Floats | None, rows: int) -> Codes:
    """The number of each weighted row's group; without groups, every row is one."""
    ids = np.arange(rows) if groups is None else np.asarray(groups).astype(str)
    if ids.shape != (rows,):
        raise DataError(f"groups {ids.shape} for {rows} margins: expected one id per row; build them from the same rows")
    return np.asarray(np.unique(ids if weights is None else ids[np.asarray(weights) > 0], return_inverse=True)[1], np.int64)


def _choose_simplest(candidates: list[MarginCalibrator], sample: Sample, codes: Codes) -> MarginCalibrator:
    if len(candidates) == 1:
        return candidates[0]
    folds = _assign_folds(sample, codes)
    losses = [_held_out_losses(candidate, sample, folds) for candidate in candidates]
    best = min(losses, key=lambda loss: float(sample.weights @ loss))
    pairs = zip(candidates, losses, strict=True)
    return next(candidate for candidate, loss in pairs if _is_within_one_error(loss - best, sample.weights, codes))


def _is_within_one_error(excess: Floats, weights: Floats, codes: Codes) -> bool:
    mean = weights @ excess / weights.sum()
    off = np.bincount(codes, weights * (excess - mean))
    return bool(mean <= np.sqrt(off @ off) / weights.sum())


def _assign_folds(sample: Sample, codes: Codes) -> Codes:
    """Every fold gets its share of the positives, whatever the order of the rows, and a random lot of the margins.

    Folds that are alike margin by margin would repeat each other's noise, and so reward the map that bends to it.
    """
    rows = np.bincount(codes)
    labels, margins, weights = (np.bincount(codes, part) / rows for part in (sample.labels, sample.margins, sample.weights))
    shuffled = np.lexsort((weights, margins))[np.random.default_rng(0).permutation(rows.size)]
    folds = np.empty(rows.size, np.int64)
    folds[shuffled[np.argsort(labels[shuffled], kind="stable")]] = np.arange(rows.size) % N_FOLDS
    return folds[codes]


def _held_out_losses(calibrator: MarginCalibrator, sample: Sample, folds: Codes) -> Floats:
    losses = np.empty(folds.size)
    for fold in range(N_FOLDS):
        held, fitted = folds == fold, type(calibrator)()
        fitted.learn(sample.rows(~held))
        log_odds = fitted.log_odds(sample.margins[held])
        losses[held] = np.logaddexp(0.0, log_odds) - sample.labels[held] * log_odds
    return losses
