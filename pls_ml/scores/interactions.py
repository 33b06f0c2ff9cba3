"""How much of boosted trees is pairs of signals: exact Shapley interaction values, for a sample of rows.

A leaf with value v is reached where every feature on its path agrees. As a game of these features (path-dependent, as the shares of
`patterns` are) it is v times a product of factors z_j + t (o_j − z_j), and the interaction of i and j is v (o_i − z_i)(o_j − z_j) times
the integral over t from 0 to 1 of the product of the other factors (Fujimoto et al. 2006; Lundberg et al. 2020). One half of it is given
to each of (i, j) and (j, i), as shap does, which has the same values for trees without categories and none for trees with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.errors import BundleError
from pls_ml.core.protocols import Floats
from pls_ml.scores.trees import AMONG, LEFT_IF_MISSING, Tree, read_trees

Path = dict[int, tuple[tuple[tuple[int, bool], ...], float]]
"""Feature → the nodes on the way down that ask for it with the answers that lead on, and the share of rows that gives them all."""


def measure_interactions(boosters: Sequence[Any], matrix: Floats) -> Floats:
    """Takes LightGBM boosters, whose values are averaged, and n × m doubles; returns n × m × m interactions, 0 on the diagonal.

    Refuses trees that cannot be read. Takes n · m² doubles of room: meant for some hundred rows.
    """
    found = np.zeros((len(matrix), matrix.shape[1], matrix.shape[1]))
    for booster in boosters:
        for tree in read_trees(booster.model_to_string()):
            if tree is None or 0 in tree.leaf_rows:
                raise BundleError("a tree of the model asks what cannot be split into pairs of signals: train again")
            _add_tree(found, tree, matrix)
    return found / max(len(boosters), 1)


def _add_tree(found: Floats, tree: Tree, matrix: Floats) -> None:
    answers = _answer(tree, matrix)
    for value, path in _find_leaves(tree, 0, {}) if tree.feature else ():
        if len(path) < 2:
            continue
        features = np.array(list(path))
        share = np.array([part for _, part in path.values()])
        agrees = np.stack([np.all([answers[node] == yes for node, yes in asked], axis=0) for asked, _ in path.values()], axis=1)
        found[:, features[:, None], features[None, :]] += _share_out(value, agrees - share, share)


def _share_out(value: float, step: Floats, share: Floats) -> Floats:
    """A leaf's value, n × k distances o − z and k shares z; returns n × k × k halves of interactions."""
    k = len(share)
    points, weights = np.polynomial.legendre.leggauss(k // 2)  # exact up to degree k − 1; k − 2 is asked
    factors = share[None, :, None] + (points + 1)[None, None, :] / 2 * step[:, :, None]
    whole = factors.prod(axis=1) * (value * weights / 4)
    slopes = step[:, :, None] / factors
    pairs = np.einsum("nq,niq,njq->nij", whole, slopes, slopes)
    pairs[:, np.arange(k), np.arange(k)] = 0
    return np.asarray(pairs)


def _answer(tree: Tree, matrix: Floats) -> npt.NDArray[np.bool_]:
    """Takes a tree and n × m doubles; returns nodes × n: which rows go left."""
    answers = np.empty((len(tree.feature), len(matrix)), np.bool_)
    for node, (feature, kind, limit, mask) in enumerate(zip(tree.feature, tree.kind, tree.threshold, tree.mask, strict=True)):
        values = matrix[:, feature]
        if kind == AMONG:
            codes = [code for code in range(mask.bit_length()) if mask >> code & 1]
            answers[node] = np.isin(values, codes)
        else:
            answers[node] = ~(values > limit) if kind == LEFT_IF_MISSING else values <= limit
    return answers


def _find_leaves(tree: Tree, child: int, path: Path) -> Iterator[tuple[float, Path]]:
    if child < 0:
        yield tree.leaf_value[-1 - child], path
        return
    feature = tree.feature[child]
    asked, share = path.get(feature, ((), 1.0))
    for yes, below in ((True, tree.left[child]), (False, tree.right[child])):
        passed = tree.rows(below) / tree.node_rows[child]
        yield from _find_leaves(tree, below, path | {feature: ((*asked, (child, yes)), share * passed)})
