"""Where two receipts of the same lead part: the signals that one score counts for more than the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pls_ml.core.catalogue import Signal
from pls_ml.core.protocols import Floats
from pls_ml.explanations.reasons import LEAST_LOG_ODDS, MOST_FOR
from pls_ml.explanations.wording import NOT_KNOWN, say_values

COLUMNS = {"row": "int64", "signal": "string", "value": "string", "difference": "float64", "rules": "float64", "model": "float64"}


@dataclass(frozen=True, eq=False)
class PairedLines:
    """The receipts of n leads over the same k signals by rules and by model, n × k log-odds after calibration, with the leads' values."""

    signals: Sequence[Signal]
    values: pd.DataFrame
    rules: Floats
    model: Floats


def find_differences(lines: PairedLines, model_higher: Sequence[bool]) -> pd.DataFrame:
    """Takes paired receipts and whether the model, or the rules, think more of each lead.

    Returns for each lead (`row`) at most three signals that speak more for it on that side, the largest difference first: model - rules,
    and both. As among reasons, what reps may not see, what is not known, and what hardly differs is left out.
    """
    said = [say_values(signal, lines.values) for signal in lines.signals]
    words = np.array(said, dtype=object).reshape(len(lines.signals), len(lines.values)).T
    visible = np.array([signal.rep_visible for signal in lines.signals], dtype=bool)
    difference = lines.model - lines.rules
    towards = np.where(np.asarray(model_higher, dtype=bool)[:, None], difference, -difference)
    worth = np.where((towards > LEAST_LOG_ODDS) & visible & (words != NOT_KNOWN), towards, 0.0)
    order = np.argsort(-worth, axis=1, kind="stable")[:, :MOST_FOR]
    rows, places = np.nonzero(np.take_along_axis(worth, order, axis=1))
    chosen = order[rows, places]
    found = {
        "row": rows,
        "signal": np.array([signal.id for signal in lines.signals], dtype=object)[chosen],
        "value": words[rows, chosen],
        "difference": difference[rows, chosen],
        "rules": lines.rules[rows, chosen],
        "model": lines.model[rows, chosen],
    }
    return pd.DataFrame(found).astype(COLUMNS)
