"""Which leads count at an `as_of`, and the first reason why another does not."""

from datetime import datetime, timedelta

import pytest
from core.text_tables import empty_database, load, put

from pls_ml.core.database import Database
from pls_ml.core.errors import TableError
from pls_ml.core.windows import Grain
from pls_ml.events.identity import resolve_users
from pls_ml.labels.contact import find_blocked
from pls_ml.labels.population import Population, select_spine

AS_OF = datetime(2024, 3, 1)
DAY = Grain("day")
EVERYTHING = ("customer", "lost", "open_opportunity", "no_contact", "suppressed")
MICROSECOND = timedelta(microseconds=1)


def world(users: str = "user_id\nu", as_of: datetime = AS_OF, **tables: str) -> Database:
    """Users, all of them on the grid at `as_of`; outcomes and state are made directly, the rest is read."""
    database = empty_database()
    if "outcomes" in tables:
        put(database, "outcomes", tables.pop("outcomes"), opened_at="TIMESTAMP", closed_at="TIMESTAMP", is_won="BOOLEAN")
    if "state" in tables:
        put(database, "state", tables.pop("state"), life_tick="BIGINT", n="BIGINT")
    load(database, users=users, **tables)
    resolve_users(database)
    database.execute(
        "CREATE TABLE grid AS SELECT user_id AS lead_id, account_id, coalesce(account_id, 'user:' || user_id) AS account_key, "
        "CAST(? AS TIMESTAMP) AS as_of FROM users",
        [as_of],
    )
    return database


def removed_from(database: Database, level: str = "account", grain: str = "day", **population) -> dict[str, str]:
    """Lead → why it is left out."""
    rules = Population(**({"min_age_days": 0, "min_events": 0, "exclude": EVERYTHING} | population))
    counts = select_spine(database, rules, Grain(grain), level)
    found = dict(database.rows("SELECT lead_id, removed FROM screened WHERE removed IS NOT NULL"))
    assert counts == {reason: list(found.values()).count(reason) for reason in sorted(set(found.values()))}
    return found


def test_the_spine_holds_the_leads_that_count_in_a_total_order():
    database = world("user_id | account_id | no_contact\nc | acme |\na | | false\nb | acme | true")
    database.execute("INSERT INTO grid SELECT lead_id, account_id, account_key, as_of - INTERVAL 7 DAY FROM grid")

    removed = select_spine(database, Population(min_age_days=0, min_events=0), DAY, "account")

    assert removed == {"no contact": 2}
    assert database.rows('SELECT "row", lead_id, account_id, account_key, lead_key, CAST(as_of AS DATE) FROM spine ORDER BY 1') == [
        (1, "a", None, "user:a", "user:a", datetime(2024, 2, 23).date()),
        (2, "c", "acme", "acme", "acme", datetime(2024, 2, 23).date()),
        (3, "a", None, "user:a", "user:a", datetime(2024, 3, 1).date()),
        (4, "c", "acme", "acme", "acme", datetime(2024, 3, 1).date()),
    ]


def test_internal_users_never_count_whatever_is_excluded():
    database = world("user_id | is_internal\nu | true\nv | false\nw |")

    assert removed_from(database, exclude=()) == {"u": "internal user"}


def test_users_who_must_not_be_contacted_are_left_out():
    database = world("user_id | no_contact\nu | true\nv | false")

    assert removed_from(database) == {"u": "no contact"}
    assert removed_from(database, exclude=("customer",)) == {}


@pytest.mark.parametrize(
    ("opened", "closed", "won", "reason"),
    [
        ("2024-01-01", "2024-02-01", True, "already a customer"),
        ("2024-01-01", "2024-02-29T23:59:59.999999", True, "already a customer"),
        ("2024-01-01", "2024-03-01", True, "open opportunity"),
        ("2024-01-01", "2024-06-01", True, "open opportunity"),
        ("2024-01-01", "", False, "open opportunity"),
        ("2024-02-29T23:59:59.999999", "", False, "open opportunity"),
        ("2024-03-01", "", False, None),
        ("2024-03-01", "2024-03-02", True, None),
        ("2024-01-01", "2024-02-01", False, "already lost"),
        ("2024-01-01", "2024-03-01", False, "open opportunity"),
    ],
)
def test_a_deal_counts_as_it_stood_just_before_as_of(opened, closed, won, reason):
    database = world(outcomes=f"lead_key | opened_at | closed_at | is_won\nuser:u | {opened} | {closed} | {won}")

    assert removed_from(database).get("u") == reason


