"""What a training promises: honest splits, counts that add up, and the same model from the same data."""

import json
from dataclasses import replace
from datetime import UTC, timedelta

import numpy as np
import pandas as pd
import pytest
from projects import open_config, open_variant, shuffle

from pls_ml.core.errors import BundleError, ConfigError, DataError, ImmatureOutcomesError, LeakageError, TableError
from pls_ml.evaluation.gates import GATES
from pls_ml.evaluation.splits import SplitSpec, split_rows
from pls_ml.workflows.bundle import load_bundle, read_pointer
from pls_ml.workflows.train import _warn_of_calibration
from pls_ml.workflows.training_rows import load_training_rows


@pytest.fixture(scope="module")
def rows_and_split(trained):
    config = trained.project.config
    _, _, rows, _ = load_training_rows(trained.project)
    split = split_rows(rows.as_of, rows.accounts, config.horizon.to_horizon(), SplitSpec(**config.split.model_dump()))
    return rows, split


@pytest.fixture(scope="module")
def retrained(trained, tmp_path_factory):
    """Trained again on the same tables: from memory, in another order, with two threads."""
    project = open_variant(
        trained, tmp_path_factory.mktemp("again"), {"resources": {"threads": 2}}, tables=shuffle(trained.world.tables, seed=3)
    )
    return project, project.train()


def test_the_split_in_the_report_is_the_split_of_the_rows(trained, rows_and_split):
    rows, split = rows_and_split

    assert trained.report.split == split.counts
    assert sum(trained.report.split[part] for part in ("train", "test", "known", "unused")) == len(rows.labels)


def test_no_account_is_in_training_and_in_test(rows_and_split):
    rows, split = rows_and_split

    assert not set(rows.accounts[split.train]) & set(rows.accounts[split.test])
    assert set(rows.accounts[split.known]) <= set(rows.accounts[split.train])


def test_label_windows_of_training_end_before_the_test_begins(trained, rows_and_split):
    rows, split = rows_and_split
    end = trained.project.config.horizon.to_horizon().end
    start = np.datetime64(split.test_start.astimezone(UTC).replace(tzinfo=None), "us")

    assert end == timedelta(days=91)
    assert rows.as_of[split.train].max() + np.timedelta64(end, "us") <= start
    assert rows.as_of[split.test].min() >= start


def test_every_outcome_of_a_matured_row_lies_within_the_data(trained, rows_and_split):
    rows, _ = rows_and_split
    data_end = np.datetime64("2024-01-01", "us") + np.timedelta64(360, "D")

    assert rows.as_of.max() + np.timedelta64(91, "D") <= data_end


def test_a_row_is_labelled_won_when_its_account_wins_a_new_deal_in_the_horizon(trained, rows_and_split):
    rows, _ = rows_and_split
    deals = trained.world.tables["opportunities"].to_pandas()
    deals = deals[deals["is_won"].fillna(False).astype(bool) & (deals["type"] == "new")]
    closed = deals.groupby("account_id")["closed_at"].apply(lambda times: times.dt.tz_localize(None).to_numpy("datetime64[us]")).to_dict()
    none = np.array([], dtype="datetime64[us]")

    def won(account, as_of):
        times = closed.get(account, none)
        return bool(((times >= as_of + np.timedelta64(1, "D")) & (times < as_of + np.timedelta64(91, "D"))).any())

    expected = [won(account, as_of) for account, as_of in zip(rows.accounts, rows.as_of, strict=True)]

    assert rows.labels.tolist() == [int(label) for label in expected]
    assert 100 < rows.labels.sum() < len(rows.labels) / 2


def test_a_lead_counts_once_a_month_however_dense_the_grid(trained, rows_and_split):
    rows, _ = rows_and_split
    _, table, _, _ = load_training_rows(trained.project)
    month = table.spine["as_of"].dt.to_period("M")

    assert pd.Series(rows.weight).groupby([table.spine["lead_id"], month]).sum().to_numpy() == pytest.approx(1, abs=1e-9)


