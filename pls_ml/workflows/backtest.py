"""`pls-ml backtest`: the whole pipeline, the choice of the scorer included, refitted and tested forward in time, fold by fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.errors import DataError
from pls_ml.core.files import write_json
from pls_ml.core.protocols import Floats
from pls_ml.evaluation.comparison import Comparison, ComparisonOptions, compare_candidates, explain_rule
from pls_ml.evaluation.contact import ContactBias, judge_contacts, weigh_contacts
from pls_ml.evaluation.measures import CandidateScores, Economics
from pls_ml.evaluation.rolling import RollingFold, RollingSpec, rolling_folds
from pls_ml.labels.touches import Contacts, find_contacts
from pls_ml.scores.card import Scorecard
from pls_ml.workflows.backtest_bound import FILE, describe_backtest
from pls_ml.workflows.backtest_report import BacktestReport, FoldResult, RandomGap
from pls_ml.workflows.backtest_rows import CHOSEN, ScoredRows, pool_rows, score_rows
from pls_ml.workflows.candidates import Candidate, TrainingRows, choose_candidate, fit_candidates
from pls_ml.workflows.data import LoadedData
from pls_ml.workflows.leak_audit import audit_training
from pls_ml.workflows.project import Project
from pls_ml.workflows.signals import SignalTable
from pls_ml.workflows.tracking import track_backtest
from pls_ml.workflows.train import CAPACITY
from pls_ml.workflows.training_checks import check_training, refuse_one_account
from pls_ml.workflows.training_rows import load_training_rows, one_per_month
from pls_ml.workflows.tuning import TuningReport, tune_trees

RANDOM_PARTS = 2


@dataclass(frozen=True, eq=False)
class FoldRun:
    """One fold as it went: what was chosen, what every candidate said about new and about known accounts, and what was left out."""

    fold: RollingFold
    training: int
    tuning: TuningReport | None
    chosen: str
    test: ScoredRows
    known: ScoredRows
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Where its test begins."""
        return str(self.test.periods[0])


@dataclass(frozen=True, eq=False)
class Fit:
    """One run of the whole pipeline: the search for settings, the candidates, the chosen one, and what was left out."""

    tuning: TuningReport | None
    candidates: dict[str, Candidate]
    chosen: str
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Bench:
    """What every fit and every comparison of a backtest shares; `fits` is how many there are, for they share the minutes of a search."""

    project: Project
    card: Scorecard | None
    catalogue: Catalogue
    rows: TrainingRows
    economics: Economics
    contacts: Contacts | None
    fits: int

    def fit(self, training: TrainingRows, title: str) -> Fit:
        """Takes training rows and what they are for; returns the whole pipeline's answer to them, the search for settings included."""
        config = self.project.config
        model, search, hints = tune_trees(self.project, training, self.catalogue, 1 / self.fits)
        with self.project.progress.step(f"{title}: fitting on {len(training.labels):,} rows"):
            candidates, notes = fit_candidates(training, self.card, self.catalogue, model, config.resources.threads)
            chosen = choose_candidate(candidates, training)
        said = (f"{search.summary}, which the trees were grown with",) if search else ()
        return Fit(search, candidates, chosen, (*hints, *said, *notes))

    def compare(self, scored: ScoredRows) -> Comparison | None:
        """Takes scored rows; returns the comparison of the choice with the card, all others beside them; None where rows tell nothing."""
        if not 0 < scored.labels.sum() < len(scored.labels) or len(set(scored.accounts)) < 2:
            return None
        return compare_candidates(scored.labels, scored.scores, scored.accounts, self.options(scored))

    def judge_contacts(self, scored: ScoredRows, found: Comparison) -> ContactBias | None:
        """Takes scored rows and their comparison; returns it with its brackets, where it is known whom sales contacted."""
        if self.contacts is None:
            return None
        contacted, assigned, treated, chance = (
            getattr(self.contacts, name)[scored.positions] for name in ("contacted", "assigned", "treated", "chance")
        )
        weights = weigh_contacts(contacted, assigned, treated, chance) if self.contacts.randomised else None

        def compare(rows: npt.NDArray[np.bool_], weight: Floats | None) -> Comparison | None:
            return self.compare(replace(scored, weight=weight).select(rows))

        return judge_contacts(found, contacted, weights, compare)

    def name_moment(self, moment: datetime) -> str:
        """Takes an `as_of` of the rows; returns it as a day, or as the place in the order of a prepared table, which has no days."""
        return f"{moment:%Y-%m-%d}" if self.project.config.timed else f"row {moment.timestamp():,.0f}"

    def options(self, scored: ScoredRows) -> ComparisonOptions:
        """Takes scored rows; returns how they are compared."""
        reference = next(name for name in ("rules", "activity", "base rate") if name in scored.scores)
        model = self.project.config.model
        wishes = (CAPACITY, reference, CHOSEN, model.resamples, model.seed, scored.periods)
        return ComparisonOptions(*wishes, self.rows.take(scored.positions).values, self.economics, scored.weight)