def test_only_the_states_that_are_listed_are_excluded():
    database = world(
        "user_id\nu\nv\nw",
        outcomes="""
            lead_key | opened_at  | closed_at  | is_won
            user:u   | 2024-01-01 | 2024-02-01 | true
            user:v   | 2024-01-01 | 2024-02-01 | false
            user:w   | 2024-01-01 |            | false
        """,
    )

    assert removed_from(database, exclude=("customer",)) == {"u": "already a customer"}
    assert removed_from(database, exclude=("lost",)) == {"v": "already lost"}
    assert removed_from(database, exclude=("open_opportunity",)) == {"w": "open opportunity"}
    assert removed_from(database, exclude=()) == {}


def test_a_deal_of_the_account_concerns_everybody_in_it_and_one_of_a_user_only_that_user():
    users = "user_id | account_id\nu | acme\nv | acme\nw |"
    by_account = world(users, outcomes="lead_key | opened_at | closed_at | is_won\nacme | 2024-01-01 | 2024-02-01 | true")
    by_user = world(users, outcomes="lead_key | opened_at | closed_at | is_won\nu | 2024-01-01 | 2024-02-01 | true")

    assert set(removed_from(by_account, "account")) == {"u", "v"}
    assert set(removed_from(by_user, "user")) == {"u"}


@pytest.mark.parametrize(
    ("started", "mrr", "reason"),
    [
        ("2024-02-01", "50", "already a customer"),
        ("2024-02-01", "", "already a customer"),
        ("2024-02-01", "0", None),
        ("2024-02-29T23:59:59.999999", "50", "already a customer"),
        ("2024-03-01", "50", None),
    ],
)
def test_an_account_with_a_paid_subscription_is_a_customer(started, mrr, reason):
    database = world("user_id | account_id\nu | acme", subscriptions=f"account_id | started_at | mrr\nacme | {started} | {mrr}")

    assert removed_from(database).get("u") == reason
    assert removed_from(database, exclude=("lost",)) == {}


@pytest.mark.parametrize(
    ("signup", "young"),
    [(AS_OF - timedelta(days=7), False), (AS_OF - timedelta(days=7) + MICROSECOND, True), (AS_OF - timedelta(days=400), False)],
)
def test_a_lead_has_to_be_old_enough_to_the_microsecond(signup, young):
    database = world(f"user_id | signup_at\nu | {signup}")

    assert removed_from(database, min_age_days=7) == ({"u": "too young"} if young else {})


