"""Whom sales contacted while the outcome was open, and where chance decided about it."""

import pytest

from pls_ml.core.database import Database
from pls_ml.core.errors import TableError
from pls_ml.core.windows import Horizon
from pls_ml.labels.touches import find_contacts

HORIZON = Horizon(horizon_days=30, gap_days=1, lag_days=0)
PEOPLE = "('ann', 'acme'), ('bob', 'acme'), ('eve', 'zeta'), ('leo', NULL)"


def open_world(level="account", won=None, **tables):
    """Four users of two accounts and one of none, a spine row each at 2024-03-01, and tables given as SQL values."""
    database = Database([], threads=1, memory_limit="500MB")
    database.execute(f"CREATE TABLE users AS SELECT * FROM (VALUES {PEOPLE}) AS t(user_id, account_id)")
    database.execute("CREATE TABLE user_versions AS SELECT *, NULL::TIMESTAMP AS valid_from, NULL::TIMESTAMP AS valid_to FROM users")
    key = "user_id" if level == "user" else "coalesce(account_id, 'user:' || user_id)"
    database.execute(
        'CREATE TABLE spine AS SELECT row_number() OVER (ORDER BY user_id) AS "row", user_id AS lead_id, account_id, '
        f"{key} AS lead_key, TIMESTAMP '2024-03-01' AS as_of FROM users"
    )
    wins = f"SELECT '{won[0]}', NULL::TIMESTAMP, TIMESTAMP '{won[1]}', true" if won else "SELECT NULL, NULL, NULL, NULL WHERE false"
    database.execute(f"CREATE TABLE outcomes AS SELECT * FROM ({wins}) AS t(lead_key, opened_at, closed_at, is_won)")
    columns = {"touches": 'account_id, user_id, "at"', "assignments": "lead_id, experiment, arm, assigned_at"}
    for name, rows in tables.items():
        last = columns[name].rpartition(", ")[2]
        given = f"SELECT * FROM (VALUES {rows}) AS t({columns[name]})"
        database.execute(f"CREATE TABLE {name} AS SELECT * REPLACE (CAST({last} AS TIMESTAMP) AS {last}) FROM ({given})")
    return database


def contacted(rows, level="account", won=None):
    """Who of ann, bob, eve and leo was contacted."""
    found = find_contacts(open_world(level, won, touches=rows), HORIZON, level, "user")
    return [name for name, flag in zip(("ann", "bob", "eve", "leo"), found.contacted, strict=True) if flag]


def test_without_touches_nothing_is_known():
    assert find_contacts(open_world(), HORIZON, "account", "user") is None


@pytest.mark.parametrize(
    ("at", "names"),
    [
        ("2024-02-29 23:59", []),
        ("2024-03-01", ["ann", "bob"]),
        ("2024-03-31 23:59", ["ann", "bob"]),
        ("2024-04-01", []),
    ],
)
def test_a_touch_counts_from_as_of_to_the_end_of_the_horizon(at, names):
    assert contacted(f"('acme', NULL, '{at}')") == names


def test_a_touch_of_a_colleague_counts_where_the_outcome_is_the_accounts_and_only_there():
    rows = "(NULL, 'ann', '2024-03-05')"

    assert contacted(rows) == ["ann", "bob"]
    assert contacted(rows, level="user") == ["ann"]
    assert contacted("('acme', NULL, '2024-03-05')", level="user") == ["ann", "bob"]  # nobody says which of them it was


def test_somebody_without_an_account_is_touched_alone():
    assert contacted("(NULL, 'leo', '2024-03-05')") == ["leo"]


def test_a_touch_after_the_win_did_not_bring_it():
    assert contacted("('acme', NULL, '2024-03-05')", won=("acme", "2024-03-04")) == []
    assert contacted("('acme', NULL, '2024-03-05')", won=("acme", "2024-03-06")) == ["ann", "bob"]


def test_the_chance_of_no_treatment_is_the_share_of_the_experiment_that_was_held_out():
    arms = "('ann', 'x', 'treat', '2024-01-01'), ('eve', 'x', 'holdout', '2024-03-20'), ('no1', 'x', 'treat', '2024-01-01'), "
    arms += "('no2', 'x', 'treat', '2024-01-01'), ('leo', 'y', 'holdout', '2024-05-01')"

    found = find_contacts(open_world(touches="('acme', NULL, '2024-03-05')", assignments=arms), HORIZON, "account", "user")

    assert found.randomised
    assert found.assigned.tolist() == [True, True, True, False]  # leo's came after his horizon
    assert found.treated.tolist() == [True, True, False, False]
    assert found.chance.tolist() == pytest.approx([0.25, 0.25, 0.25, 1.0], abs=1e-12)


def test_without_anybody_held_out_nothing_is_random():
    database = open_world(touches="('acme', NULL, '2024-03-05')", assignments="('ann', 'x', 'treat', '2024-01-01')")

    assert not find_contacts(database, HORIZON, "account", "user").randomised


def test_two_experiments_multiply():
    arms = "('eve', 'x', 'holdout', '2024-01-01'), ('no1', 'x', 'treat', '2024-01-01'), "
    arms += "('eve', 'y', 'holdout', '2024-01-01'), ('no1', 'y', 'treat', '2024-01-01')"

    found = find_contacts(open_world(touches="('acme', NULL, '2024-03-05')", assignments=arms), HORIZON, "account", "user")

    assert found.chance.tolist() == pytest.approx([1.0, 1.0, 0.25, 1.0], abs=1e-12)


def test_an_unknown_arm_is_refused():
    database = open_world(touches="('acme', NULL, '2024-03-05')", assignments="('ann', 'x', 'control', '2024-01-01')")

    with pytest.raises(TableError, match="table 'assignments' has the arm 'control': expected treat or holdout"):
        find_contacts(database, HORIZON, "account", "user")


def test_touches_that_name_nobody_are_refused():
    database = open_world()
    database.execute("CREATE TABLE touches AS SELECT TIMESTAMP '2024-03-05' AS at")

    with pytest.raises(TableError, match="table 'touches' has neither `user_id` nor `account_id`"):
        find_contacts(database, HORIZON, "account", "user")
