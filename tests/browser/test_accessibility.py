"""Nobody is shut out: axe finds nothing serious on any view, in both colour schemes, on a wide and on a narrow window."""

import pytest
from axe_playwright_python.sync_playwright import Axe

VIEWS = {
    "table": ("", "#rows th"),
    "lead": ("#lead={0}", "#lead-view .receipt"),
    "compare": ("#compare={0}&with={1}", "#compare-view .aligned"),
}
WIDTHS = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 400, "height": 800}}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_serious(visit, file, invented, view, scheme, width):
    leads = invented.leads.sort_values("rank")["lead_id"]
    address, sign = VIEWS[view]
    tab = visit(file, address.format(leads.iloc[0], leads.iloc[9]), color_scheme=scheme, viewport=WIDTHS[width], bypass_csp=True)
    tab.wait_for_selector(sign)
    found = Axe().run(tab).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")] == []
