"""Named reasons against what the score does without them, as arrays."""

import math

import numpy as np
import pytest

from pls_ml.evaluation.gates import judge_reasons
from pls_ml.evaluation.reason_quality import ReasonQuality, draw_others, measure_ablation, measure_signs, name_reasons

GOOD = ReasonQuality(additivity=1e-15, leads=100, named=300, sign_agreement=0.99, ablation_ratio=5.0)


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ([0.5, 0.4, 0.3, 0.2, -0.3], [True, True, True, False, True]),
        ([0.5, 0.1, 0.09, 0.0, -0.1], [True, False, False, False, False]),
        ([-0.2, -0.5, -0.3, -0.9, -0.4], [False, False, False, True, False]),
        ([0.3, 0.3, 0.3, 0.3, 0.0], [True, True, True, False, False]),
    ],
)
def test_at_most_three_reasons_speak_for_a_lead_and_one_against_it(lines, named):
    assert name_reasons(np.array([lines]), 0.1).tolist() == [named]


def test_a_single_signal_speaks_for_or_against():
    assert name_reasons(np.array([[0.5], [-0.5], [0.0]]), 0.1).tolist() == [[True], [True], [False]]


def test_the_other_signal_is_one_that_counts_and_is_not_the_first():
    rng = np.random.default_rng(0)
    lines = np.where(rng.random((200, 6)) < 0.5, rng.normal(size=(200, 6)), 0.0)

    others = draw_others(lines, seed=1)

    first = lines.argmax(axis=1)
    for row, other in enumerate(others):
        rest = set(np.flatnonzero(lines[row])) - {first[row]}
        assert other in rest if rest else other == -1
    assert len(set(others.tolist())) == 7


@pytest.mark.parametrize(
    ("lines", "drops", "noise", "share"),
    [
        ([0.5, 0.2, -0.3, 0.4], [0.1, 0.9, -0.2, 0.4], 0.01, 1.0),
        ([0.5, 0.2, -0.3, 0.4], [0.1, -0.9, 0.2, 0.4], 0.01, 0.5),
        ([0.5, 0.2], [0.1, 0.0], 0.0, 0.5),
        ([0.5, 0.2], [1e-12, 0.3], 0.0, 0.5),
        ([0.5, 0.2, 0.3], [0.4, -0.1, -0.9], 0.1, 0.5),
    ],
    ids=["all", "half", "one does not move", "one hardly moves", "of one nobody can tell"],
)
def test_signs_agree_where_the_score_moves_as_the_reason_says(lines, drops, noise, share):
    assert measure_signs(np.array(lines), np.array(drops), np.full(len(lines), noise)) == share


def test_no_sign_can_be_told_where_every_move_is_within_its_error():
    assert np.isnan(measure_signs(np.array([0.5]), np.array([0.1]), np.array([0.2])))


def test_the_first_reason_is_weighed_against_any_move_of_another():
    assert measure_ablation(np.array([3.0, 1.0]), np.array([-1.0, 1.0])) == 2.0
    assert math.isnan(measure_ablation(np.array([3.0]), np.array([0.0])))


@pytest.mark.parametrize(
    ("wrong", "gate"),
    [
        ({"additivity": 2e-9}, "additivity"),
        ({"sign_agreement": 0.97}, "reason_signs"),
        ({"ablation_ratio": 1.0}, "reason_weight"),
    ],
)
def test_each_shortcoming_of_the_reasons_fails_its_own_gate(wrong, gate):
    gates = judge_reasons(ReasonQuality(**vars(GOOD) | wrong))

    assert [one.name for one in gates if not one.passed] == [gate]
    assert all(one.passed for one in judge_reasons(GOOD))


def test_a_card_whose_first_reason_weighs_little_more_than_others_passes_and_its_figure_is_said():
    weight = judge_reasons(ReasonQuality(**vars(GOOD) | {"ablation_ratio": 1.4}))[-1]

    assert (weight.passed, weight.figure) == (True, 1.4)
    assert weight.sentence.endswith("falls 1.4 times as much as it moves without another signal (limit: above 1; 3 or more is wanted)")


def test_where_no_reason_is_named_none_can_be_wrong():
    gates = judge_reasons(ReasonQuality(0.0, 10, 0, math.nan, math.nan))

    assert [(one.passed, one.figure) for one in gates] == [(True, 0.0), (True, None), (True, None)]
    assert gates[1].sentence == "no reason is named (limit: at least 98%)"
    assert ReasonQuality(0.0, 10, 0, math.nan, math.nan).to_dict()["sign_agreement"] is None
