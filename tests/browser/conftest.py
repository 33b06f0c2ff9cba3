"""Invented pages in a browser that may ask nothing of anybody, and in which nothing may be complained of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import find_chromium, open_browser
from fakes.pages import invent_page
from views import LEADS, write

from pls_ml.reports.lead_content import LeadPage


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if find_chromium() is None:
        pytest.skip("no Chromium on this machine: the pages are not looked at in a browser")
    pytest.importorskip("playwright", reason="Playwright is not installed: the pages are not looked at in a browser")
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def invented() -> LeadPage:
    return invent_page(LEADS)


@pytest.fixture(scope="session")
def file(invented: LeadPage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(invented, tmp_path_factory.mktemp("page"))


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a file, perhaps at an address within it; afterwards, fails on any request, message of the console, or error."""
    complaints: list[str] = []
    opened = []

    def open_file(path: Path, fragment: str = "", **how: Any) -> Any:
        context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | how))
        opened.append(context)
        tab = context.new_page()
        tab.set_default_timeout(10_000)
        tab.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda request: complaints.append(request.url) if request.url.partition("#")[0] != path.as_uri() else None)
        tab.goto(path.as_uri() + fragment)
        tab.wait_for_selector("body.ready")
        return tab

    yield open_file
    for context in opened:
        context.close()
    assert complaints == []


@pytest.fixture
def tab(visit: Callable[..., Any], file: Path) -> Any:
    return visit(file)
