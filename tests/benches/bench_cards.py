"""What both cards cost on a million leads: ratios to the same points in plain pandas, all in one run.

Run with `python -m tests.benches.bench_cards --leads 1000000`. Beside scores and bands, pls_ml gives the points and the share of every row,
which receipts are made of; the peer gives scores and bands only. Each action has a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from pls_ml.core.builtin import find_builtin
from pls_ml.io.yaml import read_spec
from pls_ml.scores.card import Scorecard
from tests.benches import card_peers
from tests.benches.measure import peak_gb

CARDS, WAYS = ("card_a", "card_b"), ("pandas", "pls_ml")
VALUES = np.array([*[0.0] * 18, 0.2, 0.4, 0.6, *[1.0] * 3, 2.0, 3.0, 5.0, 6.0, 15.0, 60.0, 1200.0, 5000.0, np.nan, np.nan])
"""Most people do little; every side of every threshold is there, and what is missing."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--one", nargs=2, help="a card and a way: what a process of its own does")
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure_one(*asked.one, asked.leads)))
        return
    for name in CARDS:
        found = {way: [run_one(name, way, asked.leads) for _ in range(asked.runs)] for way in WAYS}
        print(describe(name, found), flush=True)


def run_one(name: str, way: str, leads: int) -> dict[str, Any]:
    """Takes a card, a way and a number of leads; returns what a process of its own measured."""
    command = [sys.executable, "-m", "tests.benches.bench_cards", "--leads", str(leads), "--one", name, way]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name} by {way} failed: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure_one(name: str, way: str, leads: int) -> dict[str, Any]:
    """Takes a card, a way and a number of leads; returns seconds, the memory above that of the signals in GB, and what came out."""
    card = read_spec(find_builtin(f"scorecards/{name}.yaml"), Scorecard, "scorecard")
    signals = draw_signals(card, leads)
    act = prepare(card, name, way)
    act(signals.head(1000))
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # what was held at most so far is forgotten
    before, begun = peak_gb(), time.perf_counter()
    score, bands = act(signals)
    seconds = time.perf_counter() - begun
    names, counts = np.unique(bands.astype(str), return_counts=True)
    counted = dict(zip(names.tolist(), counts.tolist(), strict=True))
    return {"seconds": seconds, "gb": peak_gb() - before, "total": float(score.sum()), "bands": counted}


def prepare(card: Scorecard, name: str, way: str) -> Callable[[pd.DataFrame], tuple[Any, Any]]:
    """Takes a card and a way; returns what gives scores and bands."""
    if way == "pandas":
        return {"card_a": card_peers.card_a, "card_b": card_peers.card_b}[name]

    def score(signals: pd.DataFrame) -> tuple[Any, Any]:
        said = card.score_leads(signals)
        return said.score, card.find_bands(said)

    return score


def draw_signals(card: Scorecard, leads: int) -> pd.DataFrame:
    """Takes a card and a number of leads; returns columns of numbers, on every side of every threshold and missing."""
    rng = np.random.default_rng(11)
    return pd.DataFrame({name: VALUES[rng.integers(0, len(VALUES), leads, dtype=np.int8)] for name in card.signals})


def describe(name: str, found: dict[str, list[dict[str, Any]]]) -> str:
    """Takes a card's results; returns them as lines for a person; refuses two ways that do not agree."""
    (total, bands), *others = {(round(one["total"], 3), json.dumps(one["bands"])) for runs in found.values() for one in runs}
    if others:
        raise RuntimeError(f"{name}: the ways disagree: {total} {bands} and {others}")
    seconds = {way: median(one["seconds"] for one in runs) for way, runs in found.items()}
    memory = {way: max(one["gb"] for one in runs) for way, runs in found.items()}
    lines = [f"  {way:<8} {seconds[way]:7.3f} s  {memory[way]:6.3f} GB above the signals" for way in WAYS]
    ratio = f"  ratio    {seconds['pls_ml'] / seconds['pandas']:7.2f}    {memory['pls_ml'] / max(memory['pandas'], 1e-9):6.2f}"
    return "\n".join([f"{name}: {bands}", *lines, ratio])


if __name__ == "__main__":
    main()