def backtest(project: Project, track: bool = False) -> BacktestReport:
    """Takes a project and whether to write the run to its tracker; returns how every candidate did, and saves it as `backtest.json`.

    Refuses data without a matured label, too short for the folds, or with a signal that knows the outcome.
    """
    card = project.card()
    data, table, rows, labels = load_training_rows(project)
    refuse_one_account(rows)
    doubts = check_training(rows, "matured")
    folds = place_folds(project, rows)
    with project.progress.step("looking for leaks"):
        audit_training(project, data, table, rows, folds[-1])
    fits = len(folds) + RANDOM_PARTS
    bench = Bench(project, card, table.catalogue, rows, _price(project, rows), _find_contacts(project, data), fits)
    runs, failed = _run_folds(bench, table, folds)
    test, known = pool_rows([run.test for run in runs]), pool_rows([run.known for run in runs])
    gaps = _check_random(bench, test)
    with project.progress.step("comparing on all folds"):
        pooled = bench.compare(test)
        if pooled is None:
            raise DataError(
                f"{int(test.labels.sum()):,} of {len(test.labels):,} tested rows are won: expected both outcomes; use longer data"
            )
        report = BacktestReport(
            rule=explain_rule(bench.options(test)),
            folds=tuple(_describe_fold(bench, run) for run in runs),
            pooled=pooled,
            known_accounts=bench.compare(known),
            random_gaps=gaps,
            contact=bench.judge_contacts(test, pooled),
            economics=bench.economics,
            labels=labels,
            about=describe_backtest(project, data),
            notes=(*table.notes, *doubts, *failed, *(note for run in runs for note in run.notes), *_warn(bench, runs, pooled)),
            path=project.output / FILE,
            tracked=None,
        )
    write_json(report.path, report.to_dict())
    return track_backtest(project, report, data.digests) if track else report


def place_folds(project: Project, rows: TrainingRows) -> tuple[RollingFold, ...]:
    """Takes a project and matured rows; returns the folds; refuses rows that reach over too short a time."""
    split, wishes = project.config.split, project.config.backtest
    # Where every account has one row, time alone keeps them apart.
    by_account = split.by_account and len(set(rows.accounts)) < len(rows.accounts)
    spec = RollingSpec(wishes.folds, wishes.first_share, by_account, split.account_share, split.embargo_days)
    return rolling_folds(rows.as_of, rows.accounts, project.config.horizon.to_horizon() if project.config.timed else None, spec)


def _find_contacts(project: Project, data: LoadedData) -> Contacts | None:
    config = project.config
    return find_contacts(data.database, config.horizon.to_horizon(), config.outcome.level, config.unit) if config.timed else None


def _price(project: Project, rows: TrainingRows) -> Economics:
    wishes = project.config.backtest
    cost = wishes.contact_cost or wishes.win_value * float(np.average(rows.labels, weights=rows.weight))
    return Economics(wishes.win_value, cost)


def _run_folds(bench: Bench, table: SignalTable, folds: tuple[RollingFold, ...]) -> tuple[list[FoldRun], list[str]]:
    runs, failed = [], []
    for number, fold in enumerate(folds, 1):
        start = bench.name_moment(fold.test_start)
        try:
            runs.append(_run_fold(bench, table, fold, f"fold {number} of {len(folds)}, which tests from {start}"))
        except DataError as error:
            failed.append(f"fold {number} (from {start}) was left out: {error}")
    if len(runs) < 2:
        raise DataError(f"{len(runs)} of {len(folds)} folds could be fitted: expected 2 or more; {'; '.join(failed)}")
    return runs, failed


