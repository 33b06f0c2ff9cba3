"""Sales that contacts visible intent, chance that holds some back, and an effect that only the contacted feel."""

import numpy as np
import pytest

from pls_ml.core.columns import TABLES
from pls_ml.synthetic import World, WorldSpec, generate_world

SIZE = {"accounts": 1500, "days": 280, "seed": 5, "events_per_user_scale": 0.2, "conversion_intercept": -7.5}


@pytest.fixture(scope="module")
def called() -> World:
    return generate_world(WorldSpec(**SIZE, contact_share=0.1, contact_effect=3.0, holdout_share=0.4))


def test_a_world_without_contacts_has_no_table_of_them_and_contacts_without_effect_change_nothing_else():
    plain = generate_world(WorldSpec(**SIZE))
    idle = generate_world(WorldSpec(**SIZE, contact_share=0.1, contact_effect=0.0))

    assert set(idle.tables) - set(plain.tables) == {"touches", "assignments"}
    assert all(idle.tables[name].equals(plain.tables[name]) for name in plain.tables)


@pytest.mark.parametrize("name", ["touches", "assignments"])
def test_the_tables_follow_the_contract(called, name):
    assert set(called.tables[name].column_names) == set(TABLES[name].columns)


def test_only_those_that_chance_did_not_hold_out_are_touched(called):
    arms, touches = (called.tables[name].to_pandas() for name in ("assignments", "touches"))
    account = called.tables["users"].to_pandas().set_index("user_id")["account_id"]
    named = arms.assign(account_id=arms["lead_id"].map(account))

    assert named["account_id"].is_unique
    assert not set(named.loc[named["arm"] == "holdout", "account_id"]) & set(touches["account_id"])
    first = touches.groupby("account_id")["at"].min()
    assert (named.set_index("account_id")["assigned_at"].reindex(first.index) < first).all()
    assert (named["arm"] == "holdout").mean() == pytest.approx(0.4, abs=0.08)


def test_the_contacted_buy_more_than_those_held_out(called):
    arms = called.tables["assignments"].to_pandas()
    account = called.tables["users"].to_pandas().set_index("user_id")["account_id"]
    won = dict(zip(called.truth.account_ids, called.truth.won_at, strict=True))
    assigned = arms["assigned_at"].dt.tz_localize(None).to_numpy("datetime64[us]")
    times = np.array([won[account[lead]] for lead in arms["lead_id"]], dtype="datetime64[us]")
    bought = (times > assigned) & (times < assigned + np.timedelta64(91, "D"))

    treated = (arms["arm"] == "treat").to_numpy()
    assert bought[treated].mean() > 1.5 * bought[~treated].mean()
