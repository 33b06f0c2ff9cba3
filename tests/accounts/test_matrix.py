"""The fit × usage matrix: four cells and one for what is not known, without overlap or gap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pls_ml.accounts.matrix import CELLS, UNKNOWN, MatrixCuts, assign_cells, count_cells

WORTH = st.one_of(st.just(float("nan")), st.floats(0, 100))
PAIRS = st.lists(st.tuples(WORTH, WORTH), min_size=1, max_size=30)


def place(fit, usage, fit_cut=70, usage_cut=70):
    return assign_cells(np.array([fit], dtype=float), np.array([usage], dtype=float), fit_cut, usage_cut)[0]


@pytest.mark.parametrize(
    ("fit", "usage", "cell"),
    [
        (70, 70, "hot"),
        (100, 100, "hot"),
        (70, 69.999, "develop"),
        (69.999, 70, "self_serve"),
        (69.999, 69.999, "deprioritise"),
        (0, 0, "deprioritise"),
        (float("nan"), 100, "unknown"),
        (100, float("nan"), "unknown"),
    ],
)
def test_a_cut_itself_is_high_and_what_is_not_known_is_in_no_cell(fit, usage, cell):
    assert place(fit, usage) == cell


@given(PAIRS)
def test_the_cells_partition_the_accounts_at_every_cut(pairs):
    fit, usage = np.array(pairs).T
    cuts = MatrixCuts(fit=70, usage=70, moved_by=10)

    counts = count_cells(fit, usage, cuts)

    assert len(counts) == 9
    assert (counts[[*CELLS, UNKNOWN]].sum(axis=1) == len(pairs)).all()
    middle = counts[(counts["fit_cut"] == 70) & (counts["usage_cut"] == 70)].iloc[0]
    cells = assign_cells(fit, usage, 70, 70)
    assert {name: middle[name] for name in (*CELLS, UNKNOWN)} == {name: (cells == name).sum() for name in (*CELLS, UNKNOWN)}


@given(PAIRS)
def test_higher_cuts_leave_no_more_accounts_hot_and_no_fewer_deprioritised(pairs):
    fit, usage = np.array(pairs).T

    counts = count_cells(fit, usage, MatrixCuts(fit=70, usage=70, moved_by=10)).set_index(["fit_cut", "usage_cut"])

    low, middle, high = (counts.loc[(cut, cut)] for cut in (60, 70, 80))
    assert low["hot"] >= middle["hot"] >= high["hot"]
    assert low["deprioritise"] <= middle["deprioritise"] <= high["deprioritise"]


def test_the_sensitivity_shows_who_stands_next_to_a_cut():
    fit, usage = np.array([95.0, 75.0, 65.0]), np.array([95.0, 65.0, 75.0])

    counts = count_cells(fit, usage, MatrixCuts(fit=70, usage=70, moved_by=10)).set_index(["fit_cut", "usage_cut"])

    assert counts["hot"].to_dict() == {
        (60, 60): 3, (60, 70): 2, (60, 80): 1, (70, 60): 2, (70, 70): 1, (70, 80): 1, (80, 60): 1, (80, 70): 1, (80, 80): 1,
    }  # fmt: skip
