"""What a run leaves in MLflow."""

import gc
import shlex
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from served import serve

from pls_ml.core.errors import BundleError, ConfigError, MissingExtraError, WriteError
from pls_ml.core.records import RunRecord, TrialRecord
from pls_ml.tracking import MlflowTracker

TAGS = {"config_digest": "c1", "data_digest": "d1"}
ARTIFACTS = {"report.json": b'{"auc": 0.8}\n', "plots/reliability.png": b"\x89PNG\r\n\x1a\n\x00"}


@pytest.fixture
def run(bundle):
    return RunRecord("acme", "train", "0a1b2c3d4e5f6a7b", {"seed": "7"}, {"auc": 0.8, "brier": 0.1}, TAGS, ARTIFACTS, bundle)


@pytest.fixture
def client(folder):
    from mlflow import MlflowClient

    uri = f"sqlite:///{folder}/mlflow.db"
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def list_runs(client, project="acme"):
    return client.search_runs([client.get_experiment_by_name(project).experiment_id])


def read_files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_holds_parameters_metrics_and_tags(folder, run, client):
    MlflowTracker(None, folder).log_run(run)

    (logged,) = list_runs(client)
    assert logged.data.params == {"seed": "7"}
    assert logged.data.metrics == {"auc": 0.8, "brier": 0.1}
    assert TAGS.items() <= logged.data.tags.items()
    assert (logged.data.tags["bundle_version"], logged.data.tags["kind"]) == (run.version, "train")
    assert (logged.info.status, logged.info.run_name) == ("FINISHED", "train-0a1b2c3d4e5f")


def test_settings_that_were_tried_are_runs_below_the_trainings_own(folder, run, client):
    trials = (TrialRecord(1, {"num_leaves": 15}, 0.2, 60, 9, False), TrialRecord(2, {"num_leaves": 7}, 0.3, 40, 3, True))

    MlflowTracker(None, folder).log_run(replace(run, trials=trials))
    MlflowTracker(None, folder).log_run(replace(run, trials=trials))

    by_name = {one.info.run_name: one for one in list_runs(client)}
    assert sorted(by_name) == ["train-0a1b2c3d4e5f", "trial-1", "trial-2"]
    parent = by_name["train-0a1b2c3d4e5f"].info.run_id
    first, second = by_name["trial-1"], by_name["trial-2"]
    assert {one.data.tags["mlflow.parentRunId"] for one in (first, second)} == {parent}
    assert (first.data.params, first.data.metrics) == ({"num_leaves": "15"}, {"log_loss": 0.2, "trees": 60, "folds": 9})
    assert (first.data.tags["pruned"], second.data.tags["pruned"]) == ("false", "true")
    assert {one.info.status for one in by_name.values()} == {"FINISHED"}


def test_a_run_holds_artifacts_and_the_bundle_byte_for_byte(folder, run, client, tmp_path):
    MlflowTracker(None, folder).log_run(run)

    (logged,) = list_runs(client)
    (tmp_path / "back").mkdir()
    client.download_artifacts(logged.info.run_id, "", str(tmp_path / "back"))
    found = read_files(tmp_path / "back")
    described = {f"model/{name}" for name in ("MLmodel", "served_model.py", "requirements.txt", "conda.yaml", "python_env.yaml")}
    assert {name: found[name] for name in found if name not in described} == ARTIFACTS | {
        f"model/artifacts/bundle/{name}": content for name, content in read_files(run.bundle.folder).items()
    }
    assert described <= set(found)
    assert found["model/requirements.txt"].splitlines()[-1] == b"pls-ml==0.1.0"


def test_artifacts_lie_beside_the_database(folder, run):
    MlflowTracker(None, folder).log_run(run)

    assert any(path.name == "manifest.json" for path in (folder / "mlartifacts").rglob("*"))


