"""Whom nobody may contact as a prospect, whatever the population says; when in doubt, not."""

from pls_ml.core.database import Database, literal
from pls_ml.core.errors import TableError


def find_blocked(database: Database, customers_too: bool) -> dict[str, str]:
    """Takes a database with `spine`, `users` and the tables it has; returns lead → the first reason not to contact it.

    A suppression blocks until it ends, also when it begins after `as_of`: the call comes later. Any open opportunity of the account
    blocks, whatever its type; with `customers_too` any won one, subscription or won outcome as well.
    """
    tests = [("internal user", "u.is_internal"), ("no contact", "u.no_contact")]
    if database.has("suppressions"):
        tests.append(("suppressed", f"EXISTS (SELECT 1 FROM suppressions AS s WHERE {match_suppression(database)})"))
    if database.has("opportunities"):
        database.execute(f"CREATE OR REPLACE TABLE deals AS {_deals(database)}")
        deal = "EXISTS (SELECT 1 FROM deals AS d WHERE d.account_key = g.account_key AND "
        tests.append(("open opportunity", f"{deal}d.created_at < g.as_of AND (d.closed_at IS NULL OR d.closed_at >= g.as_of))"))
        if customers_too:
            tests.append(("already a customer", f"{deal}d.is_won AND d.closed_at < g.as_of)"))
    known = "EXISTS (SELECT 1 FROM outcomes AS o WHERE o.lead_key = g.lead_key AND "
    tests.append(("open opportunity", f"{known}o.opened_at < g.as_of AND (o.closed_at IS NULL OR o.closed_at >= g.as_of))"))
    if customers_too:
        if database.has("subscriptions"):
            paid = f"EXISTS (SELECT 1 FROM ({first_payments(database)}) AS p WHERE p.account_id = g.account_id AND p.paid_from < g.as_of)"
            tests.append(("already a customer", paid))
        tests.append(("already a customer", f"{known}o.is_won AND coalesce(o.closed_at < g.as_of, true))"))
    cases = " ".join(f"WHEN {test} THEN {literal(reason)}" for reason, test in tests)
    query = f"SELECT g.lead_id, CASE {cases} END AS reason FROM spine AS g JOIN users AS u ON u.user_id = g.lead_id"
    return dict(database.rows(f"SELECT lead_id, reason FROM ({query}) WHERE reason IS NOT NULL ORDER BY 1"))


def match_suppression(database: Database) -> str:
    """Takes a database with `suppressions`; returns the test that row `s` names user `u` and has not ended at `g.as_of`.

    Refuses a list that can name nobody.
    """
    columns = database.columns("suppressions")
    mail = "lower(trim(s.email)) = lower(trim(u.email))"
    domain = "ltrim(lower(trim(s.domain)), '@') = u.email_domain"
    tests = {"lead_id": "s.lead_id = u.user_id", "email": mail, "domain": domain}
    usable = [test for column, test in tests.items() if column in columns]
    if not usable:
        raise TableError(
            f"table 'suppressions' has none of `lead_id`, `email`, `domain`, so it names nobody; it has: {', '.join(columns)}. "
            "Name yours under `data.suppressions.columns`"
        )
    not_ended = ' AND (s."until" IS NULL OR s."until" > g.as_of)' if "until" in columns else ""
    return f"({' OR '.join(usable)}){not_ended}"


def first_payments(database: Database) -> str:
    """Takes a database with `subscriptions`; returns the query of each account's first paid day; a free plan is none."""
    paid = "WHERE coalesce(mrr, 1) > 0" if "mrr" in database.columns("subscriptions") else ""
    return f"SELECT account_id, min(started_at) AS paid_from FROM subscriptions {paid} GROUP BY 1"


def _deals(database: Database) -> str:
    """Every opportunity by whose it is: its account's, else its user's account's, else its user's."""
    if "user_id" not in database.columns("opportunities"):
        return "SELECT account_id AS account_key, created_at, closed_at, is_won FROM opportunities"
    return (
        "SELECT coalesce(o.account_id, w.account_id, 'user:' || o.user_id) AS account_key, o.created_at, o.closed_at, o.is_won "
        "FROM opportunities AS o LEFT JOIN users AS w ON w.user_id = o.user_id"
    )
