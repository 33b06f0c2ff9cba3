"""A night's accounts: points recounted one by one from the log, nobody in them who must not be, and idle users without effect."""

import json
from datetime import UTC, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from projects import append, frames, open_variant, shuffle

from pls_ml.accounts.buckets import BUCKETS
from pls_ml.core.errors import ConfigError
from pls_ml.workflows.accounts import score_accounts
from pls_ml.workflows.bundle import load_bundle
from pls_ml.workflows.data import load_data

FILE = "accounts.parquet"
SIGNALS = {"active_users": 20, "departments": 20, "growing": 20, "workspaces": 20, "executives": 10}


@pytest.fixture(scope="module")
def from_memory(trained, tmp_path_factory):
    """The night from tables in memory."""
    return open_variant(trained, tmp_path_factory.mktemp("accounts-memory"), tables=trained.world.tables).score(trained.night.as_of)


@pytest.fixture(scope="module")
def people(trained, tmp_path_factory):
    """Every user who is not internal with every signal and the card's points at the night's moment, eligible as a lead or not."""
    everybody = {"population": {"min_age_days": 0, "min_events": 0, "exclude": []}}
    project = open_variant(trained, tmp_path_factory.mktemp("people"), everybody)
    table = project.signals(trained.night.as_of).to_frame()
    card = trained.project.card()
    points = pd.DataFrame(card.score_leads(table).row_points, columns=[row.id for row in card.rows])
    return table.join(points.add_prefix("row_"))


def count_active(trained, until):
    """Account → users with an event in the thirty days before a moment, straight from the log."""
    tables = frames(trained.world)
    events = tables["events"].assign(at=lambda t: t["event_time"].dt.tz_localize(None), known=lambda t: t["known_at"].dt.tz_localize(None))
    users = tables["users"][~tables["users"]["is_internal"].fillna(False).astype(bool)].dropna(subset="account_id")
    seen = events[(events["at"] >= until - timedelta(days=30)) & (events["at"] < until) & (events["known"] < until)]
    return users[users["user_id"].isin(seen["user_id"])]["account_id"].value_counts()


def expect_points(trained, people, account):
    """An account's points, one user after the other."""
    card, members = trained.project.card(), people[people["account_id"] == account]
    own = [f"row_{row.id}" for row in card.rows if row.scope == "user" and row.id != "lone_user"]
    whole = [f"row_{row.id}" for row in card.rows if row.scope == "account"]
    total = sum(max(0, int(member[own].sum())) for _, member in members.iterrows() if member["events_30d"] >= 1)
    return total + int(members.iloc[0][whole].sum())


def test_the_points_of_users_and_of_the_card_are_those_counted_one_by_one(trained, people):
    accounts = trained.night.accounts
    chosen = pd.concat([accounts.head(25), accounts.iloc[25:].sample(25, random_state=1)])

    counted = [expect_points(trained, people, account) for account in chosen["account_id"]]

    lines = [name for name in accounts.columns if name.startswith("points_") and not name.startswith("points_account_")]
    assert chosen[lines].sum(axis=1).tolist() == counted
    assert len(set(counted)) > 15


def test_signals_of_the_account_are_those_counted_in_the_log(trained):
    accounts, as_of = trained.night.accounts.set_index("account_id"), trained.night.as_of
    now, week, month = (count_active(trained, as_of - timedelta(days=days)).reindex(accounts.index, fill_value=0) for days in (0, 7, 30))

    growing = ((now - month >= 2) & (now >= 1.25 * month)) | (now - week >= 5)

    assert accounts["account_active_users_30d"].tolist() == now.tolist()
    assert (accounts["points_account_active_users"] == 20 * (now >= 5)).all()
    assert (accounts["points_account_growing"] == 20 * growing).all()
    assert growing.any()
    assert (accounts["points_account_departments"] == 20 * (accounts["account_departments_30d"] >= 2)).all()
    assert (accounts["points_account_executives"] == 10 * (accounts["account_executives_30d"] >= 1)).all()
    assert (accounts["points_account_workspaces"] == 0).all()  # there is no such table


def test_parts_sum_exactly_to_the_score_and_no_account_comes_twice(trained):
    accounts = trained.night.accounts
    parts = accounts[[name for name in accounts.columns if name.startswith("points_")]]

    assert (parts.sum(axis=1) == accounts["score"]).all()
    assert {f"points_account_{name}" for name in SIGNALS} <= set(parts.columns)
    assert accounts["account_id"].is_unique
    assert accounts["score"].dtype == np.int64


