"""What a search for settings costs, and what a fit of `BoostedScorer` costs, in seconds of the processor and all in one run.

Run with `python -m tests.benches.bench_tuning`. A search on folds that are binned once is held against fits of the
same trees with rows made anew for every one, and against the loop of most examples: each setting on every fold, rows made anew, no trial
given up, each fold stopped by itself. Then one seed of trees is fitted on `--rows` rows, against LightGBM's own classifier with the same
parameters; each fit has a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import lightgbm
import numpy as np
import pandas as pd

from pls_ml.evaluation.splits import forward_folds
from pls_ml.scores import BoostedScorer
from pls_ml.scores.encoding import Encoding
from pls_ml.scores.growth import MAX_TREES, PATIENCE, STEP, Growth, TreeFold, TreeSettings
from pls_ml.scores.tuning import Search, search_settings
from tests.benches.measure import peak_gb

FITS = ("lightgbm", "pls_ml")
TREES = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=60)
    parser.add_argument("--trial-rows", type=int, default=20_000)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", choices=FITS, help="the fit that a process of its own does")
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure_fit(asked.one, asked.rows, asked.columns)))
        return
    print(compare_trials(asked.trial_rows, asked.columns, asked.trials), flush=True)
    found = {way: [run_fit(way, asked.rows, asked.columns) for _ in range(asked.runs)] for way in FITS}
    print(describe_fits(found, asked.rows, asked.columns), flush=True)


@dataclass
class Counted:
    """Trees on a fold, and how far they were asked for."""

    growth: Growth
    settings: TreeSettings
    fold: int
    asked: int = 0

    def loss(self, place: int) -> float:
        self.asked = max(self.asked, place)
        return self.growth.loss(place)


def compare_trials(rows: int, columns: int, trials: int) -> str:
    """Takes numbers of rows, columns and trials; returns what a trial costs both ways; refuses ways whose losses differ."""
    signals, labels = draw_rows(rows, columns)
    folds = forward_folds(np.arange(rows).astype("datetime64[D]"), np.arange(rows) * 7 % (rows // 12), 4, 3)
    once, grown = search_once(signals, labels, folds, trials)
    anew, losses = search_anew(signals, labels, folds, grown)
    if not np.allclose(losses, [one.loss(one.asked) for one in grown], rtol=1e-4):
        raise RuntimeError(f"the ways disagree: {losses[:5]} and {[one.loss(one.asked) for one in grown[:5]]}")
    naive = search_naively(signals, labels, folds, list({json.dumps(one.settings.model_dump()): one.settings for one in grown}.values()))
    ways = {"binned once": once, "the same trees, rows made anew": anew, "naive loop": naive}
    lines = [f"  {way:<30} {seconds / trials:7.3f} s a trial, ratio {once / seconds:.2f}" for way, seconds in ways.items()]
    return "\n".join([f"{trials} trials on {len(folds)} folds of {rows:,} × {columns} rows, {len(grown)} fits", *lines])


def search_once(signals: pd.DataFrame, labels: Any, folds: list[Any], trials: int) -> tuple[float, list[Counted]]:
    """Takes rows, folds and a number of trials; returns the seconds of the search with all it keeps on disk, and what it grew."""
    grown: list[Counted] = []

    def grow(fold: TreeFold, settings: TreeSettings) -> Any:
        grown.append(Counted(BoostedScorer(settings=settings).grow_on(fold), settings, binned.index(fold)))
        return grown[-1]

    with tempfile.TemporaryDirectory() as folder:
        begun = process_time()
        binned = [TreeFold(*((signals.iloc[part], labels[part], None) for part in fold)) for fold in folds]
        search_settings(binned, grow, TreeSettings(), Search(Path(folder) / "tuning.db", "bench", 7, trials, 1000.0))
        return process_time() - begun, grown


def search_anew(signals: pd.DataFrame, labels: Any, folds: list[Any], grown: list[Counted]) -> tuple[float, list[float]]:
    """Takes rows, folds and what was grown; returns the seconds of fitting the same with rows made anew each time, and the losses."""
    losses, begun = [], process_time()
    for one in grown:
        later, train = prepare_fit(signals, labels, folds[one.fold], one.settings)
        booster = train(num_boost_round=STEP * (one.asked + 1))
        losses.append(booster.best_score["valid_0"]["binary_logloss"] * later)
    return process_time() - begun, losses


def search_naively(signals: pd.DataFrame, labels: Any, folds: list[Any], tried: list[TreeSettings]) -> float:
    """Takes rows, folds and settings; returns the seconds of trying each on every fold, rows made anew, each fold stopped by itself."""
    begun = process_time()
    for settings in tried:
        for fold in folds:
            _, train = prepare_fit(signals, labels, fold, settings)
            train(num_boost_round=MAX_TREES, callbacks=[lightgbm.early_stopping(STEP * PATIENCE, verbose=False)])
    return process_time() - begun


def prepare_fit(signals: pd.DataFrame, labels: Any, fold: Any, settings: TreeSettings) -> tuple[int, Callable[..., Any]]:
    """Takes rows, a fold and settings; returns how many rows are checked, and what fits on rows made for this once."""
    fit, check = fold
    data = lightgbm.Dataset(signals.iloc[fit], labels[fit])
    later = lightgbm.Dataset(signals.iloc[check], labels[check], reference=data)
    return len(check), partial(lightgbm.train, told(signals, settings) | {"metric": "binary_logloss"}, data, valid_sets=[later])


def told(signals: pd.DataFrame, settings: TreeSettings) -> dict[str, Any]:
    """Takes rows and settings; returns what LightGBM is told by both ways."""
    return settings.to_parameters(Encoding.learn(signals), {}, 7, 1)


def run_fit(way: str, rows: int, columns: int) -> dict[str, float]:
    """Takes a way and numbers of rows and columns; returns what a process of its own measured."""
    command = [sys.executable, "-m", "tests.benches.bench_tuning", "--rows", str(rows), "--columns", str(columns), "--one", way]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{way} failed: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure_fit(way: str, rows: int, columns: int) -> dict[str, float]:
    """Takes a way and numbers of rows and columns; returns seconds of the processor, peak memory in GB and the mean margin."""
    signals, labels = draw_rows(rows, columns)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # what was held at most so far is forgotten
    before, begun = peak_gb(), process_time()
    if way == "pls_ml":
        fitted = BoostedScorer(n_trees=TREES).fit(signals, labels)
        seconds = process_time() - begun
        margin = fitted.raw_score(signals.head(1000)).mean()
    else:
        plain = lightgbm.LGBMClassifier(n_estimators=TREES, **told(signals, TreeSettings()))
        plain.fit(signals, labels)
        seconds = process_time() - begun
        margin = plain.predict(signals.head(1000), raw_score=True).mean()
    return {"seconds": seconds, "gb": peak_gb() - before, "margin": float(margin)}


def draw_rows(rows: int, columns: int) -> tuple[pd.DataFrame, Any]:
    """Takes numbers of rows and columns; returns signals, most of them counts with many zeros, and labels that five of them make."""
    rng = np.random.default_rng(5)
    signals = pd.DataFrame({f"signal_{n}": np.floor(rng.exponential(2.0, rows) * 4) / 2 for n in range(columns)})
    odds = -3.0 + sum(0.15 * signals[f"signal_{n}"] for n in range(5))
    return signals, (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int8)


def describe_fits(found: dict[str, list[dict[str, float]]], rows: int, columns: int) -> str:
    """Takes the results of both ways; returns them as lines for a person; refuses ways that score differently."""
    margins = {round(one["margin"], 6) for runs in found.values() for one in runs}
    if len(margins) > 1:
        raise RuntimeError(f"the ways disagree: mean margins {margins}")
    seconds = {way: median(one["seconds"] for one in runs) for way, runs in found.items()}
    lines = [f"  {way:<9} {seconds[way]:7.2f} s  {max(one['gb'] for one in found[way]):6.2f} GB above the signals" for way in FITS]
    ratio = f"  ratio     {seconds['pls_ml'] / seconds['lightgbm']:7.3f}"
    return "\n".join([f"{TREES} trees on {rows:,} × {columns} rows", *lines, ratio])


if __name__ == "__main__":
    main()
