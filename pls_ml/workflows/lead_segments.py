"""What is known of each lead's account at its moment, and so the lead's segment and how sales meets it."""

from __future__ import annotations

import pandas as pd

from pls_ml.accounts.rules import AccountRules
from pls_ml.accounts.segments import MOTIONS, assign_segments
from pls_ml.core.columns import holds_at
from pls_ml.core.database import literals
from pls_ml.events.identity import free_mail_domains
from pls_ml.workflows.account_members import describe_accounts
from pls_ml.workflows.data import LoadedData

_KEYS = ["lead_id", "as_of"]


def add_segments(data: LoadedData, leads: pd.DataFrame, rules: AccountRules) -> pd.DataFrame:
    """Takes data with `spine`, its leads in any order (lead_id, account_id, as_of, …) and the rules for accounts.

    Returns the leads with `account_name`, `owner` (the lead's own, else its account's), `segment` and `motion`.
    """
    described = leads.merge(_describe_leads(data), on=_KEYS, how="left", validate="one_to_one")
    segment = assign_segments(described, rules.segments)
    described = described.assign(segment=segment, motion=segment.map(MOTIONS))
    return described.drop(columns=["employee_count", "is_free_mail", "team_size", "open_amount", "seats"])


def _describe_leads(data: LoadedData) -> pd.DataFrame:
    """What is known of each lead's account at its moment, and whether the lead has a private address."""
    free_mail = f"coalesce(u.email_domain IN {literals(free_mail_domains())}, false) AS is_free_mail"
    return data.database.frame(
        "SELECT g.lead_id, g.as_of, c.account_name, coalesce(v.owner, c.owner) AS owner, c.employee_count, "
        "coalesce(c.team_size, 1) AS team_size, c.open_amount, c.seats, "
        f"{free_mail} FROM spine AS g LEFT JOIN users AS u ON u.user_id = g.lead_id "  # an account as a lead is nobody
        f"LEFT JOIN user_versions AS v ON v.user_id = g.lead_id AND {holds_at('v', 'g.as_of')} "
        f"LEFT JOIN ({describe_accounts(data.database, 'spine')}) AS c ON c.account_id = g.account_id AND c.as_of = g.as_of"
    )
