"""Which (lead, as_of) rows exist: a calendar grid, one moment per lead's life, or the rows of a prepared table."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pls_ml.core.columns import Unit, account_key, holds_at, lead_rows
from pls_ml.core.database import Database, literal, quote
from pls_ml.core.errors import TableError, suggest
from pls_ml.core.spec import Spec
from pls_ml.core.windows import EPOCH, Grain, parse_duration

_MONDAY = 4
"""The first Monday in days since 1970-01-01."""


class CalendarSpine(Spec):
    """Every lead at every `every_days`-th midnight of the project's zone (counted from a Monday), from `start` or the first signup on."""

    kind: Literal["calendar"]
    every_days: int = Field(default=7, ge=1, le=3650)
    start: date | None = None


class AgeSpine(Spec):
    """Every lead once, when it is `after` old; counted from signup rounded down to the time grain."""

    kind: Literal["age"]
    after: str = "14d"

    @field_validator("after")
    @classmethod
    def _known_length(cls, value: str) -> str:
        parse_duration(value)
        return value


class OrderSpine(Spec):
    """Every row of a prepared lead table once; `column` orders them in place of time."""

    kind: Literal["order"]
    column: str


SpineSource = Annotated[CalendarSpine | AgeSpine | OrderSpine, Field(discriminator="kind")]


def build_grid(
    database: Database, source: CalendarSpine | AgeSpine | OrderSpine, grain: Grain, data_end: datetime | None, unit: Unit = "user"
) -> None:
    """Takes a database with `users` and `user_versions`; makes `grid` (lead_id, account_id, account_key, as_of) up to the end of the data.

    Every lead is there, eligible or not; its account is that of its version at `as_of`, or of the newest one where there is no time.
    An account is one while it has a user, internal ones left out, who signed up before.
    """
    if isinstance(source, OrderSpine):
        _make_grid(database, _order(database, source))
        return
    if data_end is None:
        raise TableError(f"`spine.kind: {source.kind}` needs an event log: add `data.events`, or use `spine.kind: order`")
    _require_signups(database, unit)
    if isinstance(source, CalendarSpine):
        _make_grid(database, _with_account(_calendar(database, source, grain, data_end, unit), unit))
    else:
        _make_grid(database, _with_account(_ages(source, grain, data_end, unit), unit))


def build_moment(database: Database, as_of: datetime, unit: Unit = "user") -> None:
    """Takes a database with `users`, `user_versions` and one `as_of`; makes `grid` with every lead that had signed up before."""
    _require_signups(database, unit)
    moment = f"TIMESTAMP {literal(as_of)}"
    _make_grid(database, _with_account(f"SELECT lead_id, {moment} AS as_of FROM ({lead_rows(unit)}) WHERE signup_at < {moment}", unit))


def _order(database: Database, source: OrderSpine) -> str:
    columns = database.columns("users")
    if source.column not in columns:
        raise TableError(f"no column '{source.column}' in `users` to order leads by{suggest(source.column, list(columns))}")
    rank = f"CAST(row_number() OVER (ORDER BY {quote(source.column)}, user_id) AS BIGINT)"
    return f"SELECT user_id AS lead_id, account_id, make_timestamp({rank} * 1000000) AS as_of FROM users"


def _calendar(database: Database, source: CalendarSpine, grain: Grain, data_end: datetime, unit: Unit) -> str:
    days, leads = Grain("day", grain.zone), f"({lead_rows(unit)})"
    first = days.tick_of(database.rows(f"SELECT greatest(min(signup_at), TIMESTAMP '2000-01-01') FROM {leads}")[0][0]) + 1
    start = max(first, (source.start - EPOCH.date()).days) if source.start else first
    start += (_MONDAY - start) % source.every_days
    moments = [days.start_of(tick) for tick in range(start, days.tick_of(data_end) + 1, source.every_days)]
    if not moments:
        raise TableError(f"no `as_of` fits between the first signup and the end of the data ({data_end}): lower `spine.every_days`")
    listed = ", ".join(f"(TIMESTAMP {literal(moment)})" for moment in moments)
    return f"SELECT lead_id, as_of FROM {leads} JOIN (VALUES {listed}) AS t(as_of) ON signup_at < as_of"


def _ages(source: AgeSpine, grain: Grain, data_end: datetime, unit: Unit) -> str:
    age = grain.ticks(parse_duration(source.after), source.after)  # a moment off the grain could not be cut exactly
    moment = grain.to_stamp(f"{grain.to_tick('signup_at')} + {age}")
    return f"SELECT lead_id, {moment} AS as_of FROM ({lead_rows(unit)}) WHERE {moment} <= {literal(data_end)}"


def _require_signups(database: Database, unit: Unit) -> None:
    if not database.rows("SELECT 1 FROM users WHERE signup_at IS NOT NULL LIMIT 1"):
        raise TableError("table 'users' has no `signup_at`: name your column under `data.users.columns`, or use `spine.kind: order`")
    if not database.rows(f"SELECT 1 FROM ({lead_rows(unit)}) WHERE signup_at IS NOT NULL LIMIT 1"):
        step = "name your columns for `account_id` or `email` under `data.users.columns`, or use `unit: user`"
        raise TableError(f"`unit: account`, but no user who signed up belongs to an account: {step}")


def _with_account(moments: str, unit: Unit) -> str:
    """Takes a query of lead_id and as_of; returns it with the account of that moment; an account that has no user then is left out."""
    held = holds_at("v", "m.as_of")
    if unit == "user":
        return f"SELECT m.*, v.account_id FROM ({moments}) AS m LEFT JOIN user_versions AS v ON v.user_id = m.lead_id AND {held}"
    member = f"v.account_id = m.lead_id AND v.signup_at < m.as_of AND NOT coalesce(v.is_internal, FALSE) AND {held}"
    return f"SELECT m.*, m.lead_id AS account_id FROM ({moments}) AS m SEMI JOIN user_versions AS v ON {member}"


def _make_grid(database: Database, leads: str) -> None:
    columns = f"g.lead_id, g.account_id, {account_key('g', 'lead_id')} AS account_key, g.as_of"
    database.execute(f"CREATE OR REPLACE TABLE grid AS SELECT {columns} FROM ({leads}) AS g")
