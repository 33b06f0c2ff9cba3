"""Pages as files, and what a person sees on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pls_ml.reports.lead_content import LeadPage
from pls_ml.reports.lead_page import render_lead_page

LEADS = 600
"""Of the page that most tests look at: more than a block of it, and far more than a window shows."""


def write(page: LeadPage, folder: Path) -> Path:
    """Writes a page into a folder; returns the file."""
    path = folder / "leads.html"
    path.write_text(render_lead_page(page), encoding="utf-8")
    return path


def shown_leads(tab: Any, most: int = 10) -> list[str]:
    """The leads of the first rows in sight."""
    return tab.locator("#rows tr:not(.gap) th a").evaluate_all(f"links => links.slice(0, {most}).map((link) => link.textContent)")


def count(tab: Any) -> str:
    return tab.locator("#count").text_content()


def open_lead(tab: Any, lead: str) -> None:
    tab.evaluate("(lead) => { location.hash = new URLSearchParams({ lead }); }", lead)
    tab.wait_for_function("(lead) => document.querySelector('#lead-view .lead-head')?.textContent.includes(`lead ${lead}`)", arg=lead)


def receipt_figures(tab: Any, place: str = "#lead-view .receipt") -> tuple[float, list[float], float]:
    """The printed starting point, shares and score of a receipt."""
    rows = tab.locator(f"{place} tr:not(.group)").evaluate_all(
        "rows => rows.map((row) => [...row.querySelectorAll('td.number')].map((cell) => cell.textContent.replace('−', '-')))"
    )
    numbers = [row for row in rows if row]
    return float(numbers[0][-1]), [float(row[-2]) for row in numbers[1:-1]], float(numbers[-1][-1])
