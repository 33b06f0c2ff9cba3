"""The kept state: grown in any steps it is what it would be if built in one go, and only what changed is built again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
from kept_logs import TOLERANT, KeptLog, as_arrow, keep
from random_logs import BEGIN, DAYS, MEASURES, SOURCE, files_of, known_before, merged, random_log

from pls_ml.core.windows import Grain
from pls_ml.events import months, store

DAY_GRAIN = Grain("day")
BERLIN = Grain("day", "Europe/Berlin")


def grown(log: pa.Table, folder: Path, steps: list[float], grain: Grain = DAY_GRAIN) -> KeptLog:
    """The state after the log was taken in as it was after so many days, and at last as a whole."""
    for days in sorted(steps):
        moment = BEGIN + timedelta(days=days)
        known = known_before(log, moment)
        if known.num_rows:
            keep(known, MEASURES, source=SOURCE, grain=grain, folder=folder, until=grain.tick_after(moment))
    return keep(log, MEASURES, source=SOURCE, grain=grain, folder=folder)


def months_of(kept: KeptLog) -> dict[int, list[str]]:
    """End of a complete month → digests of its files."""
    return {segment.until: [file.sha256 for file in segment.files] for segment in kept.state.manifest.segments[:-1]}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("grain", [DAY_GRAIN, BERLIN, Grain("hour")], ids=["day", "day of a zone", "hour"])
def test_a_state_grown_in_random_steps_is_the_one_built_in_one_go(seed, grain, tmp_path):
    log, draw = random_log(seed), Random(seed)
    steps = [draw.uniform(1, DAYS + 1) for _ in range(8)]

    step_by_step, at_once = grown(log, tmp_path, steps, grain), keep(log, MEASURES, source=SOURCE, grain=grain)

    assert merged(step_by_step) == merged(at_once)
    assert step_by_step.state.manifest.codes == at_once.state.manifest.codes
    assert step_by_step.counts == at_once.counts
    assert months_of(at_once).items() <= months_of(step_by_step).items()


def test_a_state_grown_night_by_night_is_the_one_built_in_one_go(tmp_path):
    log = random_log(7)

    night_by_night, at_once = grown(log, tmp_path, list(range(1, DAYS, 3))), keep(log, MEASURES, source=SOURCE)

    assert merged(night_by_night) == merged(at_once)
    assert months_of(at_once).items() <= months_of(night_by_night).items()
    assert len(months_of(at_once)) == 2


@pytest.mark.parametrize("hours", [range(1, 50, 4), (24, 48), (1, 36), (47,)])
def test_a_state_grown_by_the_hour_goes_on_with_the_sessions_of_the_day_before(hours, tmp_path):
    log = as_arrow("""
        user_id | event | event_time       | known_at
        u       | view  | 2024-02-01T10:00 | 2024-02-01T00:30
        u       | view  | 2024-02-01T10:10 | 2024-02-02T23:00
        u       | view  | 2024-02-01T10:15 | 2024-02-03T00:00
    """)
    hour, begin = Grain("hour"), 474_096
    for elapsed in hours:
        keep(log, [{"kind": "sessions"}], grain=hour, folder=tmp_path, until=begin + elapsed)

    assert merged(keep(log, [{"kind": "sessions"}], grain=hour, folder=tmp_path)) == merged(keep(log, [{"kind": "sessions"}], grain=hour))


@pytest.mark.parametrize("chunk_rows", [1, 50, 200])
def test_the_files_do_not_depend_on_how_many_rows_are_rolled_up_in_one_go(chunk_rows, monkeypatch):
    log = random_log(8)
    at_once = keep(log, MEASURES, source=SOURCE)

    monkeypatch.setattr(store, "CHUNK_ROWS", chunk_rows)

    assert keep(log, MEASURES, source=SOURCE).state.manifest == at_once.state.manifest


def test_the_files_do_not_depend_on_the_order_of_rows_or_on_the_files_they_lie_in(tmp_path):
    log = random_log(9)
    shuffled = log.take(Random(1).sample(range(log.num_rows), log.num_rows))
    parts = pa.concat_tables([log.slice(0, 100), log.slice(300), log.slice(100, 200)])

    manifests = [keep(table, MEASURES, source=SOURCE).state.manifest for table in (log, shuffled, parts)]

    assert manifests[0] == manifests[1] == manifests[2]


def test_an_update_of_an_unchanged_log_writes_nothing(tmp_path):
    log = random_log(10)
    keep(log, MEASURES, source=SOURCE, folder=tmp_path)
    before = files_of(tmp_path)

    again = keep(log, MEASURES, source=SOURCE, folder=tmp_path)

    assert files_of(tmp_path) == before
    assert again.update.done == ()
    assert len(before) == 3 + 1 + 1  # months, totals, manifest


def test_growth_leaves_the_files_of_earlier_months_alone(tmp_path):
    log = random_log(11)
    keep(known_before(log, BEGIN + timedelta(days=50)), MEASURES, source=SOURCE, folder=tmp_path)
    months = {name: found for name, found in files_of(tmp_path).items() if name.startswith("events-")}

    grown_once = keep(log, MEASURES, source=SOURCE, folder=tmp_path)

    assert sorted(months)[:1] == [name for name in sorted(months) if months[name] == files_of(tmp_path).get(name)][:1]
    assert grown_once.update.done == ()


def test_new_quantities_are_built_alone_beside_the_files_that_are_there(tmp_path):
    log, more = random_log(12), {"kind": "count", "events": ["edit"]}
    keep(log, MEASURES, source=SOURCE, folder=tmp_path)
    before = {name: found for name, found in files_of(tmp_path).items() if name.startswith("events-")}

    kept = keep(log, [*MEASURES, more, {"kind": "distinct", "of": "event"}], source=SOURCE, folder=tmp_path)

    assert kept.update.done == ("Added to the kept state what new signals ask for: 2 more quantities.",)
    assert before.items() <= files_of(tmp_path).items()
    assert [len(segment.files) for segment in kept.state.manifest.segments] == [2, 2, 2]
    assert {len(file.atoms) for segment in kept.state.manifest.segments for file in segment.files[1:]} == {2}
    assert merged(kept) == merged(keep(log, [*MEASURES, more, {"kind": "distinct", "of": "event"}], source=SOURCE))


def test_quantities_may_come_one_after_the_other_and_a_month_stays_in_a_few_files(tmp_path):
    log = random_log(13)

    for count in range(1, len(MEASURES) + 1):
        kept = keep(log, MEASURES[:count], source=SOURCE, folder=tmp_path)

    assert merged(kept) == merged(keep(log, MEASURES, source=SOURCE))
    assert kept.state.manifest.codes == keep(log, MEASURES, source=SOURCE).state.manifest.codes
    assert all(len(segment.files) <= 4 for segment in kept.state.manifest.segments[:-1])


def test_a_quantity_that_nobody_asks_for_any_more_does_no_harm_and_may_come_back(tmp_path):
    log, steps = random_log(14), (20, 35, 50, 60)
    for number, days in enumerate(steps):
        measures = MEASURES if number % 2 == 0 else MEASURES[:1]
        kept = keep(known_before(log, BEGIN + timedelta(days=days)), measures, source=SOURCE, folder=tmp_path)

        assert merged(kept) == merged(keep(known_before(log, BEGIN + timedelta(days=days)), measures, source=SOURCE))

    kept = keep(log, MEASURES, source=SOURCE, folder=tmp_path)

    assert merged(kept) == merged(keep(log, MEASURES, source=SOURCE))
    assert kept.state.manifest.codes == keep(log, MEASURES, source=SOURCE).state.manifest.codes
    assert all(totals.file.holds(atom.name for atom in kept.state.atoms) for totals in kept.state.manifest.totals)


@pytest.mark.parametrize("rows", [1, 40])
def test_users_are_summed_up_in_slices_to_the_same_file(rows, monkeypatch):
    at_once = keep(random_log(15), MEASURES, source=SOURCE).state.manifest
    sliced = []
    original = months._slice_users

    monkeypatch.setattr(months, "SLICE_ROWS", rows)
    monkeypatch.setattr(months, "_slice_users", lambda *of: sliced.append(original(*of)) or sliced[-1])

    assert keep(random_log(15), MEASURES, source=SOURCE).state.manifest == at_once
    assert len(sliced[0]) > 1


def test_a_month_without_a_usable_row_is_summed_up_too():
    log = as_arrow("user_id | event | event_time\n | seen | 2024-01-05\n | seen | 2024-02-03")

    kept = keep(log, MEASURES[:1], source=TOLERANT)

    assert [totals.file.rows for totals in kept.state.manifest.totals] == [0]


def test_sums_that_lack_a_quantity_which_the_months_have_are_made_again(tmp_path):
    log = random_log(14)
    whole = keep(log, MEASURES, source=SOURCE, folder=tmp_path).state.manifest
    (tmp_path / whole.totals[0].file.name).unlink()
    keep(log, MEASURES[:1], source=SOURCE, folder=tmp_path)

    assert keep(log, MEASURES, source=SOURCE, folder=tmp_path).state.manifest == whole


def test_a_month_has_no_more_words_than_its_values_needed_however_late_it_was_closed(tmp_path):
    days = [f"2024-01-{2 + number // 5:02}" for number in range(50)] + [f"2024-02-{2 + number // 5:02}" for number in range(50)]
    log = pa.table({"user_id": ["u"] * 100, "event": ["use"] * 100, "event_time": days, "feature": [f"f{n:02}" for n in range(100)]})
    features = [{"kind": "distinct", "of": "feature"}]
    keep(log.slice(0, 20), features, folder=tmp_path)

    closed_late, at_once = keep(log, features, folder=tmp_path), keep(log, features)

    assert months_of(closed_late) == months_of(at_once)
    assert [len(words) for words in at_once.state.words().values()] == [2]


@pytest.mark.parametrize(
    "left_out", [("event_id",), ("known_at",), ("account_id",), ("event_id", "known_at", "account_id"), ("feature", "value")]
)
def test_a_log_may_lack_what_it_need_not_have(left_out, tmp_path):
    log = random_log(21).drop_columns(list(left_out))
    early = log.filter(pa.array([moment < BEGIN + timedelta(days=30) for moment in log["event_time"].to_pylist()]))
    if "known_at" in left_out:
        keep(early, MEASURES, source=SOURCE, folder=tmp_path)

    kept = keep(log, MEASURES, source=SOURCE, folder=tmp_path)

    assert merged(kept) == merged(keep(log, MEASURES, source=SOURCE))
    assert (kept.counts.duplicates == 0) == ("event_id" in left_out)


def test_rows_without_a_known_time_became_known_when_they_happened(tmp_path):
    log = random_log(22)
    known = [None if number % 3 else moment for number, moment in enumerate(log["known_at"].to_pylist())]
    gaps = log.set_column(5, "known_at", pa.array(known, pa.timestamp("us")))
    written = [moment or log["event_time"][number].as_py() for number, moment in enumerate(known)]
    filled = log.set_column(5, "known_at", pa.array(written, pa.timestamp("us")))

    kept = [keep(table, MEASURES, source=SOURCE) for table in (gaps, filled)]

    assert merged(kept[0]) == merged(kept[1])


def test_a_month_without_an_event_has_no_file(tmp_path):
    log = as_arrow("user_id | event | event_time\nu | view | 2024-01-05\nu | view | 2024-05-05")

    first = keep(log, source=TOLERANT, folder=tmp_path)
    again = keep(log, [{"kind": "count", "events": ["view"]}], source=TOLERANT, folder=tmp_path)
    once_more = keep(log, [{"kind": "count", "events": ["view"]}], source=TOLERANT, folder=tmp_path)

    assert [len(segment.files) for segment in first.state.manifest.segments] == [1, 0, 0, 0, 1]
    assert [len(segment.files) for segment in again.state.manifest.segments] == [2, 0, 0, 0, 2]
    assert once_more.update.done == ()
    assert once_more.rows("sum(n)") == [(2,)]
