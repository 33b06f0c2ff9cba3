"""MLflow: one experiment and one registered model per project, runs of every kind, and the champion as an alias."""

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pls_ml.core.clock import read_clock
from pls_ml.core.errors import BundleError, ConfigError
from pls_ml.core.records import Logged, LoggedRun, RunRecord
from pls_ml.tracking.addresses import Address, redact, resolve_address
from pls_ml.tracking.contents import REPORT, check_run, digest_run, write_artifacts
from pls_ml.tracking.models import FOLDER, write_model
from pls_ml.tracking.registry import (
    VERSION_TAG,
    accept_existing,
    choose_version,
    find_or_create_version,
    list_versions,
    place_champion,
    read_aliases,
)
from pls_ml.tracking.session import connect

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

KIND_TAG = "kind"
DIGEST_TAG = "record_digest"
_PARENT_TAG = "mlflow.parentRunId"
_VALUES_PER_CALL = 100
_PAGE = 1000


class MlflowTracker:
    """Runs → MLflow, by default an SQLite file `mlflow.db` with `mlartifacts/` beside it in the output folder.

    The same bundle version is registered once: when it is logged again, a new run is kept only if anything else in its record
    changed, and the model version stays with the run that came first. The champion is only ever set by `set_champion`; the challenger
    is the newest other version.
    """

    kind: str = "mlflow"

    def __init__(self, uri: str | None, folder: Path, project: str | None = None) -> None:
        self._uri = uri
        self._folder = folder
        self._project = project

    def log_run(self, run: RunRecord) -> Logged:
        """Takes a run; writes it and, where it made a bundle, its model version; returns its id and a line that tells where to look.

        Refuses with `ConfigError` or `BundleError` a record that MLflow cannot hold, and as `session.connect` does.
        """
        check_run(run)
        address = resolve_address(self._uri, self._folder)
        with connect(address) as client:
            experiment_id = _find_or_create_experiment(client, run.project, address)
            run_id = _find_run(client, experiment_id, run) or _write_run(client, experiment_id, run)
            what = f"run '{_name_run(run)}' in experiment '{run.project}'"
            if run.bundle and run.version:
                source = f"{client.get_run(run_id).info.artifact_uri}/{FOLDER}"
                what += f", model version {find_or_create_version(client, run.project, run.version, run_id, source)}"
        return Logged(run_id, f"{what}: {address.describe_view(experiment_id, run_id)}")

    def set_champion(self, version: str | None) -> str:
        """Takes a bundle version (None: the newest one logged); gives it the alias `champion` and returns it.

        Refuses with `BundleError` one that was never logged, or a choice between several projects.
        """
        address = resolve_address(self._uri, self._folder)
        if address.is_missing:
            raise BundleError(f"no model version is logged in {address}; run `pls-ml train` first")
        with connect(address) as client:
            chosen = choose_version(list_versions(client, self._project), version, address)
            place_champion(client, chosen)
        return str(chosen.tags[VERSION_TAG])

    def list_runs(self, project: str) -> list[LoggedRun]:
        """Takes a project's name; returns its finished runs, the newest first; none where nothing was ever logged."""
        address = resolve_address(self._uri, self._folder)
        if address.is_missing:
            return []
        with connect(address) as client:
            experiment = client.get_experiment_by_name(project)
            if experiment is None:
                return []
            aliases = read_aliases(client, project)
            return [_read_run(run, aliases) for run in _find_finished(client, _check_active(experiment, address))]

    def read_report(self, run_id: str) -> dict[str, Any]:
        """Takes a run's id; returns its report as plain values."""
        with connect(resolve_address(self._uri, self._folder)) as client, TemporaryDirectory() as folder:
            path = client.download_artifacts(run_id, REPORT, folder)
            report: dict[str, Any] = json.loads(Path(path).read_bytes())
        return report


def _find_or_create_experiment(client: "MlflowClient", name: str, address: Address) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        with accept_existing():
            return str(client.create_experiment(name, artifact_location=address.artifacts))
        found = client.get_experiment_by_name(name)
    return _check_active(found, address)


def _check_active(experiment: "Experiment", address: Address) -> str:
    if experiment.lifecycle_stage != "active":
        raise ConfigError(
            f"experiment '{experiment.name}' was deleted in {address}; "
            f"restore it with `mlflow experiments restore --experiment-id {experiment.experiment_id}`, or rename the project"
        )
    return str(experiment.experiment_id)


