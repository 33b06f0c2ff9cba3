"""An event that nearly always comes within a day of the win is the outcome under another name."""

import pyarrow as pa
import pytest
from core.text_tables import empty_database

from pls_ml.core.database import Database
from pls_ml.labels.twins import OutcomeTwin, find_outcome_twins

DAY = 86_400_000_000
WIN = 20_000 * DAY
USERS = "SELECT *, false AS is_internal, CAST(NULL AS TIMESTAMP) AS valid_from, CAST(NULL AS TIMESTAMP) AS valid_to FROM people"


def world(events: dict[str, list[int]], winners: int = 20, accounts: bool = False) -> Database:
    """Users u0, u1 …, the first `winners` of which win at WIN; `events` gives, per name and user, when it happened before the win."""
    n = max([len(times) for times in events.values()] + [winners])
    users = [f"u{i}" for i in range(n)]
    database = empty_database()
    owners = pa.array([f"a{i}" if accounts else None for i in range(n)], pa.string())
    log = [(users[i], name, WIN + offset) for name, times in events.items() for i, offset in enumerate(times)]
    names, times = pa.array([row[1] for row in log], pa.string()), pa.array([row[2] for row in log], pa.timestamp("us"))
    tables = {
        "people": pa.table({"user_id": users, "account_id": owners}),
        "clean_events": pa.table({"user_id": [row[0] for row in log], "event": names, "event_time": times}),
        "outcomes": pa.table(
            {
                "lead_key": [f"a{i}" if accounts else f"u{i}" for i in range(winners)],
                "closed_at": pa.array([WIN] * winners, pa.timestamp("us")),
                "is_won": [True] * winners,
            }
        ),
    }
    for name, table in tables.items():
        database.register(name, table)
    database.execute(f"CREATE TABLE users AS {USERS}")
    database.execute("CREATE VIEW user_versions AS SELECT * FROM users")
    return database


def test_an_event_within_a_day_of_the_win_is_a_twin():
    database = world({"contract_signed": [0] * 20, "view": [-30 * DAY] * 20})

    twins = find_outcome_twins(database, "user")

    assert twins == (OutcomeTwin("contract_signed", 20, 1.0),)
    assert twins[0].sentence == "event 'contract_signed' is a twin of the outcome: 100% of the 20 leads with it won within a day of it"


@pytest.mark.parametrize(("offset", "found"), [(-DAY, True), (DAY, True), (-DAY - 1, False), (DAY + 1, False)])
def test_a_day_on_either_side_is_near_to_the_microsecond(offset, found):
    assert bool(find_outcome_twins(world({"signed": [offset] * 20}), "user")) == found


@pytest.mark.parametrize(("near", "found"), [(20, True), (16, True), (15, False), (0, False)])
def test_four_in_five_of_those_who_have_the_event_have_to_win_near_it(near, found):
    times = [0] * near + [-30 * DAY] * (20 - near)

    assert bool(find_outcome_twins(world({"signed": times}), "user")) == found


def test_leads_with_the_event_that_never_win_speak_against_a_twin():
    assert find_outcome_twins(world({"pricing_viewed": [0] * 100}, winners=20), "user") == ()


@pytest.mark.parametrize(("leads", "found"), [(20, True), (19, False)])
def test_fewer_than_twenty_leads_prove_nothing(leads, found):
    assert bool(find_outcome_twins(world({"signed": [0] * leads}), "user")) == found


def test_an_event_that_also_happened_long_before_is_a_twin_by_the_one_near_the_win():
    database = world({"signed": [0] * 20})
    earlier = "SELECT user_id, event, event_time - INTERVAL 90 DAY AS event_time FROM clean_events"
    database.register("clean_events", database.arrow(f"SELECT * FROM clean_events UNION ALL {earlier}"))

    assert len(find_outcome_twins(database, "user")) == 1


def test_a_name_that_thousands_have_is_a_twin_when_they_win_near_it_and_none_when_they_do_not():
    database = world({"signed": [0] * 3000, "viewed": [0] * 9000}, winners=3000)

    assert find_outcome_twins(database, "user") == (OutcomeTwin("signed", 3000, 1.0),)


def test_internal_users_and_users_whom_nobody_lists_do_not_speak_for_a_twin():
    database = world({"signed": [0] * 20})
    database.execute("UPDATE users SET is_internal = true WHERE user_id = 'u0'")

    assert find_outcome_twins(database, "user") == ()
    database.execute("DELETE FROM users WHERE user_id = 'u0'")
    assert find_outcome_twins(database, "user") == ()


def test_the_win_of_an_account_that_a_user_has_left_since_counts():
    database = world({"signed": [0] * 20}, accounts=True)
    versions = "SELECT * FROM users UNION ALL SELECT * REPLACE ('later' AS account_id) FROM users WHERE user_id = 'u0'"
    database.execute(f"CREATE OR REPLACE VIEW user_versions AS {versions}")

    assert find_outcome_twins(database, "account") == (OutcomeTwin("signed", 21, 20 / 21),)


def test_the_win_of_the_account_counts_for_its_users():
    database = world({"signed": [0] * 20}, accounts=True)

    assert [twin.event for twin in find_outcome_twins(database, "account")] == ["signed"]
    assert find_outcome_twins(database, "user") == ()


def test_without_a_log_there_are_no_twins():
    database = world({"signed": [0] * 20})
    database.execute("DROP VIEW clean_events")

    assert find_outcome_twins(database, "user") == ()


def test_outcomes_without_a_date_have_no_twins():
    database = world({"signed": [0] * 20})
    undated = database.arrow("SELECT lead_key, CAST(NULL AS TIMESTAMP) AS closed_at, is_won FROM outcomes")
    database.register("outcomes", undated)

    assert find_outcome_twins(database, "user") == ()
