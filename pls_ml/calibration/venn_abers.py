"""How far a probability may be off for want of rows: a lower and an upper one per margin, beside the calibrator's."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.calibration.core import are_finite
from pls_ml.calibration.fitting import Floats, Labels, Sample, check_finite, check_sample
from pls_ml.core.errors import BundleError

Point = tuple[float, float]
"""Weight and weight of the positives, both summed from the lowest margin on."""


@dataclass(frozen=True)
class VennAbersBand:
    """Margins → two probabilities: the isotonic fit at a new lead, were it lost (`low`) and were it won (`high`).

    `low` steps up at each of `low_margins` to the value of `low`, and is 0 below the first; `high` has the value of `high` up to and
    with each of `high_margins`, and is 1 above the last. Where rows and new leads are drawn alike, one of the two is calibrated,
    whatever the scorer. The band is wide where rows are few, and no interval for the true probability: it says what one more outcome
    would change. The calibrator's probability may lie outside, where it disagrees with the rows nearby.
    Source: Vovk, Petej and Fedorova (2015), "Large-scale probabilistic predictors with and without guarantees of validity", NeurIPS.
    """

    low_margins: tuple[float, ...]
    low: tuple[float, ...]
    high_margins: tuple[float, ...]
    high: tuple[float, ...]
    positives: int
    rows: int

    def at(self, margins: Floats) -> tuple[Floats, Floats]:
        """Takes margins of any shape; returns the lower and the upper probability of each; refuses margins that are not finite."""
        values = check_finite(margins)
        low = np.append(0.0, self.low)[np.searchsorted(self.low_margins, values, side="right")]
        high = np.append(self.high, 1.0)[np.searchsorted(self.high_margins, values, side="left")]
        return low, high

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns the steps and the numbers of rows as plain JSON values; exact both ways."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> VennAbersBand:
        """Takes what `to_dict` gave; returns the same band, to the last bit; refuses with `BundleError`."""
        try:
            low_margins, low, high_margins, high = (
                tuple(float(value) for value in data[name]) for name in ("low_margins", "low", "high_margins", "high")
            )
            made = cls(low_margins, low, high_margins, high, int(data["positives"]), int(data["rows"]))
        except (KeyError, TypeError, ValueError) as fault:
            raise BundleError(_damaged(f"{type(fault).__name__}: {fault}")) from fault
        for margins, values in ((low_margins, low), (high_margins, high)):
            rising = len(margins) == len(values) > 0 and all(a < b for a, b in pairwise(margins))
            if not rising or not are_finite([*margins, *values]) or any(a > b for a, b in pairwise([0.0, *values, 1.0])):
                raise BundleError(_damaged(f"{len(margins)} margins and {len(values)} probabilities are no rising steps from 0 to 1"))
        return made


def fit_band(margins: Floats, labels: Labels, sample_weight: Floats | None = None, groups: npt.NDArray[Any] | None = None) -> VennAbersBand:
    """Takes the n margins, labels and weights that a calibrator is fitted on, and n ids of accounts; returns their Venn-Abers band.

    With `groups`, the new lead counts as much as one of them does on average: rows of an account repeat each other, and as single
    rows they would promise a precision that nobody has. Refuses what a calibrator's `fit` refuses.
    """
    sample = check_sample(margins, labels, sample_weight)
    distinct, weight, positive = _sum_by_margin(sample)
    if groups is not None:
        share = np.unique(np.asarray(groups).astype(str)).size / weight.sum()
        weight, positive = weight * share, positive * share
    high = _fit_at_each(weight, positive)
    # Lost and won change places when everything is read from the highest margin down: 1 - high of the mirrored rows.
    low = 1 - _fit_at_each(weight[::-1], (weight - positive)[::-1])[::-1]
    rises = np.append(True, np.diff(low) > 0)  # the first margin of each level
    ends = np.append(np.diff(high) > 0, True)  # the last margin of each level
    return VennAbersBand(
        tuple(distinct[rises].tolist()),
        tuple(low[rises].tolist()),
        tuple(distinct[ends].tolist()),
        tuple(high[ends].tolist()),
        int(sample.labels.sum()),
        int(sample.labels.size),
    )


def _sum_by_margin(sample: Sample) -> tuple[Floats, Floats, Floats]:
    """Distinct margins from the lowest, and the weight of the rows and of the positives at each."""
    order = np.lexsort((sample.weights, sample.labels, sample.margins))
    margins, labels, weights = sample.margins[order], sample.labels[order], sample.weights[order]
    starts = np.flatnonzero(np.append(True, np.diff(margins) > 0))
    return margins[starts], np.add.reduceat(weights, starts), np.add.reduceat(weights * labels, starts)


def _fit_at_each(weight: Floats, positive: Floats) -> Floats:
    """Takes k weights and their positives by margin; returns the isotonic fit at each margin after a win of weight 1 joins it.

    The fit is the slope of the greatest convex minorant of the summed points, here with all points before the win lowered by (1, 1)
    in place of all after it raised. As the win moves up, one point after the other is lowered; `corners` keeps those of the minorant
    from the left end of the win's own edge on, that end last.
    """
    points = list(zip(np.cumsum(weight).tolist(), np.cumsum(positive).tolist(), strict=True))
    corners = _find_corners([(-1.0, -1.0), *points])[::-1]
    fitted = np.empty(len(points))
    for place, (x, y) in enumerate(points):
        left, right, lowered = corners[-1], corners[-2], (x - 1.0, y - 1.0)
        fitted[place] = (right[1] - left[1]) / (right[0] - left[0])
        if _turn(left, right, lowered) >= 0:
            continue  # it lies above the edge, which therefore stays
        corners.pop()
        while len(corners) > 1 and _turn(lowered, corners[-1], corners[-2]) <= 0:
            corners.pop()
        corners.append(lowered)
    return np.maximum.accumulate(np.clip(fitted, 0.0, 1.0))  # rounding may undo the order in the last digit


def _find_corners(points: list[Point]) -> list[Point]:
    """The corners of the greatest convex minorant, from the left."""
    corners: list[Point] = []
    for point in points:
        while len(corners) > 1 and _turn(corners[-2], corners[-1], point) <= 0:
            corners.pop()
        corners.append(point)
    return corners


def _turn(first: Point, second: Point, third: Point) -> float:
    """Above 0 where the way over the three points bends upwards, that is where the third lies above the line of the others."""
    return (second[0] - first[0]) * (third[1] - first[1]) - (second[1] - first[1]) * (third[0] - first[0])


def _damaged(fault: str) -> str:
    return f"the stored Venn-Abers band is damaged ({fault}): restore the bundle from a copy, or recalibrate"
