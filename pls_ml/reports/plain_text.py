"""Text from the data → text that a page can show: one line, no invisible marks, no e-mail address, bounded."""

import re
import unicodedata
from hashlib import sha256

MOST_CHARACTERS = 120
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Control, format (every bidirectional mark is one), lone surrogate, private use, line and paragraph separators."""
_JOINERS = "\u200c\u200d"
"""Format characters that spelling needs: Persian and Indic words, joined emoji."""
_ADDRESS = re.compile(r"[^\s@<>(),;:\"']+@([^\s@<>(),;:\"']+\.[^\s@<>(),;:\"'.]+)")


def clean_text(text: str, most: int = MOST_CHARACTERS) -> str:
    """Takes any text; returns it on one line without invisible marks, cut to `most` characters with an ellipsis.

    Of an e-mail address only the domain is left.
    """
    head = _ADDRESS.sub(r"…@\1", _one_line(text[: 8 * most]))
    return head if len(head) <= most else head[: most - 1].rstrip() + "…"


def clean_id(text: str) -> str:
    """Takes an id; returns it cleaned but never cut, for two long ids would become one; for an e-mail address, a digest of it."""
    shown = _one_line(text)
    return f"id-{sha256(text.encode(errors='replace')).hexdigest()[:12]}" if _ADDRESS.search(shown) else shown


def name_person(text: str) -> str:
    """Takes a colleague's name or address; returns what stands before the @ of an address, the name as it is."""
    return clean_text(text.partition("@")[0])


def _one_line(text: str) -> str:
    return " ".join((text if text.isprintable() else "".join(map(_plain, text))).split())


def _plain(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _DROPPED:
        return character
    return " " if character.isspace() else ""
