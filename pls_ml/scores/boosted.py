"""LightGBM with monotone constraints from the catalogue; several seeds averaged; from nothing, or from a card or another scorer.

With a start, the trees are grown from its margins and learn only what it gets wrong: raw score = the start's margin + their correction.
The start is fitted on the same rows as the trees, so it has seen the rows whose margins it gives. A card, with a slope and an intercept
to fit, hardly knows them. A logistic regression knows them a little, so the trees see a little less to correct; with rows enough for
trees that changes no loss, and the calibrator sets the scale on unseen rows. Trees know their rows by heart: they are refused as a start.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.errors import BundleError, ConfigError
from pls_ml.core.protocols import Floats, Scorer
from pls_ml.scores.encoding import Encoding, check_labels
from pls_ml.scores.patterns import TreeShares

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
    """Log-odds from gradient-boosted trees, alone or on top of a start; contributions are the trees' own exact SHAP values and the start's.

    Declared directions bind the trees: the whole score keeps to them wherever the start does. So trees may not take back, along that
    signal alone, what a start gives too much for it.
    """

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
        self._tables: TreeShares | None = None

    def fit(
        self,
        signals: pd.DataFrame,
        labels: npt.NDArray[np.int8],
        sample_weight: Floats | None = None,
        start: Scorer | None = None,
    ) -> BoostedScorer:
        """Takes n × m signal columns, n labels, n weights and the scorer to start from; returns itself, fitted.

        A copy of the start is fitted here, on the same rows. Where these are too few for trees none is grown, and the score is the
        start's; where they have no label or labels of one class, a start that is already fitted also stays as it is.
        What a start learns from folds in time it cannot learn here: to start from a re-pointed card, pass the card that was found.
        Refuses such labels otherwise, trees as a start, and neither trees nor a start.
        """
        if start is None and self.n_trees < 1:
            raise ConfigError(f"n_trees is {self.n_trees} and there is no start: expected at least one tree, or a scorer to start from")
        rows, self._tables = (signals, labels, sample_weight), None
        margins = self._prepare(rows, start)
        grown = self.n_trees > 0 and (start is None or can_grow(labels))
        self.boosters_ = [self._train(rows, margins, self.n_trees, offset) for offset in range(self.seeds if grown else 0)]
        return self

    def loss_by_trees(self, fit: Rows, check: Rows, start: Scorer | None = None) -> tuple[Floats, Floats]:
        """Takes (signals, labels, weights) to fit on and to check on, and a start; returns the summed log loss and the margins by trees.

        Count k is `tree_counts(start)[k]`; the margins are counts × rows. The start is fitted on the rows to fit on, and trees are grown
        however few they are: what that costs is what is asked. Refuses labels of one class.
        """
        check_labels(fit[0], fit[1])
        margins = self._prepare(fit, start)
        signals, labels, weight = check
        matrix, counts = self.encoding_.encode(signals), tree_counts(start)
        steps = np.zeros((len(counts), len(matrix)))
        booster = self._train(fit, margins, MAX_TREES, 0)
        for place, count in enumerate(counts):
            if count:
                steps[place] = self._predict(booster, matrix, start_iteration=count - STEP, num_iteration=STEP)
        reached = self._start_margins(signals) + np.cumsum(steps, axis=0)
        losses = np.logaddexp(0.0, np.where(labels == 1, -reached, reached))
        return np.sum(losses * (1.0 if weight is None else weight), axis=1), reached

    def raw_score(self, signals: pd.DataFrame) -> Floats:
        """Takes n × m signal columns; returns n margins in log-odds: the start's, and the mean over seeds of what the trees add."""
        matrix = self.encoding_.encode(signals)
        trees = [self._predict(booster, matrix) for booster in self.boosters_] or [np.zeros(len(matrix))]
        return np.asarray(self._start_margins(signals) + np.mean(trees, axis=0))

    def contributions(self, signals: pd.DataFrame) -> tuple[float, Floats]:
        """Takes n × m signal columns; returns the base and each column's share: the start's, and what the trees add to it."""
        base, shares = self.correction(signals)
        if self.start_ is None:
            return base, shares
        start_base, start_shares = self.start_.contributions(self._order(signals))
        return start_base + base, start_shares + shares

    def correction(self, signals: pd.DataFrame) -> tuple[float, Floats]:
        """Takes n × m signal columns; returns what the trees add on average, and each column's SHAP value in it.

        The values are those of Lundberg et al. 2020, path-dependent; without a start they are the whole score.
        """
        if self._tables is None:
            self._tables = TreeShares(self.boosters_)
        base, shares = self._tables.explain(self.encoding_.encode(signals), self.threads)
        seeds = max(len(self.boosters_), 1)
        return base / seeds, shares / seeds

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values; the trees are LightGBM's own text."""
        return {
            "kind": self.kind,
            "start": None if self.start_ is None else self.start_.to_dict(),
            "encoding": self.encoding_.to_dict(),
            "directions": dict(self.directions or {}),
            "boosters": [booster.model_to_string() for booster in self.boosters_],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> BoostedScorer:
        """Takes what `to_dict` gave; returns the fitted scorer; refuses text that is no complete model, and no trees without a start."""
        import lightgbm

        from pls_ml.scores import scorer_from_dict  # the registry names this module, so it is asked only once both are there

        texts, start = data.get("boosters", []), data.get("start")
        if not (texts or start) or not all(text.startswith("tree\n") and "end of parameters" in text for text in texts):
            raise BundleError("the model text is incomplete: expected LightGBM's own format; train again or restore the bundle")
        scorer = cls(directions=data["directions"], seeds=max(len(texts), 1))
        scorer.start_ = None if start is None else scorer_from_dict(start)
        scorer.encoding_ = Encoding.from_dict(data["encoding"])
        scorer.boosters_ = [lightgbm.Booster(model_str=text) for text in texts]
        return scorer

    def _prepare(self, rows: Rows, start: Scorer | None) -> Floats | None:
        """Learns the encoding and the start; returns the start's margins, None where there is no start."""
        signals, labels, _ = rows
        self.encoding_ = Encoding.learn(signals)
        self.start_: Scorer | None = None
        if start is None:
            check_labels(signals, labels)
            return None
        self.start_ = _fit_start(start, rows)
        return self.start_.raw_score(signals)

    def _train(self, rows: Rows, margins: Floats | None, n_trees: int, offset: int) -> Any:
        import lightgbm

        signals, labels, weight = rows
        names, text = self.encoding_.columns, self.encoding_.categories
        constraints = [0 if name in text else DIRECTIONS[(self.directions or {}).get(name, "none")] for name in names]
        threads = self.threads if signals.size > MANY_CELLS else 1
        settings = PARAMETERS | {"monotone_constraints": constraints, "seed": self.seed + offset, "num_threads": threads}
        settings["boost_from_average"] = margins is None  # a start knows the average
        # Names stay outside: LightGBM refuses some characters, and order is kept by the encoding.
        codes = [position for position, name in enumerate(names) if name in text]
        data = lightgbm.Dataset(
            self.encoding_.encode(signals),
            labels,
            weight=weight,
            init_score=margins,
            categorical_feature=codes,
            params={"verbose": -1},
        )
        return lightgbm.train(settings, data, num_boost_round=n_trees)

    def _predict(self, booster: Any, matrix: Floats, **how: Any) -> Floats:
        """What LightGBM predicts never includes the margins it was trained from: `_start_margins` has to be added."""
        return np.asarray(booster.predict(matrix, raw_score=True, num_threads=self.threads, **how))

    def _start_margins(self, signals: pd.DataFrame) -> Floats:
        return np.zeros(len(signals)) if self.start_ is None else self.start_.raw_score(self._order(signals))

    def _order(self, signals: pd.DataFrame) -> pd.DataFrame:
        """The columns of the training in its order, which scikit-learn insists on."""
        return signals[list(self.encoding_.columns)]


def can_grow(labels: npt.NDArray[np.int8]) -> bool:
    """Takes labels; returns whether rows and wins are enough for trees, and not all rows are won."""
    positives = int(np.sum(labels))
    return len(labels) >= MIN_ROWS and MIN_POSITIVES <= positives < len(labels)


def tree_counts(start: Scorer | None) -> range:
    """Takes a start or None; returns the counts of trees that are tried; no tree at all only where there is a start."""
    return range(STEP if start is None else 0, MAX_TREES + 1, STEP)


def _fit_start(start: Scorer, rows: Rows) -> Scorer:
    """A copy of the start, fitted on the rows; where they say nothing, the start itself if it is fitted already."""
    signals, labels, weight = rows
    if isinstance(start, BoostedScorer):
        raise ConfigError("trees cannot start from trees: pass a card or a logistic regression, or give more `n_trees`")
    fitted = any(name.endswith("_") for name in vars(start))
    if fitted and len(labels) == len(signals) and len(np.unique(labels)) < 2:
        return start
    check_labels(signals, labels)
    return copy(start).fit(signals, labels, weight)
