"""Every registered scorer, fitted on generated leads, and every calibrator fitted on its margins."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pls_ml.calibration import CALIBRATORS
from pls_ml.core.catalogue import Catalogue
from pls_ml.explanations.receipts import Receipts, build_receipts
from pls_ml.scores import SCORERS, BoostedScorer, ScorecardClassifier
from pls_ml.scores.card import Scorecard

N = 2000
CATALOGUE = Catalogue.model_validate(
    {
        "signals": [
            {"id": "sessions", "family": "velocity", "measure": {"kind": "count", "events": ["session_start"]}, "windows": ["7d", "30d"],
             "direction": "up", "label": "sessions", "unit": "sessions"},
            {"id": "idle", "family": "negative", "measure": {"kind": "days_since_last"}, "direction": "down",
             "label": "days since the last action", "unit": "days"},
            {"id": "industry", "family": "fit", "label": "industry",
             "measure": {"kind": "attribute", "table": "accounts", "column": "industry", "type": "category"}},
            {"id": "employees", "family": "fit", "label": "employees", "unit": "people", "direction": "up",
             "measure": {"kind": "attribute", "table": "accounts", "column": "employee_count"}},
            {"id": "credit", "family": "fit", "label": "Secret credit class", "rep_visible": False,
             "measure": {"kind": "attribute", "table": "accounts", "column": "credit", "type": "category"}},
            {"id": "disputes", "family": "negative", "label": "Secret disputes", "rep_visible": False, "unit": "quarrels",
             "direction": "down", "measure": {"kind": "count", "events": ["dispute"]}, "windows": ["90d"]},
        ]
    }
)  # fmt: skip
CARD = Scorecard.model_validate(
    {
        "id": "contract",
        "bands": [{"name": "High", "gte": 30}],
        "below": "Low",
        "rows": [
            {"id": "week", "family": "velocity", "signal": "sessions_7d", "rungs": [{"gte": 1, "points": 5}, {"gte": 4, "points": 15}]},
            {"id": "month", "family": "velocity", "signal": "sessions_30d", "rungs": [{"gte": 10, "points": 20}]},
            {"id": "size", "family": "fit", "signal": "employees", "rungs": [{"gte": 50, "points": 10}]},
            {"id": "quarrels", "family": "negative", "signal": "disputes_90d", "rungs": [{"gte": 1, "points": -20}]},
        ],
    }
)
SETTINGS: dict[str, dict[str, Any]] = {
    "scorecard": {"card": CARD},
    "repointed": {"card": CARD},
    "lightgbm": {"directions": {column.name: column.signal.direction for column in CATALOGUE}, "n_trees": 40, "seeds": 2},
}
"""How a kind is made where its own defaults will not do."""


def draw_signals(rng: np.random.Generator, n: int) -> pd.DataFrame:
    signals = pd.DataFrame(
        {
            "sessions_7d": rng.poisson(2, n).astype(float),
            "sessions_30d": rng.poisson(8, n).astype(float),
            "idle": np.where(rng.random(n) < 0.2, np.nan, rng.exponential(9, n)),
            "industry": rng.choice(["software", "retail", "mining"], n),
            "employees": np.where(rng.random(n) < 0.3, np.nan, np.round(10 ** rng.uniform(0, 4, n))),
            "credit": rng.choice(["classified-A", "classified-B"], n),
            "disputes_90d": rng.poisson(0.4, n).astype(float),
        }
    )
    signals.loc[rng.random(n) < 0.1, "industry"] = None
    return signals


def draw_labels(rng: np.random.Generator, signals: pd.DataFrame) -> np.ndarray:
    odds = -3 + 0.35 * signals["sessions_7d"] + 0.1 * signals["sessions_30d"] - 0.9 * signals["disputes_90d"]
    odds += np.log10(signals["employees"].fillna(30)) / 2 + 0.6 * (signals["credit"] == "classified-A") - 0.04 * signals["idle"].fillna(20)
    return (rng.random(len(signals)) < 1 / (1 + np.exp(-odds))).astype(np.int8)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return CATALOGUE


@pytest.fixture(scope="session")
def training() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Signals, labels and weights to fit on."""
    rng = np.random.default_rng(11)
    signals = draw_signals(rng, N)
    return signals, draw_labels(rng, signals), rng.uniform(0.2, 1, N)


@pytest.fixture(scope="session")
def leads() -> pd.DataFrame:
    """Signals to score: other leads, and one of an industry that training never saw."""
    signals = draw_signals(np.random.default_rng(12), 120)
    signals.loc[7, "industry"] = "fishing"
    return signals


@pytest.fixture(scope="session")
def draw() -> Callable[[int, int], pd.DataFrame]:
    """Signals of n leads from a seed."""
    return lambda seed, n: draw_signals(np.random.default_rng(seed), n)


@pytest.fixture(scope="session")
def lead_ids(leads: pd.DataFrame) -> list[str]:
    return [f"lead-{row:03}" for row in range(len(leads))]


@pytest.fixture(scope="session", params=[*(scorer.kind for scorer in SCORERS), "lightgbm on a scorecard"])
def scorer(request: pytest.FixtureRequest, training: tuple[pd.DataFrame, np.ndarray, np.ndarray]) -> Any:
    if request.param == "lightgbm on a scorecard":
        return BoostedScorer(**SETTINGS["lightgbm"]).fit(*training, ScorecardClassifier(CARD))
    return {scorer.kind: scorer for scorer in SCORERS}[request.param](**SETTINGS.get(request.param, {})).fit(*training)


@pytest.fixture(scope="session", params=CALIBRATORS, ids=lambda calibrator: calibrator.kind)
def calibrator(request: pytest.FixtureRequest, scorer: Any, training: tuple[pd.DataFrame, np.ndarray, np.ndarray]) -> Any:
    signals, labels, weight = training
    margins = 1.3 * scorer.raw_score(signals) - 0.4  # as if the scorer were off, so that the map has something to do
    return request.param().fit(margins, labels, weight)


@pytest.fixture(scope="session")
def receipts(scorer: Any, calibrator: Any, leads: pd.DataFrame, lead_ids: list[str]) -> Receipts:
    return build_receipts(scorer, calibrator, leads, lead_ids, CATALOGUE)
