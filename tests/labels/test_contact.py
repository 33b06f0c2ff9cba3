"""Whom nobody may contact, whatever the population says."""

import pyarrow as pa
import pytest

from pls_ml.core.database import Database
from pls_ml.core.errors import TableError
from pls_ml.labels.contact import find_blocked


def open_world(**tables):
    """A database with three users of two accounts, one spine row each at 2024-03-01, and the given tables as lists of rows."""
    database = Database([], threads=1, memory_limit="500MB")
    database.execute(
        "CREATE TABLE users AS SELECT * FROM (VALUES ('ann', 'acme', 'Ann@Acme.com', 'acme.com', false, false), "
        "('bob', 'acme', 'bob@acme.com', 'acme.com', false, false), ('eve', NULL, 'eve@gmail.com', 'gmail.com', false, false)) "
        "AS t(user_id, account_id, email, email_domain, no_contact, is_internal)"
    )
    database.execute("CREATE TABLE user_versions AS SELECT *, TIMESTAMP '2024-02-01' AS valid_from, NULL::TIMESTAMP AS valid_to FROM users")
    database.execute(
        "CREATE TABLE spine AS SELECT user_id AS lead_id, account_id, coalesce(account_id, 'user:' || user_id) AS account_key, "
        "user_id AS lead_key, TIMESTAMP '2024-03-01' AS as_of FROM users"
    )
    database.execute("CREATE TABLE outcomes (lead_key VARCHAR, opened_at TIMESTAMP, closed_at TIMESTAMP, is_won BOOLEAN)")
    for name, rows in tables.items():
        database.register(f"given_{name}", pa.Table.from_pylist(rows))
        dates = {"from", "until", "created_at", "closed_at", "started_at"} & set(rows[0])
        casts = ", ".join(f'CAST("{column}" AS TIMESTAMP) AS "{column}"' for column in sorted(dates))
        database.execute(f"CREATE TABLE {name} AS SELECT * REPLACE ({casts}) FROM given_{name}")
    return database


def block(rows):
    return find_blocked(open_world(suppressions=rows), customers_too=True)


@pytest.mark.parametrize(
    "row",
    [{"lead_id": "ann"}, {"email": " ANN@acme.com "}],
    ids=["by id", "by e-mail with spaces and capitals"],
)
def test_a_suppression_names_a_person(row):
    assert block([row | {"reason": "asked", "from": "2024-01-01"}]) == {"ann": "suppressed"}


@pytest.mark.parametrize("domain", ["acme.com", "@acme.com", " ACME.com"])
def test_a_suppression_names_a_company_however_the_domain_is_written(domain):
    assert block([{"domain": domain, "reason": "legal", "from": "2024-01-01"}]) == {"ann": "suppressed", "bob": "suppressed"}


def test_a_suppression_that_begins_after_the_moment_blocks_all_the_same():
    assert block([{"lead_id": "ann", "reason": "asked", "from": "2024-03-01 09:00"}]) == {"ann": "suppressed"}


@pytest.mark.parametrize(("until", "blocked"), [("2024-03-01", {}), ("2024-03-02", {"ann": "suppressed"})])
def test_a_suppression_that_has_ended_blocks_nobody(until, blocked):
    assert block([{"lead_id": "ann", "reason": "asked", "from": "2024-01-01", "until": until}]) == blocked


def test_a_suppression_names_a_person_by_an_address_of_the_past():
    database = open_world(suppressions=[{"email": "ann@globex.io", "reason": "asked", "from": "2024-01-01"}])
    earlier = "'globex' AS account_id, 'ann@globex.io' AS email, 'globex.io' AS email_domain, NULL AS valid_from, valid_from AS valid_to"
    database.execute(f"INSERT INTO user_versions SELECT * REPLACE ({earlier}) FROM user_versions WHERE user_id = 'ann'")

    assert find_blocked(database, customers_too=True) == {"ann": "suppressed"}


def test_a_suppression_list_that_can_name_nobody_is_refused():
    with pytest.raises(TableError, match=r"has none of `lead_id`, `email`, `domain`.*user_id"):
        block([{"user_id": "ann", "reason": "asked", "from": "2024-01-01"}])


def deal(**changes):
    return {"opportunity_id": "o", "account_id": "acme", "created_at": "2024-01-01", "closed_at": None, "is_won": None} | changes


def test_an_open_deal_of_any_type_blocks_everybody_in_the_account():
    database = open_world(opportunities=[deal(type="expansion", closed_at="2024-09-01")])

    assert find_blocked(database, customers_too=True) == {"ann": "open opportunity", "bob": "open opportunity"}


def test_a_deal_of_a_colleague_blocks_the_account():
    deals = [deal(account_id=None, user_id="bob", created_at="2024-02-01", closed_at="2024-09-01")]
    database = open_world(opportunities=deals)

    assert find_blocked(database, customers_too=True) == {"ann": "open opportunity", "bob": "open opportunity"}


@pytest.mark.parametrize(("customers_too", "blocked"), [(True, {"ann": "already a customer", "bob": "already a customer"}), (False, {})])
def test_customers_are_blocked_unless_they_are_the_objective(customers_too, blocked):
    database = open_world(opportunities=[deal(type="renewal", closed_at="2024-02-01", is_won=True)])

    assert find_blocked(database, customers_too=customers_too) == blocked


def test_a_deal_of_somebody_from_before_the_account_leaves_the_account_alone():
    database = open_world(opportunities=[deal(account_id=None, user_id="bob", created_at="2024-01-31", closed_at="2024-09-01")])

    assert find_blocked(database, customers_too=True) == {}


def test_a_lost_deal_blocks_nobody():
    database = open_world(opportunities=[deal(closed_at="2024-02-01", is_won=False)])

    assert find_blocked(database, customers_too=True) == {}


@pytest.mark.parametrize(("mrr", "blocked"), [(0.0, {}), (99.0, {"ann": "already a customer", "bob": "already a customer"})])
def test_a_paid_plan_makes_a_customer_and_a_free_one_does_not(mrr, blocked):
    database = open_world(subscriptions=[{"account_id": "acme", "started_at": "2024-01-01", "mrr": mrr}])

    assert find_blocked(database, customers_too=True) == blocked
