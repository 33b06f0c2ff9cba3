"""What a scored night promises: the same bytes from the same data, nobody in it who must not be, and nothing from the future."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from projects import TABLES, append, frames, merge, open_config, open_variant, read_bytes, shuffle

from pls_ml.core.errors import BundleError, ConfigError, DataError, TableError
from pls_ml.core.files import digest_files
from pls_ml.events.manifest import Manifest
from pls_ml.workflows.bundle import load_bundle
from pls_ml.workflows.score import TOO_FEW_FAMILIES


@pytest.fixture(scope="module")
def from_memory(trained, tmp_path_factory):
    """The same night from tables in memory."""
    return open_variant(trained, tmp_path_factory.mktemp("memory"), tables=trained.world.tables).score(trained.night.as_of)


@pytest.fixture(scope="module")
def with_everybody(trained, tmp_path_factory):
    """A model trained and a night scored without any exclusion, and on a larger capacity."""
    changes = {"population": {"exclude": []}, "model": {"use": "rules"}, "handoff": {"per_night": 5000}}
    project = open_config(merge(trained.config, changes), tmp_path_factory.mktemp("everybody"), data=trained.folder)
    project.train()
    return project.score(trained.night.as_of)


def find_unwanted(trained):
    """Lead id → why nobody may contact it at the night's moment, straight from the tables."""
    tables, as_of = frames(trained.world), trained.night.as_of
    users = tables["users"].assign(mail_domain=tables["users"]["email"].str.split("@").str[1])
    wins = (
        tables["opportunities"]
        .query("type == 'new'")
        .assign(closed_at=lambda t: t["closed_at"].dt.tz_localize(None), created_at=lambda t: t["created_at"].dt.tz_localize(None))
    )
    won = wins[wins["is_won"].fillna(False).astype(bool) & (wins["closed_at"] < as_of)]["account_id"]
    is_open = wins[(wins["created_at"] < as_of) & (wins["closed_at"].isna() | (wins["closed_at"] >= as_of))]["account_id"]
    active = (
        tables["suppressions"]
        .assign(start=lambda t: t["from"].dt.tz_localize(None), end=lambda t: t["until"].dt.tz_localize(None))
        .query("start <= @as_of and (end.isna() or end > @as_of)")
    )
    suppressed = users["user_id"].isin(active["lead_id"]) | users["email"].str.lower().isin(active["email"].str.lower().dropna())
    suppressed |= users["mail_domain"].str.lower().isin(active["domain"].str.lower().dropna())
    reasons = {
        "internal": users["is_internal"].fillna(False).astype(bool),
        "no contact": users["no_contact"].fillna(False).astype(bool),
        "suppressed": suppressed,
        "customer": users["account_id"].isin(won),
        "open opportunity": users["account_id"].isin(is_open),
    }
    return {reason: set(users["user_id"][found]) for reason, found in reasons.items()}


def test_the_same_night_twice_gives_the_same_bytes(trained, tmp_path):
    again = open_variant(trained, tmp_path).score(trained.night.as_of)

    assert read_bytes(again.folder) == read_bytes(trained.night.folder)


