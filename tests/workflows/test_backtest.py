"""What a backtest promises: every fold forward in time, the choice inside it, everybody on the same rows, and a rule from before."""

import json
from datetime import date, timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest
from projects import open_config, read_demo

from pls_ml.core.errors import DataError
from pls_ml.synthetic import WorldSpec, generate_world, write_world
from pls_ml.workflows.backtest import place_folds
from pls_ml.workflows.training_rows import load_training_rows

CANDIDATES = ["rules", "repointed", "fitted_card", "logistic"]
FLOORS = ["activity", "base rate", "random"]
CONTACTS = {"touches": {"path": "data/touches.parquet"}, "assignments": {"path": "data/assignments.parquet"}}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A small product whose sales contacts visible intent, and holds a third of it out."""
    folder = tmp_path_factory.mktemp("contacted")
    size = WorldSpec(accounts=450, days=330, seed=8, events_per_user_scale=0.3, conversion_intercept=-6.3)
    sales = {"contact_share": 0.08, "contact_effect": 2.0, "holdout_share": 0.3}
    write_world(generate_world(WorldSpec(**(vars(size) | sales))), folder / "data")
    config = read_demo(data=CONTACTS, horizon={"horizon_days": 60}, backtest={"folds": 4}, spine={"kind": "calendar", "every_days": 28})
    return open_config(config, folder)


@pytest.fixture(scope="module")
def report(project):
    return project.backtest()


def test_every_fold_trains_on_what_had_matured_and_tests_later(report):
    assert len(report.folds) == 4
    for fold in report.folds:
        assert date.fromisoformat(fold.trained_until) + timedelta(days=61) <= date.fromisoformat(fold.test_start)
        assert fold.test_start <= fold.tested_until
    starts = [fold.test_start for fold in report.folds]
    assert starts == sorted(set(starts))
    trained = [fold.rows["train"] for fold in report.folds]
    assert trained[-1] > trained[0]


def test_every_tested_label_had_matured_within_the_data(project):
    _, _, rows, _ = load_training_rows(project)
    data_end = np.datetime64("2024-01-01", "us") + np.timedelta64(330, "D")

    for fold in place_folds(project, rows):
        assert (rows.as_of[fold.test | fold.known] + np.timedelta64(61, "D") <= data_end).all()
        assert not set(rows.accounts[fold.train]) & set(rows.accounts[fold.test])


def test_all_candidates_the_choice_and_the_floors_stand_on_the_same_rows(report):
    assert list(report.pooled.metrics) == [*CANDIDATES, "chosen", *FLOORS]
    assert report.pooled.rows == sum(fold.rows["test"] for fold in report.folds)
    assert report.pooled.positives == sum(fold.positives for fold in report.folds)
    assert [period.period for period in report.pooled.periods] == [fold.test_start for fold in report.folds]
    assert report.known_accounts.rows == sum(fold.rows["known"] for fold in report.folds)
    assert report.pooled.metrics["random"]["roc_auc"].low < 0.5 < report.pooled.metrics["random"]["roc_auc"].high


def test_the_choice_of_a_fold_is_what_is_measured_as_chosen(report):
    for fold in report.folds:
        found = fold.comparison.to_dict()
        assert found["metrics"]["chosen"] == found["metrics"][fold.chosen]
        assert (found["reference"], found["challenger"]) == ("rules", "chosen")


def test_a_candidate_that_some_fold_could_not_fit_is_not_pooled_and_that_is_said(report):
    fitted = [fold for fold in report.folds if "lightgbm" in fold.comparison.metrics]

    assert len(fitted) < 4
    assert "lightgbm" not in report.pooled.metrics
    assert f"fold {report.folds[0].test_start}: lightgbm was left out: " in " ".join(report.notes)
    assert any(note.startswith(f"lightgbm could be fitted in {len(fitted)} of 4 folds only") for note in report.notes) == bool(fitted)


def test_the_folds_of_the_decision_are_those_of_the_table(report):
    shown = [fold.comparison.metrics["chosen"]["precision_at_capacity"].value for fold in report.folds]

    assert [period.challenger for period in report.pooled.periods] == pytest.approx(shown, abs=1e-9)


def test_everybody_is_compared_with_the_card(report):
    assert set(report.pooled.paired) == {*CANDIDATES, "chosen", *FLOORS} - {"rules"}
    for name, found in report.pooled.paired.items():
        both = report.pooled.metrics
        for figure in ("precision_at_capacity", "expected_value"):
            assert found[figure].value == pytest.approx(both[name][figure].value - both["rules"][figure].value, abs=1e-12)


def test_random_splits_are_judged_on_the_same_rows(report):
    assert list(report.random_gaps) == [*CANDIDATES, "chosen"]
    for gap in report.random_gaps.values():
        assert gap.difference.value == pytest.approx(gap.random.value - gap.temporal.value, abs=1e-12)
    assert report.random_gaps["rules"].difference.value == pytest.approx(0.0, abs=0.02)  # ranked within halves of the folds
    assert report.random_gaps["rules"].temporal.value == pytest.approx(report.pooled.metrics["rules"]["roc_auc"].value, abs=1e-12)


def test_contacts_are_shown_in_brackets_and_decide_by_the_weighted_rows(report):
    assert list(report.contact.brackets) == ["all", "uncontacted", "weighted"]
    assert 0 < report.contact.contacted_share < 1
    assert report.contact.effective_rows <= report.contact.weighted.rows
    assert report.decision == report.contact.weighted.decision
    assert "while their outcome was open, which flatters whatever it followed" in report.contact.sentences[0]


def test_the_report_is_json_text_and_html(report):
    stored = json.loads(report.path.read_text(encoding="utf-8"))
    text = report.to_text()

    assert stored == json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert stored["folds"][0]["comparison"]["metrics"]["chosen"]["net_benefit"]["low"] is not None
    assert text.startswith("The rule, written beforehand: chosen beats rules if ")
    assert text.index("written beforehand") < text.index(report.decision.sentence)
    assert all(len(line) < 240 for line in text.splitlines())
    assert report._repr_html_().count("<table") == 9


def test_what_is_captured_is_money_of_the_deals_that_the_tested_rows_are_won_by(project, report):
    _, _, rows, _ = load_training_rows(project)
    paid = pq.read_table(project.data_root / "data" / "opportunities.parquet").to_pandas()
    new = paid[paid["is_won"].fillna(False).astype(bool) & (paid["type"] == "new")]
    figures = report.pooled.metrics["rules"]
    everything = figures["captured_value"].value / figures["captured_share"].value

    assert (
        0 < everything <= rows.values.sum() == pytest.approx(new[new["account_id"].isin(rows.accounts[rows.labels == 1])]["amount"].sum())
    )
    for name, found in report.pooled.metrics.items():
        assert 0 <= found["captured_share"].low <= found["captured_share"].value <= found["captured_share"].high <= 1, name
        assert found["captured_value"].value == pytest.approx(found["captured_share"].value * everything, rel=1e-9)
    assert "Value: amounts of won deals in the top 10 % of new accounts" in report.to_text()


def test_data_too_short_for_the_folds_are_refused(project, tmp_path):
    config = read_demo(data=CONTACTS, horizon={"horizon_days": 150}, backtest={"folds": 8, "first_share": 0.4})

    with pytest.raises(DataError, match="moments are left to test for 8 folds"):
        open_config(config, tmp_path, data=project.root).backtest()


def test_the_pictures_of_a_backtest_show_every_fold_of_both_sides(report):
    shown = report.displays["precision_by_fold"]

    assert list(shown.folds) == [fold.test_start for fold in report.folds if fold.comparison]
    assert list(shown.estimates) == ["chosen", "rules"]
    first = next(fold.comparison for fold in report.folds if fold.comparison)
    assert shown.estimates["rules"][0] == first.metrics["rules"]["precision_at_capacity"]
    assert list(report.displays) == ["precision_by_fold", "average_precision_by_fold", "observed_expected_by_fold"]
