"""The leak audit before every training: every test on its own, all findings at once, and what somebody has vouched for."""

from __future__ import annotations

import numpy as np

from pls_ml.core.measures import Attribute
from pls_ml.evaluation.leak_fills import find_filled_for_winners
from pls_ml.evaluation.leak_models import WINNERS_FOR_GAP, find_model_too_good, find_random_gap, measure_quick_model
from pls_ml.evaluation.leak_rows import find_copies, find_order, rank_ids
from pls_ml.evaluation.leak_strength import (
    find_strong_constants,
    find_strong_signals,
    find_telling_gaps,
    measure_missingness,
    measure_strengths,
)
from pls_ml.evaluation.leak_times import WINNERS_TO_PAIR, count_winners, find_power_changes, pair_with_earlier
from pls_ml.evaluation.leaks import DUPLICATES, ID_ORDER, MIN_WINNERS, ROW_ORDER, AuditRows, Finding, LeakAudit, raise_if_leaking
from pls_ml.evaluation.rolling import RollingFold
from pls_ml.evaluation.splits import Split
from pls_ml.labels.fills import LATE_SHARE, find_late_fills
from pls_ml.labels.twins import TWIN_SHARE, find_outcome_twins
from pls_ml.workflows.candidates import TrainingRows
from pls_ml.workflows.data import LoadedData
from pls_ml.workflows.inputs import find_dated_tables
from pls_ml.workflows.project import Project
from pls_ml.workflows.signals import SignalTable


def audit_training(project: Project, data: LoadedData, table: SignalTable, rows: TrainingRows, split: Split | RollingFold) -> LeakAudit:
    """Takes a project, its data, the signals of all matured rows and their split, or one fold; returns the leak audit.

    Refuses what gives the outcome away with `LeakageError`, all of it at once, unless `model.acknowledge_leaks` lists it.
    """
    audit = find_leaks(project, data, table, rows, split)
    raise_if_leaking(audit)
    return audit


def find_leaks(project: Project, data: LoadedData, table: SignalTable, rows: TrainingRows, split: Split | RollingFold) -> LeakAudit:
    """Takes what `audit_training` takes; returns the leak audit, whatever it found.

    What is fitted keeps to the training rows; the rest is measured on all matured rows, where an honest signal is less likely to look too
    good by chance. What is vouched for takes no part in the pattern of gaps, nor what is found in the model: they judge the rest.
    """
    given = _gather(project, table, rows, split)
    vouched = _spell_out(project, table)
    rest = given.without(vouched)
    strengths = measure_strengths(given.signals, given.labels, given.accounts)
    missingness = measure_missingness(rest.signals[rest.train], rest.labels[rest.train], rest.accounts[rest.train])
    later, not_judged = _find_power_changes(project, given)
    few = given.count_winners() < MIN_WINNERS
    findings = [
        *_find_twins(project, data),
        *_find_late_fills(project, data, table),
        *(() if few else find_strong_signals(strengths)),
        *(() if few else find_strong_constants(given)),
        *find_filled_for_winners(given),
        *later,
        *(() if few else find_telling_gaps(missingness)),
        *find_copies(given, DUPLICATES),
        *find_order(given, rank_ids(given.leads), ID_ORDER, "the order of the lead ids"),
        *find_order(given, _rank_rows(project, data, given), ROW_ORDER, "the order of the rows of `users`"),
    ]
    model = measure_quick_model(rest.without(found.name for found in findings))
    findings += [*find_random_gap(model), *find_model_too_good(model)]
    if few:
        not_judged |= {"strength": f"{given.count_winners()} win, expected at least {MIN_WINNERS}"}
    if np.isnan(model.temporal):
        not_judged |= {"model": "no fold forward in time holds both outcomes"}
    elif model.winners < WINNERS_FOR_GAP:
        not_judged |= {"random gap": f"{model.winners} win in the training rows, expected at least {WINNERS_FOR_GAP}"}
    return LeakAudit(strengths, missingness, tuple(findings), vouched, not_judged)


def _gather(project: Project, table: SignalTable, rows: TrainingRows, split: Split | RollingFold) -> AuditRows:
    leads = table.spine["lead_id"].to_numpy(object)
    units = rows.accounts if project.config.outcome.level == "account" else leads
    labels = rows.labels.astype(np.float64)
    return AuditRows(rows.signals, labels, leads, rows.accounts, units, rows.as_of, split.train, split.test)


def _spell_out(project: Project, table: SignalTable) -> tuple[str, ...]:
    """What is vouched for, a signal's id for all of its columns."""
    named = project.config.model.acknowledge_leaks
    columns = [column.name for column in table.catalogue if column.signal.id in named]
    return tuple(dict.fromkeys((*named, *columns)))


def _find_twins(project: Project, data: LoadedData) -> list[Finding]:
    twins = find_outcome_twins(data.database, project.config.outcome.level)
    step = "list it under `data.events.exclude`"
    return [Finding("twin", twin.event, twin.share, TWIN_SHARE, twin.sentence, step) for twin in twins]


def _find_late_fills(project: Project, data: LoadedData, table: SignalTable) -> list[Finding]:
    """The signals that read a column with history, where it was filled in when the deal was open."""
    dated = find_dated_tables(data.database)
    measures = {column.signal.id: column.signal.measure for column in table.catalogue}
    readers = {(m.table, m.column): name for name, m in measures.items() if isinstance(m, Attribute) and m.table in dated}
    late = find_late_fills(data.database, project.config.outcome.level, readers)
    named = {f"{table}.{column}": name for (table, column), name in readers.items()}
    return [
        Finding("fill time", named[fill.column], fill.share, LATE_SHARE, f"signal '{named[fill.column]}' reads {fill.sentence}")
        for fill in late
    ]


def _find_power_changes(project: Project, given: AuditRows) -> tuple[list[Finding], dict[str, str]]:
    if not project.config.timed:
        return [], {"power collapse": "leads of a prepared table have no time to go back in"}
    now, before = pair_with_earlier(given, project.config.horizon.to_horizon())
    winners = count_winners(given, now)
    if winners < WINNERS_TO_PAIR:
        return [], {"power collapse": f"{winners} winners have a row one horizon earlier, expected at least {WINNERS_TO_PAIR}"}
    return find_power_changes(given, now, before), {}


def _rank_rows(project: Project, data: LoadedData, given: AuditRows) -> np.ndarray:
    key = "account_id" if project.config.unit == "account" else "user_id"
    places = dict(data.database.rows(f"SELECT {key}, min(rowid) FROM users WHERE {key} IS NOT NULL GROUP BY 1"))
    return np.array([places.get(lead, 0) for lead in given.leads], np.float64)