def test_another_working_directory_and_two_threads_give_the_same_bytes(trained, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    again = open_variant(trained, tmp_path, {"resources": {"threads": 2}}).score(trained.night.as_of)

    assert read_bytes(again.folder) == read_bytes(trained.night.folder)


def test_tables_in_memory_give_the_bytes_of_files(trained, from_memory):
    assert read_bytes(from_memory.folder, TABLES) == read_bytes(trained.night.folder, TABLES)


@pytest.mark.parametrize(("seed", "threads"), [(1, 1), (2, 2)])
def test_rows_in_another_order_give_the_same_bytes(trained, from_memory, tmp_path, seed, threads):
    tables = shuffle(trained.world.tables, seed)

    again = open_variant(trained, tmp_path, {"resources": {"threads": threads}}, tables=tables).score(trained.night.as_of)

    assert read_bytes(again.folder) == read_bytes(from_memory.folder)


def test_nothing_that_happens_or_becomes_known_from_the_moment_on_changes_the_night(trained, from_memory, tmp_path):
    as_of = trained.night.as_of.replace(tzinfo=UTC)
    tables = dict(trained.world.tables)
    leads, account = from_memory.scores["lead_id"].head(40), from_memory.scores["account_id"].dropna().iloc[0]
    waits = (timedelta(0), timedelta(seconds=1), timedelta(days=20), timedelta(days=-2))
    events = [
        {
            "event_id": f"new-{lead}-{wait}", "user_id": lead, "event": "pricing_viewed",
            "event_time": as_of + wait, "known_at": as_of + max(wait, timedelta(0)),
        }
        for lead in leads for wait in waits
    ]  # fmt: skip
    deal = {"opportunity_id": "new", "account_id": account, "created_at": as_of, "closed_at": as_of + timedelta(days=5), "is_won": True}
    tables["events"] = append(tables["events"], events)
    tables["users"] = append(tables["users"], [{"user_id": f"new-{n}", "email": None, "signup_at": as_of} for n in range(3)])
    tables["opportunities"] = append(tables["opportunities"], [deal | {"type": "new"}])

    again = open_variant(trained, tmp_path, tables=tables).score(trained.night.as_of)

    # The manifest names its inputs, which did change.
    assert {**read_bytes(again.folder), "manifest.json": b""} == {**read_bytes(from_memory.folder), "manifest.json": b""}


def test_an_event_just_before_the_moment_does_change_the_night(trained, from_memory, tmp_path):
    lead = from_memory.scores["lead_id"].iloc[-1]
    moment = trained.night.as_of.replace(tzinfo=UTC) - timedelta(microseconds=1)
    event = {"event_id": "new", "user_id": lead, "event": "pricing_viewed", "event_time": moment, "known_at": moment}
    tables = trained.world.tables | {"events": append(trained.world.tables["events"], [event])}

    again = open_variant(trained, tmp_path, tables=tables).score(trained.night.as_of)

    before, after = (night.scores.set_index("lead_id").loc[lead] for night in (from_memory, again))
    assert after["points"] > before["points"]
    assert after["raw_score"] > before["raw_score"]


def test_the_manifest_names_the_inputs_the_model_and_every_file_by_its_digest(trained):
    manifest = json.loads((trained.night.folder / "manifest.json").read_text(encoding="utf-8"))

    for name in TABLES:
        assert manifest["files"][name] == hashlib.sha256((trained.night.folder / name).read_bytes()).hexdigest()
    root = trained.folder
    for name in trained.world.tables.keys() - {"events"}:
        assert manifest["inputs"][name] == digest_files([root / "data" / f"{name}.parquet"], root)
    state = json.loads((trained.project.output / "state" / "manifest.json").read_text(encoding="utf-8"))["kept"]
    assert manifest["inputs"]["events"] == Manifest.model_validate(state).digest
    assert (manifest["version"], manifest["used"]) == (trained.report.version, "lightgbm")
    assert (manifest["as_of"], manifest["leads"]) == ("2024-10-27T00:00:00", len(trained.night.scores))


def test_the_files_hold_what_the_night_returned(trained):
    scores, accounts, receipts, handoffs = (pq.read_table(trained.night.folder / name).to_pandas() for name in TABLES)

    assert scores["lead_id"].tolist() == trained.night.scores["lead_id"].tolist()
    assert scores["score"].tolist() == trained.night.scores["score"].tolist()
    assert accounts["account_id"].tolist() == trained.night.accounts["account_id"].tolist()
    assert handoffs.to_dict("list") == trained.night.handoffs.to_dict("list")
    assert set(receipts["scorer"]) == {"lightgbm", "rules"}
    for name, found in trained.night.receipts.items():
        sums = receipts[receipts["scorer"] == name].groupby("lead_id")["probability"].sum().reindex(scores["lead_id"], fill_value=0.0)
        assert found.base_probability + sums.to_numpy() == pytest.approx(scores[f"score_{name}"].to_numpy(), abs=1e-9)


def test_scores_are_ranked_best_first_in_a_total_order(trained):
    scores = trained.night.scores

    assert scores["rank"].tolist() == list(range(1, len(scores) + 1))
    assert (scores["raw_score"].diff().dropna() <= 0).all()
    assert (scores["score"].diff().dropna() <= 1e-15).all()
    ties = scores["raw_score"].diff() == 0
    assert (scores["lead_id"][ties] > scores["lead_id"].shift()[ties]).all()
    assert ties.any()


def test_the_band_of_a_lead_is_that_of_its_raw_score_in_the_bundle_and_never_falls(trained):
    scores, bundle = trained.night.scores, load_bundle(trained.project)
    low, high = bundle.bands[bundle.used].at(scores["raw_score"].to_numpy())

    assert (scores["low"].tolist(), scores["high"].tolist()) == (low.tolist(), high.tolist())
    assert (scores["low"] < scores["high"]).all()
    assert (scores[["low", "high"]].diff().dropna() <= 0).all(axis=None)
    assert scores["low"].max() > 0.1


def test_everybody_who_signed_up_is_scored_or_counted_with_a_reason(trained):
    signed_up = frames(trained.world)["users"]["signup_at"].dt.tz_localize(None) < trained.night.as_of
    unwanted = find_unwanted(trained)

    assert len(trained.night.scores) + sum(trained.night.removed.values()) == signed_up.sum()
    assert set(trained.night.removed) == {
        "already a customer",
        "internal user",
        "no contact",
        "open opportunity",
        "suppressed",
        "too young",
    }
    assert trained.night.removed["internal user"] == len(unwanted["internal"] & set(frames(trained.world)["users"]["user_id"][signed_up]))


def test_nobody_who_must_not_be_contacted_is_scored_or_handed_over(trained):
    scored = set(trained.night.scores["lead_id"])

    for reason, leads in find_unwanted(trained).items():
        assert leads, reason
        assert not leads & scored, reason
    assert set(trained.night.handoffs["lead_id"]) <= scored


def test_without_exclusions_a_night_still_shows_no_barred_lead_and_hands_over_nobody_who_is_taken(trained, with_everybody):
    scored, handed = set(with_everybody.scores["lead_id"]), set(with_everybody.handoffs["lead_id"])

    for reason, leads in find_unwanted(trained).items():
        assert bool(leads & scored) == (reason in ("customer", "open opportunity")), reason
        assert not leads & handed, reason
    assert len(handed) > 200
    counted = set(with_everybody.not_handed_over) - {"suppressed"}  # those whose suppression begins later
    assert counted == {"already a customer", "open opportunity", "another lead of the account", TOO_FEW_FAMILIES}


def test_a_lead_for_whom_too_few_families_of_the_card_speak_is_not_handed_over_whichever_scorer_ranks(trained, tmp_path):
    as_of, wide = trained.night.as_of.replace(tzinfo=UTC), {"handoff": {"per_night": 5000}}
    before = open_variant(trained, tmp_path / "before", wide, tables=trained.world.tables).score(trained.night.as_of)
    silent = before.scores["lead_id"][before.scores["blocked"] == TOO_FEW_FAMILIES].tolist()
    moment = as_of - timedelta(hours=1)
    asked = {"event_id": "new", "user_id": silent[0], "event": "contact_sales", "event_time": moment, "known_at": moment}
    tables = trained.world.tables | {"events": append(trained.world.tables["events"], [asked])}

    night = open_variant(trained, tmp_path / "after", wide, tables=tables).score(trained.night.as_of)

    assert before.used == night.used == "lightgbm"
    assert set(silent) == count_few_families(trained, before)
    assert not set(silent) & set(before.handoffs["lead_id"])
    assert before.not_handed_over[TOO_FEW_FAMILIES] == len(silent) > 100
    # Who asked for sales is answered, whatever the card makes of it.
    assert night.scores.set_index("lead_id").loc[silent[0], ["bucket", "blocked"]].tolist() == ["hand_raiser", pd.NA]


def count_few_families(trained, night):
    """Leads of a night for whom fewer than two families give points, counted row by row, and nothing else is in the way."""
    table = trained.project.signals(night.as_of).to_frame().set_index("lead_id")
    card = trained.project.card()
    speaking = {row.family: np.zeros(len(table), dtype=bool) for row in card.rows}
    for row in card.rows:
        speaking[row.family] |= row.points(table) > 0
    few = table.index[(np.sum(list(speaking.values()), axis=0) < 2) & ~(table["sales_contacts_30d"] >= 1)]
    other = night.scores["lead_id"][night.scores["blocked"].notna() & (night.scores["blocked"] != TOO_FEW_FAMILIES)]
    return set(few) & set(night.scores["lead_id"]) - set(other)


@pytest.mark.parametrize("which", ["trained", "with_everybody"])
def test_every_lead_is_handed_over_or_counted_with_a_reason(which, trained, with_everybody):
    night = trained.night if which == "trained" else with_everybody

    assert len(night.handoffs) + sum(night.not_handed_over.values()) == len(night.scores)


def test_at_most_the_capacity_is_handed_over_and_one_lead_per_account(trained):
    handoffs, scores = trained.night.handoffs, trained.night.scores

    assert len(handoffs) == trained.project.config.handoff.per_night == 20
    assert handoffs["account_key"].is_unique
    assert handoffs["position"].tolist() == list(range(1, 21))
    best = scores.drop_duplicates("account_key").head(20)
    assert handoffs["lead_id"].tolist() == best["lead_id"].tolist()


def test_a_smaller_capacity_takes_the_best_of_them(trained, tmp_path):
    night = open_variant(trained, tmp_path, {"handoff": {"per_night": 3}}).score(trained.night.as_of)

    assert night.handoffs["lead_id"].tolist() == trained.night.handoffs["lead_id"].head(3).tolist()
    assert night.not_handed_over["over capacity"] == trained.night.not_handed_over["over capacity"] + 17


def test_a_night_reads_its_parameters_from_the_bundle_and_not_from_the_file(trained, tmp_path):
    changes = {
        "horizon": {"horizon_days": 14, "gap_days": 0},
        "population": {"min_age_days": 60, "min_events": 40, "exclude": []},
        "signals": {"drop": ["age_days", "employees", "icp_match", "lone_user", "only_free_features", "dau_mau"], "grain": "hour"},
        "spine": {"kind": "age", "after": "14d"},
        "outcome": {"kind": "opportunities", "type": "expansion"},
        "scorecard": None,
    }

    night = open_variant(trained, tmp_path, changes).score(trained.night.as_of)

    assert read_bytes(night.folder) == read_bytes(trained.night.folder)


def test_the_default_moment_is_the_end_of_the_data(trained, tmp_path):
    night = open_variant(trained, tmp_path).score()

    assert night.as_of == datetime(2024, 12, 26)
    assert night.folder.name == "as_of=2024-12-26"


def test_a_moment_with_a_time_zone_is_that_moment(trained, tmp_path):
    east = datetime(2024, 10, 27, 5, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))

    night = open_variant(trained, tmp_path).score(east)

    assert read_bytes(night.folder) == read_bytes(trained.night.folder)


