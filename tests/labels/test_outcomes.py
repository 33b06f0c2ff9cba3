"""What counts as closed-won, for each kind of outcome."""

import pytest
from core.text_tables import empty_database, load, put
from pydantic import TypeAdapter

from pls_ml.core.database import Database
from pls_ml.core.errors import ConfigError, TableError
from pls_ml.core.windows import Grain
from pls_ml.events.identity import resolve_users
from pls_ml.labels.outcomes import OutcomeSource, find_outcomes

USERS = """
    user_id | account_id
    ann     | acme
    bob     | acme
    joe     |
"""
DEALS = """
    opportunity_id | account_id | user_id | created_at | closed_at  | is_won | type
    1              | acme       | ann     | 2024-01-01 | 2024-02-01 | true   | new
    2              | acme       | bob     | 2024-03-01 |            |        | new
    3              | globex     |         | 2024-01-01 | 2024-02-02 | false  | new
    4              | globex     |         | 2024-01-01 | 2024-02-03 | true   | expansion
    5              | initech    |         | 2024-01-01 |            | true   | new
"""
LOG = """
    user_id | event | event_time
    ann     | buy   | 2024-02-02
    ann     | buy   | 2024-02-01
    bob     | buy   | 2024-01-05
    joe     | leave | 2024-01-06
    zoe     | buy   | 2024-01-01
    joe     | buy   |
"""


DAY = Grain("day")


def outcomes_of(
    database: Database, show: str = "lead_key, CAST(closed_at AS VARCHAR), is_won", grain: Grain = DAY, **source
) -> list[tuple]:
    find_outcomes(database, TypeAdapter(OutcomeSource).validate_python(source), grain)
    return database.rows(f"SELECT {show} FROM outcomes ORDER BY ALL NULLS LAST")


def project(**tables: str) -> Database:
    database = load(empty_database(), **tables)
    resolve_users(database)
    return database


def test_opportunities_of_one_type_are_the_outcome_of_their_account():
    database = project(users=USERS, opportunities=DEALS)

    found = outcomes_of(database, kind="opportunities", type="new")

    assert found == [
        ("acme", "2024-02-01 00:00:00", True),
        ("acme", None, False),
        ("globex", "2024-02-02 00:00:00", False),
        ("initech", None, False),
    ]


def test_the_type_of_opportunities_is_new_unless_another_is_named():
    database = project(users=USERS, opportunities=DEALS)

    assert outcomes_of(database, kind="opportunities") == outcomes_of(database, kind="opportunities", type="new")
    assert outcomes_of(database, kind="opportunities", type="expansion") == [("globex", "2024-02-03 00:00:00", True)]
    assert len(outcomes_of(database, kind="opportunities", type=None)) == 5


def test_opportunities_may_be_the_outcome_of_their_user():
    database = project(users=USERS, opportunities=DEALS)

    found = outcomes_of(database, "lead_key, is_won", kind="opportunities", level="user")

    assert found[:2] == [("ann", True), ("bob", False)]


def test_opportunities_without_a_user_cannot_be_the_outcome_of_one():
    deals = "opportunity_id | account_id | created_at | closed_at | is_won\n1 | acme | 2024-01-01 | 2024-02-01 | true"

    with pytest.raises(TableError, match=r"`outcome.level: user` needs the column `user_id` in `data.opportunities`"):
        outcomes_of(project(users=USERS, opportunities=deals), kind="opportunities", level="user")


def test_an_opportunity_keeps_when_it_was_opened():
    database = project(users=USERS, opportunities=DEALS)

    found = outcomes_of(database, "CAST(opened_at AS VARCHAR)", kind="opportunities", type="expansion")

    assert found == [("2024-01-01 00:00:00",)]


def test_an_unknown_type_is_refused_with_the_known_ones():
    with pytest.raises(TableError, match=r"no opportunity has type 'nwe': the table has expansion, new; change `outcome\.type`"):
        outcomes_of(project(users=USERS, opportunities=DEALS), kind="opportunities", type="nwe")


def test_opportunities_that_are_not_there_are_asked_for():
    with pytest.raises(TableError, match=r"`outcome\.kind: opportunities` needs the table `data\.opportunities`"):
        outcomes_of(project(users=USERS), kind="opportunities")


def test_the_first_event_of_a_user_decides_when_it_was_won():
    database = project(users=USERS, events=LOG)

    found = outcomes_of(database, kind="events", won=("buy",), lost=("leave",))

    assert found == [
        ("ann", "2024-02-01 00:00:00", True),
        ("bob", "2024-01-05 00:00:00", True),
        ("joe", "2024-01-06 00:00:00", False),
    ]


def test_events_may_be_the_outcome_of_the_account_or_of_a_user_who_has_none():
    database = project(users=USERS, events=LOG)

    found = outcomes_of(database, kind="events", won=("buy",), lost=("leave",), level="account")

    assert found == [("acme", "2024-01-05 00:00:00", True), ("user:joe", "2024-01-06 00:00:00", False)]


