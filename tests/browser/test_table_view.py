"""The table of leads: found, filtered, sorted, and walked through."""

import re
from dataclasses import replace

import pytest
from fakes.pages import invent_page
from views import LEADS, count, shown_leads, write


@pytest.fixture(scope="module")
def ranked(invented):
    return invented.leads.sort_values("rank")


def test_the_table_begins_with_the_best_and_holds_only_the_rows_in_sight(tab, ranked):
    assert shown_leads(tab) == ranked["lead_id"].head(10).tolist()
    assert count(tab) == f"{LEADS} leads"
    assert tab.locator("#table").get_attribute("aria-rowcount") == str(LEADS + 1)
    assert tab.locator("#rows tr").count() < 100


def test_scrolling_shows_the_last_lead_at_its_place(tab, ranked):
    tab.evaluate("document.getElementById('scroller').scrollTop = 1e9")
    last = tab.locator("#rows tr:not(.gap)").last
    tab.wait_for_function("(id) => document.getElementById('rows').textContent.includes(id)", arg=ranked["lead_id"].iloc[-1])
    assert last.locator("th a").text_content() == ranked["lead_id"].iloc[-1]
    assert last.get_attribute("aria-rowindex") == str(LEADS + 1)


def test_searching_finds_leads_by_account_or_id_whatever_the_case(tab, invented):
    name = invented.accounts["name"].iloc[0]
    mine = invented.leads[invented.leads["account_id"] == invented.accounts["account_id"].iloc[0]]
    tab.fill("#search", f"{name.upper()} {mine['lead_id'].iloc[0]}")
    assert shown_leads(tab) == [mine["lead_id"].iloc[0]]
    tab.fill("#search", "nobody at all")
    assert count(tab) == "No lead matches"
    tab.click("#clear")
    assert count(tab) == f"{LEADS} leads"


@pytest.mark.parametrize(("column", "value"), [("band", "Warm"), ("segment", "smb"), ("owner", "Ada Moore"), ("cell", "model only")])
def test_a_filter_keeps_its_leads_in_the_order_of_their_ranks(tab, ranked, column, value):
    tab.select_option(f"#filter-{column}", value)
    kept = ranked[ranked[column] == value]
    assert shown_leads(tab) == kept["lead_id"].head(10).tolist()
    assert count(tab) == f"{len(kept)} of {LEADS} leads"


def test_filters_add_up_and_stand_in_the_address(tab, visit, file, ranked):
    tab.select_option("#filter-band", "Warm")
    tab.select_option("#filter-owner", "Ben Ortiz")
    kept = ranked[(ranked["band"] == "Warm") & (ranked["owner"] == "Ben Ortiz")]
    assert count(tab) == f"{len(kept)} of {LEADS} leads"
    again = visit(file, tab.evaluate("location.hash"))
    assert count(again) == count(tab)
    assert again.input_value("#filter-owner") == "Ben Ortiz"


@pytest.mark.parametrize(
    ("queue", "keep"),
    [
        ("Tonight’s list", lambda leads: leads["position"].notna()),
        ("New tonight", lambda leads: leads["before"].isna()),
        ("Moved band", lambda leads: leads["band_before"] != leads["band"]),
    ],
)
def test_a_queue_shows_its_leads_and_says_how_many_they_are(tab, ranked, queue, keep):
    kept = ranked[keep(ranked)]
    choice = tab.locator("#queues label", has_text=queue)
    assert choice.text_content() == f"{queue} {len(kept)}"
    choice.click()
    assert shown_leads(tab) == kept["lead_id"].head(10).tolist()


@pytest.mark.parametrize(
    ("label", "column", "ascending"), [("Points", "points", False), ("Score", "score", False), ("Lead", "lead_id", True)]
)
def test_a_header_sorts_and_sorts_the_other_way_round(tab, ranked, label, column, ascending):
    header = tab.locator("#heads button", has_text=re.compile(f"^{label}$"))
    header.click()
    values = ranked.set_index("lead_id", drop=False)[column]
    assert values[shown_leads(tab)].tolist() == values.sort_values(ascending=ascending).head(10).tolist()
    assert header.locator("..").get_attribute("aria-sort") == ("ascending" if ascending else "descending")
    header.click()
    assert values[shown_leads(tab)].tolist() == values.sort_values(ascending=not ascending).head(10).tolist()


def test_the_keyboard_walks_the_table_opens_a_lead_and_comes_back_to_it(tab, ranked):
    for key in ("j", "j", "ArrowDown", "k"):
        tab.keyboard.press(key)
    second = ranked["lead_id"].iloc[1]
    assert tab.evaluate("document.activeElement.textContent") == second
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#lead-view h1")
    assert f"lead {second}" in tab.locator("#lead-view .lead-head").text_content()
    tab.keyboard.press("j")
    tab.wait_for_function("(id) => document.querySelector('.lead-head').textContent.includes(id)", arg=ranked["lead_id"].iloc[2])
    tab.keyboard.press("Escape")
    tab.wait_for_selector("#scroller")
    assert tab.evaluate("document.activeElement.textContent") == ranked["lead_id"].iloc[2]


def test_slash_searches_and_typing_there_is_no_command(tab):
    tab.keyboard.press("/")
    tab.keyboard.type("cjk?")
    assert tab.input_value("#search") == "cjk?"
    assert not tab.locator("#keys").is_visible()
    tab.keyboard.press("Escape")
    tab.keyboard.press("?")
    assert tab.locator("#keys").is_visible()
    tab.keyboard.press("Escape")
    assert not tab.locator("#keys").is_visible()


def test_the_end_of_the_list_is_reached_by_keyboard(tab, ranked):
    tab.keyboard.press("End")
    assert tab.evaluate("document.activeElement.textContent") == ranked["lead_id"].iloc[-1]
    assert tab.locator("#rows tr[aria-current]").is_visible()


def test_everything_in_the_frame_is_reached_by_tab_and_shows_it(tab):
    wanted = {"theme", "help", "search", "filter-band", "filter-segment", "filter-owner", "filter-cell", "scroller"}
    reached = set()
    for _ in range(40):
        tab.keyboard.press("Tab")
        found = tab.evaluate(
            "[document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle, document.activeElement.type ?? '']"
        )
        reached.add(found[0])
        assert found[1] != "none" or found[2] == "radio"  # a choice shows it on its label
    assert wanted <= reached


def test_a_page_without_bands_points_owners_or_earlier_nights_has_no_columns_for_them(visit, tmp_path):
    page = invent_page(20, nights=0)
    bare = page.leads.assign(band="", band_before=None, before=None, points=None, owner=None, cell=None)
    tab = visit(write(replace(page, leads=bare, bands=("",), tables={}, since=""), tmp_path))
    assert tab.locator("#heads th").all_text_contents() == ["Rank", "Lead", "Account", "Tier", "Segment", "Score", "First reason", ""]
    assert tab.locator("#queues label").all_text_contents() == ["All leads", "Tonight’s list 5"]


def test_a_hundred_thousand_leads_load_filter_and_open(visit, tmp_path):
    page = invent_page(100_000, lines=3, nights=1)
    tab = visit(write(page, tmp_path))
    assert count(tab) == "100,000 leads"
    tab.select_option("#filter-segment", "smb")
    assert count(tab) == f"{int((page.leads['segment'] == 'smb').sum()):,} of 100,000 leads"
    tab.keyboard.press("Escape")
    tab.evaluate("document.activeElement.blur()")
    tab.keyboard.press("End")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#lead-view .receipt")
