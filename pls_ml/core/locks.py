"""Kernel file locks: each lives as long as an open file, so the system frees it when the process ends, however it ends."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pls_ml.core.clock import read_stopwatch
from pls_ml.core.errors import BusyError, WriteError

WAIT_S = 10.0
"""How long a run waits for another one before it gives up."""
PAUSE_S = 0.05


@contextmanager
def hold_alone(path: Path, what: str) -> Iterator[None]:
    """Takes the path of a lock file and what it guards; gives the time in which nobody else holds it.

    Waits a few seconds for another run; refuses (exit code 75) when that one takes longer.
    """
    with _open(path) as file:
        deadline = read_stopwatch() + WAIT_S
        while not _try_alone(file):
            if read_stopwatch() >= deadline:
                raise BusyError(f"another run is at work on {what}: try again when it is done")
            time.sleep(PAUSE_S)
        yield


class SharedUse:
    """Says that a folder's files are being read, for as long as this object lives; any number of runs may say so at once."""

    def __init__(self, path: Path) -> None:
        """Takes the path of a lock file."""
        self._file = _open(path)
        fcntl.flock(self._file, fcntl.LOCK_SH)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Takes nothing; gives whether nobody else reads, and keeps others from beginning to until the end of the block."""
        try:
            yield _try_alone(self._file)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_SH)

    def end(self) -> None:
        """Takes nothing; the files are read no more."""
        self._file.close()


def _open(path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError as error:
        raise WriteError(f"cannot write {path}: {error.strerror or error}; free space or choose another `output` folder") from error


def _try_alone(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
