"""The page of a night says what its tables and the nights before say, and nothing that reps may not see."""

import json
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from fakes.packs import read_page, rows_of
from projects import frames, open_variant

from pls_ml.core.errors import ConfigError
from pls_ml.core.files import digest_file, write_json
from pls_ml.workflows.bundle import load_bundle
from pls_ml.workflows.report import MOST_NIGHTS

UNITS = 10**9


@pytest.fixture(scope="module")
def two_nights(trained, tmp_path_factory):
    """The trained project with a night a week before the one of every test, and owners of some accounts and users."""
    tables = {name: table.copy() for name, table in frames(trained.world).items()}
    tables["accounts"]["owner"] = np.where(tables["accounts"].index % 2 == 0, "ann.lee@ours.com", None)
    tables["users"]["owner"] = np.where(tables["users"].index % 10 == 0, "Ben Ortiz", None)
    project = open_variant(trained, tmp_path_factory.mktemp("nights"), tables=tables)
    before = project.score(trained.night.as_of - timedelta(days=7))
    return project, before, project.score(trained.night.as_of)


@pytest.fixture(scope="module")
def page(two_nights):
    return read_page(two_nights[0].report().read_text(encoding="utf-8"))


def add_table(night, name, table, **said):
    """Adds a table to a night, as another step of scoring would, and what the manifest says of it."""
    path = night.folder / f"{name}.parquet"
    table.to_parquet(path, index=False)
    manifest = json.loads((night.folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"][path.name] = digest_file(path)
    write_json(night.folder / "manifest.json", manifest | said)


def test_every_line_of_both_scorers_is_in_the_page_with_hidden_signals_as_one(trained, two_nights, page):
    _, _, night = two_nights
    hidden = {s.id for s in load_bundle(trained.project).catalogue.signals if not s.rep_visible}
    receipts = pd.read_parquet(night.folder / "receipts.parquet")
    names = [signal[0] for signal in page[0]["signals"]]
    assert hidden & set(receipts["signal"])
    assert not hidden & set(names)
    for lead in night.scores["lead_id"].iloc[[0, 500, -1]]:
        shown = rows_of(page, lead, "lines")
        for number, scorer in enumerate(("lightgbm", "rules")):
            mine = receipts[(receipts["lead_id"] == lead) & (receipts["scorer"] == scorer)]
            folded = mine.groupby(mine["signal"].where(~mine["signal"].isin(hidden), "other"))["probability"].sum()
            given = {names[line["signal"] - 1]: line[f"share{number}"] / UNITS for line in shown if line[f"share{number}"]}
            assert given == pytest.approx(folded[folded.abs() > 2e-9].to_dict(), abs=2e-9)
        assert all(line["value"] == "" for line in shown if names[line["signal"] - 1] == "other")


def test_scores_of_the_night_before_and_who_is_new_are_in_the_page(two_nights, page):
    _, before, night = two_nights
    data = page[0]
    old = before.scores.set_index("lead_id")["score"]
    known = {lead: units / UNITS for lead, units in zip(data["ids"], data["columns"]["before"], strict=True) if units >= 0}
    assert data["since"] == f"{before.as_of:%Y-%m-%d}"
    assert known == pytest.approx(old[old.index.isin(night.scores["lead_id"])].to_dict(), abs=1e-9)
    lead = next(iter(known))
    assert [row["score"] / UNITS for row in rows_of(page, lead, "trend")] == pytest.approx([old[lead]], abs=1e-9)


def test_the_owner_of_a_lead_is_its_own_else_its_accounts_and_never_an_address(trained, two_nights, page):
    _, _, night = two_nights
    data = page[0]
    shown = {lead: data["words"]["owner"][code] for lead, code in zip(data["ids"], data["columns"]["owner"], strict=True)}
    users = frames(trained.world)["users"].reset_index()
    own = set(users["user_id"][users["index"] % 10 == 0])
    assert {shown[lead] for lead in shown.keys() & own} == {"Ben Ortiz"}
    assert {shown[lead] for lead in shown.keys() - own} == {"ann.lee", ""}
    assert set(night.scores["owner"].dropna()) == {"Ben Ortiz", "ann.lee@ours.com"}


def test_an_owner_is_no_signal(trained, tmp_path):
    owner = {
        "id": "rep",
        "family": "fit",
        "label": "owner",
        "measure": {"kind": "attribute", "table": "accounts", "column": "owner", "type": "category"},
    }
    with pytest.raises(ConfigError, match=r"`owner` is who sales gave the lead to.*shown, never scored"):
        open_variant(trained, tmp_path, {"signals": {"define": [owner]}}).train()


def test_tables_that_other_steps_add_are_shown_without_hidden_signals(trained, tmp_path):
    project = open_variant(trained, tmp_path)
    before = project.score(trained.night.as_of - timedelta(days=7))
    night = project.score(trained.night.as_of)
    first, second = night.scores["lead_id"].iloc[:2]
    hidden = "activity_acceleration"
    words = {"before": "twice", "after": "once"}
    change = {"lead_id": first, "log_odds": 0.1, "probability": 0.01, **words}
    add_table(
        night,
        "changes",
        pd.DataFrame([change | {"part": "data", "signal": s} for s in ("features", hidden)] + [change | {"part": "model", "signal": ""}]),
        since={"as_of": before.as_of.isoformat(), "version": before.version},
    )
    step = {"scorer": "rules", "target": "Hot", "step": 1, "column": "x", "reaches": 80.0, **words}
    add_table(
        night, "missing", pd.DataFrame([step | {"lead_id": second, "signal": "invites"}, step | {"lead_id": second, "signal": hidden}])
    )
    add_table(
        night,
        "disagreements",
        pd.DataFrame([{"lead_id": first, "cell": "model only", "signal": hidden, "difference": 1.0, "rank_rules": 900, "rank_model": 3}]),
    )
    add_table(night, "scores", night.scores.assign(cell="both"))
    add_table(night, "receipts", pd.read_parquet(night.folder / "receipts.parquet").assign(percentile=40.0))

    found = read_page(project.report().read_text(encoding="utf-8"))

    names = ["", *(signal[0] for signal in found[0]["signals"])]
    assert [(row["part"], names[row["signal"]], row["before"]) for row in rows_of(found, first, "changes")] == [
        ("data", "features", "twice"),
        ("data", "other", ""),
        ("model", "", "twice"),
    ]
    assert [(names[row["signal"]], row["after"]) for row in rows_of(found, second, "missing")] == [("invites", "once"), ("other", "")]
    assert [names[row["signal"]] for row in rows_of(found, first, "differences")] == ["other"]
    assert found[0]["words"]["cell"] == ["both"]
    percentiles = {names[row["signal"]]: row["percentile"] for row in rows_of(found, first, "lines")}
    assert percentiles.pop("other", -1) == -1
    assert set(percentiles.values()) == {40}
    assert hidden not in json.dumps(found)

    project.score(trained.night.as_of - timedelta(days=3))  # what changed since the week before is no longer since the night before
    assert rows_of(read_page(project.report(trained.night.as_of).read_text(encoding="utf-8")), first, "changes") == []


def test_a_damaged_earlier_night_is_left_out_of_the_page(trained, tmp_path):
    project = open_variant(trained, tmp_path)
    before = project.score(trained.night.as_of - timedelta(days=7))
    project.score(trained.night.as_of)
    (before.folder / "scores.parquet").write_bytes(b"PAR1")

    data, _ = read_page(project.report().read_text(encoding="utf-8"))

    assert (data["since"], data["nights"]) == ("", [])
    assert MOST_NIGHTS == 12


def test_the_timeline_counts_the_days_of_the_log(trained, two_nights, page):
    _, _, night = two_nights
    events = frames(trained.world)["events"].assign(
        at=lambda log: log["event_time"].dt.tz_localize(None), told=lambda log: log["known_at"].dt.tz_localize(None)
    )
    key = {event.replace("_", " ") for event in night.timeline["event"]}
    assert {"pricing viewed", "feature used", "invite sent"} <= key
    assert not key & {"session start", "session end", "signup"}
    for lead in night.timeline["lead_id"].drop_duplicates().iloc[::400]:
        seen = events[(events["user_id"] == lead) & (events["at"] < night.as_of) & (events["told"] < night.as_of)].drop_duplicates(
            "event_id"
        )
        counted = seen.groupby([seen["at"].dt.strftime("%Y-%m-%d"), seen["event"].str.replace("_", " ")]).size()
        shown = [(f"{pd.Timestamp(row['day'], unit='D'):%Y-%m-%d}", row["event"], row["count"]) for row in rows_of(page, lead, "timeline")]
        assert all(counted[day, event] == count for day, event, count in shown)
        assert [day for day, _, _ in shown] == sorted((day for day, _, _ in shown), reverse=True)
