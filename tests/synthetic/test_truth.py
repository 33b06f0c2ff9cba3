"""The oracle's score: it ranks as well as promised, is calibrated, and says 0 where nothing can happen."""

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pytest

from pls_ml.core.errors import ConfigError, DataError
from pls_ml.synthetic import Truth, World

DAY = np.timedelta64(1, "D")
Floats = npt.NDArray[np.float64]


def rank_auc(score: Floats, outcome: npt.NDArray[np.bool_]) -> float:
    order = np.unique(score, return_inverse=True)[1]
    counts = np.bincount(order)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[order]
    positives = outcome.sum()
    return float((rank[outcome].sum() - positives * (positives + 1) / 2) / (positives * (~outcome).sum()))


def spine(world: World) -> tuple[list[str], npt.NDArray[np.datetime64], npt.NDArray[np.bool_]]:
    """Every account that may still buy, every week whose 90 days are over; and whether it bought."""
    truth = world.truth
    end = np.datetime64(world.spec.start, "us") + world.spec.days * DAY
    rows, weeks = np.nonzero((truth.hazard > 0) & ~(truth.won_at[:, None] <= truth.week_starts) & (truth.week_starts + 90 * DAY <= end))
    as_of, won = truth.week_starts[weeks], truth.won_at[rows]
    return [truth.account_ids[row] for row in rows], as_of, (won >= as_of) & (won < as_of + 90 * DAY)


def test_the_oracle_ranks_as_well_as_promised(default_world: World) -> None:
    accounts, as_of, bought = spine(default_world)

    assert 0.80 <= rank_auc(default_world.truth.score(accounts, as_of), bought) <= 0.88


def test_the_oracle_is_calibrated(default_world: World) -> None:
    accounts, as_of, bought = spine(default_world)

    score = default_world.truth.score(accounts, as_of)

    # Weeks of one account repeat each other: about 250 winners, so a relative error of 6 % or so on the mean.
    assert score.mean() == pytest.approx(bought.mean(), rel=0.2)
    top = score >= np.quantile(score, 0.9)
    assert score[top].mean() == pytest.approx(bought[top].mean(), rel=0.2)


def test_users_meet_a_win_as_often_as_promised(default_world: World) -> None:
    truth = default_world.truth
    users = default_world.tables["users"].to_pandas().dropna(subset="account_id")
    row = users["account_id"].str[1:].astype(int).to_numpy()
    signup = users["signup_at"].dt.tz_localize(None).to_numpy("datetime64[us]")
    end = truth.week_starts[-1]
    weeks = truth.week_starts[truth.week_starts + 91 * DAY <= end][None, :]
    open_rows = (signup[:, None] <= weeks) & ~(truth.won_at[row][:, None] <= weeks)
    won_soon = (truth.won_at[row][:, None] < weeks + 91 * DAY) & open_rows

    assert 0.05 <= won_soon.sum() / open_rows.sum() <= 0.11


def test_a_customer_and_an_account_to_come_score_0(small_world: World) -> None:
    truth = small_world.truth
    customer = int(np.flatnonzero(~np.isnat(truth.won_at))[0])
    later = int(np.flatnonzero((truth.hazard[:, 5] == 0) & (truth.hazard[:, 20] > 0) & np.isnat(truth.won_at))[0])

    assert truth.score([truth.account_ids[customer]], truth.won_at[customer]).tolist() == [0.0]
    assert truth.score([truth.account_ids[customer]], truth.won_at[customer] - DAY)[0] > 0
    assert truth.score([truth.account_ids[later]], truth.week_starts[5]).tolist() == [0.0]
    assert truth.score([truth.account_ids[later]], truth.week_starts[20])[0] > 0


def test_one_moment_and_many_give_the_same_scores(small_world: World) -> None:
    truth = small_world.truth
    accounts = list(truth.account_ids[:50])
    noon = datetime(2024, 5, 1, 12, tzinfo=UTC)

    one = truth.score(accounts, noon)

    assert np.array_equal(one, truth.score(accounts, np.full(50, np.datetime64("2024-05-01T12:00:00"))))
    assert np.array_equal(one, truth.score(accounts, noon.replace(tzinfo=None)))
    assert one.max() > 0


def test_a_longer_horizon_never_scores_lower(small_world: World) -> None:
    truth = small_world.truth
    month, quarter = (truth.score(truth.account_ids, truth.week_starts[15], days) for days in (30, 90))

    assert (quarter >= month - 1e-12).all()
    assert quarter.sum() > 1.5 * month.sum()


def test_more_hazard_scores_higher_among_equals(small_world: World) -> None:
    truth = small_world.truth
    week = len(truth.week_starts) - 1
    open_rows = np.flatnonzero(np.isnat(truth.won_at) & (truth.hazard[:, week] > 0))
    score = truth.score([truth.account_ids[row] for row in open_rows], truth.week_starts[week])

    assert np.corrcoef(np.log(truth.hazard[open_rows, week]), np.log(score))[0, 1] > 0.8


def test_an_unknown_account_is_refused(small_world: World) -> None:
    with pytest.raises(DataError, match="account 'a99999' is not in this world"):
        small_world.truth.score(["a00000", "a99999"], datetime(2024, 3, 1, tzinfo=UTC))


@pytest.mark.parametrize("days", [-1, 250])
def test_a_moment_outside_the_log_is_refused(small_world: World, days: int) -> None:
    moment = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=days)

    with pytest.raises(DataError, match="lies outside the log, expected 2024-01-01"):
        small_world.truth.score(["a00000"], moment)


def test_a_horizon_of_no_days_is_refused(small_world: World) -> None:
    with pytest.raises(ConfigError, match="horizon_days is 0, expected 1 or more"):
        small_world.truth.score(["a00000"], datetime(2024, 3, 1, tzinfo=UTC), horizon_days=0)


def test_signs_follow_the_coefficients(small_world: World) -> None:
    truth: Truth = small_world.truth

    assert set(truth.planted_signals) == set(truth.coefficients) == set(truth.inputs)
    assert all(np.sign(truth.coefficients[name]) == sign for name, sign in truth.planted_signals.items())
    assert {name for name, sign in truth.planted_signals.items() if sign < 0} == {"inactive", "solo_heavy_use"}


@pytest.mark.parametrize("name", ["terms_viewed", "exported", "support_how_to", "region_emea", "pricing_alone", "premium_if_small"])
def test_what_only_looks_like_intent_is_declared_irrelevant(small_world: World, name: str) -> None:
    assert small_world.truth.planted_signals[name] == 0
