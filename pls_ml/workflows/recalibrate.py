"""`pls-ml recalibrate`: outcomes that matured since a model was made → its probabilities judged, and refitted where they are off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.calibration import MarginCalibrator, fit_band, fit_calibrator
from pls_ml.core.errors import ConfigError, DataError, ImmatureOutcomesError
from pls_ml.core.protocols import Floats
from pls_ml.evaluation.bootstrap import account_resamples
from pls_ml.evaluation.drift import measure_drifts
from pls_ml.evaluation.gates import Gate, judge_expected, judge_slope, replace_gates
from pls_ml.evaluation.measures import CandidateScores
from pls_ml.evaluation.splits import share_of_groups
from pls_ml.evaluation.upkeep import MAIN_SHARE, Action, SignalDrift, Upkeep, measure_upkeep, rank_by_month
from pls_ml.workflows.backtest_bound import RankingBound, find_ranking_bound
from pls_ml.workflows.bundle import Bundle, load_bundle, require_signals, save_bundle
from pls_ml.workflows.candidates import TrainingRows
from pls_ml.workflows.config import ModelConfig
from pls_ml.workflows.data import LoadedData, build_signals, load_data
from pls_ml.workflows.project import Project
from pls_ml.workflows.recalibration_report import RecalibrationReport
from pls_ml.workflows.signals import build_spine, keep_matured, read_signals
from pls_ml.workflows.tracking import track_recalibration
from pls_ml.workflows.training_checks import say_dominant
from pls_ml.workflows.training_rows import one_per_month, take_matured


@dataclass(frozen=True)
class NewOutcomes:
    """Rows matured since training, one per lead and month, and the same of those that matured since the last calibration."""

    rows: TrainingRows
    fresh: TrainingRows


def recalibrate(project: Project, version: str | None = None, track: bool = False) -> RecalibrationReport:
    """Takes a project, a model version (None: the champion, else the newest) and whether to track; returns what was found and done.

    Where the mean or the slope of the probabilities is off, a new version is saved, with the same scorers and new calibrators; the
    champion stays. Refuses a project without times, and data in which no outcome matured since the model was made.
    """
    bundle = load_bundle(project, version)
    project = bundle.apply(project)
    data = load_data(project, bundle.catalogue)
    require_signals(bundle, data)
    found = _load_new(project, bundle, data)
    bound = find_ranking_bound(project, bundle)
    with project.progress.step(f"judging {bundle.used} on {len(found.fresh.labels):,} newly matured leads"):
        upkeep = _judge(project, bundle, found, bound)
    action, reasons = upkeep.verdict
    report = RecalibrationReport(
        version=bundle.version,
        used=bundle.used,
        accounts=len(set(found.fresh.accounts)),
        first=str(found.fresh.as_of.min().astype("datetime64[D]")),
        last=str(found.fresh.as_of.max().astype("datetime64[D]")),
        upkeep=upkeep,
        action=action,
        reasons=reasons,
        new_version=None,
        calibrators={},
        notes=(*bound.say(), *say_dominant(found.fresh.accounts, "newly matured")),
        tracked=None,
    )
    if action in ("intercept", "slope"):
        report = _save(project, _refit(bundle, found.fresh, data, report, project.config.model), report)
    return track_recalibration(project, report, data.digests) if track else report


def _load_new(project: Project, bundle: Bundle, data: LoadedData) -> NewOutcomes:
    trained, calibrated, now = _read_ends(project, bundle, data)
    horizon = project.config.horizon.to_horizon()
    removed = build_spine(project, data, None)
    known = horizon.matured_until(trained)
    data.database.execute("DELETE FROM spine WHERE as_of <= ?", [known])
    _require_matured(project, bundle, data, (calibrated, now))
    keep_matured(project, data)
    build_signals(project, data, bundle.catalogue)
    table = read_signals(data, bundle.catalogue, removed)
    rows = take_matured(data, table)
    fresh = rows.as_of > np.datetime64(horizon.matured_until(calibrated), "us")
    return NewOutcomes(*(rows.take(one_per_month(table, part)) for part in (np.ones_like(fresh), fresh)))


def _read_ends(project: Project, bundle: Bundle, data: LoadedData) -> tuple[datetime, datetime, datetime]:
    """Where the data ended when the model was trained, where when it was last calibrated, and where they end now."""
    end = bundle.facts.get("data_end")
    if end is None or data.data_end is None or not project.config.timed:
        raise ConfigError(f"model {bundle.version} knows no times, so no outcome is newer than its training: train again on newer data")
    last = bundle.facts.get("recalibration", {}).get("data_end", end)
    return datetime.fromisoformat(end), datetime.fromisoformat(last), data.data_end


def _require_matured(project: Project, bundle: Bundle, data: LoadedData, ends: tuple[datetime, datetime]) -> None:
    """Refuses data without a newly matured outcome, and says when the next one matures."""
    end = ends[1]
    known, newest = map(project.config.horizon.to_horizon().matured_until, ends)
    first = data.database.rows("SELECT min(as_of) FROM spine WHERE as_of > ?", [known])[0][0]
    if first is not None and first <= newest:
        return
    then = f"those of {first:%Y-%m-%d} are complete on {first + (end - newest):%Y-%m-%d}" if first else "no lead was eligible since"
    raise ImmatureOutcomesError(
        f"no outcome has matured since model {bundle.version} was made: it knows those of leads up to {known:%Y-%m-%d}, {then}, "
        f"and the data end on {end:%Y-%m-%d}; wait, or add newer data"
    )


def _judge(project: Project, bundle: Bundle, found: NewOutcomes, bound: RankingBound) -> Upkeep:
    fresh = found.fresh
    raw = bundle.scorers[bundle.used].raw_score(fresh.signals)
    probability = bundle.calibrators[bundle.used].transform(raw)
    won, expected = int(fresh.labels.sum()), float(probability.sum())
    if won in (0, len(fresh.labels)):
        raise DataError(
            f"all {len(fresh.labels):,} newly matured leads have the same outcome ({won:,} won, {expected:,.1f} were promised): "
            "check that the outcomes are up to date, or wait for more of them"
        )
    model = project.config.model

    def draw() -> Iterator[Floats]:
        return account_resamples(fresh.accounts, model.resamples, model.seed)

    figures = measure_upkeep(fresh.labels, CandidateScores(raw, probability), draw())
    since_training = bundle.scorers[bundle.used].raw_score(found.rows.signals)
    windows = rank_by_month(found.rows.labels, since_training, found.rows.as_of.astype("datetime64[M]").astype(str))
    drifts = _find_drifts(bundle, fresh.signals, draw())
    return Upkeep(len(fresh.labels), won, expected, figures, windows, bound.value, drifts, bound.source)


def _find_drifts(bundle: Bundle, signals: pd.DataFrame, draws: Iterator[Floats]) -> tuple[SignalDrift, ...]:
    """The drift of every signal that carries much of the score; of its columns, the one that moved most."""
    _, shares = bundle.scorers[bundle.used].contributions(signals)
    owners = [bundle.catalogue.by_column[str(column)].signal.id for column in signals.columns]
    weight = pd.DataFrame(shares, columns=signals.columns).T.groupby(owners).sum().abs().sum(axis=1)
    weight = weight / weight.sum()  # NaN, and so above nothing, where the score is the same for all
    main = weight[weight > MAIN_SHARE].sort_values(ascending=False)
    columns = {column: owner for column, owner in zip(signals.columns, owners, strict=True) if owner in main.index}
    drifts = measure_drifts(bundle.facts["profile"], signals[list(columns)], draws)
    most = {owner: max((drifts[c] for c in columns if columns[c] == owner), key=lambda drift: drift.value) for owner in main.index}
    return tuple(SignalDrift(str(owner), float(main[owner]), drift) for owner, drift in most.items())


def _refit(bundle: Bundle, fresh: TrainingRows, data: LoadedData, report: RecalibrationReport, model: ModelConfig) -> Bundle:
    """The bundle with every scorer's calibrator and band from the newly matured rows, the facts of it, and its gates judged anew."""
    margins = {name: scorer.raw_score(fresh.signals) for name, scorer in bundle.scorers.items()}
    everybody = np.ones(len(fresh.labels), np.bool_)
    calibrators = {name: _recalibrate(bundle.calibrators[name], report.action, fresh, m, everybody) for name, m in margins.items()}
    bands = {name: fit_band(m, fresh.labels, groups=fresh.accounts) for name, m in margins.items()}
    facts = {
        "from": bundle.version,
        "action": report.action,
        "reasons": list(report.reasons),
        "data_end": data.data_end.isoformat() if data.data_end else None,
        "data": data.digests,
        "first": report.first,
        "last": report.last,
        "accounts": report.accounts,
        **report.upkeep.to_dict(),
    }
    gates = _judge_again(bundle, fresh, margins[bundle.used], report.action, model)
    found = bundle.facts | {"recalibration": facts, "gates": [gate.to_dict() for gate in gates]}
    return replace(bundle, version="", calibrators=calibrators, bands=bands, facts=found)


