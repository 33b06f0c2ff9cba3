import pyarrow as pa
import pytest
from core.text_tables import as_arrow
from kept_logs import TOLERANT, keep, many_events

from pls_ml.core.errors import TableError
from pls_ml.events import store
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
        ("u | view | | 2024-01-05", "unreadable time"),
        ("u | view | 2024-02-30 |", "unreadable time"),
        ("u | view | 05/01/2024 |", "unreadable time"),
        ("u | view | 1704412800 |", "unreadable time"),
        ("u | view | infinity |", "unreadable time"),
        ("u | view | epoch |", "unreadable time"),
        ("u | view | 1970-01-01 |", "before 2000"),
        ("u | view | 1999-12-31T23:59:59.999999 |", "before 2000"),
        ("u | view | 1999-12-31 | 2024-01-05", "before 2000"),
        ("u | view | 2024-01-05 | 1970-01-01", "before 2000"),
        ("u | view | 9999-12-31 |", "in the future"),
        ("u | view | 99999-12-31 |", "in the future"),
        ("u | view | 2024-01-05 | 9999-12-31", "in the future"),
        ("u | view | 2024-02-04 | 2024-01-05", "in the future"),
    ],
)
def test_an_unusable_row_is_set_aside_with_its_reason(row, reason):
    kept = keep(log_of(USABLE, row), users=USERS)

    assert kept.counts.quarantined == {reason: 1}
    assert (kept.counts.read, kept.counts.kept) == (2, 1)
    assert kept.rows("reason", "quarantine") == [(reason,)]
    assert len(kept.clean) == 1
    assert kept.rows("sum(n)") == [(1,)]


def test_the_quarantine_holds_the_rows_as_they_were_read_even_a_column_called_reason():
    log = "user_id | event | event_time | reason\nu | view | 2024-01-05 | fun\n | left | 2024-01-05 | too dear\nu | left | soon | moved"

    kept = keep(log)

    assert kept.rows("reason, user_id, event, reason_1", "quarantine") == [
        ("no user", None, "left", "too dear"),
        ("unreadable time", "u", "left", "moved"),
    ]


@pytest.mark.parametrize(
    ("row", "reason"), [("staff | view | 2024-01-05 |", "internal user"), ("u | bought | 2024-01-05 |", "excluded by name")]
)
def test_rows_left_out_on_purpose_are_counted_but_not_quarantined(row, reason):
    kept = keep(log_of(USABLE, row), users=USERS, source=EventSource(exclude=("bought",), max_quarantine_share=0))

    assert (kept.counts.excluded, kept.counts.quarantined, kept.counts.kept) == ({reason: 1}, {}, 1)
    assert kept.database.count("quarantine") == 0


def test_events_of_users_that_are_not_listed_are_kept_and_reported_but_not_counted_as_kept():
    kept = keep(log_of(USABLE, "gone | view | 2024-01-05 |", "gone | view | 2024-01-06 |"), users=USERS)

    assert (kept.counts.quarantined, kept.counts.kept) == ({"unknown user": 2}, 1)
    assert kept.rows("user_id, sum(n)", "state GROUP BY user_id") == [("gone", 2), ("u", 1)]


def test_every_row_has_one_reason_the_first_that_applies():
    rows = [
        "u | bought | 2024-01-05 |",
        " | bought | 1970-01-01 | 2024-01-05",
        " | | |",
        "gone | | 1970-01-01 |",
        "gone | view | soon | 1970-01-01",
        "gone | view | 1970-01-01 | 9999-01-01",
        "gone | view | 9999-01-01 |",
        "gone | view | 2024-01-05 |",
    ]

    counts = keep(log_of(USABLE, *rows), users=USERS, source=EventSource(exclude=("bought",), max_quarantine_share=1)).counts

    assert counts.excluded == {"excluded by name": 2}
    assert counts.quarantined == {
        "no user": 1,
        "no event name": 1,
        "unreadable time": 1,
        "before 2000": 1,
        "in the future": 1,
        "unknown user": 1,
    }
    assert counts.kept == 1


def test_reasons_are_counted_for_the_month_in_which_rows_became_known_and_apart_without_a_time(monkeypatch):
    rows = [USABLE, " | view | 2024-01-06 |", " | view | 2024-03-06 |", "u | | 2024-03-07 |", " | view | soon |", "u | out | 2024-03-08 |"]

    for chunk_rows in (1, 3, 1000):
        monkeypatch.setattr(store, "CHUNK_ROWS", chunk_rows)
        manifest = keep(log_of(*rows), source=EventSource(exclude=("out",), max_quarantine_share=1)).state.manifest

        assert [segment.read for segment in manifest.segments] == [2, 0, 3]
        assert [segment.quarantined for segment in manifest.segments] == [{"no user": 1}, {}, {"no event name": 1, "no user": 1}]
        assert [segment.excluded for segment in manifest.segments] == [{}, {}, {"excluded by name": 1}]
        assert manifest.undated == {"no user": 1}


