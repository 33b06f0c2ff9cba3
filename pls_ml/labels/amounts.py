"""What a won row is worth: the amount of the deal that it is won by, which it may share with other rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pls_ml.core.database import Database


@dataclass(frozen=True, eq=False)
class WonAmounts:
    """n rows: the number of the deal that each is won by (-1: it is not won), and that deal's amount (NaN: not known)."""

    deal: npt.NDArray[np.int64]
    amount: npt.NDArray[np.float64]

    def take(self, rows: npt.NDArray[Any]) -> WonAmounts:
        """Takes row positions or a mask; returns those rows."""
        return WonAmounts(self.deal[rows], self.amount[rows])

    def share_out(self) -> npt.NDArray[np.float64] | None:
        """Takes nothing; returns n values, each deal's amount in equal parts over its rows; None where no amount is known.

        Colleagues, and the months of a lead, are won by the same deal: counted once for each row it would be money that nobody paid.
        What is not known is worth nothing here, neither found nor missed.
        """
        known = np.isfinite(self.amount)
        if not known.any():
            return None
        _, place, rows = np.unique(self.deal, return_inverse=True, return_counts=True)
        return np.where(known, self.amount, 0.0) / rows[place]

    def say_missing(self) -> tuple[str, ...]:
        """Takes nothing; returns a sentence where some deals have no amount, but others do."""
        deals, first = np.unique(self.deal[self.deal >= 0], return_index=True)
        without = int(np.isnan(self.amount[self.deal >= 0][first]).sum())
        if without in (0, deals.size):
            return ()
        return (f"{without:,} of {deals.size:,} won deals have no amount: captured value counts the others only",)


def find_won_amounts(database: Database) -> WonAmounts | None:
    """Takes a database with a labelled `spine` and `outcomes`; returns what its won rows are worth; None where outcomes have no amounts.

    The first win at or after `as_of` is the one that the row is won by. Deals of one lead that close at the same moment are one.
    """
    if "amount" not in database.columns("outcomes"):
        return None
    frame = database.frame(
        "WITH deals AS (SELECT lead_key, closed_at, sum(amount) AS amount, row_number() OVER (ORDER BY lead_key, closed_at) AS deal "
        "FROM outcomes WHERE is_won AND closed_at IS NOT NULL GROUP BY lead_key, closed_at), "
        'won AS (SELECT s."row", min(d.deal) AS deal FROM spine AS s JOIN deals AS d ON d.lead_key = s.lead_key '
        'AND d.closed_at >= s.as_of WHERE s.label = 1 GROUP BY 1) '
        'SELECT coalesce(w.deal, -1) AS deal, d.amount FROM spine AS s LEFT JOIN won AS w ON w."row" = s."row" '
        'LEFT JOIN deals AS d ON d.deal = w.deal ORDER BY s."row"'
    )  # fmt: skip
    return WonAmounts(frame["deal"].to_numpy(np.int64), frame["amount"].to_numpy(np.float64))