def test_accounts_are_ranked_by_tier_and_points_in_a_total_order(trained):
    accounts = trained.night.accounts

    expected = accounts.sort_values(["tier", "score", "account_id"], ascending=[True, False, True])
    assert accounts["account_id"].tolist() == expected["account_id"].tolist()
    assert accounts["rank"].tolist() == list(range(1, len(accounts) + 1))


def test_every_account_with_a_lead_or_an_active_user_is_shown_and_customers_are_not(trained):
    tables, as_of = frames(trained.world), trained.night.as_of
    deals = tables["opportunities"].query("type == 'new'")
    customers = set(deals[deals["is_won"].fillna(False).astype(bool) & (deals["closed_at"].dt.tz_localize(None) < as_of)]["account_id"])
    leads = set(trained.night.scores["account_id"].dropna())
    shown = set(trained.night.accounts["account_id"])

    assert customers
    assert not shown & customers
    assert leads < shown
    assert shown - leads <= set(count_active(trained, as_of).index)
    hidden = set(count_active(trained, as_of).index) - shown - customers
    unreachable = tables["users"][tables["users"]["account_id"].isin(hidden)]
    suppressed = tables["suppressions"]["domain"].dropna()
    addressed = tables["suppressions"]["email"].dropna()
    barred = unreachable["no_contact"] | unreachable["email"].str.split("@").str[1].isin(suppressed) | unreachable["email"].isin(addressed)
    barred |= unreachable["user_id"].isin(tables["suppressions"]["lead_id"]) | unreachable["is_internal"]
    barred |= unreachable["signup_at"].dt.tz_localize(None) >= as_of
    assert barred.all()


def test_leads_are_counted_in_their_accounts_by_bucket(trained):
    night = trained.night
    scores, accounts = night.scores, night.accounts.set_index("account_id")

    assert set(scores["bucket"]) <= set(BUCKETS)
    assert night.buckets == {name: int((scores["bucket"] == name).sum()) for name in BUCKETS}
    assert min(night.buckets[name] for name in ("hand_raiser", "pql", "pqa", "none")) > 0
    in_account = scores.dropna(subset="account_id")
    for column, bucket in (("hand_raisers", "hand_raiser"), ("pqls", "pql"), ("pqas", "pqa")):
        counted = in_account[in_account["bucket"] == bucket]["account_id"].value_counts().reindex(accounts.index, fill_value=0)
        assert accounts[column].tolist() == counted.tolist()
    assert accounts["leads"].sum() == len(in_account)


def test_a_lead_is_in_the_bucket_that_its_events_its_band_and_its_account_say(trained):
    scores, as_of = trained.night.scores.set_index("lead_id"), trained.night.as_of
    events = frames(trained.world)["events"]
    times = {name: events[name].dt.tz_localize(None) for name in ("event_time", "known_at")}
    recent = (times["event_time"] >= as_of - timedelta(days=30)) & (times["event_time"] < as_of) & (times["known_at"] < as_of)
    asked = scores.index.isin(events[recent & (events["event"] == "contact_sales")]["user_id"])
    qualified = trained.night.accounts.query("qualified")["account_id"]

    expected = np.select(
        [asked, scores["band"].isin(["Hot", "Warm"]), scores["account_id"].isin(qualified)], ["hand_raiser", "pql", "pqa"], "none"
    )

    assert scores["bucket"].tolist() == expected.tolist()


def test_the_motion_follows_from_the_segment(trained):
    motions = {"enterprise": "sales_led", "mid_market": "sales_assist", "smb": "self_serve", "consumer": "self_serve"}

    for table in (trained.night.scores, trained.night.accounts):
        assert table["motion"].tolist() == [motions[segment] for segment in table["segment"]]
    assert set(trained.night.scores["segment"]) == set(motions)
    assert "consumer" not in set(trained.night.accounts["segment"])


def test_an_open_opportunity_says_what_the_account_is_worth(trained):
    accounts, as_of = trained.night.accounts.set_index("account_id"), trained.night.as_of
    deals = frames(trained.world)["opportunities"]
    begun, ended = deals["created_at"].dt.tz_localize(None) < as_of, deals["closed_at"].dt.tz_localize(None) < as_of
    amounts = deals[begun & ~ended].groupby("account_id")["amount"].max().reindex(accounts.index)

    assert amounts.notna().any()
    pd.testing.assert_series_equal(accounts["estimated_acv"], amounts, check_names=False)


