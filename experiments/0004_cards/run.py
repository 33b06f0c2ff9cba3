"""Cards that learn: towards a known truth on generated data, and beside models on two real data sets, with paired intervals.

Run: .venv/bin/python experiments/0004_cards/run.py [folder of the data sets]
"""

import json
import os
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from pls_ml import open_project
from pls_ml.calibration import fit_calibrator
from pls_ml.evaluation import account_resamples
from pls_ml.evaluation.comparison import ComparisonOptions, compare_candidates
from pls_ml.evaluation.measures import CandidateScores
from pls_ml.evaluation.ranking import average_precision, group_by_score, sort_scores
from pls_ml.evaluation.splits import forward_folds
from pls_ml.scores import ScorecardClassifier
from pls_ml.scores.card import Scorecard
from pls_ml.scores.learned_card import MaturedRows, find_simplest
from pls_ml.scores.repointing import repoint_card
from pls_ml.workflows.candidates import ACCOUNT_FOLDS, TIME_BLOCKS, Candidate, TrainingRows, choose_candidate, fit_candidates, search_folds
from pls_ml.workflows.training_rows import load_training_rows, split_training

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PLS_ML_DATA", ROOT.parent / "shared" / "data"))
PROJECTS = {"relax": ROOT / "configs" / "relax.yaml", "xeducation": HERE / "xeducation.yaml"}
PAIRS = (
    ("repointed", "rules"), ("fitted_card", "rules"), ("logistic", "rules"), ("lightgbm", "rules"),
    ("fitted_card", "repointed"), ("logistic", "fitted_card"), ("lightgbm", "fitted_card"), ("lightgbm", "logistic"),
)  # fmt: skip
FIGURES = {"roc_auc": "AUC", "average_precision": "average precision", "precision_at_capacity": "precision at 10 %", "log_loss": "log loss"}

SIZES, RUNS, FRESH = (300, 1_000, 3_000, 10_000, 30_000, 100_000), 10, 50_000
WORTH, INTERCEPT = 0.05, -3.2
TRUTH = {"asked": [15], "invited": [5, 10, 30], "idle_row": [0], "limit": [30], "silent": [-20], "active": [10, 20]}
EXPERT = {"asked": [20], "invited": [10, 20, 30], "idle_row": [10], "limit": [10], "silent": [-10], "active": [10, 20]}
"""One point is worth 0.05 in log-odds. The expert knows every sign and order, is right about three rungs, and has six others wrong."""
RUNGS = {"asked": [1], "invited": [1, 3, 6], "idle_row": [1], "limit": [1], "silent": [1], "active": [0.3, 0.5]}


# --- generated data: a card is the truth -------------------------------------------------------------------------
def make_card(points: dict[str, list[int]]) -> Scorecard:
    rows = [
        {
            "id": name,
            "family": "use",
            "signal": name,
            "rungs": [{"gte": g, "points": p} for g, p in zip(RUNGS[name], points[name], strict=True)],
        }
        for name in points
    ]
    return Scorecard.model_validate({"id": "generated", "bands": [{"name": "Hot", "gte": 50}], "below": "Cold", "rows": rows})


