"""The lead page: ranked leads, tonight's handoffs and every lead's receipt in one offline HTML file."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pls_ml.core.errors import DataError
from pls_ml.reports.offline_page import render_offline_page
from pls_ml.reports.plain_text import clean_text

EXACT = 1e-9
"""How far a receipt may be from its score."""
UNITS = 10**10
"""Probabilities of receipts travel as whole numbers of 1 / UNITS: they sum exactly, and take half the room."""
_LONG = 400
"""Facts, reasons and values are sentences: longer than names."""


@dataclass(frozen=True)
class PageSignal:
    """A signal as the page names it."""

    id: str
    label: str
    family: str


@dataclass(frozen=True)
class PageReceipt:
    """One score by one scorer: `base` plus all shares is `score`; lines are (position of the signal, share, value in words)."""

    base: float
    score: float
    lines: tuple[tuple[int, float, str], ...]


@dataclass(frozen=True)
class PageLead:
    """One scored lead; `receipts` goes from a scorer's label to its receipt, the one that made `score` first.

    `blocked` says why nobody is sent to it, whatever its score; "" where nothing is in the way.
    """

    lead_id: str
    account_id: str
    account_name: str
    segment: str
    score: float
    rank: int
    points: int | None
    band: str
    handoff_position: int | None
    reasons: tuple[str, ...]
    receipts: Mapping[str, PageReceipt]
    blocked: str = ""


@dataclass(frozen=True)
class LeadPage:
    """All the page shows: `facts` are (label, sentence), `bands` run from the highest down (none: one of ""), `leads` in any order."""

    title: str
    as_of: str
    facts: tuple[tuple[str, str], ...]
    bands: tuple[str, ...]
    signals: tuple[PageSignal, ...]
    leads: tuple[PageLead, ...]


def render_lead_page(page: LeadPage) -> str:
    """Takes a page's content; returns one self-contained HTML file, the same bytes for the same content.

    Refuses a receipt that misses its score by more than 1e-9, a first receipt of another score than the lead's, an unknown signal or
    band, and a lead or a handoff position that is given twice.
    """
    _check(page)
    facts = [(clean_text(label), clean_text(sentence, _LONG)) for label, sentence in page.facts]
    texts = {"title": clean_text(page.title), "as_of": clean_text(page.as_of), "facts": facts, "leads": len(page.leads)}
    return render_offline_page("lead_page", build_page_data(page), texts)


def build_page_data(page: LeadPage) -> dict[str, Any]:
    """Takes a page's content; returns the JSON values its script reads: columns by rank, texts by their number in `texts`."""
    texts = _Texts()
    leads = sorted(page.leads, key=lambda lead: (lead.rank, lead.lead_id))
    scorers = dict.fromkeys(name for lead in leads for name in lead.receipts)
    return {
        "units": UNITS,
        "bands": [clean_text(band) for band in page.bands],
        "signals": [[clean_text(s.id), clean_text(s.label), clean_text(s.family)] for s in page.signals],
        "leads": _lead_columns(leads, page.bands, texts),
        "receipts": {clean_text(name): _receipt_columns([lead.receipts.get(name) for lead in leads], texts) for name in scorers},
        "texts": texts.all,
    }


class _Texts:
    """Each text once: values in words repeat across leads."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        if text not in self._numbers:
            self._numbers[text] = len(self.all)
            self.all.append(clean_text(text, _LONG))
        return self._numbers[text]


def _lead_columns(leads: Iterable[PageLead], bands: tuple[str, ...], texts: _Texts) -> dict[str, list[Any]]:
    band_numbers = {band: number for number, band in enumerate(bands)}
    rows = [
        {
            "id": _clean_id(lead.lead_id),
            "account": clean_text(lead.account_id),
            "name": clean_text(lead.account_name),
            "segment": texts.number(lead.segment),
            "score": lead.score,
            "rank": lead.rank,
            "points": lead.points,
            "band": band_numbers[lead.band],
            "handoff": lead.handoff_position,
            "blocked": texts.number(lead.blocked),
            "reasons": [texts.number(reason) for reason in lead.reasons],
        }
        for lead in leads
    ]
    return {column: [row[column] for row in rows] for column in rows[0]} if rows else {}


def _receipt_columns(receipts: Iterable[PageReceipt | None], texts: _Texts) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {"base": [], "signals": [], "shares": [], "values": []}
    for receipt in receipts:
        lines = sorted(receipt.lines, key=lambda line: line[0]) if receipt else []
        base, shares = _whole_units(receipt.base, [share for _, share, _ in lines]) if receipt else (None, [])
        columns["base"].append(base)
        columns["signals"].append([signal for signal, _, _ in lines])
        columns["shares"].append(shares)
        columns["values"].append([texts.number(value) for _, _, value in lines])
    return columns


def _whole_units(base: float, shares: list[float]) -> tuple[int, list[int]]:
    """Rounds the running total, not the shares: each is off by at most one unit, and the errors never add up."""
    totals = np.rint(np.cumsum([base, *shares]) * UNITS).astype(np.int64)
    return int(totals[0]), [int(step) for step in np.diff(totals)]


def _clean_id(lead_id: str) -> str:
    return clean_text(lead_id, max(len(lead_id), 1))  # never cut: two long ids would become one


def _check(page: LeadPage) -> None:
    _refuse_twice("lead_id", [_clean_id(lead.lead_id) for lead in page.leads])
    _refuse_twice("handoff position", [lead.handoff_position for lead in page.leads if lead.handoff_position is not None])
    for lead in page.leads:
        if not 0 <= lead.score <= 1:
            raise DataError(f"lead '{lead.lead_id}' has the score {lead.score}: expected a probability")
        if lead.band not in page.bands:
            raise DataError(f"lead '{lead.lead_id}' has the band '{lead.band}': expected one of {', '.join(page.bands)}")
        for name, receipt in lead.receipts.items():
            _check_receipt(receipt, len(page.signals), f"the receipt '{name}' of lead '{lead.lead_id}'")
        first = next(iter(lead.receipts.values()), None)
        if first is not None and abs(first.score - lead.score) > EXACT:
            raise DataError(f"the first receipt of lead '{lead.lead_id}' explains {first.score!r}, the lead's score is {lead.score!r}")


def _check_receipt(receipt: PageReceipt, signals: int, what: str) -> None:
    total = math.fsum([receipt.base, *(share for _, share, _ in receipt.lines)])
    if not abs(total - receipt.score) <= EXACT:  # so that a NaN is refused too
        raise DataError(f"{what} sums to {total!r}, its score is {receipt.score!r}: they must agree to {EXACT:g}")
    unknown = [signal for signal, _, _ in receipt.lines if not 0 <= signal < signals]
    if unknown:
        raise DataError(f"{what} has a line for signal {unknown[0]}: the page has {signals} signals, counted from 0")


def _refuse_twice(what: str, values: list[Any]) -> None:
    value, count = next(iter(Counter(values).most_common(1)), (None, 0))
    if count > 1:
        raise DataError(f"{what} '{value}' is given to {count} leads: each may have it once")
