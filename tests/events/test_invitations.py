"""Where the log does not record accepted invitations, `users.invited_by` may give them: each worked when the invited one signed up."""

from clean_logs import clean_log, clean_rows

from pls_ml.events.mapping import EventSource

USERS = """
    user_id | account_id | signup_at           | invited_by | is_internal
    ann     | acme       | 2024-01-01          |            |
    bob     | acme       | 2024-01-03T08:00:00 | ann        |
"""
LOG = """
    user_id | event | event_time
    ann     | view  | 2024-01-01
    ann     | view  | 2024-01-05
"""
DERIVED = EventSource(invitations=True, max_quarantine_share=1)


def accepted(log: str, users: str, source: EventSource = DERIVED) -> list[tuple]:
    database, _ = clean_log(log, users, source)
    return [row for row in clean_rows(database, "user_id, event, CAST(known_at AS VARCHAR), account_id") if row[1] == "invite_accepted"]


def test_an_invited_user_is_an_event_of_the_one_who_invited_at_the_sign_up():
    assert accepted(LOG, USERS) == [("ann", "invite_accepted", "2024-01-03 08:00:00", "acme")]


def test_invitations_are_derived_only_on_request():
    log = LOG + "    ann | invite_accepted | 2024-01-04\n"

    assert accepted(LOG, USERS, EventSource(max_quarantine_share=1)) == []
    assert [row[2] for row in accepted(log, USERS, EventSource(max_quarantine_share=1))] == ["2024-01-04 00:00:00"]


def test_derived_invitations_are_no_rows_of_the_log():
    _, counts = clean_log(LOG, USERS, DERIVED)

    assert (counts.read, counts.kept) == (2, 2)


def test_invitations_by_nobody_known_are_no_events():
    assert accepted(LOG, USERS.replace("| ann  ", "| zoe  ")) == []


def test_invitations_by_and_of_internal_users_are_no_events():
    staff = "    eve | acme | 2024-01-02 | ann | true\n    joe | acme | 2024-01-02 | eve | \n"

    assert [row[2] for row in accepted(LOG, USERS + staff)] == ["2024-01-03 08:00:00"]


def test_sign_ups_at_impossible_times_invite_nobody():
    odd = "".join(
        f"    u{i} | acme | {at} | ann |\n" for i, at in enumerate(["", "soon", "1970-01-01", "1999-12-31", "2100-01-01", "9999-12-31"])
    )

    assert [row[2] for row in accepted(LOG, USERS + odd)] == ["2024-01-03 08:00:00"]
