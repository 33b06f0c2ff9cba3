"""What counts as closed-won, and when it happened."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pls_ml.core.columns import account_key, holds_at
from pls_ml.core.database import Database, literal, literals, quote
from pls_ml.core.errors import ConfigError, TableError, suggest
from pls_ml.core.spec import Spec
from pls_ml.core.windows import Grain


class FromOpportunities(Spec):
    """Closed-won rows of the opportunities table, of one type (D-35)."""

    kind: Literal["opportunities"]
    type: str | None = "new"
    level: Literal["account", "user"] = "account"


class FromEvents(Spec):
    """Log events that are the outcome: `won`, and `lost` where a lead can leave the field. Exclude both from signals."""

    kind: Literal["events"]
    won: tuple[str, ...] = Field(min_length=1)
    lost: tuple[str, ...] = ()
    level: Literal["account", "user"] = "user"


class FromActivity(Spec):
    """Adoption: the `days`-th distinct day with one of `events` (empty: any event) within any `within_days` days."""

    kind: Literal["activity"]
    events: tuple[str, ...] = ()
    days: int = Field(ge=2)
    within_days: int = Field(ge=2)
    level: Literal["user"] = "user"


class FromColumn(Spec):
    """A finished 0/1 column of a prepared lead table."""

    kind: Literal["column"]
    column: str
    level: Literal["user"] = "user"


OutcomeSource = Annotated[FromOpportunities | FromEvents | FromActivity | FromColumn, Field(discriminator="kind")]


def find_outcomes(database: Database, source: FromOpportunities | FromEvents | FromActivity | FromColumn, grain: Grain) -> None:
    """Takes a database with clean tables and whose days count; makes `outcomes`: lead_key, opened_at, closed_at, is_won.

    `lead_key` is an account or a user id, as the source's level says. Those of opportunities have their `amount` as well, where the table
    has it; 0 or less is a field that nobody has filled in. Refuses a source without a single win.
    """
    if isinstance(source, FromOpportunities):
        query = _opportunities(database, source)
    elif isinstance(source, FromEvents):
        query = _events(database, source)
    else:
        query = _activity(database, source, grain) if isinstance(source, FromActivity) else _column(database, source)
    database.execute(f"CREATE OR REPLACE TABLE outcomes AS {query}")
    if not database.rows("SELECT 1 FROM outcomes WHERE is_won LIMIT 1"):
        raise TableError(
            f"no closed-won outcome was found by `outcome` (kind '{source.kind}'): expected at least one; check its names and `type`"
        )


def _opportunities(database: Database, source: FromOpportunities) -> str:
    if not database.has("opportunities"):
        raise TableError("`outcome.kind: opportunities` needs the table `data.opportunities`: add its path")
    columns = database.columns("opportunities")
    if source.level == "user" and "user_id" not in columns:
        raise TableError("`outcome.level: user` needs the column `user_id` in `data.opportunities`: map it, or use `level: account`")
    key = account_key("o") if "user_id" in columns else "o.account_id"
    key = "o.user_id" if source.level == "user" else key
    if source.type is not None and "type" in columns:
        known = [row[0] for row in database.rows("SELECT DISTINCT type FROM opportunities WHERE type IS NOT NULL ORDER BY 1")]
        if source.type not in known:
            raise TableError(f"no opportunity has type '{source.type}': the table has {', '.join(known) or 'none'}; change `outcome.type`")
        only = f"WHERE o.type = {literal(source.type)}"
    else:
        only = ""
    amount = ", CASE WHEN o.amount > 0 THEN o.amount END AS amount" if "amount" in columns else ""
    return (
        f"SELECT {key} AS lead_key, o.created_at AS opened_at, o.closed_at, "
        f"coalesce(o.is_won, false) AND o.closed_at IS NOT NULL AS is_won{amount} FROM opportunities AS o {only}"
    )


def _require_events(database: Database, source: FromEvents | FromActivity) -> None:
    if not database.has("events"):
        raise TableError(f"`outcome.kind: {source.kind}` needs the table `data.events`: add its path")


def _events(database: Database, source: FromEvents) -> str:
    _require_events(database, source)
    known = [row[0] for row in database.rows("SELECT DISTINCT event FROM events WHERE event IS NOT NULL ORDER BY 1")]
    unknown = [name for name in (*source.won, *source.lost) if name not in known]
    if unknown:
        raise TableError(
            f"outcome event '{unknown[0]}' is not in the log{suggest(unknown[0], known)}; change `outcome.won` or `outcome.lost`"
        )
    key = account_key("e") if source.level == "account" else "e.user_id"
    events = _with_account((*source.won, *source.lost))
    return (
        f"SELECT {key} AS lead_key, min(e.event_time) AS opened_at, min(e.event_time) AS closed_at, "
        f"e.event IN {literals(source.won)} AS is_won FROM ({events}) AS e JOIN users AS u USING (user_id) "
        "WHERE u.is_internal IS NOT TRUE GROUP BY 1, is_won"
    )


def _with_account(names: tuple[str, ...]) -> str:
    """The query of the events of these names with the account that the user belonged to when they happened."""
    happened = "x.event_time + INTERVAL 1 MICROSECOND"  # a version that begins together with the event holds
    return (
        "SELECT x.user_id, x.event, x.event_time, v.account_id FROM events AS x "
        f"LEFT JOIN user_versions AS v ON v.user_id = x.user_id AND {holds_at('v', happened)} "
        f"WHERE x.event IN {literals(names)} AND x.event_time >= '2000-01-01'"
    )


def _activity(database: Database, source: FromActivity, grain: Grain) -> str:
    _require_events(database, source)
    if source.days > source.within_days:
        raise ConfigError(f"outcome: {source.days} active days do not fit into `within_days: {source.within_days}`")
    only = f"AND e.event IN {literals(source.events)}" if source.events else ""
    days = (
        f"SELECT e.user_id, {Grain('day', grain.zone).to_tick('e.event_time')} AS day, min(e.event_time) AS moment "
        f"FROM clean_events AS e JOIN users AS u USING (user_id) WHERE u.is_internal IS NOT TRUE {only} GROUP BY ALL"
    )
    return (
        "SELECT user_id AS lead_key, min(moment) AS opened_at, min(moment) AS closed_at, true AS is_won FROM ("
        f"SELECT user_id, day, moment, lag(day, {source.days - 1}) OVER (PARTITION BY user_id ORDER BY day) AS before FROM ({days})) "
        f"WHERE day - before < {source.within_days} GROUP BY user_id"
    )


def _column(database: Database, source: FromColumn) -> str:
    columns = database.columns("users")
    if source.column not in columns:
        raise TableError(f"no outcome column '{source.column}' in `users`{suggest(source.column, list(columns))}")
    name = quote(source.column)
    return (
        f"SELECT user_id AS lead_key, CAST(NULL AS TIMESTAMP) AS opened_at, CAST(NULL AS TIMESTAMP) AS closed_at, "
        f"coalesce(TRY_CAST({name} AS DOUBLE) > 0.5, TRY_CAST({name} AS BOOLEAN), false) AS is_won FROM users"
    )
