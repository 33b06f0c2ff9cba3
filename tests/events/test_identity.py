import re
from datetime import date

import pytest
from core.text_tables import empty_database, load

from pls_ml.core.columns import holds_at
from pls_ml.core.database import Database
from pls_ml.core.errors import TableError
from pls_ml.events.identity import free_mail_domains, resolve_users

ACCOUNTS = """
    account_id | domain
    acme       | Acme.com
    globex     | globex.io
    mailers    | gmail.com
"""


def resolved(**tables: str) -> dict[str, str | None]:
    """User → account after identity resolution."""
    database = load(empty_database(), **tables)
    resolve_users(database)
    return dict(database.rows("SELECT user_id, account_id FROM users ORDER BY 1"))


def test_an_explicit_account_id_wins_over_the_domain_of_the_email():
    users = """
        user_id | account_id | email
        u1      | globex     | ann@acme.com
    """

    assert resolved(users=users, accounts=ACCOUNTS) == {"u1": "globex"}


def test_a_user_without_account_id_belongs_to_the_account_with_the_domain_of_the_email():
    users = """
        user_id | email
        u1      | ann@acme.com
        u2      | bob@globex.io
        u3      | eve@unknown.org
    """

    assert resolved(users=users, accounts=ACCOUNTS) == {"u1": "acme", "u2": "globex", "u3": None}


def test_domains_match_whatever_their_case():
    users = """
        user_id | email        | email_domain
        u1      | Ann@ACME.COM |
        u2      |              | AcMe.Com
    """

    assert resolved(users=users, accounts=ACCOUNTS) == {"u1": "acme", "u2": "acme"}


def test_the_given_email_domain_wins_over_the_one_of_the_email():
    users = """
        user_id | email        | email_domain
        u1      | ann@acme.com | globex.io
    """

    assert resolved(users=users, accounts=ACCOUNTS) == {"u1": "globex"}


@pytest.mark.parametrize("domain", ["gmail.com", "GMAIL.com", "outlook.com", "yahoo.com", "web.de"])
def test_a_free_mail_domain_never_makes_an_account_even_when_an_account_has_it(domain):
    users = f"""
        user_id | email
        u1      | ann@{domain}
    """

    assert resolved(users=users, accounts=ACCOUNTS) == {"u1": None}
    assert resolved(users=users) == {"u1": None}


def test_whether_an_address_is_of_a_free_mail_provider_is_known_where_there_is_an_address():
    users = """
        user_id | email        | free_mail
        u1      | ann@GMAIL.com |
        u2      | bob@acme.com |
        u3      |              |
        u4      | eve@gmail.com | 0
    """
    database = load(empty_database(), users=users)

    resolve_users(database)

    assert dict(database.rows("SELECT user_id, free_mail FROM users ORDER BY 1")) == {"u1": 1, "u2": 0, "u3": None, "u4": 0}


def test_the_shipped_free_mail_domains_are_lower_case_and_distinct():
    domains = free_mail_domains()

    assert {"gmail.com", "icloud.com"} <= set(domains)
    assert list(domains) == [domain.lower() for domain in dict.fromkeys(domains)]


def test_without_accounts_the_domain_itself_is_the_account():
    users = """
        user_id | email         | account_id
        u1      | ann@Acme.com  |
        u2      | bob@acme.com  |
        u3      | eve@gmail.com |
        u4      | joe@acme.com  | own
    """
    database = load(empty_database(), users=users)

    resolve_users(database)

    assert dict(database.rows("SELECT user_id, account_id FROM users")) == {"u1": "acme.com", "u2": "acme.com", "u3": None, "u4": "own"}
    assert database.rows("SELECT account_id FROM accounts ORDER BY 1") == [("acme.com",), ("own",)]


def test_text_without_an_at_sign_is_no_email_with_a_domain():
    users = """
        user_id | email
        u1      | acme.com
        u2      | ann@
    """

    assert resolved(users=users, accounts=ACCOUNTS) == {"u1": None, "u2": None}


def test_without_users_a_user_is_whoever_has_an_event_and_signed_up_at_the_first_one():
    events = """
        user_id | event | event_time
        u1      | view  | 2024-03-02
        u1      | view  | 2024-03-01
        u2      | view  | 2024-03-05
        u2      | view  | 1970-01-01
                | view  | 2024-03-05
    """
    database = load(empty_database(), events=events)

    resolve_users(database)

    found = database.rows("SELECT user_id, CAST(signup_at AS VARCHAR) FROM users ORDER BY 1")
    assert found == [("u1", "2024-03-01 00:00:00"), ("u2", "2024-03-05 00:00:00")]
    assert database.count("accounts") == 0


