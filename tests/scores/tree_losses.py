"""The loss and the margins of trees on one fold, for every number of trees that may be tried."""

import numpy as np

from pls_ml.scores.growth import TreeFold, tree_counts


def grow_all(scorer, fit, check, start=None):
    """Takes trees, (signals, labels, weights) to fit on and to check on, and a start that is not fitted; returns losses and margins."""
    fitted = None if start is None else start.fit(*fit)
    growth = scorer.grow_on(TreeFold(fit, check, fitted), started=start is not None)
    places = range(len(tree_counts(start)))
    return np.array([growth.loss(place) for place in places]), np.array([growth.margins(place, check[0]) for place in places])
