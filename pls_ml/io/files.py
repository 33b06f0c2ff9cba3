"""Small files written whole or not at all, and digests of what was read."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from pls_ml.core.errors import WriteError


def write_bytes(path: Path, content: bytes) -> Path:
    """Takes a path and bytes; writes them under a temporary name, then renames; refuses with the path when it cannot."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise WriteError(f"cannot write {path}: {error.strerror or error}; free space or choose another `output` folder") from error
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


def digest_data(data: Any) -> str:
    """Takes plain values; returns the SHA-256 of their JSON."""
    return hashlib.sha256(to_json(data).encode()).hexdigest()
