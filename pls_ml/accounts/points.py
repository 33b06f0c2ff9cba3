"""The points of an account (R-PQA-1): its active users' own, what looks at the whole account once, and signals of the account."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pydantic import Field

from pls_ml.accounts.bounds import Bounds, require_columns
from pls_ml.core.errors import TableError
from pls_ml.core.spec import Spec

USERS = "points_users"
"""The line of the users' own points."""
CARD, ACCOUNT = "points_card_", "points_account_"
"""What begins the names of lines: of the card's rows on the whole account, and of signals of the account."""


class AccountSignal(Spec):
    """A state of the whole account that earns `points` once, where the bounds of `any` one alternative are met."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")
    points: int = Field(ge=0)
    any: tuple[Bounds, ...] = Field(min_length=1)


def sum_points(people: pd.DataFrame, row_points: pd.DataFrame, account_rows: Sequence[str]) -> pd.DataFrame:
    """Takes n people (`account_id`, `is_active`), their points (n × card rows) and the rows on the whole account; returns lines by account.

    The line `points_users` adds what each active user's other rows sum to, floored at 0 for each user, so that nobody takes points away
    from colleagues and an idle user changes nothing. Each row on the whole account is a line of its own and counts once, whoever of
    its people is asked. Refuses people and points of different lengths, and a person without an account.
    """
    require_columns(people, ("account_id", "is_active"), "account points")
    if len(people) != len(row_points):
        raise TableError(f"{len(people)} people have {len(row_points)} rows of points: expected one each")
    accounts = people["account_id"].to_numpy()
    if pd.isna(accounts).any():
        raise TableError(f"account_id is missing in {int(pd.isna(accounts).sum())} of {len(people)} people: leave them out")
    own = row_points.drop(columns=list(account_rows)).to_numpy(np.int64).sum(axis=1)
    earned = np.where(people["is_active"].to_numpy(np.bool_), np.maximum(own, 0), 0)
    once = {f"{CARD}{name}": row_points[name].to_numpy(np.int64) for name in account_rows}
    grouped = pd.DataFrame({USERS: earned} | once).groupby(pd.Index(accounts, name="account_id"))
    return grouped.agg({USERS: "sum"} | dict.fromkeys(once, "max"))


def grant_points(accounts: pd.DataFrame, signals: Sequence[AccountSignal]) -> pd.DataFrame:
    """Takes n accounts with their signals as columns, and what earns points; returns n rows of points, a line per signal."""
    lines = {f"{ACCOUNT}{signal.id}": signal.points * np.any([bounds.met(accounts) for bounds in signal.any], axis=0) for signal in signals}
    return pd.DataFrame(lines, index=accounts.index, dtype=np.int64)