def test_a_buyer_is_known_where_a_reachable_user_has_the_seniority(trained):
    accounts, as_of = trained.night.accounts.set_index("account_id"), trained.night.as_of
    users = frames(trained.world)["users"]
    able = users["seniority"].isin(["director", "vp", "c_level"]) & (users["signup_at"].dt.tz_localize(None) < as_of)
    open_to_contact = able & ~users["no_contact"] & ~users["is_internal"]

    assert set(accounts.index[accounts["buyer_known"]]) <= set(users[open_to_contact]["account_id"])
    assert 0 < accounts["buyer_known"].mean() < 1
    lost = accounts["qualified"] & ~accounts["buyer_known"]
    assert set(accounts["play"][lost]) <= {"find the buyer"}
    assert not (accounts["play"][~lost] == "find the buyer").any()
    assert trained.night.scored_accounts.without_buyer == lost.sum()


def test_tiers_and_cells_follow_from_what_the_row_shows(trained):
    accounts, rules = trained.night.accounts, trained.project.account_rules()
    users, departments = accounts["account_active_users_30d"], accounts["account_departments_30d"]
    icp, score = accounts["icp_match"] == 1, accounts["score"]

    tier = np.select(
        [(users >= 10) & (departments >= 2) & icp & (score > 150), (users >= 5) & (score >= 80), (users >= 2) & (score >= 40)],
        [1, 2, 3],
        default=4,
    )
    assert accounts["tier"].tolist() == tier.tolist()
    assert set(tier) >= {2, 3, 4}
    high_fit, high_usage = accounts["fit"] >= rules.matrix.fit, accounts["usage"] >= rules.matrix.usage
    cells = np.select([high_fit & high_usage, high_fit, high_usage], ["hot", "develop", "self_serve"], default="deprioritise")
    assert accounts["cell"].tolist() == cells.tolist()
    usage = (30 * accounts["breadth"] + 25 * accounts["depth"] + 20 * accounts["momentum"]) / 75
    assert accounts["usage"].to_numpy() == pytest.approx(usage.to_numpy())


def test_idle_users_change_no_score_no_tier_and_no_dimension(trained, from_memory, tmp_path):
    as_of = trained.night.as_of.replace(tzinfo=UTC)
    accounts = from_memory.accounts
    lone = accounts[accounts["users"] == 1]["account_id"].head(30)
    others = accounts[accounts["users"].between(2, 9)]["account_id"].head(30)  # a team of more than ten is another segment
    ages = (timedelta(hours=1), timedelta(days=3), timedelta(days=20), timedelta(days=200))
    idle = [
        {"user_id": f"idle-{account}-{n}", "account_id": account, "email": None, "signup_at": as_of - ages[n % 4], "invited_by": None,
         "is_internal": False, "no_contact": False, "seniority": None, "role": None}
        for place, account in enumerate([*lone, *others]) for n in range(place, place + 1)
    ]  # fmt: skip
    tables = trained.world.tables | {"users": append(trained.world.tables["users"], idle)}

    again = open_variant(trained, tmp_path, tables=tables).score(trained.night.as_of)

    before, after = (night.accounts.set_index("account_id") for night in (from_memory, again))
    counted = ["users", "leads", "hand_raisers", "pqls", "pqas", "team_size"]  # a lead that is no longer alone may get another band
    kept = [name for name in before.columns if name not in counted]
    pd.testing.assert_frame_equal(after[kept], before[kept])
    assert (after["users"] - before["users"]).sum() == len(idle) == 60
    assert trained.night.scored_accounts.left_out == ("lone_user",)


def test_rows_in_another_order_and_two_threads_give_the_same_bytes(trained, from_memory, tmp_path):
    tables = shuffle(trained.world.tables, 3)

    again = open_variant(trained, tmp_path, {"resources": {"threads": 2}}, tables=tables).score(trained.night.as_of)

    assert (again.folder / FILE).read_bytes() == (from_memory.folder / FILE).read_bytes() == (trained.night.folder / FILE).read_bytes()


