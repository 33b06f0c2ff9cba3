import json
from random import Random

import pyarrow as pa
import pytest
from kept_logs import catalogue_of, keep

from pls_ml.core.atoms import MAX_VALUES, Atom, find_atoms
from pls_ml.core.database import Database
from pls_ml.core.measures import EventFilter
from pls_ml.core.windows import Grain
from pls_ml.events import store
from pls_ml.events.mapping import EventSource
from pls_ml.signals.coverage import LogContents, find_coverage

TOTAL = {"kind": "sum", "of": "value"}
FEATURES = {"kind": "distinct", "of": "feature"}
PREMIUM = {"kind": "count", "where": {"tier": ["premium"]}}


def test_events_of_one_user_and_tick_become_one_row_with_count_first_and_last():
    log = """
        user_id | event | event_time
        u       | view  | 2024-01-01T00:00:00
        u       | edit  | 2024-01-01T10:00:00
        u       | view  | 2024-01-01T23:59:59.999999
        u       | view  | 2024-01-02T00:00:00
        v       | view  | 2024-01-01T10:00:00
    """
    day = 19723
    micros = day * 86_400_000_000

    kept = keep(log, [{"kind": "count", "events": ["edit"]}])

    assert kept.rows(f'user_id, event_tick, n, first_us, last_us, "{kept.state.atoms[3].name}"') == [
        ("u", day, 3, micros, micros + 86_399_999_999, 1),
        ("u", day + 1, 1, micros + 86_400_000_000, micros + 86_400_000_000, None),
        ("v", day, 1, micros + 36_000_000_000, micros + 36_000_000_000, None),
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

    kept = keep(log, grain=Grain(grain))

    assert kept.database.count("state") == ticks
    assert kept.rows("sum(n)") == [(4,)]


def test_late_events_stand_apart_by_the_tick_in_which_they_became_known():
    log = """
        user_id | event | event_time | known_at
        u       | view  | 2024-01-01 |
        u       | view  | 2024-01-01 | 2024-01-01T23:00:00
        u       | view  | 2024-01-01 | 2024-01-03
    """

    assert keep(log).rows("event_tick - 19723, known_tick - 19723, n") == [(0, 0, 2), (0, 2, 1)]


def test_what_signals_ask_of_properties_is_counted_and_nothing_else_is_kept():
    log = """
        user_id | event | event_time | feature | tier
        u       | use   | 2024-01-01 | charts  | free
        u       | use   | 2024-01-01 | maps    | premium
        u       | use   | 2024-01-01 |         | premium
        u       | use   | 2024-01-01 | charts  |
    """

    kept = keep(log, [PREMIUM, FEATURES])

    assert kept.state.manifest.codes == {"feature": ("charts", "maps")}
    assert {atom.kind: kept.value(place) for place, atom in enumerate(kept.state.atoms) if place > 2} == {"n": 2, "bits": 3}
    assert {"feature", "tier"}.isdisjoint(kept.database.columns("state"))


def test_properties_that_the_log_does_not_have_are_left_out_of_files_and_missing_in_the_state():
    kept = keep("user_id | event | event_time\nu | view | 2024-01-01", [PREMIUM, FEATURES, TOTAL])

    assert {atom for file in kept.state.manifest.files for atom in file.atoms} == {"n", "first_us", "last_us"}
    assert kept.rows(", ".join(f'"{atom.name}"' for atom in kept.state.atoms if atom.kind in ("n", "sum"))) == [(1, None, None)]


def test_sums_are_exact_to_six_decimals():
    log = "user_id | event | event_time | value\n" + "u | pay | 2024-01-01 | 0.1\n" * 10 + "u | pay | 2024-01-01 | 1000000000.000001\n"

    assert keep(log, [TOTAL]).value() == 1_000_000_001_000_001


@pytest.mark.parametrize(
    ("value", "micros"), [("0.0000005", 1), ("-0.0000005", -1), ("0.00000049", 0), ("-2.25", -2_250_000), ("7", 7_000_000)]
)
def test_a_value_is_rounded_to_six_decimals_away_from_nought(value, micros):
    assert keep(f"user_id | event | event_time | value\nu | pay | 2024-01-01 | {value}", [TOTAL]).value() == micros


@pytest.mark.parametrize("value", ["many", "nan", "inf", "-inf", "1e300", "4503599627", ""])
def test_values_that_cannot_be_summed_are_missing(value):
    log = f"user_id | event | event_time | value\nu | pay | 2024-01-01 | 2.5\nu | pay | 2024-01-01 | {value}\n"

    kept = keep(log, [TOTAL])

    assert kept.value() == 2_500_000
    assert kept.rows("n") == [(2,)]


@pytest.mark.parametrize(("sign", "largest"), [(1, 2**63 - 1), (-1, -(2**63 - 1))])
def test_a_sum_beyond_what_is_kept_is_held_at_the_largest_rather_than_wrapped(sign, largest):
    n = 2100
    log = pa.table({"user_id": ["u"] * n, "event": ["pay"] * n, "event_time": ["2024-01-01"] * n, "value": [sign * 4.5e9] * n})

    assert keep(log, [TOTAL]).value() == largest


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (pa.array([1, None, 7]), {"1", "7"}),
        (pa.array([1.0, None, 7.0]), {"1", "7"}),
        (pa.array([1.5, None, 7.0]), {"1.5", "7"}),
        (pa.array(["1", None, "7"]), {"1", "7"}),
        (pa.array(["1.0", "1", "1 "]), {"1.0", "1", "1 "}),
        (pa.array([True, None, False]), {"true", "false"}),
    ],
)
def test_a_whole_number_is_the_same_text_whether_read_as_integer_or_double_and_text_stays_as_it_is(values, found):
    log = pa.table({"user_id": ["u"] * 3, "event": ["use"] * 3, "event_time": ["2024-01-01"] * 3, "step": values})

    kept = keep(log, [{"kind": "distinct", "of": "step"}, {"kind": "count", "where": {"step": ["1"]}}])

    assert set(kept.state.manifest.codes["step"]) == found
    place = next(place for place, atom in enumerate(kept.state.atoms) if atom.kind == "n" and place)
    assert kept.value(place) == (1 if "1" in found else None)


