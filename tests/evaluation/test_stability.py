"""Reasons of one fit against those of another, as arrays."""

import numpy as np
import pytest

from pls_ml.evaluation.stability import measure_overlap, measure_same_first, profile_reasons, rank_reasons


def ranked(*rows):
    return rank_reasons(np.array(rows, dtype=float))


def test_reasons_are_the_largest_contributions_above_zero_ties_by_position():
    found = ranked([0.5, -2.0, 0.9, 0.5, 0.1], [-1.0, 0.0, 0.0, 0.0, 0.2], [-1.0, -1.0, -1.0, -1.0, -1.0])

    assert found.tolist() == [[2, 0, 3], [4, -1, -1], [-1, -1, -1]]


def test_a_model_of_two_signals_names_two_reasons_at_most():
    assert ranked([0.2, 0.1]).tolist() == [[0, 1]]


def test_the_first_reason_is_compared_lead_by_lead_with_every_other_fit():
    chosen = ranked([3, 2, 1], [1, 2, 3])

    assert measure_same_first(chosen, [chosen, ranked([1, 2, 3], [1, 2, 3])]) == pytest.approx(3 / 4)
    assert measure_same_first(chosen, []) == 1.0


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        ([4, 3, 2, 1], [2, 3, 4, 1], 1.0),
        ([4, 3, 2, 1], [4, 3, 1, 2], 2 / 3),
        ([4, 3, 0, 0], [0, 0, 3, 4], 0.0),
        ([4, 0, 0, 0], [4, 3, 2, 1], 1 / 3),
        ([4, 0, 0, 0], [0, 0, 0, 0], 0.0),
        ([0, 0, 0, 0], [0, 0, 0, 0], 1.0),
    ],
)
def test_the_overlap_is_the_share_of_the_longer_list_that_both_name(first, second, overlap):
    assert measure_overlap(ranked(first), ranked(second)) == pytest.approx(overlap)
    assert measure_overlap(ranked(second), ranked(first)) == pytest.approx(overlap)


def test_the_profile_says_of_which_share_of_the_leads_a_signal_is_a_reason():
    found = profile_reasons(ranked([3, 2, 1, 0], [3, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 5]), ["a", "b", "c", "d"])

    assert list(found.items()) == [("a", 0.5), ("b", 0.25), ("c", 0.25), ("d", 0.25)]
