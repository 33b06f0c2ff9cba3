"""`pls-ml train`: signals and matured labels → rules and models, compared on held-out time and accounts → a bundle."""

from __future__ import annotations

from typing import Any

import numpy as np

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.errors import DataError
from pls_ml.core.protocols import Scorer
from pls_ml.evaluation.comparison import Comparison, ComparisonOptions, compare_candidates
from pls_ml.evaluation.drift import profile_columns
from pls_ml.evaluation.gates import Evidence, judge_training
from pls_ml.evaluation.leaks import LeakAudit
from pls_ml.evaluation.measures import CandidateScores
from pls_ml.evaluation.pooling import PooledRatios, pool_ratios
from pls_ml.evaluation.ranking import group_by_score, roc_auc, sort_scores
from pls_ml.evaluation.splits import Split
from pls_ml.workflows.bundle import FROZEN, Bundle, save_bundle
from pls_ml.workflows.candidates import Candidate, TrainingRows, choose_candidate, fit_candidates
from pls_ml.workflows.data import LoadedData
from pls_ml.workflows.disagreements import measure_on_held_out
from pls_ml.workflows.held_out import describe_held_out
from pls_ml.workflows.lead_segments import add_segments
from pls_ml.workflows.leak_audit import audit_training
from pls_ml.workflows.learning import measure_learning
from pls_ml.workflows.peers import freeze_training_peers
from pls_ml.workflows.project import Project
from pls_ml.workflows.reasons import ReasonProfile, find_best, profile_candidate
from pls_ml.workflows.tracking import track_training
from pls_ml.workflows.training_checks import check_training, refuse_one_account, say_dominant, say_extreme_scores
from pls_ml.workflows.training_record import keep_training
from pls_ml.workflows.training_report import TrainingReport
from pls_ml.workflows.training_rows import load_training_rows, one_per_month, split_training
from pls_ml.workflows.tuning import tune_trees

RULES = "rules"
"""The candidate that is the card as configured."""
CAPACITY = 0.10
"""Share of the leads that sales can work, where ranking is judged."""


def train(project: Project, track: bool = False, learning_curve: bool = False) -> TrainingReport:
    """Takes a project, whether to write the run to its tracker, and whether to measure what more accounts would be worth; trains.

    Returns what was found; the bundle is saved, and the findings are kept for the report of the model. Refuses data without a matured
    label, with one outcome only, or with a signal that knows the outcome.
    """
    data, table, rows, labels = load_training_rows(project)
    refuse_one_account(rows)
    split = split_training(project, rows)
    training, place = rows.take(split.train), one_per_month(table, split.test)
    test, known = rows.take(place), rows.take(one_per_month(table, split.known & ~split.test))
    doubts = (*check_training(training), *say_dominant(test.accounts, "held-out"))
    with project.progress.step("looking for leaks"):
        audit = audit_training(project, data, table, rows, split)
    model, tuning, hints = tune_trees(project, training, table.catalogue)
    with project.progress.step(f"fitting the candidates on {len(training.labels):,} rows"):
        candidates, notes = fit_candidates(training, project.card(), table.catalogue, model, project.config.resources.threads)
    used = _choose(project, candidates, training)
    with project.progress.step("comparing on held-out leads"):
        comparison = compare_on(project, candidates, used, test, training)
        known_accounts = _compare_known(project, candidates, used, known, training)
        held_out = describe_held_out(candidates, test)
        segments = add_segments(data, table.spine, project.account_rules())["segment"].to_numpy(object)
        ratios = _pool_ratios(candidates[used], test, segments[place])
        disagreement = measure_on_held_out(candidates, comparison, test, project.config.model)
    with project.progress.step("looking at what a promotion asks for"):
        reasons = _profile_reasons(candidates[used], training, test, table.catalogue)
        leaks = tuple(dict.fromkeys(found.name for found in audit.suspects))
        auc = _measure_auc(candidates[used].scorer, training)
        card = RULES if RULES in candidates else None
        gates = judge_training(Evidence(comparison, used, card, auc, reasons.quality, reasons.same_first, leaks))
    learned = measure_learning(project, candidates[used], training, test, CAPACITY) if learning_curve else None
    facts = _describe_rows(project, data, training, split) | {
        "labels": labels.to_dict(),
        "comparison": comparison.to_dict(),
        "gates": [gate.to_dict() for gate in gates],
        "reasons": reasons.to_dict(),
        "disagreement": disagreement.to_dict() if disagreement else None,
        "leaks": audit.to_dict()["findings"],
        "peers": freeze_training_peers(table, segments, split.train),
    }
    report = TrainingReport(
        version=_save(project, used, candidates, table.catalogue, facts),
        used=used,
        comparison=comparison,
        known_accounts=known_accounts,
        held_out=held_out,
        ratios=ratios,
        audit=audit,
        gates=gates,
        reasons=reasons.to_dict(),
        disagreement=disagreement,
        split=split.counts,
        labels=labels,
        removed=table.removed,
        not_computable=data.coverage.not_computable,
        calibrators={name: candidate.calibrator.to_dict() for name, candidate in candidates.items()},
        tuning=tuning,
        learning_curve=learned,
        notes=(
            *table.notes,
            *hints,
            *notes,
            *doubts,
            *_say_audit(audit),
            *say_extreme_scores(used, candidates[used], training, test),
            *_warn_of_calibration(comparison, used),
            *(test.won.say_missing() if test.won else ()),
        ),
        tracked=None,
    )
    keep_training(project, report, test)
    return track_training(project, report) if track else report


