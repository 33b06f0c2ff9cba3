"""The model page: what a model is worth, whether its probabilities are right and what it listens to, in one offline HTML file."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, replace
from typing import Any

from pls_ml.core.errors import DataError
from pls_ml.reports.offline_page import render_offline_page
from pls_ml.reports.plain_text import clean_text

_LONG = 2000
"""Sentences of gates, findings and pictures in words."""


@dataclass(frozen=True)
class Picture:
    """A PNG with its title, a caption that says how to read it, and the same in words for those who cannot see it."""

    name: str
    title: str
    png: bytes
    alt: str
    caption: str = ""
    wide: bool = False

    @property
    def source(self) -> str:
        """The picture as an address that needs no network."""
        return f"data:image/png;base64,{b64encode(self.png).decode()}"

    @property
    def width(self) -> int:
        """Pixels across, from the file itself."""
        return int.from_bytes(self.png[16:20], "big")

    @property
    def height(self) -> int:
        """Pixels down, from the file itself."""
        return int.from_bytes(self.png[20:24], "big")


@dataclass(frozen=True)
class Table:
    """A table with its title: the first cell of every row names it."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Section:
    """One part of the page: sentences, then pictures, then tables."""

    name: str
    title: str
    sentences: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class ModelPage:
    """All the page shows: `facts` are (label, sentence), `decision` the one sentence to take away."""

    title: str
    version: str
    decision: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def render_model_page(page: ModelPage) -> str:
    """Takes a page's content; returns one self-contained HTML file, the same bytes for the same content.

    Refuses a picture without words, and a row of another length than its table's header.
    """
    _check(page)
    facts = [(clean_text(label), clean_text(sentence, _LONG)) for label, sentence in page.facts]
    texts: dict[str, Any] = {
        "title": clean_text(page.title),
        "version": clean_text(page.version),
        "decision": clean_text(page.decision, _LONG),
        "facts": facts,
        "sections": [_clean(section) for section in page.sections],
    }
    return render_offline_page("model_page", texts)


def _clean(section: Section) -> Section:
    def clean(text: str) -> str:
        return clean_text(text, _LONG)

    tables = tuple(
        Table(clean(t.title), tuple(map(clean, t.header)), tuple(tuple(map(clean, row)) for row in t.rows), clean(t.note))
        for t in section.tables
    )
    pictures = tuple(replace(p, title=clean(p.title), alt=clean(p.alt), caption=clean(p.caption)) for p in section.pictures)
    return Section(section.name, clean(section.title), tuple(map(clean, section.sentences)), tables, pictures)


def _check(page: ModelPage) -> None:
    for section in page.sections:
        for picture in section.pictures:
            if not picture.alt.strip():
                raise DataError(f"the picture '{picture.name}' has no words: those who cannot see it need them")
        for table in section.tables:
            wrong = [row for row in table.rows if len(row) != len(table.header)]
            if wrong:
                raise DataError(f"a row of '{table.title}' has {len(wrong[0])} cells: expected {len(table.header)}, as in its header")
