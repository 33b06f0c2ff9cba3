"""The lower end of a model's ranking, below which it has to be trained again: the backtest's where there is one of the same model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pls_ml.core.files import digest_data
from pls_ml.workflows.bundle import FROZEN, Bundle
from pls_ml.workflows.data import LoadedData
from pls_ml.workflows.project import Project

FILE = "backtest.json"


@dataclass(frozen=True)
class RankingBound:
    """The lower end of the 95 % interval of ROC-AUC, whose it is, and why it is not the backtest's (None: it is)."""

    value: float | None
    source: str
    why: str | None

    def say(self) -> tuple[str, ...]:
        """Takes nothing; returns a sentence where it is not the backtest's."""
        return (f"ranking is held against the lower bound of {self.source}: {self.why}",) if self.why else ()


def describe_backtest(project: Project, data: LoadedData) -> dict[str, Any]:
    """Takes a project and its data; returns what tells later which models the backtest speaks of."""
    frozen = project.config.model_dump(mode="json", include=set(FROZEN), exclude_none=True)
    return {"data_end": data.data_end.isoformat() if data.data_end else None, "settings": _digest(frozen, project.config.unit)}


def find_ranking_bound(project: Project, bundle: Bundle) -> RankingBound:
    """Takes a project and a bundle; returns the bound for its ranking: folds say more than the one held-out part of the training.

    A backtest counts where it has the settings of the bundle and knows nothing that the bundle's training did not know.
    """
    training = bundle.facts["comparison"]["metrics"][bundle.used]["roc_auc"]["low"]
    path = project.output / FILE
    if not path.is_file():
        return RankingBound(training, "training", f"there is no {path}: `pls-ml backtest` makes it")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return RankingBound(training, "training", f"{path} is no JSON: run `pls-ml backtest` again")
    about = found.get("about", {})
    if about.get("settings") != _digest(bundle.frozen, bundle.catalogue.unit):
        return RankingBound(training, "training", f"{path} is of other settings than model {bundle.version}")
    if datetime.fromisoformat(about["data_end"]) > datetime.fromisoformat(bundle.facts["data_end"]):
        return RankingBound(training, "training", f"{path} knows outcomes that matured after model {bundle.version} was trained")
    metrics = found["comparison"]["metrics"]
    if bundle.used not in metrics:
        return RankingBound(training, "training", f"{bundle.used} could not be fitted in every fold of {path}")
    return RankingBound(metrics[bundle.used]["roc_auc"]["low"], "the backtest", None)


def _digest(frozen: dict[str, Any], unit: str) -> str:
    return digest_data({"frozen": frozen, "unit": unit})
