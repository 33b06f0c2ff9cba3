"""LightGBM with monotone constraints from the catalogue; several seeds averaged; from nothing, or from a card or another scorer.

With a start, the trees are grown from its margins and learn only what it gets wrong: raw score = the start's margin + their correction.
The start is fitted on the same rows as the trees, so it has seen the rows whose margins it gives. A card, with a slope and an intercept
to fit, hardly knows them. A logistic regression knows them a little, so the trees see a little less to correct; with rows enough for
trees that changes no loss, and the calibrator sets the scale on unseen rows. Trees know their rows by heart: they are refused as a start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.errors import BundleError, ConfigError
from pls_ml.core.protocols import Floats, Scorer, Shares
from pls_ml.scores.encoding import Encoding, check_labels
from pls_ml.scores.growth import MANY_CELLS, Growth, Rows, TreeFold, TreeSettings, bin_rows
from pls_ml.scores.interactions import measure_interactions
from pls_ml.scores.patterns import MOST_CELLS, TreeShares

MIN_ROWS = 900
MIN_POSITIVES = 100
"""Below either, trees are not worth fitting: a card or a logistic regression is. Chosen on folds beside these, trees on 900 rows were worth
much on one of three data sets and cost nothing on the others; fewer rows were not measured."""


class BoostedScorer:
    """Log-odds from gradient-boosted trees, alone or on top of a start; contributions are the trees' own exact SHAP values and the start's.

    Declared directions bind the trees: the whole score keeps to them wherever the start does. So trees may not take back, along that
    signal alone, what a start gives too much for it.
    """

    kind = "lightgbm"

    def __init__(
        self,
        directions: Mapping[str, str] | None = None,
        n_trees: int = 200,
        seeds: int = 1,
        seed: int = 7,
        threads: int = 1,
        settings: TreeSettings | None = None,
    ) -> None:
        """Takes each column's declared direction ('up', 'down', 'none'), trees per seed, how many seeds, the first one, and threads.

        The settings say how each tree is grown; METHOD's where there are none.
        """
        self.directions = directions
        self.n_trees = n_trees
        self.seeds = seeds
        self.seed = seed
        self.threads = threads
        self.settings = settings
        self._tables: list[TreeShares] | None = None

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
        self.encoding_ = Encoding.learn(signals)
        self.start_ = None if start is None else _fit_start(start, rows)
        if start is None:
            check_labels(signals, labels)
        grown = self.n_trees > 0 and (start is None or can_grow(labels))
        self.boosters_ = self._grow(rows) if grown else []
        return self

    def grow_on(self, fold: TreeFold, started: bool = False) -> Growth:
        """Takes a fold and whether to grow from its start; returns the trees this scorer's first seed grows there.

        Trees are grown however few the rows are: what that costs is what is asked.
        """
        return Growth(fold, self._parameters(fold.encoding, fold.cells, 0), started)

    def raw_score(self, signals: pd.DataFrame) -> Floats:
        """Takes n × m signal columns; returns n margins in log-odds: the start's, and the mean over seeds of what the trees add."""
        matrix = self.encoding_.encode(signals)
        trees = [self._predict(booster, matrix) for booster in self.boosters_] or [np.zeros(len(matrix))]
        return np.asarray(self._start_margins(signals) + np.mean(trees, axis=0))

    def contributions(self, signals: pd.DataFrame) -> Shares:
        """Takes n × m signal columns; returns the base and each column's share: the start's, and what the trees add to it."""
        (start, start_shares), (trees, tree_shares) = self.parts(signals)[0], self.correction(signals)
        return start + trees, start_shares + tree_shares

    def parts(self, signals: pd.DataFrame) -> tuple[Shares, Iterator[Shares]]:
        """Takes n × m signal columns; returns base and shares of the start, nothing but zeros where there is none, and the trees' by seed.

        The trees' shares are SHAP values as in `correction`, of each seed's trees alone.
        """
        empty = (0.0, np.zeros((len(signals), len(self.encoding_.columns))))
        return empty if self.start_ is None else self.start_.contributions(self._order(signals)), self._explain_seeds(signals)

    def correction(self, signals: pd.DataFrame) -> Shares:
        """Takes n × m signal columns; returns what the trees add on average, and each column's SHAP value in it.

        The values are those of Lundberg et al. 2020, path-dependent; without a start they are the whole score.
        """
        base, shares, seeds = 0.0, np.zeros((len(signals), len(self.encoding_.columns))), max(len(self.boosters_), 1)
        for one_base, one in self._explain_seeds(signals):
            base, shares = base + one_base, shares + one
        return base / seeds, shares / seeds

    def interactions(self, signals: pd.DataFrame) -> Floats:
        """Takes n × m signal columns; returns n × m × m shares that pairs of columns have in what the trees say; meant for few rows."""
        return measure_interactions(self.boosters_, self.encoding_.encode(signals))

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values; the trees are LightGBM's own text."""
        return {
            "kind": self.kind,
            "start": None if self.start_ is None else self.start_.to_dict(),
            "encoding": self.encoding_.to_dict(),
            "directions": dict(self.directions or {}),
            "settings": (self.settings or TreeSettings()).model_dump(),
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
        settings = TreeSettings.model_validate(data.get("settings", {}))
        scorer = cls(directions=data["directions"], seeds=max(len(texts), 1), settings=settings)
        scorer.start_ = None if start is None else scorer_from_dict(start)
        scorer.encoding_ = Encoding.from_dict(data["encoding"])
        scorer.boosters_ = [lightgbm.Booster(model_str=text) for text in texts]
        return scorer

    def _explain_seeds(self, signals: pd.DataFrame) -> Iterator[Shares]:
        if self._tables is None:
            most = MOST_CELLS // max(len(self.boosters_), 1)
            self._tables = [TreeShares([booster], most) for booster in self.boosters_]
        matrix = self.encoding_.encode(signals)
        return (tables.explain(matrix, self.threads) for tables in self._tables)

    def _grow(self, rows: Rows) -> list[Any]:
        """The trees of every seed, on the same bins."""
        import lightgbm

        margins = None if self.start_ is None else self.start_.raw_score(rows[0])
        data = bin_rows(self.encoding_, rows, None, margins)
        told = {"boost_from_average": margins is None}  # a start knows the average
        parameters = [self._parameters(self.encoding_, rows[0].size, offset) | told for offset in range(self.seeds)]
        return [lightgbm.train(one, data, num_boost_round=self.n_trees) for one in parameters]

    def _parameters(self, encoding: Encoding, cells: int, offset: int) -> dict[str, Any]:
        threads = self.threads if cells > MANY_CELLS else 1
        return (self.settings or TreeSettings()).to_parameters(encoding, self.directions or {}, self.seed + offset, threads)

    def _predict(self, booster: Any, matrix: Floats, **how: Any) -> Floats:
        """What LightGBM predicts never includes the margins it was trained from: `_start_margins` has to be added."""
        return np.asarray(booster.predict(matrix, raw_score=True, num_threads=self.threads, **how))

    def _start_margins(self, signals: pd.DataFrame) -> Floats:
        return np.zeros(len(signals)) if self.start_ is None else self.start_.raw_score(self._order(signals))

    def _order(self, signals: pd.DataFrame) -> pd.DataFrame:
        """The columns of the training in its order, which scikit-learn insists on."""
        return signals[list(self.encoding_.columns)]


def can_grow(labels: npt.NDArray[np.int8], weight: Floats | None = None) -> bool:
    """Takes n labels and how much each row counts (None: 1); returns whether rows and wins are enough for trees, not all of them won.

    Rows of one lead that repeat each other count as one where their weights say so.
    """
    counts = np.ones(len(labels)) if weight is None else weight
    rows, positives = counts.sum(), counts[labels == 1].sum()
    return bool(rows >= MIN_ROWS and MIN_POSITIVES <= positives < rows)


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
