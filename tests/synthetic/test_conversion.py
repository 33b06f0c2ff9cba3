"""The mechanism: its inputs come from the published log, its hazard from its inputs, its draws from its hazard."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from pls_ml.synthetic import Truth, World
from pls_ml.synthetic.conversion import MECHANISM

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def at_risk(truth: Truth) -> Flags:
    weeks = np.arange(len(truth.week_starts))[None, :]
    drawn = truth.drawn_week[:, None]
    return (truth.hazard > 0) & ((drawn < 0) | (weeks <= drawn))


def draws(truth: Truth) -> Flags:
    return np.arange(len(truth.week_starts))[None, :] == truth.drawn_week[:, None]


def fit_logistic(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Newton's method; returns coefficients and standard errors, the intercept first."""
    x = np.column_stack([np.ones(len(x)), x])
    beta = np.zeros(x.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ beta))
        information = (x * (p * (1 - p))[:, None]).T @ x
        beta = beta + np.linalg.solve(information, x.T @ (y - p))
    return beta, np.sqrt(np.diag(np.linalg.inv(information)))


@pytest.fixture(scope="module")
def recovered(busy_world: World) -> pd.DataFrame:
    truth = busy_world.truth
    rows = at_risk(truth)
    beta, error = fit_logistic(np.column_stack([values[rows] for values in truth.inputs.values()]), draws(truth)[rows].astype(float))
    names = ["intercept", *truth.inputs]
    return pd.DataFrame({"estimate": beta, "error": error, "true": [truth.intercept, *truth.coefficients.values()]}, index=names)


def test_the_hazard_is_logistic_in_the_inputs(small_world: World) -> None:
    truth = small_world.truth
    log_odds = truth.intercept + sum(truth.coefficients[name] * values for name, values in truth.inputs.items())
    exists = truth.hazard > 0

    assert np.allclose(np.log(truth.hazard[exists] / (1 - truth.hazard[exists])), log_odds[exists], atol=1e-9)


def test_there_is_no_hazard_before_an_account_exists(small_world: World) -> None:
    created = small_world.tables["accounts"]["created_at"].to_pandas().dt.tz_localize(None).to_numpy("datetime64[us]")

    assert np.array_equal(small_world.truth.hazard > 0, small_world.truth.week_starts[None, :] >= created[:, None])


@pytest.mark.parametrize("week", [9, 17, 25])
def test_inputs_can_be_computed_from_the_published_log(small_world: World, small_frames: dict[str, pd.DataFrame], week: int) -> None:
    truth = small_world.truth
    moment = pd.Timestamp(truth.week_starts[week], tz="UTC")
    events = small_frames["events"]
    seen = events[
        (events["event_time"] >= moment - pd.Timedelta(days=30)) & (events["event_time"] < moment) & (events["known_at"] < moment)
    ]
    accounts = small_frames["accounts"].set_index("account_id")

    def number(rows: pd.DataFrame) -> pd.Series:
        return rows.groupby("account_id").size().reindex(accounts.index, fill_value=0)

    def of(name: str) -> pd.Series:
        return number(seen[seen["event"] == name])

    active = seen.groupby("account_id")["user_id"].nunique().reindex(accounts.index, fill_value=0)
    premium = seen[seen["tier"] == "premium"].groupby("account_id")["feature"].nunique().reindex(accounts.index, fill_value=0)
    breadth, pricing = 1 - np.exp(-premium / 2), of("pricing_viewed").clip(upper=4) / 4
    limited = (of("limit_reached") > 0).astype(float)
    big = ~(accounts["employee_count"] < 50)
    expected = {
        "premium_at_size": breadth.where(big, 0),
        "premium_if_small": breadth.where(~big, 0),
        "pricing_in_team": pricing.where(active >= 3, 0),
        "pricing_alone": pricing.where(active < 3, 0),
        "limit_in_team": limited.where(active >= 3, 0),
        "limit_alone": limited.where(active < 3, 0),
        "active_users": np.log2(1 + active.clip(upper=15)) / 4,
        "invites_sent": of("invite_sent").clip(upper=5) / 5,
        "enterprise_request": of("enterprise_requested") > 0,
        "upgrade_click": of("upgrade_clicked") > 0,
        "inactive": number(seen[seen["event_time"] >= moment - pd.Timedelta(days=14)]) == 0,
        "solo_heavy_use": (active == 1) & (of("session_start") >= 8),
        "employee_fit": np.log10(accounts["employee_count"] / 50).clip(-1, 1.5).fillna(0),
        "industry_fit": accounts["industry"].isin(["software", "fintech", "logistics"]),
        "region_emea": accounts["region"] == "emea",
        "terms_viewed": of("terms_viewed") > 0,
        "exported": of("exported") > 0,
        "support_how_to": number(seen[seen["topic"] == "how_to"]) > 0,
    }
    # Customers leave events that exist only after the purchase; the mechanism is done with them.
    prospect = ~(truth.won_at < truth.week_starts[week])

    assert set(expected) == set(truth.inputs)
    for name, values in expected.items():
        assert np.allclose(values.to_numpy(float)[prospect], truth.inputs[name][prospect, week]), name


def test_draws_reproduce_the_hazard_in_every_tenth(busy_world: World) -> None:
    truth = busy_world.truth
    hazard, drawn = truth.hazard[at_risk(truth)], draws(truth)[at_risk(truth)]

    for tenth in np.array_split(np.argsort(hazard, kind="stable"), 10):
        expected = hazard[tenth].sum()
        spread = np.sqrt((hazard[tenth] * (1 - hazard[tenth])).sum())
        assert abs(drawn[tenth].sum() - expected) < 4 * spread + 1


def test_a_deal_closes_7_to_35_days_after_its_draw(busy_world: World) -> None:
    truth = busy_world.truth
    won = ~np.isnat(truth.won_at)
    days = (truth.won_at[won] - truth.week_starts[truth.drawn_week[won]]) / np.timedelta64(1, "D")

    assert days.min() >= 7
    assert days.max() <= 35
    assert abs(np.median(days) - 21) < 2


def test_the_default_world_converts_as_promised(default_world: World) -> None:
    won = (~np.isnat(default_world.truth.won_at)).mean()

    assert 0.12 <= won <= 0.20


def test_every_coefficient_is_recovered_within_its_interval(recovered: pd.DataFrame) -> None:
    z = (recovered["estimate"] - recovered["true"]) / recovered["error"]

    assert z.abs().max() < 4
    assert (z**2).sum() < len(z) + 4 * np.sqrt(2 * len(z))


@pytest.mark.parametrize("name", [item.name for item in MECHANISM if item.coefficient])
def test_a_planted_signal_matters_with_its_sign(recovered: pd.DataFrame, busy_world: World, name: str) -> None:
    estimate, error, _ = recovered.loc[name]

    assert busy_world.truth.planted_signals[name] * estimate / error > 1.5


@pytest.mark.parametrize("name", [item.name for item in MECHANISM if not item.coefficient])
def test_a_decoy_does_not_matter(recovered: pd.DataFrame, busy_world: World, name: str) -> None:
    estimate, error, _ = recovered.loc[name]

    assert busy_world.truth.planted_signals[name] == 0
    assert abs(estimate) < 3.5 * error
    assert error < 0.8


def test_decoys_look_like_intent(busy_world: World) -> None:
    """Alone, without the true inputs beside it, reading the terms goes with buying: that is what makes it a decoy."""
    truth = busy_world.truth
    rows = at_risk(truth)
    read = truth.inputs["terms_viewed"][rows] > 0
    bought = draws(truth)[rows]

    assert bought[read].mean() > 1.5 * bought[~read].mean()
