"""The model page in a real browser: nothing is fetched, nothing is blocked, and it can be used without seeing the pictures."""

import numpy as np
import pytest

from pls_ml.evaluation import GainDisplay, ReliabilityDisplay
from pls_ml.evaluation.displays import draw_png
from pls_ml.reports.model_page import ModelPage, Picture, Section, Table, render_model_page


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    rng = np.random.default_rng(0)
    margins = rng.normal(-2, 1, 500)
    chance = 1 / (1 + np.exp(-margins))
    labels = (rng.random(500) < chance).astype(np.int8)
    displays = {
        "gain": GainDisplay.from_predictions(labels, {"model": margins}, 0.1),
        "reliability": ReliabilityDisplay.from_predictions(labels, {"model": chance}),
    }
    pictures = tuple(Picture(name, one.title, draw_png(one), one.alt, "How to read it.") for name, one in displays.items())
    table = Table("Ranking", ("candidate", "roc auc"), (("rules", "0.7"), ("model", "0.8")), "Intervals.")
    sections = (Section("worth", "Is it better?", ("A sentence.",), (table,), pictures), Section("data", "Data", ("Another.",)))
    page = ModelPage("demo", "m-1", "model beats rules", (("Gates", "5 of 7 passed"),), sections)
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_model_page(page), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_breaks_no_rule_of_access_in_either_scheme(browser, path, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(color_scheme=scheme)
    page.goto(path.as_uri())

    found = Axe().run(page).response["violations"]

    assert [(one["id"], [node["html"][:80] for node in one["nodes"]]) for one in found] == []


def test_every_picture_is_shown_and_nothing_is_fetched_or_blocked(browser, path):
    page, asked, said = browser.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url.partition(":")[0]))
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())

    widths = page.eval_on_selector_all("img", "all => all.map(one => one.naturalWidth)")

    assert len(widths) == 2
    assert min(widths) > 0
    assert set(asked) <= {"file", "data"}
    assert said == []


@pytest.mark.parametrize("width", [400, 1300])
def test_the_page_never_scrolls_sideways(browser, path, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(path.as_uri())

    assert page.evaluate("document.documentElement.scrollWidth") <= width
