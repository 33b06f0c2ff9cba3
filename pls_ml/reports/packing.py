"""Columns of numbers and texts → compressed text that stands in a page and is unpacked there, all at once or a block of leads at a time.

A pack is gzip in base64 of: the length of its header (four bytes, the lowest first), the header as JSON, and the numbers of its columns.
Numbers of several bytes lie byte by byte, all their first bytes before all their second ones: most upper bytes repeat, so gzip halves them.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.reports.plain_text import clean_text

Numbers = npt.NDArray[Any]
BLOCK = 512
"""Leads of a block: large enough to repeat itself, small enough to unpack in a few milliseconds."""
LONG = 400
"""Reasons and values are sentences: longer than names."""
_WHOLE = ("u1", "i1", "u2", "i2", "i4")


def pack_columns(columns: Mapping[str, Numbers], texts: Mapping[str, Any]) -> str:
    """Takes columns of numbers by name and JSON values; returns the pack, without a time stamp; refuses what JSON cannot hold."""
    arrays = {name: _shrink(column) for name, column in columns.items()}
    header = {"columns": [[name, array.dtype.str[1:], len(array)] for name, array in arrays.items()], **texts}
    head = json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    body = b"".join(_split_bytes(array) for array in arrays.values())
    return b64encode(gzip.compress(len(head).to_bytes(4, "little") + head + body, compresslevel=6, mtime=0)).decode()


def _shrink(column: Numbers) -> Numbers:
    """The narrowest type that holds whole numbers; others stay doubles."""
    if column.dtype.kind == "f":
        return column.astype("<f8")
    low, high = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    kinds = (np.dtype(f"<{kind}") for kind in _WHOLE)
    narrow = next((kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max), np.dtype("<f8"))
    return column.astype(narrow)


def _split_bytes(array: Numbers) -> bytes:
    return np.ascontiguousarray(array).view(np.uint8).reshape(-1, array.dtype.itemsize).T.tobytes()


class Texts:
    """Each text once, cleaned: values in words repeat across leads."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, column: pd.Series[Any]) -> npt.NDArray[np.int64]:
        """Takes n texts, some perhaps missing; returns the number of each."""
        codes, found = pd.factorize(column)
        numbers = np.array([self._one("" if pd.isna(text) else str(text)) for text in found] + [self._one("")], dtype=np.int64)
        return numbers[codes]

    def _one(self, text: str) -> int:
        text = clean_text(text, LONG)
        if text not in self._numbers:
            self._numbers[text] = len(self.all)
            self.all.append(text)
        return self._numbers[text]


@dataclass(frozen=True)
class Rows:
    """Rows that belong to leads: `lead` is each row's lead by its place in the list, ascending; `texts` are numbers of texts."""

    lead: npt.NDArray[np.int64]
    numbers: Mapping[str, Numbers]
    texts: Mapping[str, npt.NDArray[np.int64]]


def pack_blocks(tables: Mapping[str, Rows], texts: Texts, leads: int) -> list[str]:
    """Takes tables of rows, the texts they speak of, and how many leads there are; returns a pack for every `BLOCK` leads.

    In a pack, `<table>` says where each lead's rows begin, and one more where the last ones end; `<table>.<column>` are its columns.
    """
    return [_pack_block(tables, texts, first, min(first + BLOCK, leads)) for first in range(0, leads, BLOCK)]


def _pack_block(tables: Mapping[str, Rows], texts: Texts, first: int, last: int) -> str:
    columns: dict[str, Numbers] = {}
    worded: dict[str, npt.NDArray[np.int64]] = {}
    for name, rows in tables.items():
        bounds = np.searchsorted(rows.lead, np.arange(first, last + 1))
        part = slice(bounds[0], bounds[-1])
        columns[name] = bounds - bounds[0]
        columns |= {f"{name}.{column}": values[part] for column, values in rows.numbers.items()}
        worded |= {f"{name}.{column}": numbers[part] for column, numbers in rows.texts.items()}
    spoken = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *worded.values()]))
    columns |= {name: np.searchsorted(spoken, numbers) for name, numbers in worded.items()}
    return pack_columns(columns, {"worded": sorted(worded), "texts": [texts.all[number] for number in spoken]})
