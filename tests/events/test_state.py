import json
from random import Random

import pyarrow as pa
import pytest
from clean_logs import clean_log
from core.text_tables import as_arrow

from pls_ml.core.catalogue import Catalogue
from pls_ml.events.mapping import EventSource
from pls_ml.events.state import StateNeeds, find_needs, roll_up

NOTHING = StateNeeds((), ())


def rolled(log: str | pa.Table, needs: StateNeeds = NOTHING, grain: str = "day", source: EventSource | None = None, threads: int = 1):
    source = source or EventSource(max_quarantine_share=1)
    database, _ = clean_log(log, "user_id\nu\nv", source, needs.properties, threads)
    roll_up(database, needs, grain)
    return database


def test_events_of_one_user_tick_and_name_become_one_row_with_count_first_and_last():
    log = """
        user_id | event | event_time
        u       | view  | 1970-01-02T00:00:00
        u       | view  | 2024-01-01T00:00:00
        u       | view  | 2024-01-01T23:59:59.999999
        u       | view  | 2024-01-02T00:00:00
        u       | edit  | 2024-01-01T10:00:00
        v       | view  | 2024-01-01T10:00:00
    """
    day = 19723
    micros = day * 86_400_000_000

    database = rolled(log)

    found = database.rows("SELECT user_id, event, event_tick, n, first_us, last_us FROM state ORDER BY ALL")
    assert found == [
        ("u", "edit", day, 1, micros + 36_000_000_000, micros + 36_000_000_000),
        ("u", "view", day, 2, micros, micros + 86_399_999_999),
        ("u", "view", day + 1, 1, micros + 86_400_000_000, micros + 86_400_000_000),
        ("v", "view", day, 1, micros + 36_000_000_000, micros + 36_000_000_000),
    ]


@pytest.mark.parametrize(("grain", "ticks"), [("day", 1), ("hour", 2), ("minute", 3)])
def test_the_grain_is_the_length_of_a_tick(grain, ticks):
    log = """
        user_id | event | event_time
        u       | view  | 2024-01-01T10:00:00
        u       | view  | 2024-01-01T10:00:59
        u       | view  | 2024-01-01T10:01:00
        u       | view  | 2024-01-01T11:00:00
    """

    database = rolled(log, grain=grain)

    assert database.count("state") == ticks
    assert database.rows("SELECT sum(n) FROM state") == [(4,)]


def test_late_events_stand_apart_by_the_tick_in_which_they_became_known():
    log = """
        user_id | event | event_time | known_at
        u       | view  | 2024-01-01 |
        u       | view  | 2024-01-01 | 2024-01-01T23:00:00
        u       | view  | 2024-01-01 | 2024-01-03
    """

    database = rolled(log)

    assert database.rows("SELECT event_tick - 19723, known_tick - 19723, n FROM state ORDER BY ALL") == [(0, 0, 2), (0, 2, 1)]


def test_rows_stand_apart_by_the_properties_that_signals_ask_for():
    log = """
        user_id | event | event_time | feature | tier
        u       | use   | 2024-01-01 | charts  | free
        u       | use   | 2024-01-01 | charts  | premium
        u       | use   | 2024-01-01 |         | free
    """

    database = rolled(log, StateNeeds(("feature",), ()))

    assert database.rows("SELECT feature, n FROM state ORDER BY ALL NULLS LAST") == [("charts", 2), (None, 1)]
    assert "tier" not in database.columns("state")


def test_properties_that_the_log_does_not_have_are_left_out():
    database = rolled("user_id | event | event_time\nu | view | 2024-01-01", StateNeeds(("feature",), ("value",)))

    assert {"feature", "sum_value"}.isdisjoint(database.columns("state"))


def test_sums_are_exact_to_six_decimals():
    log = "user_id | event | event_time | value\n" + "u | pay | 2024-01-01 | 0.1\n" * 10 + "u | pay | 2024-01-01 | 1000000000.000001\n"

    database = rolled(log, StateNeeds((), ("value",)))

    assert str(database.rows("SELECT sum_value FROM state")[0][0]) == "1000000001.000001"


@pytest.mark.parametrize("value", ["many", "nan", "inf", "1e300"])
def test_values_that_cannot_be_summed_are_missing(value):
    log = f"user_id | event | event_time | value\nu | pay | 2024-01-01 | 2.5\nu | pay | 2024-01-01 | {value}\n"

    database = rolled(log, StateNeeds((), ("value",)))

    assert database.rows("SELECT n, CAST(sum_value AS DOUBLE) FROM state") == [(2, 2.5)]


