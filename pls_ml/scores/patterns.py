"""Exact SHAP values of trees from tables: everything that a part of a tree can say, computed once.

A leaf with value v gives feature i of the k features on its path (Lundberg et al. 2020, path-dependent) v (o_i − z_i) times the integral
over t from 0 to 1 of the product over the other features of z_j + t (o_j − z_j): o_j is 1 where the row passes every question about j on
the path and else 0, z_j the share of the training rows that passes them. So a leaf has but 2^k answers, and leaves that lie together,
below one node, share theirs: a pattern has a bit for every feature on the path to that node, and one for every question below it.
The integrals are Gauss–Legendre sums, exact for these polynomials.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.compiled import compile_loop
from pls_ml.core.protocols import Floats
from pls_ml.scores.pattern_loops import add_shares, fill_tables
from pls_ml.scores.trees import Tree, read_trees

JOINED_BITS = 10
"""Bits up to which leaves that lie together share a table; larger ones take longer to fill and fall out of the processor's cache."""
MOST_BITS = 16
"""Bits of one leaf's table; a deeper tree is left to LightGBM."""
MOST_CELLS = 2**27
"""A gigabyte of tables; trees beyond it are left to LightGBM."""
MOST_NODES = 32
"""A row's answers in a tree are the bits of one number."""
BATCH = 8192
"""Rows explained in one go."""
Path = dict[int, tuple[int, int, float]]
"""Feature → the questions about it on the way down, those of them answered with yes (both as bits), and the share of rows that pass."""


@dataclass(frozen=True)
class Leaf:
    """A leaf's value; for every feature on its path its place in the part, the bits asked, the bits set, and the share of rows passing."""

    value: float
    items: tuple[tuple[int, int, int, float], ...]


@dataclass(frozen=True)
class Part:
    """Leaves of a tree that share a table: its features, what each bit of a pattern asks (questions, those answered yes), its leaves."""

    features: tuple[int, ...]
    bits: tuple[tuple[int, int], ...]
    leaves: tuple[Leaf, ...]

    @property
    def cells(self) -> int:
        """The size of its table."""
        return len(self.features) << len(self.bits)


class TreeShares:
    """SHAP values of boosted trees, by tables where trees allow it and else by LightGBM."""

    def __init__(self, boosters: Sequence[Any], most_cells: int = MOST_CELLS) -> None:
        """Takes LightGBM boosters, whose values are added up, and how large all tables may be together; fills the tables."""
        self._base, self._left = 0.0, []
        trees, parts, cells = [], [], 0
        for booster in boosters:
            for number, tree in enumerate(read_trees(booster.model_to_string())):
                cut = cut_tree(tree) if tree is not None else None
                size = sum(part.cells for part in cut or ())
                if tree is None or cut is None or cells + size > most_cells:
                    self._left.append((booster, number))
                    continue
                self._base, cells = self._base + tree.expected(), cells + size
                trees.append(tree)
                parts.append(cut)
        self._arrays = _flatten_nodes(trees) + _flatten_parts(parts)

    def explain(self, matrix: Floats, threads: int = 1) -> tuple[float, Floats]:
        """Takes n × m doubles and how many threads may work; returns the base and n × m shares; base + row sum = the trees' sum."""
        batches = range(0, len(matrix), BATCH)
        shares, base = np.zeros(matrix.shape), self._base + self._ask_library(np.full((1, matrix.shape[1]), np.nan))[0, -1]
        with ThreadPoolExecutor(threads) as pool:
            for begin, found in zip(batches, pool.map(lambda begin: self._explain(matrix[begin : begin + BATCH]), batches), strict=True):
                shares[begin : begin + BATCH] = found
        return float(base), shares

    def _explain(self, rows: Floats) -> Floats:
        columns, shares = np.ascontiguousarray(rows.T), np.zeros(rows.shape[::-1])
        compile_loop(add_shares)(columns, *self._arrays, shares)
        return np.asarray(shares.T + self._ask_library(rows)[:, :-1])

    def _ask_library(self, rows: Floats) -> Floats:
        shares = np.zeros((len(rows), rows.shape[1] + 1))
        for booster, number in self._left:
            shares += booster.predict(rows, pred_contrib=True, start_iteration=number, num_iteration=1, num_threads=1)
        return shares


def cut_tree(tree: Tree) -> list[Part] | None:
    """Takes a tree; returns its leaves in parts, none for a tree of one leaf; or nothing where a table would be too large."""
    if len(tree.feature) > MOST_NODES or 0 in tree.leaf_rows:
        return None
    parts = list(_cut(tree, 0, {})) if tree.feature else []
    return None if any(len(part.bits) > MOST_BITS for part in parts) else parts