TICK = (AS_OF - datetime(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("state", "enough"),
    [
        (f"u | {TICK - 1} | 3", True),
        (f"u | {TICK - 1} | 2", False),
        (f"u | {TICK - 9} | 1\nu | {TICK - 5} | 1\nu | {TICK - 1} | 1", True),
        (f"u | {TICK - 1} | 1\nu | {TICK - 1} | 1\nu | {TICK - 1} | 1", True),
        (f"u | {TICK - 1} | 1\nu | {TICK - 1} | 1\nu | {TICK - 1} | 0\nu | {TICK - 1} | 0", False),
        (f"u | {TICK - 9} | 2\nu | {TICK} | 1", False),
        (f"u | {TICK} | 9\nu | {TICK - 1} | 2\nu | {TICK - 9} | 1", True),
        (f"u | {TICK - 9} | 2\nu | | 1", False),
        (f"v | {TICK - 9} | 30", False),
    ],
    ids=["three", "two", "one by one", "rows of one day", "rows of none", "one at as_of", "later ones first", "no part", "another user's"],
)
def test_a_lead_has_to_have_enough_events_that_were_visible_before_as_of(state, enough):
    database = world(state=f"user_id | life_tick | n\n{state}")

    assert removed_from(database, min_events=3) == ({} if enough else {"u": "too few events"})


def test_the_grain_of_the_state_is_that_of_the_events_asked_for():
    hour = TICK * 24
    database = world(as_of=AS_OF + timedelta(hours=5), state=f"user_id | life_tick | n\nu | {hour + 4} | 3")

    assert removed_from(database, min_events=3, grain="hour") == {}
    late = world(as_of=AS_OF + timedelta(hours=4), state=f"user_id | life_tick | n\nu | {hour + 4} | 3")
    assert removed_from(late, min_events=3, grain="hour") == {"u": "too few events"}


def test_the_days_of_the_state_are_those_of_the_zone():
    berlin, state = Grain("day", "Europe/Berlin"), f"user_id | life_tick | n\nu | {TICK - 1} | 3"
    midnight, rule = berlin.start_of(TICK), Population(min_age_days=0, min_events=3)

    assert midnight == AS_OF - timedelta(hours=1)
    assert select_spine(world(as_of=midnight, state=state), rule, berlin, "account") == {}
    assert select_spine(world(as_of=berlin.start_of(TICK - 1), state=state), rule, berlin, "account") == {"too few events": 1}


def test_a_lead_with_every_fault_gets_the_first_reason_in_one_fixed_order():
    order = [
        "internal user",
        "no contact",
        "suppressed",
        "already a customer",
        "already lost",
        "open opportunity",
        "too young",
        "too few events",
    ]
    found = []
    for cured in range(len(order) + 1):
        ill = order[cured:]
        deals = {
            "already a customer": "a | 2024-01-01 | 2024-02-01 | true",
            "already lost": "a | 2024-01-01 | 2024-02-01 | false",
            "open opportunity": "a | 2024-01-01 | | false",
        }
        signup = "2024-02-28" if "too young" in ill else "2024-01-01"
        n = 1 if "too few events" in ill else 9
        database = world(
            "user_id | account_id | signup_at | is_internal | no_contact\n"
            f"u | a | {signup} | {'internal user' in ill} | {'no contact' in ill}",
            outcomes="\n".join(["lead_key | opened_at | closed_at | is_won", *(row for name, row in deals.items() if name in ill)]),
            state=f"user_id | life_tick | n\nu | 19000 | {n}",
            suppressions="lead_id | reason | from" + ("\nu | asked | 2024-01-01" if "suppressed" in ill else ""),
        )
        found.append(removed_from(database, min_age_days=7, min_events=3).get("u"))

    assert found == [*order, None]


def test_the_order_of_reasons_does_not_depend_on_the_order_of_the_exclusions():
    outcomes = "lead_key | opened_at | closed_at | is_won\nuser:u | 2024-01-01 | 2024-02-01 | true\nuser:u | 2024-01-01 | | false"

    for exclude in (("customer", "open_opportunity"), ("open_opportunity", "customer")):
        assert removed_from(world(outcomes=outcomes), exclude=exclude) == {"u": "already a customer"}


@pytest.mark.parametrize("days", [float("inf"), float("nan"), -1])
def test_an_impossible_age_is_refused(days):
    with pytest.raises(ValueError, match="min_age_days"):
        Population(min_age_days=days)


# --- suppression -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "suppressed"),
    [
        ("u | | ", {"u"}),
        ("U | | ", set()),
        (" | Ann@Acme.com | ", {"u"}),
        (" | ann@acme.com | ", {"u"}),
        (" | | ACME.com", {"u", "v"}),
        (" | | other.com", set()),
        (" | | ", set()),
        ("w | | ", {"w"}),
    ],
)
def test_a_suppression_names_a_lead_an_email_or_a_domain(entry, suppressed):
    users = "user_id | email\nu | ANN@acme.com\nv | bob@acme.com\nw |"
    database = world(users, suppressions=f"lead_id | email | domain | reason | from\n{entry} | asked | 2024-01-01")

    found = removed_from(database)

    assert found == dict.fromkeys(suppressed, "suppressed")


@pytest.mark.parametrize(
    ("since", "until", "suppressed"),
    [
        ("2024-01-01", "", True),
        ("2024-03-01", "", True),
        ("2024-03-01T00:00:00.000001", "", False),
        ("2024-01-01", "2024-03-01T00:00:00.000001", True),
        ("2024-01-01", "2024-03-01", False),
        ("2024-01-01", "2024-02-01", False),
    ],
)
def test_a_suppression_is_in_force_from_its_start_until_just_before_its_end(since, until, suppressed):
    database = world(suppressions=f"lead_id | reason | from | until\nu | asked | {since} | {until}")

    assert removed_from(database) == ({"u": "suppressed"} if suppressed else {})


def test_one_of_several_suppressions_in_force_is_enough():
    rows = "u | asked | 2023-01-01 | 2023-02-01\nu | again | 2024-02-01 | 2024-04-01\nu | later | 2024-05-01 |"

    assert removed_from(world(suppressions=f"lead_id | reason | from | until\n{rows}")) == {"u": "suppressed"}


def test_a_suppression_list_without_an_end_or_other_keys_is_read():
    assert removed_from(world(suppressions="lead_id | reason | from\nu | asked | 2024-01-01")) == {"u": "suppressed"}


