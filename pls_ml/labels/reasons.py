"""Reasons to leave a lead out, as joins and tests that read a grid of any size once: every join meets a row at most once, by hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pls_ml.core.columns import Unit
from pls_ml.core.database import Database, literal


@dataclass(frozen=True)
class Reason:
    """Why row `g` is left out: the SQL test, and the join that it reads."""

    name: str
    test: str
    join: str = ""


def name_first(rows: str, reasons: Sequence[Reason]) -> str:
    """Takes a table of leads and reasons in their order; returns the query of its rows with `removed`, the first that holds, or NULL."""
    cases = " ".join(f"WHEN {reason.test} THEN {literal(reason.name)}" for reason in reasons)
    removed = f"CASE {cases} END" if reasons else "CAST(NULL AS VARCHAR)"
    joins = " ".join(dict.fromkeys(reason.join for reason in reasons))
    return f"SELECT g.*, {removed} AS removed FROM {rows} AS g {joins}"


def find_personal(unit: Unit) -> list[Reason]:
    """Takes what a lead is; returns the reasons that lie in a person: one of our own, or one who wants no contact.

    An account has none: our own people make no account a lead, and who wants no contact does not speak for the others.
    """
    person = "JOIN users AS u ON u.user_id = g.lead_id"
    return [] if unit == "account" else [Reason("internal user", "u.is_internal", person), Reason("no contact", "u.no_contact", person)]


def find_open(records: str, alias: str, key: str) -> Reason:
    """Takes the query of deals (key, begins, ends), an alias and the row's key; returns the reason that one was open at `as_of`."""
    during = f"{alias}.key = {key} AND {alias}.begins < g.as_of AND {alias}.ends >= g.as_of"
    return Reason("open opportunity", f"{alias}.key IS NOT NULL", f"LEFT JOIN ({merge_spans(records)}) AS {alias} ON {during}")


def find_customer(firsts: str, alias: str, key: str) -> Reason:
    """Takes the query of first wins or payments (key, at), an alias and the row's key; returns the reason that it was before `as_of`."""
    return Reason("already a customer", f"{alias}.at < g.as_of", f"LEFT JOIN ({firsts}) AS {alias} ON {alias}.key = {key}")


def first_payments(database: Database) -> str:
    """Takes a database with `subscriptions`; returns the query of each account's first paid day (key, at); a free plan is none."""
    paid = "WHERE coalesce(mrr, 1) > 0" if "mrr" in database.columns("subscriptions") else ""
    return f"SELECT account_id AS key, min(started_at) AS at FROM subscriptions {paid} GROUP BY 1"


def merge_spans(records: str) -> str:
    """Takes the query of records (key, begins, ends; NULL: open); returns that of the spans of a key in which any holds, none touching."""
    whole = f"SELECT key, begins, coalesce(ends, 'infinity') AS ends FROM ({records}) WHERE begins < coalesce(ends, 'infinity')"
    by_key = "PARTITION BY key ORDER BY begins, ends ROWS BETWEEN UNBOUNDED PRECEDING AND"
    covered = f"SELECT *, max(ends) OVER ({by_key} 1 PRECEDING) AS covered FROM ({whole})"
    numbered = f"SELECT *, count(*) FILTER (WHERE coalesce(begins > covered, true)) OVER ({by_key} CURRENT ROW) AS span FROM ({covered})"
    return f"SELECT key, min(begins) AS begins, max(ends) AS ends FROM ({numbered}) GROUP BY key, span"
