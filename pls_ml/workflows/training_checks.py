"""Rows that nothing can be learned from are refused before any fit; what is doubtful about the others is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pls_ml.core.errors import DataError
from pls_ml.core.protocols import Floats
from pls_ml.workflows.candidates import Candidate, TrainingRows

DOMINANT = 0.5
MOST_NAMES = 5


def refuse_one_account(rows: TrainingRows) -> None:
    """Takes all matured rows; returns nothing; refuses rows that all belong to one account: it cannot train and check itself."""
    names = pd.unique(rows.accounts)
    if len(names) < 2 and len(rows.labels) > 1:
        raise DataError(
            f"all {len(rows.labels):,} matured rows belong to one account, '{names[0]}': expected at least 2, since no account may "
            "both train and check; check how users map to accounts"
        )


def check_training(rows: TrainingRows, which: str = "training") -> tuple[str, ...]:
    """Takes the rows that train and which they are, in a word; returns what is doubtful about them, as sentences.

    Refuses one outcome only, and signals without variety.
    """
    won, n = int(rows.labels.sum()), len(rows.labels)
    if won in (0, n):
        raise DataError(
            f"all {n:,} {which} rows have the same outcome ({won:,} won): expected both; widen the data or the horizon, "
            "or move `split.test_start`"
        )
    constant = [str(name) for name in rows.signals.columns if rows.signals[name].nunique(dropna=False) < 2]
    if len(constant) == rows.signals.shape[1]:
        raise DataError(
            f"each of the {len(constant)} signal columns has one and the same value in all {n:,} {which} rows (for example "
            f"'{constant[0]}'): expected one that differs between leads; check `signals` and the mapping"
        )
    return (*_say_constant(constant, which), *say_dominant(rows.accounts, which))


def say_dominant(accounts: Any, part: str) -> tuple[str, ...]:
    """Takes the accounts of rows and what the rows are for; returns a sentence when one of them has more than half of the rows."""
    counts = pd.Series(accounts).value_counts()
    share = counts.iloc[0] / len(accounts)
    if share <= DOMINANT:
        return ()
    told = f"account '{counts.index[0]}' has {share:.0%} of the {len(accounts):,} {part} rows"
    return (f"{told}: what is found there is mostly about this account; check how users map to accounts",)


def say_extreme_scores(used: str, candidate: Candidate, rows: TrainingRows, test: TrainingRows) -> tuple[str, ...]:
    """Takes the scorer in use, its training rows and the held-out ones; returns sentences on scores that say nothing, or too much."""
    raw: Floats = candidate.scorer.raw_score(test.signals)
    found: Floats = candidate.calibrator.transform(raw)
    if np.ptp(found) == 0:
        told = f"'{used}' gives every held-out lead the same probability, {found[0]:.3g}"
        if np.ptp(raw) == 0:
            return (f"{told}: it found nothing to tell them apart by",)
        few = f"{int(rows.labels.sum()):,} wins in {len(set(rows.accounts)):,} accounts are too few to learn from, use more data"
        return (f"{told}, the base rate: its scores did not rise with the outcome on rows it had not seen; {few}",)
    least, n = float(min(found.min(), 1 - found.max())), len(rows.labels)
    if least >= 1 / n:
        return ()
    side, certain = ("0", "never") if found.min() <= 1 - found.max() else ("1", "always")
    told = f"'{used}' gives probabilities within {least:.1g} of {side}"
    return (f"{told}: {n:,} training rows cannot tell 1 in {n:,} from none, so do not read them as '{certain}'",)


def _say_constant(names: list[str], which: str) -> tuple[str, ...]:
    if not names:
        return ()
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return (f"the same value in every {which} row, so nothing to learn from: {', '.join(names[:MOST_NAMES])}{more}",)
