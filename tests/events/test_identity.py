import pytest
from core.text_tables import empty_database, load

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


def test_a_repeated_account_id_is_refused_unless_its_rows_are_periods_of_validity():
    users = "user_id | account_id\nu1 | a"
    twice = """
        account_id | domain   | valid_from | valid_to
        a          | acme.com |            |
        a          | acme.com |            |
    """

    with pytest.raises(TableError, match="table 'accounts' lists `account_id` 'a' 2 times: keep one row per account_id"):
        resolved(users=users, accounts=twice)
    periods = twice.replace("|            |\n", "| 2024-01-01 | 2024-02-01\n", 1)
    assert resolved(users=users, accounts=periods) == {"u1": "a"}
