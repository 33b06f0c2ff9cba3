"""LightGBM with monotone constraints from the catalogue; several seeds averaged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.errors import BundleError
from pls_ml.core.protocols import Floats
from pls_ml.scores.encoding import Encoding, check_labels

PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_data_in_leaf": 40,
    "lambda_l2": 5.0,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "feature_fraction": 0.8,
    "deterministic": True,
    "force_col_wise": True,
    "verbose": -1,
}
"""The library's defaults are a poor model on small temporal data; these are METHOD's regularised ones."""
DIRECTIONS = {"up": 1, "down": -1, "none": 0}
MIN_ROWS = 2000
MIN_POSITIVES = 100
"""Below either, trees are not worth fitting: a card or a logistic regression is."""
MANY_CELLS = 20_000_000
"""Below this, threads wait for each other longer than they work."""
MAX_TREES, STEP = 400, 20
"""How many trees are tried, and in which steps."""
Rows = tuple[pd.DataFrame, npt.NDArray[np.int8], Floats | None]


class BoostedScorer:
    """Log-odds from gradient-boosted trees; contributions are the trees' own exact SHAP values."""

    kind = "lightgbm"

    def __init__(
        self, directions: Mapping[str, str] | None = None, n_trees: int = 200, seeds: int = 1, seed: int = 7, threads: int = 1
    ) -> None:
        """Takes each column's declared direction ('up', 'down', 'none'), trees per seed, how many seeds, the first one, and threads."""
        self.directions = directions
        self.n_trees = n_trees
        self.seeds = seeds
        self.seed = seed
        self.threads = threads

    def fit(self, signals: pd.DataFrame, labels: npt.NDArray[np.int8], sample_weight: Floats | None = None) -> BoostedScorer:
        """Takes n × m signal columns, n labels and n weights; returns itself, fitted; refuses labels of one class."""
        self.boosters_ = [self._train((signals, labels, sample_weight), self.n_trees, offset) for offset in range(self.seeds)]
        return self

    def loss_by_trees(self, fit: Rows, check: Rows) -> tuple[Floats, Floats]:
        """Takes (signals, labels, weights) to fit on and to check on; returns the summed log loss and the margins at growing tree counts.

        Count k is (k + 1) · `STEP` trees, up to `MAX_TREES`; the margins are counts × rows.
        """
        booster = self._train(fit, MAX_TREES, 0)
        matrix, labels, weight = self.encoding_.encode(check[0]), check[1], check[2]
        margins = np.cumsum(
            [
                booster.predict(matrix, raw_score=True, start_iteration=n, num_iteration=STEP, num_threads=self.threads)
                for n in range(0, MAX_TREES, STEP)
            ],
            axis=0,
        )
        losses = np.logaddexp(0.0, np.where(labels == 1, -margins, margins))
        return np.sum(losses * (1.0 if weight is None else weight), axis=1), margins

    def raw_score(self, signals: pd.DataFrame) -> Floats:
        """Takes n × m signal columns; returns n margins in log-odds, the mean over seeds."""
        matrix = self.encoding_.encode(signals)
        return np.asarray(
            np.mean([booster.predict(matrix, raw_score=True, num_threads=self.threads) for booster in self.boosters_], axis=0)
        )

    def contributions(self, signals: pd.DataFrame) -> tuple[float, Floats]:
        """Takes n × m signal columns; returns the expected margin and each column's SHAP value (Lundberg et al. 2020, path-dependent)."""
        matrix = self.encoding_.encode(signals)
        rows = matrix if len(matrix) else np.full((1, matrix.shape[1]), np.nan)  # LightGBM divides by the number of rows
        shares = np.mean([booster.predict(rows, pred_contrib=True, num_threads=self.threads) for booster in self.boosters_], axis=0)
        return float(shares[0, -1]), np.asarray(shares[: len(matrix), :-1])

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values; the trees are LightGBM's own text."""
        return {
            "kind": self.kind,
            "encoding": self.encoding_.to_dict(),
            "directions": dict(self.directions or {}),
            "boosters": [booster.model_to_string() for booster in self.boosters_],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> BoostedScorer:
        """Takes what `to_dict` gave; returns the fitted scorer; refuses text that is no complete model."""
        import lightgbm

        scorer = cls(directions=data["directions"], seeds=len(data["boosters"]))
        scorer.encoding_ = Encoding.from_dict(data["encoding"])
        if not data["boosters"] or not all(text.startswith("tree\n") and "end of parameters" in text for text in data["boosters"]):
            raise BundleError("the model text is incomplete: expected LightGBM's own format; train again or restore the bundle")
        scorer.boosters_ = [lightgbm.Booster(model_str=text) for text in data["boosters"]]
        return scorer

    def _train(self, rows: Rows, n_trees: int, offset: int) -> Any:
        import lightgbm

        signals, labels, weight = rows
        check_labels(signals, labels)
        self.encoding_ = Encoding.learn(signals)
        names, text = self.encoding_.columns, self.encoding_.categories
        constraints = [0 if name in text else DIRECTIONS[(self.directions or {}).get(name, "none")] for name in names]
        threads = self.threads if signals.size > MANY_CELLS else 1
        settings = PARAMETERS | {"monotone_constraints": constraints, "seed": self.seed + offset, "num_threads": threads}
        # Names stay outside: LightGBM refuses some characters, and order is kept by the encoding.
        codes = [position for position, name in enumerate(names) if name in text]
        data = lightgbm.Dataset(self.encoding_.encode(signals), labels, weight=weight, categorical_feature=codes, params={"verbose": -1})
        return lightgbm.train(settings, data, num_boost_round=n_trees)
