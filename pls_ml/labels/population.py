"""Which leads count at an `as_of`, and why the others do not."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pls_ml.core.database import Database
from pls_ml.core.spec import Spec
from pls_ml.core.windows import DAY_US, Grain
from pls_ml.labels.contact import name_suppressed
from pls_ml.labels.reasons import Reason, find_customer, find_open, first_payments, merge_spans, name_first

Exclusion = Literal["customer", "lost", "open_opportunity", "no_contact", "suppressed"]


class Population(Spec):
    """Who can be a lead: old and active enough, and in none of the excluded states. Internal users never are."""

    min_age_days: float = Field(default=7, ge=0, allow_inf_nan=False)
    min_events: int = Field(default=3, ge=0)
    exclude: tuple[Exclusion, ...] = ("customer", "open_opportunity", "no_contact", "suppressed")


def select_spine(database: Database, population: Population, grain: Grain, level: str) -> dict[str, int]:
    """Takes a database with `grid`, `users`, `user_versions` and perhaps `outcomes`, `state`, `suppressions`, `subscriptions`.

    Makes `spine` (row, lead_id, account_id, account_key, lead_key, as_of) with the leads that count, in a total order, and returns
    the removed rows by the first reason that applies. `level` is whose outcome counts: 'account' or 'user'.
    """
    key = "account_key" if level == "account" else "lead_id"
    reasons = name_first(f"(SELECT *, {key} AS lead_key FROM grid)", _find_reasons(database, population, grain))
    database.execute(f"CREATE OR REPLACE TABLE screened AS {reasons}")
    database.execute(
        'CREATE OR REPLACE TABLE spine AS SELECT CAST(row_number() OVER (ORDER BY as_of, lead_id) AS BIGINT) AS "row", '
        "* EXCLUDE (removed) FROM screened WHERE removed IS NULL"
    )
    return dict(database.rows("SELECT removed, count(*) FROM screened WHERE removed IS NOT NULL GROUP BY 1 ORDER BY 1"))


def _find_reasons(database: Database, population: Population, grain: Grain) -> list[Reason]:
    found = [Reason("internal user", "u.is_internal")]
    if "no_contact" in population.exclude:
        found.append(Reason("no contact", "u.no_contact"))
    if "suppressed" in population.exclude and database.has("suppressions"):
        found.append(_suppressed(database))
    if database.has("outcomes"):
        found += [reason for name, reason in _by_outcome().items() if name in population.exclude]
    if "customer" in population.exclude and database.has("subscriptions"):
        found.append(find_customer(first_payments(database), "p", "g.account_id"))
    if population.min_age_days:
        found.append(Reason("too young", f"epoch_us(g.as_of) - epoch_us(u.signup_at) < {int(population.min_age_days * DAY_US)}"))
    if population.min_events and database.has("state"):
        few = f"e.from_tick IS NULL OR e.from_tick >= {grain.to_tick('g.as_of')}"
        found.append(Reason("too few events", few, f"LEFT JOIN ({_nth_event(population.min_events)}) AS e ON e.user_id = g.lead_id"))
    return found


def _suppressed(database: Database) -> Reason:
    """A suppression in force at `as_of`: from its beginning until just before its end."""
    spans = merge_spans(f"SELECT user_id AS key, begins, ends FROM ({name_suppressed(database)})")
    in_force = "s.key = g.lead_id AND s.begins <= g.as_of AND s.ends > g.as_of"
    return Reason("suppressed", "s.key IS NOT NULL", f"LEFT JOIN ({spans}) AS s ON {in_force}")


def _by_outcome() -> dict[Exclusion, Reason]:
    first = "SELECT lead_key AS key, min(closed_at) AS at FROM outcomes WHERE {} GROUP BY 1"
    lost = f"LEFT JOIN ({first.format('NOT is_won')}) AS l ON l.key = g.lead_key"
    return {
        "customer": find_customer(first.format("is_won"), "w", "g.lead_key"),
        "lost": Reason("already lost", "l.at < g.as_of", lost),
        "open_opportunity": find_open("SELECT lead_key AS key, opened_at AS begins, closed_at AS ends FROM outcomes", "o", "g.lead_key"),
    }


def _nth_event(n: int) -> str:
    """The tick at which a user's n-th event became visible: it is among the n earliest rows, as each stands for an event or more.

    A row's tick and events are one number, which takes a fraction of the memory that two do.
    """
    both = f"life_tick * {n + 1} + least(n, {n})"
    earliest = f"SELECT user_id, unnest(min({both}, {n})) AS r FROM state WHERE life_tick IS NOT NULL AND n > 0 GROUP BY 1"
    split = f"SELECT user_id, r // {n + 1} AS tick, r % {n + 1} AS n FROM ({earliest})"
    counted = f"SELECT user_id, tick, sum(n) OVER (PARTITION BY user_id ORDER BY tick) AS upto FROM ({split})"
    return f"SELECT user_id, min(tick) AS from_tick FROM ({counted}) WHERE upto >= {n} GROUP BY 1"
