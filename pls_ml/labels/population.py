"""Which leads count at an `as_of`, and why the others do not."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pls_ml.core.columns import Unit, lead_rows
from pls_ml.core.database import Database
from pls_ml.core.owners import MOVES, owned_rows
from pls_ml.core.spec import Spec
from pls_ml.core.windows import DAY_US, Grain
from pls_ml.labels.contact import name_suppressed
from pls_ml.labels.reasons import Reason, find_customer, find_open, find_personal, first_payments, merge_spans, name_first

Exclusion = Literal["customer", "lost", "open_opportunity", "no_contact", "suppressed"]


class Population(Spec):
    """Who can be a lead: old and active enough, and in none of the excluded states. Internal users never are."""

    min_age_days: float = Field(default=7, ge=0, allow_inf_nan=False)
    min_events: int = Field(default=3, ge=0)
    exclude: tuple[Exclusion, ...] = ("customer", "open_opportunity", "no_contact", "suppressed")


def select_spine(database: Database, population: Population, grain: Grain, level: str, unit: Unit = "user") -> dict[str, int]:
    """Takes a database with `grid`, `users`, `user_versions` and perhaps `outcomes`, `state`, `suppressions`, `subscriptions`.

    Makes `spine` (row, lead_id, account_id, account_key, lead_key, as_of) with the leads that count, in a total order, and returns
    the removed rows by the first reason that applies. `level` is whose outcome counts, `unit` what the leads are: 'account' or 'user'.
    """
    key = "account_key" if level == "account" else "lead_id"
    reasons = name_first(f"(SELECT *, {key} AS lead_key FROM grid)", _find_reasons(database, population, grain, unit))
    database.execute(f"CREATE OR REPLACE TABLE screened AS {reasons}")
    database.execute(
        'CREATE OR REPLACE TABLE spine AS SELECT CAST(row_number() OVER (ORDER BY as_of, lead_id) AS BIGINT) AS "row", '
        "* EXCLUDE (removed) FROM screened WHERE removed IS NULL"
    )
    return dict(database.rows("SELECT removed, count(*) FROM screened WHERE removed IS NOT NULL GROUP BY 1 ORDER BY 1"))


def _find_reasons(database: Database, population: Population, grain: Grain, unit: Unit) -> list[Reason]:
    found = [reason for reason in find_personal(unit) if reason.name != "no contact" or "no_contact" in population.exclude]
    if "suppressed" in population.exclude and database.has("suppressions"):
        found.append(_suppressed(database, unit))
    if database.has("outcomes"):
        found += [reason for name, reason in _by_outcome().items() if name in population.exclude]
    if "customer" in population.exclude and database.has("subscriptions"):
        found.append(find_customer(first_payments(database), "p", "g.account_id"))
    if population.min_age_days:
        young = f"epoch_us(g.as_of) - epoch_us(f.signup_at) < {int(population.min_age_days * DAY_US)}"
        found.append(Reason("too young", young, f"JOIN ({lead_rows(unit)}) AS f ON f.lead_id = g.lead_id"))
    if population.min_events and database.has("state"):
        few = f"e.from_tick IS NULL OR e.from_tick >= {grain.to_tick('g.as_of')}"
        nth = _nth_event(population.min_events, *_rows_of_leads(database, grain, unit))
        found.append(Reason("too few events", few, f"LEFT JOIN ({nth}) AS e ON e.lead_id = g.lead_id"))
    return found


def _suppressed(database: Database, unit: Unit) -> Reason:
    """A suppression in force at `as_of`: from its beginning until just before its end."""
    spans = merge_spans(f"SELECT lead_id AS key, begins, ends FROM ({name_suppressed(database, unit)})")
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


def _rows_of_leads(database: Database, grain: Grain, unit: Unit) -> tuple[str, str]:
    """The relation with the state's rows of leads, and its column that says whose they are."""
    return ("state", "user_id") if unit == "user" else (f"({owned_rows(grain, bool(database.rows(MOVES)))})", "owner")


def _nth_event(n: int, rows: str, owner: str) -> str:
    """The tick at which a lead's n-th event became visible: it is among the n earliest rows, as each stands for an event or more.

    A row's tick and events are one number, which takes a fraction of the memory that two do.
    """
    both = f"SELECT {owner} AS lead_id, life_tick * {n + 1} + least(n, {n}) AS r FROM {rows} WHERE life_tick IS NOT NULL AND n > 0"
    earliest = f"SELECT lead_id, unnest(min(r, {n})) AS r FROM ({both}) GROUP BY 1"
    split = f"SELECT lead_id, r // {n + 1} AS tick, r % {n + 1} AS n FROM ({earliest})"
    counted = f"SELECT lead_id, tick, sum(n) OVER (PARTITION BY lead_id ORDER BY tick) AS upto FROM ({split})"
    return f"SELECT lead_id, min(tick) AS from_tick FROM ({counted}) WHERE upto >= {n} GROUP BY 1"