@pytest.mark.parametrize(
    ("rows", "days"),
    [
        (["2024-02-01 | 2024-02-10", "2024-02-05 | 2024-02-20"], (1, 20)),
        (["2024-02-01 | 2024-02-20", "2024-02-05 | 2024-02-10"], (1, 20)),
        (["2024-02-01 | 2024-02-10", "2024-02-10 | 2024-02-20"], (1, 20)),
        (["2024-02-01 | 2024-02-10", "2024-02-01 | 2024-02-20", "2024-02-01 | 2024-02-10"], (1, 20)),
        (["2024-02-01 |", "2024-01-05 | 2024-01-10"], (1, 29)),
        (["2024-02-10 | 2024-02-05", "2024-02-03 | 2024-02-04", "2024-02-07 | 2024-02-07"], (3, 4)),
    ],
    ids=["overlapping", "one in another", "end to end", "repeated", "without an end", "never in force"],
)
def test_records_that_meet_in_time_leave_a_lead_out_once_for_all_their_days(rows, days):
    deals = "".join(f"\nuser:u | {row} | false" for row in rows)
    barred = "".join(f"\nu | asked | {row}" for row in rows)
    database = world(outcomes=f"lead_key | opened_at | closed_at | is_won{deals}", suppressions=f"lead_id | reason | from | until{barred}")
    february = "range(TIMESTAMP '2024-02-01', TIMESTAMP '2024-03-01', INTERVAL 1 DAY) AS t(day)"
    database.execute(f"CREATE OR REPLACE TABLE grid AS SELECT g.* REPLACE (day AS as_of) FROM grid AS g, {february}")
    first, last = days

    assert removed_days(database, "open_opportunity") == list(range(first + 1, last + 1))
    assert removed_days(database, "suppressed") == list(range(first, last + (last == 29)))


def removed_days(database: Database, exclusion: str) -> list[int]:
    select_spine(database, Population(min_age_days=0, min_events=0, exclude=(exclusion,)), DAY, "account")
    return [day for (day,) in database.rows("SELECT day(as_of) FROM screened WHERE removed IS NOT NULL ORDER BY 1")]


def test_a_row_removed_for_many_reasons_at_once_is_counted_once():
    rows = [f"{kind} | asked | 2024-01-0{i}" for i in range(1, 9) for kind in ("u | |", "| a@x.com |", "| | x.com")]
    deals = "".join(f"\nacme | 2024-01-0{i} | | false" for i in range(1, 9))
    database = world(
        "user_id | account_id | email\nu | acme | a@x.com\nv | acme | b@y.com",
        suppressions="lead_id | email | domain | reason | from\n" + "\n".join(rows),
        outcomes=f"lead_key | opened_at | closed_at | is_won{deals}",
    )

    assert select_spine(database, Population(min_age_days=0, min_events=0), DAY, "account") == {"open opportunity": 1, "suppressed": 1}
    assert database.count("spine") == 0


# --- who may not be contacted, whatever the population -----------------------------------------------------------


def test_leads_that_nobody_may_contact_are_found_although_the_population_keeps_them():
    database = world(
        """
            user_id | account_id | is_internal | no_contact | signup_at
            staff   |            | true        |            |
            silent  |            |             | true       |
            barred  |            |             |            |
            buyer   | acme       |             |            |
            talking | globex     |             |            |
            payer   | initech    |             |            |
            loser   | umbrella   |             |            |
            young   |            |             |            | 2024-02-29
        """,
        outcomes="""
            lead_key | opened_at  | closed_at  | is_won
            acme     | 2024-01-01 | 2024-02-01 | true
            globex   | 2024-01-01 |            | false
            umbrella | 2024-01-01 | 2024-02-01 | false
        """,
        suppressions="lead_id | reason | from\nbarred | asked | 2024-01-01",
        subscriptions="account_id | started_at\ninitech | 2024-01-01",
    )
    removed_from(database, exclude=())

    assert find_blocked(database, customers_too=True) == {
        "silent": "no contact",
        "barred": "suppressed",
        "buyer": "already a customer",
        "talking": "open opportunity",
        "payer": "already a customer",
    }


def test_a_table_with_an_unreadable_suppression_is_refused_rather_than_ignored():
    with pytest.raises(TableError, match="table 'suppressions' has 1 rows without a readable `from`"):
        world(suppressions="lead_id | reason | from\nu | asked | soon")
