"""One lead's page: what is printed adds up, and says what the tables say."""

import re
from dataclasses import replace

import pytest
from fakes.pages import invent_page, with_first
from views import open_lead, receipt_figures, shown_leads, write

HOSTILE = ["=HYPERLINK(1)", "<script>document.title='owned'</script>", "\u202egpj.exe", "N" * 5_000, '"quo\'ted"', "</script><b>bold</b>"]


@pytest.fixture(scope="module")
def best(invented):
    return invented.leads.sort_values("rank").iloc[0]


@pytest.mark.parametrize("view", ["Largest", "By family", "All lines"])
@pytest.mark.parametrize("scorer", ["model", "rules"])
def test_the_printed_lines_add_up_to_the_printed_score(tab, best, view, scorer):
    open_lead(tab, best["lead_id"])
    tab.locator("fieldset:has(input[name=scorer]) label", has_text=scorer).click()
    tab.locator("fieldset:has(input[name=view]) label", has_text=view).click()
    base, shares, score = receipt_figures(tab)
    assert score == round(100 * best[f"score_{scorer}"], 2)
    assert base + sum(shares) == pytest.approx(score, abs=1e-9)


def test_a_score_that_starts_from_the_card_shows_both_parts(tab, best):
    open_lead(tab, best["lead_id"])
    heads = tab.locator("#lead-view .receipt thead th").all_text_contents()
    assert heads == ["Signal", "Step", "rules", "learned", "Share", "Total"]
    rows = tab.locator("#lead-view .receipt tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.querySelectorAll('td.number')].map((cell) => Number(cell.textContent.replace('−', '-'))))"
    )
    assert all(card + learned == pytest.approx(share, abs=1e-9) for card, learned, share, _ in rows[1:])
    assert "what trees learned beside it" in tab.locator(".receipt-part").text_content()


def test_both_scorers_stand_side_by_side(tab, best):
    open_lead(tab, best["lead_id"])
    tab.locator("fieldset:has(input[name=scorer]) label", has_text="Side by side").click()
    ends = tab.locator("#lead-view .aligned tfoot td.number").all_text_contents()
    assert ends[:2] == [f"{100 * best['score_model']:.2f}", f"{100 * best['score_rules']:.2f}"]


def test_the_page_of_a_lead_shows_all_that_is_known_of_it(tab, invented, best):
    open_lead(tab, best["lead_id"])
    text = tab.locator("#lead-view").text_content()
    mine = {name: table[table["lead_id"] == best["lead_id"]] for name, table in invented.tables.items()}
    assert all(words in text for words in mine["reasons"]["words"])
    assert tab.locator(".reasons li.against").count() == mine["reasons"]["against"].sum()
    assert all(event in text for event in mine["timeline"]["event"])
    assert tab.locator(".timeline .when").all_text_contents() == ["2026-03-05yesterday", "2026-03-015 days ago", "2026-02-0430 days ago"]
    assert f"Since {invented.since}" in text
    assert "What is missing" in text
    assert "number 1 of tonight’s handoffs" in text
    assert tab.locator(".trend-svg circle").count() == 4
    members = invented.leads[invented.leads["account_id"] == best["account_id"]]
    assert tab.locator(".members tbody tr").count() == len(members)


def test_a_lead_on_which_rules_and_model_disagree_says_how_far_they_are_apart(tab, invented):
    disputed = invented.leads[invented.leads["cell"] == "model only"].iloc[0]
    open_lead(tab, disputed["lead_id"])
    assert "High by the model (rank 3), not by the rules (rank 900)." in tab.locator("#lead-view").text_content()


def test_a_lead_that_is_not_handed_over_says_why(tab, invented):
    ranked = invented.leads.sort_values("rank").iloc[5:]
    blocked = ranked[ranked["blocked"].notna()].iloc[0]
    open_lead(tab, blocked["lead_id"])
    assert "not handed over: open opportunity" in tab.locator(".lead-head").text_content()
    on_list = invented.leads[invented.leads["position"].notna()]["account_id"]
    beside = ranked[ranked["blocked"].isna() & ranked["account_id"].isin(on_list)].iloc[0]
    open_lead(tab, beside["lead_id"])
    assert "another lead of its account is on the list" in tab.locator(".lead-head").text_content()
    waiting = ranked[ranked["blocked"].isna() & ~ranked["account_id"].isin(on_list)].iloc[0]
    open_lead(tab, waiting["lead_id"])
    assert "beyond tonight’s capacity" in tab.locator(".lead-head").text_content()


def test_an_address_opens_its_lead_and_back_returns_to_the_table(visit, file, best):
    tab = visit(file, f"#lead={best['lead_id']}")
    tab.wait_for_selector("#lead-view h1")
    tab.locator(".lead-bar button", has_text="All leads").click()
    tab.wait_for_selector("#scroller")
    assert shown_leads(tab)[0] == best["lead_id"]
    tab.go_back()
    tab.wait_for_selector("#lead-view h1")


