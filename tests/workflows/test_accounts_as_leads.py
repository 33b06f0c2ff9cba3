"""A project of accounts: the same commands, with whole accounts as leads."""

import json
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from projects import TABLES, Trained, frames, merge, open_config, open_variant, read_bytes, read_demo, shuffle

from pls_ml.core.errors import ConfigError, TableError, UnknownLeadError
from pls_ml.synthetic import WorldSpec, generate_world, write_world
from pls_ml.workflows.bundle import load_bundle
from pls_ml.workflows.training_rows import load_training_rows

AS_OF = datetime(2024, 1, 1) + timedelta(days=300)
EVERYBODY = {"population": {"min_age_days": 0, "min_events": 0, "exclude": []}}


@pytest.fixture(scope="module")
def of_accounts(tmp_path_factory) -> Trained:
    folder = tmp_path_factory.mktemp("accounts")
    world = generate_world(WorldSpec(accounts=700, days=360, seed=8, events_per_user_scale=0.3, conversion_intercept=-6.5))
    write_world(world, folder / "data")
    config = read_demo(unit="account", model={"use": "logistic"})
    project = open_config(config, folder)
    report = project.train()
    return Trained(world, folder, config, project, report, project.score(AS_OF))


@pytest.fixture(scope="module")
def customers(of_accounts) -> pd.DataFrame:
    """Users with an account who had signed up, our own people left out."""
    users = frames(of_accounts.world)["users"]
    signed_up = users["signup_at"].dt.tz_localize(None) < AS_OF
    return users[signed_up & ~users["is_internal"].fillna(False).astype(bool) & users["account_id"].notna()]


def test_every_account_with_a_user_is_scored_or_left_out_for_a_reason(of_accounts, customers):
    night = of_accounts.night

    assert len(night.scores) + sum(night.removed.values()) == customers["account_id"].nunique()
    assert set(night.scores["lead_id"]) <= set(customers["account_id"])
    assert {"already a customer", "open opportunity", "suppressed"} <= set(night.removed)
    assert not {"internal user", "no contact"} & set(night.removed)


def test_a_lead_is_its_account_and_is_shown_by_its_name(of_accounts):
    scores, accounts = of_accounts.night.scores, frames(of_accounts.world)["accounts"]

    assert (scores["lead_id"] == scores["account_id"]).all()
    assert (scores["lead_id"] == scores["account_key"]).all()
    assert scores["lead_id"].is_unique
    assert scores["account_name"].tolist() == accounts.set_index("account_id")["name"].loc[scores["lead_id"]].tolist()
    assert set(scores["segment"]) <= {"enterprise", "mid_market", "smb"}
    assert set(of_accounts.night.handoffs["lead_id"]) <= set(scores["lead_id"])
    assert len(of_accounts.night.handoffs) == 20


def test_an_account_has_what_its_users_have_together(of_accounts, tmp_path):
    alone, together = (
        open_config(merge(of_accounts.config, EVERYBODY | {"unit": unit}), tmp_path / unit, data=of_accounts.folder)
        .signals(AS_OF)
        .to_frame()
        .set_index("lead_id")
        for unit in ("user", "account")
    )
    counted = ["events_30d", "feature_uses_7d", "invites_lifetime", "pricing_views_30d", "minutes_30d"]
    team = alone.dropna(subset="account_id").groupby("account_id")
    same = together.index

    pd.testing.assert_frame_equal(team[counted].sum().loc[same], together[counted], check_names=False)
    assert (team["days_since_last"].min().loc[same].fillna(-1) - together["days_since_last"].fillna(-1)).abs().max() < 1e-9
    assert (team["age_days"].max().loc[same] - together["age_days"]).abs().max() < 1e-9
    assert (team["features_30d"].max().loc[same] <= together["features_30d"]).all()
    assert (team["features_30d"].sum().loc[same] >= together["features_30d"]).all()
    assert (together["features_30d"] > team["features_30d"].max().loc[same]).any()


