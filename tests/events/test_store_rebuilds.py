"""A kept state that no longer fits its log, or that was damaged, is built again from there on, which is said."""

from __future__ import annotations

import json
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kept_logs import keep
from random_logs import BEGIN, MEASURES, SOURCE, files_of, merged, random_log

from pls_ml.core.files import digest_data
from pls_ml.core.windows import Grain
from pls_ml.events.mapping import EventSource

BERLIN = Grain("day", "Europe/Berlin")
CHANGED = "Built the state again: the log's mapping, its columns or the time grain changed."


@pytest.mark.parametrize(
    "changed",
    [
        {"source": EventSource(names={"view": "edit"}, max_quarantine_share=1)},
        {"source": EventSource(exclude=("edit",), max_quarantine_share=1)},
        {"source": EventSource(dedupe_days=7, max_quarantine_share=1)},
        {"source": EventSource(timezone="Europe/Berlin", max_quarantine_share=1)},
        {"grain": BERLIN},
        {"grain": Grain("hour")},
    ],
)
def test_another_reading_of_the_log_builds_everything_again_and_says_so(changed, tmp_path):
    log = random_log(15)
    keep(log, MEASURES, folder=tmp_path)

    kept = keep(log, MEASURES, folder=tmp_path, **changed)

    assert kept.update.done == (CHANGED,)
    assert kept.state.manifest == keep(log, MEASURES, **changed).state.manifest


def test_another_column_in_the_log_builds_everything_again(tmp_path):
    log = random_log(15)
    keep(log.drop_columns(["value"]), MEASURES, folder=tmp_path)

    kept = keep(log, MEASURES, folder=tmp_path)

    assert kept.update.done == (CHANGED,)
    assert kept.state.manifest == keep(log, MEASURES).state.manifest


@pytest.mark.parametrize("source", [EventSource(invitations=True, max_quarantine_share=1), EventSource(max_quarantine_share=0.9)])
def test_what_does_not_bear_on_the_kept_rows_builds_nothing_again(source, tmp_path):
    log = random_log(15)
    keep(log, MEASURES, folder=tmp_path)

    assert keep(log, MEASURES, folder=tmp_path, source=source).update.done == ()


def without(log: pa.Table, place: int) -> pa.Table:
    return pa.concat_tables([log.slice(0, place), log.slice(place + 1)])


@pytest.mark.parametrize("change", ["a row less", "a row more", "another user", "another day", "an earlier beginning"])
def test_a_past_that_was_written_anew_is_built_again_from_there_on(change, tmp_path):
    log = random_log(16).sort_by("known_at")
    keep(log, MEASURES, source=SOURCE, folder=tmp_path)
    before = files_of(tmp_path)
    place = next(place for place, known in enumerate(log["known_at"].to_pylist()) if known >= BEGIN + timedelta(days=15))
    row = log.slice(place, 1).to_pylist()[0]
    given = {
        "a row less": [],
        "a row more": [row, row | {"event_id": "new"}],
        "another user": [row | {"user_id": "z"}],
        "another day": [row | {"known_at": row["known_at"] + timedelta(days=1)}],
        "an earlier beginning": [row, row | {"known_at": BEGIN - timedelta(days=40), "event_id": "old"}],
    }[change]
    rewritten = pa.concat_tables([without(log, place), pa.Table.from_pylist(given, log.schema)])

    kept = keep(rewritten, MEASURES, source=SOURCE, folder=tmp_path)

    since = "2023-12-11" if change == "an earlier beginning" else "2024-02-01"
    assert kept.update.done == (f"Built the state again from {since} on: what the log says of that time changed.",)
    assert kept.state.manifest == keep(rewritten, MEASURES, source=SOURCE).state.manifest
    untouched = [name for name, found in files_of(tmp_path).items() if before.get(name) == found]
    assert len(untouched) == (0 if change == "an earlier beginning" else 1)


def test_a_past_that_went_away_leaves_none_of_its_values_behind(tmp_path):
    log = random_log(17).sort_by("known_at")
    odd = pa.Table.from_pylist([log.slice(300, 1).to_pylist()[0] | {"feature": "never again", "event_id": "odd"}], log.schema)
    keep(pa.concat_tables([log, odd]), MEASURES, source=SOURCE, folder=tmp_path)

    kept = keep(log, MEASURES, source=SOURCE, folder=tmp_path)

    assert kept.state.manifest == keep(log, MEASURES, source=SOURCE).state.manifest
    assert "never again" not in "".join(path.read_bytes().decode("latin-1") for path in tmp_path.glob("[!.]*"))


@pytest.mark.parametrize("harm", ["missing", "cut short", "a flipped bit", "another file's content"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_damaged_file_is_noticed_and_built_again_from_there_on(harm, place, tmp_path):
    log = random_log(18)
    first = keep(log, MEASURES, source=SOURCE, folder=tmp_path)
    segments = first.state.manifest.segments
    path = tmp_path / segments[place].files[0].name
    content = path.read_bytes()
    harmed = {
        "cut short": content[:-9],
        "a flipped bit": content[:200] + bytes([content[200] ^ 1]) + content[201:],
        "another file's content": (tmp_path / segments[place - 1].files[0].name).read_bytes(),
    }
    path.unlink() if harm == "missing" else path.write_bytes(harmed[harm])

    kept = keep(log, MEASURES, source=SOURCE, folder=tmp_path)

    since = ("2024-01-20", "2024-02-01", "2024-03-01")[place]
    assert kept.update.done == (f"Built the state again from {since} on: a file was missing or damaged.",)
    assert merged(kept) == merged(keep(log, MEASURES, source=SOURCE))
    assert pq.read_table(path).num_rows == segments[place].files[0].rows


def test_damaged_sums_are_made_again(tmp_path):
    log = random_log(18)
    first = keep(log, MEASURES, source=SOURCE, folder=tmp_path)
    path = tmp_path / first.state.manifest.totals[0].file.name
    path.write_bytes(b"PAR1")

    kept = keep(log, MEASURES, source=SOURCE, folder=tmp_path)

    assert kept.state.manifest == first.state.manifest
    assert pq.read_table(path).num_rows == first.state.manifest.totals[0].file.rows


@pytest.mark.parametrize(
    "harm",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[]",
        lambda text: text.replace('"f1"', '"f0"'),
        lambda text: text.replace('"repeated"', '"repeat"', 1),
        lambda text: json.dumps(json.loads(text)["kept"]),
        lambda text: _signed(json.loads(text)["kept"] | {"more": 1}),
    ],
)
def test_a_damaged_manifest_is_noticed_and_everything_built_again(harm, tmp_path):
    log = random_log(19)
    first = keep(log, MEASURES, source=SOURCE, folder=tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(harm(path.read_text(encoding="utf-8")), encoding="utf-8")

    kept = keep(log, MEASURES, source=SOURCE, folder=tmp_path)

    assert kept.update.done == ("Built the state again: its manifest cannot be read.",)
    assert kept.state.manifest == first.state.manifest


def _signed(kept: dict) -> str:
    return json.dumps({"kept": kept, "sha256": digest_data(kept)})


def test_a_first_build_has_nothing_to_say(tmp_path):
    assert keep(random_log(20), MEASURES, folder=tmp_path).update.done == ()
