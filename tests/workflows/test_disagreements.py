"""The leads on which rules and model disagree: the same volume on both sides, receipts that tell why, and evidence of who was right."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from projects import open_variant, read_bytes, shuffle

from pls_ml.core.errors import BundleError, ConfigError, TableError
from pls_ml.evaluation.disagreement import Disagreement
from pls_ml.workflows.bundle import load_bundle, save_bundle


@pytest.fixture(scope="module")
def table(trained):
    return pd.read_parquet(trained.night.folder / "disagreements.parquet")


@pytest.fixture(scope="module")
def queue(trained):
    return trained.project.disagreements(trained.night.as_of)


@pytest.fixture
def change_bundle(trained, tmp_path):
    """A project whose newest model is the trained one with parts replaced."""

    def change(**parts):
        project = open_variant(trained, tmp_path)
        bundle = load_bundle(trained.project, trained.report.version)
        save_bundle(project, replace(bundle, **{name: make(bundle) for name, make in parts.items()}))
        return project

    return change


def test_rules_and_model_take_the_same_number_of_leads(trained):
    scores = trained.night.scores
    counts = scores["cell"].value_counts()

    assert trained.night.to_dict()["cells"] == {cell: int(counts[cell]) for cell in ("both", "rules only", "model only", "neither")}
    assert counts["rules only"] == counts["model only"] > 0
    assert counts["both"] + counts["model only"] == round(0.1 * len(scores))


def test_a_side_takes_nobody_whom_it_ranks_below_somebody_it_leaves(trained):
    scores = trained.night.scores

    for column, cell in (("raw_score", "model only"), ("points", "rules only")):
        taken = scores["cell"].isin(["both", cell])
        assert scores[column][taken].min() >= scores[column][~taken].max()


def test_among_leads_of_the_same_points_the_rules_take_those_that_the_model_takes(trained):
    scores = trained.night.scores
    edge = scores[scores["points"] == scores["points"][scores["cell"].isin(["both", "rules only"])].min()]

    assert not {"rules only", "model only"} <= set(edge["cell"])


def test_each_disputed_lead_is_there_with_its_ranks(trained, table):
    scores = trained.night.scores.set_index("lead_id")
    most = round(0.1 * len(scores))
    leads = table.drop_duplicates("lead_id")

    assert set(leads["lead_id"]) == set(scores.index[scores["cell"].isin(["rules only", "model only"])])
    for cell, own, other in (("model only", "rank_model", "rank_rules"), ("rules only", "rank_rules", "rank_model")):
        mine = leads[leads["cell"] == cell]
        assert (mine[own] <= most).all()
        assert (mine[other] > most).all()
        assert mine[own].is_monotonic_increasing
        assert (scores.loc[mine["lead_id"], "cell"] == cell).all()


def test_a_difference_is_one_line_of_the_models_receipt_minus_the_same_line_of_the_rules(trained, table):
    receipts = pd.read_parquet(trained.night.folder / "receipts.parquet").set_index(["scorer", "lead_id", "signal"])
    lines = table[table["signal"] != ""]

    for one in lines.iloc[:: max(1, len(lines) // 40)].itertuples():
        found = [receipts["log_odds"].get((name, one.lead_id, one.signal), 0.0) for name in ("lightgbm", "rules")]
        assert (one.model, one.rules) == pytest.approx(found)
        assert one.difference == pytest.approx(one.model - one.rules)
    assert (lines["difference"][lines["cell"] == "model only"] > 0.1).all()
    assert (lines["difference"][lines["cell"] == "rules only"] < -0.1).all()
    assert lines.groupby("lead_id").size().max() == 3
    hidden = {signal.id for signal in load_bundle(trained.project).catalogue.signals if not signal.rep_visible}
    assert not hidden & set(lines["signal"])


def test_signals_that_reps_may_not_see_are_not_told(trained, change_bundle, table):
    most = table["signal"][table["signal"] != ""].value_counts().index[0]

    def hide(bundle):
        signals = [s.model_copy(update={"rep_visible": s.id != most}) for s in bundle.catalogue.signals]
        return bundle.catalogue.model_copy(update={"signals": tuple(signals)})

    project = change_bundle(catalogue=hide)
    night = project.score(trained.night.as_of)

    assert most not in set(night.disagreement.table["signal"])
    assert most not in project.disagreements().to_text()
    assert set(night.disagreement.table["lead_id"]) == set(table["lead_id"])


def test_a_policy_made_after_the_night_holds_for_its_list(trained, tmp_path, table):
    most = table["signal"][table["signal"] != ""].value_counts().index[0]
    (tmp_path / "strict.yaml").write_text(json.dumps({"audiences": {"rep": {"hide": [most]}}}), encoding="utf-8")
    project = open_variant(trained, tmp_path)
    project.score(trained.night.as_of)

    found = replace(project, config=project.config.model_copy(update={"policy": "strict.yaml"})).disagreements()

    assert most not in {one.signal for lead in found.leads for one in lead.differences}
    assert len(found.leads) == table["lead_id"].nunique()


def test_rows_in_another_order_give_the_same_bytes(trained, tmp_path):
    files = ("disagreements.parquet", "scores.parquet")

    again = open_variant(trained, tmp_path, tables=shuffle(trained.world.tables, 5)).score(trained.night.as_of)

    assert read_bytes(again.folder, files) == read_bytes(trained.night.folder, files)


def test_training_says_how_often_those_in_dispute_win(trained):
    report = trained.report
    found = report.disagreement

    assert (found.rules, found.model, found.rows) == ("rules", "lightgbm", report.comparison.rows)
    assert sum(one.wins for one in found.cells) == pytest.approx(report.comparison.positives)
    precision = report.comparison.differences["precision_at_capacity"].value
    disputed = found.cells[2].rows / (report.comparison.capacity * found.rows)
    assert found.difference.value * disputed == pytest.approx(precision)
    assert Disagreement.from_dict(load_bundle(trained.project).facts["disagreement"]) == found
    assert found.to_text() in report.to_text()
    assert found.sentence in report.to_dict()["disagreement"]["sentence"]
    assert "taken by" in report._repr_html_()


def test_the_queue_tells_people_who_was_right_and_why_each_lead_is_in_dispute(trained, queue, table):
    text = queue.to_text()
    first = queue.leads[0]
    counts = trained.night.to_dict()["cells"]

    assert text.startswith(f"2024-10-27: rules against lightgbm, each with the top 10 % (both {counts['both']}, ")
    assert trained.report.disagreement.sentence in text
    assert f"picked by lightgbm alone: {counts['model only']} leads, its best first" in text
    assert f"  {first.lead_id}  rank by lightgbm {first.rank_model:,}, rules {first.rank_rules:,}; score " in text
    assert f"      {first.differences[0].label}: {first.differences[0].value} (model +" in text
    assert "--json lists them" in text
    assert [lead.lead_id for lead in queue.leads] == table["lead_id"].drop_duplicates().tolist()
    assert queue._repr_html_().count("<tr>") > len(queue.leads)
    found = json.loads(json.dumps(queue.to_dict(), allow_nan=False))
    assert found["cells"] == counts
    assert sum(len(lead["differences"]) for lead in found["leads"]) == (table["signal"] != "").sum()


def test_a_lead_that_is_barred_is_marked(trained, queue):
    scores = trained.night.scores.set_index("lead_id")
    barred = {lead.lead_id: lead.blocked for lead in queue.leads if lead.blocked}

    assert barred == scores.loc[[lead.lead_id for lead in queue.leads], "blocked"].dropna().to_dict()
    assert barred


def test_where_the_card_scores_the_best_learned_candidate_is_held_against_it(trained, change_bundle, table):
    project = change_bundle(used=lambda _: "rules")

    night = project.score(trained.night.as_of)

    assert night.used == "rules"
    assert night.disagreement.pair == {"rules": "rules", "model": "lightgbm", "capacity": 0.1}
    pd.testing.assert_frame_equal(night.disagreement.table, table.astype(night.disagreement.table.dtypes))
    assert project.disagreements().evidence == trained.report.disagreement


def test_a_model_from_before_evidence_was_kept_still_lists_its_leads_and_says_that_nobody_knows(trained, change_bundle):
    def forget(bundle):
        older = {"same_first": 0.9, "profile": {}}
        return {name: fact for name, fact in bundle.facts.items() if name != "disagreement"} | {"reasons": older}

    project = change_bundle(facts=forget)
    project.score(trained.night.as_of)

    queue = project.disagreements()
    assert queue.evidence is None
    assert queue.to_dict()["evidence"] is None
    assert queue.to_text().splitlines()[0].endswith("nobody measured who was right on matured leads: train again")


def test_a_model_without_a_card_has_no_rules_to_disagree_with(trained, change_bundle):
    project = change_bundle(scorers=lambda bundle: {name: one for name, one in bundle.scorers.items() if name != "rules"})
    night = project.score(trained.night.as_of)

    assert (night.disagreement.pair, night.to_dict()["cells"]) == (None, {})
    assert set(night.scores["cell"]) == {""}
    assert len(pd.read_parquet(night.folder / "disagreements.parquet")) == 0
    with pytest.raises(ConfigError, match="has no card, so there are no rules to disagree with: name a `scorecard` and train again"):
        project.disagreements()


def test_a_night_that_was_not_scored_is_refused(trained, tmp_path):
    with pytest.raises(TableError, match="no scored night of 2024-01-02: there are 2024-10-27; run `pls-ml score --as-of 2024-01-02`"):
        trained.project.disagreements(trained.night.as_of.replace(month=1, day=2))
    with pytest.raises(TableError, match=r"no scored night in .*: run `pls-ml score` first"):
        open_variant(trained, tmp_path).disagreements()


def test_a_night_of_an_earlier_version_and_a_changed_table_are_refused(trained, tmp_path):
    project = open_variant(trained, tmp_path)
    folder = project.score(trained.night.as_of).folder
    file, manifest = folder / "disagreements.parquet", folder / "manifest.json"
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(BundleError, match=r"disagreements.parquet is missing or was changed since it was scored: run `pls-ml score` again"):
        project.disagreements()

    old = json.loads(manifest.read_text(encoding="utf-8"))
    del old["files"]["disagreements.parquet"]
    manifest.write_text(json.dumps(old), encoding="utf-8")

    with pytest.raises(BundleError, match=r"a night without `disagreements.parquet`, as earlier versions scored: run `pls-ml score` again"):
        project.disagreements(trained.night.as_of + timedelta(0))


def test_results_are_one_line_in_a_plain_console(trained, queue):
    report, night = trained.report, trained.night

    for result in (report, report.comparison, night, night.disagreement, queue, report.held_out.gain["rules"]):
        assert "\n" not in repr(result)
        assert len(repr(result)) < 400
    assert repr(night).startswith(f"Night(2024-10-27, lightgbm {report.version}: ")
    assert report.comparison.decision.sentence in repr(report.comparison)
    assert np.isfinite(report.disagreement.difference.value)