@pytest.mark.parametrize(
    ("bought", "account"),
    [("2024-01-14", "acme"), ("2024-01-15", "globex"), ("2024-01-15T10:00:00", "globex"), ("2024-03-01", "globex")],
    ids=["before the move", "with it", "later that day", "long after"],
)
def test_an_event_is_the_outcome_of_the_account_that_the_user_belonged_to_at_the_time(bought, account):
    users = """
        user_id | account_id | valid_from | valid_to
        u       | acme       |            | 2024-01-15
        u       | globex     | 2024-01-15 |
    """
    database = project(users=users, events=f"user_id | event | event_time\nu | buy | {bought}")

    assert outcomes_of(database, "lead_key, is_won", kind="events", won=("buy",), level="account") == [(account, True)]


@pytest.mark.parametrize(("won", "lost", "near"), [("bay", "leave", "buy"), ("buy", "leaf", "leave")])
def test_an_outcome_event_that_is_not_in_the_log_is_refused_with_the_nearest_name(won, lost, near):
    with pytest.raises(TableError, match=rf"outcome event '.*' is not in the log \(did you mean '{near}'\?\)"):
        outcomes_of(project(users=USERS, events=LOG), kind="events", won=(won,), lost=(lost,))


@pytest.mark.parametrize("source", [{"kind": "events", "won": ("buy",)}, {"kind": "activity", "days": 2, "within_days": 7}])
def test_an_outcome_from_the_log_needs_the_log(source):
    with pytest.raises(TableError, match=f"`outcome.kind: {source['kind']}` needs the table `data.events`"):
        outcomes_of(project(users=USERS), **source)


def adopted(*days: str, events: tuple[str, ...] = (), zone: str = "UTC", users: str = "user_id\nu\nwinner") -> str | None:
    """The day on which a user with events on these days of January counts as adopting: three days within seven (Relax)."""
    rows = "".join(f"\nu | login | 2024-01-{day}" for day in days)
    database = project(events=f"user_id | event | event_time\nz | login | 2024-01-01{rows}", users=users)
    trio = "".join(f"\nwinner | login | 2024-01-0{day}" for day in (1, 2, 3))  # so that somebody wins
    put(database, "clean_events", f"user_id | event | event_time{rows}{trio}", event_time="TIMESTAMP")
    found = outcomes_of(
        database, "lead_key, CAST(closed_at AS VARCHAR)", grain=Grain("day", zone), kind="activity", events=events, days=3, within_days=7
    )
    day = dict(found).get("u")
    return day and day[8:10]


@pytest.mark.parametrize(
    ("days", "adopting_day"),
    [
        (["01", "04", "07"], "07"),
        (["01", "04", "08"], None),
        (["01", "02", "03", "04"], "03"),
        (["01", "05", "09", "10", "11"], "10"),
        (["01", "05", "09", "12"], None),
        (["01", "02"], None),
        ([], None),
    ],
)
def test_adoption_is_the_third_day_within_any_seven(days, adopting_day):
    assert adopted(*days) == adopting_day


def test_several_events_of_one_day_are_one_day_of_activity():
    assert adopted("01T08:00:00", "01T09:00:00", "01T23:59:59.999999", "02T00:00:00") is None
    assert adopted("01T08:00:00", "02T09:00:00", "07T23:59:59.999999") == "07"


def test_days_of_activity_are_days_of_the_zone():
    nights = ("01T17:00:00", "01T18:29:59", "01T18:30:00", "02T18:30:00")

    assert adopted(*nights) is None
    assert adopted(*nights, zone="Asia/Kolkata") == "02"


def test_the_activity_of_internal_users_and_of_users_whom_nobody_lists_is_no_outcome():
    days = ("01", "02", "03")

    assert adopted(*days, users="user_id | is_internal\nu | true\nwinner |") is None
    assert adopted(*days, users="user_id\nv\nwinner") is None


def test_only_the_named_events_are_activity():
    assert adopted("01", "02", "03", events=("login",)) == "03"
    with pytest.raises(TableError, match=r"no closed-won outcome was found by `outcome` .kind 'activity'."):
        adopted("01", "02", "03", events=("export",))


def test_more_days_than_fit_into_the_stretch_are_refused():
    with pytest.raises(ConfigError, match="outcome: 8 active days do not fit into `within_days: 7`"):
        outcomes_of(project(users=USERS, events=LOG), kind="activity", days=8, within_days=7)


@pytest.mark.parametrize(("yes", "no"), [("1", "0"), ("1.0", ""), ("true", "false"), ("yes", "no"), ("TRUE", "maybe")])
def test_a_finished_column_is_the_outcome(yes, no):
    database = project(users=f"user_id | converted\nann | {yes}\nbob | {no}")

    assert outcomes_of(database, kind="column", column="converted") == [("ann", None, True), ("bob", None, False)]


def test_a_column_that_is_not_there_is_refused_with_the_nearest_one():
    with pytest.raises(TableError, match=r"no outcome column 'convertd' in `users` \(did you mean 'converted'\?\)"):
        outcomes_of(project(users="user_id | converted\nann | 1"), kind="column", column="convertd")


@pytest.mark.parametrize(
    ("tables", "source"),
    [
        ({"users": USERS, "opportunities": DEALS.replace("true", "false")}, {"kind": "opportunities"}),
        ({"users": "user_id | converted\nann | 0"}, {"kind": "column", "column": "converted"}),
    ],
)
def test_a_source_without_a_single_win_is_refused(tables, source):
    with pytest.raises(TableError, match=f"no closed-won outcome was found by `outcome` .kind '{source['kind']}'.: expected at least one"):
        outcomes_of(project(**tables), **source)