def test_the_model_version_is_named_after_the_project_and_points_at_the_bundle_of_its_run(folder, run, client):
    MlflowTracker(None, folder).log_run(run)

    (version,) = client.search_model_versions("name = 'acme'")
    (logged,) = list_runs(client)
    assert version.tags == {"bundle_version": run.version}
    assert (version.run_id, version.source) == (logged.info.run_id, f"{logged.info.artifact_uri}/model")


def test_more_values_than_one_call_of_mlflow_takes_are_all_logged(folder, run, client):
    many = {f"p{number}": str(number) for number in range(230)}

    MlflowTracker(None, folder).log_run(replace(run, parameters=many, metrics={name: float(value) for name, value in many.items()}))

    (logged,) = list_runs(client)
    assert logged.data.params == many
    assert len(logged.data.metrics) == 230


def test_the_line_names_the_run_the_version_and_the_command(folder, run):
    line = MlflowTracker(None, folder).log_run(run).line

    assert line.startswith("run 'train-0a1b2c3d4e5f' in experiment 'acme', model version 1: mlflow ui --backend-store-uri ")
    assert shlex.split(line.split(": ", 1)[1])[-1] == f"sqlite:///{folder}/mlflow.db"


def test_the_same_record_twice_is_one_run_and_one_model_version(folder, run, client):
    lines = {MlflowTracker(None, folder).log_run(run).line for _ in range(2)}

    assert len(lines) == len(list_runs(client)) == len(client.search_model_versions()) == 1


def test_the_same_bundle_measured_again_is_a_second_run_of_the_same_model_version(folder, run, client):
    tracker = MlflowTracker(None, folder)
    tracker.log_run(run)
    first = list_runs(client)[0].info.run_id

    tracker.log_run(replace(run, metrics={"auc": 0.81}))

    (version,) = client.search_model_versions()
    assert len(list_runs(client)) == 2
    assert version.run_id == first


@pytest.mark.parametrize(
    "change",
    [{"parameters": {"seed": "8"}}, {"tags": {"data_digest": "d2"}}, {"artifacts": {"report.json": b"{}"}}, {"kind": "recalibrate"}],
    ids=lambda change: next(iter(change)),
)
def test_a_record_that_says_anything_else_is_another_run(folder, run, client, change):
    tracker = MlflowTracker(None, folder)
    tracker.log_run(run)

    tracker.log_run(replace(run, **change))

    assert len(list_runs(client)) == 2


def test_another_bundle_is_another_model_version(folder, run, client):
    tracker = MlflowTracker(None, folder)

    lines = [tracker.log_run(replace(run, version=version)).line for version in ("v1", "v2")]

    assert ["model version 1" in lines[0], "model version 2" in lines[1]] == [True, True]
    assert {version.tags["bundle_version"] for version in client.search_model_versions()} == {"v1", "v2"}


def test_projects_in_one_folder_have_an_experiment_and_a_model_each(folder, run, client):
    tracker = MlflowTracker(None, folder)

    tracker.log_run(run)
    tracker.log_run(replace(run, project="beta"))

    assert [len(list_runs(client, project)) for project in ("acme", "beta")] == [1, 1]
    assert sorted(version.name for version in client.search_model_versions()) == ["acme", "beta"]


def test_a_model_of_that_name_without_versions_is_used(folder, run, client):
    client.create_registered_model("acme")

    assert "model version 1" in MlflowTracker(None, folder).log_run(run).line


def test_passwords_in_parameters_and_tags_are_not_logged(folder, run, client):
    secret = "postgresql://ann:s3cret@host/db"

    MlflowTracker(None, folder).log_run(replace(run, parameters={"source": secret}, tags={"source": secret}))

    (logged,) = list_runs(client)
    assert logged.data.params["source"] == logged.data.tags["source"] == "postgresql://***@host/db"
    assert b"s3cret" not in (folder / "mlflow.db").read_bytes()


