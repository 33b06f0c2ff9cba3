"""Which leads count at an `as_of`, and why the others do not."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pls_ml.core.database import Database, literal
from pls_ml.core.spec import Spec
from pls_ml.core.windows import DAY_US, GRAIN_US
from pls_ml.labels.contact import first_payments, match_suppression

Exclusion = Literal["customer", "lost", "open_opportunity", "no_contact", "suppressed"]


class Population(Spec):
    """Who can be a lead: old and active enough, and in none of the excluded states. Internal users never are."""

    min_age_days: float = Field(default=7, ge=0, allow_inf_nan=False)
    min_events: int = Field(default=3, ge=0)
    exclude: tuple[Exclusion, ...] = ("customer", "open_opportunity", "no_contact", "suppressed")


def select_spine(database: Database, population: Population, grain: str, level: str) -> dict[str, int]:
    """Takes a database with `grid`, `users` and perhaps `outcomes`, `state`, `suppressions`, `subscriptions`.

    Makes `spine` (row, lead_id, account_id, account_key, lead_key, as_of) with the leads that count, in a total order, and returns
    the removed rows by the first reason that applies. `level` is whose outcome counts: 'account' or 'user'.
    """
    key = "g.account_key" if level == "account" else "g.lead_id"
    joins, tests = _exclusions(database, population, grain)
    cases = " ".join(f"WHEN {test} THEN {literal(reason)}" for reason, test in tests)
    database.execute(
        f"CREATE OR REPLACE TABLE screened AS SELECT g.*, CASE {cases} END AS removed "
        f"FROM (SELECT *, {key} AS lead_key FROM grid AS g) AS g JOIN users AS u ON u.user_id = g.lead_id {joins}"
    )
    database.execute(
        'CREATE OR REPLACE TABLE spine AS SELECT CAST(row_number() OVER (ORDER BY as_of, lead_id) AS BIGINT) AS "row", '
        "* EXCLUDE (removed) FROM screened WHERE removed IS NULL"
    )
    return dict(database.rows("SELECT removed, count(*) FROM screened WHERE removed IS NOT NULL GROUP BY 1 ORDER BY 1"))


Tests = list[tuple[str, str]]
"""(reason, SQL test) pairs; the first that holds is the reason."""


def _exclusions(database: Database, population: Population, grain: str) -> tuple[str, Tests]:
    joins, tests = "", [("internal user", "u.is_internal")]
    if "no_contact" in population.exclude:
        tests.append(("no contact", "u.no_contact"))
    if "suppressed" in population.exclude and database.has("suppressions"):
        tests.append(("suppressed", f"EXISTS ({_suppressed(database)})"))
    for more_joins, more_tests in (
        _by_outcome(database, population),
        _by_subscription(database, population),
        _by_life(database, population, grain),
    ):
        joins += more_joins
        tests += more_tests
    return joins, tests


def _by_outcome(database: Database, population: Population) -> tuple[str, Tests]:
    if not database.has("outcomes"):
        return "", []
    join = (
        "LEFT JOIN (SELECT lead_key, min(closed_at) FILTER (WHERE is_won) AS won_at, "
        "min(closed_at) FILTER (WHERE NOT is_won) AS lost_at FROM outcomes GROUP BY 1) AS o ON o.lead_key = g.lead_key "
    )
    is_open = (
        "EXISTS (SELECT 1 FROM outcomes AS x WHERE x.lead_key = g.lead_key AND x.opened_at < g.as_of "
        "AND (x.closed_at IS NULL OR x.closed_at >= g.as_of))"
    )
    tests: dict[Exclusion, tuple[str, str]] = {
        "customer": ("already a customer", "o.won_at < g.as_of"),
        "lost": ("already lost", "o.lost_at < g.as_of"),
        "open_opportunity": ("open opportunity", is_open),
    }
    return join, [test for name, test in tests.items() if name in population.exclude]


def _by_subscription(database: Database, population: Population) -> tuple[str, Tests]:
    if "customer" not in population.exclude or not database.has("subscriptions"):
        return "", []
    return f"LEFT JOIN ({first_payments(database)}) AS p ON p.account_id = g.account_id ", [("already a customer", "p.paid_from < g.as_of")]


def _by_life(database: Database, population: Population, grain: str) -> tuple[str, Tests]:
    joins: str = ""
    tests: Tests = []
    if population.min_age_days:
        tests.append(("too young", f"epoch_us(g.as_of) - epoch_us(u.signup_at) < {int(population.min_age_days * DAY_US)}"))
    if population.min_events and database.has("state"):
        joins = f"LEFT JOIN ({_nth_event(population.min_events)}) AS e ON e.user_id = g.lead_id "
        tests.append(("too few events", f"e.from_tick IS NULL OR e.from_tick >= epoch_us(g.as_of) // {GRAIN_US[grain]}"))
    return joins, tests


def _nth_event(n: int) -> str:
    """The tick by which a user's n-th event had happened and was known."""
    return (
        "SELECT user_id, min(seen) AS from_tick FROM (SELECT user_id, seen, sum(n) OVER (PARTITION BY user_id ORDER BY seen) AS upto "
        f"FROM (SELECT user_id, greatest(event_tick, known_tick) AS seen, n FROM state)) WHERE upto >= {n} GROUP BY 1"
    )


def _suppressed(database: Database) -> str:
    """The subquery that finds a suppression of user `u` in force at `g.as_of`."""
    return f'SELECT 1 FROM suppressions AS s WHERE {match_suppression(database)} AND s."from" <= g.as_of'
