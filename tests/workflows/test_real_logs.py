"""The whole chain on two real logs: the known test sets, the known traps, and figures no worse than a quick script's."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from projects import FAST, merge, open_config
from ruamel.yaml import YAML

from pls_ml.core.builtin import find_builtin
from pls_ml.core.errors import LeakageError

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PLS_ML_DATA", ROOT.parent / "shared" / "data"))


def open_log(name, folder, **changes):
    """The shipped project of a real log, with fast settings, its tables in memory and its output below the folder."""
    if not (DATA / name).is_dir():
        pytest.skip(f"the data set '{name}' is not in {DATA}: set PLS_ML_DATA to the folder that has it")
    config = YAML(typ="safe", pure=True).load(find_builtin(f"{name}.yaml").read_text(encoding="utf-8"))
    tables = {table: pq.read_table(DATA / name / source["path"]) for table, source in config["data"].items() if "path" in source}
    return open_config(merge(merge(config, FAST), changes), folder, tables=tables)


def better_learned(report, figure, pick):
    return pick(report.comparison.metrics[name][figure].value for name in ("logistic", "lightgbm"))


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    project = open_log("bpi2012", tmp_path_factory.mktemp("bpi2012"))
    return project, project.train()


@pytest.fixture(scope="module")
def relax(tmp_path_factory):
    project = open_log("relax", tmp_path_factory.mktemp("relax"))
    return project, project.train()


def test_the_banks_test_set_is_the_known_one(bank):
    _, report = bank

    assert (report.comparison.rows, report.comparison.positives) == (2288, 723)
    assert report.split["test"] == 2288
    assert report.audit.suspects == ()


def test_the_banks_outcome_is_predicted_better_than_by_the_base_rate_and_the_card(bank):
    _, report = bank
    metrics = report.comparison.metrics

    assert better_learned(report, "brier", min) < 0.205  # of the base rate: 0.2161
    assert metrics[report.used]["brier"].value < metrics["base rate"]["brier"].value
    assert better_learned(report, "roc_auc", max) > 0.66
    assert better_learned(report, "roc_auc", max) > metrics["rules"]["roc_auc"].value
    assert 0.6 < metrics["rules"]["roc_auc"].value < 0.7


def test_the_banks_probabilities_mean_what_they_say(bank):
    _, report = bank
    figures = report.comparison.metrics[report.used]

    assert 0.75 < figures["calibration_slope"].value < 1.3
    assert 0.85 < figures["observed_expected"].value < 1.15


@pytest.mark.parametrize("left_in", [["A_REGISTERED", "A_ACTIVATED"], ["A_ACTIVATED"]])
def test_twins_of_the_banks_outcome_left_in_the_log_are_noticed(tmp_path, left_in):
    names = ["A_APPROVED", "A_REGISTERED", "A_ACTIVATED", "A_DECLINED", "A_CANCELLED", "O_ACCEPTED", "O_DECLINED"]
    exclude = [name for name in names if name not in left_in]
    project = open_log("bpi2012", tmp_path, data={"events": {"exclude": exclude}})

    with pytest.raises(LeakageError, match=rf"event '{min(left_in)}' is a twin of the outcome: \d+% of the 2,24\d leads with it won"):
        project.train()
    assert [twin.event for twin in project.check().twins] == sorted(left_in)


def test_a_column_that_counts_the_banks_twins_knows_the_outcome(tmp_path):
    project = open_log("bpi2012", tmp_path)
    log = project.tables["events"]
    twins = log.filter(pa.compute.is_in(log["concept:name"], pa.array(["A_REGISTERED", "A_ACTIVATED"])))
    counts = twins["case_id"].to_pandas().value_counts()
    cases = project.tables["users"].to_pandas()[["concept:name", "REG_DATE", "AMOUNT_REQ"]]
    approved = log.filter(pa.compute.equal(log["concept:name"], "A_APPROVED"))["case_id"].to_pandas()
    leads = cases.assign(
        twins=cases["concept:name"].map(counts).fillna(0.0), won=cases["concept:name"].isin(approved).astype(int)
    ).rename(columns={"concept:name": "user_id"})  # fmt: skip

    def attribute(column):
        return {"id": column.lower(), "family": "x", "label": column, "measure": {"kind": "attribute", "table": "users", "column": column}}

    table = {
        "project": "cases", "data": {"users": {}}, "outcome": {"kind": "column", "column": "won"}, "scorecard": None,
        "spine": {"kind": "order", "column": "REG_DATE"}, "split": {"by_account": False},
        "signals": {"catalogue": None, "define": [attribute("twins"), attribute("AMOUNT_REQ")]},
    }  # fmt: skip

    with pytest.raises(LeakageError, match=r"signal 'twins' alone has AUC (0\.99\d|1\.000) \(limit 0\.90\)"):
        open_config(merge(table, FAST), tmp_path / "cases", tables={"users": leads}).train()


def test_a_night_at_the_bank_scores_applications_that_turned_a_day_old(bank):
    project, report = bank
    moment = np.datetime64("2012-02-21T00:00:00").astype("datetime64[us]").item()

    night = project.score(moment)

    assert night.used == report.used
    assert 20 < len(night.scores) < 200
    assert night.scores["as_of"].between(np.datetime64("2012-02-20"), np.datetime64("2012-02-21")).all()
    lead = night.scores["lead_id"].iloc[0]
    explained = project.explain(lead, moment)
    assert explained.receipts[night.used].score == pytest.approx(night.scores["score"].iloc[0], abs=1e-12)


def test_relaxs_test_set_is_the_known_one(relax):
    _, report = relax

    assert (report.comparison.rows, report.comparison.positives) == (2022, 234)
    assert report.audit.suspects == ()


def test_adoption_of_relax_is_predicted_better_than_by_the_base_rate(relax):
    _, report = relax
    metrics = report.comparison.metrics

    assert better_learned(report, "brier", min) < 0.085  # of the base rate: 0.1023
    assert metrics[report.used]["brier"].value < metrics["base rate"]["brier"].value
    assert better_learned(report, "roc_auc", max) > 0.78
    assert better_learned(report, "roc_auc", max) > metrics["rules"]["roc_auc"].value
    assert 0.75 < metrics[report.used]["calibration_slope"].value < 1.3


@pytest.mark.parametrize(
    ("column", "refusal"),
    [
        ("last_session_creation_time", r"signal 'seen' reads `users\.last_session_creation_time`, which is filled in or overwritten later"),
        ("session_creation_time", r"signal 'seen' alone has AUC 0\.\d{3}"),
    ],
    ids=["by its name", "under another name, by what it knows"],
)
def test_a_column_as_of_the_end_of_the_extract_is_refused(tmp_path, column, refusal):
    probe = open_log("relax", tmp_path / "probe")
    define = [signal.model_dump(mode="json", exclude_none=True) for signal in probe.config.signals.define]
    seen = {"id": "seen", "family": "velocity", "label": "seen", "measure": {"kind": "attribute", "table": "users", "column": column}}
    users = probe.tables["users"].rename_columns({"last_session_creation_time": column})
    project = open_log("relax", tmp_path, signals={"define": [*define, seen]})

    with pytest.raises(LeakageError, match=refusal):
        replace(project, tables={**project.tables, "users": users}).train()


def test_one_organisation_may_be_in_training_and_test_only_where_the_project_says_so(relax):
    project, report = relax

    assert not project.config.split.by_account
    assert report.split["known"] == report.split["test"] == 2022
    assert report.known_accounts is None
