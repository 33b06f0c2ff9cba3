"""The few lines of a receipt that are worth saying."""

from collections.abc import Iterable

import pandas as pd

from pls_ml.core.catalogue import Signal
from pls_ml.explanations.wording import NOT_KNOWN

MOST_FOR, MOST_AGAINST = 3, 1
LEAST_LOG_ODDS = 0.1
"""A share below this is no reason worth naming."""


def pick_reasons(lines: pd.DataFrame, signals: Iterable[Signal]) -> pd.DataFrame:
    """Takes receipt lines (lead_id, signal, log_odds, value) and the catalogue's signals; returns the lines worth saying, with `words`.

    Per lead at most three for and one against, the strongest first, for before against. What reps may not see, what is not known
    (nobody is called because something is missing), and what hardly counts is left out.
    """
    labels = {s.id: s.label for s in signals if s.rep_visible}
    worth = lines[(lines["log_odds"].abs() > LEAST_LOG_ODDS) & lines["signal"].isin(list(labels)) & (lines["value"] != NOT_KNOWN)]
    worth = worth.assign(against=worth["log_odds"] < 0, size=worth["log_odds"].abs())
    worth = worth.sort_values(["lead_id", "against", "size", "signal"], ascending=[True, True, False, True])
    place = worth.groupby(["lead_id", "against"]).cumcount()
    chosen = worth[place < worth["against"].map({False: MOST_FOR, True: MOST_AGAINST})]
    return chosen.assign(words=chosen["signal"].map(labels) + ": " + chosen["value"]).drop(columns="size").reset_index(drop=True)
