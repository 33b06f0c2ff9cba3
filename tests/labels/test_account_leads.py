"""Accounts as leads: when an account is one, whose events and wishes count for it, and whom a suppression list names."""

from datetime import datetime, timedelta

import pytest
from core.text_tables import empty_database, load, put
from pydantic import TypeAdapter

from pls_ml.core.database import Database
from pls_ml.core.errors import TableError
from pls_ml.core.windows import Grain
from pls_ml.events.identity import resolve_users
from pls_ml.labels.contact import find_blocked
from pls_ml.labels.population import Population, select_spine
from pls_ml.labels.spine import SpineSource, build_grid, build_moment

AS_OF = datetime(2024, 3, 1)
MICROSECOND = timedelta(microseconds=1)
TICK = (AS_OF - datetime(1970, 1, 1)).days
DAY = Grain("day")
EVERYTHING = ("customer", "lost", "open_opportunity", "no_contact", "suppressed")


def world(users: str, **tables: str) -> Database:
    database = empty_database()
    if "outcomes" in tables:
        put(database, "outcomes", tables.pop("outcomes"), opened_at="TIMESTAMP", closed_at="TIMESTAMP", is_won="BOOLEAN")
    if "state" in tables:
        ticks = dict.fromkeys(("event_tick", "seen_tick", "life_tick", "n"), "BIGINT")
        put(database, "state", tables.pop("state"), **ticks)
    load(database, users=users, **tables)
    resolve_users(database)
    return database


def leads_at(database: Database, as_of: datetime) -> list[str]:
    build_moment(database, as_of, "account")
    return [lead for (lead,) in database.rows("SELECT lead_id FROM grid ORDER BY 1")]


def moments(users: str, **source) -> list[tuple[str, str]]:
    """(account, day) of a grid."""
    database = world(users)
    build_grid(database, TypeAdapter(SpineSource).validate_python(source), DAY, AS_OF, "account")
    return database.rows("SELECT lead_id, CAST(as_of AS VARCHAR)[:10] FROM grid ORDER BY ALL")


def removed_from(database: Database, **population) -> dict[str, str]:
    """Account → why it is left out."""
    build_moment(database, AS_OF, "account")
    rules = Population(**({"min_age_days": 0, "min_events": 0, "exclude": EVERYTHING} | population))
    counts = select_spine(database, rules, DAY, "account", "account")
    found = dict(database.rows("SELECT lead_id, removed FROM screened WHERE removed IS NOT NULL"))
    assert sum(counts.values()) == len(found)
    return found


# --- when an account is a lead -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of", "leads"),
    [
        (datetime(2024, 1, 3), []),
        (datetime(2024, 1, 3) + MICROSECOND, ["acme"]),
        (datetime(2024, 1, 5), ["acme"]),
        (datetime(2024, 1, 9) + MICROSECOND, ["acme", "globex"]),
    ],
)
def test_an_account_is_a_lead_from_the_signup_of_its_first_user_on(as_of, leads):
    users = "user_id | account_id | signup_at\nu | acme | 2024-01-03\nv | acme | 2024-01-07\nw | globex | 2024-01-09\nx | | 2024-01-01"

    assert leads_at(world(users), as_of) == leads


def test_a_lead_of_accounts_is_its_own_account():
    database = world("user_id | account_id | signup_at\nu | acme | 2024-01-03")
    build_moment(database, AS_OF, "account")

    assert database.rows("SELECT lead_id, account_id, account_key FROM grid") == [("acme", "acme", "acme")]


def test_our_own_people_and_users_without_a_signup_make_no_account_a_lead():
    users = "user_id | account_id | signup_at | is_internal\nu | acme | 2024-01-03 | true\nv | globex | |\nw | initech | 2024-01-03 | false"

    assert leads_at(world(users), AS_OF) == ["initech"]


