"""What 2,000 resamples of whole accounts cost on a million rows: CPU seconds beside those of the obvious loop, all in one run.

Run with `python -m tests.benches.bench_bootstrap --rows 1000000`. The loop puts the rows of the drawn accounts together and asks
scikit-learn for each figure; it runs on the first resamples only (`--loops`, 20) and is scaled up to all of them, which the output
says. On the resamples that both did, the figures must agree. Each way has a process of its own; both run on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from typing import Any

import numpy as np

from pls_ml.evaluation.bootstrap import draw_accounts
from pls_ml.evaluation.clusters import cluster_rows
from pls_ml.evaluation.measures import CandidateScores, Economics, prepare_candidate
from pls_ml.evaluation.smoothing import find_spline
from tests.benches.measure import peak_gb

WAYS = ("loop", "pls_ml")
CAPACITY, ROWS_PER_ACCOUNT, SEED = 0.1, 10, 5
ECONOMICS = Economics(1.0, 0.05)
AGREE = 1e-6
"""scikit-learn stops its solver of the two regressions about there; all other figures agree to 1e-12."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--loops", type=int, default=20)
    parser.add_argument("--one", choices=WAYS, help="what a process of its own does")
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure_one(asked.one, asked.rows, asked.loops if asked.one == "loop" else asked.resamples)))
        return
    found = {way: run_one(way, asked) for way in WAYS}
    print(describe(found, asked.rows))


