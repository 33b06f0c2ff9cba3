"""Whom nobody may contact as a prospect, whatever the population says; when in doubt, not."""

from pls_ml.core.columns import Unit, holds_at
from pls_ml.core.database import Database
from pls_ml.core.errors import TableError
from pls_ml.labels.reasons import Reason, find_customer, find_open, find_personal, first_payments, name_first


def find_blocked(database: Database, customers_too: bool, unit: Unit = "user") -> dict[str, str]:
    """Takes a database with `spine`, users, `outcomes` and the tables it has; returns lead → the first reason not to contact it.

    A suppression blocks until it ends, also when it begins after `as_of`: the call comes later. Any open opportunity of the account
    blocks, whatever its type; with `customers_too` any won one, subscription or won outcome as well.
    """
    found = find_personal(unit)
    if database.has("suppressions"):
        last = f"SELECT lead_id, max(coalesce(ends, 'infinity')) AS ends FROM ({name_suppressed(database, unit)}) GROUP BY 1"
        found.append(Reason("suppressed", "s.ends > g.as_of", f"LEFT JOIN ({last}) AS s ON s.lead_id = g.lead_id"))
    if database.has("opportunities"):
        found.append(find_open(_deals(database), "d", "g.account_key"))
        won = f"SELECT key, min(ends) AS at FROM ({_deals(database)}) WHERE is_won GROUP BY 1"
        found.append(find_customer(won, "w", "g.account_key"))
    found.append(find_open("SELECT lead_key AS key, opened_at AS begins, closed_at AS ends FROM outcomes", "o", "g.lead_key"))
    if database.has("subscriptions"):
        found.append(find_customer(first_payments(database), "p", "g.account_id"))
    ever = "SELECT lead_key AS key, min(coalesce(closed_at, '-infinity')) AS at FROM outcomes WHERE is_won GROUP BY 1"
    found.append(find_customer(ever, "x", "g.lead_key"))
    query = name_first("spine", [reason for reason in found if customers_too or reason.name != "already a customer"])
    return dict(database.rows(f"SELECT lead_id, removed FROM ({query}) WHERE removed IS NOT NULL ORDER BY 1"))


def name_suppressed(database: Database, unit: Unit) -> str:
    """Takes a database with `suppressions` and `user_versions`; returns the query of whom each names: lead_id, begins, ends.

    A user is named by the id, and by every e-mail address and domain of any version; an account by its id and its domains, never by
    one person's address. Refuses a list that can name nobody.
    """
    columns = database.columns("suppressions")
    tests = {
        "lead_id": "v.lead_id = s.lead_id",
        "email": "lower(trim(v.email)) = lower(trim(s.email))",
        "domain": "v.domain = ltrim(lower(trim(s.domain)), '@')",
    }
    usable = [test for column, test in tests.items() if column in columns]
    if not usable:
        raise TableError(
            f"table 'suppressions' has none of `lead_id`, `email`, `domain`, so it names nobody; it has: {', '.join(columns)}. "
            "Name yours under `data.suppressions.columns`"
        )
    ends = 's."until"' if "until" in columns else "CAST(NULL AS TIMESTAMP)"
    chosen = f'SELECT v.lead_id, s."from" AS begins, {ends} AS ends FROM suppressions AS s JOIN ({_NAMES[unit]}) AS v'
    return " UNION ".join(f"{chosen} ON {test}" for test in usable)  # a join each: one with OR would compare every pair


_ACCOUNTS = "SELECT account_id AS lead_id, lower(trim(domain)) AS domain FROM accounts WHERE domain IS NOT NULL"
_NAMES: dict[Unit, str] = {
    "user": "SELECT user_id AS lead_id, email, email_domain AS domain FROM user_versions",
    "account": (
        f"SELECT lead_id, CAST(NULL AS VARCHAR) AS email, domain FROM ({_ACCOUNTS}) UNION ALL "
        "SELECT DISTINCT v.account_id, CAST(NULL AS VARCHAR), v.email_domain FROM user_versions AS v "
        f"ANTI JOIN ({_ACCOUNTS}) AS a ON a.lead_id = v.account_id WHERE v.account_id IS NOT NULL"
    ),
}
"""What leads go by; an account whose domain is not written goes by those of its users."""


def _deals(database: Database) -> str:
    """Every opportunity by whose it is: its account's, else that of its user's account when it was opened, else its user's."""
    if "user_id" not in database.columns("opportunities"):
        return "SELECT account_id AS key, created_at AS begins, closed_at AS ends, is_won FROM opportunities"
    opened = "o.created_at + INTERVAL 1 MICROSECOND"  # what begins together with the deal holds
    return (
        "SELECT coalesce(o.account_id, v.account_id, 'user:' || o.user_id) AS key, o.created_at AS begins, o.closed_at AS ends, o.is_won "
        f"FROM opportunities AS o LEFT JOIN user_versions AS v ON v.user_id = o.user_id AND {holds_at('v', opened)}"
    )