MOVER = """
    user_id | account_id | signup_at  | valid_from | valid_to
    u       | acme       | 2023-06-01 | 2023-06-01 | 2024-01-15
    u       | globex     | 2023-06-01 | 2024-01-15 | 2024-02-01
    u       | initech    | 2023-06-01 | 2024-02-01 |
"""


@pytest.mark.parametrize(
    ("as_of", "lead"),
    [
        (datetime(2023, 6, 1), None),
        (datetime(2024, 1, 15), "acme"),
        (datetime(2024, 1, 15) + MICROSECOND, "globex"),
        (datetime(2024, 2, 1), "globex"),
        (datetime(2024, 2, 2), "initech"),
    ],
)
def test_an_account_is_a_lead_only_while_somebody_is_known_to_belong_to_it(as_of, lead):
    assert leads_at(world(MOVER), as_of) == ([lead] if lead else [])


def test_an_account_signs_up_when_its_first_user_joins_who_signed_up_elsewhere():
    assert moments(MOVER, kind="age", after="7d") == [("acme", "2023-06-08"), ("globex", "2024-01-22"), ("initech", "2024-02-08")]
    assert removed_from(world(MOVER), min_age_days=29) == {}
    assert removed_from(world(MOVER), min_age_days=29.01) == {"initech": "too young"}


def test_a_calendar_has_every_account_at_every_moment_at_which_it_is_a_lead():
    users = "user_id | account_id | signup_at\nu | acme | 2024-02-14\nv | globex | 2024-02-19"

    assert moments(users, kind="calendar") == [("acme", "2024-02-19"), ("acme", "2024-02-26"), ("globex", "2024-02-26")]


def test_users_without_any_account_are_refused_with_the_next_step():
    with pytest.raises(TableError, match=r"`unit: account`, but no user who signed up belongs to an account: .*`unit: user`"):
        leads_at(world("user_id | email | signup_at\nu | u@gmail.com | 2024-01-01"), AS_OF)


# --- which accounts count ----------------------------------------------------------------------------------------


def test_who_wants_no_contact_does_not_speak_for_the_account():
    users = "user_id | account_id | signup_at | no_contact\nu | acme | 2024-01-01 | true\nv | globex | 2024-01-01 | false"

    assert removed_from(world(users)) == {}


def test_an_account_as_old_as_its_first_user_may_be_asked_to_be_older():
    users = f"user_id | account_id | signup_at\nu | acme | {AS_OF - timedelta(days=7)}\nv | acme | 2024-02-28\nw | globex | 2024-02-28"

    assert removed_from(world(users), min_age_days=7) == {"globex": "too young"}


TWO = "user_id | account_id | signup_at\nu | acme | 2024-01-01\nv | acme | 2024-01-01\nw | globex | 2024-01-01"


@pytest.mark.parametrize(
    ("state", "too_few"),
    [
        ("u | | 1\nv | | 2\nw | | 3", set()),
        ("u | | 1\nv | | 1\nw | | 3", {"acme"}),
        ("u | | 1\nv | globex | 2\nw | | 1", {"acme"}),
        ("u | | 3\nw | | 3\nstranger | globex | 3", set()),
        ("u | | 3\nstranger | globex | 3", {"globex"}),
    ],
    ids=["together", "too few together", "written on the event", "known", "of nobody known"],
)
def test_an_account_has_to_have_enough_events_of_all_its_users(state, too_few):
    rows = "".join(f"\n{row} | {TICK - 3} | {TICK - 3} | {TICK - 3}" for row in state.splitlines())

    database = world(TWO, state=f"user_id | account_id | n | event_tick | seen_tick | life_tick{rows}")

    assert removed_from(database, min_events=3) == dict.fromkeys(too_few, "too few events")


