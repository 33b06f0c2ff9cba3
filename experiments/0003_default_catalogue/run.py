"""Features of a quick script, discovered signals and configured signals under the same models, on the same rows, with paired intervals.

Run: .venv/bin/python experiments/0003_default_catalogue/run.py [folder of the data sets]
"""

import json
import os
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import lightgbm
import matplotlib as mpl
import numpy as np
import pandas as pd
import quick_script
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pls_ml import open_project
from pls_ml.core.catalogue import Catalogue
from pls_ml.evaluation.comparison import ComparisonOptions, compare_candidates
from pls_ml.evaluation.measures import CandidateScores
from pls_ml.evaluation.splits import SplitSpec, split_rows
from pls_ml.scores.encoding import Encoding
from pls_ml.workflows.api import OpenProject
from pls_ml.workflows.candidates import TrainingRows, fit_candidates
from pls_ml.workflows.config import ModelConfig, SignalsConfig
from pls_ml.workflows.training_rows import load_training_rows

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PLS_ML_DATA", ROOT.parent / "shared" / "data"))
PROJECTS = {
    "bpi2012": ROOT / "configs" / "bpi2012.yaml",
    "relax": ROOT / "configs" / "relax.yaml",
    "xeducation": HERE / "xeducation.yaml",  # declares no signals of its own, so it has no third set of features
}
QUICK, DISCOVERED, CONFIGURED, WITH_DOMAIN = "quick script", "discovered", "configured", "discovered and e-mail domain"
AGAINST = "discovered against configured"
PUBLISHED = {
    "bpi2012": {"plain logistic": (0.681, 0.461, 0.198), "fixed lightgbm": (0.680, 0.447, 0.201)},
    "relax": {"plain logistic": (0.804, 0.441, 0.0802), "fixed lightgbm": (0.813, 0.425, 0.0799)},
    "xeducation": {"plain logistic": (0.864, 0.820, 0.147), "fixed lightgbm": (0.893, 0.862, 0.129)},
}
"""AUC, average precision and Brier of the original quick script, from the data sets' documentation."""
FIGURES = {"roc_auc": "AUC", "average_precision": "average precision", "brier": "Brier"}
KEPT = (*FIGURES, "precision_at_capacity", "log_loss")
FIXED = {
    "n_estimators": 200, "learning_rate": 0.03, "num_leaves": 15, "min_child_samples": 50, "subsample": 0.8, "subsample_freq": 1,
    "colsample_bytree": 0.8, "reg_lambda": 5, "random_state": 7, "n_jobs": 1, "deterministic": True, "force_col_wise": True, "verbose": -1,
}  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """All matured rows of a data set with one set of features, the masks of training and test, and the catalogue of directions."""

    rows: TrainingRows
    leads: pd.DataFrame
    catalogue: Catalogue
    train: np.ndarray
    test: np.ndarray


def load(project: OpenProject) -> Rows:
    config = project.config
    _, table, rows, _ = load_training_rows(project)
    split = split_rows(
        rows.as_of, rows.accounts, config.horizon.to_horizon() if config.timed else None, SplitSpec(**config.split.model_dump())
    )
    rows = replace(rows, signals=rows.signals.reset_index(drop=True))
    return Rows(rows, table.spine.reset_index(drop=True), table.catalogue, split.train, split.test)


def load_feature_sets(name: str, output: str) -> dict[str, Rows]:
    project = open_project(PROJECTS[name], data=DATA / name, output=output)
    found = SignalsConfig(catalogue="discover", grain=project.config.signals.grain)
    discovered = load(replace(project, config=project.config.model_copy(update={"signals": found})))
    quick = getattr(quick_script, name)(DATA / name, discovered.leads)
    # The discovered catalogue declares no directions, so the quick features get none either.
    sets = {QUICK: replace(discovered, rows=replace(discovered.rows, signals=quick)), DISCOVERED: discovered}
    if project.config.signals != found:
        sets[CONFIGURED] = load(project)
    if "domain" in quick:  # the one column of the quick script that discovery refuses to read: how much of the difference is it?
        sets[WITH_DOMAIN] = replace(
            discovered, rows=replace(discovered.rows, signals=discovered.rows.signals.assign(domain=quick["domain"]))
        )
    for one in sets.values():
        assert one.leads["lead_id"].equals(discovered.leads["lead_id"])
        assert np.array_equal(one.rows.labels, discovered.rows.labels)
        assert np.array_equal(one.test, discovered.test)
    return sets


def fit_models(data: Rows) -> dict[str, CandidateScores]:
    train, test = data.rows.take(data.train), data.rows.take(data.test)
    candidates, _ = fit_candidates(train, None, data.catalogue, ModelConfig(), threads=2)
    scores = {}
    for name, candidate in candidates.items():
        margin = candidate.scorer.raw_score(test.signals)
        scores[name] = CandidateScores(margin, candidate.calibrator.transform(margin))
    for name, fit in {"fixed lightgbm": fit_fixed_lightgbm, "plain logistic": fit_plain_logistic}.items():
        probability = fit(train, test)
        scores[name] = CandidateScores(probability, probability)
    return scores


def fit_fixed_lightgbm(train: TrainingRows, test: TrainingRows) -> np.ndarray:
    encoding = Encoding.learn(train.signals)
    text = [position for position, name in enumerate(encoding.columns) if name in encoding.categories]
    model = lightgbm.LGBMClassifier(**FIXED)
    model.fit(encoding.encode(train.signals), train.labels, categorical_feature=text)
    return model.booster_.predict(encoding.encode(test.signals))


