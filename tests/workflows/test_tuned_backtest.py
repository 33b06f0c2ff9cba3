"""`model.tune` within a backtest: every fold searches on its own training rows, in its share of the minutes, and goes on when run again."""

import json
from dataclasses import replace

import numpy as np
import pytest
from test_lead_tables import draw_leads, open_leads

from pls_ml.scores.boosted import MIN_ROWS
from pls_ml.scores.growth import TreeSettings
from pls_ml.workflows import tuning
from pls_ml.workflows.backtest import place_folds
from pls_ml.workflows.config import TuneConfig
from pls_ml.workflows.training_rows import load_training_rows
from pls_ml.workflows.tuning import tune_trees

WISHES = {"backtest": {"folds": 4, "first_share": 0.2}, "model": {"tune": {"trials": 2, "minutes": 60}}}


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    """A lead table, backtested with two trials per fold; the first folds have too few rows for trees."""
    project = open_leads(tmp_path_factory.mktemp("tuned-folds"), draw_leads(), **WISHES)
    return project, project.backtest()


def count_trials(file):
    import optuna

    names = optuna.get_all_study_names(f"sqlite:///{file}")
    return {name: len(optuna.load_study(study_name=name, storage=f"sqlite:///{file}").trials) for name in names}


def test_every_fold_with_rows_enough_searches_for_itself_and_says_so(tested):
    _, report = tested
    searched = [fold for fold in report.folds if fold.tuning]

    assert [fold.rows["train"] >= MIN_ROWS for fold in report.folds] == [fold.tuning is not None for fold in report.folds]
    assert 0 < len(searched) < 4
    for fold in searched:
        assert len(fold.tuning.trials) == 2
        assert fold.tuning.trials[0].settings == TreeSettings().model_dump()
        assert any(note.startswith(f"fold {fold.test_start}: 2 settings tried, ") for note in report.notes)
    assert f"fold {report.folds[0].test_start}: tuning was skipped: " in " ".join(report.notes)


def test_the_search_of_a_fold_is_in_the_saved_report(tested):
    _, report = tested

    stored = json.loads(report.path.read_text(encoding="utf-8"))["folds"]

    assert stored[0]["tuning"] is None
    assert [trial["number"] for trial in stored[-1]["tuning"]["trials"]] == [1, 2]


def test_a_fold_searches_on_the_rows_that_it_trains_on(tested):
    project, report = tested
    _, table, rows, _ = load_training_rows(project)
    last = place_folds(project, rows)[-1]
    training = rows.take(last.train)
    later = rows.take(~last.train)

    _, alone, _ = tune_trees(project, training, table.catalogue)

    assert alone == report.folds[-1].tuning  # found in the file under the key of these rows, so nothing is tried anew
    assert not np.isin(later.as_of, training.as_of).any()


def test_a_backtest_again_tries_nothing_more_and_finds_the_same(tested):
    project, report = tested
    before = count_trials(project.output / "tuning.db")

    again = project.backtest()

    assert count_trials(project.output / "tuning.db") == before
    assert set(before.values()) == {2}
    assert again.to_dict() == report.to_dict()


def test_the_minutes_are_shared_by_all_fits(tested, monkeypatch, tmp_path):
    project, _ = tested
    asked = []
    monkeypatch.setattr(tuning, "search_settings", lambda folds, grow, first, search: asked.append(search.minutes) or ())
    wished = project.config.model.model_copy(update={"tune": TuneConfig(trials=2, minutes=30)})

    report = replace(project, config=project.config.model_copy(update={"model": wished, "output": str(tmp_path)})).backtest()

    assert set(asked) == {30 / (4 + 2)}  # four folds, and two parts of random rows
    assert all(fold.tuning is None for fold in report.folds)
    assert any("tuning found nothing: 5 minutes were over before" in note for note in report.notes)