def test_events_count_for_the_account_of_their_day():
    days = [(datetime(2024, 1, day) - datetime(1970, 1, 1)).days for day in (10, 14, 15, 20)]
    rows = "".join(f"\nu | | 1 | {day} | {day} | {day}" for day in days)
    stayed = "\n    v       | acme       | 2024-01-01 |            |\n    w       | globex     | 2024-01-01 |            |"

    database = world(MOVER.rstrip() + stayed, state=f"user_id | account_id | n | event_tick | seen_tick | life_tick{rows}")

    few = {"initech": "too few events"}
    assert removed_from(database, min_events=1) == few
    assert removed_from(database, min_events=2) == few
    assert removed_from(database, min_events=3) == few | {"acme": "too few events", "globex": "too few events"}


def test_the_outcome_of_the_account_leaves_it_out():
    outcomes = "lead_key | opened_at | closed_at | is_won\nacme | 2024-01-01 | 2024-02-01 | true\nglobex | 2024-01-01 | | false"

    assert removed_from(world(TWO, outcomes=outcomes)) == {"acme": "already a customer", "globex": "open opportunity"}
    assert removed_from(world(TWO, outcomes=outcomes), exclude=()) == {}


def test_a_paid_subscription_makes_the_account_a_customer():
    assert removed_from(world(TWO, subscriptions="account_id | started_at\nglobex | 2024-01-01")) == {"globex": "already a customer"}


NAMED = "user_id | account_id | email | signup_at\nu | acme | ann@acme.com | 2024-01-01\nv | a-17 | bob@globex.com | 2024-01-01"
KNOWN = "account_id | domain\nacme | ACME.com\na-17 |"


@pytest.mark.parametrize(
    ("entry", "suppressed"),
    [
        ("acme | |", {"acme"}),
        ("u | |", set()),
        (" | ann@acme.com |", set()),
        (" | | @Acme.com", {"acme"}),
        (" | | globex.com", {"a-17"}),
        (" | | other.com", set()),
    ],
    ids=["its id", "a user's id", "a user's address", "its domain", "its users' domain", "another domain"],
)
def test_a_suppression_names_an_account_by_its_id_or_domain_and_never_by_one_person(entry, suppressed):
    tables = {"accounts": KNOWN, "suppressions": f"lead_id | email | domain | reason | from\n{entry} | asked | 2024-01-01"}
    database = world(NAMED, outcomes="lead_key | opened_at | closed_at | is_won", **tables)

    assert removed_from(database) == dict.fromkeys(suppressed, "suppressed")
    removed_from(database, exclude=())
    assert find_blocked(database, customers_too=True, unit="account") == dict.fromkeys(suppressed, "suppressed")


def test_a_domain_that_is_written_stands_for_the_account_whatever_its_users_domains_are():
    users = "user_id | account_id | email | signup_at\nu | acme | ann@consult.com | 2024-01-01"
    database = world(
        users, accounts="account_id | domain\nacme | acme.com", suppressions="domain | reason | from\nconsult.com | a | 2024-01-01"
    )

    assert removed_from(database) == {}


def test_without_a_table_of_accounts_a_domain_is_the_account():
    users = "user_id | email | signup_at\nu | ann@acme.com | 2024-01-01\nv | bob@globex.com | 2024-01-01"
    database = world(users, suppressions="domain | reason | from\nacme.com | asked | 2024-01-01")

    assert removed_from(database) == {"acme.com": "suppressed"}


def test_nobody_who_wants_no_contact_blocks_the_account_and_its_deals_do():
    users = """
        user_id | account_id | signup_at  | no_contact
        u       | acme       | 2024-01-01 | true
        v       | globex     | 2024-01-01 |
        w       | initech    | 2024-01-01 |
    """
    outcomes = "lead_key | opened_at | closed_at | is_won\nglobex | 2024-01-01 | | false\ninitech | 2024-01-01 | 2024-02-01 | true"
    database = world(users, outcomes=outcomes)
    removed_from(database, exclude=())

    assert find_blocked(database, customers_too=True, unit="account") == {"globex": "open opportunity", "initech": "already a customer"}
    assert find_blocked(database, customers_too=False, unit="account") == {"globex": "open opportunity"}