def test_a_property_may_be_summed_and_told_apart_and_asked_for_at_once():
    log = "user_id | event | event_time | value\nu | pay | 2024-01-01 | 2\nu | pay | 2024-01-01 | 3"

    kept = keep(log, [TOTAL, {"kind": "distinct", "of": "value"}, {"kind": "count", "where": {"value": ["2"]}}])

    assert {atom.kind: kept.value(place) for place, atom in enumerate(kept.state.atoms) if place > 2} == {
        "sum": 5_000_000,
        "bits": 3,
        "n": 1,
    }


PROPERTIES = [{"feature": "charts", "value": 2.5}, {"feature": "maps", "value": 4}, {"feature": None, "value": None}]
REACHED = EventSource(columns={"feature": "properties.feature", "value": "properties.value"}, max_quarantine_share=1)


@pytest.mark.parametrize(
    "properties",
    [pa.array(PROPERTIES), pa.array([*map(json.dumps, PROPERTIES[:2]), "oops"])],
    ids=["struct", "JSON text, some of it broken"],
)
def test_properties_are_reached_inside_a_struct_and_inside_json_text(properties):
    log = pa.table({"user_id": ["u"] * 3, "event": ["use"] * 3, "event_time": ["2024-01-01"] * 3, "properties": properties})

    kept = keep(log, [FEATURES, TOTAL], source=REACHED)

    assert kept.state.manifest.codes == {"feature": ("charts", "maps")}
    assert {atom.kind: kept.value(place) for place, atom in enumerate(kept.state.atoms) if place > 2} == {"bits": 3, "sum": 6_500_000}


def features(n: int, a_day: int = 50) -> pa.Table:
    """n events, each with a feature of its own, so many a day."""
    days = [f"2024-{1 + (i // a_day) // 28:02}-{1 + (i // a_day) % 28:02}" for i in range(n)]
    return pa.table({"user_id": ["u"] * n, "event": ["use"] * n, "event_time": days, "feature": [f"f{i:04}" for i in range(n)]})


