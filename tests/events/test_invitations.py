"""Where the log does not record accepted invitations, `users.invited_by` may give them: each worked when the invited one signed up."""

import pytest
from kept_logs import keep

from pls_ml.core.windows import Grain
from pls_ml.events.mapping import EventSource

USERS = """
    user_id | account_id | signup_at           | invited_by | is_internal | valid_from | valid_to
    ann     | acme       | 2024-01-01          |            |             |            |
    bob     | acme       | 2024-01-03T08:00:00 | ann        |             |            |
"""
LOG = """
    user_id | event | event_time
    ann     | view  | 2024-01-01
    ann     | view  | 2024-01-05
"""
DERIVED = EventSource(invitations=True, max_quarantine_share=1)
PLAIN = EventSource(max_quarantine_share=1)
ACCEPTED = {"kind": "days_since_last", "events": ["invite_accepted"]}


def accepted(log: str, users: str, source: EventSource = DERIVED) -> list[tuple]:
    kept = keep(log, [ACCEPTED], users=users, source=source)
    column = kept.state.atoms[3].name
    found = f"user_id, account_id, event_tick - 19723, seen_tick - 19723, CAST(make_timestamp({column}) AS VARCHAR)"
    return kept.rows(found, f"state WHERE {column} IS NOT NULL")


def test_an_invited_user_is_an_event_of_the_one_who_invited_at_the_sign_up():
    assert accepted(LOG, USERS) == [("ann", None, 2, 2, "2024-01-03 08:00:00")]


def test_invitations_are_derived_only_on_request():
    log = LOG + "    ann | invite_accepted | 2024-01-04\n"

    assert accepted(LOG, USERS, PLAIN) == []
    assert [row[4] for row in accepted(log, USERS, PLAIN)] == ["2024-01-04 00:00:00"]


def test_derived_invitations_are_no_rows_of_the_log():
    counts = keep(LOG, [ACCEPTED], users=USERS, source=DERIVED).counts

    assert (counts.read, counts.kept) == (2, 2)


def test_invitations_by_nobody_known_are_no_events():
    assert accepted(LOG, USERS.replace("| ann  ", "| zoe  ")) == []


def test_invitations_by_and_of_internal_users_are_no_events():
    staff = "    eve | acme | 2024-01-02 | ann | true | |\n    joe | acme | 2024-01-02 | eve | | |\n"

    assert [row[4] for row in accepted(LOG, USERS + staff)] == ["2024-01-03 08:00:00"]


def test_sign_ups_at_impossible_times_invite_nobody():
    odd = "".join(
        f"    u{i} | acme | {at} | ann | | |\n" for i, at in enumerate(["", "soon", "1970-01-01", "1999-12-31", "2100-01-01", "9999-12-31"])
    )

    assert [row[4] for row in accepted(LOG, USERS + odd)] == ["2024-01-03 08:00:00"]


def test_a_guest_with_several_versions_accepted_once_and_the_account_is_that_of_the_time():
    moved = USERS.replace("ann        |             |            |", "ann        |             |            | 2024-01-09")
    versions = moved + "    bob | globex | 2024-01-03T08:00:00 | ann | | 2024-01-09 |\n"

    assert accepted(LOG, versions) == [("ann", None, 2, 2, "2024-01-03 08:00:00")]


@pytest.mark.parametrize("measure", [{"kind": "sessions"}, {"kind": "minutes"}])
def test_a_guest_who_signs_up_is_no_visit_of_the_one_who_invited(measure):
    derived, plain = (keep(LOG, [measure], users=USERS, source=source).value() for source in (DERIVED, PLAIN))

    assert (derived or 0) == (plain or 0)


def test_invitations_stand_beside_every_kind_of_quantity_whether_or_not_the_log_grew(tmp_path):
    log = "user_id | event | event_time | feature | value\nann | view | 2024-01-01 | a | 2"
    measures = [
        {"kind": "distinct", "of": "feature"},
        {"kind": "distinct", "of": "nowhere"},
        {"kind": "distinct", "of": "event"},
        {"kind": "sum", "of": "value"},
        {"kind": "sum", "of": "value", "events": ["view"]},
        {"kind": "sessions"},
        {"kind": "count", "where": {"account_id": ["acme"]}},
    ]
    for _ in range(2):
        kept = keep(log, measures, users=USERS, source=DERIVED, folder=tmp_path)

        assert kept.rows("event_tick - 19723, n") == [(0, 1), (2, 1)]


def test_an_invitation_is_known_on_the_day_of_the_zone():
    kept = keep(LOG, [ACCEPTED], users=USERS.replace("T08:00:00", "T23:30:00"), source=DERIVED, grain=Grain("day", "Europe/Berlin"))

    assert kept.rows("event_tick - 19723", f"state WHERE {kept.state.atoms[3].name} IS NOT NULL") == [(3,)]
