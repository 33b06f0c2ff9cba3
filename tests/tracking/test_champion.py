"""Who carries the alias `champion`, and who may give it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from served import serve

from pls_ml.core.errors import BundleError
from pls_ml.core.records import RunRecord
from pls_ml.tracking import MlflowTracker


def carrying(tracker, alias, project="acme"):
    return {run.version for run in tracker.list_runs(project) if alias in run.aliases}


def champion(tracker, project="acme"):
    return next(iter(carrying(tracker, "champion", project)), None)


@pytest.fixture
def run(bundle):
    return RunRecord("acme", "train", "aaa111", {}, {}, {}, {}, bundle)


@pytest.fixture(scope="session")
def three_versions(empty_database, tmp_path_factory):
    """A database with three versions of one project, oldest first."""
    output = tmp_path_factory.mktemp("three")
    shutil.copy(empty_database, output)
    (output / "bundle").mkdir()
    (output / "bundle" / "manifest.json").write_text("{}")
    for version in ("aaa111", "bbb222", "ccc333"):
        MlflowTracker(None, output).log_run(RunRecord("acme", "train", version, {}, {}, {}, {}, serve(output / "bundle")))
    return output / "mlflow.db"


@pytest.fixture
def tracker(folder, three_versions):
    shutil.copy(three_versions, folder)
    return MlflowTracker(None, folder)


def test_logging_runs_sets_no_champion(tracker):
    assert champion(tracker) is None


def test_the_newest_version_is_the_champion_unless_another_is_named(tracker):
    assert tracker.set_champion(None) == "ccc333"
    assert champion(tracker) == "ccc333"


def test_a_named_version_becomes_the_champion(tracker):
    assert tracker.set_champion("bbb222") == "bbb222"
    assert champion(tracker) == "bbb222"


def test_the_champion_can_go_back_to_an_older_version(tracker):
    tracker.set_champion("ccc333")

    tracker.set_champion("aaa111")

    assert champion(tracker) == "aaa111"


def test_a_champion_stays_when_newer_runs_are_logged(tracker, run):
    tracker.set_champion("bbb222")

    tracker.log_run(replace(run, version="ddd444"))
    tracker.log_run(replace(run, version="aaa111", metrics={"auc": 0.9}))

    assert champion(tracker) == "bbb222"


def test_logging_an_old_bundle_again_does_not_make_it_the_newest(tracker, run):
    tracker.log_run(replace(run, version="aaa111", metrics={"auc": 0.9}))

    assert tracker.set_champion(None) == "ccc333"


def test_the_newest_of_more_than_nine_versions_goes_by_number(folder, run):
    tracker = MlflowTracker(None, folder)
    for number in range(1, 12):
        tracker.log_run(replace(run, version=f"v{number}"))

    assert tracker.set_champion(None) == "v11"


def test_an_unknown_version_is_refused_with_the_nearest_and_what_exists(tracker):
    with pytest.raises(
        BundleError, match=r"'bbb223' is unknown \(did you mean 'bbb222'\?\).*logged are ccc333, bbb222, aaa111; promote one"
    ):
        tracker.set_champion("bbb223")

    assert champion(tracker) is None


def test_without_any_run_there_is_no_champion_to_set_and_no_database_appears(tmp_path):
    tracker = MlflowTracker(None, tmp_path / "out")

    assert champion(tracker) is None
    with pytest.raises(BundleError, match=r"no model version is logged .*run `pls-ml train` first"):
        tracker.set_champion(None)
    assert not (tmp_path / "out").exists()


def test_in_an_empty_database_there_is_no_newest_version(folder):
    with pytest.raises(BundleError, match=r"there is no newest model version .*none is logged yet; run `pls-ml train` first"):
        MlflowTracker(None, folder).set_champion(None)


def test_the_newest_of_several_projects_is_not_guessed(tracker, run):
    tracker.log_run(replace(run, project="beta", version="zzz999"))

    with pytest.raises(BundleError, match=r"several projects \(acme, beta\)"):
        tracker.set_champion(None)
    assert tracker.set_champion("zzz999") == "zzz999"


def test_a_tracker_of_one_project_sees_its_own_versions_only(tracker, run, folder):
    tracker.log_run(replace(run, project="beta", version="zzz999"))

    assert MlflowTracker(None, folder, "acme").set_champion(None) == "ccc333"
    assert champion(MlflowTracker(None, folder), "beta") is None
    with pytest.raises(BundleError, match="'zzz999' is unknown"):
        MlflowTracker(None, folder, "acme").set_champion("zzz999")


def test_models_of_other_tools_in_the_same_registry_are_left_alone(tracker, folder):
    from mlflow import MlflowClient

    uri = f"sqlite:///{folder}/mlflow.db"
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.create_registered_model("other")
    client.create_model_version("other", source="file:///elsewhere")

    assert tracker.set_champion(None) == "ccc333"
    assert client.get_registered_model("other").aliases == {}


def test_the_alias_leads_to_the_files_of_the_bundle(run, folder, bundle):
    from mlflow import MlflowClient

    tracker = MlflowTracker(None, folder)
    tracker.log_run(run)
    tracker.set_champion("aaa111")

    uri = f"sqlite:///{folder}/mlflow.db"
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    found = client.get_model_version_by_alias("acme", "champion")
    content = client.download_artifacts(found.run_id, "model/artifacts/bundle/manifest.json")
    assert Path(content).read_bytes() == (bundle.folder / "manifest.json").read_bytes()


def test_the_challenger_is_the_newest_version_that_is_not_the_champion(tracker, run):
    assert carrying(tracker, "challenger") == {"ccc333"}

    tracker.set_champion("ccc333")
    assert carrying(tracker, "challenger") == {"bbb222"}

    tracker.log_run(replace(run, version="ddd444"))
    assert (carrying(tracker, "champion"), carrying(tracker, "challenger")) == ({"ccc333"}, {"ddd444"})


def test_the_only_version_is_the_challenger_until_it_is_the_champion(folder, run):
    tracker = MlflowTracker(None, folder)
    tracker.log_run(run)
    assert carrying(tracker, "challenger") == {"aaa111"}

    tracker.set_champion(None)

    assert (carrying(tracker, "champion"), carrying(tracker, "challenger")) == ({"aaa111"}, set())


def test_a_run_that_made_no_bundle_registers_none(tracker, run):
    tracker.log_run(replace(run, kind="promote", version="ddd444", bundle=None))

    assert carrying(tracker, "challenger") == {"ccc333"}