@pytest.mark.parametrize(
    ("as_of", "error", "message"),
    [
        (datetime(2023, 12, 1), TableError, r"as_of 2023-12-01 lies before the first event \(2024-01-01\)"),
        (datetime(2025, 3, 1), TableError, r"as_of 2025-03-01 lies after the end of the data \(2024-12-26\)"),
        (datetime(2024, 10, 27, 13), ConfigError, "as_of 2024-10-27 13:00 is no whole day: choose one, or a finer `signals.grain`"),
        (datetime(2024, 1, 3), DataError, r"no lead is eligible at 2024-01-03 \(.*too young: \d+.*choose another `as_of`"),
    ],
)
def test_a_moment_that_cannot_be_scored_is_refused(trained, as_of, error, message):
    with pytest.raises(error, match=message):
        trained.project.score(as_of)


@pytest.mark.parametrize(
    ("table", "column", "message"),
    [
        ("events", "topic", r"these data lack signals of model m-\w+: 'billing_questions' \(events have no property 'topic'"),
        ("events", "tier", r"'premium_features' \(events have no property 'tier'; .*'premium_uses' .*and \d+ more"),
        ("users", "seniority", r"'seniority' \(`users` has no value in column 'seniority'\); restore what is missing, or train again"),
        ("accounts", "industry", r"'industry' .*'target_industry' \(reads 'industry', which is not computable\)"),
    ],
)
def test_data_that_lack_a_signal_of_the_model_are_refused_and_not_guessed(trained, tmp_path, table, column, message):
    tables = dict(trained.world.tables)
    tables[table] = tables[table].drop_columns([column])
    project = open_variant(trained, tmp_path, tables=tables)

    with pytest.raises(BundleError, match=message):
        project.score(trained.night.as_of)
    with pytest.raises(BundleError, match=message):
        project.explain(trained.night.scores["lead_id"].iloc[0], trained.night.as_of)
    assert not (project.output / "nights").exists()


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ("events", TableError, "the event log is empty: expected at least one row"),
        ("users", TableError, r"of 283,488 events \(100%\) are unusable"),
        ("accounts", BundleError, "these data lack signals of model"),
        ("opportunities", TableError, "no opportunity has type 'new': the table has none"),
    ],
)
def test_an_empty_table_ends_in_a_named_condition(trained, tmp_path, table, error, message):
    tables = trained.world.tables | {table: trained.world.tables[table].slice(0, 0)}

    with pytest.raises(error, match=message):
        open_variant(trained, tmp_path, tables=tables).score(trained.night.as_of)


