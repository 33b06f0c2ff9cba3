"""Cells of rules and model at the same volume: hand-made cases, what binds them to the comparison, and what ties do."""

import json

import numpy as np
import pytest

from pls_ml.core.errors import DataError
from pls_ml.evaluation import CandidateScores, ComparisonOptions, compare_candidates
from pls_ml.evaluation.disagreement import CELLS, MODEL_ONLY, NEITHER, RULES_ONLY, Disagreement, find_cells, measure_disagreement
from pls_ml.evaluation.ranking import chance_taken, group_by_score, precision_at, sort_scores

OPTIONS = ComparisonOptions(capacity=0.4, reference="rules", challenger="model", n_resamples=200)


def count(found: Disagreement) -> dict[str, tuple[float, float]]:
    return {one.cell: (round(one.rows, 9), round(one.wins, 9)) for one in found.cells}


def draw_world(seed, skill=1.0, n_accounts=150, leads=6):
    """Coarse points that see one cause of winning, and a model that sees another as well; leads of an account are alike."""
    rng = np.random.default_rng(seed)
    first, second = np.repeat(rng.normal(size=(2, n_accounts)), leads, axis=1) + 0.5 * rng.normal(size=(2, n_accounts * leads))
    labels = (rng.random(first.size) < 1 / (1 + np.exp(2.5 - first - second))).astype(np.int8)
    return labels, np.round(2 * first), np.round(first + skill * second, 1), np.repeat(np.arange(n_accounts), leads)


def test_cells_are_who_takes_a_lead_when_both_take_as_many():
    labels = [1, 0, 1, 0, 1, 0, 0, 0, 0, 1]
    rules = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    model = [10, 1, 9, 2, 8, 7, 3, 4, 5, 6]

    found = measure_disagreement(labels, rules, model, range(10), OPTIONS)

    assert count(found) == {"both": (2, 2), "rules only": (2, 0), "model only": (2, 1), "neither": (4, 1)}
    assert [one.rate.value for one in found.cells] == [1.0, 0.0, 0.5, 0.25]
    assert found.difference.value == 0.5


def test_tied_leads_are_taken_in_part_and_the_part_that_both_take_is_no_disagreement():
    labels, model = [1, 1, 0, 0, 0, 0, 0, 0, 0, 1], [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]

    found = measure_disagreement(labels, [0] * 10, model, range(10), OPTIONS)

    # The rules take 0.4 of each lead, the model all of the first four.
    assert count(found) == {"both": (1.6, 0.8), "rules only": (2.4, 0.4), "model only": (2.4, 1.2), "neither": (3.6, 0.6)}


def test_the_same_order_on_both_sides_is_no_disagreement_however_many_leads_tie():
    labels, rules, _, accounts = draw_world(1)

    found = measure_disagreement(labels, rules, 3 * rules + 1, accounts, OPTIONS)

    assert found.cells[1].rows == found.cells[2].rows == 0
    assert found.sentence == "rules and model take the same leads in the top 40 %"
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["difference"] == {"value": None, "low": None, "high": None}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("capacity", [0.1, 0.35, 60])
def test_what_the_cells_differ_by_is_what_precision_differs_by(seed, capacity):
    labels, rules, model, accounts = draw_world(seed)
    options = ComparisonOptions(capacity, "rules", "model", n_resamples=50, seed=3)

    found = measure_disagreement(labels, rules, model, accounts, options)

    both, rules_only, model_only, neither = found.cells
    taken = capacity * len(labels) if capacity < 1 else capacity
    compared = compare_candidates(labels, {"rules": CandidateScores(rules), "model": CandidateScores(model)}, accounts, options)
    assert rules_only.rows == pytest.approx(model_only.rows)
    assert both.rows + rules_only.rows == pytest.approx(taken)
    assert sum(one.rows for one in found.cells) == pytest.approx(len(labels))
    assert sum(one.wins for one in found.cells) == pytest.approx(labels.sum())
    precision = compared.differences["precision_at_capacity"]
    assert found.difference.value * model_only.rows / taken == pytest.approx(precision.value)
    assert neither.rate.value < both.rate.value


