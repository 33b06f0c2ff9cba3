"""An account's people at one moment, and what is known of the account beside its signals: queries over the project's tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pandas as pd

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.columns import holds_at
from pls_ml.core.database import Database, literal, quote
from pls_ml.core.windows import parse_duration
from pls_ml.labels.population import Exclusion, Population, select_spine
from pls_ml.labels.spine import build_moment
from pls_ml.workflows.data import LoadedData, open_engine
from pls_ml.workflows.project import Project


def list_members(project: Project, data: LoadedData, moment: datetime, within: str) -> None:
    """Takes loaded data with tonight's `spine`, the moment and how long ago an active user's last event lies at most.

    Makes `members` (user_id, account_id, as_of, may_contact, is_active): everybody who belongs to an account that is shown. Shown are
    accounts with a lead tonight or an active user, of whom somebody may be contacted; where the population leaves customers out, so
    are they here. Internal users are nobody's members. A project without times has no accounts at a moment.
    """
    database = data.database
    if not project.config.timed or data.state is None:
        nobody = "SELECT lead_id AS user_id, account_id, as_of, true AS may_contact, true AS is_active FROM spine LIMIT 0"
        database.execute(f"CREATE OR REPLACE TABLE members AS {nobody}")
        return
    database.execute("CREATE OR REPLACE TABLE lead_accounts AS SELECT DISTINCT account_id FROM spine WHERE account_id IS NOT NULL")
    build_moment(database, moment)
    customers: tuple[Exclusion, ...] = ("customer",) if "customer" in project.config.population.exclude else ()
    _choose_people(project, data, (*customers, "no_contact", "suppressed"))
    database.execute("CREATE OR REPLACE TABLE reachable AS SELECT lead_id FROM spine")
    _choose_people(project, data, customers)
    people = (
        "SELECT s.lead_id AS user_id, s.account_id, s.as_of, r.lead_id IS NOT NULL AS may_contact, a.user_id IS NOT NULL AS is_active, "
        "l.account_id IS NOT NULL AS has_lead FROM spine AS s LEFT JOIN reachable AS r ON r.lead_id = s.lead_id "
        f"LEFT JOIN ({_active_users(data, moment, within)}) AS a ON a.user_id = s.lead_id "
        "LEFT JOIN lead_accounts AS l ON l.account_id = s.account_id WHERE s.account_id IS NOT NULL"
    )
    of_account = "OVER (PARTITION BY account_id)"
    database.execute(
        f"CREATE OR REPLACE TABLE members AS SELECT * EXCLUDE (has_lead) FROM ({people}) "
        f"QUALIFY bool_or(may_contact) {of_account} AND bool_or(is_active OR has_lead) {of_account}"
    )


def _choose_people(project: Project, data: LoadedData, exclude: tuple[Exclusion, ...]) -> None:
    """Makes `spine` of everybody in `grid`, however young or quiet, but for those in the excluded states."""
    everybody = Population(min_age_days=0, min_events=0, exclude=exclude)
    select_spine(data.database, everybody, data.grain, project.config.outcome.level)


def _active_users(data: LoadedData, moment: datetime, within: str) -> str:
    """The query of the users with an event in the window that ends at the moment, known before it."""
    tick, reach = data.grain.tick_of(moment), data.grain.ticks(parse_duration(within), within)
    if data.state:
        data.state.open_from(data.database, data.coverage.catalogue, tick, reach)
    return f"SELECT DISTINCT user_id FROM state WHERE n > 0 AND seen_tick < {tick} AND window_tick >= {tick - reach}"


def build_member_signals(data: LoadedData, catalogue: Catalogue | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Takes loaded data with `members` and the signals wanted (None: none); returns people (account_id, is_active) and their signals.

    People are the active ones, and one of each account without any: somebody has to stand for its account.
    """
    place = "row_number() OVER (PARTITION BY account_id ORDER BY is_active DESC, user_id) AS place"
    _make_spine(
        data.database,
        "SELECT user_id AS lead_id, account_id, account_id AS account_key, as_of, is_active "
        f"FROM (SELECT *, {place} FROM members) WHERE is_active OR place = 1",
    )
    people = data.database.frame('SELECT account_id, is_active FROM spine ORDER BY "row"')
    return people, _compute(data, catalogue) if catalogue and len(people) else pd.DataFrame(index=people.index)


