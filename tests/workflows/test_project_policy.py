"""The policy file on real commands: hidden signals leave no trace in any view, forbidden words are refused, peers come from training."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from fakes.packs import read_page, without_packs
from projects import open_config, open_variant

from pls_ml.core.errors import BundleError, ConfigError
from pls_ml.core.files import write_json
from pls_ml.io.bundles import read_bundle, write_bundle
from pls_ml.workflows.bundle import load_bundle

HIDING = """
audiences:
  rep: {hide: [employees], hide_families: [intent]}
forbidden: {ours: [gizmo]}
"""
FIRST = 5


@pytest.fixture(scope="module")
def hiding(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hiding")
    (folder / "ours.yaml").write_text(HIDING, encoding="utf-8")
    project = open_variant(trained, folder, {"policy": "ours.yaml"})
    return project, project.score(trained.night.as_of)


def find_hidden(project):
    return [s for s in load_bundle(project).catalogue.signals if s.id == "employees" or s.family == "intent"]


def test_no_view_of_a_lead_or_the_page_names_a_hidden_signal(trained, hiding):
    project, night = hiding
    hidden = find_hidden(project)
    words = [signal.label for signal in hidden] + [f'"{signal.id}"' for signal in hidden] + ["Company of ", "ooked at prices"]

    page = project.report(night.as_of).read_text(encoding="utf-8")
    views = [without_packs(page), json.dumps(read_page(page)), night.reasons.to_json()]
    for lead in night.scores["lead_id"].head(FIRST):
        found = project.explain(lead, night.as_of)
        views += [json.dumps(found.to_dict()), found.to_text(), found._repr_html_()]

    assert len(hidden) > 5
    assert [word for word in words for view in views if word in view] == []
    assert "other signals" in views[-1]
    assert set(trained.night.reasons["signal"]) & {signal.id for signal in hidden}


def test_totals_of_what_is_shown_stay_true(hiding):
    project, night = hiding
    for lead in night.scores["lead_id"].head(FIRST):
        for receipt in project.explain(lead, night.as_of).to_dict()["receipts"].values():
            assert receipt["base"] + sum(line["probability"] for line in receipt["lines"]) == pytest.approx(receipt["score"], abs=1e-9)


def test_the_policy_changes_no_score_and_the_table_of_receipts_stays_whole(trained, hiding):
    _, night = hiding

    pd.testing.assert_frame_equal(night.scores, trained.night.scores)
    assert (night.folder / "receipts.parquet").read_bytes() == (trained.night.folder / "receipts.parquet").read_bytes()


def test_a_policy_that_became_stricter_after_the_night_holds_for_its_page(trained, tmp_path):
    project = open_variant(trained, tmp_path)
    night = project.score(trained.night.as_of)
    (tmp_path / "ours.yaml").write_text(HIDING, encoding="utf-8")
    stricter = open_variant(trained, tmp_path, {"policy": "ours.yaml"})

    page = json.dumps(read_page(stricter.report(night.as_of).read_text(encoding="utf-8")))

    assert [signal.label for signal in find_hidden(stricter) if f'"{signal.label}"' in page or f'"{signal.id}"' in page] == []
    assert "Company of" not in page


@pytest.mark.parametrize(
    ("define", "refusal"),
    [
        ({"label": "gizmo uses"}, "signal 'mine': its label 'gizmo uses' says 'gizmo' (ours)"),
        ({"label": "uses", "sentences": {"for": "A gizmo"}}, "signal 'mine': its sentence 'for' 'A gizmo' says 'gizmo' (ours)"),
    ],
)
def test_check_refuses_words_that_the_project_forbids(trained, tmp_path, define, refusal):
    (tmp_path / "ours.yaml").write_text(HIDING, encoding="utf-8")
    mine = {"id": "mine", "family": "f", "measure": {"kind": "count", "events": ["exported"]}, "windows": ["30d"]} | define
    project = open_config(trained.config | {"policy": "ours.yaml", "signals": {"define": [mine]}}, tmp_path, data=trained.folder)

    with pytest.raises(ConfigError, match=re.escape(refusal)):
        project.check()


def test_a_slip_in_the_policy_is_refused_with_the_nearest_name(trained, tmp_path):
    (tmp_path / "ours.yaml").write_text("audiences: {rep: {hide: [employes]}}\n", encoding="utf-8")
    project = open_config(trained.config | {"policy": "ours.yaml"}, tmp_path, data=trained.folder)

    with pytest.raises(ConfigError, match=r"names 'employes', which no declared signal has \(did you mean 'employees'\?\)"):
        project.check()
    with pytest.raises(ConfigError, match=r"no shipped configuration 'policies/defaut.yaml' \(did you mean 'policies/default.yaml'\?\)"):
        open_config(trained.config | {"policy": "defaut"}, tmp_path, data=trained.folder).check()


def test_percentiles_are_those_of_the_training_leads(trained):
    peers = load_bundle(trained.project).facts["peers"]
    receipts = pd.read_parquet(trained.night.folder / "receipts.parquet")

    assert {"smb", "mid_market"} <= set(peers)
    assert receipts["percentile"].dropna().between(0, 100).all()
    assert receipts["percentile"].notna().mean() > 0.5
    categories = {s.id for s in load_bundle(trained.project).catalogue.signals if s.is_category}
    assert receipts.loc[receipts["signal"].isin(categories), "percentile"].isna().all()


def test_one_lead_alone_is_told_the_reasons_of_the_night(trained):
    places = np.linspace(0, len(trained.night.scores) - 1, 8).astype(int)
    for lead in trained.night.scores["lead_id"].iloc[places]:
        mine = trained.night.reasons[trained.night.reasons["lead_id"] == lead]
        told = [("against: " if x.against else "for: ") + x.sentence for x in mine.itertuples()]

        assert list(trained.project.explain(lead, trained.night.as_of).reasons) == told


def test_a_bundle_without_peers_still_scores(trained, tmp_path):
    project = open_variant(trained, tmp_path)
    parts, texts = read_bundle(project.models / trained.night.version)
    del parts["facts"]["peers"]
    shutil.rmtree(project.models)
    write_json(project.models / "newest.json", {"version": write_bundle(project.models, parts, texts)})

    night = project.score(trained.night.as_of)

    assert night.scores["score"].tolist() == trained.night.scores["score"].tolist()
    assert pd.read_parquet(night.folder / "receipts.parquet")["percentile"].isna().all()
    assert not night.reasons["sentence"].str.contains(" than ").any()
    assert len(night.reasons) == len(trained.night.reasons)


def test_a_night_of_an_earlier_version_asks_to_be_scored_again(trained, tmp_path):
    project = open_variant(trained, tmp_path)
    night = project.score(trained.night.as_of)
    manifest = json.loads((night.folder / "manifest.json").read_text(encoding="utf-8"))
    del manifest["files"]["reasons.parquet"]
    write_json(night.folder / "manifest.json", manifest)

    with pytest.raises(BundleError, match=r"a night without `reasons.parquet`, as earlier versions scored: run `pls-ml score` again"):
        project.report(night.as_of)
