"""Text from the data → text that a page can show: one line, no invisible marks, bounded."""

import unicodedata

MOST_CHARACTERS = 120
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Control, format (every bidirectional mark is one), lone surrogate, private use, line and paragraph separators."""
_JOINERS = "\u200c\u200d"
"""Format characters that spelling needs: Persian and Indic words, joined emoji."""


def clean_text(text: str, most: int = MOST_CHARACTERS) -> str:
    """Takes any text; returns it on one line without invisible marks, cut to `most` characters with an ellipsis."""
    head = text[: 8 * most]
    if not head.isprintable():
        head = "".join(map(_plain, head))
    head = " ".join(head.split())
    return head if len(head) <= most else head[: most - 1].rstrip() + "…"


def _plain(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _DROPPED:
        return character
    return " " if character.isspace() else ""
