"""An event whose id became known at most `dedupe_days` before is the same event again."""

from itertools import permutations

import pyarrow as pa
import pytest
from core.text_tables import as_arrow, empty_database, load
from kept_logs import DAY, TOLERANT, keep

from pls_ml.core.atoms import ALWAYS
from pls_ml.core.windows import Grain
from pls_ml.events.log import Log
from pls_ml.events.logged import find_wanted, open_logged
from pls_ml.events.mapping import EventSource

BY_FEATURE = {"kind": "count", "where": {"feature": ["a"]}}


def test_identical_copies_of_an_event_count_once():
    log = """
        event_id | user_id | event | event_time
        1        | u       | view  | 2024-01-01
        1        | u       | view  | 2024-01-01
        1        | u       | view  | 2024-01-01
        2        | u       | view  | 2024-01-01
    """

    kept = keep(log)

    assert kept.rows("user_id, n") == [("u", 2)]
    assert (kept.counts.read, kept.counts.kept, kept.counts.duplicates) == (4, 2, 2)


def test_of_differing_copies_the_one_known_first_stays_whatever_the_order_of_rows():
    log = as_arrow("""
        event_id | user_id | event | event_time | known_at
        1        | u       | late  | 2024-01-01 | 2024-01-09
        1        | u       | first | 2024-01-02 | 2024-01-03
        1        | v       | last  | 2024-01-01 | 2024-01-10
    """)
    for order in permutations(range(3)):
        kept = keep(log.take(list(order)), [{"kind": "count", "events": ["first"]}])

        assert kept.rows("user_id, event_tick - 19723, known_tick - 19723, n") == [("u", 1, 2, 1)]
        assert kept.value() == 1


@pytest.mark.parametrize("measures", [[BY_FEATURE], [BY_FEATURE, {"kind": "count", "where": {"area": ["x", "y"]}}]])
def test_copies_that_differ_only_in_a_property_leave_the_same_one_whatever_the_order_and_whatever_is_asked(measures):
    log = as_arrow("""
        event_id | user_id | event | event_time | feature | area
        1        | u       | view  | 2024-01-01 | b       | x
        1        | u       | view  | 2024-01-01 | a       | y
    """)

    found = []
    for order in ([0, 1], [1, 0]):
        kept = keep(log.take(order), measures)
        place = [atom.chosen.where.get("feature") for atom in kept.state.atoms].index(("a",))
        found.append((kept.counts.kept, kept.value(place)))

    assert found == [(1, None), (1, None)]


@pytest.mark.parametrize(
    "broken", ["1 | u | view | 1970-01-01 |", "1 | u | view | soon |", "1 | | view | 2023-12-31 |", "1 | u | internal | 2023-12-31 |"]
)
def test_a_broken_or_excluded_copy_never_displaces_a_usable_one(broken):
    log = f"""
        event_id | user_id | event | event_time | known_at
        {broken}
        1        | u       | view  | 2024-01-01 |
    """

    kept = keep(log, source=EventSource(exclude=("internal",), max_quarantine_share=1))

    assert kept.rows("user_id, event_tick, n") == [("u", 19723, 1)]
    assert kept.counts.duplicates == 0


def test_rows_without_an_event_id_are_never_duplicates():
    log = """
        event_id | user_id | event | event_time
                 | u       | view  | 2024-01-01
                 | u       | view  | 2024-01-01
        1        | u       | view  | 2024-01-01
        1        | u       | view  | 2024-01-01
    """

    kept = keep(log)

    assert kept.rows("n") == [(3,)]
    assert kept.counts.duplicates == 1


def test_without_an_event_id_column_nothing_is_a_duplicate():
    log = pa.concat_tables([as_arrow("user_id | event | event_time\nu | view | 2024-01-01")] * 3)

    counts = keep(log).counts

    assert (counts.kept, counts.duplicates) == (3, 0)


@pytest.mark.parametrize(("day", "kept"), [("2024-01-31", 1), ("2024-02-01", 2)])
@pytest.mark.parametrize("grain", [Grain("day"), Grain("hour"), Grain("day", "Europe/Berlin")])
def test_an_id_is_the_same_event_for_thirty_days(day, kept, grain):
    log = f"""
        event_id | user_id | event | event_time
        1        | u       | view  | 2024-01-01T10:00:00
        1        | u       | view  | {day}T10:00:00
    """

    assert keep(log, grain=grain).counts.kept == kept


def test_a_chain_of_copies_is_one_event_however_long():
    log = "event_id | user_id | event | event_time\n" + "".join(f"1 | u | view | 2024-0{month}-01\n" for month in (1, 2, 3))

    assert keep(log, source=EventSource(dedupe_days=31)).counts.kept == 1
    assert keep(log, source=EventSource(dedupe_days=30)).counts.kept == 2


def test_a_copy_is_found_across_the_end_of_a_night_and_an_hour_that_the_clocks_skip(tmp_path):
    log = as_arrow("""
        event_id | user_id | event | event_time
        1        | u       | view  | 2024-03-29T22:10:00
        2        | u       | view  | 2024-04-28T10:00:00
        1        | u       | view  | 2024-04-28T22:05:00
    """)
    berlin = Grain("day", "Europe/Berlin")

    keep(log.slice(0, 2), grain=berlin, folder=tmp_path)

    assert keep(log, grain=berlin, folder=tmp_path).counts.kept == keep(log, grain=berlin).counts.kept == 2


def test_ids_whose_hashes_collide_are_told_apart_and_missing_ones_stay():
    log = """
        event_id | user_id | event | event_time
        1        | u       | view  | 2024-01-01
        2        | u       | view  | 2024-01-01
        1        | u       | view  | 2024-01-01
                 | u       | view  | 2024-01-01
                 | u       | view  | 2024-01-01
    """
    database = load(empty_database(), TOLERANT, events=log)
    database.execute("CREATE MACRO hash(x) AS CAST(7 AS UBIGINT)")
    kept = Log(database, TOLERANT, DAY)

    view = open_logged(kept, (19723, 19724), find_wanted(kept, ALWAYS))

    assert database.count(view) == 4