def test_nothing_that_happens_or_becomes_known_from_the_moment_on_changes_an_account(trained, from_memory, tmp_path):
    as_of = trained.night.as_of.replace(tzinfo=UTC)
    tables, leads = dict(trained.world.tables), from_memory.scores.dropna(subset="account_id").head(30)
    later = [
        {"event_id": f"{lead}-{days}", "user_id": lead, "event": "contact_sales", "event_time": as_of + timedelta(days=days),
         "known_at": as_of + timedelta(days=max(days, 0))}
        for lead in leads["lead_id"] for days in (-40, -2, 0, 5)
    ]  # fmt: skip
    deals = [
        {
            "opportunity_id": f"new-{account}",
            "account_id": account,
            "created_at": as_of,
            "closed_at": None,
            "amount": 90_000.0,
            "type": "new",
        }
        for account in leads["account_id"].unique()
    ]
    joined = {"user_id": "late", "account_id": leads["account_id"].iloc[0], "email": None, "signup_at": as_of, "seniority": "c_level"}
    tables["events"] = append(tables["events"], later)
    tables["opportunities"] = append(tables["opportunities"], deals)
    tables["users"] = append(tables["users"], [joined])

    again = open_variant(trained, tmp_path, tables=tables).score(trained.night.as_of)

    assert (again.folder / FILE).read_bytes() == (from_memory.folder / FILE).read_bytes()


def test_an_account_that_nobody_may_contact_is_not_shown_while_one_silent_user_still_counts(trained, from_memory, tmp_path):
    accounts = from_memory.accounts
    several = accounts[(accounts["active_users"] >= 2) & ~accounts["buyer_known"]]["account_id"]
    closed, partly = several.iloc[0], several.iloc[1]
    table = trained.world.tables["users"]
    users = table.to_pandas()
    silent = users["account_id"].eq(closed) | users["user_id"].eq(users[users["account_id"] == partly]["user_id"].iloc[0])
    barred = pa.array(users["no_contact"] | silent)
    tables = trained.world.tables | {"users": table.set_column(table.column_names.index("no_contact"), "no_contact", barred)}

    again = open_variant(trained, tmp_path, tables=tables).score(trained.night.as_of).accounts.set_index("account_id")

    before = accounts.set_index("account_id")
    assert closed in before.index
    assert closed not in again.index
    assert again.loc[partly, "score"] == before.loc[partly, "score"]
    assert again.loc[partly, "leads"] <= before.loc[partly, "leads"]


def test_growth_is_not_guessed_where_the_log_is_too_young_to_compare(trained, tmp_path):
    early = open_variant(trained, tmp_path).score(trained.night.as_of.replace(month=2, day=15))

    absent = set(early.scored_accounts.absent)
    assert {"net_users_30d", "net_growth_30d"} <= absent
    assert not {"net_users_7d", "net_growth_7d"} & absent
    assert "net_users_30d" in early.accounts["not_known"].iloc[0]


def test_the_accounts_are_on_disk_in_the_manifest_in_the_text_and_in_json(trained):
    night, scored = trained.night, trained.night.scored_accounts
    written = pq.read_table(night.folder / FILE).to_pandas()
    manifest = json.loads((night.folder / "manifest.json").read_text(encoding="utf-8"))
    data = json.loads(json.dumps(night.to_dict(), allow_nan=False))

    assert written["account_id"].tolist() == night.accounts["account_id"].tolist()
    assert written["score"].tolist() == night.accounts["score"].tolist()
    assert FILE in manifest["files"]
    assert manifest["accounts"] == data["accounts"] == scored.to_dict()
    assert manifest["buckets"] == data["buckets"] == night.buckets
    assert sum(data["accounts"]["tiers"].values()) == data["accounts"]["accounts"] == len(night.accounts)
    assert [
        sum(row[c] for c in ("hot", "develop", "self_serve", "deprioritise", "unknown")) for row in data["accounts"]["cells_by_cut"]
    ] == [len(night.accounts)] * 9
    counts = night.accounts["tier"].value_counts()
    tiers = f"Enterprise {counts.get(1, 0)}, Mid-market {counts[2]}, SMB {counts[3]}, Individual {counts[4]}"
    line = f"accounts: {len(night.accounts)} ({tiers}); qualified ones without a known buyer: {scored.without_buyer}"
    assert line in night.to_text().splitlines()
    assert "not known of accounts: account_workspaces_lifetime, target_tech_stack, limit_use" in night.to_text().splitlines()
    assert "named account executive" in scored._repr_html_()


def test_rules_that_ask_an_account_for_a_signal_of_one_person_are_refused(trained):
    bundle = load_bundle(trained.project)
    rules = trained.project.account_rules()
    wrong = rules.model_copy(update={"growth": rules.growth.model_copy(update={"of": "events_30d"})})

    with pytest.raises(ConfigError, match=r"the account rules ask for 'events_30d', a signal of one person.*with `scope: account`"):
        score_accounts(trained.project, bundle, load_data(trained.project, bundle.catalogue), trained.night.as_of, wrong)