def test_every_contract_column_is_there_afterwards():
    database = load(empty_database(), users="user_id\nu1")

    resolve_users(database)

    assert {"invited_by", "signup_at", "is_internal", "no_contact", "email_domain"} <= set(database.columns("users"))
    assert {"domain", "employee_count", "valid_from", "valid_to"} <= set(database.columns("accounts"))
    assert database.columns("users")["is_internal"] == "BOOLEAN"


def test_a_repeated_user_id_is_refused_by_name():
    users = """
        user_id | email
        u2      | a@acme.com
        u1      | a@acme.com
        u1      | b@acme.com
    """

    with pytest.raises(TableError, match="table 'users' lists `user_id` 'u1' 2 times: keep one row per user_id"):
        resolved(users=users)


def test_of_two_accounts_with_one_domain_the_first_by_id_takes_the_users():
    users = "user_id | email\nu1 | ann@acme.com"
    accounts = """
        account_id | domain
        b          | acme.com
        a          | ACME.com
    """

    assert resolved(users=users, accounts=accounts) == {"u1": "a"}


# --- identity over time --------------------------------------------------------------------------------------------

MOVER = """
    user_id | account_id | email         | title   | signup_at  | valid_from | valid_to
    u1      | acme       | ann@acme.com  | analyst | 2024-01-05 |            | 2024-03-01
    u1      | globex     | ann@globex.io | head    | 2024-01-09 | 2024-03-01 |
    u2      | acme       |               | clerk   | 2024-02-01 |            |
"""


def open_versions(users: str, accounts: str = ACCOUNTS) -> Database:
    database = load(empty_database(), users=users, accounts=accounts)
    resolve_users(database)
    return database


def account_at(database: Database, as_of: str) -> list[str | None]:
    """The accounts that `u1` belongs to at one moment: none, one, or, if resolution were wrong, several."""
    test = holds_at("v", f"TIMESTAMP '{as_of}'")
    return [account for (account,) in database.rows(f"SELECT account_id FROM user_versions AS v WHERE v.user_id = 'u1' AND {test}")]


def test_a_user_who_moves_is_one_user_with_a_version_for_each_account():
    database = open_versions(MOVER)

    assert database.rows("SELECT user_id, account_id, title FROM users ORDER BY 1") == [("u1", "globex", "head"), ("u2", "acme", "clerk")]
    assert database.rows("SELECT user_id, account_id, title FROM user_versions ORDER BY ALL") == [
        ("u1", "acme", "analyst"),
        ("u1", "globex", "head"),
        ("u2", "acme", "clerk"),
    ]


def test_a_user_signed_up_once_at_the_earliest_of_its_versions():
    database = open_versions(MOVER)

    for table in ("users", "user_versions"):
        found = database.rows(f"SELECT DISTINCT CAST(signup_at AS DATE) FROM {table} WHERE user_id = 'u1'")
        assert found == [(date(2024, 1, 5),)]


@pytest.mark.parametrize(("before", "today"), [("true", "false"), ("false", "true"), ("", "true")])
def test_who_is_internal_today_is_so_in_every_version(before, today):
    database = open_versions(f"user_id | is_internal | valid_from | valid_to\nu1 | {before} | | 2024-03-01\nu1 | {today} | 2024-03-01 |")

    for table in ("users", "user_versions"):
        assert database.rows(f"SELECT DISTINCT is_internal FROM {table}") == [(today == "true",)]


@pytest.mark.parametrize(
    ("as_of", "account"),
    [
        ("2020-01-01", "acme"),
        ("2024-02-29T23:59:59.999999", "acme"),
        ("2024-03-01", "acme"),
        ("2024-03-01T00:00:00.000001", "globex"),
        ("2024-03-02", "globex"),
        ("2050-01-01", "globex"),
    ],
)
def test_what_begins_at_a_moment_is_not_yet_known_there(as_of, account):
    assert account_at(open_versions(MOVER), as_of) == [account]


def test_between_two_accounts_and_after_the_last_a_user_has_none():
    users = """
        user_id | account_id | valid_from | valid_to
        u1      | acme       | 2024-01-01 | 2024-02-01
        u1      | globex     | 2024-03-01 | 2024-04-01
    """
    database = open_versions(users)

    found = {day: account_at(database, day) for day in ("2024-01-01", "2024-01-02", "2024-02-15", "2024-03-15", "2024-05-01")}
    assert found == {"2024-01-01": [], "2024-01-02": ["acme"], "2024-02-15": [], "2024-03-15": ["globex"], "2024-05-01": []}
    assert database.rows("SELECT account_id FROM users") == [("globex",)]


def test_the_account_of_a_version_follows_from_the_email_of_that_version():
    users = """
        user_id | account_id | email         | valid_from | valid_to
        u1      |            | ann@acme.com  |            | 2024-03-01
        u1      |            | ann@gmail.com | 2024-03-01 | 2024-05-01
        u1      |            | ann@Globex.io | 2024-05-01 |
    """
    database = open_versions(users)

    assert [account_at(database, f"2024-0{month}-15") for month in (2, 4, 6)] == [["acme"], [None], ["globex"]]


