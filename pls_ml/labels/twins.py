"""Events that are the outcome under another name: whoever has one wins within a day of it."""

from dataclasses import dataclass

from pls_ml.core.columns import account_key
from pls_ml.core.database import Database, literals
from pls_ml.core.windows import DAY_US

MIN_LEADS = 20
TWIN_SHARE = 0.8
_ROUGHLY = 2.0
"""How many times too high an approximate count of distinct values may come out; its standard error is about 13 %."""


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
    """Takes a database with `clean_events`, users and dated `outcomes`, and whose outcome counts ('account' or 'user').

    Returns the event names of at least 20 leads of which 80 % won within a day of one. The log is read once, and once more for the
    names that a rough count of their leads leaves under suspicion.
    """
    if not database.has("clean_events"):
        return ()
    rough = database.rows(f"SELECT event, {_NEAR}, approx_count_distinct(lead_key) FROM ({_leads(level)}) GROUP BY 1")
    suspects = [event for event, near, leads in rough if near >= TWIN_SHARE * max(MIN_LEADS, leads / _ROUGHLY)]
    if not suspects:
        return ()
    found = database.rows(
        f"SELECT event, count(DISTINCT lead_key), {_NEAR} FROM ({_leads(level)}) WHERE event IN {literals(suspects)} GROUP BY 1 ORDER BY 1"
    )
    shares = [OutcomeTwin(event, leads, near / leads) for event, leads, near in found if leads >= MIN_LEADS]
    return tuple(twin for twin in shares if twin.share >= TWIN_SHARE)


_NEAR = f"count(DISTINCT CASE WHEN abs(epoch_us(event_time) - epoch_us(won_at)) <= {DAY_US} THEN lead_key END)"


def _leads(level: str) -> str:
    """Every event with the lead it is of, and when that was won; a user of several accounts speaks for each."""
    key = account_key("v") if level == "account" else "v.user_id"
    return (
        "SELECT e.event, e.event_time, k.lead_key, k.won_at FROM clean_events AS e JOIN "
        f"(SELECT DISTINCT u.user_id, {key} AS lead_key, w.won_at FROM users AS u JOIN user_versions AS v USING (user_id) "
        "LEFT JOIN (SELECT lead_key, min(closed_at) AS won_at FROM outcomes WHERE is_won GROUP BY 1) AS w "
        f"ON w.lead_key = {key} WHERE u.is_internal IS NOT TRUE) AS k ON k.user_id = e.user_id"
    )
