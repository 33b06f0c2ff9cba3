"""What it costs to explain every lead: rows per second against LightGBM's own contributions and shap's, all in one run.

Run with `python -m tests.benches.bench_contributions --leads 1000000`. The peers explain a sample, for a million leads would take them an
hour; the time to fill the tables is counted, spread over all leads.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np

from pls_ml.scores.patterns import TreeShares
from tests.benches.measure import peak_gb

TREES, LEAVES, COLUMNS, TRAINING_ROWS = 500, 31, 60, 50_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    booster = train_booster()
    leads = draw_leads(np.random.default_rng(1), asked.leads)
    sample = leads[: asked.sample]
    import shap

    explainer = shap.TreeExplainer(booster)
    found = {
        "LightGBM pred_contrib": measure(lambda: booster.predict(sample, pred_contrib=True, num_threads=asked.threads), len(sample)),
        "shap.TreeExplainer": measure(lambda: explainer.shap_values(sample), len(sample)),
    }
    before = peak_gb()
    found["pls_ml, tables"] = measure(lambda: explain_in_batches(booster, leads, asked.threads), len(leads))
    best = max(found[name]["rows_per_second"] for name in list(found)[:2])
    expected = booster.predict(sample, pred_contrib=True, num_threads=asked.threads)
    base, shares = TreeShares([booster]).explain(sample, asked.threads)
    facts = {
        "ratio": found["pls_ml, tables"]["rows_per_second"] / best,
        "largest difference": float(max(np.abs(shares - expected[:, :-1]).max(), np.abs(base - expected[:, -1]).max())),
        "gb above the leads": peak_gb() - before,
        "leads": len(leads),
    }
    print(json.dumps(found | facts, indent=2))


def measure(act: Callable[[], object], rows: int) -> dict[str, float]:
    """Takes an action on so many rows; returns rows per second of time and of work by all cores."""
    wall, work = time.perf_counter(), time.process_time()
    act()
    return {"rows_per_second": rows / (time.perf_counter() - wall), "rows_per_core_second": rows / (time.process_time() - work)}


def explain_in_batches(booster: Any, leads: np.ndarray, threads: int) -> None:
    """As a night does that writes receipts batch by batch."""
    shares = TreeShares([booster])
    for begin in range(0, len(leads), 65_536):
        shares.explain(leads[begin : begin + 65_536], threads)


def draw_leads(draw: np.random.Generator, rows: int) -> np.ndarray:
    """Usage as logs have it: half of the columns are counts with many zeros, a tenth of the values is missing, one column is a category."""
    leads = draw.normal(size=(rows, COLUMNS))
    leads[:, : COLUMNS // 2] = np.floor(np.exp(leads[:, : COLUMNS // 2]))
    leads[:, 5] = draw.integers(0, 40, rows)
    leads[draw.random((rows, COLUMNS)) < 0.1] = np.nan
    return leads


def train_booster() -> lightgbm.Booster:
    """The size that is the usual yardstick: 500 trees of 31 leaves over 60 columns."""
    draw = np.random.default_rng(0)
    leads = draw_leads(draw, TRAINING_ROWS)
    known = np.nan_to_num(leads)
    odds = known[:, :60:3].sum(axis=1) * 0.2 + known[:, 5] % 3 + known[:, 2] * known[:, 33] * 0.2 + known[:, 34] * known[:, 35] - 4
    labels = (odds + draw.logistic(size=len(leads)) > 0).astype(int)
    settings = {"objective": "binary", "num_leaves": LEAVES, "learning_rate": 0.03, "min_data_in_leaf": 40, "lambda_l2": 5.0, "verbose": -1}
    data = lightgbm.Dataset(leads, labels, categorical_feature=[5], params={"verbose": -1})
    return lightgbm.train(settings | {"feature_fraction": 0.8, "bagging_fraction": 0.8, "bagging_freq": 1, "seed": 1}, data, TREES)


if __name__ == "__main__":
    main()
