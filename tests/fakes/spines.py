"""The spine of a small world: the rows that are wanted, with the account of the time."""

from __future__ import annotations

import pyarrow as pa

from pls_ml.core.columns import Unit, account_key, holds_at
from pls_ml.core.database import Database


def make_spine(database: Database, wanted: pa.Table, unit: Unit) -> None:
    """Makes `spine` of the rows wanted: users with the account of their version, accounts with themselves."""
    database.register("wanted", wanted)
    leads = "SELECT w.*, w.lead_id AS account_id FROM wanted AS w"
    if unit == "user":
        held = f"v.user_id = w.lead_id AND {holds_at('v', 'w.as_of')}"
        leads = f"SELECT w.*, v.account_id FROM wanted AS w LEFT JOIN user_versions AS v ON {held}"
    database.execute(f"CREATE TABLE spine AS SELECT g.*, {account_key('g', 'lead_id')} AS account_key FROM ({leads}) AS g")
