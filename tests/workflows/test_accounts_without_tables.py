"""Accounts of projects that lack a table, a column, a card, accounts or time itself: named, never guessed."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from projects import FAST, merge, open_config, read_demo

from pls_ml.synthetic import WorldSpec, generate_world

MOMENT = datetime(2024, 1, 1) + timedelta(days=230)
SPEC = WorldSpec(accounts=250, days=280, seed=3, conversion_intercept=-5, events_per_user_scale=0.2)
CONFIG = {
    "horizon": {"horizon_days": 30},
    "handoff": {"require_suppressions": False},
    "split": {"test_share": 0.35, "account_share": 0.4},
    "model": {"use": "logistic", "resamples": 100},
}


def train_and_score(folder, tables, notes=None, **changes):
    """The night of a project with these tables and no others."""
    config = read_demo(**CONFIG)
    config["data"] = {name: {} for name in tables}
    project = open_config(merge(config, changes), folder, tables=tables)
    if notes is not None:
        project.progress.note = notes.append
    project.train()
    return project.score(MOMENT)


@pytest.fixture(scope="module")
def world():
    return generate_world(SPEC).tables


@pytest.fixture(scope="module")
def bare(world, tmp_path_factory):
    """A night without accounts, suppressions and subscriptions tables, and without anything on who the users are."""
    tables = {name: world[name] for name in ("events", "users", "opportunities")}
    tables["users"] = tables["users"].drop_columns(["department", "seniority", "role", "title"])
    return train_and_score(tmp_path_factory.mktemp("bare"), tables)


@pytest.fixture(scope="module")
def rich(world, tmp_path_factory):
    """A night without a card, and with workspaces, plan limits, a list price's seats and a history of the accounts."""
    ids = world["accounts"]["account_id"]
    made = pa.array([datetime(2024, 1, 2)] * len(ids), pa.timestamp("us"))
    spaces = [
        pa.table({"workspace_id": pa.array([f"w{n}-{i}" for i in ids.to_pylist()]), "account_id": ids, "created_at": made}) for n in "ab"
    ]
    half = spaces[1].slice(0, len(ids) // 2)
    limits = pa.table(
        {"account_id": ids, "resource": ["seats"] * len(ids), "limit": [10.0] * len(ids), "used": [9.0] * len(ids), "at": made}
    )
    tables = world | {"workspaces": pa.concat_tables([spaces[0], half]), "usage_limits": limits}
    notes = []
    night = train_and_score(tmp_path_factory.mktemp("rich"), tables, notes, scorecard=None)
    return night, set(half["account_id"].to_pylist()), notes


def test_without_an_accounts_table_fit_is_unknown_and_everything_else_stands(bare):
    accounts = bare.accounts

    assert len(accounts) > 50
    assert accounts["fit"].isna().all()
    assert set(accounts["cell"]) == {"unknown"}
    assert accounts["usage"].notna().all()
    assert accounts["account_name"].isna().all()
    assert {"employees", "icp_match", "target_industry"} <= set(bare.scored_accounts.absent)
    assert set(accounts["tier"]) <= {2, 3, 4}


def test_without_departments_and_seniorities_nothing_is_granted_for_them_and_no_buyer_is_known(bare):
    accounts = bare.accounts

    assert {"account_departments_30d", "account_executives_30d"} <= set(bare.scored_accounts.absent)
    assert (accounts[["points_account_departments", "points_account_executives"]] == 0).all(axis=None)
    assert not accounts["buyer_known"].any()
    assert accounts["breadth"].max() > 0
    assert accounts["not_known"].str.contains("account_departments_30d").all()
    assert accounts["play"][accounts["qualified"]].eq("find the buyer").all()


def test_two_workspaces_earn_points_and_a_limit_moves_momentum(rich):
    night, with_two, _ = rich
    accounts = night.accounts

    assert accounts["account_id"].isin(with_two).any()
    assert (accounts["points_account_workspaces"] == 20 * accounts["account_id"].isin(with_two)).all()
    assert (accounts["limit_use"] == 0.9).all()
    assert not {"limit_use", "account_workspaces_lifetime"} & set(night.scored_accounts.absent)


def test_without_a_card_accounts_live_on_their_signals_alone_and_a_note_says_so(rich):
    night, _, notes = rich
    granted = [name for name in night.accounts.columns if name.startswith("points_account_")]

    assert (night.accounts["points_users"] == 0).all()
    assert (night.accounts["score"] == night.accounts[granted].sum(axis=1)).all()
    assert not [name for name in night.accounts.columns if name.startswith("points_card_")]
    assert night.buckets["pql"] == 0
    assert [note for note in notes if note.startswith("there is no scorecard: no lead is a PQL by its band")]


def test_a_card_whose_bands_qualify_nobody_is_noted(world, tmp_path):
    card = tmp_path / "own.yaml"
    card.write_text("id: own\nbands: [{name: Gold, gte: 5}]\nbelow: Tin\nrows:\n"
                    "  - {id: features, family: feature_usage, signal: features_30d, rungs: [{gte: 1, points: 10}]}\n")  # fmt: skip
    notes = []

    night = train_and_score(tmp_path, world, notes, scorecard="own.yaml")

    assert night.buckets["pql"] == 0
    assert "no lead is a PQL: the card has none of the bands Hot, Warm of `buckets.pql_bands`; it has Gold, Tin" in notes


def test_users_without_any_account_give_an_empty_table_of_accounts(world, tmp_path):
    users = world["users"].drop_columns(["account_id", "email"])
    tables = {"events": world["events"].drop_columns([n for n in ("account_id",) if n in world["events"].column_names]), "users": users}
    changes = {"outcome": {"kind": "events", "won": ["upgrade_completed"]}, "model": {"acknowledge_leaks": ["upgrade_completed"]}}

    night = train_and_score(tmp_path, tables, **changes)

    assert night.accounts.empty
    assert {"account_id", "score", "tier", "usage", "cell", "leads"} <= set(night.accounts.columns)
    assert "accounts: none with a lead or an active user" in night.to_text().splitlines()
    assert set(night.scores["bucket"]) <= {"hand_raiser", "pql", "none"}
    assert night.to_dict()["accounts"]["tiers"] == {"enterprise": 0, "mid_market": 0, "smb": 0, "individual": 0}


def test_accounts_as_leads_have_the_points_and_tiers_that_their_users_as_leads_give_them(world, tmp_path):
    of_users, of_accounts = (
        train_and_score(tmp_path / unit, world, unit=unit, model={"use": "rules"}, handoff={"per_night": 5}) for unit in ("user", "account")
    )

    one, other = (night.accounts.set_index("account_id").sort_index() for night in (of_users, of_accounts))
    kept = ["score", "tier", "users", "active_users", *(name for name in one.columns if name.startswith("points_"))]
    pd.testing.assert_frame_equal(other[kept], one[kept])
    assert of_accounts.scores["account_id"].tolist() == of_accounts.scores["lead_id"].tolist()
    assert (other["leads"] <= 1).all()


def test_a_prepared_table_has_no_moment_and_so_no_accounts(tmp_path):
    rng = np.random.default_rng(0)
    n = 1500
    visits = rng.poisson(3, n).astype(float)
    leads = pd.DataFrame({"user_id": [f"l{i:04}" for i in range(n)], "account_id": [f"a{i % 40}" for i in range(n)], "number": range(n)})
    leads = leads.assign(visits=visits, converted=(rng.random(n) < 1 / (1 + np.exp(2.5 - 0.5 * visits))).astype(int))
    measure = {"kind": "attribute", "table": "users", "column": "visits"}
    config = {
        "project": "leads",
        "handoff": {"require_suppressions": False},
        "data": {"users": {}},
        "outcome": {"kind": "column", "column": "converted"},
        "spine": {"kind": "order", "column": "number"},
        "signals": {"catalogue": None, "define": [{"id": "visits", "family": "web", "label": "visits", "measure": measure}]},
        "scorecard": None,
        "split": {"by_account": False},
    }
    project = open_config(merge(config, FAST), tmp_path, tables={"users": leads})
    project.train()

    night = project.score()

    assert night.accounts.empty
    assert set(night.scores["bucket"]) == {"none"}
    assert set(night.scores["motion"]) <= {"self_serve", "sales_assist"}
