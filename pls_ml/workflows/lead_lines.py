"""A night's receipts as the page shows them: a line per lead and signal, with a share for every scorer, and nothing that is hidden."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pls_ml.explanations.policy import OTHER


def align_lines(receipts: pd.DataFrame, scorers: Sequence[str], visible: Sequence[str]) -> pd.DataFrame:
    """Takes a night's receipts, its scorers, the one in use first, and the ids of the signals that reps may see.

    Returns `lead_id`, `signal`, `value`, `percentile`, `share_<scorer>` and `learned`, which is the part of the first scorer's share that
    trees give; a line is there where any scorer has one, hidden ones are folded into one line without a value.
    """
    leads, signals = receipts["lead_id"].astype("category").cat, receipts["signal"].astype("category").cat
    names = [*visible, OTHER]
    place = {name: number for number, name in enumerate(names)}
    number = np.array([place.get(name, len(visible)) for name in signals.categories], dtype=np.int64)
    signal = number[signals.codes.to_numpy()] if len(number) else np.empty(0, dtype=np.int64)
    keys, where = np.unique(leads.codes.to_numpy().astype(np.int64) * len(names) + signal, return_inverse=True)
    first = np.zeros(len(keys), dtype=np.int64)
    first[where[::-1]] = np.arange(len(receipts))[::-1]
    shown = keys % len(names) < len(visible)
    known = receipts if "percentile" in receipts else receipts.assign(percentile=None)
    said = {name: known[name].iloc[first].where(shown).array for name in ("value", "percentile")}
    lead = pd.Categorical.from_codes(keys // len(names), leads.categories)
    frame = pd.DataFrame({"lead_id": lead, "signal": pd.Categorical.from_codes(keys % len(names), pd.Index(names)), **said})
    for name in scorers:
        mine = (receipts["scorer"] == name).to_numpy()
        frame[f"share_{name}"] = np.bincount(where[mine], weights=receipts["probability"].to_numpy()[mine], minlength=len(keys))
    used = (receipts["scorer"] == scorers[0]).to_numpy()
    part = receipts["probability"] * receipts["learned"] / receipts["log_odds"]  # one scale a lead maps both to probability
    frame["learned"] = np.bincount(where[used], weights=part.to_numpy()[used], minlength=len(keys))
    return frame


def hide_signals(table: pd.DataFrame, visible: Sequence[str], worded: Sequence[str]) -> pd.DataFrame:
    """Takes a table with `signal` ("" where a row is about none), what reps may see, and its columns of values in words.

    Returns it with hidden signals named `other`, their values taken out.
    """
    hidden = ~table["signal"].isin([*visible, ""])
    table = table.assign(signal=table["signal"].where(~hidden, OTHER))
    return table.assign(**{name: table[name].where(~hidden, "") for name in worded})
