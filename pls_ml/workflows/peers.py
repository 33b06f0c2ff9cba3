"""Whom a lead is compared with: the leads of the training rows, each as training last saw it."""

from __future__ import annotations

from typing import Any

import numpy as np

from pls_ml.explanations.peers import Knots, freeze_peers
from pls_ml.workflows.signals import SignalTable


def freeze_training_peers(table: SignalTable, segments: Any, training: Any) -> dict[str, dict[str, Knots]]:
    """Takes matured rows, the segment of each and the mask of those that train; returns the tables that a night places its leads in."""
    rows = np.flatnonzero(training)
    leads = table.spine.iloc[rows][["lead_id", "as_of"]].reset_index(drop=True)
    last = np.sort(rows[leads.sort_values("as_of", kind="stable").drop_duplicates("lead_id", keep="last").index.to_numpy()])
    return freeze_peers(table.values.iloc[last], segments[last], table.catalogue)
