"""Where a value lies among its peers: tables by hand, mid-ranks, and what cannot be compared."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pls_ml.core.catalogue import Catalogue
from pls_ml.explanations.peers import FEWEST, MOST_KNOTS, Peers, freeze_peers

CATALOGUE = Catalogue.model_validate(
    {
        "signals": [
            {"id": "uses", "family": "use", "measure": {"kind": "count"}, "windows": ["30d"], "label": "uses"},
            {"id": "industry", "family": "fit", "label": "industry",
             "measure": {"kind": "attribute", "table": "accounts", "column": "industry", "type": "category"}},
        ]
    }
)  # fmt: skip


def freeze(numbers, segment="smb"):
    values = pd.DataFrame({"uses_30d": numbers, "industry": ["software"] * len(numbers)})
    return freeze_peers(values, [segment] * len(numbers), CATALOGUE)


def place(tables, numbers, segment="smb"):
    peers = Peers(tables, np.array([segment] * len(numbers), dtype=object), "user")
    below, upto = peers.place("uses_30d", np.array(numbers, float), np.arange(len(numbers)))
    return below.tolist(), upto.tolist()


def test_each_of_few_distinct_values_is_kept_with_its_shares():
    tables = freeze([0.0] * 20 + [1.0] * 10 + [5.0] * 10)

    assert tables == {"smb": {"uses_30d": [[0.0, 0.0, 50.0], [1.0, 50.0, 75.0], [5.0, 75.0, 100.0]]}}


def test_a_value_of_the_peers_gets_its_own_shares_and_one_between_them_a_straight_line():
    tables = freeze([0.0] * 20 + [1.0] * 10 + [5.0] * 10)

    below, upto = place(tables, [0, 1, 5, 3, -1, 9])

    assert below == [0, 50, 75, 75, 0, 100]
    assert upto == [50, 75, 100, 75, 0, 100]


def test_many_distinct_values_are_kept_at_their_quantiles():
    tables = freeze(np.arange(1000.0))

    knots = tables["smb"]["uses_30d"]
    below, upto = place(tables, [250.0, 499.0, 999.0])

    assert len(knots) <= MOST_KNOTS
    assert (knots[0], knots[-1]) == ([0.0, 0.0, 0.1], [999.0, 99.9, 100.0])
    assert below == pytest.approx([25.0, 49.9, 99.9], abs=0.1)
    assert upto == pytest.approx([25.1, 50.0, 100.0], abs=0.1)


def test_categories_small_segments_and_unknown_values_are_not_compared():
    assert freeze([1.0] * (FEWEST - 1) + [np.nan] * 50) == {}
    tables = freeze([1.0] * FEWEST + [np.nan] * 50)

    assert tables == {"smb": {"uses_30d": [[1.0, 0.0, 100.0]]}}
    assert np.isnan(place(tables, [np.nan])).all()
    assert np.isnan(place(tables, [1.0], "enterprise")).all()
    assert np.isnan(place({}, [1.0])).all()


@given(st.lists(st.integers(0, 200), min_size=FEWEST, max_size=400), st.lists(st.integers(-5, 210), min_size=2, max_size=30))
def test_higher_values_never_lie_lower_and_shares_stay_within_bounds(population, asked):
    tables, numbers = freeze(np.array(population, float)), sorted(asked)

    below, upto = map(np.array, place(tables, numbers))

    assert ((below >= 0) & (below <= upto) & (upto <= 100)).all()
    middle = (below + upto) / 2
    assert (np.diff(middle) >= -0.02).all()  # shares are kept to two decimals


@given(st.lists(st.integers(0, MOST_KNOTS - 1), min_size=FEWEST, max_size=200))
def test_shares_of_the_peers_own_values_are_exact(population):
    numbers = np.array(population, float)

    below, upto = place(freeze(numbers), numbers)

    assert below == pytest.approx([(numbers < x).mean() * 100 for x in numbers], abs=0.0051)
    assert upto == pytest.approx([(numbers <= x).mean() * 100 for x in numbers], abs=0.0051)