def test_the_accounts_of_the_night_are_known_as_well_as_where_users_are_the_leads(of_accounts, trained):
    of_users = trained.night.accounts.set_index("account_id")
    night = of_accounts.night.accounts.set_index("account_id")
    both = night.index.intersection(of_users.index)
    same = [name for name in night.columns if name.startswith("account_") and name != "account_name"]

    # One world, one moment: what is not known of accounts does not depend on what the leads are.
    assert of_accounts.night.scored_accounts.absent == trained.night.scored_accounts.absent
    assert {"account_active_users_30d", "account_feature_uses_30d", "account_pricing_views_30d", "account_enterprise_requests_90d"} <= {
        *same
    }
    assert len(both) > 100
    pd.testing.assert_frame_equal(night.loc[both, same], of_users.loc[both, same])


def test_an_account_is_won_when_it_wins_a_new_deal_in_the_horizon(of_accounts):
    _, _, rows, counts = load_training_rows(of_accounts.project)
    deals = frames(of_accounts.world)["opportunities"].query("type == 'new'")
    won = deals[deals["is_won"].fillna(False).astype(bool)].assign(closed_at=lambda t: t["closed_at"].dt.tz_localize(None))
    closed = {account: times.to_numpy("datetime64[us]") for account, times in won.groupby("account_id")["closed_at"]}
    day, none = np.timedelta64(1, "D"), np.array([], dtype="datetime64[us]")

    expected = [
        int(((closed.get(account, none) >= as_of + day) & (closed.get(account, none) < as_of + 91 * day)).any())
        for account, as_of in zip(rows.accounts, rows.as_of, strict=True)
    ]

    assert rows.labels.tolist() == expected
    assert 20 < counts.positives < counts.rows / 2


def test_no_account_is_in_training_and_in_test(of_accounts):
    split = of_accounts.report.split

    assert of_accounts.report.comparison.accounts == split["test_accounts"]
    assert 0 < split["test_accounts"] < 700


def test_the_same_tables_in_any_order_give_the_same_model_and_the_same_night(of_accounts, tmp_path):
    tables = shuffle(of_accounts.world.tables, seed=3)
    project = open_config(merge(of_accounts.config, {"resources": {"threads": 2}}), tmp_path, tables=tables)
    project.train()

    first, again = load_bundle(of_accounts.project), load_bundle(project)

    assert {name: s.to_dict() for name, s in again.scorers.items()} == {name: s.to_dict() for name, s in first.scorers.items()}
    assert again.catalogue == first.catalogue
    assert read_bytes(project.score(AS_OF).folder, TABLES) == read_bytes(of_accounts.night.folder, TABLES)


