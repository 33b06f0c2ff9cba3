"""Are trees worth having among the candidates when there are 900 rows to learn from? Windows all over the three data sets.

Run: .venv/bin/python experiments/0007_model/small_windows.py [folder of the data sets]
"""

import json
import tempfile
from dataclasses import replace

import numpy as np
from run import DATA, HERE, PROJECTS, SCRIPT_0003

from pls_ml import open_project
from pls_ml.evaluation.ranking import average_precision, group_by_score, sort_scores
from pls_ml.evaluation.splits import find_reach
from pls_ml.scores import boosted
from pls_ml.workflows.candidates import TrainingRows, choose_candidate, fit_candidates
from pls_ml.workflows.training_rows import load_training_rows

TRAINED, STEP, TESTED, LEAST_TESTED = 900, 700, 1200, 600
boosted.MIN_ROWS, boosted.MIN_POSITIVES = 300, 60  # what is asked here
FIGURES = ("average precision", "log loss", "Brier")
WITH, WITHOUT, SCRIPT = "trees among the candidates", "cards and logistic only", "quick script"


def run(name: str) -> dict:
    with tempfile.TemporaryDirectory() as output:
        project = open_project(PROJECTS[name], data=DATA / name, output=output)
        _, table, rows, _ = load_training_rows(project)
        rows = replace(rows, signals=rows.signals.reset_index(drop=True))
        quick = getattr(SCRIPT_0003.quick_script, name)(DATA / name, table.spine.reset_index(drop=True))
        found = []
        for train, test in place_windows(rows, find_reach(project.config.horizon.to_horizon() if project.config.timed else None, 0)):
            training, tested = rows.take(train), rows.take(test)
            candidates, _ = fit_candidates(training, project.card(), table.catalogue, project.config.model, 1)
            plain = {key: one for key, one in candidates.items() if not key.startswith("lightgbm")}
            chosen = {WITH: choose_candidate(candidates, training), WITHOUT: choose_candidate(plain, training)}
            figures = {}
            for way, key in chosen.items():
                margin = candidates[key].scorer.raw_score(tested.signals)
                figures[way] = measure(tested, margin, candidates[key].calibrator.transform(margin))
            pair = (replace(training, signals=quick.iloc[train]), replace(tested, signals=quick.iloc[test]))
            told = SCRIPT_0003.fit_fixed_lightgbm(*pair)
            figures[SCRIPT] = measure(tested, told, told)
            found.append({"won": int(training.labels.sum()), "tested": len(test), "chosen": chosen, "figures": figures})
            print(name, found[-1]["won"], chosen, flush=True)
    return {"windows": found, "differences": {f"{WITH} − {other}": summarise(found, other) for other in (WITHOUT, SCRIPT)}}


def place_windows(rows: TrainingRows, reach):
    """900 rows in a row of time, and up to 1,200 that come after their outcomes were known."""
    order = np.argsort(rows.as_of, kind="stable")
    for start in range(0, len(order) - TRAINED, STEP):
        train = order[start : start + TRAINED]
        later = order[rows.as_of[order] > rows.as_of[train].max() + np.timedelta64(reach, "us")][:TESTED]
        if len(later) >= LEAST_TESTED:
            yield np.sort(train), np.sort(later)


def measure(rows: TrainingRows, raw, probability) -> list[float]:
    told = np.clip(probability, 1e-6, 1 - 1e-6)
    precision = average_precision(group_by_score(sort_scores(raw), rows.labels))[0]
    right = np.where(rows.labels == 1, told, 1 - told)
    return [float(precision), float(-np.log(right).mean()), float(np.mean((1 - right) ** 2))]


def summarise(found: list[dict], other: str) -> dict:
    """The mean over the windows and its standard error; windows share tested rows, so the error is rather too small."""
    apart = np.array([np.subtract(one["figures"][WITH], one["figures"][other]) for one in found])
    error = apart.std(axis=0, ddof=1) / np.sqrt(len(apart))
    return {figure: {"mean": float(m), "standard error": float(e)} for figure, m, e in zip(FIGURES, apart.mean(axis=0), error, strict=True)}


if __name__ == "__main__":
    results = {name: run(name) for name in PROJECTS}
    (HERE / "small_windows.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for name, result in results.items():
        print(name, len(result["windows"]), json.dumps(result["differences"], indent=1, ensure_ascii=False))
