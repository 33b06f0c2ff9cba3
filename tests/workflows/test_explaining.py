"""One lead explained gives what the night gave it; the text adds up; the page needs no network."""

import json
import re
from datetime import datetime

import numpy as np
import pytest
from fakes.packs import read_page, without_packs
from projects import open_variant

from pls_ml.core.errors import BundleError, TableError, UnknownLeadError
from pls_ml.workflows.score import TOO_FEW_FAMILIES

N_LEADS = 20


@pytest.fixture(scope="module")
def explained(trained):
    """Twenty leads from the whole ranking, each explained on its own."""
    places = np.linspace(0, len(trained.night.scores) - 1, N_LEADS).astype(int)
    leads = trained.night.scores["lead_id"].iloc[places].tolist()
    return {lead: trained.project.explain(lead, trained.night.as_of) for lead in leads}


@pytest.fixture(scope="module")
def page(trained):
    return trained.project.report(trained.night.as_of)


def test_one_lead_alone_gets_the_score_of_the_night(trained, explained):
    scores = trained.night.scores.set_index("lead_id")

    for lead, found in explained.items():
        assert found.receipts["lightgbm"].score == pytest.approx(scores.loc[lead, "score"], abs=1e-12)
        assert found.receipts["rules"].score == pytest.approx(scores.loc[lead, "score_rules"], abs=1e-12)
        assert (found.low, found.high) == (scores.loc[lead, "low"], scores.loc[lead, "high"])
        assert f"outcomes alone would say {found.low:.2%} or {found.high:.2%}" in found.to_text()
        assert (found.points, found.band) == (scores.loc[lead, "points"], scores.loc[lead, "band"])
        assert (found.version, found.as_of) == (trained.night.version, trained.night.as_of)


def test_one_lead_alone_gets_the_contributions_of_the_night(trained, explained):
    for lead, found in explained.items():
        for name, receipt in found.receipts.items():
            of_night = trained.night.receipts[name].one(lead)
            assert [line.signal for line in receipt.lines] == [line.signal for line in of_night.lines]
            assert [line.value for line in receipt.lines] == [line.value for line in of_night.lines]
            for one in ("log_odds", "probability"):
                assert [getattr(x, one) for x in receipt.lines] == pytest.approx([getattr(x, one) for x in of_night.lines], abs=1e-12)


def test_the_scorer_in_use_comes_first(explained):
    assert {tuple(found.receipts) for found in explained.values()} == {("lightgbm", "rules")}


def test_the_printed_lines_add_up_to_the_printed_score(explained):
    for found in explained.values():
        blocks = found.to_text().split("\n\n")[1:]
        assert len(blocks) == 2
        for block, receipt in zip(blocks, found.receipts.values(), strict=True):
            figures = [float(line.rsplit(None, 1)[1].rstrip("%")) for line in block.splitlines()[1:]]
            assert figures[-1] == pytest.approx(100 * receipt.score, abs=0.005)
            assert sum(figures[:-1]) == pytest.approx(figures[-1], abs=0.005 * len(figures))


def test_an_explanation_is_plain_json_text_and_html(trained, explained):
    lead, found = next(iter(explained.items()))

    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))

    assert data["lead_id"] == lead
    assert data["as_of"] == "2024-10-27T00:00:00"
    for receipt in data["receipts"].values():
        assert receipt["base"] + sum(line["probability"] for line in receipt["lines"]) == pytest.approx(receipt["score"], abs=1e-9)
    assert found.to_text().startswith(f"{lead} at 2024-10-27 00:00 UTC, model {trained.night.version}, {found.points} points: {found.band}")
    assert found._repr_html_().count("<table>") == 2


def test_an_explanation_and_the_page_say_why_nobody_is_sent_to_a_lead(trained, page):
    scores = trained.night.scores.set_index("lead_id")
    silent = scores.index[scores["blocked"] == TOO_FEW_FAMILIES][0]

    found = trained.project.explain(silent, trained.night.as_of)

    assert found.to_dict()["blocked"] == TOO_FEW_FAMILIES
    assert f"\n  not to be handed over: {TOO_FEW_FAMILIES}\n" in found.to_text()
    text = page.read_text(encoding="utf-8")
    data, _ = read_page(text)
    shown = {lead: data["words"]["blocked"][said] for lead, said in zip(data["ids"], data["columns"]["blocked"], strict=True)}
    assert shown == scores["blocked"].fillna("").to_dict()
    assert f"{TOO_FEW_FAMILIES} {trained.night.not_handed_over[TOO_FEW_FAMILIES]:,}" in text


def test_an_unknown_lead_is_refused_with_the_nearest_one(trained):
    lead = trained.night.scores["lead_id"].iloc[0]

    with pytest.raises(UnknownLeadError, match=rf"no lead '{lead}x' among 4,186 users \(did you mean '{lead}'\?\): check the id"):
        trained.project.explain(f"{lead}x", trained.night.as_of)


def test_a_lead_that_is_not_scored_is_refused_with_the_reason(trained):
    users = trained.world.tables["users"].to_pandas()
    internal = users["user_id"][users["is_internal"].fillna(False).astype(bool)].iloc[0]
    young = users["user_id"][users["signup_at"].dt.tz_localize(None) >= trained.night.as_of].iloc[0]

    with pytest.raises(UnknownLeadError, match=f"lead '{internal}' is not scored at 2024-10-27: internal user; choose another"):
        trained.project.explain(internal, trained.night.as_of)
    with pytest.raises(UnknownLeadError, match=f"lead '{young}' is not scored at 2024-10-27: it had not signed up"):
        trained.project.explain(young, trained.night.as_of)


def test_the_page_needs_nothing_from_outside(page):
    text = without_packs(page.read_text(encoding="utf-8")).replace('"http://www.w3.org/2000/svg"', "")

    assert page.name == "leads.html"
    assert not re.findall(r"https?:|//[a-z0-9-]+\.[a-z]|@import|\bsrc=|<iframe", text)
    assert re.findall(r"<link[^>]*>", text) == ['<link rel="icon" href="data:,">']
    assert "default-src 'none'" in text


def test_the_same_night_gives_the_same_page(trained, page, tmp_path):
    project = open_variant(trained, tmp_path)
    project.score(trained.night.as_of)

    assert project.report().read_bytes() == page.read_bytes()


def test_a_night_that_was_not_scored_or_was_changed_has_no_page(trained, tmp_path):
    project = open_variant(trained, tmp_path)
    with pytest.raises(TableError, match=r"no scored night in .*: run `pls-ml score` first"):
        project.report()
    night = project.score(trained.night.as_of)
    with pytest.raises(TableError, match="no scored night of 2024-05-05: there are 2024-10-27; run `pls-ml score --as-of 2024-05-05`"):
        project.report(datetime(2024, 5, 5))
    (night.folder / "scores.parquet").write_bytes(b"PAR1")
    with pytest.raises(BundleError, match=r"scores\.parquet is missing or was changed since it was scored: run `pls-ml score` again"):
        project.report()
