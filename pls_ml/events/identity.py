"""Users and the accounts they belong to over time: by id, else by e-mail domain; free-mail domains never make an account."""

from typing import Any

from pls_ml.core.builtin import find_builtin
from pls_ml.core.columns import SQL_TYPE, TABLES
from pls_ml.core.database import Database, literals, quote
from pls_ml.core.errors import TableError


def free_mail_domains() -> tuple[str, ...]:
    """Takes nothing; returns the shipped list of mail providers whose domains say nothing about an employer."""
    return tuple(find_builtin("free_mail_domains.txt").read_text(encoding="utf-8").split())


def resolve_users(database: Database) -> None:
    """Takes a database with `users` (or only `events`) and perhaps `accounts`; completes them and makes `user_versions`.

    Every contract column is there afterwards, `email_domain` is filled from `email`, `free_mail` (1 or 0) and `account_id` from the
    domain: the account with that domain, or the domain itself when there is no accounts table. `user_versions` has every version of a
    user, `users` the newest one; all say the earliest signup, and whether the user is internal today. Refuses versions of one user or one
    account that hold at once.
    Without a users table, a user is whoever has an event, signed up at the first one.
    """
    if not database.has("users"):
        _find_users(database)
    _add_missing_columns(database, "users")
    several = _check_versions(database, "users", "user_id")
    _fill_accounts(database)
    _split_versions(database, several)


def _find_users(database: Database) -> None:
    account = ", arg_min(account_id, event_time) AS account_id" if "account_id" in database.columns("events") else ""
    database.execute(
        f"CREATE TABLE users AS SELECT user_id, min(event_time) AS signup_at{account} FROM events "
        "WHERE user_id IS NOT NULL AND event_time >= '2000-01-01' GROUP BY user_id"
    )


def _fill_accounts(database: Database) -> None:
    """Takes a database with every version in `users`; fills the account of each from the e-mail of that version."""
    found = "nullif(regexp_extract(email, '@([A-Za-z0-9.-]+)', 1), '')"  # also from 'Ann <ann@acme.com> '
    database.execute(f"UPDATE users SET email_domain = lower(coalesce(nullif(trim(email_domain), ''), {found}))")
    is_free = f"CAST(email_domain IN {literals(free_mail_domains())} AS DOUBLE)"
    database.execute(f"UPDATE users SET free_mail = {is_free} WHERE free_mail IS NULL")
    if not database.has("accounts"):
        database.execute(f"UPDATE users SET account_id = email_domain WHERE account_id IS NULL AND {_is_company()}")
        database.execute("CREATE TABLE accounts AS SELECT DISTINCT account_id FROM users WHERE account_id IS NOT NULL")
    _add_missing_columns(database, "accounts")
    _check_versions(database, "accounts", "account_id")
    database.execute(
        "UPDATE users SET account_id = by_domain.account_id FROM "
        "(SELECT lower(domain) AS domain, min(account_id) AS account_id FROM accounts WHERE domain IS NOT NULL GROUP BY 1) AS by_domain "
        f"WHERE users.account_id IS NULL AND users.email_domain = by_domain.domain AND {_is_company()}"
    )


def _is_company() -> str:
    return f"users.email_domain IS NOT NULL AND users.email_domain NOT IN {literals(free_mail_domains())}"


def _split_versions(database: Database, several: bool) -> None:
    if not several:
        database.execute("CREATE OR REPLACE VIEW user_versions AS SELECT * FROM users")
        return
    newest = "(PARTITION BY user_id ORDER BY valid_from DESC NULLS LAST, valid_to DESC NULLS FIRST)"
    same = f"min(signup_at) OVER (PARTITION BY user_id) AS signup_at, first_value(is_internal) OVER {newest} AS is_internal"
    database.execute(f"CREATE OR REPLACE TABLE user_versions AS SELECT * REPLACE ({same}) FROM users")
    database.execute(f"CREATE OR REPLACE TABLE users AS SELECT * FROM user_versions QUALIFY row_number() OVER {newest} = 1")


def _check_versions(database: Database, table: str, key: str) -> bool:
    """Takes a table with validity intervals; returns whether an id has several; refuses those that end early or hold at once."""
    backwards = database.rows(f"SELECT {key}, valid_from, valid_to FROM {table} WHERE valid_to < valid_from ORDER BY ALL LIMIT 1")
    if backwards:
        name, *interval = backwards[0]
        raise TableError(
            f"table '{table}': `{key}` '{name}' has a row that ends before it begins ({_span(*interval)}): swap or mend the two"
        )
    several = f"SELECT {key} FROM {table} GROUP BY {key} HAVING count(*) > 1"
    if not database.rows(f"{several} LIMIT 1"):
        return False
    _refuse_repeated(database, table, key)
    _refuse_overlap(database, table, key, several)
    return True


def _refuse_repeated(database: Database, table: str, key: str) -> None:
    always = "valid_from IS NULL AND valid_to IS NULL"
    twice = database.rows(f"SELECT {key}, count(*) FROM {table} WHERE {always} GROUP BY {key} HAVING count(*) > 1 ORDER BY 1 LIMIT 1")
    if twice:
        name, n = twice[0]
        raise TableError(
            f"table '{table}' lists `{key}` '{name}' {n} times: keep one row per {key}, or say when each holds (`valid_from`, `valid_to`)"
        )


def _refuse_overlap(database: Database, table: str, key: str, several: str) -> None:
    """Refuses two rows of one id that hold at once; ordered by their beginnings, such rows are neighbours."""
    found = database.rows(
        f"SELECT {key}, before_from, before_to, valid_from, valid_to FROM (SELECT {key}, valid_from, valid_to, "
        "lag(valid_from) OVER w AS before_from, lag(valid_to) OVER w AS before_to, lag(coalesce(valid_to, 'infinity')) OVER w AS ended "
        f"FROM {table} WHERE {key} IN ({several}) AND coalesce(valid_from < valid_to, true) "
        f"WINDOW w AS (PARTITION BY {key} ORDER BY valid_from NULLS FIRST, valid_to NULLS LAST)) "
        "WHERE ended > coalesce(valid_from, '-infinity') ORDER BY ALL LIMIT 1"
    )
    if found:
        name, *times = found[0]
        raise TableError(
            f"table '{table}' has two rows of `{key}` '{name}' that hold at once ({_span(*times[:2])} and {_span(*times[2:])}): "
            "end each (`valid_to`) where the next begins (`valid_from`)"
        )


def _span(valid_from: Any, valid_to: Any) -> str:
    return f"{valid_from or 'ever'} to {valid_to or 'open'}"


def _add_missing_columns(database: Database, table: str) -> None:
    present = database.columns(table)
    for column, kind in TABLES[table].columns.items():
        if column not in present:
            database.execute(f"ALTER TABLE {table} ADD COLUMN {quote(column)} {SQL_TYPE[kind]}")
