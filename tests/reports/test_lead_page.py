import base64
import gzip
import hashlib
import html
import json
import math
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pls_ml.core.errors import DataError
from pls_ml.reports.lead_page import LeadPage, PageLead, PageReceipt, PageSignal, build_page_data, render_lead_page
from pls_ml.reports.offline_page import pack_json

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><b>",
    "=1+1",
    "\u202egpj.exe",
    "Acme " * 1000,
    "{{ 7 * 7 }}",
]
SIGNALS = tuple(PageSignal(f"s{n}", f"signal {n}", "intent" if n % 2 else "fit") for n in range(4))


def make_receipt(base=0.03, shares=(0.1, -0.02, 1 / 3, 0.0)):
    lines = tuple((n, share, f"{n} times") for n, share in enumerate(shares))
    return PageReceipt(base=base, score=math.fsum([base, *shares]), lines=lines)


def make_lead(number=1, **given):
    receipt = make_receipt()
    lead = PageLead(
        lead_id=f"u{number}",
        account_id=f"a{number}",
        account_name=f"Account {number}",
        segment="smb",
        score=receipt.score,
        rank=number,
        points=40,
        band="Hot",
        handoff_position=None,
        reasons=("signal 0: 0 times",),
        receipts={"model": receipt, "card": make_receipt(0.05, (0.0, 0.01, 0.0, -0.02))},
    )
    return replace(lead, **given)


def make_page(*leads, **given):
    page = LeadPage("Leads", "2026-03-06", (("Scored by", "the model"),), ("Hot", "Warm"), SIGNALS, leads or (make_lead(1), make_lead(2)))
    return replace(page, **given)


def unpack(rendered):
    packed = re.search(r'<script type="text/plain" id="data">([^<]*)</script>', rendered)[1]
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def without_data(rendered):
    return re.sub(r'(id="data">)[^<]*', r"\1", rendered)


def test_the_file_asks_for_nothing_from_anywhere():
    rendered = without_data(render_lead_page(make_page()))
    assert not re.search(r"https?:|//[a-z]|@import|url\(", rendered, flags=re.IGNORECASE)
    assert re.findall(r'\b(?:src|href)="([^"#]*)"', rendered) == ["data:,"]


def test_the_same_content_gives_the_same_file_whatever_the_order_of_leads():
    leads = [make_lead(number) for number in range(1, 6)]
    first = render_lead_page(make_page(*leads))
    assert render_lead_page(make_page(*leads)) == first
    assert render_lead_page(make_page(*reversed(leads))) == first


def test_the_packed_data_are_the_built_data():
    page = make_page(make_lead(1, handoff_position=1), make_lead(2, points=None, receipts={}))
    assert unpack(render_lead_page(page)) == build_page_data(page)


def test_the_packed_data_hold_every_lead_and_line():
    data = unpack(render_lead_page(make_page(make_lead(2, points=None, receipts={}), make_lead(1, handoff_position=1, band="Warm"))))
    leads, model = data["leads"], data["receipts"]["model"]
    assert leads["id"] == ["u1", "u2"]
    assert leads["name"] == ["Account 1", "Account 2"]
    assert leads["score"] == [make_receipt().score] * 2
    assert (leads["points"], leads["handoff"], leads["rank"], leads["band"]) == ([40, None], [1, None], [1, 2], [1, 0])
    assert [data["texts"][n] for n in leads["segment"]] == ["smb", "smb"]
    assert [[data["texts"][n] for n in reasons] for reasons in leads["reasons"]] == [["signal 0: 0 times"]] * 2
    assert model["base"] == [round(0.03 * data["units"]), None]
    assert model["signals"] == [[0, 1, 2, 3], []]
    assert [data["texts"][n] for n in model["values"][0]] == ["0 times", "1 times", "2 times", "3 times"]
    assert data["signals"][1] == ["s1", "signal 1", "intent"]
    assert data["bands"] == ["Hot", "Warm"]
    assert list(data["receipts"]) == ["model", "card"]


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1), st.lists(st.floats(-0.5, 0.5), max_size=40), st.floats(0, 1))
def test_every_receipt_in_the_data_sums_to_its_score(base, shares, score):
    shares = [*shares, score - math.fsum([base, *shares])]
    signals = tuple(PageSignal(f"s{n}", "label", "family") for n in range(len(shares)))
    receipt = PageReceipt(base, score, tuple((n, share, "") for n, share in enumerate(shares)))
    data = build_page_data(make_page(make_lead(score=score, receipts={"model": receipt}), signals=signals))
    packed = data["receipts"]["model"]
    assert abs((packed["base"][0] + sum(packed["shares"][0])) / data["units"] - score) <= 1e-9
    assert all(abs(unit / data["units"] - share) <= 1e-9 for unit, share in zip(packed["shares"][0], shares, strict=True))


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("field", ["account_name", "lead_id", "account_id", "segment", "blocked"])
def test_a_hostile_text_of_a_lead_stands_nowhere_in_the_html(field, name):
    rendered = render_lead_page(make_page(make_lead(**{field: name})))
    assert without_data(rendered) == without_data(render_lead_page(make_page(make_lead())))
    assert "\u202e" not in json.dumps(unpack(rendered), ensure_ascii=False)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_title_or_fact_is_escaped(text):
    rendered = render_lead_page(make_page(title=text, facts=((text, text),)))
    plain = render_lead_page(make_page(title="x", facts=(("x", "x"),)))
    assert re.findall(r"<[a-z/][^>\s]*", rendered) == re.findall(r"<[a-z/][^>\s]*", plain)
    assert "\u202e" not in rendered
    assert "49" not in re.search(r"<h1>(.*)</h1>", rendered)[1]


