"""`model.tune`: settings found on the training rows are those the trees use, and the report says how they were found."""

import json

import pytest
from test_lead_tables import draw_leads, open_leads

from pls_ml.core.errors import DataError
from pls_ml.scores.growth import TreeSettings
from pls_ml.workflows.bundle import load_bundle

TUNE = {"model": {"tune": {"trials": 3, "minutes": 60}}}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """A lead table, trained with three trials."""
    project = open_leads(tmp_path_factory.mktemp("tuned"), draw_leads(), **TUNE)
    return project, project.train()


def test_the_best_settings_are_those_of_the_trees(tuned):
    project, report = tuned

    best = TreeSettings.model_validate(report.tuning.best.settings)

    assert load_bundle(project).scorers["lightgbm"].settings == best
    assert len(report.tuning.trials) == 3
    assert report.tuning.trials[0].settings == TreeSettings().model_dump()
    assert report.tuning.best.loss <= report.tuning.trials[0].loss
    assert report.tuning.best_so_far[-1] == report.tuning.best.loss


def test_the_report_holds_every_trial_and_says_the_best_one_in_a_line(tuned):
    _, report = tuned
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))["tuning"]

    assert [trial["number"] for trial in told["trials"]] == [1, 2, 3]
    assert set(told["best"]) == {"number", "settings", "loss", "trees", "folds", "pruned"}
    best = report.tuning.best
    assert f"3 settings tried, 0 of them given up early; best is trial {best.number} with {best.trees} trees: log loss" in report.to_text()
    assert f"  trees: {{learning_rate: {best.settings['learning_rate']:g}, " in report.to_text()


def test_the_model_report_of_a_lead_table_shows_the_search(tuned):
    project, training = tuned

    report = project.report_model()

    page = report.path.read_text(encoding="utf-8")
    assert report.displays["tuning"].trials == training.tuning.trials
    assert f"Best of 3 settings of the trees: trial {training.tuning.best.number}" in page
    assert "no times" in page


def test_settings_written_into_the_project_give_the_same_trees_without_a_search(tuned, tmp_path):
    project, report = tuned

    again = open_leads(tmp_path, draw_leads(), model={"trees": report.tuning.best.settings})
    other = again.train()

    assert other.tuning is None
    assert load_bundle(again).scorers["lightgbm"].to_dict() == load_bundle(project).scorers["lightgbm"].to_dict()
    assert other.comparison.to_dict() == report.comparison.to_dict()


def test_training_again_goes_on_with_the_same_search_and_changed_rows_begin_another(tuned, tmp_path):
    project, report = tuned
    kept = project.output / "tuning.db"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "tuning.db").write_bytes(kept.read_bytes())

    same = open_leads(tmp_path, draw_leads(), **TUNE).train()
    changed = open_leads(tmp_path, draw_leads().assign(visits=lambda x: x["visits"] + 1), **TUNE).train()

    assert same.tuning == report.tuning
    assert (same.version, changed.version != same.version) == (report.version, True)
    assert count_studies(kept) == 1
    assert count_studies(tmp_path / "out" / "tuning.db") == 2


def test_a_search_sees_training_rows_only(tuned, tmp_path):
    _, report = tuned
    leads = draw_leads()
    held_out = leads["lead_number"] >= leads["lead_number"].quantile(0.75)

    other = open_leads(tmp_path, leads.assign(converted=leads["converted"].where(~held_out, 1 - leads["converted"])), **TUNE).train()

    assert other.tuning == report.tuning
    assert other.comparison.to_dict() != report.comparison.to_dict()


@pytest.mark.parametrize("leads", [draw_leads(3000, intercept=-6.0), draw_leads(1100)], ids=["few wins", "few rows"])
def test_too_few_rows_or_wins_skip_the_search_with_a_note(tmp_path, leads):
    report = open_leads(tmp_path, leads, **TUNE).train()

    assert report.tuning is None
    assert report.notes[0].startswith("tuning was skipped: ")
    assert report.notes[0].endswith("expected at least 900 and 100")
    assert not (tmp_path / "out" / "tuning.db").exists()


def test_a_time_too_short_for_one_trial_leaves_the_settings_as_configured(tmp_path):
    project = open_leads(tmp_path, draw_leads(), model={"tune": {"minutes": 1e-6}})

    report = project.train()

    assert report.tuning is None
    assert report.notes[0] == "tuning found nothing: 1e-06 minutes were over before the first settings were tried on every fold"
    assert load_bundle(project).scorers["lightgbm"].settings == TreeSettings()


def test_one_class_is_refused_with_or_without_a_search(tmp_path):
    with pytest.raises(DataError, match="no closed-won outcome was found by `outcome`"):
        open_leads(tmp_path, draw_leads().assign(converted=0), **TUNE).train()


def test_signals_without_a_split_keep_the_configured_settings(tmp_path):
    one = draw_leads()["lead_number"] == 0  # too few for a leaf, enough not to be refused as constant
    leads = draw_leads().assign(visits=1.0, minutes=2.0, noise=one.astype(float), source="search")

    report = open_leads(tmp_path, leads, **TUNE).train()

    assert report.tuning.best.number == 1
    assert report.tuning.best.settings == TreeSettings().model_dump()


def test_a_tracked_search_is_a_picture_and_a_run_for_every_trial(tuned, tmp_path):
    from mlflow import MlflowClient

    project = open_leads(tmp_path, draw_leads(), tracking={"kind": "mlflow"}, **TUNE)

    project.train(track=True)

    client = MlflowClient(tracking_uri=f"sqlite:///{project.output}/mlflow.db")
    runs = client.search_runs([client.get_experiment_by_name("leads").experiment_id])
    (parent,) = (run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    assert sorted(run.info.run_name for run in runs if run is not parent) == ["trial-1", "trial-2", "trial-3"]
    assert "tuning.png" in {file.path for file in client.list_artifacts(parent.info.run_id)}


def count_studies(file):
    import optuna

    return len(optuna.get_all_study_names(f"sqlite:///{file}"))
