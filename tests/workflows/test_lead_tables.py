"""A prepared lead table, without any log: the whole chain, its leak audit, and what too little data end in."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from projects import FAST, merge, open_config

from pls_ml.core.errors import DataError, LeakageError, TableError
from pls_ml.workflows.bundle import load_bundle

PLANTED = {"visits": 0.35, "minutes": 0.05}


def attribute(column, kind="number", **more):
    measure = {"kind": "attribute", "table": "users", "column": column, "type": kind}
    return {"id": column, "family": "web", "label": column, "measure": measure, **more}


CONFIG = merge(
    {
        "project": "leads",
        "handoff": {"require_suppressions": False},
        "data": {"users": {}},
        "outcome": {"kind": "column", "column": "converted"},
        "spine": {"kind": "order", "column": "lead_number"},
        "signals": {
            "catalogue": None,
            "define": [
                attribute("visits", direction="up", unit="visits"),
                attribute("minutes", direction="up", unit="minutes"),
                attribute("noise"),
                attribute("source", "category"),
            ],
        },
        "scorecard": None,
        "split": {"by_account": False},
        "model": {"use": "best"},
    },
    FAST,
)


def draw_leads(n=3000, seed=0, intercept=-3.0):
    rng = np.random.default_rng(seed)
    leads = pd.DataFrame(
        {
            "user_id": [f"lead-{number:04}" for number in range(n)],
            "lead_number": rng.permutation(n),
            "visits": rng.poisson(3, n).astype(float),
            "minutes": np.where(rng.random(n) < 0.2, np.nan, rng.exponential(15, n)),
            "noise": rng.normal(0, 1, n),
            "source": rng.choice(["search", "referral", "advert"], n, p=[0.5, 0.2, 0.3]),
        }
    )
    odds = intercept + 0.35 * leads["visits"] + 0.05 * leads["minutes"].fillna(5) + 1.0 * (leads["source"] == "referral")
    leads["converted"] = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(int)
    return leads


def open_leads(folder, leads, **changes):
    return open_config(merge(CONFIG, changes), folder, tables={"users": leads})


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return open_leads(tmp_path_factory.mktemp("leads"), draw_leads())


@pytest.fixture(scope="module")
def report(project):
    return project.train()


@pytest.fixture(scope="module")
def night(project, report):
    return project.score()


def test_check_says_what_the_table_holds(project):
    found = project.check()

    assert found.tables["users"] == 3000
    assert (found.labels.rows, found.labels.positives) == (3000, int(draw_leads()["converted"].sum()))
    assert found.computable == ("visits", "minutes", "noise", "source")
    assert found.events is None
    assert "signals: 4 can be computed, 0 cannot" in found.to_text()
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["data_end"] is None


def test_the_signals_are_the_columns_in_the_order_of_the_leads(project):
    table, leads = project.signals().to_frame(), draw_leads().sort_values("lead_number")

    assert table["lead_id"].tolist() == leads["user_id"].tolist()
    for column in ("visits", "minutes", "noise", "source"):
        pd.testing.assert_series_equal(table[column], leads[column].reset_index(drop=True), check_dtype=False)


def test_training_holds_out_later_leads_and_finds_what_was_planted(report):
    metrics = report.comparison.metrics

    assert set(metrics) == {"fitted_card", "logistic", "lightgbm", "base rate"}
    assert report.split["train"] + report.split["test"] + report.split["unused"] + report.split["known"] == 3000
    for name in ("logistic", "lightgbm"):
        assert metrics[name]["roc_auc"].value > 0.7
        assert metrics[name]["brier"].value < metrics["base rate"]["brier"].value - 0.01
        assert metrics[name]["observed_expected"].low < 1 < metrics[name]["observed_expected"].high
    assert [found.signal for found in report.audit.signals][-1] == "noise"


def test_every_lead_that_has_not_converted_is_scored_once_with_a_receipt_that_sums(night):
    leads = draw_leads()
    assert sorted(night.scores["lead_id"]) == sorted(leads.loc[leads["converted"] == 0, "user_id"])
    assert night.removed == {"already a customer": int(leads["converted"].sum())}
    receipts = night.receipts[night.used]
    assert receipts.base_probability + receipts.probability.sum(axis=1) == pytest.approx(receipts.score, abs=1e-9)
    assert night.scores["points"].isna().all()
    assert len(night.handoffs) == 20


def test_without_a_suppression_list_nobody_is_handed_over(tmp_path, project, report):
    strict = open_leads(tmp_path, draw_leads(), handoff={"require_suppressions": True})
    shutil.copytree(project.models, strict.models)

    night = strict.score()

    assert night.handoffs.empty
    assert night.not_handed_over == {"no suppression list": len(night.scores)}


def test_a_prepared_table_has_no_date(night):
    assert night.folder.name == "as_of=prepared"
    assert "1970" not in night.to_text()


def test_one_lead_is_explained_as_in_the_night(project, night):
    for lead in night.scores["lead_id"].iloc[[0, 1000, -1]]:
        found = project.explain(lead)

        assert found.receipts[night.used].score == pytest.approx(night.scores.set_index("lead_id").loc[lead, "score"], abs=1e-12)
        assert (found.points, found.band) == (None, None)


def test_the_page_is_written(project, night):
    page = project.report()

    assert page.parent == night.folder
    assert "<html" in page.read_text(encoding="utf-8")


def test_rows_in_another_order_give_the_same_model_and_night(project, report, night, tmp_path):
    shuffled = open_leads(tmp_path, draw_leads().sample(frac=1, random_state=4))

    assert shuffled.train().version == report.version
    assert (shuffled.score().folder / "scores.parquet").read_bytes() == (night.folder / "scores.parquet").read_bytes()


def leaking(leads, seed=1):
    """A column that a rep filled in once the outcome was known, a little wrong at times."""
    rng = np.random.default_rng(seed)
    return leads.assign(
        grade=np.where(rng.random(len(leads)) < 0.04, 1 - leads["converted"], leads["converted"]) + rng.normal(0, 0.1, len(leads))
    )


def test_a_column_that_knows_the_outcome_stops_training_by_name(tmp_path):
    define = [*CONFIG["signals"]["define"], attribute("grade")]
    project = open_leads(tmp_path, leaking(draw_leads()), signals={"define": define})

    with pytest.raises(LeakageError, match=r"signal 'grade' alone has AUC 0\.9\d\d \(limit 0\.90\): .*`model.acknowledge_leaks` \(grade\)"):
        project.train()
    assert not project.models.exists()


def test_an_acknowledged_leak_passes_and_is_reported(tmp_path):
    define = [*CONFIG["signals"]["define"], attribute("grade")]
    project = open_leads(tmp_path, leaking(draw_leads()), signals={"define": define}, model={"acknowledge_leaks": ["grade"]})

    report = project.train()

    assert report.audit.suspects == ()
    assert {found.name for found in report.audit.vouched} == {"grade"}
    assert [(found["name"], found["acknowledged"]) for found in report.to_dict()["leak_audit"]["findings"]] == [("grade", True)]
    assert "note: acknowledged leak: signal 'grade' alone has AUC 0.9" in report.to_text()
    assert load_bundle(project).facts["leaks"][0]["name"] == "grade"
    assert report.comparison.metrics[report.used]["roc_auc"].value > 0.93


def test_text_that_knows_the_outcome_stops_training_too(tmp_path):
    leads = draw_leads()
    tagged = leads.assign(mark=np.where(leads["converted"] == 1, "Will revert", "Ringing"))
    project = open_leads(tmp_path, tagged, signals={"define": [*CONFIG["signals"]["define"], attribute("mark", "category")]})

    with pytest.raises(LeakageError, match=r"signal 'mark' alone has AUC 1\.000"):
        project.train()


def test_gaps_that_know_the_outcome_stop_training_too(tmp_path):
    leads = draw_leads()
    filled = leads.assign(phone=np.where(leads["converted"] == 1, np.random.default_rng(1).uniform(0, 1, len(leads)), np.nan))
    project = open_leads(tmp_path, filled, signals={"define": [*CONFIG["signals"]["define"], attribute("phone")]})

    with pytest.raises(LeakageError, match=r"signal 'phone' alone has AUC 1\.000.*the pattern of missing values alone has AUC 1\.000"):
        project.train()


@pytest.mark.parametrize(
    ("leads", "error", "message"),
    [
        (draw_leads(400).assign(converted=0), TableError, r"no closed-won outcome was found by `outcome` \(kind 'column'\)"),
        (draw_leads(400).assign(converted=1), DataError, "have the same outcome|expected both outcomes|needs both outcomes"),
        (draw_leads(3), DataError, "the .* part is empty|too few|none of the 3 matured rows|no closed-won outcome"),
        (draw_leads(400).drop(columns="converted"), TableError, "no outcome column 'converted' in `users`"),
        (draw_leads(400).drop(columns="lead_number"), TableError, "no column 'lead_number' in `users` to order leads by"),
        (draw_leads(400).head(0), TableError, "no closed-won outcome was found"),
        (draw_leads(400).assign(user_id="one"), TableError, "table 'users' lists `user_id` 'one' 400 times"),
    ],
    ids=["nobody won", "everybody won", "three rows", "no outcome", "no order", "no rows", "one id"],
)  # fmt: skip
def test_a_table_that_cannot_train_ends_in_a_named_condition(tmp_path, leads, error, message):
    with pytest.raises(error, match=message):
        open_leads(tmp_path, leads).train()


def test_wins_that_all_lie_early_cannot_be_checked_forward_in_time(tmp_path):
    leads = draw_leads(800)
    between = leads["lead_number"].between(100, 599)
    project = open_leads(tmp_path, leads.assign(converted=leads["converted"].where(~between, 0)))

    with pytest.raises(
        DataError, match=r"\d+ won among 560 matured training rows are too few to fit and check forward in time: expected both"
    ):
        project.train()


def test_a_test_part_without_a_win_is_refused(tmp_path):
    leads = draw_leads(800)
    late = leads["lead_number"] > 540
    project = open_leads(tmp_path, leads.assign(converted=leads["converted"].where(~late, 0)))

    with pytest.raises(DataError, match=r"0 of 240 rows are positive: expected both outcomes; take a longer test window"):
        project.train()


@pytest.mark.parametrize("leads", [draw_leads(3000, intercept=-6.0), draw_leads(1200)], ids=["few wins", "few rows"])
def test_trees_are_left_out_with_a_note_where_they_are_not_worth_fitting(tmp_path, leads):
    card = {"id": "web", "bands": [{"name": "High", "gte": 10}], "below": "Low",
            "rows": [{"id": "visits", "family": "web", "signal": "visits", "rungs": [{"gte": 4, "points": 10}]}]}  # fmt: skip
    tmp_path.joinpath("card.yaml").write_text(json.dumps(card), encoding="utf-8")

    report = open_leads(tmp_path, leads, scorecard="card.yaml").train()

    assert list(report.calibrators) == ["rules", "repointed", "fitted_card", "logistic"]
    assert report.notes[0].startswith("lightgbm was left out: ")
    assert report.notes[0].endswith("expected at least 900 and 100")
    assert f"note: {report.notes[0]}" in report.to_text()
    with pytest.raises(DataError, match=r"`model.use: lightgbm` is not among .* \(rules, repointed, fitted_card, logistic\)"):
        open_leads(tmp_path, leads, scorecard="card.yaml", model={"use": "lightgbm"}).train()


def test_without_a_card_of_the_project_the_simplest_other_candidate_is_the_reference(tmp_path):
    report = open_leads(tmp_path, draw_leads(1200)).train()

    assert (report.comparison.challenger, report.comparison.reference) == ("logistic", "fitted_card")
    assert report.used == "logistic"
    assert report.comparison.differences["brier"].high < 0
