"""Events that are the outcome under another name: whoever has one wins within a day of it."""

from dataclasses import dataclass

from pls_ml.core.columns import account_key
from pls_ml.core.database import Database
from pls_ml.core.windows import DAY_US

MIN_LEADS = 20
TWIN_SHARE = 0.8


@dataclass(frozen=True)
class OutcomeTwin:
    """An event name, how many leads have it, and the share of them that won within a day of one."""

    event: str
    leads: int
    share: float

    @property
    def sentence(self) -> str:
        """The finding in words."""
        return f"event '{self.event}' is a twin of the outcome: {self.share:.0%} of the {self.leads:,} leads with it won within a day of it"


def find_outcome_twins(database: Database, level: str) -> tuple[OutcomeTwin, ...]:
    """Takes a database with `state` and dated `outcomes`, and whose outcome counts ('account' or 'user').

    Returns the event names of at least 20 leads of which 80 % won within a day of one.
    """
    if not database.has("state"):
        return ()
    key = account_key() if level == "account" else "u.user_id"
    found = database.rows(
        "WITH won AS (SELECT lead_key, epoch_us(min(closed_at)) AS won_us FROM outcomes WHERE is_won AND closed_at IS NOT NULL GROUP BY 1) "
        f"SELECT e.event, count(DISTINCT {key}), count(DISTINCT {key}) FILTER "
        f"(WHERE e.first_us <= w.won_us + {DAY_US} AND e.last_us >= w.won_us - {DAY_US}) "
        f"FROM state AS e JOIN users AS u USING (user_id) LEFT JOIN won AS w ON w.lead_key = {key} GROUP BY 1 ORDER BY 1"
    )
    shares = [OutcomeTwin(event, leads, near / leads) for event, leads, near in found if leads >= MIN_LEADS]
    return tuple(twin for twin in shares if twin.share >= TWIN_SHARE)
