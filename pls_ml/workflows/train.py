"""`pls-ml train`: signals and matured labels → rules and models, compared on held-out time and accounts → a bundle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pls_ml.core.errors import DataError, LeakageError
from pls_ml.evaluation.comparison import Comparison, ComparisonOptions, compare_candidates
from pls_ml.evaluation.drift import profile_columns
from pls_ml.evaluation.leaks import LeakAudit, audit_signals, raise_if_leaking
from pls_ml.evaluation.measures import CandidateScores
from pls_ml.evaluation.pooling import PooledRatios, pool_ratios
from pls_ml.evaluation.ranking import gain_curve
from pls_ml.evaluation.reliability import ReliabilityTable, reliability_table
from pls_ml.evaluation.splits import Split, SplitSpec, split_rows
from pls_ml.labels.horizon import LabelCounts
from pls_ml.labels.twins import find_outcome_twins
from pls_ml.workflows.bundle import FROZEN, Bundle, save_bundle
from pls_ml.workflows.candidates import Candidate, TrainingRows, choose_candidate, fit_candidates
from pls_ml.workflows.data import LoadedData, build_signals, load_data
from pls_ml.workflows.inputs import set_aside_leaks
from pls_ml.workflows.lead_segments import add_segments
from pls_ml.workflows.project import Project
from pls_ml.workflows.signals import SignalTable, build_spine, keep_matured, read_signals
from pls_ml.workflows.tracking import track_training
from pls_ml.workflows.training_report import TrainingReport

CAPACITY = 0.10
"""Share of the leads that sales can work, where ranking is judged."""


def train(project: Project, track: bool = False) -> TrainingReport:
    """Takes a project and whether to write the run to its tracker; returns what training found, and saves the bundle.

    Refuses data without a matured label, with one outcome only, or with a signal that knows the outcome.
    """
    card = project.card()
    data, table, rows, labels = load_training_rows(project)
    split = split_training(project, rows)
    training = rows.take(split.train)
    with project.progress.step("looking for leaks"):
        audit = audit_training(project, data, training)
    with project.progress.step(f"fitting the candidates on {len(training.labels):,} rows"):
        config = project.config
        candidates, notes = fit_candidates(training, card, table.catalogue, config.model, config.resources.threads)
    used = _choose(project, candidates, training)
    test = rows.take(one_per_month(table, split.test))
    with project.progress.step("comparing on held-out leads"):
        comparison = _compare(project, candidates, used, test, training)
        known = _compare_known(project, candidates, used, rows.take(one_per_month(table, split.known & ~split.test)), training)
        reliability = _reliability(candidates, test)
        segments = add_segments(data, table.spine, project.account_rules())["segment"].to_numpy(object)
        ratios = _pool_ratios(candidates[used], test, segments[one_per_month(table, split.test)])
    facts = {"data": data.digests, "split": split.counts, "comparison": comparison.to_dict(), "labels": labels.to_dict()}
    # What a recalibration needs to tell what is new: where the data ended, and how the signals were spread.
    facts |= {"data_end": data.data_end and data.data_end.isoformat(), "profile": profile_columns(training.signals, training.weight)}
    frozen = project.config.model_dump(mode="json", include=set(FROZEN), exclude_none=True)
    scorers, calibrators, bands = ({n: getattr(c, part) for n, c in candidates.items()} for part in ("scorer", "calibrator", "band"))
    version = save_bundle(project, Bundle("", used, scorers, calibrators, bands, table.catalogue, frozen, facts))
    report = TrainingReport(
        version=version,
        used=used,
        comparison=comparison,
        known_accounts=known,
        reliability=reliability,
        ratios=ratios,
        gain={name: gain_curve(test.labels, c.scorer.raw_score(test.signals)) for name, c in candidates.items()},
        audit=audit,
        split=split.counts,
        labels=labels,
        removed=table.removed,
        not_computable=data.coverage.not_computable,
        calibrators={name: calibrator.to_dict() for name, calibrator in calibrators.items()},
        notes=(*table.notes, *notes, *_warn_of_calibration(comparison, used)),
        tracked=None,
    )
    return track_training(project, report, data.digest) if track else report


def _warn_of_calibration(comparison: Comparison, used: str) -> tuple[str, ...]:
    ratio = comparison.metrics[used]["observed_expected"]
    if ratio.low <= 1 <= ratio.high:
        return ()
    span = f"observed/expected {ratio.value:.2f}, 95 % interval {ratio.low:.2f} to {ratio.high:.2f}"
    return (f"the probabilities are off on the held-out leads ({span}): rank by them, but do not quote them",)


def load_training_rows(project: Project) -> tuple[LoadedData, SignalTable, TrainingRows, LabelCounts]:
    """Takes a project; returns its loaded data, the signal table of matured rows, the same as training rows, and the label counts."""
    data = load_data(project)
    catalogue, left_out = set_aside_leaks(project, data.database, data.coverage.catalogue)
    removed = build_spine(project, data, None)
    counts = keep_matured(project, data)
    if not counts.positives:
        raise DataError(
            f"none of the {counts.rows:,} matured rows is won within the horizon: expected at least one; check `outcome` and `horizon`"
        )
    build_signals(project, data, catalogue)
    table = read_signals(data, catalogue, removed, left_out)
    return data, table, take_matured(data, table), counts


def take_matured(data: LoadedData, table: SignalTable) -> TrainingRows:
    """Takes data whose `spine` holds matured rows, and their signal table; returns them as rows to train on."""
    labels = data.database.frame('SELECT label FROM spine ORDER BY "row"')["label"].to_numpy(np.int8)
    # A lead counts once a month, however dense the grid. Once in all would overstate winners, who leave the population when they win.
    month = table.spine["as_of"].dt.to_period("M")
    weight = 1.0 / table.spine.groupby(["lead_id", month])["lead_id"].transform("size").to_numpy(np.float64)
    accounts = table.spine["account_key"].to_numpy(object)
    return TrainingRows(table.values, labels, weight, accounts, table.spine["as_of"].to_numpy("datetime64[us]"))


def split_training(project: Project, rows: TrainingRows) -> Split:
    """Takes a project and matured rows; returns which of them train and which are held out: later, and of other accounts."""
    config = project.config.split
    # Where every account has one row, time alone keeps them apart, and holding accounts back would only cost rows.
    by_account = config.by_account and len(set(rows.accounts)) < len(rows.accounts)
    spec = SplitSpec(config.test_start, config.test_share, by_account, config.account_share, config.embargo_days)
    return split_rows(rows.as_of, rows.accounts, project.config.horizon.to_horizon() if project.config.timed else None, spec)


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


def one_per_month(table: SignalTable, part: Any) -> Any:
    """Takes a signal table and a mask of its rows; returns the place of each lead's first row in every month.

    More would repeat the same lead's outcome.
    """
    chosen = table.spine.loc[part, ["lead_id", "as_of"]]
    first = ~pd.DataFrame({"lead": chosen["lead_id"], "month": chosen["as_of"].dt.to_period("M")}).duplicated()
    return np.flatnonzero(part)[first.to_numpy()]


def _compare(project: Project, candidates: dict[str, Candidate], used: str, test: TrainingRows, training: TrainingRows) -> Comparison:
    """The scorer in use (where that is the card, the best learned one) against the card, with all others and the floors beside them."""
    scores = {n: CandidateScores(m := c.scorer.raw_score(test.signals), c.calibrator.transform(m)) for n, c in candidates.items()}
    if "events_30d" in test.signals:
        scores["activity"] = CandidateScores(test.signals["events_30d"].to_numpy(np.float64), None)
    rate = float(np.average(training.labels, weights=training.weight))
    scores["base rate"] = CandidateScores(np.zeros(len(test.labels)), np.full(len(test.labels), rate))
    learned = {name: float(c.unseen_losses.sum()) for name, c in candidates.items() if name != "rules"}
    challenger = used if used in learned else min(learned, key=lambda name: learned[name])
    reference = "rules" if "rules" in candidates else next((name for name in candidates if name != challenger), "base rate")
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


def _pool_ratios(used: Candidate, test: TrainingRows, segments: Any) -> tuple[PooledRatios, ...]:
    """Wins against promises of the scorer in use on the held-out leads, by month and by segment, where there are several."""
    probability = used.calibrator.transform(used.scorer.raw_score(test.signals))
    kinds = {"month": test.as_of.astype("datetime64[M]").astype(str), "segment": segments}
    return tuple(pool_ratios(by, x, test.labels, probability, test.accounts) for by, x in kinds.items() if len(set(x)) > 1)


def _reliability(candidates: dict[str, Candidate], test: TrainingRows) -> dict[str, ReliabilityTable]:
    return {
        name: reliability_table(test.labels, c.calibrator.transform(c.scorer.raw_score(test.signals))) for name, c in candidates.items()
    }