@pytest.mark.parametrize("n", [1, 61, 62, 63, 124, 130, MAX_VALUES])
@pytest.mark.parametrize("chunk_rows", [100, 1_000_000])
def test_values_are_kept_as_bits_in_as_many_words_as_they_need_in_the_order_in_which_they_became_known(n, chunk_rows, monkeypatch):
    monkeypatch.setattr(store, "CHUNK_ROWS", chunk_rows)

    kept = keep(features(n), [FEATURES])

    (words,) = kept.state.words().values()
    assert len(words) == -(-n // 62)
    assert sum(kept.value(word=word).bit_count() for word in range(len(words))) == n
    assert kept.state.manifest.codes["feature"] == tuple(f"f{i:04}" for i in range(n))


def test_more_values_than_fit_are_said_to_be_too_many_and_are_kept_no_further(tmp_path):
    catalogue = catalogue_of([FEATURES, {"kind": "count"}])
    keep(features(MAX_VALUES), [FEATURES], folder=tmp_path)

    kept = keep(features(MAX_VALUES + 500), [FEATURES], folder=tmp_path)

    assert list(kept.state.words().values()) == [[]]
    assert len(kept.state.manifest.codes["feature"]) == MAX_VALUES + 1
    reasons = find_coverage(kept.database, catalogue, LogContents(("use",), kept.state.manifest.codes)).not_computable
    assert list(reasons) == ["s0"]
    assert "more than 992 values, such as 'f0992'" in str(reasons["s0"])


def test_too_many_values_in_one_go_are_noticed_as_well():
    kept = keep(features(3 * MAX_VALUES), [FEATURES])

    assert len(kept.state.manifest.codes["feature"]) == MAX_VALUES + 1
    assert list(kept.state.words().values()) == [[]]


def test_one_property_may_be_kept_under_two_filters():
    log = """
        user_id | event | event_time | feature
        u       | use   | 2024-01-01 | a
        u       | see   | 2024-01-01 | b
    """

    kept = keep(log, [FEATURES, FEATURES | {"events": ["see"]}])

    assert sorted(kept.value(place) for place in (3, 4)) == [2, 3]


def test_the_state_does_not_depend_on_the_order_of_rows_or_the_number_of_threads():
    draw = Random(5)
    n = 3000
    log = pa.table(
        {
            "event_id": [str(draw.randrange(n)) for _ in range(n)],
            "user_id": [draw.choice("uv") for _ in range(n)],
            "event": [draw.choice(["view", "edit"]) for _ in range(n)],
            "event_time": [f"2024-01-{draw.randrange(1, 10):02}T{draw.randrange(24):02}:00:00" for _ in range(n)],
            "feature": [draw.choice(["a", "b", None]) for _ in range(n)],
            "value": [draw.choice([0.1, 1e9, -1e9, 3.3333333]) for _ in range(n)],
        }
    )
    order = list(range(n))
    draw.shuffle(order)
    measures = [FEATURES, TOTAL, {"kind": "sessions"}, {"kind": "minutes"}]

    kept = [keep(log, measures), keep(log.take(order), measures), keep(log.take(order), measures, threads=4)]

    assert kept[0].state.manifest.files[0].rows > 15
    assert kept[0].state.manifest == kept[1].state.manifest == kept[2].state.manifest


def test_the_atoms_of_a_catalogue_are_what_its_signals_read_each_once():
    catalogue = catalogue_of(
        [
            {"kind": "count"},
            {"kind": "active_days", "events": ["a"]},
            {"kind": "count", "events": ["a"]},
            {"kind": "latest", "among": ["a", "b"]},
            {"kind": "days_since_first", "events": ["a"]},
            {"kind": "sessions", "gap": "1h"},
            {"kind": "sum", "of": "value", "where": {"tier": ["x", "y"]}},
            {"kind": "sum", "of": "value", "where": {"tier": ["y", "x"]}},
            {"kind": "age_days"},
        ]
    )

    atoms = find_atoms(catalogue)

    assert [atom.name for atom in atoms[:3]] == ["n", "first_us", "last_us"]
    assert len({atom.name for atom in atoms}) == len(atoms)
    assert {(atom.kind, atom.chosen.events, atom.of) for atom in atoms[3:]} == {
        ("n", ("a",), ""),
        ("last", ("a",), ""),
        ("last", ("b",), ""),
        ("first", ("a",), ""),
        ("starts", (), "3600000000"),
        ("sum", (), "value"),
    }


def test_the_name_of_an_atom_says_what_it_holds_whatever_the_order_it_was_written_in():
    one = Atom("n", EventFilter(events=("a", "b"), where={"x": ("1", "2"), "y": ("3",)}))
    same = Atom("n", EventFilter(events=("b", "a"), where={"y": ("3",), "x": ("2", "1")}))

    assert one.name == same.name
    assert one.name != Atom("last", one.chosen).name
    assert one.name != Atom("n", EventFilter(events=("a", "b"))).name


def test_a_state_folder_may_have_any_name(tmp_path):
    folder = tmp_path / "it's [a] *state*?"

    kept = keep("user_id | event | event_time\nu | view | 2024-01-01", folder=folder)

    assert isinstance(kept.database, Database)
    assert kept.rows("n") == [(1,)]
