"""The data contract: which tables exist, which columns they have, of which type, and which are required."""

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal["id", "text", "time", "number", "flag"]
Unit = Literal["user", "account"]
"""What a lead is: a person, or a whole account."""


def account_key(rows: str = "u", own: str = "user_id") -> str:
    """Takes the alias of a row and its own id's column; returns the SQL for whose outcome it shares: its account's, else its own."""
    return f"coalesce({rows}.account_id, 'user:' || {rows}.{own})"


def holds_at(versions: str, moment: str) -> str:
    """Takes the alias of rows with `valid_from` and `valid_to`, and the SQL of a moment; returns the test that a row holds then.

    What begins at the moment is not yet known there; what ends at it still holds. Written as comparisons, which join by hash.
    """
    begun = f"coalesce({versions}.valid_from, TIMESTAMP '0001-01-01') < {moment}"
    return f"({begun} AND coalesce({versions}.valid_to, TIMESTAMP '9999-12-31') >= {moment})"


def lead_rows(unit: Unit) -> str:
    """Takes what a lead is; returns the query of everybody who ever becomes one: lead_id, signup_at, is_internal.

    An account signs up with the first of its users, internal ones left out: when that user had signed up and belonged to it. What lies
    ahead of an `as_of` cannot change whether it had, nor when.
    """
    if unit == "user":
        return "SELECT user_id AS lead_id, signup_at, is_internal FROM users"
    joined = "CASE WHEN v.valid_from > v.signup_at THEN v.valid_from ELSE v.signup_at END"
    counts = f"v.account_id IS NOT NULL AND NOT coalesce(v.is_internal, FALSE) AND ({joined} < v.valid_to OR v.valid_to IS NULL)"
    return (
        f"SELECT v.account_id AS lead_id, min({joined}) AS signup_at, FALSE AS is_internal FROM user_versions AS v "
        f"WHERE {counts} GROUP BY v.account_id"
    )


SQL_TYPE: dict[ColumnType, str] = {"id": "VARCHAR", "text": "VARCHAR", "time": "TIMESTAMP", "number": "DOUBLE", "flag": "BOOLEAN"}


@dataclass(frozen=True)
class Table:
    """One contract table: column name → type; `required` columns must be there, others may be missing."""

    columns: dict[str, ColumnType]
    required: tuple[str, ...]


def _table(required: str, **columns: str) -> Table:
    typed: dict[str, ColumnType] = {}
    kinds: tuple[ColumnType, ...] = ("id", "text", "time", "number", "flag")
    for kind in kinds:
        typed |= dict.fromkeys(columns.get(kind, "").split(), kind)
    return Table(typed, tuple(required.split()))


TABLES: dict[str, Table] = {
    "events": _table("event_time user_id event", id="event_id user_id account_id session_id", text="event", time="event_time known_at"),
    "users": _table(
        "user_id",
        id="user_id account_id invited_by",
        text="email email_domain source title department seniority role owner",
        time="signup_at valid_from valid_to",
        number="free_mail",
        flag="no_contact is_internal",
    ),
    "accounts": _table(
        "account_id",
        id="account_id",
        text="domain name industry tech_stack region owner",
        time="created_at valid_from valid_to",
        number="employee_count",
    ),
    "workspaces": _table("workspace_id account_id created_at", id="workspace_id account_id", time="created_at"),
    "subscriptions": _table("account_id started_at", id="account_id", text="plan status", time="started_at ended_at", number="mrr seats"),
    "usage_limits": _table("account_id resource limit used at", id="account_id", text="resource", time="at", number="limit used"),
    "support_tickets": _table("user_id opened_at", id="ticket_id user_id account_id", text="topic tags status", time="opened_at"),
    "opportunities": _table(
        "opportunity_id account_id created_at closed_at is_won",
        id="opportunity_id account_id user_id",
        text="stage type source lost_reason",
        time="created_at closed_at",
        number="amount",
        flag="is_won",
    ),
    "touches": _table("at", id="account_id user_id", text="channel rep", time="at"),
    "assignments": _table("lead_id arm assigned_at", id="lead_id", text="experiment arm", time="assigned_at"),
    "suppressions": _table("reason from", id="lead_id", text="email domain reason", time="from until"),
}
"""Tables of the contract; every one but `users` or `events` may be missing."""
