"""The scorer that the product chooses against a single rule, a plain logistic regression and a quick script's LightGBM, out of time.

Run: .venv/bin/python experiments/0007_model/run.py [folder of the data sets]
"""

import importlib.util
import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.isotonic import IsotonicRegression

from pls_ml import open_project
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.protocols import Floats
from pls_ml.evaluation.comparison import ComparisonOptions, compare_candidates
from pls_ml.evaluation.measures import LOWER_IS_BETTER, CandidateScores
from pls_ml.evaluation.ranking import average_precision, group_by_score, sort_scores
from pls_ml.scores.card import Scorecard
from pls_ml.scores.learned_card import find_simplest
from pls_ml.workflows.api import OpenProject
from pls_ml.workflows.backtest import place_folds
from pls_ml.workflows.backtest_rows import CHOSEN, ScoredRows, pool_rows, score_rows
from pls_ml.workflows.candidates import TrainingRows, choose_candidate, fit_candidates
from pls_ml.workflows.training_rows import load_training_rows, split_training

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PLS_ML_DATA", ROOT.parent / "shared" / "data"))
PROJECTS = {
    "bpi2012": ROOT / "configs" / "bpi2012.yaml",
    "relax": ROOT / "configs" / "relax.yaml",
    "xeducation": ROOT / "experiments" / "0004_cards" / "xeducation.yaml",
}
LOSS_ALONE, RULE, LOGISTIC, SCRIPT = "chosen by log loss alone", "best single rule", "plain logistic", "quick script"
OWN = "the script's LightGBM on the product's signals"
PEERS = (RULE, LOGISTIC, SCRIPT, OWN)
FIGURES = {
    "roc_auc": "AUC", "average_precision": "average precision", "precision_at_capacity": "precision at 10 %", "log_loss": "log loss",
    "brier": "Brier",
}  # fmt: skip
PROBABILITIES = ("calibration_slope", "observed_expected")
SLOPE = (0.8, 1.25)
CAPACITY = 0.10
LARGER = 2000
"""Training rows from which on the earlier folds, which have few, are left out of a second look."""