def _cut(tree: Tree, child: int, path: Path) -> Iterator[Part]:
    below = [] if child < 0 else _nodes_below(tree, child)
    if child < 0 or len(path) + len(below) <= JOINED_BITS:
        yield _join(tree, child, path, below)
    else:
        for yes in (1, 0):
            yield from _cut(tree, *_step(tree, child, path, yes))


def _join(tree: Tree, child: int, path: Path, below: list[int]) -> Part:
    features = sorted({*path, *(tree.feature[node] for node in below)})
    place = {feature: position for position, feature in enumerate(path)}
    bit = {node: len(path) + position for position, node in enumerate(below)}

    def ask(feature: int, found: tuple[int, int, float]) -> tuple[int, int, int, float]:
        asked, said, share = found
        before = 1 << place[feature] if feature in path else 0
        inside = [node for node in below if asked >> node & 1]
        yes = sum(1 << bit[node] for node in inside if said >> node & 1)
        return features.index(feature), before + sum(1 << bit[node] for node in inside), before + yes, share

    leaves = [Leaf(value, tuple(ask(*found) for found in items.items())) for value, items in _leaves_below(tree, child, path)]
    bits = [(asked, said) for asked, said, _ in path.values()] + [(1 << node, 1 << node) for node in below]
    return Part(tuple(features), tuple(bits), tuple(leaves))


def _step(tree: Tree, node: int, path: Path, yes: int) -> tuple[int, Path]:
    """The child that an answer leads to, and the path to it."""
    child, feature = (tree.left if yes else tree.right)[node], tree.feature[node]
    asked, said, share = path.get(feature, (0, 0, 1.0))
    return child, path | {feature: (asked | 1 << node, said | yes << node, share * tree.rows(child) / tree.node_rows[node])}


def _nodes_below(tree: Tree, node: int) -> list[int]:
    return [node, *(n for child in (tree.left[node], tree.right[node]) if child >= 0 for n in _nodes_below(tree, child))]


def _leaves_below(tree: Tree, child: int, path: Path) -> Iterator[tuple[float, Path]]:
    if child < 0:
        yield tree.leaf_value[-1 - child], path
    else:
        for yes in (1, 0):
            yield from _leaves_below(tree, *_step(tree, child, path, yes))


def _flatten_nodes(trees: Sequence[Tree]) -> tuple[npt.NDArray[Any], ...]:
    return (
        _begins(len(tree.feature) for tree in trees),
        np.array([f for tree in trees for f in tree.feature], np.int64),
        np.array([kind for tree in trees for kind in tree.kind], np.int64),
        np.array([limit for tree in trees for limit in tree.threshold], np.float64),
        np.array([mask for tree in trees for mask in tree.mask], np.uint64),
    )


def _flatten_parts(by_tree: Sequence[Sequence[Part]]) -> tuple[npt.NDArray[Any], ...]:
    parts = [part for cut in by_tree for part in cut]
    bits = np.array([bit for part in parts for bit in part.bits], np.uint32).reshape(-1, 2).T
    tables_begin = _begins(part.cells for part in parts)
    return (
        _begins(map(len, by_tree)),
        _begins(len(part.bits) for part in parts),
        np.ascontiguousarray(bits[0]),
        np.ascontiguousarray(bits[1]),
        _begins(len(part.features) for part in parts),
        np.array([feature for part in parts for feature in part.features], np.int64),
        tables_begin,
        _fill(parts, tables_begin),
    )


def _fill(parts: Sequence[Part], tables_begin: npt.NDArray[np.int64]) -> Floats:
    leaves = [leaf for part in parts for leaf in part.leaves]
    items = [item for leaf in leaves for item in leaf.items]
    whole = np.array([item[:3] for item in items], np.int64).reshape(-1, 3).T
    rules = np.zeros((2, MOST_BITS // 2 + 1, MOST_BITS // 2 + 1))  # n points are exact up to degree 2 n − 1
    for n in range(1, rules.shape[1]):
        rules[:, n, :n] = np.polynomial.legendre.leggauss(n)
    tables = np.zeros(tables_begin[-1])
    compile_loop(fill_tables)(
        np.array([len(part.bits) for part in parts], np.int64),
        tables_begin,
        _begins(len(part.leaves) for part in parts),
        np.array([leaf.value for leaf in leaves], np.float64),
        _begins(len(leaf.items) for leaf in leaves),
        *map(np.ascontiguousarray, whole),
        np.array([item[3] for item in items], np.float64),
        (rules[0] + 1) / 2,
        rules[1] / 2,
        tables,
    )
    return tables


def _begins(lengths: Iterable[int]) -> npt.NDArray[np.int64]:
    return np.array([0, *accumulate(lengths)], np.int64)
