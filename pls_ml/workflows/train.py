"""`pls-ml train`: signals and matured labels → rules and models, compared on held-out time and accounts → a bundle."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.errors import DataError, LeakageError
from pls_ml.core.protocols import Scorer
from pls_ml.evaluation.comparison import Comparison, ComparisonOptions, compare_candidates
from pls_ml.evaluation.gates import Evidence, judge_training
from pls_ml.evaluation.leaks import LeakAudit, audit_signals, raise_if_leaking
from pls_ml.evaluation.measures import CandidateScores
from pls_ml.evaluation.ranking import gain_curve, group_by_score, roc_auc, sort_scores
from pls_ml.evaluation.reliability import ReliabilityTable, reliability_table
from pls_ml.evaluation.splits import Split, SplitSpec, split_rows
from pls_ml.labels.horizon import LabelCounts
from pls_ml.labels.twins import find_outcome_twins
from pls_ml.workflows.bundle import FROZEN, Bundle, save_bundle
from pls_ml.workflows.candidates import Candidate, TrainingRows, choose_candidate, fit_candidates
from pls_ml.workflows.data import LoadedData, build_signals, load_data
from pls_ml.workflows.inputs import set_aside_leaks
from pls_ml.workflows.project import Project
from pls_ml.workflows.reasons import ReasonProfile, find_best, profile_scorer
from pls_ml.workflows.signals import SignalTable, build_spine, keep_matured, read_signals
from pls_ml.workflows.tracking import track_training
from pls_ml.workflows.training_report import TrainingReport
from pls_ml.workflows.tuning import tune_trees

RULES = "rules"
"""The candidate that is the card as configured."""
CAPACITY = 0.10
"""Share of the leads that sales can work, where ranking is judged."""


def train(project: Project, track: bool = False) -> TrainingReport:
    """Takes a project and whether to write the run to its tracker; returns what training found, and saves the bundle.

    Refuses data without a matured label, with one outcome only, or with a signal that knows the outcome.
    """
    config, card = project.config, project.card()
    data, table, rows, labels = load_training_rows(project)
    split = split_training(project, rows)
    training = rows.take(split.train)
    with project.progress.step("looking for leaks"):
        audit = audit_training(project, data, training)
    model, tuning, hints = tune_trees(project, training, table.catalogue)
    with project.progress.step(f"fitting the candidates on {len(training.labels):,} rows"):
        candidates, notes = fit_candidates(training, card, table.catalogue, model, project.config.resources.threads)
    used = _choose(project, candidates, training)
    test = take_held_out(table, rows, split.test)
    with project.progress.step("comparing on held-out leads"):
        comparison = _compare(project, candidates, used, test, training)
        known = _compare_known(project, candidates, used, take_held_out(table, rows, split.known & ~split.test), training)
        reliability = _reliability(candidates, test)
    with project.progress.step("looking at what a promotion asks for"):
        reasons = _profile_reasons(candidates[used].scorer, training, test, table.catalogue)
        leaks = tuple(found.signal for found in audit.suspects if found.signal not in config.model.acknowledge_leaks)
        auc = _measure_auc(candidates[used].scorer, training)
        gates = judge_training(Evidence(comparison, used, RULES if RULES in candidates else None, auc, reasons.same_first, leaks))
    facts = {"data": data.digests, "split": split.counts, "comparison": comparison.to_dict(), "labels": labels.to_dict()}
    held_out = config.split.model_copy(update={"test_start": split.test_start}).model_dump(mode="json")
    facts |= {"gates": [gate.to_dict() for gate in gates], "reasons": reasons.to_dict(), "held_out": held_out}
    frozen = project.config.model_dump(mode="json", include=set(FROZEN), exclude_none=True)
    scorers, calibrators = ({n: getattr(c, part) for n, c in candidates.items()} for part in ("scorer", "calibrator"))
    version = save_bundle(project, Bundle("", used, scorers, calibrators, table.catalogue, frozen, facts))
    report = TrainingReport(
        version=version,
        used=used,
        comparison=comparison,
        known_accounts=known,
        reliability=reliability,
        gain={name: gain_curve(test.labels, c.scorer.raw_score(test.signals)) for name, c in candidates.items()},
        audit=audit,
        gates=gates,
        reasons=reasons.to_dict(),
        split=split.counts,
        labels=labels,
        removed=table.removed,
        not_computable=data.coverage.not_computable,
        calibrators={name: calibrator.to_dict() for name, calibrator in calibrators.items()},
        tuning=tuning,
        notes=(*table.notes, *hints, *notes, *_warn_of_calibration(comparison, used)),
        tracked=None,
    )
    return track_training(project, report) if track else report


def _warn_of_calibration(comparison: Comparison, used: str) -> tuple[str, ...]:
    ratio = comparison.metrics[used]["observed_expected"]
    if ratio.low <= 1 <= ratio.high:
        return ()
    span = f"observed/expected {ratio.value:.2f}, 95 % interval {ratio.low:.2f} to {ratio.high:.2f}"
    return (f"the probabilities are off on the held-out leads ({span}): rank by them, but do not quote them",)


def load_training_rows(project: Project, catalogue: Catalogue | None = None) -> tuple[LoadedData, SignalTable, TrainingRows, LabelCounts]:
    """Takes a project, and a bundle's catalogue where its signals are wanted; returns the data, the matured rows, and label counts.

    The rows come as a signal table and as training rows. A project's own signals come without those that know the outcome.
    """
    data = load_data(project, catalogue)
    left_out: tuple[str, ...] = ()
    if catalogue is None:
        catalogue, left_out = set_aside_leaks(project, data.database, data.coverage.catalogue)
    removed = build_spine(project, data, None)
    counts = keep_matured(project, data)
    if not counts.positives:
        raise DataError(
            f"none of the {counts.rows:,} matured rows is won within the horizon: expected at least one; check `outcome` and `horizon`"
        )
    build_signals(project, data, catalogue)
    table = read_signals(data, catalogue, removed, left_out)
    labels = data.database.frame('SELECT label FROM spine ORDER BY "row"')["label"].to_numpy(np.int8)
    # A lead counts once a month, however dense the grid. Once in all would overstate winners, who leave the population when they win.
    month = table.spine["as_of"].dt.to_period("M")
    weight = 1.0 / table.spine.groupby(["lead_id", month])["lead_id"].transform("size").to_numpy(np.float64)
    accounts = table.spine["account_key"].to_numpy(object)
    return data, table, TrainingRows(table.values, labels, weight, accounts, table.spine["as_of"].to_numpy("datetime64[us]")), counts


def split_training(project: Project, rows: TrainingRows) -> Split:
    """Takes a project and matured rows; returns which of them train and which are held out: later, and of other accounts."""
    config = project.config.split
    # Where every account has one row, time alone keeps them apart, and holding accounts back would only cost rows.
    by_account = config.by_account and len(set(rows.accounts)) < len(rows.accounts)
    spec = SplitSpec(config.test_start, config.test_share, by_account, config.account_share, config.embargo_days)
    return split_rows(rows.as_of, rows.accounts, project.config.horizon.to_horizon() if project.config.timed else None, spec)


def take_held_out(table: SignalTable, rows: TrainingRows, part: Any) -> TrainingRows:
    """Takes a signal table, its rows and a mask; returns the first of these rows per lead and month: more would repeat an outcome."""
    return rows.take(one_per_month(table, part))


def one_per_month(table: SignalTable, part: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Takes a signal table and a mask; returns where the first of these rows per lead and month lie."""
    chosen = table.spine.loc[part, ["lead_id", "as_of"]]
    first = ~pd.DataFrame({"lead": chosen["lead_id"], "month": chosen["as_of"].dt.to_period("M")}).duplicated()
    return np.flatnonzero(part)[first.to_numpy()]


