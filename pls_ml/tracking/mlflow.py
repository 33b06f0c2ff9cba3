"""MLflow: one experiment and one registered model per project, and the champion as an alias."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pls_ml.core.clock import read_clock
from pls_ml.core.errors import BundleError, ConfigError, suggest
from pls_ml.core.records import RunRecord
from pls_ml.tracking.addresses import Address, redact, resolve_address
from pls_ml.tracking.contents import check_run, digest_run, write_artifacts
from pls_ml.tracking.session import connect

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment
    from mlflow.entities.model_registry import ModelVersion

CHAMPION = "champion"
VERSION_TAG = "bundle_version"
DIGEST_TAG = "record_digest"
_VALUES_PER_CALL = 100
_PAGE = 1000


class MlflowTracker:
    """Runs → MLflow, by default an SQLite file `mlflow.db` with `mlartifacts/` beside it in the output folder.

    The same bundle version is registered once: when it is logged again, a new run is kept only if anything else in its record
    changed, and the model version stays with the run that came first. The champion is only ever set by `set_champion`.
    """

    kind: str = "mlflow"

    def __init__(self, uri: str | None, folder: Path, project: str | None = None) -> None:
        self._uri = uri
        self._folder = folder
        self._project = project

    def log_run(self, run: RunRecord) -> str:
        """Takes a run; writes it and its model version, and returns a line that tells a person where to look.

        Refuses with `ConfigError` or `BundleError` a record that MLflow cannot hold, and as `session.connect` does.
        """
        check_run(run)
        address = resolve_address(self._uri, self._folder)
        with connect(address) as client:
            experiment_id = _find_or_create_experiment(client, run.project, address)
            run_id = _find_run(client, experiment_id, run) or _write_run(client, experiment_id, run)
            number = _find_or_create_version(client, run, run_id)
        where = address.describe_view(experiment_id, run_id)
        return f"run '{_name_run(run)}' in experiment '{run.project}', model version {number}: {where}"

    def set_champion(self, version: str | None) -> str:
        """Takes a bundle version (None: the newest one logged); gives it the alias `champion` and returns it.

        Refuses with `BundleError` one that was never logged, or a choice between several projects.
        """
        address = resolve_address(self._uri, self._folder)
        if address.is_missing:
            raise BundleError(f"no model version is logged in {address}; run `pls-ml train` first")
        with connect(address) as client:
            chosen = _choose(_list_versions(client, self._project), version, address)
            client.set_registered_model_alias(chosen.name, CHAMPION, chosen.version)
        return str(chosen.tags[VERSION_TAG])

    def champion(self) -> str | None:
        """Takes nothing; returns the bundle version with the alias `champion`, None when there is none.

        Refuses with `BundleError` a choice between several projects.
        """
        address = resolve_address(self._uri, self._folder)
        if address.is_missing:
            return None
        with connect(address) as client:
            champions = _find_champions(client, _list_versions(client, self._project))
        _check_one_project(champions, address)
        return str(champions[0].tags[VERSION_TAG]) if champions else None


def _find_or_create_experiment(client: "MlflowClient", name: str, address: Address) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        with _accept_existing():
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


def _write_run(client: "MlflowClient", experiment_id: str, run: RunRecord) -> str:
    """Takes a record; returns the id of its new run, which ends as FAILED when a part of it could not be written."""
    run_id = str(client.create_run(experiment_id, run_name=_name_run(run)).info.run_id)
    try:
        _write_values(client, run_id, run)
        with TemporaryDirectory() as folder:
            if write_artifacts(run.artifacts, Path(folder)):
                client.log_artifacts(run_id, folder)
        client.log_artifacts(run_id, str(run.bundle), "bundle")
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
    own = {VERSION_TAG: run.version, "kind": run.kind, DIGEST_TAG: digest_run(run)}
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
        tags = {"mlflow.parentRunId": run_id, "kind": "trial", "pruned": str(trial.pruned).lower()}
        child = str(client.create_run(experiment_id, run_name=f"trial-{trial.number}", tags=tags).info.run_id)
        figures = {"log_loss": trial.loss, "trees": trial.trees, "folds": trial.folds}
        metrics = [Metric(name, float(value), moment, 0) for name, value in figures.items()]
        client.log_batch(child, metrics=metrics, params=[Param(name, str(value)) for name, value in trial.settings.items()])
        client.set_terminated(child)


def _find_or_create_version(client: "MlflowClient", run: RunRecord, run_id: str) -> str:
    """Takes a record and its run; returns the number of the model version with that bundle, new or old."""
    known = _list_versions(client, run.project)
    for version in known:
        if version.tags[VERSION_TAG] == run.version:
            return str(version.version)
    if not known:
        with _accept_existing():
            client.create_registered_model(run.project)
    source = f"{client.get_run(run_id).info.artifact_uri}/bundle"
    return str(client.create_model_version(run.project, source, run_id, tags={VERSION_TAG: run.version}).version)


def _list_versions(client: "MlflowClient", project: str | None) -> list["ModelVersion"]:
    """Takes a project's name (None: all); returns the model versions logged by this package, oldest first."""
    wanted = f"name = '{project}'" if project else None
    found: list[ModelVersion] = []
    token = None
    while True:
        page = client.search_model_versions(wanted, max_results=_PAGE, page_token=token)
        found += [version for version in page if VERSION_TAG in version.tags]
        token = page.token
        if not token:
            return sorted(found, key=lambda version: (version.name, int(version.version)))


def _choose(versions: list["ModelVersion"], wanted: str | None, address: Address) -> "ModelVersion":
    matching = [version for version in versions if wanted in (None, version.tags[VERSION_TAG])]
    if not matching:
        known = [str(version.tags[VERSION_TAG]) for version in reversed(versions)]
        exists = f"logged are {', '.join(known[:5])}{', …' if len(known) > 5 else ''}" if known else "none is logged yet"
        advice = "promote one of these" if known else "run `pls-ml train` first"
        asked = f"model version '{wanted}' is unknown{suggest(wanted, known)}" if wanted else "there is no newest model version"
        raise BundleError(f"{asked} in {address}: {exists}; {advice}")
    _check_one_project(matching, address)
    return matching[-1]


def _check_one_project(versions: list["ModelVersion"], address: Address) -> None:
    names = sorted({str(version.name) for version in versions})
    if len(names) > 1:
        raise BundleError(f"{address} holds models of several projects ({', '.join(names)}); name the project")


def _find_champions(client: "MlflowClient", versions: list["ModelVersion"]) -> list["ModelVersion"]:
    """Takes model versions; returns those with the alias, which a search for versions does not tell."""
    names = {version.name for version in versions}
    numbers = {name: str(client.get_registered_model(name).aliases.get(CHAMPION)) for name in names}
    return [version for version in versions if str(version.version) == numbers[version.name]]


@contextlib.contextmanager
def _accept_existing() -> Iterator[None]:
    """Two trainings at once may both find nothing and both create it; the second uses the first one's."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _name_run(run: RunRecord) -> str:
    return f"{run.kind}-{run.version[:12]}"
