"""A search for the settings of trees on rolling folds, kept in a file so that it can go on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pls_ml.core.clock import read_stopwatch
from pls_ml.core.errors import ConfigError, MissingExtraError, WriteError
from pls_ml.core.records import TrialRecord
from pls_ml.scores.growth import Growth, TreeFold, TreeSettings, find_place, tree_counts

if TYPE_CHECKING:
    from optuna import Study, Trial

SPACE: dict[str, tuple[float, float]] = {
    "learning_rate": (0.02, 0.1),
    "num_leaves": (7, 63),
    "min_data_in_leaf": (20, 200),
    "lambda_l2": (1.0, 50.0),
    "bagging_fraction": (0.6, 1.0),
    "feature_fraction": (0.4, 1.0),
}
"""Where settings are searched: around METHOD's. What is counted or multiplied is searched by ratios, fractions by differences."""
FRACTIONS = ("bagging_fraction", "feature_fraction")
PATIENT_FOLDS = 3
"""No trial is given up before it has seen so many folds."""


@dataclass(frozen=True)
class Search:
    """What a search may cost and where it is kept: the file, the key of its rows and rules, the seed, and both limits.

    Trials of earlier runs with the same key count; minutes are those of this run.
    """

    file: Path
    key: str
    seed: int
    trials: int
    minutes: float


def search_settings(
    folds: Sequence[TreeFold],
    grow: Callable[[TreeFold, TreeSettings], Growth],
    first: TreeSettings,
    search: Search,
    now: Callable[[], float] = read_stopwatch,
) -> tuple[TrialRecord, ...]:
    """Takes folds, what grows trees on one, the settings to try first, the limits, and a stopwatch; returns all finished trials.

    None is finished where the minutes end before the first. Every trial is drawn from those before it and the seed alone, so that the same
    number of trials gives the same settings, interrupted or not. Refuses a file that cannot be written, or that holds no search.
    """
    end = now() + 60 * search.minutes
    with _quiet(), _named_failures(search.file):
        study = _open_study(search)
        while len(_finished(study)) < search.trials and now() < end:
            _try_settings(study, folds, grow, first, search.seed, lambda: now() >= end)
        return tuple(_record(place, trial) for place, trial in enumerate(_finished(study)))


def best_trial(trials: Sequence[TrialRecord]) -> TrialRecord:
    """Takes trials, the first of which was not given up; returns the one of the least loss, the earlier of equals."""
    return min((trial for trial in trials if not trial.pruned), key=lambda trial: trial.loss)


def _open_study(search: Search) -> Study:
    import optuna

    if set("?%") & set(str(search.file)):
        raise ConfigError(f"the search cannot be kept in {search.file}: '?' and '%' are read as address syntax; choose another `output`")
    search.file.parent.mkdir(parents=True, exist_ok=True)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=PATIENT_FOLDS)
    storage = f"sqlite:///{search.file.as_posix()}"
    study = optuna.create_study(storage=storage, study_name=search.key, pruner=pruner, direction="minimize", load_if_exists=True)
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)  # a run that was stopped left it
    return study


def _finished(study: Study) -> list[Any]:
    from optuna.trial import TrialState

    return list(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))


def _try_settings(
    study: Study,
    folds: Sequence[TreeFold],
    grow: Callable[[TreeFold, TreeSettings], Growth],
    first: TreeSettings,
    seed: int,
    is_over: Callable[[], bool],
) -> None:
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    done = len(_finished(study))
    study.sampler = TPESampler(seed=seed + done)  # a sampler's own state is not kept in the file
    if not done:
        study.enqueue_trial(first.model_dump())
    trial = study.ask()
    settings = _draw_settings(trial, first)
    growths: list[Growth] = []
    weight, loss = 0.0, 0.0
    for step, fold in enumerate(folds, start=1):
        growths.append(grow(fold, settings))
        weight += float(fold.weight.sum())
        place, total = find_place(growths, len(tree_counts(None)))
        loss = total / weight
        trial.report(loss - step, step)  # the pruner looks at a trial's least step: taking the step off makes that the last one
        if step < len(folds) and (trial.should_prune() or is_over()):
            break
    kept = {"settings": settings.model_dump(), "trees": tree_counts(None)[place], "folds": len(growths), "loss": loss}
    for name, value in kept.items():
        trial.set_user_attr(name, value)
    if len(growths) == len(folds):
        study.tell(trial, loss)
    else:
        study.tell(trial, state=TrialState.FAIL if is_over() else TrialState.PRUNED)


def _draw_settings(trial: Trial, first: TreeSettings) -> TreeSettings:
    """Settings within the space, which is widened to hold the first ones; few digits, so that they can be written down."""
    drawn: dict[str, float] = {}
    for name, start in first.model_dump().items():
        low, high = min(SPACE[name][0], start), max(SPACE[name][1], start)
        if isinstance(start, int):
            drawn[name] = trial.suggest_int(name, int(low), int(high), log=True)
        else:
            drawn[name] = float(f"{trial.suggest_float(name, low, high, log=name not in FRACTIONS and low > 0):.4g}")
    return TreeSettings.model_validate(drawn)


def _record(place: int, trial: Any) -> TrialRecord:
    kept = trial.user_attrs
    return TrialRecord(place + 1, kept["settings"], kept["loss"], kept["trees"], kept["folds"], trial.state.name == "PRUNED")


@contextmanager
def _quiet() -> Iterator[None]:
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise MissingExtraError("`model.tune` needs optuna, which is not installed: install it, or leave `tune` out") from error
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


@contextmanager
def _named_failures(file: Path) -> Iterator[None]:
    """A file that is damaged, of another version or not writable ends in a sentence."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (StorageInternalError, SQLAlchemyError, OSError) as error:
        reason = str(error.__cause__ or error).split("\n", maxsplit=1)[0]
        raise WriteError(
            f"cannot keep the search for settings in {file}: {reason}; free space, or move the file away to begin anew"
        ) from error
