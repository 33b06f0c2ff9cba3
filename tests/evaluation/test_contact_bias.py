"""Sales called what the rules picked: weights take the flattery off where chance held some back, brackets hold the truth where not."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pls_ml.evaluation import CandidateScores, ComparisonOptions, compare_candidates
from pls_ml.evaluation.contact import judge_contacts, weigh_contacts

TOP, EFFECT = 0.15, 1.6


def draw_history(held_out, n_accounts=40_000, leads=2, seed=0):
    """Rules with true AUC 0.67; sales calls their best 15 %, but for those chance holds out, and a call adds 1.6 to the log-odds."""
    rng = np.random.default_rng(seed)
    account = np.repeat(np.arange(n_accounts), leads)
    rules, other = rng.normal(size=(2, n_accounts))[:, account] * 0.8 + rng.normal(size=(2, account.size)) * 0.6
    base = -3.2 + 0.65 * rules + 0.6 * other
    picked = rules > np.quantile(rules, 1 - TOP)
    treated = picked & (rng.random(n_accounts) >= held_out)[account]
    draw = rng.random(account.size)
    untouched = draw < 1 / (1 + np.exp(-base))
    labels = draw < 1 / (1 + np.exp(-base - EFFECT * treated))
    return account, rules, other, picked, treated, labels, roc_auc_score(untouched, rules)


def judge(held_out):
    account, rules, other, picked, treated, labels, truth = draw_history(held_out)

    def compare(rows, weight):
        scores = {"rules": CandidateScores(rules[rows]), "model": CandidateScores((0.65 * rules + 0.6 * other)[rows])}
        options = ComparisonOptions(0.1, "rules", "model", n_resamples=100, weight=None if weight is None else weight[rows])
        return compare_candidates(labels[rows], scores, account[rows], options)

    chance = np.where(picked, held_out, 1.0)
    weights = weigh_contacts(treated, picked, treated, chance) if held_out else None
    every = np.ones(labels.size, dtype=bool)
    return judge_contacts(compare(every, None), treated, weights, compare), truth


def area(comparison):
    return comparison.metrics["rules"]["roc_auc"]


def test_weights_take_off_what_the_calls_added_to_the_rules():
    found, truth = judge(held_out=0.2)

    assert area(found.all_rows).value - truth > 0.08  # flattered
    assert area(found.all_rows).low > truth
    assert area(found.weighted).low <= truth <= area(found.weighted).high
    assert area(found.weighted).value == pytest.approx(truth, abs=0.015)
    assert 0 < found.effective_rows < (found.weighted.rows)
    assert "weighted by inverse propensity" in found.sentences[0]


def test_without_chance_the_truth_lies_between_both_brackets():
    found, truth = judge(held_out=0.0)

    assert found.weighted is None
    assert area(found.uncontacted).value < truth < area(found.all_rows).value
    assert "only a random holdout (`data.assignments`) can say where" in found.sentences[0]
    assert list(found.brackets) == ["all", "uncontacted"]


def test_a_row_stands_for_one_over_its_chance_and_at_most_for_twenty():
    contacted = np.array([True, False, False, False, False])
    assigned = np.array([True, True, True, True, False])
    treated = np.array([True, True, False, False, False])
    chance = np.array([0.5, 0.5, 0.5, 0.01, 1.0])

    found = weigh_contacts(contacted, assigned, treated, chance)

    assert found.weight.tolist() == [0, 0, 2, 20, 1]  # treated rows tell nothing, reached or not
    assert found.effective == pytest.approx(23**2 / (4 + 400 + 1), abs=1e-9)
    assert found.notes == ()


def test_where_sales_contacted_others_too_only_the_experiment_counts():
    contacted = np.array([True, False, False, False])
    assigned = np.array([False, False, True, True])
    treated = np.array([False, False, False, True])

    found = weigh_contacts(contacted, assigned, treated, np.array([1.0, 1.0, 0.5, 0.5]))

    assert found.weight.tolist() == [0, 0, 2, 0]
    assert "50% of the rows outside of every experiment were contacted" in found.notes[0]


def test_held_out_rows_that_were_contacted_all_the_same_are_counted_and_left_out():
    contacted, assigned = np.array([True, False, False]), np.array([True, True, False])

    found = weigh_contacts(contacted, assigned, np.zeros(3, dtype=bool), np.array([0.5, 0.5, 1.0]))

    assert found.weight.tolist() == [0, 2, 1]
    assert found.notes == ("1 of 2 held-out rows were contacted all the same, and are left out",)
