"""Which columns and events no signal is made of without somebody asking for it: by the words of their names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from pls_ml.core.builtin import find_builtin

EVENT = ("protected", "purchase")
PROPERTY = ("protected", "personal", "purchase")
COLUMN = ("protected", "record", "purchase", "personal")
"""Reasons to refuse an event, a property of events, and a column of users or accounts."""
UNLESS_YES_NO = "personal"
"""A column with two values cannot hold an address or a name; it may say whether there is one."""


def find_refusal(name: str, reasons: Iterable[str]) -> str | None:
    """Takes the name of a column or event and the reasons that apply; returns the first for which its words are listed, or None."""
    words = split_words(name)
    spoken = {"_".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, min(i + 3, len(words)) + 1)}
    return next((reason for reason in reasons if spoken & _listed()[reason]), None)


def split_words(name: str) -> list[str]:
    """Takes a name in any spelling; returns its words in lower case: 'leadQuality (DE)' gives lead, quality, de."""
    return [
        word.lower() for part in re.split(r"[\W_]+", name) for word in re.findall(r"[A-Z]{2,}(?![a-z])|[A-Z]?[^A-Z\d]+|[A-Z]|\d+", part)
    ]


@cache
def _listed() -> dict[str, frozenset[str]]:
    listed: dict[str, set[str]] = {}
    for line in find_builtin("signals/refused_columns.txt").read_text(encoding="utf-8").splitlines():
        reason, colon, words = line.partition(":")
        if colon and not line.startswith("#"):
            listed.setdefault(reason, set()).update(words.split())
    return {reason: frozenset(words) for reason, words in listed.items()}
