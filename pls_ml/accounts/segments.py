"""Which segment a lead belongs to (R-SEG)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import Field

from pls_ml.core.errors import TableError
from pls_ml.core.spec import Spec

_REQUIRED = ("employee_count", "account_id", "is_free_mail", "team_size")


class SegmentRules(Spec):
    """The cuts of R-SEG; a lead must lie strictly above one to reach the segment."""

    enterprise_employees: int = Field(default=1000, ge=0)
    enterprise_acv: float = Field(default=50_000, ge=0)
    mid_market_employees: int = Field(default=50, ge=0)
    mid_market_team: int = Field(default=10, ge=0)


DEFAULT_RULES = SegmentRules()


def assign_segments(leads: pd.DataFrame, rules: SegmentRules = DEFAULT_RULES) -> pd.Series[str]:
    """Takes leads; returns each row's segment on the same index.

    Columns: `employee_count` and `account_id` (may be missing values), `is_free_mail`, `team_size` (users of the account), and,
    if there, `estimated_acv` (yearly, in the deals' currency). A value that is not known never lifts a lead into a segment.
    Refuses a table that lacks a column, or in which `is_free_mail` is not known.
    """
    absent = [column for column in _REQUIRED if column not in leads.columns]
    if absent:
        raise TableError(f"segments need the column {', '.join(absent)}: got {', '.join(map(str, leads.columns)) or 'no columns'}")
    if leads["is_free_mail"].isna().any():
        raise TableError(f"is_free_mail is not known in {int(leads['is_free_mail'].isna().sum())} rows: give True or False")
    free_mail = leads["is_free_mail"].astype(bool)
    employees, team = _numbers(leads, "employee_count"), _numbers(leads, "team_size")
    segments = np.select(
        [
            free_mail & leads["account_id"].isna(),  # first: a private person stays one, whatever the other columns say
            (employees > rules.enterprise_employees) | (_numbers(leads, "estimated_acv") > rules.enterprise_acv),
            (employees > rules.mid_market_employees) | (team > rules.mid_market_team),
        ],
        ["consumer", "enterprise", "mid_market"],
        default="smb",
    )
    return pd.Series(segments, index=leads.index, name="segment", dtype="str")


def _numbers(leads: pd.DataFrame, column: str) -> pd.Series[float]:
    if column not in leads.columns:
        return pd.Series(np.nan, index=leads.index)
    return leads[column].astype("Float64").astype("float64")
