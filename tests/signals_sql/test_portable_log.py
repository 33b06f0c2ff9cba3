"""The state from the log in one query is the state that is kept piece by piece."""

import pyarrow as pa
import pytest
from fakes.catalogues import full_catalogue
from fakes.random_worlds import GRAINS
from signals_sql.mapped_worlds import SOURCE, many_worlds, open_world

from pls_ml.core.atoms import Atom
from pls_ml.core.database import Database, quote
from pls_ml.core.measures import EventFilter
from pls_ml.core.windows import Grain
from pls_ml.events.mapping import EventSource
from pls_ml.events.portable import PortableLog
from pls_ml.events.state import columns_of, merge_rows

KEYS = "user_id, account_id, event_tick, known_tick"
DAY = Grain("day")


@pytest.mark.parametrize("grain", GRAINS)
def test_the_state_is_the_kept_one_row_by_row(grain):
    with open_world(many_worlds(grain, 8), full_catalogue(grain), grain) as world:
        codes = world.state.manifest.codes
        steps = ", ".join((*world.log.steps(world.atoms), *world.log.roll_up(world.atoms, codes)))
        merged = f"SELECT {KEYS}, {merge_rows(world.atoms, codes)} FROM state GROUP BY ALL ORDER BY ALL"
        columns = ", ".join(quote(column) for atom in world.atoms for column in columns_of(atom, codes))

        found = world.database.rows(f"WITH {steps} SELECT {KEYS}, {columns} FROM rolled ORDER BY ALL")

        assert found == world.database.rows(merged)
        assert len(found) > 300


def test_values_get_the_codes_that_they_have_in_the_kept_state():
    with open_world(many_worlds(DAY, 8), full_catalogue(DAY), DAY) as world:
        found = world.database.rows(world.log.find_codes(world.atoms))

        assert found == [(name, value) for name, values in sorted(world.state.manifest.codes.items()) for value in values]
        assert len(found) > 4


def test_the_log_under_test_repeats_events_within_and_beyond_the_days_compared():
    with open_world(many_worlds(DAY, 8), full_catalogue(DAY), DAY) as world:
        rolled, repeated = sum(s.read for s in world.state.manifest.segments), sum(s.repeated for s in world.state.manifest.segments)

    copies = len(many_worlds(DAY, 8).events) // 6
    assert 0 < repeated < copies < rolled


def roll_up(events: dict[str, list], atom: Atom, **how) -> list[tuple]:
    """The atom's values of a log with one event per day, by event."""
    table = pa.table(events)
    days = pa.array([1_700_000_000_000_000 + 86_400_000_000 * n for n in range(table.num_rows)]).cast(pa.timestamp("us"))
    table = table.append_column("event_time", days)
    if "event" not in events:
        table = table.append_column("event", pa.array(["seen"] * table.num_rows))
    if "user_id" not in events:
        table = table.append_column("user_id", pa.array(["ann"] * table.num_rows))
    database = Database([], threads=1, memory_limit="500MB")
    database.register("events", table)
    log = PortableLog(database.columns("events"), EventSource(**how), DAY)
    steps = ", ".join((*log.steps((atom,)), *log.roll_up((atom,), {"plan": ["a", "b"]})))
    column = "*" if atom.kind == "bits" else quote(atom.name)
    return database.rows(f"WITH {steps} SELECT {column} FROM rolled ORDER BY event_tick")


def test_a_number_written_as_text_counts_where_it_is_one():
    written = ["1.5", " -2e1 ", "1e400", "nan", "12d", "0x10", "", None, ".5", "4503599628"]

    found = roll_up({"paid": written}, Atom("sum", of="paid"))

    assert [value for (value,) in found] == [1_500_000, -20_000_000, None, None, None, None, None, None, 500_000, None]


def test_whole_numbers_in_a_column_of_doubles_are_found_by_their_digits():
    atom = Atom("n", EventFilter(where={"size": ("3", "0.25", "true")}))

    assert roll_up({"size": [3.0, 0.25, 30.0, None]}, atom) == [(1,), (1,), (None,), (None,)]
    assert roll_up({"size": [True, False]}, atom) == [(1,), (None,)]


def test_true_and_false_add_up_as_one_and_nothing():
    assert roll_up({"paid": [True, False, None]}, Atom("sum", of="paid")) == [(1_000_000,), (0,), (None,)]


def test_a_log_without_ids_accounts_or_known_times_is_rolled_up_too():
    assert roll_up({"event": ["a", "b", "a"]}, Atom("n", EventFilter(events=("a",)))) == [(1,), (None,), (1,)]


def test_what_the_log_lacks_is_missing():
    assert roll_up({"event": ["a"]}, Atom("sum", of="paid")) == [(None,)]


def test_one_name_may_become_several_and_counts_once_where_any_name_will_do():
    names = {"a": ("b", "c")}

    assert roll_up({"event": ["a"]}, Atom("n"), names=names) == [(1,)]
    assert roll_up({"event": ["a"]}, Atom("n", EventFilter(events=("b", "c"))), names=names) == [(2,)]
    assert roll_up({"event": ["a"]}, Atom("n", EventFilter(events=("a",))), names=names) == [(None,)]


def test_events_without_an_id_are_never_the_same():
    found = roll_up({"event_id": ["x", None, "x", None]}, Atom("n"), dedupe_days=2)

    assert found == [(1,), (1,), (1,)]
    assert SOURCE.dedupe_days == 20
