"""The whole chain on two real logs: check → train → score → explain → report, beside a quick competent script's figures.

Run: .venv/bin/python experiments/0001_bpi2012/run.py [folder of the data sets]
"""

import json
import os
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from pls_ml import open_project
from pls_ml.evaluation.displays import draw_png
from pls_ml.evaluation.gates import GATES

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PLS_ML_DATA", ROOT.parent / "shared" / "data"))
FIGURES = ("roc_auc", "average_precision", "brier", "lift_at_capacity", "log_loss", "calibration_slope", "observed_expected")

NIGHT = {"bpi2012": datetime(2012, 2, 21), "relax": datetime(2014, 5, 20)}
"""A night late in each log at which leads reach the age they are scored at."""
QUICK_SCRIPT = {
    "bpi2012": {
        "best single rule": (0.655, 0.407, None, 1.4),
        "logistic regression": (0.681, 0.461, 0.198, 1.5),
        "LightGBM default": (0.641, 0.425, 0.224, 1.5),
        "LightGBM regularised": (0.680, 0.447, 0.201, 1.6),
    },
    "relax": {
        "best single rule": (0.794, 0.373, None, 4.7),
        "logistic regression": (0.804, 0.441, 0.0802, 4.7),
        "LightGBM default": (0.795, 0.406, 0.0847, 4.4),
        "LightGBM regularised": (0.813, 0.425, 0.0799, 4.7),
    },
}
"""AUC, average precision, Brier, lift at 10 %: untuned models fixed beforehand by the data sets' documentation."""


def run(name: str) -> dict:
    with tempfile.TemporaryDirectory() as output:
        project = open_project(ROOT / "configs" / f"{name}.yaml", data=DATA / name, output=output)
        found = project.check()
        training = project.train()
        project.promote(training.version, accept=GATES)  # what scores here is what was trained, whatever its gates say
        night = project.score(NIGHT[name])
        best = night.scores["lead_id"].iloc[0]
        explained = project.explain(best).receipts[night.used]
        page = project.report()
        error = abs(explained.base + sum(line.probability for line in explained.lines) - explained.score)
        chain = {
            "matured_rows": found.labels.rows,
            "left_out": found.removed,
            "used": training.used,
            "decision": training.comparison.decision.sentence,
            "scored_at": str(night.as_of),
            "leads_scored": len(night.scores),
            "handoffs": len(night.handoffs),
            "receipt_error": error,
            "page_megabytes": round(page.stat().st_size / 1e6, 2),
        }
    (HERE / f"{name}_reliability.png").write_bytes(draw_png(training.displays["reliability"]))
    comparison = training.comparison.to_dict()
    metrics = {c: {f: values[f] for f in FIGURES if f in values} for c, values in comparison["metrics"].items()}
    facts = {key: comparison[key] for key in ("rows", "positives", "accounts", "base_rate")}
    return {"test": facts, "metrics": metrics, "differences": comparison["differences"], "split": training.split, "chain": chain}


def table(name: str, result: dict) -> list[str]:
    lines = ["| model | AUC | average precision | Brier | lift at 10 % |", "|---|---|---|---|---|"]
    for model, figures in QUICK_SCRIPT[name].items():
        lines.append(f"| quick script: {model} | " + " | ".join("–" if x is None else f"{x:g}" for x in figures) + " |")
    for model, found in result["metrics"].items():
        cells = [_cell(found.get(figure)) for figure in ("roc_auc", "average_precision", "brier", "lift_at_capacity")]
        lines.append(f"| pls_ml: {model} | " + " | ".join(cells) + " |")
    return lines


def _cell(figure: dict | None) -> str:
    if figure is None:
        return "–"
    return f"{figure['value']:.3f} ({figure['low']:.3f}–{figure['high']:.3f})"


if __name__ == "__main__":
    results = {name: run(name) for name in QUICK_SCRIPT}
    (HERE / "results.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for name, result in results.items():
        print(f"\n## {name}\n\n" + "\n".join(table(name, result)) + f"\n\n{json.dumps(result['chain'], indent=1)}")