def test_the_counts_of_the_report_add_up(trained, rows_and_split):
    report, (rows, split) = trained.report, rows_and_split

    assert (report.labels.rows, report.labels.positives) == (len(rows.labels), int(rows.labels.sum()))
    assert report.comparison.base_rate * report.comparison.rows == pytest.approx(report.comparison.positives, abs=1e-9)
    assert report.comparison.rows <= report.split["test"]
    assert report.comparison.accounts == report.split["test_accounts"] == np.unique(rows.accounts[split.test]).size
    assert sum(period.rows for period in report.comparison.periods) == report.comparison.rows
    assert sum(period.positives for period in report.comparison.periods) == report.comparison.positives
    for table in report.reliability.values():
        assert sum(found.rows for found in table.bins) == report.comparison.rows
    grid = report.labels.rows + report.labels.won_in_gap + report.labels.immature + sum(report.removed.values())
    days = pd.date_range("2024-01-08", "2024-12-26", freq="14D")
    signups = trained.world.tables["users"].to_pandas()["signup_at"].dt.tz_localize(None).to_numpy()
    assert grid == sum(int((signups < np.datetime64(day)).sum()) for day in days)


def test_calibrators_saw_only_training_rows(trained):
    for facts in trained.report.calibrators.values():
        assert 0 < facts["positives"] < facts["rows"] < trained.report.split["train"]


def test_every_candidate_is_there_simplest_first(trained):
    assert list(trained.report.calibrators) == ["rules", "repointed", "fitted_card", "logistic", "lightgbm", "lightgbm_from_rules"]
    assert set(trained.report.comparison.metrics) == {*trained.report.calibrators, "activity", "base rate"}
    assert trained.report.notes[0].startswith("signal 'invoice_downloads' is declared leak-prone: left out")


def test_the_report_is_plain_json_text_and_html(trained):
    report = trained.report

    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["version"] == report.version
    assert report.comparison.decision.sentence in report.to_text()
    assert f"model {report.version} is saved; '{report.used}' scores" in report.to_text()
    assert report._repr_html_().count("<table") >= 2


def test_the_same_tables_give_the_same_model_in_any_order_and_with_any_threads(trained, retrained):
    first, again = load_bundle(trained.project), load_bundle(retrained[0])

    assert {name: s.to_dict() for name, s in again.scorers.items()} == {name: s.to_dict() for name, s in first.scorers.items()}
    assert {n: c.to_dict() for n, c in again.calibrators.items()} == {n: c.to_dict() for n, c in first.calibrators.items()}
    assert (again.used, again.catalogue, again.frozen) == (first.used, first.catalogue, first.frozen)
    assert retrained[1].comparison.to_dict() == trained.report.comparison.to_dict()


