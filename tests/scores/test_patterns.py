"""SHAP values from tables are LightGBM's own, whatever the trees ask."""

import lightgbm
import numpy as np
import pytest

from pls_ml.scores import patterns
from pls_ml.scores.patterns import BATCH, TreeShares, cut_tree
from pls_ml.scores.trees import Tree, read_trees

ROWS, COLUMNS = 3000, 12
QUIET = {"verbose": -1, "objective": "binary", "num_threads": 1, "min_data_in_leaf": 10, "deterministic": True, "seed": 1}
SHAPES = {
    "usual": {"num_leaves": 15},
    "stumps": {"num_leaves": 2},
    "wide": {"num_leaves": 31, "feature_fraction": 0.6},
    "more questions than a number has bits": {"num_leaves": 80, "min_data_in_leaf": 5},
    "monotone": {"num_leaves": 15, "monotone_constraints": [1, -1] + [0] * (COLUMNS - 2)},
    "zeros taken for missing": {"num_leaves": 15, "zero_as_missing": True},
    "missing not told apart": {"num_leaves": 15, "use_missing": False},
    "regularised": {"num_leaves": 31, "lambda_l2": 5.0, "bagging_fraction": 0.7, "bagging_freq": 1},
}


def draw_rows(seed: int, rows: int = ROWS) -> np.ndarray:
    """Counts with many zeros, doubles, two categories; gaps in every second column."""
    draw = np.random.default_rng(seed)
    matrix = draw.normal(size=(rows, COLUMNS))
    matrix[:, :4] = np.floor(np.exp(matrix[:, :4]))
    matrix[:, 4] = draw.integers(0, 3, rows)
    matrix[:, 5] = draw.integers(0, 60, rows)
    matrix[:, ::2][draw.random((rows, COLUMNS // 2)) < 0.2] = np.nan
    matrix[draw.random(rows) < 0.1, 5] = np.nan
    return matrix


def train(shape: dict, trees: int = 12, columns: int = COLUMNS, categories: tuple[int, ...] = (4, 5)) -> lightgbm.Booster:
    matrix = draw_rows(0)[:, :columns]
    known = np.nan_to_num(matrix)
    odds = 0.4 * known[:, 0] - 0.3 * known[:, 1] + known[:, 5] % 3 - known[:, 4] * known[:, 6] + np.isnan(matrix[:, 2]) - 1
    labels = (odds + np.random.default_rng(5).logistic(size=ROWS) > 0).astype(int)
    data = lightgbm.Dataset(matrix, labels, categorical_feature=list(categories), params={"verbose": -1})
    return lightgbm.train(QUIET | shape, data, trees)


def assert_library(boosters: list[lightgbm.Booster], matrix: np.ndarray) -> None:
    base, shares = TreeShares(boosters).explain(matrix)
    expected = sum(booster.predict(matrix, pred_contrib=True) for booster in boosters)
    assert shares == pytest.approx(expected[:, :-1], abs=1e-12)
    assert base == pytest.approx(expected[0, -1], abs=1e-12)
    assert base + shares.sum(axis=1) == pytest.approx(sum(booster.predict(matrix, raw_score=True) for booster in boosters), abs=1e-11)


@pytest.mark.parametrize("name", SHAPES)
def test_shares_are_those_of_the_library(name):
    assert_library([train(SHAPES[name])], draw_rows(1))


def test_several_models_are_added_up():
    assert_library([train(SHAPES["usual"]), train(SHAPES["wide"], 5), train(SHAPES["monotone"], 3)], draw_rows(2))


def test_codes_that_training_never_saw_and_values_beyond_every_threshold():
    strange = np.repeat(draw_rows(3, 8), 2, axis=0)
    strange[:, 5] = [63, 64, 500, -1, -0.5, np.nan, 59.9, 0] * 2
    strange[:8, 6], strange[8:, 6] = 1e300, -1e300
    assert_library([train(SHAPES["wide"])], strange)


def test_a_value_on_a_threshold_goes_left():
    booster = train(SHAPES["usual"])
    tree = next(tree for tree in read_trees(booster.model_to_string()) if tree)
    on_it = draw_rows(4, len(tree.feature))
    for node, (feature, threshold) in enumerate(zip(tree.feature, tree.threshold, strict=True)):
        on_it[node, feature] = threshold
    assert_library([booster], np.vstack([on_it, np.nextafter(on_it, np.inf)]))


def test_trees_of_one_leaf_are_all_base():
    booster = train({"num_leaves": 15, "min_gain_to_split": 1e9}, 3)
    assert {len(tree.feature) for tree in read_trees(booster.model_to_string()) if tree} == {0}
    assert_library([booster], draw_rows(1, 50))


def test_no_trees_give_nothing():
    base, shares = TreeShares([]).explain(draw_rows(1, 3))
    assert base == 0
    assert shares.tolist() == np.zeros((3, COLUMNS)).tolist()


def test_no_rows_have_no_shares_but_a_base():
    booster = train(SHAPES["usual"])
    base, shares = TreeShares([booster]).explain(np.empty((0, COLUMNS)))
    assert shares.shape == (0, COLUMNS)
    assert base == pytest.approx(booster.predict(draw_rows(1, 1), pred_contrib=True)[0, -1], abs=1e-12)


def test_a_path_of_too_many_features_is_left_to_the_library():
    """Each leaf but the last splits off by a feature of its own, as trees that grow leaf by leaf do where every signal adds a little."""
    draw = np.random.default_rng(0)
    matrix = draw.random((6000, 20))
    labels = (matrix > 0.15).all(axis=1) | (draw.random(6000) < 0.02)
    booster = lightgbm.train(QUIET | {"num_leaves": 21}, lightgbm.Dataset(matrix, labels.astype(int), params={"verbose": -1}), 4)
    shares = TreeShares([booster])
    assert [cut_tree(tree) is None for tree in read_trees(booster.model_to_string()) if tree] == [True] * 4
    assert_library([booster], matrix[:300])
    assert shares.explain(matrix[:1])[1].tolist() == shares.explain(matrix[:300])[1][:1].tolist()


def test_trees_whose_tables_find_no_room_are_left_to_the_library(monkeypatch):
    booster = train(SHAPES["usual"])
    monkeypatch.setattr(patterns, "MOST_CELLS", 5 * sum(part.cells for part in cut_tree(next(read_trees(booster.model_to_string())))))
    assert_library([booster], draw_rows(1, 50))


def test_a_lead_has_the_same_shares_alone_and_among_others_for_any_number_of_threads():
    matrix = draw_rows(6, 2 * BATCH + 1500)
    shares = TreeShares([train(SHAPES["wide"])])
    everybody = shares.explain(matrix)[1]
    assert shares.explain(matrix, threads=2)[1].tobytes() == everybody.tobytes()
    for row in (0, 1023, 1024, BATCH - 1, BATCH, len(matrix) - 1):
        assert shares.explain(matrix[row : row + 1])[1].tobytes() == everybody[row : row + 1].tobytes()


def test_leaves_that_lie_together_share_a_table_and_every_leaf_is_in_one():
    tree = Tree(
        feature=(0, 1, 0), kind=(0, 0, 0), threshold=(5.0, 2.0, 1.0), mask=(0, 0, 0), left=(1, 2, -1), right=(-4, -3, -2),
        node_rows=(100, 60, 40), leaf_value=(1.0, 2.0, 3.0, 4.0), leaf_rows=(10, 30, 20, 40),
    )  # fmt: skip

    (part,) = cut_tree(tree)

    assert part.features == (0, 1)
    assert part.bits == ((1, 1), (2, 2), (4, 4))
    assert sorted(leaf.value for leaf in part.leaves) == [1.0, 2.0, 3.0, 4.0]
    twice_asked = next(leaf for leaf in part.leaves if leaf.value == 1.0)
    assert {item[0]: item for item in twice_asked.items} == {0: (0, 0b101, 0b101, 0.6 * 10 / 40), 1: (1, 0b010, 0b010, 40 / 60)}


def test_shares_are_shapley_values_of_the_trees_own_expectation():
    """From the definition: the mean over all orders in which features become known, of what each adds to the expected value."""
    from itertools import permutations

    matrix = draw_rows(0)[:, [0, 1, 6]]
    labels = (np.nan_to_num(matrix).sum(axis=1) + np.random.default_rng(2).normal(size=ROWS) > 1).astype(int)
    booster = lightgbm.train(QUIET | {"num_leaves": 8}, lightgbm.Dataset(matrix, labels, params={"verbose": -1}), 1)
    (tree,) = (tree for tree in read_trees(booster.model_to_string()) if tree)
    row = np.array([1.0, 0.0, 0.3])

    def expect(known: tuple[int, ...], child: int = 0) -> float:
        if child < 0:
            return tree.leaf_value[-1 - child]
        left, right = tree.left[child], tree.right[child]
        if tree.feature[child] in known:
            return expect(known, left if row[tree.feature[child]] <= tree.threshold[child] else right)
        return (tree.rows(left) * expect(known, left) + tree.rows(right) * expect(known, right)) / tree.node_rows[child]

    orders = list(permutations(range(3)))
    added = [[expect(o[: o.index(i) + 1]) - expect(o[: o.index(i)]) for i in range(3)] for o in orders]

    base, shares = TreeShares([booster]).explain(row[None])

    assert base == pytest.approx(expect(()), abs=1e-12)
    assert shares[0] == pytest.approx(np.mean(added, axis=0), abs=1e-12)
