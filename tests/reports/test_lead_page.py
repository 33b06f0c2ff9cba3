import base64
import hashlib
import html
import json
import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fakes.packs import read_page, rows_of, unpack, without_packs
from fakes.pages import invent_page, with_first
from hypothesis import given, settings
from hypothesis import strategies as st

from pls_ml.core.errors import DataError
from pls_ml.reports.lead_content import LeadPage, PageScorer, PageSignal
from pls_ml.reports.lead_packs import UNITS
from pls_ml.reports.lead_page import render_lead_page
from pls_ml.reports.packing import BLOCK, pack_columns

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><b>",
    "=1+1",
    "\u202egpj.exe",
    "Acme " * 1000,
    "{{ 7 * 7 }}",
]


def one_receipt(shares, base=0.03, score=None):
    """A page of one lead with one scorer and the shares given."""
    score = math.fsum([base, *shares]) if score is None else score
    page = invent_page(1, lines=1)
    signals = tuple(PageSignal(f"s{n}", "label", "family") for n in range(len(shares)))
    lines = pd.DataFrame({"lead_id": "u000000", "signal": [s.id for s in signals], "value": "", "percentile": None, "share_model": shares})
    return replace(
        page,
        signals=signals,
        scorers=(PageScorer("model", base),),
        leads=page.leads.assign(score=score, score_model=score),
        tables={"lines": lines},
    )


def test_the_file_asks_for_nothing_from_anywhere():
    rendered = without_packs(render_lead_page(invent_page(3)))
    plain = rendered.replace('"http://www.w3.org/2000/svg"', "")  # the name of a kind of element, never fetched
    assert not re.search(
        r"https?:|//[a-z]|@import|url\(|fetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon", plain, flags=re.IGNORECASE
    )
    assert re.findall(r'\b(?:src|href)="([^"#]*)"', rendered) == ["data:,"]


def test_the_same_content_gives_the_same_file_whatever_the_order_of_rows():
    page = invent_page(40)
    mixed = {name: table.sample(frac=1, random_state=1) for name, table in page.tables.items() if name == "lines"}
    other = replace(page, leads=page.leads.iloc[::-1], accounts=page.accounts.iloc[::-1], tables={**page.tables, **mixed})
    assert render_lead_page(page) == render_lead_page(page) == render_lead_page(other)


def test_the_list_holds_every_lead_by_its_rank():
    page = invent_page(60)
    data, _ = read_page(render_lead_page(page))
    leads = page.leads.sort_values("rank").reset_index(drop=True)
    columns = data["columns"]
    assert data["ids"] == leads["lead_id"].tolist()
    assert columns["rank"] == leads["rank"].tolist()
    for name in ("score", "low", "high"):
        assert np.array(columns[name]) / UNITS == pytest.approx(leads[name].to_numpy(), abs=1e-9)
    assert [data["bands"][band - 1] for band in columns["band"]] == leads["band"].tolist()
    for name in ("segment", "owner", "cell", "blocked", "reason"):
        assert [data["words"][name][code] for code in columns[name]] == leads[name].fillna("").tolist()
    assert columns["handoff"] == leads["position"].fillna(0).astype(int).tolist()
    assert [data["accounts"]["account_id"][k] for k in columns["account"]] == leads["account_id"].tolist()
    assert [None if units < 0 else units / UNITS for units in columns["before"]] == pytest.approx(
        [None if math.isnan(score) else score for score in leads["before"]], abs=1e-9
    )


def test_a_block_holds_every_line_of_its_leads():
    page = invent_page(BLOCK + 20, lines=4)
    found = read_page(render_lead_page(page))
    assert len(found[1]) == 2
    for lead in page.leads.sort_values("rank")["lead_id"].iloc[[0, BLOCK - 1, BLOCK, -1]]:
        lines = page.tables["lines"].query("lead_id == @lead").sort_values("signal")
        shown = rows_of(found, lead, "lines")
        assert [page.signals[line["signal"] - 1].id for line in shown] == lines["signal"].tolist()
        assert [line["value"] for line in shown] == lines["value"].tolist()
        assert [line["percentile"] for line in shown] == lines["percentile"].tolist()
        for number, name in enumerate(("model", "rules")):
            assert [line[f"share{number}"] / UNITS for line in shown] == pytest.approx(lines[f"share_{name}"].tolist(), abs=2e-9)