def run_one(way: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Takes a way and the sizes; returns what a process of its own measured, on one thread."""
    sizes = [f"--{name}={getattr(asked, name)}" for name in ("rows", "resamples", "loops")]
    command = [sys.executable, "-m", "tests.benches.bench_bootstrap", "--one", way, *sizes]
    alone = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=alone)
    if done.returncode:
        raise RuntimeError(f"{way} failed: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure_one(way: str, rows: int, resamples: int) -> dict[str, Any]:
    """Takes a way and the sizes; returns CPU seconds, the most memory held in GB, and every figure in every resample."""
    accounts, labels, margin, probability = draw_rows(rows)
    act = {"loop": loop, "pls_ml": resample}[way]
    act(accounts[:2000], labels[:2000], margin[:2000], probability[:2000], 2)  # what is imported or compiled only once
    begun = time.process_time()
    figures = act(accounts, labels, margin, probability, resamples)
    seconds = time.process_time() - begun
    return {"seconds": seconds, "gb": peak_gb(), "resamples": resamples, "figures": {n: list(map(float, v)) for n, v in figures.items()}}


def draw_rows(rows: int) -> tuple[Any, ...]:
    """Takes a number of rows; returns account numbers, labels of 5 % positives, margins, and overconfident probabilities."""
    rng = np.random.default_rng(SEED)
    accounts = rng.integers(0, rows // ROWS_PER_ACCOUNT, rows)
    margin = rng.normal(-3.5, 1, rows) + 0.5 * rng.normal(size=accounts.max() + 1)[accounts]
    labels = (rng.random(rows) < 1 / (1 + np.exp(-margin))).astype(np.float64)
    return accounts, labels, margin, 1 / (1 + np.exp(-1.2 * margin - 0.6))


def resample(accounts: Any, labels: Any, margin: Any, probability: Any, resamples: int) -> dict[str, Any]:
    """Takes rows and a number of resamples; returns all figures in all resamples, the way a comparison computes them."""
    rows = cluster_rows(accounts)
    candidate = prepare_candidate(labels, CandidateScores(margin, probability), rows, None, ECONOMICS)
    blocks = [candidate.measure(draws, CAPACITY) for draws in draw_accounts(rows, resamples, SEED, 16)]
    return {figure: np.concatenate([block[figure] for block in blocks]) for figure in blocks[0]}


def loop(accounts: Any, labels: Any, margin: Any, probability: Any, resamples: int) -> dict[str, Any]:
    """The same in the obvious way: the rows of the drawn accounts, one resample after the other, and scikit-learn."""
    rows = cluster_rows(accounts)
    by_account = np.split(np.argsort(rows.codes, kind="stable"), np.bincount(rows.codes).cumsum()[:-1])
    log_odds = np.log(probability) - np.log1p(-probability)
    curve = find_spline(log_odds)(log_odds)
    found: dict[str, list[float]] = {}
    for draws in draw_accounts(rows, resamples, SEED, 1):
        chosen = np.concatenate([by_account[code] for code in np.repeat(np.arange(rows.count), draws[0].astype(np.int64))])
        y, p = labels[chosen], probability[chosen]
        for name, value in (rank(y, margin[chosen]) | believe(y, p, log_odds[chosen], curve[chosen])).items():
            found.setdefault(name, []).append(float(value))
    return found


def rank(y: Any, margin: Any) -> dict[str, float]:
    """Ranking figures of one resample."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    edge = CAPACITY * y.size
    best, whole = np.argsort(-margin), int(edge)
    worked = y[best[:whole]].sum() + (edge - whole) * y[best[whole]]
    return {
        "roc_auc": roc_auc_score(y, margin),
        "average_precision": average_precision_score(y, margin),
        "precision_at_capacity": worked / edge,
        "recall_at_capacity": worked / y.sum(),
        "lift_at_capacity": worked / edge / y.mean(),
        "expected_value": (ECONOMICS.win_value * worked - ECONOMICS.contact_cost * edge) / y.size,
    }


def believe(y: Any, p: Any, log_odds: Any, curve: Any) -> dict[str, float]:
    """Probability figures of one resample."""
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import brier_score_loss, log_loss

    line = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds[:, None], y)
    smooth = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(curve[:, 1:], y).predict_proba(curve[:, 1:])[:, 1]
    refitted = brier_score_loss(y, IsotonicRegression(y_min=0, y_max=1).fit_transform(p, y))
    score, odds, base = brier_score_loss(y, p), ECONOMICS.threshold / (1 - ECONOMICS.threshold), y.mean()
    return {
        "log_loss": log_loss(y, p),
        "brier": score,
        "miscalibration": score - refitted,
        "discrimination": base * (1 - base) - refitted,
        "uncertainty": base * (1 - base),
        "observed_expected": y.sum() / p.sum(),
        "calibration_slope": line.coef_[0, 0],
        "calibration_intercept": line.intercept_[0],
        "ici": np.abs(smooth - p).mean(),
        "net_benefit": np.where(p >= ECONOMICS.threshold, np.where(y == 1, 1.0, -odds), 0.0).mean(),
    }


def describe(found: dict[str, dict[str, Any]], rows: int) -> str:
    """Takes what both ways measured; returns it as lines for a person; refuses figures that do not agree."""
    once, ours = (found[way] for way in WAYS)
    apart = {name: np.abs(np.subtract(values, ours["figures"][name][: len(values)])).max() for name, values in once["figures"].items()}
    for name, distance in apart.items():
        if not distance < AGREE * max(1.0, np.abs(ours["figures"][name]).max()):
            raise RuntimeError(f"{name}: the ways differ by {distance:g}")
    scaled = once["seconds"] * ours["resamples"] / once["resamples"]
    note = f"{once['resamples']} resamples in {once['seconds']:.1f} s, scaled to {ours['resamples']:,}"
    return "\n".join(
        [
            f"{rows:,} rows of {rows // ROWS_PER_ACCOUNT:,} accounts, CPU seconds on one thread",
            f"  loop     {scaled:9.1f} s  {once['gb']:6.2f} GB  {len(once['figures'])} figures ({note})",
            f"  pls_ml   {ours['seconds']:9.1f} s  {ours['gb']:6.2f} GB  {len(ours['figures'])} figures",
            f"  ratio    {scaled / ours['seconds']:9.1f}",
            "  largest difference: " + ", ".join(f"{name} {distance:.1g}" for name, distance in apart.items()),
        ]
    )


if __name__ == "__main__":
    main()