def test_an_address_of_nobody_shows_the_table(visit, file):
    assert visit(file, "#lead=nobody&sort=__proto__&queue=x").locator("#scroller").is_visible()


def test_the_handoff_text_is_copied(visit, file, best):
    tab = visit(file, f"#lead={best['lead_id']}", permissions=["clipboard-read", "clipboard-write"])
    tab.click("#copy")
    tab.wait_for_function("() => document.getElementById('copy').textContent === 'Copied'")
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied == tab.input_value("textarea")
    head, *_ = copied.splitlines()
    assert head.endswith(f"· lead {best['lead_id']} · account {best['account_id']}")
    figures = [float(line.split()[0].replace("−", "-")) for line in re.findall(r"^ +[+−]?\d+\.\d\d  .*$", copied, flags=re.MULTILINE)]
    assert sum(figures[:-1]) == pytest.approx(figures[-1], abs=1e-9)
    assert figures[-1] == round(100 * best["score"], 2)


def test_two_leads_are_compared_by_keyboard_and_their_columns_end_in_their_scores(tab, invented):
    ranked = invented.leads.sort_values("rank")
    for key in ("j", "c", "j", "j", "c"):
        tab.keyboard.press(key)
    tab.wait_for_selector("#compare-view .aligned")
    ends = tab.locator("#compare-view .aligned tfoot td.number").all_text_contents()
    assert ends[:2] == [f"{100 * score:.2f}" for score in ranked["score"].iloc[[0, 2]]]
    assert tab.evaluate("location.hash") == f"#compare={ranked['lead_id'].iloc[0]}&with={ranked['lead_id'].iloc[2]}"
    tab.keyboard.press("Escape")
    tab.wait_for_selector("#scroller")
    assert not tab.locator("#tray").is_visible()


def test_a_lead_is_compared_from_its_page_with_one_from_the_table(tab, best):
    open_lead(tab, best["lead_id"])
    tab.locator(".lead-bar button", has_text="Compare").click()
    assert best["lead_id"] in tab.locator("#tray").text_content()
    tab.locator("#rows tr:not(.gap) button.icon").nth(3).click()
    tab.wait_for_selector("#compare-view .aligned")


def test_the_colours_follow_the_system_until_they_are_chosen(visit, file):
    tab = visit(file, color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = tab.evaluate(ground)
    for _ in range(2):
        tab.keyboard.press("t")
    assert tab.locator("#theme").text_content() == "Colours: dark"
    tab.emulate_media(color_scheme="light")
    assert tab.evaluate(ground) == dark
    tab.keyboard.press("t")
    assert tab.evaluate(ground) != dark


def test_a_lead_prints_without_the_controls(tab, best):
    open_lead(tab, best["lead_id"])
    assert tab.pdf().startswith(b"%PDF")
    tab.emulate_media(media="print")
    for control in (".lead-bar", "#top .tools", "#copy", "fieldset.choice >> nth=1"):
        assert not tab.locator(control).is_visible()
    assert tab.locator("#lead-view .receipt").is_visible()


def test_no_single_strong_reason_is_said_where_so(visit, tmp_path):
    page = invent_page(3)
    weak = replace(
        page,
        leads=page.leads.assign(reason="no single strong reason"),
        tables={**page.tables, "reasons": page.tables["reasons"].head(0)},
    )
    tab = visit(write(weak, tmp_path), f"#lead={page.leads['lead_id'].iloc[0]}")
    tab.wait_for_selector("#lead-view h1")
    assert "no single strong reason" in tab.locator("#lead-view .reasons").text_content()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_shown_as_text_in_every_view(visit, tmp_path, text):
    page = with_first(
        invent_page(6),
        name=text,
        lead_id=f"{text}1",
        segment=text,
        owner=text,
        blocked=text,
        value=text,
        event=text,
        words=text,
        target=text,
        reason=text,
    )
    tab = visit(write(page, tmp_path))
    shown = text.replace("\u202e", "")[:100]
    tab.keyboard.press("j")
    assert shown in tab.locator("#rows").text_content()
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#lead-view h1")
    assert tab.locator("#lead-view h1").text_content().startswith(shown)
    assert shown in tab.input_value("textarea")
    tab.keyboard.press("c")
    tab.locator("#rows tr:not(.gap) button.icon").nth(2).click()
    tab.wait_for_selector("#compare-view .aligned")
    assert shown in tab.locator("#compare-view").text_content()
    assert tab.locator("main script, main b, main img").count() == 0
    assert tab.title().startswith("Invented")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