def test_an_industry_that_training_never_saw_is_scored(trained, tmp_path):
    accounts = trained.world.tables["accounts"]
    unseen = pa.array(["asteroid mining"] * accounts.num_rows)
    tables = trained.world.tables | {"accounts": accounts.set_column(accounts.column_names.index("industry"), "industry", unseen)}

    night = open_variant(trained, tmp_path, tables=tables).score(trained.night.as_of)

    assert night.scores["score"].between(0, 1).all()
    assert len(night.scores) == len(trained.night.scores)


def test_a_night_prints_and_serialises(trained):
    night = trained.night

    text, data = night.to_text(), json.loads(json.dumps(night.to_dict(), allow_nan=False))

    assert text.startswith(f"{len(night.scores):,} leads scored at 2024-10-27 by lightgbm {night.version} (left out: already a customer: ")
    assert len(text.splitlines()) == 2 + 10 + 2 + 1
    assert data["leads"] == len(night.scores)
    assert [handoff["lead_id"] for handoff in data["handoffs"]] == night.handoffs["lead_id"].tolist()


def test_points_and_bands_are_the_cards_beside_the_model(trained):
    scores = trained.night.scores

    assert scores["points"].between(-55, 325).all()
    assert set(scores["band"]) <= {"Hot", "Warm", "Emerging", "Not a PQL"}
    assert (scores["points"][scores["band"] == "Hot"] >= 80).all()
    by_points = scores.groupby("points")["score_rules"].agg(["min", "max"])
    assert (by_points["max"] - by_points["min"]).max() < 1e-12
    assert by_points["max"].is_monotonic_increasing
