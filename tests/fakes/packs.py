"""What a page's packs hold, read as its script reads them."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import Any

import numpy as np


def unpack(pack: str) -> dict[str, Any]:
    """A pack's header, with its columns as lists."""
    plain = gzip.decompress(base64.b64decode(pack))
    end = 4 + int.from_bytes(plain[:4], "little")
    header: dict[str, Any] = json.loads(plain[4:end])
    columns = {}
    for name, kind, length in header["columns"]:
        size = np.dtype(kind).itemsize
        planes = np.frombuffer(plain[end : end + size * length], dtype=np.uint8).reshape(size, length)
        columns[name] = np.ascontiguousarray(planes.T).reshape(-1).view(f"<{kind}").tolist()
        end += size * length
    assert end == len(plain)
    return header | {"columns": columns}


def read_page(rendered: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A page's list of leads, and its blocks."""
    packs = dict(re.findall(r'<script type="text/plain" id="([^"]*)">([^<]*)</script>', rendered))
    return unpack(packs.pop("data")), [unpack(packs[f"block-{number}"]) for number in range(len(packs))]


def rows_of(page: tuple[dict[str, Any], list[dict[str, Any]]], lead_id: str, table: str) -> list[dict[str, Any]]:
    """A table's rows of one lead, with texts in place."""
    data, blocks = page
    number, at = divmod(data["ids"].index(lead_id), data["block"])
    block = blocks[number]
    if table not in block["columns"]:
        return []
    begin, end = block["columns"][table][at : at + 2]
    fields = {name: values[begin:end] for name, values in block["columns"].items() if name.startswith(f"{table}.")}
    worded = {name: [block["texts"][k] for k in values] if name in block["worded"] else values for name, values in fields.items()}
    return [{name.removeprefix(f"{table}."): values[k] for name, values in worded.items()} for k in range(end - begin)]


def without_packs(rendered: str) -> str:
    """A page's HTML without its data."""
    return re.sub(r'(<script type="text/plain" id="[^"]*">)[^<]*', r"\1", rendered)