def count_users_before(data: LoadedData, catalogue: Catalogue, column: str, moments: Mapping[int, datetime]) -> pd.DataFrame:
    """Takes loaded data with `members`, the catalogue of one signal of accounts, its column, and days → moment.

    Returns the signal at those moments: a row per account, a column per number of days.
    """
    listed = ", ".join(f"({days}, TIMESTAMP {literal(moment)})" for days, moment in moments.items())
    _make_spine(
        data.database,
        "SELECT a.user_id AS lead_id, a.account_id, a.account_id AS account_key, m.as_of, m.days "
        f"FROM (SELECT account_id, min(user_id) AS user_id FROM members GROUP BY 1) AS a CROSS JOIN (VALUES {listed}) AS m(days, as_of)",
    )
    keys = data.database.frame('SELECT account_id, days FROM spine ORDER BY "row"')
    found = keys.assign(users=_compute(data, catalogue)[column])
    return found.pivot(index="account_id", columns="days", values="users")


def _make_spine(database: Database, rows: str) -> None:
    numbered = 'CAST(row_number() OVER (ORDER BY as_of, lead_id, account_id) AS BIGINT) AS "row"'
    database.execute(f"CREATE OR REPLACE TABLE spine AS SELECT {numbered}, * FROM ({rows})")


def _compute(data: LoadedData, catalogue: Catalogue) -> pd.DataFrame:
    """The signals of the spine's rows, in their order."""
    open_engine(data, catalogue).build_signals(catalogue)
    columns = ", ".join(quote(column.name) for column in catalogue)
    return data.database.frame(f'SELECT {columns} FROM signals ORDER BY "row"')


def describe_accounts(database: Database, rows: str) -> str:
    """Takes the name of a table with `account_id` and `as_of`; returns the query of each such account and moment, once.

    Columns: account_id, as_of, account_name, owner, employee_count, team_size (users but internal ones), open_amount (the largest open
    opportunity's) and seats (of subscriptions that run); what has no table or column is missing.
    """
    moments = f"(SELECT DISTINCT account_id, as_of FROM {rows} WHERE account_id IS NOT NULL)"
    team = (
        f"SELECT m.account_id, m.as_of, count(*) AS users FROM {moments} AS m JOIN user_versions AS v ON v.account_id = m.account_id "
        f"AND {holds_at('v', 'm.as_of')} AND coalesce(v.signup_at < m.as_of, true) AND NOT coalesce(v.is_internal, false) GROUP BY ALL"
    )
    deals = _sum_running(database, moments, "opportunities", "max(x.amount)", "created_at", "closed_at")
    seats = _sum_running(database, moments, "subscriptions", "sum(x.seats)", "started_at", "ended_at")
    same = "ON {0}.account_id = m.account_id AND {0}.as_of = m.as_of"
    joins = " ".join(f"LEFT JOIN ({query}) AS {name} {same.format(name)}" for name, query in (("t", team), ("d", deals), ("s", seats)))
    return (
        "SELECT m.account_id, m.as_of, a.name AS account_name, a.owner, a.employee_count, coalesce(t.users, 1) AS team_size, "
        f"d.value AS open_amount, s.value AS seats FROM {moments} AS m "
        f"LEFT JOIN accounts AS a ON a.account_id = m.account_id AND {holds_at('a', 'm.as_of')} {joins}"
    )


def _sum_running(database: Database, moments: str, table: str, total: str, begins: str, ends: str) -> str:
    """The query of a total over an account's records that run at the moment: begun before it, not ended before it."""
    columns = database.columns(table) if database.has(table) else {}
    if total.partition(".")[2].removesuffix(")") not in columns:
        return f"SELECT account_id, as_of, CAST(NULL AS DOUBLE) AS value FROM {moments} LIMIT 0"
    running = f"x.{begins} < m.as_of" + (f" AND coalesce(x.{ends} >= m.as_of, true)" if ends in columns else "")
    joined = f"{moments} AS m JOIN {table} AS x ON x.account_id = m.account_id AND {running}"
    return f"SELECT m.account_id, m.as_of, {total} AS value FROM {joined} GROUP BY ALL"


def list_people_by_title(database: Database) -> pd.DataFrame:
    """Takes a database with `members`; returns account_id, seniority, role and how many of its people that may be contacted have them."""
    return database.frame(
        "SELECT m.account_id, v.seniority, v.role, count(*) AS people FROM members AS m JOIN user_versions AS v "
        f"ON v.user_id = m.user_id AND {holds_at('v', 'm.as_of')} WHERE m.may_contact GROUP BY ALL ORDER BY ALL"
    )
