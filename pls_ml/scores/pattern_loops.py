"""The compiled loops behind `patterns`: filling the tables, and looking rows up in them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pls_ml.scores.trees import AMONG, LEFT_IF_MISSING, MOST_CODES

Numbers = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint32]
Masks = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
BLOCK = 1024
"""Rows that pass through one tree together."""


def fill_tables(  # noqa: PLR0913, PLR0917  # one compiled loop over flat arrays
    widths: Numbers, tables_begin: Numbers, leaves_begin: Numbers, values: Floats, items_begin: Numbers, places: Numbers, asked: Numbers,
    said: Numbers, shares: Floats, points: Floats, weights: Floats, tables: Floats,
) -> None:  # fmt: skip
    """Takes the parts' leaves; adds to `tables`, feature after feature, what every pattern gives each feature of each part.

    widths (parts): bits; a part's leaves, a leaf's items (one per feature on its path): where they begin; values (leaves); per item: the
    feature's place in the part, the bits of the pattern asked and set when a row passes, the share of rows passing; for each number
    of them the points and weights of an integral over 0 … 1.
    """
    most = points.shape[0]
    factor, passes = np.empty((2 * most, most)), np.empty(2 * most, np.bool_)
    for part in range(widths.shape[0]):
        patterns = 1 << widths[part]
        for leaf in range(leaves_begin[part], leaves_begin[part + 1]):
            first, end = items_begin[leaf], items_begin[leaf + 1]
            n_points = (end - first + 1) // 2
            for pattern in range(patterns):
                for item in range(first, end):
                    passes[item - first] = (pattern & asked[item]) == said[item]
                    passed = 1.0 if passes[item - first] else 0.0
                    for q in range(n_points):
                        factor[item - first, q] = shares[item] + points[n_points, q] * (passed - shares[item])
                for item in range(first, end):
                    total = 0.0
                    for q in range(n_points):
                        product = weights[n_points, q]
                        for other in range(end - first):
                            if other != item - first:
                                product *= factor[other, q]
                        total += product
                    passed = 1.0 if passes[item - first] else 0.0
                    tables[tables_begin[part] + places[item] * patterns + pattern] += values[leaf] * (passed - shares[item]) * total


def add_shares(  # noqa: PLR0912, PLR0913, PLR0917  # one compiled loop; calls would cost what it saves
    columns: Floats, nodes_begin: Numbers, feature: Numbers, kind: Numbers, threshold: Floats, mask: Masks, parts_begin: Numbers,
    bits_begin: Numbers, asked: Bits, said: Bits, features_begin: Numbers, features: Numbers, tables_begin: Numbers, tables: Floats,
    shares: Floats,
) -> None:  # fmt: skip
    """Takes columns (m × n); adds to `shares` (m × n) what all trees give each column of each row.

    Per tree where its nodes and parts begin; per node its question; per part where its bits and features begin, and its table; per bit the
    questions of the tree it asks about, and those of them that are answered with yes.
    """
    rows = columns.shape[1]
    answers, pattern = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.uint32)
    none = np.uint32(0)
    for begin in range(0, rows, BLOCK):
        size = min(BLOCK, rows - begin)
        for tree in range(nodes_begin.shape[0] - 1):
            first = nodes_begin[tree]
            answers[:size] = none
            for node in range(first, nodes_begin[tree + 1]):
                column, bit, limit = columns[feature[node], begin : begin + size], np.uint32(node - first), threshold[node]
                if kind[node] == AMONG:
                    for r in range(size):
                        x = column[r]
                        if x > -1 and x < MOST_CODES:
                            answers[r] |= np.uint32((mask[node] >> np.uint64(x)) & np.uint64(1)) << bit
                elif kind[node] == LEFT_IF_MISSING:
                    for r in range(size):
                        answers[r] |= np.uint32(not column[r] > limit) << bit
                else:
                    for r in range(size):
                        answers[r] |= np.uint32(column[r] <= limit) << bit
            for part in range(parts_begin[tree], parts_begin[tree + 1]):
                pattern[:size] = none
                for b in range(bits_begin[part], bits_begin[part + 1]):
                    need, want, place = asked[b], said[b], np.uint32(b - bits_begin[part])
                    for r in range(size):
                        pattern[r] |= np.uint32((answers[r] & need) == want) << place
                length = 1 << (bits_begin[part + 1] - bits_begin[part])
                for f in range(features_begin[part], features_begin[part + 1]):
                    at = tables_begin[part] + (f - features_begin[part]) * length
                    table, out = tables[at : at + length], shares[features[f], begin : begin + size]
                    for r in range(size):
                        out[r] += table[pattern[r]]