@pytest.mark.parametrize(("skill", "seed"), [(1.0, 2), (0.0, 2), (-1.0, 5), (0.4, 9)])
def test_one_side_is_right_exactly_where_the_interval_of_precision_says_so(skill, seed):
    labels, rules, model, accounts = draw_world(seed, skill, n_accounts=400)
    options = ComparisonOptions(0.2, "rules", "model", n_resamples=300, seed=1)

    found = measure_disagreement(labels, rules, model, accounts, options)

    sides = {"rules": CandidateScores(rules), "model": CandidateScores(model)}
    precision = compare_candidates(labels, sides, accounts, options).differences["precision_at_capacity"]
    assert (found.difference.low > 0, found.difference.high < 0) == (precision.low > 0, precision.high < 0)
    assert found.sentence.startswith("no evidence on who is right") == (precision.low <= 0 <= precision.high)


def test_the_sentence_has_both_rates_with_their_intervals_and_the_difference():
    labels, rules, model, accounts = draw_world(2, n_accounts=400)

    found = measure_disagreement(labels, rules, model, accounts, ComparisonOptions(0.2, "rules", "lightgbm", n_resamples=300))

    rates = {one.cell: one.rate for one in found.cells}
    said = [f"{100 * r.value:.1f} % ({100 * r.low:.1f} to {100 * r.high:.1f} %)" for r in (rates[MODEL_ONLY], rates[RULES_ONLY])]
    start = f"where rules and lightgbm disagree in the top 20 %, those picked by lightgbm win {said[0]}, those picked by rules {said[1]}: "
    assert found.sentence.startswith(f"{start}a difference of +")
    assert "lightgbm only" in found.to_text()
    assert found.sentence in found.to_text()


def test_leads_of_an_account_are_drawn_together_so_copies_of_them_narrow_nothing():
    labels, rules, model, accounts = draw_world(3)

    once = measure_disagreement(labels, rules, model, accounts, OPTIONS)
    copied = measure_disagreement(*(np.repeat(part, 8) for part in (labels, rules, model, accounts)), OPTIONS)

    assert vars(copied.difference) == pytest.approx(vars(once.difference))


def test_evidence_is_the_same_after_a_round_through_json():
    labels, rules, model, accounts = draw_world(4)
    found = measure_disagreement(labels, rules, model, accounts, OPTIONS)

    again = Disagreement.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False)))

    assert again == found


def test_unequal_lengths_are_refused():
    with pytest.raises(DataError, match="3 labels, 3 accounts and 4 scores: expected one each per row"):
        measure_disagreement([1, 0, 0], [1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3], OPTIONS)


@pytest.mark.parametrize("seed", range(3))
def test_the_chances_of_being_taken_add_up_to_the_capacity_and_find_its_precision(seed):
    rng = np.random.default_rng(seed)
    scores, labels = rng.integers(0, 6, 80), (rng.random(80) < 0.3).astype(float)
    labels[0] = 1.0
    weight = rng.integers(0, 3, (5, 80)).astype(float)
    order = sort_scores(scores)

    chance = chance_taken(order, weight, 0.25)

    taken = (chance * weight).sum(axis=1)
    assert taken == pytest.approx(0.25 * weight.sum(axis=1))
    assert (chance * weight) @ labels / taken == pytest.approx(precision_at(group_by_score(order, labels, weight), 0.25))
    tied = chance[:, scores == scores[0]]
    assert (tied == tied[:, :1]).all()


def test_ties_of_a_list_go_by_the_other_side_and_then_by_the_order_given():
    rules, model = np.array([1.0, 1.0, 1.0, 1.0, 0.0]), np.array([0.1, 0.3, 0.3, 0.2, 0.9])

    cells, by_rules, by_model = find_cells(rules, model, 0.4)

    assert by_rules.tolist() == [4, 1, 2, 3, 5]
    assert by_model.tolist() == [5, 2, 3, 4, 1]
    assert cells.tolist() == ["neither", "both", "rules only", "neither", "model only"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("capacity", [0.05, 0.1, 1, 7, 1000])
def test_a_lead_is_in_a_list_exactly_when_its_rank_is_within_it_and_both_lists_are_as_long(seed, capacity):
    _, rules, model, _ = draw_world(seed, n_accounts=20)

    cells, by_rules, by_model = find_cells(rules, model, capacity)

    most = max(1, round(capacity * 120)) if capacity < 1 else capacity
    within = {CELLS[0]: (True, True), RULES_ONLY: (True, False), MODEL_ONLY: (False, True), NEITHER: (False, False)}
    assert [within[cell] for cell in cells] == list(zip(by_rules <= most, by_model <= most, strict=True))
    assert (cells == RULES_ONLY).sum() == (cells == MODEL_ONLY).sum()
    assert sorted(by_rules) == sorted(by_model) == list(range(1, 121))
