"""Columns of the users, the accounts and their dated records, as of `as_of`: query steps, values and joins."""

from __future__ import annotations

from collections.abc import Sequence

from pls_ml.core.catalogue import SignalColumn
from pls_ml.core.columns import holds_at
from pls_ml.core.database import quote
from pls_ml.core.measures import AccountUsers, AgeDays, Attribute, LimitUse, NewUsers, Records
from pls_ml.core.windows import DAY_US, Grain, Window

RECORD_TIMES = {"workspaces": "created_at"}
"""Dated table → the column that says when a row began."""


def people_columns(columns: Sequence[SignalColumn], grain: Grain, moves: bool) -> tuple[list[str], dict[str, str], str]:
    """Takes columns measured on tables, the grain, and whether users or accounts have versions.

    Returns the query steps they need, the SQL of each column's value over the spine `s`, and the joins to it.
    """
    steps: list[str] = []
    joins = ""
    values = {
        c.name: f"CAST(s.as_of_us - s.signup_us AS DOUBLE) / CAST({DAY_US} AS DOUBLE)"
        for c in columns
        if isinstance(c.signal.measure, AgeDays)
    }
    for build in (_attributes, _users_of_account, _records, _limits):
        more_steps, more_values, more_joins = build(columns, grain, moves)
        steps, values, joins = steps + more_steps, values | more_values, joins + more_joins
    if steps:
        steps.insert(0, "account_moments AS (SELECT DISTINCT account_id, as_of, as_of_us FROM ticked WHERE account_id IS NOT NULL)")
    return steps, values, joins


Found = tuple[list[str], dict[str, str], str]
_SAME = "ON {0}.account_id = s.account_id AND {0}.as_of = s.as_of "


def _attributes(columns: Sequence[SignalColumn], grain: Grain, moves: bool) -> Found:
    measures = {c.name: c.signal.measure for c in columns if isinstance(c.signal.measure, Attribute)}
    alias = {"users": "au", "accounts": "aa"}
    values = {
        name: f"CAST({alias[m.table]}.{quote(m.column)} AS {'VARCHAR' if m.type == 'category' else 'DOUBLE'})"
        for name, m in measures.items()
    }
    tables, joins = {m.table for m in measures.values()}, ""
    if "users" in tables:
        held = f" AND {holds_at('au', 's.as_of')}" if moves else ""
        joins += f"LEFT JOIN user_versions AS au ON au.user_id = s.lead_id{held} "
    if "accounts" in tables:
        joins += f"LEFT JOIN accounts AS aa ON aa.account_id = s.account_id AND {holds_at('aa', 's.as_of')} "
    return [], values, joins


def _users_of_account(columns: Sequence[SignalColumn], grain: Grain, moves: bool) -> Found:
    chosen = [c for c in columns if isinstance(c.signal.measure, AccountUsers | NewUsers)]
    if not chosen:
        return [], {}, ""
    new = {c.name: c.window for c in chosen if isinstance(c.signal.measure, NewUsers)}
    counts = ", ".join(f"{_count_since('x.signup_at', w, grain)} AS n{i}" for i, w in enumerate(new.values()))
    held = f" AND {holds_at('x', 'm.as_of')}" if moves else ""
    step = (
        f"account_people AS (SELECT m.account_id, m.as_of, count(*) AS users{', ' + counts if counts else ''} FROM account_moments AS m "
        f"JOIN user_versions AS x ON x.account_id = m.account_id{held} AND x.signup_at < m.as_of "
        "AND NOT coalesce(x.is_internal, FALSE) GROUP BY m.account_id, m.as_of)"
    )
    values = {c.name: "coalesce(ap.users, 1)" for c in chosen if c.name not in new}  # somebody without an account is alone
    values |= {name: f"CASE WHEN s.account_id IS NOT NULL THEN coalesce(ap.n{i}, 0) END" for i, name in enumerate(new)}
    return [step], values, f"LEFT JOIN account_people AS ap {_SAME.format('ap')}"


def _records(columns: Sequence[SignalColumn], grain: Grain, moves: bool) -> Found:
    steps: list[str] = []
    values: dict[str, str] = {}
    joins = ""
    measures = {c.name: c for c in columns if isinstance(c.signal.measure, Records)}
    for table in sorted({c.signal.measure.table for c in measures.values() if isinstance(c.signal.measure, Records)}):
        of_table = {n: c.window for n, c in measures.items() if isinstance(c.signal.measure, Records) and c.signal.measure.table == table}
        time = f"x.{RECORD_TIMES[table]}"
        counts = ", ".join(f"{_count_since(time, window, grain)} AS n{i}" for i, window in enumerate(of_table.values()))
        steps.append(
            f"account_{table} AS (SELECT m.account_id, m.as_of, {counts} FROM account_moments AS m "
            f"JOIN {table} AS x ON x.account_id = m.account_id AND {time} < m.as_of GROUP BY m.account_id, m.as_of)"
        )
        values |= {name: f"CASE WHEN s.account_id IS NOT NULL THEN coalesce(r_{table}.n{i}, 0) END" for i, name in enumerate(of_table)}
        joins += f"LEFT JOIN account_{table} AS r_{table} {_SAME.format('r_' + table)}"
    return steps, values, joins


def _limits(columns: Sequence[SignalColumn], grain: Grain, moves: bool) -> Found:
    names = [c.name for c in columns if isinstance(c.signal.measure, LimitUse)]
    if not names:
        return [], {}, ""
    readings = (
        'limit_readings AS (SELECT m.account_id, m.as_of, CASE WHEN x."limit" > 0 THEN x.used / x."limit" END AS share, '
        "rank() OVER (PARTITION BY m.account_id, m.as_of, x.resource ORDER BY x.at DESC) AS back "  # all of the last moment
        "FROM account_moments AS m JOIN usage_limits AS x ON x.account_id = m.account_id AND x.at < m.as_of)"
    )
    worst = (
        "account_limits AS (SELECT account_id, as_of, max(share) AS share FROM limit_readings WHERE back = 1 GROUP BY account_id, as_of)"
    )
    return [readings, worst], dict.fromkeys(names, "al.share"), f"LEFT JOIN account_limits AS al {_SAME.format('al')}"


def _count_since(time: str, window: Window | None, grain: Grain) -> str:
    if window is None or window.length_us is None:
        return f"count({time})"
    if grain.zone == "UTC":
        return f"count(CASE WHEN epoch_us({time}) >= m.as_of_us - {window.length_us} THEN 1 END)"
    begin = f"{grain.to_tick('m.as_of')} - {grain.ticks(window.length_us, window.name)}"  # days of a zone are not all equally long
    return f"count(CASE WHEN {grain.to_tick(time)} >= {begin} THEN 1 END)"