def _describe_rows(project: Project, data: LoadedData, training: TrainingRows, split: Split) -> dict[str, Any]:
    """What the data were, and how they were split; where they ended and how signals were spread tells a recalibration what is new."""
    end = data.data_end and data.data_end.isoformat()
    held_out = project.config.split.model_copy(update={"test_start": split.test_start}).model_dump(mode="json")
    profile = profile_columns(training.signals, training.weight)
    return {"data": data.digests, "data_end": end, "profile": profile, "split": split.counts, "held_out": held_out}


def _save(project: Project, used: str, candidates: dict[str, Candidate], catalogue: Catalogue, facts: dict[str, Any]) -> str:
    frozen = project.config.model_dump(mode="json", include=set(FROZEN), exclude_none=True)
    scorers, calibrators, bands = ({n: getattr(c, part) for n, c in candidates.items()} for part in ("scorer", "calibrator", "band"))
    return save_bundle(project, Bundle("", used, scorers, calibrators, bands, catalogue, frozen, facts))


def _say_audit(audit: LeakAudit) -> tuple[str, ...]:
    vouched = (f"acknowledged leak: {found.sentence}" for found in audit.vouched)
    return (*vouched, *(f"the leak audit could not judge {test}: {why}" for test, why in (audit.not_judged or {}).items()))


def _warn_of_calibration(comparison: Comparison, used: str) -> tuple[str, ...]:
    ratio = comparison.metrics[used]["observed_expected"]
    if ratio.low <= 1 <= ratio.high:
        return ()
    span = f"observed/expected {ratio.value:.2f}, 95 % interval {ratio.low:.2f} to {ratio.high:.2f}"
    return (f"the probabilities are off on the held-out leads ({span}): rank by them, but do not quote them",)


def _choose(project: Project, candidates: dict[str, Candidate], training: TrainingRows) -> str:
    wanted = project.config.model.use
    if wanted == "best":
        return choose_candidate(candidates, training)
    if wanted not in candidates:
        raise DataError(f"`model.use: {wanted}` is not among the fitted candidates ({', '.join(candidates)}): choose one of them or `best`")
    return wanted


def compare_on(project: Project, candidates: dict[str, Candidate], used: str, test: TrainingRows, training: TrainingRows) -> Comparison:
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
    model = project.config.model
    options = ComparisonOptions(CAPACITY, reference, challenger, model.resamples, model.seed, months, test.values)
    return compare_candidates(test.labels, scores, test.accounts, options)


def _compare_known(
    project: Project, candidates: dict[str, Candidate], used: str, known: TrainingRows, training: TrainingRows
) -> Comparison | None:
    """The same on accounts that training knew, where the test holds none of them."""
    if not 0 < known.labels.sum() < len(known.labels) or len(set(known.accounts)) < 2:
        return None
    return compare_on(project, candidates, used, known, training)


def _profile_reasons(used: Candidate, training: TrainingRows, test: TrainingRows, catalogue: Catalogue) -> ReasonProfile:
    """The reasons of the leads that sales can work: nobody is told those of others."""
    best = find_best(used.scorer.raw_score(test.signals), CAPACITY)
    return profile_candidate(used, training, test.signals.iloc[best], catalogue)


def _measure_auc(scorer: Scorer, rows: TrainingRows) -> float:
    order = sort_scores(scorer.raw_score(rows.signals))
    return float(roc_auc(group_by_score(order, rows.labels, rows.weight))[0])


def _pool_ratios(used: Candidate, test: TrainingRows, segments: Any) -> tuple[PooledRatios, ...]:
    """Wins against promises of the scorer in use on the held-out leads, by month and by segment, where there are several."""
    probability = used.calibrator.transform(used.scorer.raw_score(test.signals))
    kinds = {"month": test.as_of.astype("datetime64[M]").astype(str), "segment": segments}
    return tuple(pool_ratios(by, x, test.labels, probability, test.accounts) for by, x in kinds.items() if len(set(x)) > 1)