def test_a_run_whose_artifacts_cannot_be_written_ends_as_failed_and_registers_nothing(folder, run, client):
    (folder / "mlartifacts").write_text("a file where the folder should be")

    with pytest.raises(WriteError, match="cannot write the run to sqlite:"):
        MlflowTracker(None, folder).log_run(run)

    assert [logged.info.status for logged in list_runs(client)] == ["FAILED"]
    assert client.search_model_versions() == []


def test_a_failed_run_is_logged_again_in_full(folder, run, client):
    (folder / "mlartifacts").write_text("a file where the folder should be")
    with pytest.raises(WriteError):
        MlflowTracker(None, folder).log_run(run)
    (folder / "mlartifacts").unlink()

    assert "model version 1" in MlflowTracker(None, folder).log_run(run).line
    assert sorted(logged.info.status for logged in list_runs(client)) == ["FAILED", "FINISHED"]


def test_a_file_in_place_of_the_output_folder_is_a_write_error(tmp_path, run):
    (tmp_path / "out").write_text("")

    with pytest.raises(WriteError, match=r"cannot write .*out.*choose another `output` folder") as caught:
        MlflowTracker(None, tmp_path / "out").log_run(run)

    assert caught.value.__suppress_context__


def test_a_folder_in_place_of_the_database_is_a_write_error_within_moments(tmp_path, run):
    (tmp_path / "mlflow.db").mkdir()

    with pytest.raises(WriteError, match="unable to open database file"):
        MlflowTracker(None, tmp_path).log_run(run)


def test_a_damaged_database_is_refused_with_its_address(tmp_path, run):
    (tmp_path / "mlflow.db").write_bytes(b"this is no database, only a file of that name" * 40)

    with pytest.raises(ConfigError, match=r"mlflow\.db failed: .*file is not a database"):
        MlflowTracker(None, tmp_path).log_run(run)


def test_a_database_of_another_mlflow_is_refused_with_the_way_out(folder, run):
    with sqlite3.connect(folder / "mlflow.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")

    with pytest.raises(ConfigError, match="mlflow db upgrade"):
        MlflowTracker(None, folder).log_run(run)


def test_an_error_inside_the_database_prints_no_traceback(folder, run, capfd):
    with sqlite3.connect(folder / "mlflow.db") as database:
        database.execute("ALTER TABLE params RENAME COLUMN value TO worth")

    with pytest.raises(WriteError, match="column"):
        MlflowTracker(None, folder).log_run(run)

    assert capfd.readouterr() == ("", "")


def test_a_deleted_experiment_is_refused_with_the_way_back(folder, run, client):
    MlflowTracker(None, folder).log_run(run)
    client.delete_experiment(client.get_experiment_by_name("acme").experiment_id)

    with pytest.raises(ConfigError, match=r"experiment 'acme' was deleted .*restore --experiment-id 1"):
        MlflowTracker(None, folder).log_run(run)


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../up.txt", "a/../../up.txt", "model/MLmodel", "model", "c:\\x", "a\\b"])
def test_an_artifact_that_leaves_the_run_or_enters_its_model_is_refused(folder, run, name):
    with pytest.raises(BundleError, match=r"name it like 'report\.json'"):
        MlflowTracker(None, folder).log_run(replace(run, artifacts={name: b""}))


@pytest.mark.parametrize("project", ["", "Acme", "a b", "a' OR name != 'a", "x" * 64])
def test_a_project_that_is_no_plain_name_is_refused(folder, run, project):
    with pytest.raises(ConfigError, match="rename the project"):
        MlflowTracker(None, folder).log_run(replace(run, project=project))


def test_a_kind_of_run_that_does_not_exist_is_refused_with_the_nearest(folder, run):
    with pytest.raises(ConfigError, match=r"'trian' is unknown \(did you mean 'train'\?\): expected one of train, backtest, tune"):
        MlflowTracker(None, folder).log_run(replace(run, kind="trian"))