def test_long_names_are_cut_but_ids_are_not():
    data = build_page_data(make_page(make_lead(account_name="n" * 5_000, lead_id="i" * 500)))
    assert data["leads"]["name"] == ["n" * 119 + "…"]
    assert data["leads"]["id"] == ["i" * 500]


def test_the_policy_allows_exactly_the_script_and_the_style_in_the_file():
    rendered = render_lead_page(make_page())
    policy = html.unescape(re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', rendered)[1])
    found = {
        name: base64.b64encode(hashlib.sha256(re.search(pattern, rendered, flags=re.DOTALL)[1].encode()).digest()).decode()
        for name, pattern in (("script", r'<script type="module">(.*?)</script>'), ("style", r"<style>(.*?)</style>"))
    }
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{found['script']}'; style-src 'sha256-{found['style']}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_the_page_has_no_inline_handlers_or_styles_and_no_markup_from_text():
    rendered = without_data(render_lead_page(make_page()))
    script = re.search(r'<script type="module">(.*?)</script>', rendered, flags=re.DOTALL)[1]
    assert not re.search(r"<[^>]*\s(?:on[a-z]+|style)=", rendered.replace(script, ""))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|DOMParser", script)
    assert len(re.findall(r"</?script", rendered)) == 4


def test_a_page_without_leads_or_facts_renders():
    assert unpack(render_lead_page(make_page(leads=(), facts=())))["leads"] == {}


@pytest.mark.parametrize("error", [2e-9, -1e-3, math.nan])
def test_a_receipt_that_misses_its_score_is_refused(error):
    receipt = replace(make_receipt(), base=0.03 + error)
    with pytest.raises(DataError, match="the receipt 'card' of lead 'u1' sums to"):
        render_lead_page(make_page(make_lead(receipts={"model": make_receipt(), "card": receipt})))


def test_a_first_receipt_of_another_score_is_refused():
    with pytest.raises(DataError, match="the first receipt of lead 'u1' explains"):
        render_lead_page(make_page(make_lead(receipts={"card": make_receipt(0.05, ()), "model": make_receipt()})))


@pytest.mark.parametrize("signal", [-1, 4])
def test_a_line_for_an_unknown_signal_is_refused(signal):
    receipt = make_receipt()
    lines = ((signal, *receipt.lines[0][1:]), *receipt.lines[1:])
    with pytest.raises(DataError, match=f"a line for signal {signal}: the page has 4"):
        render_lead_page(make_page(make_lead(receipts={"model": replace(receipt, lines=lines)})))


@pytest.mark.parametrize("score", [-0.1, 1.1, math.nan, math.inf])
def test_a_score_that_is_no_probability_is_refused(score):
    with pytest.raises(DataError, match="expected a probability"):
        render_lead_page(make_page(make_lead(score=score, receipts={})))


def test_an_unknown_band_is_refused():
    with pytest.raises(DataError, match="band 'Cold': expected one of Hot, Warm"):
        render_lead_page(make_page(make_lead(band="Cold")))


def test_a_lead_given_twice_is_refused_also_when_only_invisible_marks_differ():
    with pytest.raises(DataError, match="lead_id 'u1' is given to 2 leads"):
        render_lead_page(make_page(make_lead(1), make_lead(2, lead_id="u1\u202e")))


def test_a_handoff_position_given_twice_is_refused():
    with pytest.raises(DataError, match="handoff position '1' is given to 2 leads"):
        render_lead_page(make_page(make_lead(1, handoff_position=1), make_lead(2, handoff_position=1)))


def test_packing_carries_no_time_and_refuses_what_json_cannot_hold():
    assert base64.b64decode(pack_json({"a": 1}))[4:8] == bytes(4)
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack_json({"a": math.nan})
