"""Users and the accounts they belong to: by id, else by e-mail domain; free-mail domains never make an account."""

from pls_ml.core.builtin import find_builtin
from pls_ml.core.columns import SQL_TYPE, TABLES
from pls_ml.core.database import Database, literals, quote
from pls_ml.core.errors import TableError


def free_mail_domains() -> tuple[str, ...]:
    """Takes nothing; returns the shipped list of mail providers whose domains say nothing about an employer."""
    return tuple(find_builtin("free_mail_domains.txt").read_text(encoding="utf-8").split())


def resolve_users(database: Database) -> None:
    """Takes a database with `users` (or only `events`) and perhaps `accounts`; completes `users`.

    Every contract column is there afterwards, `email_domain` is filled from `email`, and `account_id` from the domain:
    the account with that domain, or the domain itself when there is no accounts table. Refuses a user id listed twice.
    Without a users table, a user is whoever has an event, signed up at the first one.
    """
    if not database.has("users"):
        account = ", arg_min(account_id, event_time) AS account_id" if "account_id" in database.columns("events") else ""
        database.execute(
            f"CREATE TABLE users AS SELECT user_id, min(event_time) AS signup_at{account} FROM events "
            "WHERE user_id IS NOT NULL AND event_time >= '2000-01-01' GROUP BY user_id"
        )
    _refuse_repeated(database, "users", "user_id")
    _add_missing_columns(database, "users")
    found = "nullif(regexp_extract(email, '@([A-Za-z0-9.-]+)', 1), '')"  # also from 'Ann <ann@acme.com> '
    database.execute(f"UPDATE users SET email_domain = lower(coalesce(nullif(trim(email_domain), ''), {found}))")
    if not database.has("accounts"):
        database.execute(f"UPDATE users SET account_id = email_domain WHERE account_id IS NULL AND {_is_company()}")
        database.execute("CREATE TABLE accounts AS SELECT DISTINCT account_id FROM users WHERE account_id IS NOT NULL")
    _add_missing_columns(database, "accounts")
    _refuse_repeated(database, "accounts", "account_id", "valid_from")
    database.execute(
        "UPDATE users SET account_id = by_domain.account_id FROM "
        "(SELECT lower(domain) AS domain, min(account_id) AS account_id FROM accounts WHERE domain IS NOT NULL GROUP BY 1) AS by_domain "
        f"WHERE users.account_id IS NULL AND users.email_domain = by_domain.domain AND {_is_company()}"
    )


def _is_company() -> str:
    return f"users.email_domain IS NOT NULL AND users.email_domain NOT IN {literals(free_mail_domains())}"


def _refuse_repeated(database: Database, table: str, *key: str) -> None:
    columns = ", ".join(key)
    twice = database.rows(f"SELECT {key[0]}, count(*) FROM {table} GROUP BY {columns} HAVING count(*) > 1 ORDER BY 1 LIMIT 1")
    if twice:
        raise TableError(f"table '{table}' lists `{key[0]}` '{twice[0][0]}' {twice[0][1]} times: keep one row per {' and '.join(key)}")


def _add_missing_columns(database: Database, table: str) -> None:
    present = database.columns(table)
    for column, kind in TABLES[table].columns.items():
        if column not in present:
            database.execute(f"ALTER TABLE {table} ADD COLUMN {quote(column)} {SQL_TYPE[kind]}")
