"""Below which ranking a model has to be trained again: the backtest's lower end where there is one of this model, else the training's."""

import json
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from projects import open_variant

from pls_ml.workflows.backtest_bound import FILE, describe_backtest, find_ranking_bound
from pls_ml.workflows.bundle import load_bundle

DAY = timedelta(days=1)


@pytest.fixture
def project(trained, tmp_path):
    return open_variant(trained, tmp_path)


def leave_backtest(project, data_end, low=0.6, names=("logistic", "lightgbm", "rules", "fitted_card", "repointed", "lightgbm_from_rules")):
    about = describe_backtest(project, SimpleNamespace(data_end=data_end))
    metrics = {name: {"roc_auc": {"value": 0.8, "low": low, "high": 0.9}} for name in names}
    (project.output / FILE).write_text(json.dumps({"about": about, "comparison": {"metrics": metrics}}), encoding="utf-8")


def read_end(project):
    return datetime.fromisoformat(load_bundle(project).facts["data_end"])


def find(project):
    return find_ranking_bound(project, load_bundle(project))


def test_the_backtest_of_the_same_settings_gives_the_bound(project):
    leave_backtest(project, read_end(project))

    assert vars(find(project)) == {"value": 0.6, "source": "the backtest", "why": None}


def test_without_a_backtest_it_is_the_trainings_and_says_how_to_get_one(project):
    bundle = load_bundle(project)

    found = find(project)

    assert found.value == bundle.facts["comparison"]["metrics"][bundle.used]["roc_auc"]["low"]
    assert found.source == "training"
    assert found.why == f"there is no {project.output / FILE}: `pls-ml backtest` makes it"


def test_a_backtest_of_another_horizon_does_not_count(project, trained, tmp_path):
    other = open_variant(trained, tmp_path, {"horizon": {"horizon_days": 30}})
    leave_backtest(other, read_end(project))

    assert "is of other settings than model m-" in find(project).why


def test_a_backtest_that_knows_what_is_to_be_judged_does_not_count(project):
    leave_backtest(project, read_end(project) + DAY)

    assert "knows outcomes that matured after model m-" in find(project).why


def test_a_scorer_that_was_not_in_every_fold_has_the_trainings_bound(project):
    leave_backtest(project, read_end(project), names=("base rate",))

    assert "could not be fitted in every fold of" in find(project).why


@pytest.mark.parametrize(("text", "why"), [("{", "is no JSON: run `pls-ml backtest` again"), ("{}", "is of other settings")])
def test_a_file_that_is_broken_or_older_does_not_count(project, text, why):
    (project.output / FILE).write_text(text, encoding="utf-8")

    assert why in find(project).why