def audit_training(project: Project, data: LoadedData, training: TrainingRows) -> LeakAudit:
    """Takes a project, its data and the training rows; returns the leak audit; refuses what gives the outcome away."""
    acknowledged = project.config.model.acknowledge_leaks
    for twin in find_outcome_twins(data.database, project.config.outcome.level):
        if twin.event not in acknowledged:
            raise LeakageError(
                f"{twin.sentence}: list it under `data.events.exclude`, or under `model.acknowledge_leaks` if it truly comes first"
            )
    audit = audit_signals(training.signals, training.labels, training.accounts)
    raise_if_leaking(audit, acknowledged)
    return audit


def _choose(project: Project, candidates: dict[str, Candidate], training: TrainingRows) -> str:
    wanted = project.config.model.use
    if wanted == "best":
        return choose_candidate(candidates, training)
    if wanted not in candidates:
        raise DataError(f"`model.use: {wanted}` is not among the fitted candidates ({', '.join(candidates)}): choose one of them or `best`")
    return wanted


def _compare(project: Project, candidates: dict[str, Candidate], used: str, test: TrainingRows, training: TrainingRows) -> Comparison:
    """The scorer in use (where that is the card, the best learned one) against the card, with all others and the floors beside them."""
    scores = {n: CandidateScores(m := c.scorer.raw_score(test.signals), c.calibrator.transform(m)) for n, c in candidates.items()}
    if "events_30d" in test.signals:
        scores["activity"] = CandidateScores(test.signals["events_30d"].to_numpy(np.float64), None)
    rate = float(np.average(training.labels, weights=training.weight))
    scores["base rate"] = CandidateScores(np.zeros(len(test.labels)), np.full(len(test.labels), rate))
    learned = {name: float(c.unseen_losses.sum()) for name, c in candidates.items() if name != RULES}
    challenger = used if used in learned else min(learned, key=lambda name: learned[name])
    reference = RULES if RULES in candidates else next((name for name in candidates if name != challenger), "base rate")
    months = np.array(test.as_of.astype("datetime64[M]"), dtype=str)
    options = ComparisonOptions(CAPACITY, reference, challenger, project.config.model.resamples, project.config.model.seed, months)
    return compare_candidates(test.labels, scores, test.accounts, options)


def _compare_known(
    project: Project, candidates: dict[str, Candidate], used: str, known: TrainingRows, training: TrainingRows
) -> Comparison | None:
    """The same on accounts that training knew, where the test holds none of them."""
    if not 0 < known.labels.sum() < len(known.labels) or len(set(known.accounts)) < 2:
        return None
    return _compare(project, candidates, used, known, training)


def _profile_reasons(scorer: Scorer, training: TrainingRows, test: TrainingRows, catalogue: Catalogue) -> ReasonProfile:
    """The reasons of the leads that sales can work: nobody is told those of others."""
    best = find_best(scorer.raw_score(test.signals), CAPACITY)
    return profile_scorer(scorer, training, test.signals.iloc[best], catalogue)


def _measure_auc(scorer: Scorer, rows: TrainingRows) -> float:
    order = sort_scores(scorer.raw_score(rows.signals))
    return float(roc_auc(group_by_score(order, rows.labels, rows.weight))[0])


def _reliability(candidates: dict[str, Candidate], test: TrainingRows) -> dict[str, ReliabilityTable]:
    return {
        name: reliability_table(test.labels, c.calibrator.transform(c.scorer.raw_score(test.signals))) for name, c in candidates.items()
    }
