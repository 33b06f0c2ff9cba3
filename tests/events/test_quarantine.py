import pyarrow as pa
import pytest
from clean_logs import TOLERANT, clean_log, clean_rows, many_events
from core.text_tables import as_arrow

from pls_ml.core.errors import TableError
from pls_ml.events.mapping import EventSource

USERS = """
    user_id | signup_at  | is_internal
    u       | 2024-01-01 | false
    staff   | 2024-01-01 | true
"""
USABLE = "u | view | 2024-01-05 |"


def log_of(*rows: str) -> str:
    return "user_id | event | event_time | known_at\n" + "\n".join(rows)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (" | view | 2024-01-05 |", "no user"),
        ("u | | 2024-01-05 |", "no event name"),
        ("u | view | |", "unreadable time"),
        ("u | view | 2024-02-30 |", "unreadable time"),
        ("u | view | 05/01/2024 |", "unreadable time"),
        ("u | view | 1704412800 |", "unreadable time"),
        ("u | view | infinity |", "unreadable time"),
        ("u | view | epoch |", "unreadable time"),
        ("u | view | 1970-01-01 |", "before 2000"),
        ("u | view | 1999-12-31T23:59:59.999999 |", "before 2000"),
        ("u | view | 2024-01-05 | 1970-01-01", "before 2000"),
        ("u | view | 9999-12-31 |", "in the future"),
        ("u | view | 99999-12-31 |", "in the future"),
        ("u | view | 2024-01-05 | 9999-12-31", "in the future"),
        ("gone | view | 2024-01-05 |", "unknown user"),
    ],
)
def test_an_unusable_row_is_set_aside_with_its_reason(row, reason):
    database, counts = clean_log(log_of(USABLE, row), USERS)

    assert counts.quarantined == {reason: 1}
    assert (counts.read, counts.kept) == (2, 1)
    assert database.rows("SELECT reason FROM quarantine") == [(reason,)]
    assert len(clean_rows(database)) == 1


@pytest.mark.parametrize(
    ("row", "reason"), [("staff | view | 2024-01-05 |", "internal user"), ("u | bought | 2024-01-05 |", "excluded by name")]
)
def test_rows_left_out_on_purpose_are_counted_but_not_quarantined(row, reason):
    source = EventSource(exclude=("bought",), max_quarantine_share=0)

    database, counts = clean_log(log_of(USABLE, row), USERS, source)

    assert (counts.excluded, counts.quarantined, counts.kept) == ({reason: 1}, {}, 1)
    assert database.count("quarantine") == 0


def test_every_row_has_one_reason_the_first_that_applies():
    rows = [
        " | bought | |",
        " | | |",
        "gone | | 1970-01-01 |",
        "gone | view | soon | 1970-01-01",
        "gone | view | 1970-01-01 | 9999-01-01",
        "gone | view | 9999-01-01 |",
        "gone | view | 2024-01-05 |",
    ]

    _, counts = clean_log(log_of(USABLE, *rows), USERS, EventSource(exclude=("bought",), max_quarantine_share=1))

    assert counts.excluded == {"excluded by name": 1}
    assert counts.quarantined == {
        "no user": 1,
        "no event name": 1,
        "unreadable time": 1,
        "before 2000": 1,
        "in the future": 1,
        "unknown user": 1,
    }
    assert counts.kept == 1


def test_the_year_2000_begins_at_midnight():
    _, counts = clean_log(log_of(USABLE, "u | view | 2000-01-01 |"), USERS)

    assert counts.quarantined == {}


@pytest.mark.parametrize(
    ("moment", "kept"), [("2024-02-09T23:59:59.999999", True), ("2024-02-10", False), ("2024-06-01", False), ("2023-06-01", True)]
)
@pytest.mark.parametrize("column", ["event_time", "known_at"])
def test_the_future_begins_thirty_days_after_the_day_by_which_nearly_all_had_happened(moment, kept, column):
    bulk = pa.table(many_events("2024-01-10") | {"known_at": [None] * 2000}).cast(
        pa.schema([(name, pa.string()) for name in ("user_id", "event", "event_time", "known_at")])
    )
    odd = {"event_time": "2024-01-10", "known_at": "2024-01-10"} | {column: moment}
    row = as_arrow(log_of(f"u | odd | {odd['event_time']} | {odd['known_at']}"))

    database, counts = clean_log(pa.concat_tables([bulk, row]), USERS)

    assert (counts.quarantined == {}) == kept
    assert ("odd" in {event for _, event, _ in clean_rows(database)}) == kept


def test_a_share_of_unusable_rows_above_the_limit_stops_the_run_and_names_the_reasons():
    log = log_of(USABLE, USABLE, "gone | view | 2024-01-05 |", " | view | 2024-01-05 |")

    with pytest.raises(TableError, match=r"2 of 4 events \(50%\) are unusable \(no user: 1, unknown user: 1\): expected at most 20%"):
        clean_log(log, USERS, EventSource())


def test_a_share_of_unusable_rows_exactly_at_the_limit_passes():
    log = log_of(*[USABLE] * 4, "gone | view | 2024-01-05 |")

    _, counts = clean_log(log, USERS, EventSource(max_quarantine_share=0.2))

    assert counts.quarantined == {"unknown user": 1}


def test_an_empty_log_is_refused():
    with pytest.raises(TableError, match=r"the event log is empty: expected at least one row; check `data.events.path`"):
        clean_log(as_arrow(log_of(USABLE)).slice(0, 0), USERS, TOLERANT)


@pytest.mark.parametrize("time", ["soon", "1970-01-01", "9999-01-01"])
def test_a_log_without_any_possible_time_is_refused(time):
    with pytest.raises(TableError, match="no event has a readable time between the years 2000 and 2100"):
        clean_log(log_of(f"u | view | {time} |"), USERS, TOLERANT)


def test_counts_add_up_to_the_rows_read():
    log = log_of(USABLE, "staff | view | 2024-01-05 |", "gone | view | 2024-01-05 |", "u | x | 2024-01-05 |")

    _, counts = clean_log(log, USERS, EventSource(exclude=("x",), max_quarantine_share=1))

    plain = counts.to_dict()
    assert plain["read"] == plain["kept"] + plain["duplicates"] + sum(plain["excluded"].values()) + sum(plain["quarantined"].values())


def test_the_account_of_an_event_wins_over_that_of_its_user():
    log = """
        user_id | event | event_time | account_id
        u       | view  | 2024-01-01 | old
        u       | view  | 2024-01-02 |
    """

    database, _ = clean_log(log, "user_id | account_id\nu | new")

    assert clean_rows(database, "event_time, account_id")[0][1] == "old"
    assert clean_rows(database, "event_time, account_id")[1][1] == "new"