def fit_plain_logistic(train: TrainingRows, test: TrainingRows) -> np.ndarray:
    both = pd.get_dummies(pd.concat([train.signals, test.signals]), dummy_na=True).astype(float)
    fit, check = both.iloc[: len(train.labels)], both.iloc[len(train.labels) :]
    typical = fit.median().fillna(0.0)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000)).fit(fit.fillna(typical), train.labels)
    return model.predict_proba(check.fillna(typical))[:, 1]


def run(name: str) -> dict:
    with tempfile.TemporaryDirectory() as output:
        sets = load_feature_sets(name, output)
    scores = {kind: fit_models(data) for kind, data in sets.items()}
    first = sets[DISCOVERED]
    test = first.rows.take(first.test)
    result = {
        "rows": {"train": int(first.train.sum()), "test": len(test.labels), "won": int(test.labels.sum())},
        "accounts": len(set(test.accounts)),
        "columns": {kind: data.rows.signals.shape[1] for kind, data in sets.items()},
        "models": {},
    }
    for model in scores[QUICK]:
        result["models"][model] = compare(test, {kind: by_model[model] for kind, by_model in scores.items()})
    return result


def compare(test: TrainingRows, scores: dict[str, CandidateScores]) -> dict:
    found = {kind: compare_pair(test, scores, QUICK, kind) for kind in scores if kind != QUICK}
    metrics = {QUICK: found[DISCOVERED]["metrics"][QUICK]} | {kind: pair["metrics"][kind] for kind, pair in found.items()}
    result = {"metrics": metrics, "differences": {kind: pair["differences"] for kind, pair in found.items()}}
    if CONFIGURED in scores:
        result[AGAINST] = compare_pair(test, scores, CONFIGURED, DISCOVERED)["differences"]
    return result


def compare_pair(test: TrainingRows, scores: dict[str, CandidateScores], reference: str, challenger: str) -> dict:
    pair = {kind: scores[kind] for kind in (reference, challenger)}
    found = compare_candidates(test.labels, pair, test.accounts, ComparisonOptions(0.10, reference, challenger)).to_dict()
    metrics = {kind: {figure: values[figure] for figure in KEPT} for kind, values in found["metrics"].items()}
    differences = {figure: found["differences"][figure] for figure in KEPT}
    return {"metrics": metrics, "differences": {f: values | {"verdict": judge(f, values)} for f, values in differences.items()}}


def judge(figure: str, difference: dict) -> str:
    """The rule: only an interval that lies wholly on one side of zero says anything."""
    low, high = difference["low"], difference["high"]
    if low <= 0 <= high:
        return "no evidence"
    return "better" if (low > 0) == (figure not in ("brier", "log_loss")) else "worse"


def tables(name: str, result: dict) -> str:
    lines = [f"\n## {name}: {result['rows']}, columns {result['columns']}", ""]
    lines += ["| published → re-created | AUC | average precision | Brier |", "|---|---|---|---|"]
    for model, published in PUBLISHED[name].items():
        now = [result["models"][model]["metrics"][QUICK][figure]["value"] for figure in FIGURES]
        lines.append(f"| {model} | " + " | ".join(f"{a:g} → {b:.4f}" for a, b in zip(published, now, strict=True)) + " |")
    lines += ["", "| model | features | AUC | average precision | Brier |", "|---|---|---|---|---|"]
    for model, found in result["models"].items():
        for kind, metrics in found["metrics"].items():
            lines.append(f"| {model} | {kind} | " + " | ".join(show(metrics[figure]) for figure in FIGURES) + " |")
    lines += ["", "| model | against the quick script | AUC | average precision | Brier |", "|---|---|---|---|---|"]
    for model, found in result["models"].items():
        pairs = found["differences"] | ({AGAINST: found[AGAINST]} if AGAINST in found else {})
        for kind, differences in pairs.items():
            cells = (f"{show(differences[figure], '+')} {differences[figure]['verdict']}" for figure in FIGURES)
            lines.append(f"| {model} | {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def show(figure: dict, sign: str = "") -> str:
    value, low, high = (f"{figure[part]:{sign}.4f}" for part in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def draw(results: dict) -> None:
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    lines = [(log, model) for log, result in results.items() for model in result["models"]]
    figure, axes = plt.subplots(1, len(FIGURES), figsize=(9, 0.3 * len(lines) + 1), sharey=True, layout="constrained")
    for axis, (key, title) in zip(axes, FIGURES.items(), strict=True):
        for offset, (kind, colour) in enumerate({DISCOVERED: "C0", CONFIGURED: "C7"}.items()):
            at = [(row, results[log]["models"][model]["differences"].get(kind)) for row, (log, model) in enumerate(lines)]
            here = [(row + 0.15 - 0.3 * offset, found[key]) for row, found in at if found]
            ends = np.array([(found["value"] - found["low"], found["high"] - found["value"]) for _, found in here]).T
            places, values = [row for row, _ in here], [found["value"] for _, found in here]
            axis.errorbar(values, places, xerr=ends, fmt="o", color=colour, markersize=3, linewidth=1, label=kind)
        axis.axvline(0, color="black", linewidth=0.6)
        axis.set_title(title + (" (lower is better)" if key == "brier" else ""), fontsize=9)
        axis.tick_params(labelsize=7)
    axes[0].set_yticks(range(len(lines)), [f"{log}: {model}" for log, model in lines])
    axes[0].invert_yaxis()
    axes[0].legend(fontsize=7, loc="lower left")
    figure.suptitle("Difference to the quick script's features, 95 % intervals", fontsize=9)
    figure.savefig(HERE / "differences.png", dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    results = {name: run(name) for name in PROJECTS}
    (HERE / "results.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    draw(results)
    print("\n".join(tables(name, result) for name, result in results.items()))