def test_runs_are_listed_newest_first_with_all_they_say(folder, run):
    tracker = MlflowTracker(None, folder)
    first = tracker.log_run(run).run_id
    second = tracker.log_run(replace(run, kind="backtest", version=None, bundle=None)).run_id

    newest, oldest = tracker.list_runs("acme")

    assert (newest.run_id, newest.kind, newest.version, newest.aliases) == (second, "backtest", None, ())
    assert (oldest.run_id, oldest.kind, oldest.version, oldest.aliases) == (first, "train", run.version, ("challenger",))
    assert (oldest.parameters, oldest.metrics) == (run.parameters, run.metrics)
    assert TAGS.items() <= oldest.tags.items()
    assert oldest.started <= newest.started
    assert tracker.list_runs("beta") == []


def test_runs_of_a_database_that_is_not_there_are_none_and_it_does_not_appear(tmp_path):
    assert MlflowTracker(None, tmp_path / "out").list_runs("acme") == []
    assert not (tmp_path / "out").exists()


def test_runs_that_failed_or_that_others_wrote_are_not_listed(folder, run, client):
    tracker = MlflowTracker(None, folder)
    tracker.log_run(run)
    experiment = client.get_experiment_by_name("acme").experiment_id
    client.set_terminated(client.create_run(experiment).info.run_id)
    client.set_terminated(client.create_run(experiment, tags={"record_digest": "d", "kind": "train"}).info.run_id, "FAILED")

    assert [one.version for one in tracker.list_runs("acme")] == [run.version]


def test_a_part_of_a_run_is_nested_in_it(folder, run, client):
    tracker = MlflowTracker(None, folder)
    search = replace(run, kind="tune", version=None, bundle=None)
    parent = tracker.log_run(search).run_id

    trials = [tracker.log_run(replace(search, parent=parent, parameters={"leaves": leaves})).run_id for leaves in ("15", "31")]

    assert {one.run_id: one.parent for one in tracker.list_runs("acme")} == {parent: None} | dict.fromkeys(trials, parent)
    assert client.get_run(trials[0]).data.tags["mlflow.parentRunId"] == parent


def test_the_report_of_a_run_comes_back_as_it_was(folder, run):
    tracker = MlflowTracker(None, folder)
    run_id = tracker.log_run(run).run_id

    assert tracker.read_report(run_id) == {"auc": 0.8}


def test_a_missing_or_empty_bundle_is_refused(folder, run, tmp_path):
    (tmp_path / "empty").mkdir()

    for path in (tmp_path / "nowhere", tmp_path / "empty"):
        with pytest.raises(BundleError, match="is missing or empty"):
            MlflowTracker(None, folder).log_run(replace(run, bundle=serve(path)))


def test_a_run_without_a_version_is_refused(folder, run):
    with pytest.raises(BundleError, match="no bundle version"):
        MlflowTracker(None, folder).log_run(replace(run, version=None))


def test_a_missing_database_driver_is_named_without_the_password(tmp_path, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymysql", None)

    with pytest.raises(MissingExtraError, match=r"needs a database driver \(.*pymysql") as caught:
        MlflowTracker("mysql+pymysql://ann:s3cret@localhost/db", tmp_path).log_run(run)

    assert "s3cret" not in str(caught.value)


def test_a_new_database_waits_for_the_disk_again_once_it_is_made(tmp_path, run):
    MlflowTracker(None, tmp_path / "out").log_run(run)

    held = [thing for thing in gc.get_objects() if isinstance(thing, sqlite3.Connection)]
    modes = [mode for mode in map(read_synchronous, held) if mode]
    assert (str(tmp_path / "out" / "mlflow.db"), 2) in modes
    assert all(mode == 2 for file, mode in modes if file.startswith(str(tmp_path)))


def read_synchronous(connection: sqlite3.Connection) -> tuple[str, int] | None:
    try:
        ((_, _, file), *_rest) = connection.execute("PRAGMA database_list").fetchall()
        return file, connection.execute("PRAGMA synchronous").fetchone()[0]
    except sqlite3.ProgrammingError:
        return None
