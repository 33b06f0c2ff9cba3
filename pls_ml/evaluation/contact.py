"""When sales called what somebody's scores picked, history flatters those scores: brackets, or weights where chance decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.evaluation.comparison import Comparison

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

LEAST_CHANCE = 0.05
"""Weights end at 20: a row that stands for more would decide alone."""
STRAY_SHARE = 0.05
"""Where more rows outside of every experiment are contacted, what is left of them is no sample of anything."""


@dataclass(frozen=True, eq=False)
class ContactWeights:
    """n weights of rows in a world without contacts (0: tells nothing about it), how many rows they are worth, and what was left out."""

    weight: Floats
    effective: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ContactBias:
    """The same comparison on all rows, on uncontacted ones and, where chance decided, on weighted ones; and what to make of it."""

    contacted_share: float
    all_rows: Comparison
    uncontacted: Comparison | None
    weighted: Comparison | None
    effective_rows: float | None
    sentences: tuple[str, ...]

    @property
    def brackets(self) -> dict[str, Comparison]:
        """The comparisons there are, by name."""
        found = {"all": self.all_rows, "uncontacted": self.uncontacted, "weighted": self.weighted}
        return {name: one for name, one in found.items() if one is not None}

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values; the comparison on all rows is reported elsewhere."""
        others = {name: one.to_dict() for name, one in self.brackets.items() if name != "all"}
        shares = {"contacted_share": self.contacted_share, "effective_rows": self.effective_rows}
        return {**shares, **others, "sentences": list(self.sentences)}


def weigh_contacts(contacted: Mask, assigned: Mask, treated: Mask, chance: Floats) -> ContactWeights:
    """Takes n flags (contacted; in an experiment; there in `treat`) and n chances of no `treat`; returns weights without contacts.

    A row counts when chance kept sales away from it, for 1 / chance rows, clipped at a chance of 0.05; rows in no experiment count for
    themselves, unless sales contacted some of those too. Rows of `treat` stand for nothing, whether sales reached them or not.
    """
    notes = []
    stray = float(contacted[~assigned].mean()) if (~assigned).any() else 0.0
    usable = ~contacted & ~treated
    if stray > STRAY_SHARE:
        usable &= assigned
        notes.append(
            f"{stray:.0%} of the rows outside of every experiment were contacted: the weighted rows are those of the experiment only"
        )
    held = assigned & ~treated
    if (broken := int((held & contacted).sum())) > 0:
        notes.append(f"{broken:,} of {int(held.sum()):,} held-out rows were contacted all the same, and are left out")
    weight = np.where(usable, 1 / np.maximum(chance, LEAST_CHANCE), 0.0)
    effective = float(weight.sum() ** 2 / (weight**2).sum()) if usable.any() else 0.0
    return ContactWeights(weight, effective, tuple(notes))


def judge_contacts(
    all_rows: Comparison,
    contacted: Mask,
    weights: ContactWeights | None,
    compare: Callable[[Mask, Floats | None], Comparison | None],
) -> ContactBias:
    """Takes the comparison on all rows, who was contacted, weights where chance decided, and how to compare rows; returns the brackets.

    Without weights there are two brackets: calls raise the first, and the second lacks those that looked best. Mostly the truth lies
    between, but where calls last longer than a row's horizon, or draw attention from others, it need not.
    """
    share = float(contacted.mean())
    uncontacted = compare(~contacted, None)
    warning = f"sales contacted {share:.0%} of these rows while their outcome was open, which flatters whatever it followed"
    if weights is None:
        advice = "expect the truth between all and uncontacted rows; only a random holdout (`data.assignments`) can say where"
        return ContactBias(share, all_rows, uncontacted, None, None, (f"{warning}: {advice}",))
    rows = int((weights.weight > 0).sum())
    weighted = compare(weights.weight > 0, weights.weight)
    worth = f"{rows:,} rows weighted by inverse propensity, worth {weights.effective:,.0f}, say how it would be without"
    said = worth if weighted is not None else "the rows that chance held back are too few to say how it would be without"
    return ContactBias(share, all_rows, uncontacted, weighted, weights.effective, (f"{warning}: {said}", *weights.notes))
