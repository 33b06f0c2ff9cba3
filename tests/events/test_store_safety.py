"""Whatever happens to an update: the old state stays readable, nothing is left behind, and the next run goes well."""

from __future__ import annotations

import errno
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kept_logs import KeptLog, keep
from random_logs import BEGIN, MEASURES, known_before, merged, random_log

from pls_ml.core import files, locks
from pls_ml.core.errors import BusyError, PlsError, WriteError
from pls_ml.core.locks import hold_alone
from pls_ml.events.store import StateStore
from pls_ml.io.sinks import write_batches

LOG = random_log(30)
EARLY = known_before(LOG, BEGIN + timedelta(days=25))


class FailingWriter:
    """Writes so many files, and half of the one after; then the disk is full."""

    def __init__(self, files: int) -> None:
        self.left = files

    def __call__(self, batches: Any, schema: Any, path: Path) -> int:
        self.left -= 1
        if self.left >= 0:
            return write_batches(batches, schema, path)
        with files.replacing(path) as file:
            file.write(b"PAR1")
            raise OSError(errno.ENOSPC, "No space left on device")


def visible(folder: Path) -> set[str]:
    """Every file but the locks."""
    return {path.name for path in folder.iterdir()} - {".lock", ".in-use"}


def named(folder: Path) -> set[str]:
    """The files that the kept state consists of."""
    kept = StateStore(folder, write_batches).read()
    return kept.names_of_files | {"manifest.json"} if kept else set()


@pytest.mark.parametrize("written", range(4))
def test_a_disk_that_fills_up_leaves_the_old_state_and_nothing_else_and_the_next_run_goes_well(written, tmp_path):
    old = keep(EARLY, MEASURES, folder=tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in visible(tmp_path)}
    rows = merged(old)

    with pytest.raises(WriteError, match="No space left on device; free space or choose another `output` folder"):
        keep(LOG, MEASURES, folder=tmp_path, write=FailingWriter(written))

    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert merged(old) == rows
    del old
    again = keep(LOG, MEASURES, folder=tmp_path)
    assert merged(again) == merged(keep(LOG, MEASURES))
    assert visible(tmp_path) == named(tmp_path)


@pytest.mark.parametrize("written", range(4))
def test_a_first_build_that_fails_leaves_nothing_behind(written, tmp_path):
    with pytest.raises(WriteError):
        keep(LOG, MEASURES, folder=tmp_path, write=FailingWriter(written))

    assert visible(tmp_path) == set()


@pytest.mark.parametrize("written", range(3))
def test_a_rebuild_that_fails_leaves_the_files_that_are_to_be_replaced(written, tmp_path):
    old = keep(LOG, MEASURES, folder=tmp_path).state.manifest
    before = {name: (tmp_path / name).read_bytes() for name in visible(tmp_path)}

    with pytest.raises(WriteError):
        keep(LOG.slice(1), MEASURES, folder=tmp_path, write=FailingWriter(written))

    assert {name: (tmp_path / name).read_bytes() for name in visible(tmp_path)} == before
    assert StateStore(tmp_path, write_batches).read() == old


def test_a_manifest_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    old = keep(EARLY, MEASURES, folder=tmp_path).state.manifest

    monkeypatch.setattr("pls_ml.events.store.write_json", lambda path, data: _failing(path))
    with pytest.raises(WriteError, match="Input/output error"):
        keep(LOG, MEASURES, folder=tmp_path)

    assert StateStore(tmp_path, write_batches).read() == old
    assert visible(tmp_path) == named(tmp_path)


def _failing(path: Path) -> None:
    with files.replacing(path):
        raise OSError(errno.EIO, "Input/output error")


def test_what_a_killed_run_left_is_removed_by_the_next_one_even_if_there_is_nothing_to_do(tmp_path):
    keep(LOG, MEASURES, folder=tmp_path)
    for name in ("events-1-2-0123456789ab.parquet", "events-1-2.draft", ".events-1-2.draft.part", ".manifest.json.part"):
        (tmp_path / name).write_bytes(b"half")

    keep(LOG, MEASURES, folder=tmp_path)

    assert visible(tmp_path) == named(tmp_path)


def test_the_files_of_a_state_stay_while_somebody_reads_them_and_go_with_a_later_run(tmp_path):
    reader = keep(EARLY, MEASURES, folder=tmp_path)
    rows, old = merged(reader), reader.state.manifest.names_of_files

    writer = keep(LOG.slice(1), MEASURES, folder=tmp_path)

    assert merged(reader) == rows
    assert merged(writer) == merged(keep(LOG.slice(1), MEASURES))
    assert old <= visible(tmp_path)
    del reader, writer
    keep(LOG.slice(1), MEASURES, folder=tmp_path)
    assert visible(tmp_path) == named(tmp_path)


def test_two_readers_do_not_disturb_each_other(tmp_path):
    first, second = (keep(LOG, MEASURES, folder=tmp_path) for _ in range(2))

    assert merged(first) == merged(second)


def test_a_state_that_another_run_brings_up_to_date_is_waited_for_and_then_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "WAIT_S", 0.1)
    old = keep(EARLY, MEASURES, folder=tmp_path).state.manifest

    with (
        hold_alone(tmp_path / ".lock", "it"),
        pytest.raises(BusyError, match=r"another run is at work on the state in .*: try again when it is done") as refused,
    ):
        keep(LOG, MEASURES, folder=tmp_path)

    assert isinstance(refused.value, PlsError)
    assert refused.value.exit_code == 75
    assert StateStore(tmp_path, write_batches).read() == old


HOLD = """
import sys, pathlib, pls_ml.core.locks as locks
with locks.hold_alone(pathlib.Path(sys.argv[1]), 'it'):
    print('held', flush=True)
    sys.stdin.read()
"""


def hold_elsewhere(path: Path) -> subprocess.Popen:
    """Another process that holds the lock until its input ends."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_lock_holds_between_processes_and_goes_when_its_process_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "WAIT_S", 0.1)
    other = hold_elsewhere(tmp_path / ".lock")
    try:
        with pytest.raises(BusyError):
            keep(EARLY, MEASURES, folder=tmp_path)
    finally:
        other.kill()
        other.communicate()

    assert keep(EARLY, MEASURES, folder=tmp_path).update.done == ()


def test_a_lock_is_waited_for_a_while(tmp_path, monkeypatch):
    other = hold_elsewhere(tmp_path / ".lock")
    monkeypatch.setattr(locks.time, "sleep", lambda seconds: other.communicate())

    assert keep(EARLY, MEASURES, folder=tmp_path).update.done == ()


def test_two_runs_at_once_leave_a_state_that_holds_the_whole_log(tmp_path):
    """The later of two runs goes by what the earlier one published, whichever that is."""
    kept: list[KeptLog] = [keep(table, measures, folder=tmp_path) for table, measures in ((EARLY, MEASURES), (LOG, MEASURES[:2]))]

    last = keep(LOG, MEASURES, folder=tmp_path)

    assert merged(last) == merged(keep(LOG, MEASURES))
    assert merged(kept[0]) == merged(keep(EARLY, MEASURES))
    assert merged(kept[1]) == merged(keep(LOG, MEASURES[:2]))


def test_a_folder_that_cannot_be_made_is_refused_with_its_path(tmp_path):
    (tmp_path / "state").write_text("a file")

    with pytest.raises(WriteError, match=r"cannot write .*state/.lock: .*choose another `output` folder"):
        keep(EARLY, MEASURES, folder=tmp_path / "state")
