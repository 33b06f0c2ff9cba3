"""Rows encoded and binned once, and trees grown on them by any settings, no further than somebody asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from pls_ml.core.protocols import Floats, Scorer
from pls_ml.core.spec import Spec
from pls_ml.scores.encoding import Encoding, check_labels

BINNING: dict[str, Any] = {"verbose": -1, "feature_pre_filter": False, "data_random_seed": 1}
"""What decides the bins: fixed, so that trees of any seed and any settings grow on the same ones."""
FIXED: dict[str, Any] = {"objective": "binary", "bagging_freq": 1, "deterministic": True, "force_col_wise": True}
DIRECTIONS = {"up": 1, "down": -1, "none": 0}
MANY_CELLS = 20_000_000
"""Below this, threads wait for each other longer than they work."""
MAX_TREES, STEP = 400, 20
"""How many trees are tried at most, and in which steps."""
PATIENCE = 5
"""After so many steps without a smaller loss no more trees are tried."""
Rows = tuple[pd.DataFrame, npt.NDArray[np.int8], Floats | None]


class TreeSettings(Spec):
    """How trees are grown, in LightGBM's words.

    The library's own defaults are a poor model on small temporal data; these are METHOD's regularised ones.
    """

    learning_rate: float = Field(default=0.03, gt=0, le=1)
    num_leaves: int = Field(default=15, ge=2, le=1024)
    min_data_in_leaf: int = Field(default=40, ge=1)
    lambda_l2: float = Field(default=5.0, ge=0)
    bagging_fraction: float = Field(default=0.8, gt=0, le=1)
    feature_fraction: float = Field(default=0.8, gt=0, le=1)

    def to_parameters(self, encoding: Encoding, directions: Mapping[str, str], seed: int, threads: int) -> dict[str, Any]:
        """Takes the columns, their declared directions, a seed and threads; returns what LightGBM is told."""
        bound = [0 if name in encoding.categories else DIRECTIONS[directions.get(name, "none")] for name in encoding.columns]
        return BINNING | FIXED | self.model_dump() | {"monotone_constraints": bound, "seed": seed, "num_threads": threads}


class TreeFold:
    """Rows to grow trees on and later rows to check them on, binned once; of the rows themselves nothing is kept.

    With a start that was fitted on the rows to grow on, trees can be grown from its margins as well as from nothing.
    """

    def __init__(self, fit: Rows, check: Rows, start: Scorer | None = None) -> None:
        """Takes (signals, labels, weights) to grow on and to check on, and a fitted start; refuses labels of one class to grow on."""
        check_labels(fit[0], fit[1])
        self.encoding = Encoding.learn(fit[0])
        self.cells = fit[0].size
        self.weight = np.ones(len(check[1])) if check[2] is None else check[2]
        self.margins = None if start is None else (start.raw_score(fit[0]), start.raw_score(check[0]))
        self._won = check[1] == 1
        self._fit = bin_rows(self.encoding, fit)
        self._check = bin_rows(self.encoding, check, self._fit)

    def begin(self, parameters: dict[str, Any], started: bool) -> Any:
        """Takes what LightGBM is told and whether to grow from the start; returns a booster without a tree."""
        import lightgbm

        both = self.margins if started and self.margins else (None, None)
        for data, margins in zip((self._fit, self._check), both, strict=True):
            data.set_field("init_score", margins)
        booster = lightgbm.Booster(parameters | {"boost_from_average": both[0] is None, "metric": "none"}, self._fit)
        return booster.add_valid(self._check, "check")  # both have copied the margins by now

    def sum_losses(self, probability: Floats) -> float:
        """Takes probabilities of the rows to check on; returns their weighted log losses, summed."""
        happened = np.where(self._won, probability, 1.0 - probability)
        return float(-np.sum(self.weight * np.log(np.maximum(happened, 1e-15))))


class Growth:
    """Trees of one setting on one fold: the loss on the rows to check by number of trees, and the margins with one of the numbers."""

    def __init__(self, fold: TreeFold, parameters: dict[str, Any], started: bool = False) -> None:
        """Takes a fold, what LightGBM is told, and whether to grow from the fold's start."""
        self._fold = fold
        self._start = fold.margins[1] if started and fold.margins else None
        self._booster = fold.begin(parameters, started)
        self._losses = [] if self._start is None else [fold.sum_losses(np.exp(-np.logaddexp(0.0, -self._start)))]

    def loss(self, place: int) -> float:
        """Takes a place in `tree_counts`; returns the loss with that many trees, which are grown if they are not there yet."""
        while len(self._losses) <= place:
            for _ in range(STEP):
                self._booster.update()
            self._losses += [value for _, _, value, _ in self._booster.eval_valid(self._measure)]
        return self._losses[place]

    def margins(self, place: int, signals: pd.DataFrame) -> Floats:
        """Takes a place in `tree_counts` and the signals of the rows to check; returns their margins with that many trees."""
        count = STEP * (place + (self._start is None))
        start = np.zeros(len(signals)) if self._start is None else self._start
        if not count:
            return start
        matrix = self._fold.encoding.encode(signals)
        return np.asarray(start + self._booster.predict(matrix, raw_score=True, num_iteration=count))

    def _measure(self, probability: Floats, _: Any) -> tuple[str, float, bool]:
        return "loss", self._fold.sum_losses(probability), False


def bin_rows(encoding: Encoding, rows: Rows, like: Any = None, margins: Floats | None = None) -> Any:
    """Takes an encoding, rows, the data whose bins to use (None: their own) and the margins to start from; returns LightGBM's data."""
    import lightgbm

    signals, labels, weight = rows
    # Names stay outside: LightGBM refuses some characters, and order is kept by the encoding.
    codes = [position for position, name in enumerate(encoding.columns) if name in encoding.categories]
    return lightgbm.Dataset(
        encoding.encode(signals), labels, like, weight=weight, init_score=margins, categorical_feature=codes, params=BINNING
    ).construct()


def find_place(growths: Sequence[Growth], places: int) -> tuple[int, float]:
    """Takes the trees of every fold and how many counts may be tried; returns the place of the least summed loss, and that loss.

    All folds grow together, until their sum has not fallen for some steps: early stopping on later rows.
    """
    totals: list[float] = []
    best = 0
    while len(totals) < places and len(totals) - best <= PATIENCE:
        totals.append(sum(growth.loss(len(totals)) for growth in growths))
        best = int(np.argmin(totals))
    return best, totals[best]


def tree_counts(start: Scorer | None) -> range:
    """Takes a start or None; returns the counts of trees that are tried; no tree at all only where there is a start."""
    return range(STEP if start is None else 0, MAX_TREES + 1, STEP)
