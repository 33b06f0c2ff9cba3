"""The compiled roll-up writes the files that SQL does, byte for byte."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from kept_logs import TOLERANT, KeptLog, keep
from random_logs import MEASURES, SOURCE, merged, random_log

from pls_ml.core.compiled import compile_loop
from pls_ml.core.windows import Grain
from pls_ml.events import kernel, rolling

MORE: list[dict[str, Any]] = [
    {"kind": "count", "events": ["seen", "edit"], "where": {"feature": ["f1", "f3"], "account_id": ["a"]}},
    {"kind": "count", "events": ["seen"]},
    {"kind": "count", "where": {"user_id": ["u"]}},
    {"kind": "count", "where": {"event": ["view"]}},
    {"kind": "distinct", "of": "event"},
    {"kind": "sum", "of": "value", "events": ["view"], "where": {"feature": ["f1"]}},
    {"kind": "sessions", "gap": "1d"},
]


def both_ways(monkeypatch: pytest.MonkeyPatch, log: pa.Table, measures: list[dict[str, Any]], **given: Any) -> tuple[KeptLog, KeptLog]:
    monkeypatch.setattr(rolling, "FEW", -1)
    compiled = keep(log, measures, **given)
    monkeypatch.setattr(rolling, "roll_compiled", lambda *of: None)
    return compiled, keep(log, measures, **given)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("grain", [Grain("day"), Grain("hour"), Grain("day", "Asia/Kolkata")], ids=["day", "hour", "day of a zone"])
@pytest.mark.parametrize("source", [SOURCE, TOLERANT], ids=["names mapped", "names as they are"])
def test_the_compiled_files_are_those_of_sql(seed, grain, source, monkeypatch):
    compiled, in_sql = both_ways(monkeypatch, random_log(seed), [*MEASURES, *MORE], source=source, grain=grain)

    assert compiled.state.manifest == in_sql.state.manifest
    assert len(merged(compiled)) > 50


def test_a_log_without_accounts_and_properties_is_rolled_up_alike(monkeypatch):
    log = random_log(3).select(["user_id", "event", "event_time"])

    compiled, in_sql = both_ways(monkeypatch, log, [MEASURES[0], MEASURES[7], MORE[4]])

    assert compiled.state.manifest == in_sql.state.manifest


def test_more_filters_than_one_mask_holds(monkeypatch):
    many = [{"kind": "count", "where": {"feature": [f"f{number}"]}} for number in range(140)]

    compiled, in_sql = both_ways(monkeypatch, random_log(4), many, source=SOURCE)

    assert compiled.state.manifest == in_sql.state.manifest


def test_new_quantities_are_compiled_too(monkeypatch, tmp_path):
    monkeypatch.setattr(rolling, "FEW", -1)
    keep(random_log(5), MEASURES[:3], source=SOURCE, folder=tmp_path)

    grown = keep(random_log(5), MEASURES, source=SOURCE, folder=tmp_path)

    assert merged(grown) == merged(keep(random_log(5), MEASURES, source=SOURCE))


def test_rows_that_memory_does_not_hold_are_left_to_sql(monkeypatch):
    asked = []
    original = rolling.roll_compiled

    def with_little_room(*of: Any) -> Any:
        asked.append(original(*of, most_cells=1000))
        return asked[-1]

    monkeypatch.setattr(rolling, "FEW", -1)
    monkeypatch.setattr(rolling, "roll_compiled", with_little_room)

    kept = keep(random_log(6), MEASURES, source=SOURCE)

    assert asked == [None]
    assert merged(kept) == merged(keep(random_log(6), MEASURES, source=SOURCE))


def test_few_events_need_no_compiler(monkeypatch):
    monkeypatch.setattr(rolling, "roll_compiled", lambda *of: pytest.fail("compiled"))

    keep(random_log(6), MEASURES, source=SOURCE)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([2**62, 2**62], 2**63 - 1),
        ([2**62] * 9, 2**63 - 1),
        ([-(2**62)] * 2, -(2**63 - 1)),
        ([-(2**62)] * 9, -(2**63 - 1)),
        ([2**62, 2**62, -(2**62)], 2**62),
        ([2**62, 2**62 - 1], 2**63 - 1),
        ([-1, -1], -2),
        ([-(2**32), 1], 1 - 2**32),
        ([2**32 - 1, 1], 2**32),
        ([0], 0),
        ([], None),
    ],
)
def test_sums_are_whole_however_large_and_held_at_the_largest_number(numbers, expected):
    n = len(numbers)
    cells = add([3], numbers, extra=1, width=2)[0] if n else np.full(2, kernel.EMPTY)

    found = kernel.join_halves(cells[:1], cells[1:], 2**63 - 1)[0]

    assert found == (kernel.EMPTY if expected is None else expected)


def add(kinds: list[int], numbers: list[int], extra: int, width: int) -> np.ndarray:
    """One row's cells after events of one filter that bring these numbers."""
    n = len(numbers)
    cells, keys = np.empty((4, width), np.int64), np.zeros((3, n), np.int64)
    atoms = np.array([kinds, [0] * len(kinds), [extra] * len(kinds), range(len(kinds))], np.int64)
    masks, begins = np.ones((1, n), np.int64), np.array([0, len(kinds)])
    slots, row_keys = np.zeros(8, np.int32), np.zeros((3, 4), np.int64)
    assert compile_loop(kernel.add_events)(keys, masks, np.array([numbers], np.int64), begins, atoms, slots, row_keys, cells, 0) == 1
    return cells


def test_keys_that_share_a_slot_stay_apart():
    n = 3000
    keys = np.array([np.arange(n) % 50, np.arange(n) // 50 % 6, np.arange(n) // 300], np.int64)
    cells, row_keys, slots = np.empty((n, 1), np.int64), np.zeros((3, n), np.int64), np.zeros(4096, np.int32)
    one = np.zeros((4, 1), np.int64)

    rows = compile_loop(kernel.add_events)(
        keys, np.ones((1, n), np.int64), np.zeros((1, n), np.int64), np.array([0, 1]), one, slots, row_keys, cells, 0
    )

    assert rows == n
    assert (row_keys == keys).all()
    assert (cells == 1).all()
