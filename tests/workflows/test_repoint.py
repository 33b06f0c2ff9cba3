"""`pls-ml repoint` on a small world: the rows of the training, a card file that is a card, and honest words."""

import json
from dataclasses import replace

import numpy as np
import pytest
from projects import open_config, open_variant

from pls_ml.core.errors import ConfigError, DataError, LeakageError
from pls_ml.evaluation.splits import SplitSpec, split_rows
from pls_ml.io.yaml import read_spec
from pls_ml.scores import ScorecardClassifier
from pls_ml.scores.card import Scorecard
from pls_ml.workflows.bundle import load_bundle
from pls_ml.workflows.candidates import fit_candidates
from pls_ml.workflows.training_rows import load_training_rows

BLOCKS = """\
id: blocks
blocks: [{id: use, weight: 1.0}]
bands: [{name: High, gte: 50}]
below: Low
rows:
  - {id: active, family: use, block: use, signal: active_days_7d, rungs: [{gte: 1, points: 10}]}
"""


@pytest.fixture(scope="module")
def repointed(trained, tmp_path_factory):
    project = open_config(trained.config, tmp_path_factory.mktemp("repointed"), data=trained.folder)
    return project, project.repoint()


def test_the_rows_are_those_that_training_fits_on(trained, repointed):
    _, report = repointed

    assert report.rows == trained.report.split["train"]
    assert report.accounts == trained.report.split["train_accounts"]


def test_every_rung_of_the_card_is_in_the_table(repointed):
    project, report = repointed
    card = project.card()

    assert [rung.row for rung in report.repointing.rungs] == [row.id for row in card.rows for _ in row.rungs]
    assert [rung.old for rung in report.repointing.rungs] == [rung.points for row in card.rows for rung in row.rungs]
    text = report.to_text()
    assert text.startswith("card 'card_a' ")
    assert all(rung.test in text and rung.reason in text for rung in report.repointing.rungs)
    assert "whole points" in text
    assert text.endswith(f"card: {report.path}")
    assert report._repr_html_().count("<tr>") == len(report.repointing.rungs) + 1


def test_the_verdict_is_that_of_the_points(repointed):
    _, report = repointed
    found = report.repointing

    assert found.changed == any(rung.old != rung.new for rung in found.rungs)
    assert ("changed (" in report.to_text().splitlines()[0]) == found.changed
    assert found.held_out.new <= found.held_out.old or not found.changed


def test_the_file_is_the_new_card_and_can_be_used_as_the_projects(trained, repointed, tmp_path):
    project, report = repointed

    card = read_spec(report.path, Scorecard, "scorecard")

    assert report.path == project.output / "cards" / "card_a_repointed.yaml"
    assert card == report.repointing.card.model_copy(update={"id": "card_a_repointed"})
    assert [rung.points for row in card.rows for rung in row.rungs] == [rung.new for rung in report.repointing.rungs]
    text = report.path.read_text(encoding="utf-8")
    assert text.startswith(f"# Card 'card_a' {'with new points' if report.repointing.changed else 'as it was'}, by `pls-ml repoint` from ")
    assert "\n- {id: limit_hit, family: feature_usage, signal: limits_hit_30d, rungs: [{points: " in text
    assert open_config(trained.config | {"scorecard": str(report.path)}, tmp_path, data=trained.folder).card() == card


def test_the_report_is_plain_json(repointed):
    _, report = repointed

    found = json.loads(json.dumps(report.to_dict(), allow_nan=False))

    assert found["old_card"] == "card_a"
    assert found["card"]["rows"][0]["id"] == "premium_features"
    assert set(found["rungs"][0]) == {"row", "test", "old", "new", "low", "high", "rows", "won", "decision", "reason"}
    assert found["rounding"]["loss"] == found["rounding"]["whole"] - found["rounding"]["continuous"]


def test_repointing_again_gives_the_same_bytes(trained, repointed, tmp_path):
    _, report = repointed

    again = open_config(trained.config, tmp_path, data=trained.folder).repoint()

    assert again.path.read_bytes() == report.path.read_bytes()
    assert replace(again, path=report.path).to_dict() == report.to_dict()


def test_the_candidate_of_the_training_is_the_same_card(trained, repointed):
    _, report = repointed
    candidate = load_bundle(trained.project).scorers["repointed"]

    assert candidate.card_ == report.repointing.card


def test_a_candidate_is_repointed_on_earlier_rows_of_other_accounts_only(trained, monkeypatch):
    config = trained.project.config
    _, table, rows, _ = load_training_rows(trained.project)
    training = rows.take(split_rows(rows.as_of, rows.accounts, config.horizon.to_horizon(), SplitSpec(**config.split.model_dump())).train)
    seen = []
    monkeypatch.setattr(
        "pls_ml.workflows.candidates.RepointedCard.fit",
        lambda self, signals, labels, weight, folds, accounts: seen.append((signals, folds, accounts)) or adopt_card(self, signals, labels),
    )

    fit_candidates(training, trained.project.card(), table.catalogue, config.model, 1)

    assert len(seen) > 4
    for signals, folds, accounts in seen:
        for fit, check in folds:
            assert max(fit.max(), check.max()) < len(signals) == len(accounts)
            assert not set(accounts[fit]) & set(accounts[check])
    assert len(seen[-1][0]) == len(training.labels) > max(len(signals) for signals, _, _ in seen[:-1])


def adopt_card(scorer, signals, labels):
    scorer.scorer_ = ScorecardClassifier(scorer.card).fit(signals, labels)
    return scorer


def test_a_project_without_a_card_is_refused(trained, tmp_path):
    with pytest.raises(ConfigError, match="the project has no scorecard to re-point: set `scorecard`, for example to card_a"):
        open_variant(trained, tmp_path, {"scorecard": None}).repoint()


def test_a_card_with_blocks_is_refused_here_and_left_out_of_training(trained, tmp_path):
    (tmp_path / "blocks.yaml").write_text(BLOCKS, encoding="utf-8")
    project = open_variant(trained, tmp_path, {"scorecard": "blocks.yaml"})

    with pytest.raises(ConfigError, match="card 'blocks' has blocks: only points that are simply added up can be re-pointed"):
        project.repoint()
    report = project.train()
    assert list(report.calibrators) == ["rules", "fitted_card", "logistic", "lightgbm", "lightgbm_from_rules"]
    assert any(note.startswith("repointed was left out: card 'blocks' has blocks") for note in report.notes)


def test_a_signal_that_knows_the_outcome_stops_repointing_too(trained, tmp_path):
    with pytest.raises(LeakageError, match="event 'upgrade_completed' is a twin of the outcome"):
        open_variant(trained, tmp_path, {"model": {"acknowledge_leaks": []}}).repoint()


def test_data_without_a_win_are_refused_with_the_next_step(trained, tmp_path):
    tables = trained.world.tables
    deals = tables["opportunities"].to_pandas().assign(is_won=False)
    deals["is_won"] = np.array(deals["is_won"], dtype=bool)

    with pytest.raises(DataError, match="no closed-won outcome was found by `outcome`"):
        open_variant(trained, tmp_path, tables=dict(tables) | {"opportunities": deals}).repoint()