def test_the_state_does_not_depend_on_the_order_of_rows_or_the_number_of_threads():
    draw = Random(5)
    n = 3000
    log = pa.table(
        {
            "user_id": [draw.choice("uv") for _ in range(n)],
            "event": [draw.choice(["view", "edit"]) for _ in range(n)],
            "event_time": [f"2024-01-{draw.randrange(1, 10):02}T{draw.randrange(24):02}:00:00" for _ in range(n)],
            "feature": [draw.choice(["a", "b", None]) for _ in range(n)],
            "value": [draw.choice([0.1, 1e9, -1e9, 3.3333333]) for _ in range(n)],
        }
    )
    order = list(range(n))
    draw.shuffle(order)
    needs = StateNeeds(("feature",), ("value",))

    tables = [rolled(log, needs), rolled(log.take(order), needs), rolled(log.take(order), needs, threads=4)]

    states = [database.arrow("SELECT * FROM state ORDER BY ALL") for database in tables]
    assert states[0].num_rows > 50
    assert states[0].equals(states[1])
    assert states[0].equals(states[2])


PROPERTIES = [{"feature": "charts", "value": 2.5}, {"feature": "maps", "value": 4}, {"feature": None, "value": None}]
REACHED = EventSource(columns={"feature": "properties.feature", "value": "properties.value"}, max_quarantine_share=1)


@pytest.mark.parametrize(
    "properties",
    [pa.array(PROPERTIES), pa.array([json.dumps(p) for p in PROPERTIES])],
    ids=["struct", "JSON text"],
)
def test_properties_are_reached_inside_a_struct_and_inside_json_text(properties):
    log = pa.table({"user_id": ["u"] * 3, "event": ["use"] * 3, "event_time": ["2024-01-01"] * 3, "properties": properties})

    database = rolled(log, StateNeeds(("feature",), ("value",)), source=REACHED)

    found = database.rows("SELECT feature, CAST(sum_value AS DOUBLE) FROM state ORDER BY ALL NULLS LAST")
    assert found == [("charts", 2.5), ("maps", 4.0), (None, None)]


def test_json_text_that_is_broken_has_no_properties():
    log = pa.table(
        {"user_id": ["u"] * 3, "event": ["use"] * 3, "event_time": ["2024-01-01"] * 3, "properties": ["oops", '{"feature": "maps"}', None]}
    )

    database = rolled(log, StateNeeds(("feature",), ()), source=REACHED)

    assert database.rows("SELECT feature, n FROM state ORDER BY ALL NULLS LAST") == [("maps", 1), (None, 2)]


def test_the_needs_of_a_catalogue_are_what_its_signals_filter_by_tell_apart_and_sum():
    catalogue = Catalogue.model_validate(
        {
            "signals": [
                signal("a", {"kind": "count", "where": {"tier": ["premium"]}}),
                signal("b", {"kind": "distinct", "of": "feature"}),
                signal("c", {"kind": "sum", "of": "duration_s", "where": {"topic": ["billing"]}}),
                signal("d", {"kind": "abandoned", "started": {"where": {"step": ["1"]}}, "completed": {}}),
            ]
        }
    )

    needs = find_needs(catalogue)

    assert needs == StateNeeds(("feature", "step", "tier", "topic"), ("duration_s",))
    assert needs.properties == ("duration_s", "feature", "step", "tier", "topic")


def test_a_whole_number_is_the_same_property_whether_read_as_integer_or_double():
    numbers = [pa.array([5, None, 7]), pa.array([5.0, None, 7.0]), pa.array(["5", None, "7"])]
    logs = [pa.table({"user_id": ["u"] * 3, "event": ["use"] * 3, "event_time": ["2024-01-01"] * 3, "step": step}) for step in numbers]

    for log in logs:
        database = rolled(log, StateNeeds(("step",), ()))

        assert database.rows("SELECT step FROM state ORDER BY ALL NULLS LAST") == [("5",), ("7",), (None,)]


def test_a_property_may_be_summed_and_told_apart_at_once():
    log = as_arrow("user_id | event | event_time | value\nu | pay | 2024-01-01 | 2\nu | pay | 2024-01-01 | 3")

    database = rolled(log, StateNeeds(("value",), ("value",)))

    assert database.rows("SELECT value, CAST(sum_value AS DOUBLE) FROM state ORDER BY 1") == [("2", 2.0), ("3", 3.0)]


def signal(name: str, measure: dict) -> dict:
    return {"id": name, "family": "test", "label": name, "measure": measure, "windows": ["30d"]}
