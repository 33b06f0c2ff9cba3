"""Sessions go by the user's event before in the order of arrival."""

import pytest
from core.text_tables import as_arrow
from kept_logs import keep

from pls_ml.core.windows import Grain
from pls_ml.events import store
from pls_ml.events.mapping import EventSource


def idle(log: str, gap: str = "30m", grain: Grain = Grain("day")) -> tuple[int, float]:  # noqa: B008  # it does not change
    """Sessions, and minutes in them."""
    kept = keep(log, [{"kind": "sessions", "gap": gap}, {"kind": "minutes", "gap": gap}], grain=grain)
    found = {atom.kind: kept.value(place) for place, atom in enumerate(kept.state.atoms)}
    return found["starts"], (found["busy"] or 0) / 60_000_000


@pytest.mark.parametrize("grain", [Grain("day"), Grain("hour"), Grain("minute")])
@pytest.mark.parametrize("chunk_rows", [1, 1_000_000])
@pytest.mark.parametrize(
    ("times", "sessions", "minutes"),
    [
        (["2024-01-01T23:50", "2024-01-02T00:10", "2024-01-02T00:40"], 1, 50),
        (["2024-01-31T23:50", "2024-02-01T00:20"], 1, 30),
        (["2024-01-31T23:50", "2024-02-01T00:20:00.000001"], 2, 0),
        (["2024-12-31T23:59:59", "2025-01-01T00:00:59"], 1, 1),
        (["2024-01-01T10:00", "2024-01-01T10:00", "2024-01-01T12:00"], 2, 0),
    ],
)
def test_a_session_goes_on_across_midnight_the_end_of_a_month_and_the_border_of_a_chunk(
    times, sessions, minutes, chunk_rows, grain, monkeypatch
):
    monkeypatch.setattr(store, "CHUNK_ROWS", chunk_rows)

    assert idle("user_id | event | event_time\n" + "".join(f"u | view | {t}\n" for t in times), grain=grain) == (sessions, minutes)


def test_an_event_that_became_known_days_later_goes_on_with_no_session():
    log = "user_id | event | event_time | known_at\nu | view | 2024-01-01T10:00 |\nu | view | 2024-01-01T10:10 | 2024-01-0{day}T09:00"

    assert idle(log.format(day=2)) == (1, 10)
    assert idle(log.format(day=3)) == (2, 0)


def test_a_late_event_before_one_already_known_begins_a_session():
    log = "user_id | event | event_time | known_at\nu | view | 2024-01-01T10:00 |\nu | view | 2024-01-01T09:50 | 2024-01-02T09:00"

    assert idle(log) == (2, 0)


def test_of_events_at_the_same_moment_the_account_written_on_them_says_which_came_first():
    log = as_arrow("""
        user_id | event | event_time       | account_id
        u       | view  | 2024-01-01T10:00 |
        u       | view  | 2024-01-01T10:10 |
        u       | view  | 2024-01-01T10:10 | b
        u       | view  | 2024-01-01T10:10 | a
    """)
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [0, 2, 3, 1]):
        kept = keep(log.take(order), [{"kind": "minutes"}])

        assert kept.rows(f"account_id, {kept.state.atoms[3].name}") == [("a", 600_000_000), ("b", 0), (None, 0)]


def test_an_excluded_event_takes_no_part_in_sessions():
    log = "user_id | event | event_time\nu | view | 2024-01-01T10:00\nu | beat | 2024-01-01T10:20\nu | view | 2024-01-01T10:40"

    kept = keep(log, [{"kind": "sessions"}], source=EventSource(exclude=("beat",)))

    assert kept.value() == 2
