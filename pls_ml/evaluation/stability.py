"""Whether the reasons given for a score would be the same again: from another seed, or from another model."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

MOST_REASONS = 3
"""As many reasons speak for a lead at most."""
NONE = -1


def rank_reasons(contributions: Floats, most: int = MOST_REASONS) -> Places:
    """Takes n × k contributions and how many reasons count; returns n × most positions of the largest above 0, -1 where there are fewer.

    Equal ones go by position.
    """
    order = np.argsort(-contributions, axis=1, kind="stable")[:, :most]
    return np.where(np.take_along_axis(contributions, order, axis=1) > 0, order, NONE)


def measure_same_first(chosen: Places, others: Sequence[Places]) -> float:
    """Takes n × r ranked reasons and those of other fits for the same leads; returns how often the first reason is the same."""
    return float(np.mean([chosen[:, 0] == other[:, 0] for other in others])) if others else 1.0


def measure_overlap(first: Places, second: Places) -> float:
    """Takes the n × r ranked reasons of two models over the same signals; returns the mean share of a lead's reasons that both name.

    The share is of the longer list, so a model that names fewer reasons does not agree by silence; 1 where neither names any.
    """
    shared = ((first[:, :, None] == second[:, None, :]) & (first[:, :, None] != NONE)).any(axis=2).sum(axis=1)
    longest = np.maximum((first != NONE).sum(axis=1), (second != NONE).sum(axis=1))
    return float(np.divide(shared, longest, out=np.ones(len(first)), where=longest > 0).mean())


def profile_reasons(chosen: Places, names: Sequence[str]) -> dict[str, float]:
    """Takes n × r ranked reasons and k signal names; returns for each signal named at all the share of the leads it is a reason for."""
    shares = {name: float((chosen == place).any(axis=1).mean()) for place, name in enumerate(names)}
    return {name: share for name, share in sorted(shares.items(), key=lambda item: (-item[1], item[0])) if share > 0}
