"""Who must not be contacted: a few leads, mail addresses and whole domains."""

import numpy as np
import pyarrow as pa

from pls_ml.core.windows import DAY_US
from pls_ml.synthetic.accounts import domains
from pls_ml.synthetic.columns import choose, take_or_null, time_column
from pls_ml.synthetic.world_spec import Span

_REASONS = ("opted_out", "legal", "competitor", "existing_contract")


def suppressions_table(rng: np.random.Generator, users: pa.Table, accounts: int, span: Span) -> pa.Table:
    """Takes the users table and the number of accounts; returns suppressions of about 1 % of users and 0.5 % of domains."""
    people, sites = max(2, users.num_rows // 100), max(1, accounts // 200)
    chosen = rng.choice(users.num_rows, people, replace=False)
    by_id = np.arange(people) % 2 == 0
    nobody, nowhere = np.full(sites, -1), np.full(people, -1)
    begin = span.start_us + rng.integers(0, span.end_us - span.start_us, people + sites)
    return pa.table(
        {
            "lead_id": take_or_null(_column(users, "user_id"), np.concatenate([np.where(by_id, chosen, -1), nobody])),
            "email": take_or_null(_column(users, "email"), np.concatenate([np.where(by_id, -1, chosen), nobody])),
            "domain": take_or_null(domains(accounts), np.concatenate([nowhere, rng.choice(accounts, sites, replace=False)])),
            "reason": choose(_REASONS, rng.integers(0, len(_REASONS), people + sites)),
            "from": time_column(begin),
            "until": time_column(begin + 90 * DAY_US, missing=rng.random(people + sites) < 0.85),
        }
    )


def _column(table: pa.Table, name: str) -> pa.Array:
    return table.column(name).combine_chunks()