def test_a_block_holds_the_rest_that_is_known_of_its_leads():
    page = invent_page(30, nights=2)
    found = read_page(render_lead_page(page))
    lead = page.leads["lead_id"].iloc[7]
    of_lead = {name: table[table["lead_id"] == lead] for name, table in page.tables.items()}
    timeline, changes = rows_of(found, lead, "timeline"), rows_of(found, lead, "changes")
    assert [(one["day"], one["event"], one["count"]) for one in timeline] == list(
        of_lead["timeline"][["day", "event", "count"]].itertuples(index=False, name=None)
    )
    assert [one["night"] for one in rows_of(found, lead, "trend")] == [0, 1]
    assert [one["part"] for one in changes] == ["data", "data", "model", "calibrator"]
    assert [one["signal"] for one in changes] == [1, 2, 0, 0]
    assert rows_of(found, lead, "missing")[0]["reaches"] == 82.0
    assert [one["words"] for one in rows_of(found, lead, "reasons")] == of_lead["reasons"]["words"].tolist()


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1), st.lists(st.floats(-0.5, 0.5), max_size=40), st.floats(0, 1))
def test_every_receipt_in_the_data_sums_to_exactly_the_score_that_is_shown(base, shares, score):
    shares = [*shares, score - math.fsum([base, *shares])]
    found = read_page(render_lead_page(one_receipt(shares, base, score)))
    shown = [line["share0"] for line in rows_of(found, "u000000", "lines")]
    start, total = found[0]["scorers"][0][2], found[0]["columns"]["score"][0]
    assert start + sum(shown) == total
    assert abs(total / UNITS - score) <= 1e-9
    assert all(abs(unit / UNITS - share) <= 1.5e-9 for unit, share in zip(shown, shares, strict=True))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_of_a_lead_stands_nowhere_in_the_html(text):
    page = invent_page(4)
    fields = ("name", "lead_id", "account_id", "segment", "blocked", "owner", "value", "event", "words", "target")
    rendered = render_lead_page(with_first(page, **dict.fromkeys(fields, text)))
    assert without_packs(rendered) == without_packs(render_lead_page(page))
    assert "\u202e" not in json.dumps(read_page(rendered), ensure_ascii=False)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_title_or_fact_is_escaped(text):
    rendered = render_lead_page(replace(invent_page(2), title=text, facts=((text, text),)))
    plain = render_lead_page(replace(invent_page(2), title="x", facts=(("x", "x"),)))
    assert re.findall(r"<[a-z/][^>\s]*", rendered) == re.findall(r"<[a-z/][^>\s]*", plain)
    assert "\u202e" not in rendered
    assert "49" not in re.search(r"<strong>(.*)</strong>", rendered)[1]


def test_no_address_of_a_person_is_in_the_page():
    address = "ann.lee@acme.com"
    page = with_first(
        invent_page(4), name=address, lead_id=address, owner=address, value=address, event=address, words=address, blocked=address
    )
    found = read_page(render_lead_page(replace(page, facts=(("Scored by", address),))))
    said = json.dumps(found)
    assert "ann.lee@" not in said
    assert "…@acme.com" in json.dumps(found, ensure_ascii=False)
    assert "ann.lee" in found[0]["words"]["owner"]
    assert found[0]["ids"][0] == f"id-{hashlib.sha256(address.encode()).hexdigest()[:12]}"


def test_long_names_are_cut_but_ids_are_not():
    data, _ = read_page(render_lead_page(with_first(invent_page(4), name="n" * 5_000, lead_id="i" * 500)))
    assert "n" * 119 + "…" in data["accounts"]["name"]
    assert data["ids"][0] == "i" * 500