def test_the_year_2000_begins_at_midnight():
    assert keep(log_of(USABLE, "u | view | 2000-01-01 |")).counts.quarantined == {}


@pytest.mark.parametrize(
    ("known", "kept"), [("2024-02-09T23:59:59.999999", True), ("2024-02-10", False), ("2024-06-01", False), ("2023-06-01", True)]
)
def test_the_future_begins_thirty_days_after_the_day_by_which_nearly_all_had_become_known(known, kept):
    row = as_arrow(log_of(f"u | odd | 2023-05-01 | {known}"))

    found = keep(pa.concat_tables([many_events("2024-01-10"), row]))

    assert (found.counts.quarantined == {}) == kept
    assert found.counts.read == 2001
    assert ("odd" in found.state.manifest.count("names")) == kept


@pytest.mark.parametrize(("moment", "kept"), [("2024-02-04T11:59:59.999999", True), ("2024-02-04T12:00", False), ("2001-01-01", True)])
def test_an_event_may_be_dated_less_than_thirty_days_past_the_moment_it_became_known(moment, kept):
    found = keep(log_of(USABLE, f"u | odd | {moment} | 2024-01-05T12:00"))

    assert (found.counts.quarantined == {}) == kept
    assert ("odd" in {event for _, event, _ in found.clean}) == kept


def test_rows_too_far_ahead_are_quarantined_even_where_the_data_end_after_them():
    row = as_arrow(log_of("u | odd | 2024-06-01 |"))

    found = keep(pa.concat_tables([many_events("2024-01-10"), row]), until=20_000)

    assert (found.counts.read, found.counts.kept, found.counts.quarantined) == (2001, 2000, {"in the future": 1})


def test_a_share_of_unusable_rows_above_the_limit_stops_the_run_and_names_the_reasons(tmp_path):
    log = log_of(USABLE, USABLE, "u | | 2024-01-05 |", " | view | 2024-01-05 |")

    with pytest.raises(TableError, match=r"2 of 4 events \(50%\) are unusable \(no event name: 1, no user: 1\): expected at most 20%"):
        keep(log, source=EventSource(), folder=tmp_path)
    assert list(tmp_path.glob("[!.]*")) == []


def test_a_share_of_unusable_rows_exactly_at_the_limit_passes():
    log = log_of(*[USABLE] * 4, " | view | 2024-01-05 |")

    assert keep(log, source=EventSource(max_quarantine_share=0.2)).counts.quarantined == {"no user": 1}


def test_an_empty_log_is_refused():
    with pytest.raises(TableError, match=r"the event log is empty: expected at least one row; check `data.events.path`"):
        keep(as_arrow(log_of(USABLE)).slice(0, 0), source=TOLERANT)


@pytest.mark.parametrize("time", ["soon", "1970-01-01", "9999-01-01"])
def test_a_log_without_any_possible_time_is_refused(time):
    with pytest.raises(TableError, match="no event has a readable time between the years 2000 and 2100"):
        keep(log_of(f"u | view | {time} |"))


def test_a_log_of_which_nothing_is_known_yet_at_the_end_of_the_data_is_refused():
    with pytest.raises(TableError, match=r"nothing is known yet at the end of the data, 2024-01-05.*: the log begins on 2024-01-05"):
        keep(log_of(USABLE), until=19727)


def test_counts_add_up_to_the_rows_read():
    log = log_of(USABLE, "staff | view | 2024-01-05 |", "gone | view | 2024-01-05 |", "u | x | 2024-01-05 |", "u | view | soon |")

    plain = keep(log, users=USERS, source=EventSource(exclude=("x",), max_quarantine_share=1)).counts.to_dict()

    assert plain["read"] == plain["kept"] + plain["duplicates"] + sum(plain["excluded"].values()) + sum(plain["quarantined"].values()) == 5


def test_the_account_of_an_event_is_the_one_written_on_it_or_none():
    log = "user_id | event | event_time | account_id\nu | view | 2024-01-01 | old\nu | view | 2024-01-01 |\n"

    kept = keep(log, users="user_id | account_id\nu | new")

    assert kept.rows("account_id, n") == [("old", 1), (None, 1)]
    assert kept.rows("account_id", "clean_events") == [("old",), (None,)]
    assert keep("user_id | event | event_time\nu | view | 2024-01-01").rows("account_id, n") == [(None, 1)]
