"""`model.tune`: a search for the settings of the trees, on the folds of the training rows and on nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.files import digest_data
from pls_ml.core.records import TrialRecord
from pls_ml.scores.boosted import can_grow
from pls_ml.scores.growth import MAX_TREES, PATIENCE, STEP, TreeSettings
from pls_ml.scores.tuning import SPACE, Search, best_trial, search_settings
from pls_ml.workflows.candidates import TrainingRows, bin_fold, describe_few, make_trees, usable_folds
from pls_ml.workflows.config import ModelConfig
from pls_ml.workflows.project import Project

FILE = "tuning.db"


@dataclass(frozen=True)
class TuningReport:
    """A search for settings: every finished trial, the first of which is the configured one, and how many were asked for."""

    trials: tuple[TrialRecord, ...]
    wanted: int

    @property
    def best(self) -> TrialRecord:
        """The trial whose settings are used."""
        return best_trial(self.trials)

    @property
    def best_so_far(self) -> tuple[float, ...]:
        """The least loss up to each trial."""
        losses = np.array([np.inf if trial.pruned else trial.loss for trial in self.trials])
        return tuple(np.minimum.accumulate(losses).tolist())

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values: the best trial's number, loss and settings, and the table of all."""
        best = asdict(self.best)
        return {"best": best, "wanted": self.wanted, "trials": [asdict(trial) for trial in self.trials]}

    def to_text(self) -> str:
        """Takes nothing; returns what was found, and the best settings in a line, ready for `model.trees`."""
        return f"{self.summary}\n  trees: {{{', '.join(f'{name}: {value:g}' for name, value in self.best.settings.items())}}}"

    @property
    def summary(self) -> str:
        """How many settings were tried, and what the best of them gain."""
        pruned = sum(trial.pruned for trial in self.trials)
        tried = f"{len(self.trials)} settings tried, {pruned} of them given up early"
        short = "" if len(self.trials) >= self.wanted else f" (time was over before {self.wanted}: run it again to go on)"
        gain = f"log loss {self.best.loss:.5f}, {self.trials[0].loss:.5f} as configured"
        return f"{tried}{short}; best is trial {self.best.number} with {self.best.trees} trees: {gain}"


def tune_trees(
    project: Project, rows: TrainingRows, catalogue: Catalogue, share: float = 1.0
) -> tuple[ModelConfig, TuningReport | None, tuple[str, ...]]:
    """Takes a project, its training rows, the catalogue and a share of the minutes; returns `model` with the best settings, search, notes.

    Without `model.tune`, and where rows are too few for trees or time for one trial, `model` is as configured and there is no search.
    """
    model = project.config.model
    if model.tune is None:
        return model, None, ()
    if not can_grow(rows.labels, rows.weight):
        return model, None, (f"tuning was skipped: {describe_few(rows)}",)
    directions = {column.name: column.signal.direction for column in catalogue}
    limits = model.tune.trials, model.tune.minutes * share
    search = Search(project.output / FILE, _name_search(rows, directions, model), model.seed, *limits)
    with project.progress.step(f"trying up to {search.trials} settings of the trees for up to {search.minutes:g} minutes"):
        # The latest and largest folds first: they are most like what is to come, and decide which trials are given up.
        folds = [bin_fold(rows, fold) for fold in sorted(usable_folds(rows), key=lambda fold: -len(fold[0]))]
        threads = project.config.resources.threads
        trials = search_settings(
            folds,
            lambda fold, settings: make_trees(directions, model.model_copy(update={"trees": settings}), threads).grow_on(fold),
            model.trees,
            search,
        )
    if not trials:
        return (
            model,
            None,
            (f"tuning found nothing: {search.minutes:g} minutes were over before the first settings were tried on every fold",),
        )
    report = TuningReport(trials, search.trials)
    return model.model_copy(update={"trees": TreeSettings.model_validate(report.best.settings)}), report, ()


def _name_search(rows: TrainingRows, directions: Mapping[str, str], model: ModelConfig) -> str:
    """The key of a search: other rows, directions, first settings, rules or LightGBM are another search."""
    text = pd.util.hash_pandas_object(rows.signals, index=False).to_numpy()
    accounts = pd.util.hash_array(rows.accounts.astype(str).astype(object))
    parts = (text, accounts, rows.labels, rows.weight, rows.as_of)
    digests = [hashlib.sha256(np.ascontiguousarray(part).tobytes()).hexdigest() for part in parts]
    rules = {"space": SPACE, "trees": [MAX_TREES, STEP, PATIENCE], "seed": model.seed, "first": model.trees.model_dump()}
    named = {"columns": [str(name) for name in rows.signals.columns], "directions": directions, "lightgbm": version("lightgbm")}
    return digest_data({"rows": digests} | rules | named)
