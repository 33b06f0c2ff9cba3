"""Values that somebody writes once a deal is open: by the validity intervals of their table, they come too late to predict it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pls_ml.core.columns import account_key
from pls_ml.core.database import Database, quote

MIN_WINNERS = 20
LATE_SHARE = 0.8


@dataclass(frozen=True)
class LateFill:
    """A column, how many winners it was first filled for in sight, and the share of them whose deal was open by then."""

    column: str
    winners: int
    share: float

    @property
    def sentence(self) -> str:
        """The finding in words."""
        told = f"{self.share:.0%} of the {self.winners:,} winners it was filled in for had their deal open by then"
        return f"`{self.column}` is filled in too late: {told} (limit {LATE_SHARE:.0%})"


def find_late_fills(database: Database, level: str, columns: Iterable[tuple[str, str]]) -> tuple[LateFill, ...]:
    """Takes a database with `accounts`, `user_versions` and `outcomes`, whose outcome counts, and (table, column) pairs with history.

    Returns the columns that were empty and then filled in for at least 20 winners, for 80 % of them when the deal was open or over.
    A value that was there from the first version on is not counted: nobody saw it being filled in.
    """
    found = []
    for table, column in columns:
        if table == "accounts" and level != "account":
            continue  # an account's value is of all its users, and theirs are several outcomes
        winners, late = database.rows(_count(table, column, level))[0]
        if winners >= MIN_WINNERS and late >= LATE_SHARE * winners:
            found.append(LateFill(f"{table}.{column}", winners, late / winners))
    return tuple(found)


def _count(table: str, column: str, level: str) -> str:
    rows = {"users": "user_versions", "accounts": "accounts"}[table]
    key = "v.account_id" if table == "accounts" else account_key("v") if level == "account" else "v.user_id"
    value, begun = quote(column), "coalesce(v.valid_from, TIMESTAMP '0001-01-01')"
    fills = (
        f"SELECT {key} AS lead_key, min({begun}) FILTER (WHERE v.{value} IS NOT NULL) AS filled, "
        f"min({begun}) FILTER (WHERE v.{value} IS NULL) AS empty FROM {rows} AS v GROUP BY 1 HAVING empty < filled"
    )
    opened = "SELECT lead_key, min(least(opened_at, closed_at)) AS opened_at FROM outcomes WHERE is_won GROUP BY 1"
    return f"SELECT count(*), count(*) FILTER (WHERE f.filled >= w.opened_at) FROM ({fills}) AS f JOIN ({opened}) AS w USING (lead_key)"
