from itertools import permutations

import pyarrow as pa
import pytest
from clean_logs import clean_log, clean_rows
from core.text_tables import as_arrow

USERS = """
    user_id | signup_at
    u       | 2024-01-01
    v       | 2024-01-01
"""


def test_identical_copies_of_an_event_count_once():
    log = """
        event_id | user_id | event | event_time
        1        | u       | view  | 2024-01-01
        1        | u       | view  | 2024-01-01
        1        | u       | view  | 2024-01-01
        2        | u       | view  | 2024-01-01
    """

    database, counts = clean_log(log, USERS)

    assert len(clean_rows(database)) == 2
    assert (counts.read, counts.kept, counts.duplicates) == (4, 2, 2)


def test_of_differing_copies_the_one_known_first_stays_whatever_the_order_of_rows():
    log = as_arrow("""
        event_id | user_id | event | event_time | known_at
        1        | u       | late  | 2024-01-01 | 2024-01-09
        1        | u       | first | 2024-01-02 | 2024-01-03
        1        | v       | last  | 2024-01-01 | 2024-01-10
    """)
    for order in permutations(range(3)):
        database, _ = clean_log(log.take(list(order)), USERS)

        assert clean_rows(database) == [("u", "first", "2024-01-02 00:00:00")]


def test_copies_that_differ_only_in_a_property_leave_the_same_one_in_any_order():
    log = as_arrow("""
        event_id | user_id | event | event_time | feature
        1        | u       | view  | 2024-01-01 | b
        1        | u       | view  | 2024-01-01 | a
    """)

    found = {str(clean_rows(clean_log(log.take(order), USERS, properties=("feature",))[0], "feature")) for order in ([0, 1], [1, 0])}

    assert len(found) == 1


@pytest.mark.parametrize(
    "broken", ["1 | u | view | 1970-01-01 |", "1 | u | view | soon |", "1 | | view | 2023-12-31 |", "1 | gone | view | 2023-12-31 |"]
)
def test_a_broken_copy_never_displaces_a_usable_one(broken):
    log = f"""
        event_id | user_id | event | event_time | known_at
        {broken}
        1        | u       | view  | 2024-01-01 |
    """

    database, counts = clean_log(log, USERS)

    assert clean_rows(database) == [("u", "view", "2024-01-01 00:00:00")]
    assert (counts.duplicates, counts.quarantined) == (1, {})


def test_rows_without_an_event_id_are_never_duplicates():
    log = """
        event_id | user_id | event | event_time
                 | u       | view  | 2024-01-01
                 | u       | view  | 2024-01-01
    """

    database, counts = clean_log(log, USERS)

    assert len(clean_rows(database)) == 2
    assert counts.duplicates == 0


def test_without_an_event_id_column_nothing_is_a_duplicate():
    log = pa.concat_tables([as_arrow("user_id | event | event_time\nu | view | 2024-01-01")] * 3)

    _, counts = clean_log(log, USERS)

    assert (counts.kept, counts.duplicates) == (3, 0)