def _find_run(client: "MlflowClient", experiment_id: str, run: RunRecord) -> str | None:
    """Takes a record; returns the finished run that holds the same one, if any."""
    same = f"tags.{DIGEST_TAG} = '{digest_run(run)}' and attributes.status = 'FINISHED'"
    found = client.search_runs([experiment_id], same, max_results=1)
    return str(found[0].info.run_id) if found else None


def _find_finished(client: "MlflowClient", experiment_id: str) -> list["Run"]:
    """Takes an experiment; returns the runs in it that this package wrote and finished, the newest first."""
    ours = f"attributes.status = 'FINISHED' and tags.{DIGEST_TAG} != ''"
    found: list[Run] = []
    token = None
    while True:
        page = client.search_runs([experiment_id], ours, max_results=_PAGE, order_by=["attributes.start_time DESC"], page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def _write_run(client: "MlflowClient", experiment_id: str, run: RunRecord) -> str:
    """Takes a record; returns the id of its new run, which ends as FAILED when a part of it could not be written."""
    nested = {_PARENT_TAG: run.parent} if run.parent else {}
    run_id = str(client.create_run(experiment_id, run_name=_name_run(run), tags=nested).info.run_id)
    try:
        _write_values(client, run_id, run)
        with TemporaryDirectory() as folder:
            written = write_artifacts(run.artifacts, Path(folder))
            if run.bundle:
                write_model(run.bundle, Path(folder) / FOLDER)
            if written or run.bundle:
                client.log_artifacts(run_id, folder)
        _write_trials(client, experiment_id, run_id, run)
    except BaseException:
        with contextlib.suppress(Exception):
            client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id)
    return run_id


def _write_values(client: "MlflowClient", run_id: str, run: RunRecord) -> None:
    from mlflow.entities import Metric, Param, RunTag

    moment = int(read_clock().timestamp() * 1000)
    own = {KIND_TAG: run.kind, DIGEST_TAG: digest_run(run)} | ({VERSION_TAG: run.version} if run.version else {})
    tags = [RunTag(name, redact(value)) for name, value in (run.tags | own).items()]
    parameters = [Param(name, redact(value)) for name, value in run.parameters.items()]
    metrics = [Metric(name, float(value), moment, 0) for name, value in run.metrics.items()]
    for start in range(0, max(len(tags), len(parameters), len(metrics)), _VALUES_PER_CALL):
        part = slice(start, start + _VALUES_PER_CALL)
        client.log_batch(run_id, metrics=metrics[part], params=parameters[part], tags=tags[part])


def _write_trials(client: "MlflowClient", experiment_id: str, run_id: str, run: RunRecord) -> None:
    """The settings a search tried, as runs nested below the training's."""
    from mlflow.entities import Metric, Param

    moment = int(read_clock().timestamp() * 1000)
    for trial in run.trials:
        tags = {_PARENT_TAG: run_id, KIND_TAG: "tune", "pruned": str(trial.pruned).lower()}
        child = str(client.create_run(experiment_id, run_name=f"trial-{trial.number}", tags=tags).info.run_id)
        figures = {"log_loss": trial.loss, "trees": trial.trees, "folds": trial.folds}
        metrics = [Metric(name, float(value), moment, 0) for name, value in figures.items()]
        client.log_batch(child, metrics=metrics, params=[Param(name, str(value)) for name, value in trial.settings.items()])
        client.set_terminated(child)


def _read_run(run: "Run", aliases: dict[str, list[str]]) -> LoggedRun:
    tags = {name: value for name, value in run.data.tags.items() if not name.startswith("mlflow.")}
    version = tags.get(VERSION_TAG)
    return LoggedRun(
        run_id=str(run.info.run_id),
        kind=tags[KIND_TAG],
        version=version,
        started=datetime.fromtimestamp(run.info.start_time / 1000, UTC),
        parent=run.data.tags.get(_PARENT_TAG),
        parameters=dict(run.data.params),
        metrics=dict(run.data.metrics),
        tags=tags,
        aliases=tuple(aliases.get(version or "", ())),
    )


def _name_run(run: RunRecord) -> str:
    return f"{run.kind}-{run.version[:12]}" if run.version else run.kind
