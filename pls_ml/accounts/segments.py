"""Which segment a lead or an account belongs to, and so how sales meets it (R-SEG)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import Field

from pls_ml.accounts.bounds import read_numbers, require_columns
from pls_ml.core.errors import TableError
from pls_ml.core.spec import Spec

MOTIONS = {"enterprise": "sales_led", "mid_market": "sales_assist", "smb": "self_serve", "consumer": "self_serve"}
"""Segment → motion."""
MONTHS = 12
_REQUIRED = ("employee_count", "account_id", "is_free_mail", "team_size")


class SegmentRules(Spec):
    """The cuts of R-SEG, strictly above which a segment begins, and the list price of a seat and month where there is one."""

    enterprise_employees: int = Field(ge=0)
    enterprise_acv: float = Field(ge=0)
    mid_market_employees: int = Field(ge=0)
    mid_market_team: int = Field(ge=0)
    price_per_seat: float | None = Field(gt=0)


def assign_segments(leads: pd.DataFrame, rules: SegmentRules) -> pd.Series[str]:
    """Takes leads or accounts; returns each row's segment on the same index.

    Columns: `employee_count` and `account_id` (may be missing values), `is_free_mail`, `team_size` (users of the account), and,
    if there, `open_amount` and `seats` (see `estimate_acv`). A value that is not known never lifts a lead into a segment.
    Refuses a table that lacks a column, or in which `is_free_mail` is not known.
    """
    require_columns(leads, _REQUIRED, "segments")
    if leads["is_free_mail"].isna().any():
        raise TableError(f"is_free_mail is not known in {int(leads['is_free_mail'].isna().sum())} rows: give True or False")
    free_mail = leads["is_free_mail"].to_numpy(np.bool_)
    employees, team = read_numbers(leads, "employee_count"), read_numbers(leads, "team_size")
    segments = np.select(
        [
            free_mail & leads["account_id"].isna().to_numpy(),  # first: a private person stays one, whatever the other columns say
            (employees > rules.enterprise_employees) | (estimate_acv(leads, rules).to_numpy() > rules.enterprise_acv),
            (employees > rules.mid_market_employees) | (team > rules.mid_market_team),
        ],
        ["consumer", "enterprise", "mid_market"],
        default="smb",
    )
    return pd.Series(segments, index=leads.index, name="segment", dtype="str")


def estimate_acv(leads: pd.DataFrame, rules: SegmentRules) -> pd.Series[float]:
    """Takes leads or accounts; returns what each would pay in a year, in the deals' currency, NaN where nothing says so.

    It is `open_amount`, the amount of the account's open opportunity; else `seats` × price × 12 where a price is configured.
    An amount of 0 or less is a field that nobody has filled in.
    """
    amount, seats = read_numbers(leads, "open_amount"), read_numbers(leads, "seats")
    listed = seats * rules.price_per_seat * MONTHS if rules.price_per_seat is not None else np.full(len(leads), np.nan)
    return pd.Series(np.where(amount > 0, amount, listed), index=leads.index, name="estimated_acv")