def test_one_account_alone_gets_the_receipts_of_the_night(of_accounts):
    scores = of_accounts.night.scores
    for lead in scores["lead_id"].iloc[[0, len(scores) // 2, -1]]:
        found = of_accounts.project.explain(lead, AS_OF)

        for name, receipt in found.receipts.items():
            of_night = of_accounts.night.receipts[name].one(lead)
            assert [(x.signal, x.value) for x in receipt.lines] == [(x.signal, x.value) for x in of_night.lines]
            assert receipt.score == pytest.approx(of_night.score, abs=1e-12)


def test_reasons_speak_of_the_account(of_accounts):
    receipts = of_accounts.night.receipts[of_accounts.night.used]
    labels = {signal.id: signal.label for signal in receipts.signals}

    assert labels["pricing_views"] == "pricing page views in the account"
    assert labels["account_active_users"] == "active users in the account"
    assert labels["lone_user"] == "alone in the account and nobody invited after 30 days"
    compared = [said for said in of_accounts.night.reasons["sentence"] if " than " in said]
    assert compared
    assert {said.rsplit(" ", 1)[1] for said in compared} == {"accounts"}


def test_the_night_has_a_page(of_accounts):
    page = of_accounts.project.report(AS_OF)

    assert page.parent == of_accounts.night.folder
    assert f"{len(of_accounts.night.scores):,}" in page.read_text(encoding="utf-8")


def test_the_model_remembers_what_its_leads_are(of_accounts, tmp_path):
    night = open_variant(of_accounts, tmp_path, {"unit": "user"}).score(AS_OF)

    assert read_bytes(night.folder) == read_bytes(of_accounts.night.folder)


def test_a_suppressed_domain_leaves_its_account_out_and_one_who_wants_no_contact_does_not(of_accounts, customers):
    tables, scored = frames(of_accounts.world), set(of_accounts.night.scores["lead_id"])
    listed = tables["suppressions"].assign(start=lambda t: t["from"].dt.tz_localize(None), end=lambda t: t["until"].dt.tz_localize(None))
    active = listed.query("start <= @AS_OF and (end.isna() or end > @AS_OF)")
    accounts = tables["accounts"]
    barred = set(accounts["account_id"][accounts["domain"].str.lower().isin(active["domain"].dropna().str.lower())])

    assert barred
    assert not barred & scored
    assert set(customers["account_id"][customers["no_contact"].fillna(False).astype(bool)]) & scored
    assert set(customers["account_id"][customers["user_id"].isin(active["lead_id"])]) - barred


def test_a_check_says_what_an_account_has_not(of_accounts, tmp_path):
    found = open_variant(of_accounts, tmp_path).check()
    users = frames(of_accounts.world)["users"]
    alone = users["account_id"].isna() & ~users["is_internal"].fillna(False).astype(bool)

    assert found.users_without_account == alone.sum()
    assert f"users that belong to none, and so to no lead: {alone.sum():,}" in found.to_text()
    assert found.not_computable["seniority"].startswith("the leads are accounts, and `users.seniority` belongs to one person")
    assert found.not_computable["own_share"].startswith("reads 'account_feature_uses_30d'")
    assert found.labels == of_accounts.report.labels
    assert json.loads(json.dumps(found.to_dict()))["card_rows_missing"] == []


def test_signals_are_listed_shown_covered_and_compiled(of_accounts, tmp_path):
    project = open_variant(of_accounts, tmp_path)

    assert "✓ pricing_views" in project.list_signals().to_text()
    shown = project.show_signal("pricing_views")
    assert shown.signal.label == "pricing page views in the account"
    assert {"users.account_id", "events.account_id"} <= set(shown.lineage["pricing_views"].columns)
    assert "pricing_views_30d" in project.cover_signals().to_text()
    for dialect in ("duckdb", "snowflake"):
        assert "user_versions" in project.compile_signals(dialect, AS_OF).sql


def test_a_user_is_no_lead(of_accounts, customers):
    user = customers["user_id"].iloc[0]

    with pytest.raises(UnknownLeadError, match=rf"no lead '{user}' among \d+ accounts"):
        of_accounts.project.explain(user, AS_OF)


def test_a_project_of_accounts_without_any_is_refused_with_the_next_step(of_accounts, tmp_path):
    alone = of_accounts.world.tables["users"].drop_columns(["account_id", "email"])
    tables = dict(of_accounts.world.tables) | {"users": alone}

    with pytest.raises(TableError, match="`unit: account`, but no user who signed up belongs to an account"):
        open_config(of_accounts.config, tmp_path, tables=tables).train()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"outcome": {"kind": "opportunities", "level": "user"}}, r"`unit: account` needs an outcome of accounts.*kind 'opportunities'"),
        ({"outcome": {"kind": "activity", "days": 3, "within_days": 7}}, r"\(kind 'activity'\) is one of users: use `level: account`"),
        ({"spine": {"kind": "order", "column": "number"}}, "`unit: account` needs leads in time, and `spine.kind: order` lists users"),
        ({"unit": "acount"}, r"unit.*'user' or 'account'"),
    ],
)
def test_what_does_not_go_with_accounts_is_refused(of_accounts, tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        open_config(merge(of_accounts.config, changes), tmp_path)


def test_a_catalogue_file_does_not_say_what_the_leads_are(of_accounts, tmp_path):
    signal = {"id": "all", "family": "x", "label": "x", "measure": {"kind": "count"}, "windows": ["7d"]}
    (tmp_path / "own.yaml").write_text(json.dumps({"unit": "account", "signals": [signal]}), encoding="utf-8")
    project = open_config(merge(of_accounts.config, {"signals": {"catalogue": "own.yaml"}}), tmp_path, data=of_accounts.folder)

    with pytest.raises(ConfigError, match=r"catalogue 'own.yaml' has `unit: account`, which only a project has"):
        project.list_signals()
