"""The champion against the model that wants its place: on the leads that the newcomer's training held out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pls_ml.core.errors import BundleError
from pls_ml.core.protocols import Scorer
from pls_ml.evaluation.comparison import Comparison, ComparisonOptions, compare_candidates
from pls_ml.evaluation.gates import Gate, judge_champion, refuse_champion
from pls_ml.evaluation.measures import CandidateScores
from pls_ml.workflows.bundle import Bundle, load_bundle, require_signals
from pls_ml.workflows.candidates import TrainingRows
from pls_ml.workflows.config import SplitConfig
from pls_ml.workflows.project import Project
from pls_ml.workflows.reasons import find_best, overlap_reasons
from pls_ml.workflows.train import CAPACITY
from pls_ml.workflows.training_rows import load_training_rows, one_per_month, split_training


def judge_against_champion(project: Project, bundle: Bundle, champion: str) -> tuple[Gate, ...]:
    """Takes a project, the bundle that wants to score and the champion's version; returns the verdicts on one against the other.

    Both score the same leads at the same moments, under the newcomer's outcome, horizon, grid and population; each computes its own
    signals. A champion that cannot score these leads is no comparison, and the verdicts say why.
    """
    try:
        reigning = load_bundle(project, champion)
        _refuse_other_leads(bundle, reigning)
        challenger_rows = _read_held_out(project, bundle, bundle)
        champion_rows = _read_held_out(project, bundle, reigning)
    except BundleError as error:
        return refuse_champion(str(error))
    comparison = _compare(project, (bundle, challenger_rows), (reigning, champion_rows))
    best = find_best(_scorer(bundle).raw_score(challenger_rows.signals), CAPACITY)
    sides = ((bundle, challenger_rows), (reigning, champion_rows))
    overlap = overlap_reasons(*((_scorer(one), rows.signals.iloc[best], one.catalogue) for one, rows in sides))
    return judge_champion(comparison, overlap)


def _refuse_other_leads(bundle: Bundle, champion: Bundle) -> None:
    for what, one, other in (
        ("unit", bundle.catalogue.unit, champion.catalogue.unit),
        *((f"signals.{name}", *(each.frozen["signals"].get(name) for each in (bundle, champion))) for name in ("grain", "timezone")),
    ):
        if one != other:
            raise BundleError(f"`{what}` is {one} in {bundle.version} and {other} in {champion.version}")


def _read_held_out(project: Project, bundle: Bundle, scored_by: Bundle) -> TrainingRows:
    """The leads that a bundle's training held out, with the signals of another bundle or its own."""
    project = bundle.apply(project)
    held_out = SplitConfig.model_validate(bundle.facts["held_out"])
    project = replace(project, config=project.config.model_copy(update={"split": held_out}))
    data, table, rows, _ = load_training_rows(project, scored_by.catalogue)
    require_signals(scored_by, data)
    return rows.take(one_per_month(table, split_training(project, rows).test))


def _compare(project: Project, challenger: tuple[Bundle, TrainingRows], champion: tuple[Bundle, TrainingRows]) -> Comparison:
    rows, sides = challenger[1], (challenger, champion)
    margins = {bundle.version: _scorer(bundle).raw_score(found.signals) for bundle, found in sides}
    scores = {bundle.version: CandidateScores(margins[bundle.version]) for bundle, _ in sides}
    months = np.array(rows.as_of.astype("datetime64[M]"), dtype=str)
    model = project.config.model
    options = ComparisonOptions(CAPACITY, champion[0].version, challenger[0].version, model.resamples, model.seed, months)
    return compare_candidates(rows.labels, scores, rows.accounts, options)


def _scorer(bundle: Bundle) -> Scorer:
    return bundle.scorers[bundle.used]
