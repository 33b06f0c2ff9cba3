"""Trees on the same folds, from nothing and from the card: what they start from, what they find, and what a person sees of both parts."""

import numpy as np
import pandas as pd
import pytest
from projects import open_variant

from pls_ml.scores import ScorecardClassifier
from pls_ml.scores.growth import find_place, tree_counts
from pls_ml.workflows.bundle import load_bundle
from pls_ml.workflows.candidates import bin_fold, fit_candidates, make_trees, usable_folds
from pls_ml.workflows.training_rows import load_training_rows, split_training


@pytest.fixture(scope="module")
def training(trained):
    """The training rows of the small world, its catalogue and its card."""
    _, table, rows, _ = load_training_rows(trained.project)
    return rows.take(split_training(trained.project, rows).train), table.catalogue, trained.project.card()


@pytest.fixture(scope="module")
def candidates(training, trained):
    """The candidates of the small world, and what was said of them."""
    rows, catalogue, card = training
    return fit_candidates(rows, card, catalogue, trained.project.config.model, 1)


@pytest.fixture(scope="module")
def started(trained, tmp_path_factory):
    """The small world, scored by trees that start as the card."""
    project = open_variant(trained, tmp_path_factory.mktemp("started"), {"model": {"use": "lightgbm_from_rules"}})
    return project, project.train(), project.score(trained.night.as_of)


def test_the_card_of_a_fold_is_fitted_on_the_rows_of_that_fold_alone(training):
    rows, _, card = training

    for fit, check in usable_folds(rows)[::4]:
        fold = bin_fold(rows, (fit, check), card)
        other = rows.take(fit)
        alone = ScorecardClassifier(card).fit(other.signals, other.labels, other.weight)
        assert fold.margins[0].tolist() == alone.raw_score(other.signals).tolist()
        assert fold.margins[1].tolist() == alone.raw_score(rows.signals.iloc[check]).tolist()


def test_trees_from_nothing_are_the_same_whether_or_not_others_start_from_the_card(candidates, training, trained):
    rows, catalogue, _ = training
    model = trained.project.config.model
    directions = {column.name: column.signal.direction for column in catalogue}

    grown = [make_trees(directions, model, 1).grow_on(bin_fold(rows, fold)) for fold in usable_folds(rows)]
    best, _ = find_place(grown, len(tree_counts(None)))

    trees = candidates[0]["lightgbm"].scorer
    assert trees.n_trees == tree_counts(None)[best]
    alone = make_trees(directions, model, 1, trees.n_trees).fit(rows.signals, rows.labels, rows.weight)
    assert trees.to_dict() == alone.to_dict()


def test_trees_on_top_of_the_card_are_named_as_what_they_are_and_lose_less_than_the_card(candidates):
    fitted, notes = candidates
    started = fitted["lightgbm_from_rules"]

    gain = fitted["rules"].unseen_losses - started.unseen_losses

    assert notes[-1:] == [f"lightgbm_from_rules = card points + learned correction ({started.scorer.n_trees} trees)"]
    assert started.scorer.start_.to_dict() == fitted["rules"].scorer.to_dict()
    assert gain.sum() > 2 * np.sqrt(np.sum((gain - gain.mean()) ** 2))


def test_a_night_scored_from_the_card_keeps_both_parts(started, trained):
    project, report, night = started
    bundle = load_bundle(project)
    card, whole = bundle.card, bundle.scorers["lightgbm_from_rules"]
    receipts = night.receipts["lightgbm_from_rules"]

    assert (report.used, bundle.used, night.used) == ("lightgbm_from_rules",) * 3
    assert "note: lightgbm_from_rules = card points + learned correction (" in report.to_text()
    assert [part.start_score for part in receipts.parts] == pytest.approx(card.raw_score(receipts.values), abs=1e-9)
    assert [part.start_score + part.learned for part in receipts.parts] == pytest.approx(whole.raw_score(receipts.values), abs=1e-9)
    kept = pd.read_parquet(night.folder / "receipts.parquet")
    assert not kept.loc[kept["scorer"] == "rules", "learned"].any()
    assert kept.loc[kept["scorer"] == "lightgbm_from_rules", "learned"].abs().max() > 0.1


def test_a_lead_is_explained_with_what_the_card_says_and_what_was_learned(started, trained):
    project, _, night = started
    lead = night.scores["lead_id"].iloc[0]
    part = night.receipts["lightgbm_from_rules"].one(lead).parts

    text = project.explain(lead, trained.night.as_of).to_text()

    line = f"scorecard {part.start_score:+.2f} + learned {part.learned:+.2f} = raw score {part.start_score + part.learned:+.2f}"
    assert text.count(line) == 1
    assert text.count("raw score") == 1