def test_without_accounts_every_account_that_a_user_ever_belonged_to_is_one():
    database = load(empty_database(), users=MOVER)

    resolve_users(database)

    assert database.rows("SELECT account_id FROM accounts ORDER BY 1") == [("acme",), ("globex",)]


def test_users_without_intervals_have_one_version_that_always_holds_and_no_second_table():
    database = open_versions("user_id | account_id\nu1 | acme\nu2 | globex")

    assert account_at(database, "1970-01-01") == account_at(database, "2050-01-01") == ["acme"]
    assert database.rows("SELECT table_type FROM information_schema.tables WHERE table_name = 'user_versions'") == [("VIEW",)]


def test_a_version_that_lasts_no_time_never_holds():
    users = """
        user_id | account_id | valid_from | valid_to
        u1      | acme       |            | 2024-03-01
        u1      | initech    | 2024-03-01 | 2024-03-01
        u1      | globex     | 2024-03-01 |
    """
    database = open_versions(users)

    assert account_at(database, "2024-03-01") == ["acme"]
    assert account_at(database, "2024-03-02") == ["globex"]
    assert database.rows("SELECT account_id FROM users") == [("globex",)]


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        ("2024-01-01 | 2024-03-01", "2024-02-01 |", "2024-01-01 00:00:00 to 2024-03-01 00:00:00 and 2024-02-01 00:00:00 to open"),
        ("2024-02-01 |", "2024-01-01 | 2024-03-01", "2024-01-01 00:00:00 to 2024-03-01 00:00:00 and 2024-02-01 00:00:00 to open"),
        ("| 2024-03-01", "2024-02-01 | 2024-02-02", "ever to 2024-03-01 00:00:00 and 2024-02-01 00:00:00 to 2024-02-02 00:00:00"),
        ("2024-01-01 |", "2024-02-01 |", "2024-01-01 00:00:00 to open and 2024-02-01 00:00:00 to open"),
        ("|", "2024-02-01 |", "ever to open and 2024-02-01 00:00:00 to open"),
    ],
    ids=["overlapping", "in any order", "one in another", "never ended", "always"],
)
def test_a_user_or_an_account_that_is_two_things_at_once_is_refused_with_both_intervals(first, second, named):
    message = re.escape(f"that hold at once ({named}): end each (`valid_to`) where the next begins (`valid_from`)")
    rows = f"user_id | account_id | valid_from | valid_to\nu0 | a | |\nu1 | a | {first}\nu1 | b | {second}"
    accounts = f"account_id | name | valid_from | valid_to\na | x | {first}\na | y | {second}"

    with pytest.raises(TableError, match="table 'users' has two rows of `user_id` 'u1' " + message):
        open_versions(rows)
    with pytest.raises(TableError, match="table 'accounts' has two rows of `account_id` 'a' " + message):
        open_versions("user_id | account_id\nu1 | a", accounts)


def test_a_third_row_that_lies_in_the_first_is_found():
    users = """
        user_id | account_id | valid_from | valid_to
        u1      | acme       | 2024-01-01 | 2024-12-01
        u1      | globex     | 2024-12-01 | 2025-01-01
        u1      | initech    | 2024-06-01 | 2024-06-02
    """

    with pytest.raises(TableError, match="2024-01-01 00:00:00 to 2024-12-01 00:00:00 and 2024-06-01"):
        open_versions(users)


@pytest.mark.parametrize("table", ["users", "accounts"])
def test_a_row_that_ends_before_it_begins_is_refused(table):
    key = f"{table[:-1]}_id"
    rows = f"{key} | valid_from | valid_to\nx | 2024-03-01 | 2024-02-01"
    tables = {"users": "user_id\nu1"} | {table: rows}

    with pytest.raises(
        TableError, match=rf"table '{table}': `{key}` 'x' has a row that ends before it begins .2024-03-01 .* to 2024-02-01"
    ):
        resolved(**tables)


def test_rows_of_one_account_that_follow_each_other_are_its_history():
    accounts = """
        account_id | domain   | employee_count | valid_from | valid_to
        a          | acme.com | 10             |            | 2024-02-01
        a          | acme.com | 90             | 2024-02-01 |
    """
    database = open_versions("user_id | email\nu1 | ann@acme.com", accounts)

    assert database.rows("SELECT account_id FROM users") == [("a",)]
    assert database.rows("SELECT employee_count FROM accounts ORDER BY 1") == [(10.0,), (90.0,)]


def test_rows_of_one_account_without_intervals_are_refused():
    twice = "account_id | domain\na | acme.com\na | acme.com"

    with pytest.raises(TableError, match=r"table 'accounts' lists `account_id` 'a' 2 times: keep one row per account_id, or say when each"):
        resolved(users="user_id | account_id\nu1 | a", accounts=twice)