def test_training_twice_on_the_same_files_gives_the_same_version(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    again = open_config(trained.config, tmp_path / "elsewhere", data=trained.folder).train()

    assert again.version == trained.report.version
    assert again.to_dict() == trained.report.to_dict()


def test_another_seed_gives_another_version_and_the_newest_scores_until_one_is_promoted(trained, tmp_path):
    project = open_variant(trained, tmp_path, {"model": {"seed": 8}})

    second = project.train()

    assert second.version != trained.report.version
    assert read_pointer(project, "newest") == second.version
    assert read_pointer(project, "champion") is None
    assert project.score(trained.night.as_of).version == second.version
    assert project.score(trained.night.as_of, trained.report.version).version == trained.report.version
    assert project.promote(trained.report.version, accept=GATES).version == trained.report.version
    assert project.score(trained.night.as_of).version == trained.report.version
    assert load_bundle(project).version == trained.report.version
    assert project.promote(accept=GATES).version == second.version


def test_a_model_that_does_not_exist_or_was_changed_is_refused(trained, tmp_path):
    with pytest.raises(BundleError, match=r"no model in .*: train one with `pls-ml train`"):
        open_config(trained.config, tmp_path / "empty", data=trained.folder).score()
    project = open_variant(trained, tmp_path / "changed")
    with pytest.raises(BundleError, match=f"no model '{trained.report.version[:-1]}x'.*did you mean '{trained.report.version}'"):
        project.score(version=f"{trained.report.version[:-1]}x")
    with pytest.raises(BundleError, match="no model 'm-0'"):
        project.promote("m-0")
    file = project.models / trained.report.version / "calibrators.json"
    file.write_text(file.read_text(encoding="utf-8").replace("positives", "positivs"), encoding="utf-8")
    with pytest.raises(BundleError, match=r"calibrators.json is missing or was changed after training"):
        project.score()


def test_an_event_that_is_the_outcome_stops_training_by_name(trained, tmp_path):
    project = open_variant(trained, tmp_path, {"model": {"acknowledge_leaks": []}})

    with pytest.raises(LeakageError, match=r"event 'upgrade_completed' is a twin of the outcome: 100% of .*`data.events.exclude`"):
        project.train()
    assert [twin.event for twin in project.check().twins] == ["upgrade_completed"]
    assert "leak: event 'upgrade_completed' is a twin" in project.check().to_text()


def test_an_excluded_twin_lets_training_pass(trained, tmp_path):
    changes = {"model": {"acknowledge_leaks": []}, "data": {"events": {"exclude": ["upgrade_completed"]}}}
    project = open_variant(trained, tmp_path, changes)

    report = project.train()

    assert report.used == "lightgbm"
    assert report.not_computable["upgrade_abandoned"].startswith("no event 'upgrade_completed' in the log")
    assert project.check().twins == ()
    assert project.check().events["excluded"]["excluded by name"] > 100


def test_a_signal_declared_leak_prone_stops_training_unless_acknowledged(trained, tmp_path):
    invoices = {
        "id": "invoices", "family": "usage", "measure": {"kind": "count", "events": ["invoice_downloaded"]}, "windows": ["90d"],
        "label": "invoices downloaded", "leak_risk": "high",
    }  # fmt: skip
    project = open_variant(trained, tmp_path, {"signals": {"define": [invoices]}})

    with pytest.raises(
        LeakageError, match=r"signal 'invoices' is declared leak-prone: drop it, or list it under `model.acknowledge_leaks`"
    ):
        project.train()


def test_a_signal_from_a_feature_that_customers_alone_have_says_nothing_before_they_buy(trained, tmp_path):
    bought = {
        "id": "admin_console", "family": "usage", "windows": ["lifetime"], "label": "admin console",
        "measure": {"kind": "count", "events": ["feature_used"], "where": {"feature": ["admin_console", "sso_login"]}},
    }  # fmt: skip
    project = open_variant(trained, tmp_path, {"signals": {"define": [bought]}})

    table = project.signals().to_frame()

    assert table["admin_console_lifetime"].sum() == 0
    assert trained.world.tables["events"].to_pandas()["feature"].isin(["admin_console", "sso_login"]).sum() > 100


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"horizon": {"horizon_days": 400}}, ImmatureOutcomesError, "no outcome is old enough: the first lead is scored at"),
        ({"spine": {"every_days": 700}}, TableError, "no `as_of` fits between the first signup and the end of the data"),
        ({"population": {"min_age_days": 400}}, ImmatureOutcomesError, "no lead is eligible at any `as_of`"),
        ({"outcome": {"type": "renewal"}}, TableError, "no opportunity has type 'renewal': the table has expansion, new"),
        ({"split": {"test_start": "2030-01-01"}}, DataError, "the test part is empty"),
        ({"split": {"test_start": "2030-01-01T00:30:00+05:30"}}, DataError, "test_start is 2029-12-31"),
        ({"split": {"test_start": "2024-01-15"}}, DataError, "the training part is empty"),
        ({"signals": {"drop": ["sessionz"]}}, ConfigError, r"`signals.drop` names 'sessionz'.*did you mean 'sessions'"),
    ],
)
def test_data_that_cannot_train_end_in_a_named_condition(trained, tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        open_variant(trained, tmp_path, changes).train()


@pytest.mark.parametrize(("low", "high", "warned"), [(0.8, 1.2, False), (0.4, 0.9, True), (1.1, 1.9, True)])
def test_probabilities_that_are_off_on_held_out_leads_are_called_so(trained, low, high, warned):
    comparison = trained.report.comparison
    ratio = replace(comparison.metrics["rules"]["observed_expected"], value=(low + high) / 2, low=low, high=high)
    changed = replace(comparison, metrics={"rules": {"observed_expected": ratio}})

    notes = _warn_of_calibration(changed, "rules")

    assert bool(notes) == warned
    assert all("do not quote them" in note for note in notes)


def test_wins_and_promises_by_month_and_segment_add_up_to_all_held_out_leads(trained):
    report = trained.report
    comparison = report.comparison

    assert [ratios.by for ratios in report.ratios] == ["month", "segment"]
    for ratios in report.ratios:
        assert sum(level.rows for level in ratios.levels) == comparison.rows
        assert sum(level.won for level in ratios.levels) == comparison.positives
        expected = sum(level.expected for level in ratios.levels)
        assert comparison.positives / expected == pytest.approx(comparison.metrics[report.used]["observed_expected"].value, abs=1e-9)
        assert ratios.to_text() in report.to_text()
    assert [level.level for level in report.ratios[0].levels] == [period.period for period in comparison.periods]
    assert {level.level for level in report.ratios[1].levels} <= {"consumer", "smb", "mid_market", "enterprise"}
    assert report.to_dict()["ratios"][1]["by"] == "segment"
