"""What a night and an explanation say is missing: verified by scoring, the same in both, and true of events that really come."""

import json
from datetime import UTC, timedelta

import numpy as np
import pandas as pd
import pytest
from projects import append, merge, open_config, open_variant

from pls_ml.core.catalogue import Catalogue
from pls_ml.explanations.use import Moves
from pls_ml.workflows.bundle import load_bundle
from pls_ml.workflows.missing import LIST, NEAREST, NOTHING

EVENTS = {
    "invites": {"event": "invite_sent"},
    "shared_externally": {"event": "content_shared", "external": "true"},
    "pricing_views": {"event": "pricing_viewed"},
    "api_or_integrations": {"event": "api_call"},
}
"""Signals that a night suggests, and an event of each."""


@pytest.fixture(scope="module")
def table(trained):
    return pd.read_parquet(trained.night.folder / "missing.parquet")


@pytest.fixture(scope="module")
def catalogue(trained) -> Catalogue:
    return load_bundle(trained.project).catalogue


def list_ways(table):
    """(lead, target) → its ways: what each reaches, and its steps in words."""
    found = {}
    for (lead, target, _), steps in table.groupby(["lead_id", "target", "option"], sort=False):
        way = [(steps["reaches"].iloc[0], tuple(steps["words"]))] if steps["step"].iloc[0] else []
        found.setdefault((lead, target), []).extend(way)
    return found


def test_a_night_looks_at_the_leads_nearest_to_each_target(trained, table):
    scores = trained.night.scores.set_index("lead_id")
    bands = load_bundle(trained.project).card.card.bands
    goals = {band.name: band.bound for band in bands}
    by_target = {target: set(rows["lead_id"]) for target, rows in table.groupby("target")}
    near = {lead for target, leads in by_target.items() if target != LIST for lead in leads}

    assert len(near) == NEAREST
    assert 0 < len(by_target[LIST]) <= NEAREST
    assert not by_target[LIST] & set(trained.night.handoffs["lead_id"])
    worst = max(goals[target] - scores.loc[lead, "points"] for target, leads in by_target.items() if target != LIST for lead in leads)
    higher = {low: high.name for low, high in zip([*(b.name for b in bands[1:]), "Not a PQL"], bands, strict=True)}
    others = scores[scores["band"].isin(higher) & ~scores.index.isin(near)]
    assert (others["band"].map(higher).map(goals) - others["points"]).min() >= worst


def test_every_way_reaches_its_target(trained, table):
    bands = {band.name: band.bound for band in load_bundle(trained.project).card.card.bands}
    steps = table[table["step"] > 0]
    on_card = steps[steps["target"] != LIST]
    chosen = trained.night.scores[trained.night.scores["lead_id"].isin(trained.night.handoffs["lead_id"])]

    assert len(on_card)
    assert (on_card["reaches"] >= on_card["target"].map(bands)).all()
    assert (steps[steps["target"] == LIST]["reaches"] >= chosen["score"].min()).all()
    assert steps.groupby(["lead_id", "target"])["option"].nunique().max() <= 3
    assert steps["step"].max() <= 3


def test_only_what_a_lead_can_do_and_a_rep_may_see_is_suggested(table, catalogue):
    allowed = {signal.id for signal in catalogue.signals if signal.actionable and signal.rep_visible}

    assert set(table["signal"]) - {""} <= allowed
    assert set(table[table["step"] == 0]["words"]) <= {NOTHING}


def test_an_explanation_says_what_the_night_said(trained, table):
    ways = list_ways(table)
    leads = list(dict.fromkeys(lead for lead, _ in ways))[:: max(1, len(ways) // 8)]

    for lead in leads:
        found = trained.project.explain(lead, trained.night.as_of)
        said = {one.head.target: [(way.reaches, tuple(step["words"] for step in way.steps)) for way in one.ways] for one in found.missing}
        for target in {target for one, target in ways if one == lead}:
            assert said[target] == [(pytest.approx(reaches, abs=1e-12), words) for reaches, words in ways[lead, target]]
        assert [one["target"] for one in json.loads(json.dumps(found.to_dict(), allow_nan=False))["missing"]] == list(said)
        assert all(f"what is missing for {target} (" in found.to_text() for target in said)


def test_who_is_handed_over_misses_nothing_for_the_list_and_the_best_band_has_none_above_it(trained):
    scores = trained.night.scores
    handed = trained.night.handoffs["lead_id"].iloc[0]
    hot = scores[scores["band"] == "Hot"]["lead_id"].iloc[0]

    assert LIST not in [one.head.target for one in trained.project.explain(handed, trained.night.as_of).missing]
    assert {one.head.target for one in trained.project.explain(hot, trained.night.as_of).missing} <= {LIST}


def test_without_a_scored_night_there_is_no_list(trained, tmp_path):
    project = open_variant(trained, tmp_path)
    lead = trained.night.scores["lead_id"].iloc[-1]

    assert LIST not in [one.head.target for one in project.explain(lead, trained.night.as_of).missing]


def test_events_that_really_come_bring_a_lead_at_least_as_far_as_was_said(trained, table, tmp_path):
    ways = table[(table["step"] > 0) & (table["target"] != LIST)]
    single = ways.groupby(["lead_id", "target", "option"]).filter(lambda steps: len(steps) == 1)
    chosen = single[single["signal"].isin(list(EVENTS))].drop_duplicates("lead_id").head(12)
    moment = trained.night.as_of.replace(tzinfo=UTC) - timedelta(hours=1)
    events = [
        {"event_id": f"{way.lead_id}-{n}", "user_id": way.lead_id, "event_time": moment, "known_at": moment} | EVENTS[way.signal]
        for way in chosen.itertuples()
        for n in range(int(way.words.split()[0]))
    ]
    tables = trained.world.tables | {"events": append(trained.world.tables["events"], events)}

    after = open_variant(trained, tmp_path, tables=tables).score(trained.night.as_of).scores.set_index("lead_id")

    assert len(chosen) >= 5
    for way in chosen.itertuples():
        assert after.loc[way.lead_id, "points"] >= way.reaches, way
        assert after.loc[way.lead_id, "band"] in ("Hot", "Warm", "Emerging")[: ("Hot", "Warm", "Emerging").index(way.target) + 1]


def test_columns_recomputed_from_unchanged_ones_are_those_of_the_engine(trained, catalogue):
    file = open_config(merge(trained.config, {}), trained.folder / "again", data=trained.folder).signals(trained.night.as_of)
    values = file.to_frame()[[column.name for column in catalogue]]
    numeric = [name for name in values.columns if pd.api.types.is_numeric_dtype(values[name])]
    before = values[numeric].to_numpy(np.float64, na_value=np.nan)
    texts = {name: values[name].to_numpy(dtype=object) for name in values.columns if name not in numeric}
    after, nobody = before.copy(), np.full((len(before), 1), -1)

    Moves(catalogue, numeric).change(after, texts, nobody, np.zeros_like(nobody))

    assert np.array_equal(before, after, equal_nan=True)
