"""The latest key actions of leads: what had happened and was known before the moment, each on its day, of the right lead."""

import pytest
from kept_logs import keep

from pls_ml.core.windows import Grain
from pls_ml.events.actions import MOST_ACTIONS, ActionSource, list_actions
from pls_ml.events.mapping import EventSource

USERS = """
    user_id | account_id | signup_at  | invited_by | is_internal | valid_from | valid_to
    ann     | acme       | 2024-01-01 |            |             |            |
    bob     | acme       | 2024-03-03 | ann        |             |            |
    eve     | acme       | 2024-01-01 | ann        | true        |            |
    max     | acme       | 2024-01-01 |            |             |            | 2024-03-05
    max     | bolt       | 2024-01-01 |            |             | 2024-03-05 |
"""
KEY = ("pricing_viewed", "invite_sent", "invite_accepted")


def actions(log, *, unit="user", leads=("ann", "bob", "max"), as_of="2024-03-10", repeated=False, source=None, grain=None):
    source = source or EventSource(max_quarantine_share=1)
    kept = keep(log, [{"kind": "count", "events": ["pricing_viewed"]}], users=USERS, source=source, grain=grain or Grain("day"))
    spine = ", ".join(f"('{lead}', TIMESTAMP '{as_of}')" for lead in leads)
    kept.database.execute(f"CREATE TABLE spine AS SELECT * FROM (VALUES {spine}) AS t(lead_id, as_of)")
    how = ActionSource(grain or Grain("day"), repeated, source.invitations)
    return [
        (row["lead_id"], f"{row['day']}", row["event"], row["count"]) for row in list_actions(kept.database, how, KEY, unit).to_pylist()
    ]


def test_actions_are_counted_by_day_the_latest_first():
    log = """
        user_id | event          | event_time
        ann     | pricing_viewed | 2024-03-08T10:00:00
        ann     | pricing_viewed | 2024-03-08T11:00:00
        ann     | invite_sent    | 2024-03-08T12:00:00
        ann     | pricing_viewed | 2024-03-01T12:00:00
        bob     | pricing_viewed | 2024-03-02T12:00:00
        ann     | viewed         | 2024-03-09T12:00:00
    """
    assert actions(log) == [
        ("ann", "2024-03-08", "invite_sent", 1),
        ("ann", "2024-03-08", "pricing_viewed", 2),
        ("ann", "2024-03-01", "pricing_viewed", 1),
        ("bob", "2024-03-02", "pricing_viewed", 1),
    ]


@pytest.mark.parametrize(
    ("event_time", "known_at", "counts"),
    [
        ("2024-03-09T23:59:59.999999", "2024-03-09T23:59:59.999999", True),
        ("2024-03-10T00:00:00", "2024-03-10T00:00:00", False),
        ("2024-03-09T12:00:00", "2024-03-10T00:00:00", False),
        ("2024-03-10T12:00:00", "2024-03-09T12:00:00", False),
        ("2023-12-11T00:00:00", "2023-12-11T00:00:00", True),
        ("2023-12-10T23:59:59", "2023-12-10T23:59:59", False),
    ],
)
def test_what_happened_or_became_known_at_the_moment_or_later_or_ninety_days_before_it_is_left_out(event_time, known_at, counts):
    log = (
        f"user_id | event | event_time | known_at\nann | pricing_viewed | {event_time} | {known_at}\nann | viewed | 2024-03-20 | 2024-03-20"
    )
    assert len(actions(log)) == counts


def test_only_the_latest_twelve_are_kept():
    days = "".join(f"\nann | pricing_viewed | 2024-02-{day:02}" for day in range(1, 21))
    found = actions(f"user_id | event | event_time{days}")
    assert [day for _, day, _, _ in found] == [f"2024-02-{day:02}" for day in range(20, 20 - MOST_ACTIONS, -1)]


def test_an_accounts_actions_are_those_of_its_users_at_the_time_or_as_logged():
    log = """
        user_id | event          | event_time | account_id
        ann     | pricing_viewed | 2024-03-08 |
        eve     | pricing_viewed | 2024-03-08 |
        max     | pricing_viewed | 2024-03-04 |
        max     | pricing_viewed | 2024-03-06 |
        max     | invite_sent    | 2024-03-06 | acme
    """
    assert actions(log, unit="account", leads=("acme", "bolt")) == [
        ("acme", "2024-03-08", "pricing_viewed", 1),
        ("acme", "2024-03-06", "invite_sent", 1),
        ("acme", "2024-03-04", "pricing_viewed", 1),
        ("bolt", "2024-03-06", "pricing_viewed", 1),
    ]


def test_names_are_canonical_and_excluded_events_are_left_out():
    source = EventSource(names={"Viewed Pricing": "pricing_viewed"}, exclude=("invite_sent",), max_quarantine_share=1)
    log = "user_id | event | event_time\nann | Viewed Pricing | 2024-03-08\nann | invite_sent | 2024-03-08"
    assert actions(log, source=source) == [("ann", "2024-03-08", "pricing_viewed", 1)]


def test_accepted_invitations_that_the_users_tell_of_are_actions_of_who_invited():
    source = EventSource(invitations=True, max_quarantine_share=1)
    assert actions("user_id | event | event_time\nann | viewed | 2024-03-20", source=source) == [
        ("ann", "2024-03-03", "invite_accepted", 1)
    ]


def test_a_repeated_event_counts_once():
    log = (
        "event_id | user_id | event | event_time\n"
        + "1 | ann | pricing_viewed | 2024-03-08\n" * 3
        + "2 | ann | pricing_viewed | 2024-03-08T01:00"
    )
    assert actions(log, repeated=True) == [("ann", "2024-03-08", "pricing_viewed", 2)]


def test_days_are_those_of_the_projects_zone():
    log = "user_id | event | event_time\nann | pricing_viewed | 2024-03-08T23:30:00\nann | viewed | 2024-03-20"
    berlin = Grain("day", "Europe/Berlin")
    assert actions(log, grain=berlin, as_of="2024-03-09T23:00:00") == [("ann", "2024-03-09", "pricing_viewed", 1)]


def test_no_key_events_no_actions():
    assert list_actions(None, ActionSource(Grain("day"), False, False), (), "user").num_rows == 0
