"""LightGBM's model text → its trees as plain lists: what each node asks, and how many training rows went which way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

CATEGORICAL, DEFAULT_LEFT = 1, 2
"""Bits of a decision type; the two bits above them say what counts as missing."""
MISSING_IS_ZERO, MISSING_IS_NAN = 1, 2
RIGHT_IF_MISSING, LEFT_IF_MISSING, AMONG = 0, 1, 2
"""What a node asks: at most the threshold (missing: no), not above the threshold (missing: yes), or one of the codes of a mask."""
MOST_CODES = 64
"""Codes of a category that a mask holds."""


@dataclass(frozen=True)
class Tree:
    """Inner nodes with their question and children (negative: −1 − leaf), leaves with their values, and the training rows at each."""

    feature: tuple[int, ...]
    kind: tuple[int, ...]
    threshold: tuple[float, ...]
    mask: tuple[int, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    node_rows: tuple[float, ...]
    leaf_value: tuple[float, ...]
    leaf_rows: tuple[float, ...]

    def rows(self, child: int) -> float:
        """Takes a child; returns how many training rows came to it."""
        return self.node_rows[child] if child >= 0 else self.leaf_rows[-1 - child]

    def expected(self) -> float:
        """Takes nothing; returns the mean of the leaves over the training rows."""
        if not self.feature:
            return self.leaf_value[0]
        return sum(value * rows for value, rows in zip(self.leaf_value, self.leaf_rows, strict=True)) / self.node_rows[0]


def read_trees(text: str) -> Iterator[Tree | None]:
    """Takes LightGBM's model text; yields its trees in order, None for one that asks what `Tree` cannot say."""
    for block in text.split("\nTree=")[1:]:
        pairs = (line.split("=", 1) for line in block.split("\n\n", 1)[0].splitlines()[1:] if "=" in line)
        yield _read_tree({name: value.split() for name, value in pairs})


def _read_tree(found: dict[str, list[str]]) -> Tree | None:
    def numbers(name: str) -> tuple[float, ...]:
        return tuple(float(value) for value in found.get(name, ()))

    def whole(name: str) -> tuple[int, ...]:
        return tuple(int(value) for value in found.get(name, ()))

    types, thresholds = whole("decision_type"), numbers("threshold")
    masks = [
        _read_mask(whole("cat_boundaries"), whole("cat_threshold"), int(t)) if d & CATEGORICAL else 0
        for d, t in zip(types, thresholds, strict=True)
    ]
    if any(d >> 2 == MISSING_IS_ZERO for d in types) or any(mask is None for mask in masks) or found.get("is_linear") == ["1"]:
        return None
    kinds = tuple(_name_question(d, t) for d, t in zip(types, thresholds, strict=True))
    children = whole("left_child"), whole("right_child")
    known = tuple(mask or 0 for mask in masks)
    return Tree(
        whole("split_feature"), kinds, thresholds, known, *children, numbers("internal_count"), numbers("leaf_value"), numbers("leaf_count")
    )


def _name_question(decision: int, threshold: float) -> int:
    if decision & CATEGORICAL:
        return AMONG
    if decision >> 2 == MISSING_IS_NAN:
        return LEFT_IF_MISSING if decision & DEFAULT_LEFT else RIGHT_IF_MISSING
    return LEFT_IF_MISSING if threshold >= 0 else RIGHT_IF_MISSING  # where training saw no missing value, LightGBM takes one for 0


def _read_mask(boundaries: tuple[int, ...], words: tuple[int, ...], place: int) -> int | None:
    """A category's codes that go left, as bits."""
    mask = sum(word << (32 * n) for n, word in enumerate(words[boundaries[place] : boundaries[place + 1]]))
    return mask if mask < 1 << MOST_CODES else None
