"""What the lead page costs: its size, and how long a browser takes to show, filter, sort and open, beside the same data as JSON.

Run with `python -m tests.benches.bench_page --leads 100000`. The peer holds the same columns as plain JSON in a page of its own, and only
parses them; nothing is drawn there.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from pls_ml.reports.lead_content import LeadPage
from pls_ml.reports.lead_page import render_lead_page
from tests.benches.measure import peak_gb
from tests.browser.chromium import open_browser
from tests.fakes.pages import invent_page

READY = "new MutationObserver(() => { if (document.body?.classList.contains('ready')) window.readyAt ??= performance.now(); })"
WATCH = f"{READY}.observe(document, {{ subtree: true, childList: true, attributes: true }})"
PICK = """([id, value]) => {
  const control = document.getElementById(id);
  const begun = performance.now();
  control.value = value;
  control.dispatchEvent(new Event("input"));
  document.getElementById("rows").getBoundingClientRect();
  return performance.now() - begun;
}"""
SORT = """(key) => {
  const begun = performance.now();
  document.querySelector(`#heads button[data-key=${key}]`).click();
  document.getElementById("rows").getBoundingClientRect();
  return performance.now() - begun;
}"""
OPEN = """async (row) => {
  const { page, table } = window.workbench;
  const begun = performance.now();
  location.hash = `#lead=${page.ids[row]}`;
  const shown = () => document.querySelector("#lead-view .receipt-part") && window.workbench.lead.lead.row === row;
  while (!shown()) await new Promise((go) => setTimeout(go, 1));
  return performance.now() - begun;
}"""
PARSE = """<!doctype html><script type="text/plain" id="data">{}</script><script>
const text = document.getElementById("data").textContent;
const begun = performance.now();
window.parsed = JSON.parse(text);
window.took = performance.now() - begun;
</script>"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--lines", type=int, default=25)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    page = invent_page(asked.leads, asked.lines)
    begun = time.perf_counter()
    text = render_lead_page(page)
    found: dict[str, Any] = {
        "leads": asked.leads,
        "lines": asked.lines,
        "scorers": len(page.scorers),
        "write_s": time.perf_counter() - begun,
    }
    found["write_peak_gb"] = peak_gb()
    with tempfile.TemporaryDirectory() as folder:
        file, peer = Path(folder, "leads.html"), Path(folder, "peer.html")
        file.write_text(text, encoding="utf-8")
        peer.write_text(PARSE.format(to_json(page).replace("<", "\\u003c")), encoding="utf-8")
        found |= {"file_mb": file.stat().st_size / 1e6, "json_mb": peer.stat().st_size / 1e6}
        runs = [measure(file, peer, asked.leads) for _ in range(asked.runs)]
    found |= {name: median(run[name] for run in runs) for name in runs[0]}
    found["size_to_json"] = found["file_mb"] / found["json_mb"]
    found["table_to_parsing_json"] = found["first_table_ms"] / found["json_parse_ms"]
    print(json.dumps({name: round(value, 3) for name, value in found.items()}, indent=1))


def measure(file: Path, peer: Path, leads: int) -> dict[str, float]:
    with open_browser() as browser:
        tab = browser.new_page(viewport={"width": 1440, "height": 900})
        tab.add_init_script(WATCH)
        tab.goto(file.as_uri())
        tab.wait_for_selector("body.ready")
        found = {
            "first_table_ms": tab.evaluate("window.readyAt"),
            "whole_file_ms": tab.evaluate("performance.timing.domComplete - performance.timing.navigationStart"),
        }
        for name, control, value in (
            ("band", "filter-band", "Warm"),
            ("segment", "filter-segment", "smb"),
            ("owner", "filter-owner", "Ada Moore"),
        ):
            found[f"filter_{name}_ms"] = tab.evaluate(PICK, [control, value])
        tab.click("#clear")
        found["search_first_ms"] = tab.evaluate(PICK, ["search", "company 12"])
        found["search_ms"] = tab.evaluate(PICK, ["search", "company 123"])
        tab.click("#clear")
        found |= {f"sort_{key}_ms": tab.evaluate(SORT, key) for key in ("account", "points", "change")}
        found["open_lead_ms"] = tab.evaluate(OPEN, leads // 2)
        found["heap_mb"] = tab.evaluate("performance.memory.usedJSHeapSize") / 1e6
        tab.close()
        tab = browser.new_page()
        tab.goto(peer.as_uri())
        found["json_parse_ms"] = tab.evaluate("window.took")
    return found


def to_json(page: LeadPage) -> str:
    """The page's columns as they are, one list each."""
    tables = {"leads": page.leads, "accounts": page.accounts, **page.tables}
    return json.dumps({name: {column: _plain(frame[column]) for column in frame} for name, frame in tables.items()}, separators=(",", ":"))


def _plain(column: Any) -> list[Any]:
    values = column.astype("object").where(column.notna(), None).tolist()
    return [round(value, 9) if isinstance(value, float) else value.item() if isinstance(value, np.generic) else value for value in values]


if __name__ == "__main__":
    main()