def test_the_policy_allows_exactly_the_script_and_the_style_in_the_file():
    rendered = render_lead_page(invent_page(2))
    policy = html.unescape(re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', rendered)[1])
    found = {
        name: base64.b64encode(hashlib.sha256(re.search(pattern, rendered, flags=re.DOTALL)[1].encode()).digest()).decode()
        for name, pattern in (("script", r'<script type="module" async>(.*?)</script>'), ("style", r"<style>(.*?)</style>"))
    }
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{found['script']}'; style-src 'sha256-{found['style']}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_the_page_has_no_inline_handlers_or_styles_and_no_markup_from_text():
    rendered = without_packs(render_lead_page(invent_page(2)))
    script = re.search(r'<script type="module" async>(.*?)</script>', rendered, flags=re.DOTALL)[1]
    assert not re.search(r"<[^>]*\s(?:on[a-z]+|style)=", rendered.replace(script, ""))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|DOMParser", script)
    assert len(re.findall(r"</?script", rendered)) == 6


def test_a_page_without_leads_facts_accounts_or_tables_renders():
    whole = invent_page(2)
    empty = replace(whole, leads=whole.leads.head(0), accounts=whole.accounts.head(0), facts=(), tables={}, nights=(), since="")
    data, blocks = read_page(render_lead_page(empty))
    assert (data["ids"], blocks) == ([], [])


@pytest.mark.parametrize("error", [2e-9, -1e-3, math.nan])
def test_a_receipt_that_misses_its_score_is_refused(error):
    page = invent_page(3)
    lines = page.tables["lines"].assign(share_rules=page.tables["lines"]["share_rules"] + error / 25)
    with pytest.raises(DataError, match=r"the receipt 'rules' of lead 'u00000[0-2]' sums to"):
        render_lead_page(replace(page, tables={"lines": lines}))


def test_a_first_receipt_of_another_score_is_refused():
    page = invent_page(3)
    with pytest.raises(DataError, match=r"the first receipt of lead 'u00000[0-2]' explains"):
        render_lead_page(replace(page, scorers=page.scorers[::-1]))


@pytest.mark.parametrize("table", ["lines", "changes", "missing", "differences"])
def test_a_row_for_an_unknown_signal_is_refused(table):
    page = invent_page(3)
    wrong = page.tables[table].assign(signal="s99")
    with pytest.raises(DataError, match=f"the page's {table} have a row for signal 's99': the page has 40 others"):
        render_lead_page(replace(page, tables={table: wrong}))


def test_a_row_for_an_unknown_lead_is_refused():
    page = invent_page(3)
    with pytest.raises(DataError, match="the page's timeline speak of lead 'u99', which is not among its leads"):
        render_lead_page(replace(page, tables={"timeline": page.tables["timeline"].assign(lead_id="u99")}))


@pytest.mark.parametrize("score", [-0.1, 1.1, math.nan, math.inf])
def test_a_score_that_is_no_probability_is_refused(score):
    page = invent_page(1)
    with pytest.raises(DataError, match="expected a probability"):
        render_lead_page(replace(page, leads=page.leads.assign(score=score), scorers=()))


def test_an_unknown_band_is_refused():
    page = invent_page(3)
    with pytest.raises(DataError, match="band 'Cold': expected one of Hot, Warm"):
        render_lead_page(replace(page, leads=page.leads.assign(band="Cold")))


def test_a_lead_given_twice_is_refused_also_when_only_invisible_marks_differ():
    page = invent_page(2)
    with pytest.raises(DataError, match="lead_id 'u1' is given to 2 leads"):
        render_lead_page(replace(page, leads=page.leads.assign(lead_id=["u1", "u1\u202e"]), tables={}, scorers=()))


def test_a_handoff_position_given_twice_is_refused():
    page: LeadPage = invent_page(2)
    with pytest.raises(DataError, match=r"handoff position '1.0' is given to 2 leads"):
        render_lead_page(replace(page, leads=page.leads.assign(position=1.0)))


@pytest.mark.parametrize(
    "numbers", [[], [0, 255], [-128, 127], [0, 65_535], [-32_768, 5], [-(2**31), 2**31 - 1], [2**40, -(2**40)], [0.5, -1.25, math.inf]]
)
def test_packed_numbers_come_back_as_they_were(numbers):
    assert unpack(pack_columns({"a": np.array(numbers), "b": np.array([1, 2])}, {}))["columns"] == {"a": numbers, "b": [1, 2]}


def test_packing_carries_no_time_and_refuses_what_json_cannot_hold():
    assert base64.b64decode(pack_columns({}, {"a": 1}))[4:8] == bytes(4)
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack_columns({}, {"a": math.nan})