def draw_rows(n: int, rng: np.random.Generator, truth: Scorecard) -> tuple[MaturedRows, np.ndarray]:
    """Leads, four to an account, and the probability of each to be won; about one in ten is."""
    signals = pd.DataFrame(
        {
            "asked": rng.random(n) < 0.3, "invited": rng.negative_binomial(1, 0.4, n), "idle_row": rng.random(n) < 0.2,
            "limit": rng.random(n) < 0.15, "silent": rng.random(n) < 0.3, "active": rng.beta(1, 2, n),
        }
    ).astype(float)  # fmt: skip
    chance = 1 / (1 + np.exp(-INTERCEPT - WORTH * truth.score_leads(signals).score))
    return MaturedRows(signals, (rng.random(n) < chance).astype(np.int8), np.ones(n), np.arange(n) // 4), chance


def learn_points(expert: Scorecard, truth: Scorecard, n: int, seed: int) -> dict[str, float]:
    rng = np.random.default_rng([seed, n])
    rows, _ = draw_rows(n, rng, truth)
    fresh, chance = draw_rows(FRESH, rng, truth)
    folds = forward_folds(np.arange(n).astype("datetime64[m]"), rows.accounts, TIME_BLOCKS, ACCOUNT_FOLDS)
    found = repoint_card(expert, rows, folds)
    said = {"expert": expert, "repointed": found.card, "true points": truth}
    excess = {name: _excess_loss(card, rows, fresh, chance) for name, card in said.items()}
    true, new = (np.array([rung.points for row in card.rows for rung in row.rungs]) for card in (truth, found.card))
    # Points have no unit of their own: what counts is the log-odds that each rung is given.
    error = float(np.sqrt(np.mean((found.worth / WORTH * new - true) ** 2)))
    return {"won": int(rows.labels.sum()), "changed": float(found.changed), "error in points": error} | excess


def _excess_loss(card: Scorecard, rows: MaturedRows, fresh: MaturedRows, chance: np.ndarray) -> float:
    """Log loss on fresh leads, with the probabilities of each card fitted on the rows at hand, less that of the true chances."""
    scorer = ScorecardClassifier(card).fit(rows.signals, rows.labels)
    margins = scorer.raw_score(fresh.signals)
    true = np.log(chance / (1 - chance))
    return float(np.mean(np.logaddexp(0, margins) - chance * margins - np.logaddexp(0, true) + chance * true))


def run_generated() -> dict:
    truth = make_card(TRUTH)
    found = {}
    for label, expert in (("wrong expert", make_card(EXPERT)), ("expert is right", truth)):
        found[label] = {}
        for n in SIZES:
            runs = pd.DataFrame([learn_points(expert, truth, n, seed) for seed in range(RUNS)])
            found[label][n] = {name: float(runs[name].mean()) for name in runs}
    return found


# --- two real data sets ------------------------------------------------------------------------------------------
def run_real(name: str) -> dict:
    with tempfile.TemporaryDirectory() as output:
        project = open_project(PROJECTS[name], data=DATA / name, output=output)
        _, table, rows, _ = load_training_rows(project)
        split = split_training(project, rows)
        training, test = rows.take(split.train), rows.take(split.test)
        candidates, _ = fit_candidates(training, project.card(), table.catalogue, project.config.model, 1)
        changes = project.repoint().to_dict()
    scores = {n: CandidateScores(m := c.scorer.raw_score(test.signals), c.calibrator.transform(m)) for n, c in candidates.items()}
    pairs = {f"{a} − {b}": compare(test, scores, a, b) for a, b in PAIRS}
    return {
        "rows": {
            "train": len(training.labels),
            "won": int(training.labels.sum()),
            "test": len(test.labels),
            "test won": int(test.labels.sum()),
        },
        "accounts": len(set(test.accounts.tolist())),
        "models": {n: summarise(pairs, n) | {"distinct scores": len(np.unique(s.raw))} for n, s in scores.items()},
        "differences": {pair: found["differences"] for pair, found in pairs.items()},
        "choice": examine_choice(candidates, training),
        "ties": examine_ties(test.labels, scores),
        "repointed": {key: changes[key] for key in ("changed", "reason", "rungs", "bands", "spread")},
        "fitted card": candidates["fitted_card"].scorer.to_dict()["scorecard"]["card"]["rows"],
    }


def compare(test: TrainingRows, scores: dict[str, CandidateScores], challenger: str, reference: str) -> dict:
    options = ComparisonOptions(0.10, reference, challenger)
    return compare_candidates(test.labels, {n: scores[n] for n in (reference, challenger)}, test.accounts, options).to_dict()


def summarise(pairs: dict, name: str) -> dict:
    metrics = next(found["metrics"][name] for found in pairs.values() if name in found["metrics"])
    return {figure: metrics[figure] for figure in (*FIGURES, "calibration_slope", "observed_expected")}


def examine_choice(candidates: dict[str, Candidate], training: TrainingRows) -> dict:
    """What `model.use: best` sees: losses on rows that each fold's scorer had not seen, and what else can be said on the same rows."""
    folds = search_folds(training)
    unseen = next(iter(candidates.values())).unseen_rows
    labels, weight, accounts = training.labels[unseen], training.weight[unseen], training.accounts[unseen]
    losses = np.array([c.unseen_losses for c in candidates.values()])
    chances = {n: _read_chances(c.unseen_losses, labels, weight) for n, c in candidates.items()}
    edges = np.cumsum([0, *(len(check) for _, check in folds)])
    parts = [slice(begin, end) for begin, end in pairwise(edges)]
    best = losses[losses.sum(axis=1).argmin()]
    codes = pd.factorize(accounts)[0]
    drawn = np.concatenate(list(account_resamples(accounts, 1000, 7)))
    chosen = [list(candidates)[find_simplest(losses * draw, accounts)] for draw in drawn]
    precisions = {n: _rank_folds(chances[n], labels, parts, drawn) for n in chances}
    first = max(precisions.values(), key=lambda found: found[0])
    found = {"chosen": choose_candidate(candidates, training), "rows": len(unseen), "won": int(labels.sum()), "candidates": {}}
    for name, loss in zip(candidates, losses, strict=True):
        excess = np.bincount(codes, loss - best)
        found["candidates"][name] = {
            "log loss": float(loss.sum() / weight.sum()),
            "over the best": float(excess.sum() / weight.sum()),
            "standard error": float(np.sqrt(np.sum((excess - excess.mean()) ** 2)) / weight.sum()),
            "with calibrators of other accounts": _cross_calibrate(chances[name], labels, weight, codes),
            "average precision, mean of the folds": float(precisions[name][0]),
            "under the best": float((first - precisions[name])[0]),
            "standard error of that": float((first - precisions[name])[1:].std()),
            "distinct scores, mean of the folds": float(np.mean([len(np.unique(chances[name][p])) for p in parts])),
            "chosen in resamples": chosen.count(name) / len(chosen),
        }
    return found


def _rank_folds(chances: np.ndarray, labels: np.ndarray, parts: list[slice], drawn: np.ndarray) -> np.ndarray:
    """Mean over the folds of average precision: on the rows as they are, then in each resample of accounts."""
    weights = np.concatenate([np.ones((1, len(labels))), drawn])
    by_fold = [average_precision(group_by_score(sort_scores(chances[p]), labels[p], weights[:, p])) for p in parts]
    return np.nanmean(by_fold, axis=0)


def examine_ties(labels: np.ndarray, scores: dict[str, CandidateScores]) -> dict:
    """What the fitted card's ties cost on the test: the leads of its best score, and its order with ties broken by the logistic margin."""
    card, margin = (np.asarray(scores[name].raw) for name in ("fitted_card", "logistic"))
    first, steps = card == card.max(), np.diff(np.unique(card)).min()
    broken = card + steps / 2 * pd.Series(margin).rank(pct=True).to_numpy()
    found = {name: _rank_leads(order, labels) for name, order in (("fitted_card", card), ("ties broken", broken), ("logistic", margin))}
    return {"leads of the best score": float(first.mean()), "won of them": float(labels[first].mean()), "average precision": found}


def _rank_leads(order: np.ndarray, labels: np.ndarray) -> float:
    return average_precision(group_by_score(sort_scores(order), labels)).item()


def _read_chances(losses: np.ndarray, labels: np.ndarray, weight: np.ndarray) -> np.ndarray:
    right = np.exp(-losses / weight)
    return np.where(labels == 1, right, 1 - right).round(9)  # the last bits differ by label, and would break ties in its favour


def _cross_calibrate(chances: np.ndarray, labels: np.ndarray, weight: np.ndarray, codes: np.ndarray) -> float:
    """Log loss when each fifth of the accounts is calibrated on the other four: whether fitting and judging on the same rows flatters."""
    margins, total = np.log(chances / (1 - chances)), 0.0
    for part in range(5):
        own = codes % 5 == part
        told = fit_calibrator(margins[~own], labels[~own], weight[~own]).transform(margins[own])
        total -= float(np.sum(weight[own] * np.log(np.where(labels[own] == 1, told, 1 - told))))
    return total / float(weight.sum())


# --- tables and picture ------------------------------------------------------------------------------------------
def show(figure: dict, sign: str = "") -> str:
    value, low, high = (f"{figure[part]:{sign}.3f}" for part in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def judge(figure: str, difference: dict) -> str:
    if difference["low"] <= 0 <= difference["high"]:
        return ""
    return ", **better**" if (difference["low"] > 0) == (figure != "log_loss") else ", **worse**"


def tables(name: str, result: dict) -> str:
    head = " | ".join(FIGURES.values())
    lines = [f"\n## {name} {result['rows']}", "", f"| | {head} | distinct scores |", "|" + "---|" * (len(FIGURES) + 2)]
    for model, found in result["models"].items():
        lines.append(f"| {model} | " + " | ".join(show(found[figure]) for figure in FIGURES) + f" | {found['distinct scores']:,} |")
    lines += ["", f"| | {head} |", "|" + "---|" * (len(FIGURES) + 1)]
    for pair, found in result["differences"].items():
        lines.append(f"| {pair} | " + " | ".join(show(found[figure], "+") + judge(figure, found[figure]) for figure in FIGURES) + " |")
    columns = list(next(iter(result["choice"]["candidates"].values())))
    lines += ["", f"chosen: {result['choice']['chosen']}", "", "| | " + " | ".join(columns) + " |", "|" + "---|" * (len(columns) + 1)]
    for model, found in result["choice"]["candidates"].items():
        lines.append(f"| {model} | " + " | ".join(f"{found[column]:.4f}" for column in columns) + " |")
    lines += ["", f"ties: {result['ties']}", "", "| row | rung | expert | re-pointed | rows | won | |", "|---|---|---|---|---|---|---|"]
    for rung in result["repointed"]["rungs"]:
        cells = (rung[key] for key in ("row", "test", "old", "new", "rows", "won", "reason"))
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    for row in result["fitted card"]:
        lines.append(f"* {row['signal']}: {row['rungs']}")
    return "\n".join(lines)


def table_generated(result: dict) -> str:
    lines = []
    for label, by_size in result.items():
        columns = list(next(iter(by_size.values())))
        lines += [f"\n## {label}", "", "| rows | " + " | ".join(columns) + " |", "|" + "---|" * (len(columns) + 1)]
        lines += [f"| {n:,} | " + " | ".join(f"{found[column]:.4f}" for column in columns) + " |" for n, found in by_size.items()]
    return "\n".join(lines)


def draw(results: dict) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained", width_ratios=(1.1, 1, 1))
    by_size = results["generated"]["wrong expert"]
    for name, colour in (("expert", "C7"), ("repointed", "C0"), ("true points", "C2")):
        axes[0].plot(list(by_size), [found[name] for found in by_size.values()], "o-", color=colour, markersize=3, label=name)
    axes[0].set(xscale="log", yscale="log", xlabel="matured rows", title="generated: log loss above the true chances")
    axes[0].legend(fontsize=7)
    shown = [pair for pair in (f"{a} − {b}" for a, b in PAIRS) if pair.endswith("rules")] + ["logistic − fitted_card"]
    for axis, key in zip(axes[1:], ("average_precision", "log_loss"), strict=True):
        for offset, (name, colour) in enumerate((("relax", "C1"), ("xeducation", "C0"))):
            found = [results[name]["differences"][pair][key] for pair in shown]
            ends = np.array([(one["value"] - one["low"], one["high"] - one["value"]) for one in found]).T
            places = np.arange(len(shown)) + 0.15 - 0.3 * offset
            axis.errorbar([one["value"] for one in found], places, xerr=ends, fmt="o", color=colour, markersize=3, linewidth=1, label=name)
        axis.axvline(0, color="black", linewidth=0.6)
        axis.set_title(f"{FIGURES[key]}{' (lower is better)' if key == 'log_loss' else ''}")
        axis.set_yticks(range(len(shown)), shown if axis is axes[1] else [""] * len(shown))
        axis.invert_yaxis()
    axes[1].legend(fontsize=7)
    for axis in axes:
        axis.title.set_fontsize(9)
        axis.tick_params(labelsize=7)
    figure.savefig(HERE / "cards.png", dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    results = {"generated": run_generated()} | {name: run_real(name) for name in PROJECTS}
    (HERE / "results.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    draw(results)
    print(table_generated(results["generated"]), *(tables(name, results[name]) for name in PROJECTS), sep="\n")