def load_script():
    """0003's quick script: its features, its LightGBM and its plain logistic regression."""
    sys.path.insert(0, str(ROOT / "experiments" / "0003_default_catalogue"))
    spec = importlib.util.spec_from_file_location("experiment_0003", ROOT / "experiments" / "0003_default_catalogue" / "run.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


SCRIPT_0003 = load_script()


def run(name: str) -> dict:
    """Takes a data set's name; returns what was found on folds that go forward in time, and on the split of the documentation."""
    with tempfile.TemporaryDirectory() as output:
        project = open_project(PROJECTS[name], data=DATA / name, output=output)
        _, table, rows, _ = load_training_rows(project)
        rows = replace(rows, signals=rows.signals.reset_index(drop=True))
        quick = getattr(SCRIPT_0003.quick_script, name)(DATA / name, table.spine.reset_index(drop=True))
        folds = place_folds(project, rows)
        split = split_training(project, rows)
        parts = [(f"{fold.test_start:%Y-%m-%d}", fold.train, fold.test) for fold in folds]
        if not project.config.timed:
            parts = [(f"fold {number}", train, test) for number, (_, train, test) in enumerate(parts, 1)]
        every = [score_fold(project, table.catalogue, rows, quick, part) for part in parts]
        once = score_fold(project, table.catalogue, rows, quick, ("split", split.train, split.test))
    larger = [fold for fold in every if fold[1]["train"] >= LARGER]
    found = {"folds": judge(every), "larger folds": judge(larger), "split": judge([once])}
    return found | {"columns": {"pls_ml": rows.signals.shape[1], SCRIPT: quick.shape[1]}}


def score_fold(
    project: OpenProject, catalogue: Catalogue, rows: TrainingRows, quick: pd.DataFrame, part: tuple[str, np.ndarray, np.ndarray]
) -> tuple[ScoredRows, dict]:
    """Everything is fitted and chosen on the rows that train; returns what each says of those that test."""
    name, train, test = part
    training, positions = rows.take(train), np.flatnonzero(test)
    tested = rows.take(positions)
    card: Scorecard | None = project.card()
    candidates, _ = fit_candidates(training, card, catalogue, project.config.model, 1)
    chosen = choose_candidate(candidates, training)
    losses = np.array([one.unseen_losses for one in candidates.values()])
    alone = list(candidates)[find_simplest(losses, training.accounts[next(iter(candidates.values())).unseen_rows])]
    where = (positions, np.full(len(positions), name))
    rate = float(np.average(training.labels, weights=training.weight))
    scored = score_rows(candidates, chosen, tested, where, rate)
    rule, order = fit_single_rule(training)
    script = [replace(one, signals=quick[mask]) for one, mask in ((training, train), (tested, test))]
    more = {
        LOSS_ALONE: scored.scores[alone],
        RULE: order(tested.signals),
        LOGISTIC: told(SCRIPT_0003.fit_plain_logistic(training, tested)),
        SCRIPT: told(SCRIPT_0003.fit_fixed_lightgbm(*script)),
        OWN: told(SCRIPT_0003.fit_fixed_lightgbm(training, tested)),
    }
    print(
        f"  {name}: {len(training.labels)} train, {len(positions)} test, chosen {chosen}, by log loss alone {alone}, rule {rule}",
        flush=True,
    )
    facts = {"fold": name, "train": len(training.labels), "test": len(positions), "won": int(tested.labels.sum()), "chosen": chosen}
    return replace(scored, scores=scored.scores | more), facts | {LOSS_ALONE: alone, RULE: rule}


def told(probability: Floats) -> CandidateScores:
    return CandidateScores(probability, probability)


def fit_single_rule(rows: TrainingRows):
    """The order by one signal, up or down (words: by their share of wins), that has the best average precision on the training rows.

    Every threshold on a signal is a place in that order. Its probabilities are isotonic on the training rows.
    """
    found = []
    for column in rows.signals:
        for name, make in order_by(rows, column).items():
            ranks = make(rows.signals)
            found.append((float(average_precision(group_by_score(sort_scores(ranks), rows.labels, rows.weight))[0]), name, make))
    _, name, make = max(found, key=lambda one: one[0])
    steps = IsotonicRegression(y_min=1e-3, y_max=1 - 1e-3, out_of_bounds="clip").fit(make(rows.signals), rows.labels, rows.weight)
    return name, lambda signals: CandidateScores(make(signals), steps.predict(make(signals)))


def order_by(rows: TrainingRows, column: str) -> dict:
    values = rows.signals[column]
    if not pd.api.types.is_numeric_dtype(values):
        won = rows.labels.mean()
        shares = pd.Series(rows.labels).groupby(values.fillna("").to_numpy()).agg(lambda x: (x.sum() + 10 * won) / (len(x) + 10))
        return {f"{column} by share": lambda signals: signals[column].fillna("").map(shares).fillna(won).to_numpy(np.float64)}
    low = float(values.min()) - 1.0 if values.notna().any() else 0.0

    def make(sign: float):
        # A missing value comes last, whichever way the order goes.
        last = low if sign > 0 else -float(values.max() + 1.0) if values.notna().any() else 0.0
        return lambda signals: (sign * signals[column].astype(float)).fillna(last).to_numpy(np.float64)

    return {f"{column} ↑": make(1.0), f"{column} ↓": make(-1.0)}


def judge(folds: list[tuple[ScoredRows, dict]]) -> dict:
    """All folds as one, ranked within each; the choice against each of the others, on the same resamples of whole accounts."""
    pooled = pool_rows([scored for scored, _ in folds])
    found = {peer: compare(pooled, peer) for peer in (*PEERS, LOSS_ALONE, "base rate")}
    others = [name for name in pooled.scores if name not in (CHOSEN, LOSS_ALONE, *PEERS, "random", "activity", "base rate")]
    found |= {name: compare(pooled, name) for name in others}
    metrics = {CHOSEN: found[RULE]["metrics"][CHOSEN]} | {name: one["metrics"][name] for name, one in found.items()}
    return {
        "rows": {"test": len(pooled.labels), "won": int(pooled.labels.sum()), "accounts": len(set(pooled.accounts))},
        "folds": [facts | measure_fold(scored) for scored, facts in folds],
        "metrics": metrics,
        "differences": {name: one["differences"] for name, one in found.items()},
    }


def compare(scored: ScoredRows, peer: str) -> dict:
    pair = {name: scored.scores[name] for name in (peer, CHOSEN)}
    found = compare_candidates(scored.labels, pair, scored.accounts, ComparisonOptions(CAPACITY, peer, CHOSEN)).to_dict()
    metrics = {name: {f: one[f] for f in (*FIGURES, *PROBABILITIES) if f in one} for name, one in found["metrics"].items()}
    shared = [figure for figure in FIGURES if figure in found["differences"]]
    return {
        "metrics": metrics,
        "differences": {f: found["differences"][f] | {"verdict": verdict(f, found["differences"][f])} for f in shared},
    }


def verdict(figure: str, difference: dict) -> str:
    """The rule: only an interval that lies wholly on one side of zero says anything."""
    low, high = difference["low"], difference["high"]
    if low <= 0 <= high:
        return "no evidence"
    return "better" if (low > 0) == (figure not in LOWER_IS_BETTER) else "worse"


def measure_fold(scored: ScoredRows) -> dict:
    names = (CHOSEN, *PEERS, "base rate")
    pair = {name: scored.scores[name] for name in names}
    found = compare_candidates(scored.labels, pair, scored.accounts, ComparisonOptions(CAPACITY, RULE, CHOSEN, 200)).metrics
    kept = ("average_precision", "brier", "calibration_slope", "observed_expected")
    return {"figures": {name: {f: found[name][f].to_dict() for f in kept if f in found[name]} for name in names}}


def show(figure: dict | None, sign: str = "", digits: int = 3) -> str:
    if figure is None or figure["low"] is None:
        return "–"
    value, low, high = (f"{figure[part]:{sign}.{digits}f}" for part in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def tables(name: str, result: dict) -> str:
    lines = []
    for kind in ("folds", "larger folds", "split"):
        found = result[kind]
        shown = [*FIGURES, *PROBABILITIES]
        lines += [f"\n## {name}, {kind}: {found['rows']}", ""]
        lines += ["| | " + " | ".join([*FIGURES.values(), "slope", "observed/expected"]) + " |", "|" + "---|" * (len(shown) + 1)]
        for model, metrics in found["metrics"].items():
            lines.append(f"| {model} | " + " | ".join(show(metrics.get(f), digits=4 if f == "brier" else 3) for f in shown) + " |")
        lines += ["", "| chosen − | " + " | ".join(FIGURES.values()) + " |", "|" + "---|" * (len(FIGURES) + 1)]
        for peer, differences in found["differences"].items():
            cells = []
            for figure in FIGURES:
                one = differences.get(figure)
                cells.append("–" if one is None else show(one, "+", 4 if figure == "brier" else 3) + mark(one["verdict"]))
            lines.append(f"| {peer} | " + " | ".join(cells) + " |")
        lines += ["", "| fold | train | test | won | chosen | by log loss alone | rule | slope | Brier | base rate's |", "|" + "---|" * 10]
        for fold in found["folds"]:
            own, base = fold["figures"][CHOSEN], fold["figures"]["base rate"]["brier"]["value"]
            facts = (fold[key] for key in ("fold", "train", "test", "won", "chosen", LOSS_ALONE, RULE))
            cells = [*map(str, facts), show(own["calibration_slope"], digits=2), f"{own['brier']['value']:.4f}", f"{base:.4f}"]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def mark(said: str) -> str:
    return "" if said == "no evidence" else f", **{said}**"


if __name__ == "__main__":
    wanted = sys.argv[2:] or list(PROJECTS)
    file = HERE / "results.json"
    results = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    for name in wanted:
        print(name, flush=True)
        results[name] = run(name)
        file.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(tables(name, results[name]), flush=True)