def _recalibrate(
    calibrator: MarginCalibrator, action: Action, fresh: TrainingRows, margins: Floats, part: npt.NDArray[np.bool_]
) -> MarginCalibrator:
    if action == "intercept":
        return calibrator.refit_intercept(margins[part], fresh.labels[part])
    return fit_calibrator(margins[part], fresh.labels[part], groups=fresh.accounts[part])


def _judge_again(bundle: Bundle, fresh: TrainingRows, margins: Floats, action: Action, model: ModelConfig) -> tuple[Gate, ...]:
    """The gates with the new calibrator's slope and observed/expected: each half of the accounts judged by a map fitted on the other."""
    first = share_of_groups(fresh.accounts, "recalibration") < 0.5
    probability = np.empty(len(margins))
    for part in (first, ~first):
        made = _recalibrate(bundle.calibrators[bundle.used], action, fresh, margins, ~part)
        probability[part] = made.transform(margins[part])
    draws = account_resamples(fresh.accounts, model.resamples, model.seed)
    found = measure_upkeep(fresh.labels, CandidateScores(margins, probability), draws)
    older = [Gate(**gate) for gate in bundle.facts["gates"]]
    return replace_gates(older, (judge_slope(found["slope"]), judge_expected(found["observed_expected"])))


def _save(project: Project, bundle: Bundle, report: RecalibrationReport) -> RecalibrationReport:
    version = save_bundle(project, bundle)
    return replace(report, new_version=version, calibrators={name: made.to_dict() for name, made in bundle.calibrators.items()})
