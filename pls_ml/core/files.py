"""Files written whole or not at all, and digests of what was read."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from pls_ml.core.errors import WriteError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Takes a path; gives a file under a temporary name, renamed to the path once it is whole and on the disk.

    After any error the old file is as it was and nothing else is left; refuses with the path when it cannot write.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise WriteError(f"cannot write {path}: {error.strerror or error}; free space or choose another `output` folder") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_bytes(path: Path, content: bytes) -> Path:
    """Takes a path and bytes; writes them under a temporary name, then renames; refuses with the path when it cannot."""
    with replacing(path) as file:
        file.write(content)
    return path


def to_json(data: Any) -> str:
    """Takes plain values; returns JSON with sorted keys and a final newline, the same text every time."""
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, data: Any) -> Path:
    """Takes a path and plain values; writes them as JSON."""
    return write_bytes(path, to_json(data).encode())


def digest_file(path: Path) -> str:
    """Takes a file; returns its SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_files(paths: Iterable[Path], root: Path) -> str:
    """Takes files in any order and the folder they are named from; returns one SHA-256 over their names and contents."""
    return digest_data({Path(os.path.relpath(path, root)).as_posix(): digest_file(path) for path in paths})


def digest_data(data: Any) -> str:
    """Takes plain values; returns the SHA-256 of their JSON."""
    return hashlib.sha256(to_json(data).encode()).hexdigest()
