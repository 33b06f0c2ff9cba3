"""Which (lead, as_of) rows exist: a calendar grid, one moment per lead's life, or the rows of a prepared table."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pls_ml.core.columns import account_key
from pls_ml.core.database import Database, literal, quote
from pls_ml.core.errors import TableError, suggest
from pls_ml.core.spec import Spec
from pls_ml.core.windows import GRAIN_US, parse_duration, to_ticks

_MONDAY = datetime(1970, 1, 5)


class CalendarSpine(Spec):
    """Every lead at every `every_days`-th midnight (counted from a Monday), from `start` or the first signup on."""

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


def build_grid(database: Database, source: CalendarSpine | AgeSpine | OrderSpine, grain: str, data_end: datetime | None) -> None:
    """Takes a database with `users`; makes `grid` (lead_id, account_id, as_of), eligible or not, up to the end of the data."""
    if isinstance(source, OrderSpine):
        _order_grid(database, source)
        return
    if data_end is None:
        raise TableError(f"`spine.kind: {source.kind}` needs an event log: add `data.events`, or use `spine.kind: order`")
    _require_signups(database)
    if isinstance(source, AgeSpine):
        tick, age = GRAIN_US[grain], parse_duration(source.after)
        to_ticks(age, grain, source.after)  # a moment off the grain could not be cut exactly
        moment = f"make_timestamp((epoch_us(signup_at) // {tick}) * {tick} + {age})"
        _make_grid(database, f"SELECT user_id AS lead_id, account_id, {moment} AS as_of FROM users WHERE {moment} <= {literal(data_end)}")
        return
    days = ", ".join(f"(TIMESTAMP {literal(moment)})" for moment in _calendar(database, source, data_end))
    if not days:
        raise TableError(f"no `as_of` fits between the first signup and the end of the data ({data_end}): lower `spine.every_days`")
    _make_grid(
        database,
        f"SELECT user_id AS lead_id, account_id, as_of FROM users JOIN (VALUES {days}) AS t(as_of) ON signup_at < as_of",
    )


def build_moment(database: Database, as_of: datetime) -> None:
    """Takes a database with `users` and one `as_of`; makes `grid` with every lead that had signed up before."""
    _require_signups(database)
    _make_grid(
        database,
        f"SELECT user_id AS lead_id, account_id, TIMESTAMP {literal(as_of)} AS as_of FROM users WHERE signup_at < {literal(as_of)}",
    )


def _order_grid(database: Database, source: OrderSpine) -> None:
    columns = database.columns("users")
    if source.column not in columns:
        raise TableError(f"no column '{source.column}' in `users` to order leads by{suggest(source.column, list(columns))}")
    rank = f"CAST(row_number() OVER (ORDER BY {quote(source.column)}, user_id) AS BIGINT)"
    _make_grid(database, f"SELECT user_id AS lead_id, account_id, make_timestamp({rank} * 1000000) AS as_of FROM users")


def _calendar(database: Database, source: CalendarSpine, data_end: datetime) -> list[datetime]:
    first = database.rows("SELECT min(signup_at) FROM users")[0][0]
    start = max(first, datetime.combine(source.start, datetime.min.time())) if source.start else first
    step = timedelta(days=source.every_days)
    moment = _MONDAY + step * -(-(start - _MONDAY) // step)
    return [moment + step * i for i in range(max(0, (data_end - moment) // step + 1))]


def _require_signups(database: Database) -> None:
    if not database.rows("SELECT 1 FROM users WHERE signup_at IS NOT NULL LIMIT 1"):
        raise TableError("table 'users' has no `signup_at`: name your column under `data.users.columns`, or use `spine.kind: order`")


def _make_grid(database: Database, query: str) -> None:
    database.execute(
        f"CREATE OR REPLACE TABLE grid AS SELECT g.lead_id, g.account_id, {account_key()} AS account_key, g.as_of "
        f"FROM ({query}) AS g JOIN users AS u ON u.user_id = g.lead_id"
    )
