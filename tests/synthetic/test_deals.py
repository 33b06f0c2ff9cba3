"""Opportunities and subscriptions agree with the truth, and nothing that follows a purchase comes before it."""

import pandas as pd

from pls_ml.synthetic import World

Frames = dict[str, pd.DataFrame]
TRAPS = ["upgrade_completed", "invoice_downloaded"]
PURCHASED = ["admin_console", "sso_login"]


def won_at(world: World) -> pd.Series:
    return pd.Series(world.truth.won_at, index=list(world.truth.account_ids)).dt.tz_localize("UTC").dropna()


def first_wins(frames: Frames) -> pd.DataFrame:
    deals = frames["opportunities"]
    return deals[(deals["is_won"] == True) & (deals["type"] == "new")].set_index("account_id")  # noqa: E712  (nullable)


def test_won_opportunities_are_the_true_conversions(small_world: World, small_frames: Frames) -> None:
    wins = first_wins(small_frames)

    assert len(wins) > 20
    assert wins.index.is_unique
    assert wins["closed_at"].sort_index().equals(won_at(small_world).sort_index().rename("closed_at").rename_axis("account_id"))
    assert (wins["stage"] == "closed_won").all()


def test_a_won_opportunity_was_opened_3_to_30_days_before(small_frames: Frames) -> None:
    wins = first_wins(small_frames)
    days = (wins["closed_at"] - wins["created_at"]).dt.total_seconds() / 86_400

    assert days.between(3, 30).all()
    assert days.max() - days.min() > 15


def test_open_opportunities_have_no_outcome(small_frames: Frames) -> None:
    deals = small_frames["opportunities"]
    still_open = deals[deals["closed_at"].isna()]

    assert len(still_open) > 5
    assert still_open["is_won"].isna().all()
    assert not still_open["stage"].str.startswith("closed").any()
    assert deals[deals["closed_at"].notna()]["is_won"].notna().all()


def test_only_lost_opportunities_have_a_reason(small_frames: Frames) -> None:
    deals = small_frames["opportunities"]

    assert deals["lost_reason"].notna().equals(deals["stage"] == "closed_lost")
    assert deals["lost_reason"].notna().any()


def test_a_deal_is_lost_before_the_same_account_opens_its_win(busy_world: World) -> None:
    deals = {"opportunities": busy_world.tables["opportunities"].to_pandas()}
    lost = deals["opportunities"].query("stage == 'closed_lost'")
    opened = lost["account_id"].map(first_wins(deals)["created_at"])

    assert opened.notna().sum() > 10
    assert (lost["closed_at"] < opened)[opened.notna()].all()


def test_expansions_follow_a_win(default_world: World) -> None:
    deals = default_world.tables["opportunities"].to_pandas()
    expansions = deals[deals["type"] == "expansion"]
    won = expansions["account_id"].map(won_at(default_world))

    assert len(expansions) > 10
    assert (expansions["created_at"] > won).all()


def test_a_subscription_starts_at_the_win(small_world: World, small_frames: Frames) -> None:
    subscriptions = small_frames["subscriptions"].set_index("account_id")

    assert subscriptions["started_at"].sort_index().eq(won_at(small_world).sort_index()).all()
    assert subscriptions["ended_at"].notna().eq(subscriptions["status"] == "cancelled").all()
    assert (subscriptions["mrr"] > 0).all()


def test_nothing_after_purchase_appears_before_the_win(small_world: World, small_frames: Frames) -> None:
    events = small_frames["events"]
    after = events[events["event"].isin(TRAPS) | events["feature"].isin(PURCHASED)]
    won = after["account_id"].map(won_at(small_world))

    assert len(after) > 100
    assert (after["event_time"] >= won).all()


def test_nearly_every_winner_leaves_the_traps(small_world: World, small_frames: Frames) -> None:
    events = small_frames["events"]
    won = won_at(small_world)
    end = pd.Timestamp(small_world.spec.start, tz="UTC") + pd.Timedelta(days=small_world.spec.days)
    early = set(won.index[won < end - pd.Timedelta(days=40)])

    for name in TRAPS:
        assert early <= set(events.loc[events["event"] == name, "account_id"])
    users_of_purchased = set(events.loc[events["feature"].isin(PURCHASED), "account_id"])
    assert len(early & users_of_purchased) > 0.9 * len(early)