def _run_fold(bench: Bench, table: SignalTable, fold: RollingFold, title: str) -> FoldRun:
    training = bench.rows.take(fold.train)
    fit = bench.fit(training, title)
    rate = float(np.average(training.labels, weights=training.weight))

    def score(part: npt.NDArray[np.bool_]) -> ScoredRows:
        positions = one_per_month(table, part)
        return score_rows(fit.candidates, fit.chosen, bench.rows.take(positions), (positions, np.full(len(positions), name)), rate)

    name = bench.name_moment(fold.test_start)
    notes = tuple(f"fold {name}: {note}" for note in fit.notes)
    return FoldRun(fold, len(training.labels), fit.tuning, fit.chosen, score(fold.test), score(fold.known & ~fold.test), notes)


def _describe_fold(bench: Bench, run: FoldRun) -> FoldResult:
    fold = run.fold
    counts = {"train": run.training, "test": len(run.test.labels), "known": len(run.known.labels)}
    trained, start, end = map(bench.name_moment, (fold.trained_until, fold.test_start, fold.tested_until))
    return FoldResult(trained, start, end, counts, int(run.test.labels.sum()), run.tuning, run.chosen, bench.compare(run.test))


def _check_random(bench: Bench, test: ScoredRows) -> dict[str, RandomGap]:
    """The same test rows, scored by fits on random rows of all times and accounts: what a random cross-validation would have shown."""
    part = np.random.default_rng(bench.project.config.model.seed).integers(0, RANDOM_PARTS, len(bench.rows.labels))
    scored = []
    for number in range(RANDOM_PARTS):
        fit = bench.fit(bench.rows.take(part == number), f"for comparison, random rows, part {number + 1} of {RANDOM_PARTS}")
        others = test.select(part[test.positions] != number)
        where = (others.positions, others.periods)
        scored.append(score_rows(fit.candidates, fit.chosen, bench.rows.take(others.positions), where, 0.5))
    # Ranked within the fold and the fit, as margins are; then both in the same order.
    mixed = pool_rows([rows.select(rows.periods == fold) for rows in scored for fold in set(rows.periods)])
    mixed, straight = (rows.select(np.argsort(rows.positions, kind="stable")) for rows in (mixed, test))
    names = [name for name in straight.scores if name in mixed.scores and name not in ("activity", "base rate", "random")]
    return {name: _measure_gap(bench, straight, mixed.scores[name], name) for name in names}


def _measure_gap(bench: Bench, test: ScoredRows, mixed: CandidateScores, name: str) -> RandomGap:
    sides = {"temporal": CandidateScores(test.scores[name].raw), "random": CandidateScores(mixed.raw)}
    model = bench.project.config.model
    options = ComparisonOptions(CAPACITY, "temporal", "random", model.resamples, model.seed)
    found = compare_candidates(test.labels, sides, test.accounts, options)
    return RandomGap(found.metrics["random"]["roc_auc"], found.metrics["temporal"]["roc_auc"], found.differences["roc_auc"])


def _warn(bench: Bench, runs: list[FoldRun], pooled: Comparison) -> list[str]:
    model = bench.project.config.model
    notes = list(bench.rows.won.say_missing()) if bench.rows.won else []
    everywhere = set(pooled.metrics)
    for name in dict.fromkeys(name for run in runs for name in run.test.scores):
        held = [run.name for run in runs if name in run.test.scores]
        if name not in everywhere:
            notes.append(
                f"{name} could be fitted in {len(held)} of {len(runs)} folds only: it is in those, not in the figures of all folds"
            )
    if len(runs) < 4:
        notes.append(
            f"{len(runs)} folds say little about other times: expected 4 or more; use longer data or a lower `backtest.first_share`"
        )
    if model.use != "best":
        notes.append(f"`model.use: {model.use}` overrides the choice when training; '{CHOSEN}' is what `best` would have taken")
    return notes
