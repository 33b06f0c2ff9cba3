"""Arbitrary names from a log → ids and labels that a catalogue can carry."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence

LONGEST_ID = 40
"""Letters of a name in an id, so that any ending fits into a signal's id."""
LONGEST_LABEL = 60
DIGITS = 8
"""Of the name's hash: enough to keep apart the few names that are used."""


def name_ids(names: Sequence[str]) -> dict[str, str]:
    """Takes distinct names; returns the id of each: lower-case letters, digits and `_`, beginning with a letter, at most 40.

    Names that would become the same id, or that leave nothing to write, end in digits of their own hash, so that the ids depend
    on the names alone and not on their order.
    """
    plain = {name: _spell(name) for name in names}
    spelled = list(plain.values())
    return {name: word if word and spelled.count(word) == 1 else _tell_apart(name, word) for name, word in plain.items()}


def name_label(name: str) -> str:
    """Takes a name; returns it on one line, without control characters, `_` as spaces, at most 60 signs."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in name.replace("_", " ")).split())
    return line if len(line) <= LONGEST_LABEL else f"{line[: LONGEST_LABEL - 1]}…"


def _spell(name: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    word = re.sub(r"[^a-z0-9]+", "_", ascii_only.lower()).strip("_")
    word = f"n_{word}" if word[:1].isdigit() else word
    return word[:LONGEST_ID].rstrip("_")


def _tell_apart(name: str, word: str) -> str:
    digits = hashlib.sha256(name.encode()).hexdigest()[:DIGITS]
    return f"{word[: LONGEST_ID - DIGITS - 1].rstrip('_') or 'n'}_{digits}"
