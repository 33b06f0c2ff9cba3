"""A planted leak is found and named; clean noise and honest signals are left alone."""

import json

import numpy as np
import pandas as pd
import pytest

from pls_ml.core.errors import DataError, LeakageError
from pls_ml.evaluation import audit_signals, raise_if_leaking


def draw_signals(n=3000, seed=0):
    """Honest signals of middling strength and noise of every type; five leads per account."""
    rng = np.random.default_rng(seed)
    usage, invites = rng.normal(size=(2, n))
    labels = (rng.random(n) < 1 / (1 + np.exp(2 - usage - invites))).astype(np.int8)
    values = pd.DataFrame(
        {
            "usage": usage,
            "invites": np.where(rng.random(n) < 0.2, np.nan, invites),
            "noise": rng.normal(size=n),
            "flag": rng.random(n) < 0.3,
            "country": pd.Categorical(rng.choice(["de", "fr", "us"], n)),
            "lead_id": [f"lead-{row}" for row in range(n)],
            "constant": 1.0,
        }
    )
    return values, labels, np.repeat(np.arange(n // 5), 5)


def strength(audit):
    return {found.signal: found.auc for found in audit.signals}


@pytest.mark.parametrize("seed", range(5))
def test_honest_signals_and_noise_pass(seed):
    audit = audit_signals(*draw_signals(seed=seed))

    assert audit.suspects == ()
    raise_if_leaking(audit)
    found = strength(audit)
    assert found["usage"] > 0.65
    assert max(found[name] for name in ("noise", "flag", "country", "lead_id", "constant")) < 0.56
    assert found["constant"] == found["lead_id"] == 0.5
    assert audit.missingness.auc < 0.56


@pytest.mark.parametrize("direction", [1, -1])
def test_a_planted_leak_is_found_in_either_direction_and_stops_training(direction):
    values, labels, groups = draw_signals()
    values["invoice_count"] = direction * (labels + np.random.default_rng(1).normal(0, 0.3, labels.size))

    audit = audit_signals(values, labels, groups)

    assert [found.signal for found in audit.suspects] == ["invoice_count"]
    with pytest.raises(LeakageError, match=r"'invoice_count' alone has AUC 0\.99.*`acknowledge_leaks` \(invoice_count\)"):
        raise_if_leaking(audit)
    raise_if_leaking(audit, acknowledged=("invoice_count",))


def test_a_category_that_knows_the_outcome_is_found():
    values, labels, groups = draw_signals()
    plan = np.where(labels == 1, "enterprise", "free")
    values["plan"] = np.where(np.random.default_rng(1).random(labels.size) < 0.05, None, plan)

    assert [found.signal for found in audit_signals(values, labels, groups).suspects] == ["plan"]


def test_values_that_are_filled_only_for_buyers_are_found_twice():
    values, labels, groups = draw_signals()
    values["contract_age"] = np.where(labels == 1, np.random.default_rng(1).normal(size=labels.size), np.nan)

    audit = audit_signals(values, labels, groups)

    assert [found.signal for found in audit.suspects] == ["contract_age", "missingness"]
    with pytest.raises(LeakageError, match="pattern of missing values"):
        raise_if_leaking(audit, acknowledged=("contract_age",))


def test_a_signal_far_above_the_next_is_suspected_below_the_limit_too():
    values, labels, groups = draw_signals()
    values = values[["noise", "flag"]].assign(hint=labels + np.random.default_rng(1).normal(0, 1, labels.size))

    audit = audit_signals(values, labels, groups)

    assert 0.65 < strength(audit)["hint"] < 0.9
    assert [found.signal for found in audit.suspects] == ["hint"]
    assert "above the next" in audit.suspects[0].reason


def test_a_proven_leak_does_not_hide_the_next_one():
    values, labels, groups = draw_signals()
    rng = np.random.default_rng(1)
    noise = values[["noise", "flag"]]
    planted = noise.assign(leak=labels + rng.normal(0, 0.1, labels.size), hint=labels + rng.normal(0, 0.9, labels.size))

    assert [found.signal for found in audit_signals(planted, labels, groups).suspects] == ["leak", "hint"]


def test_a_level_seen_in_one_account_only_tells_nothing():
    values, labels, groups = draw_signals()
    account_means = pd.Series(labels).groupby(groups).transform("max")
    values["account_name"] = [f"{g}-{m}" for g, m in zip(groups, account_means, strict=True)]

    assert strength(audit_signals(values, labels, groups))["account_name"] == 0.5


def test_a_category_that_cannot_be_held_out_is_not_judged():
    values, labels, _ = draw_signals()

    audit = audit_signals(values[["usage", "country"]], labels, np.zeros(labels.size))

    assert np.isnan(strength(audit)["country"])
    stored = json.loads(json.dumps(audit.to_dict(), allow_nan=False))
    assert stored["signals"][-1] == {"signal": "country", "auc": None, "reason": ""}


def test_the_audit_is_json_and_html():
    values, labels, groups = draw_signals()
    values["<leak>"] = labels.astype(float)

    audit = audit_signals(values, labels, groups)

    assert audit.to_dict()["suspects"] == ["<leak>"]
    assert "&lt;leak&gt;" in audit._repr_html_()


def test_what_cannot_be_audited_is_refused():
    values, labels, groups = draw_signals()

    with pytest.raises(DataError, match="0 of 3000 rows are positive"):
        audit_signals(values, 0 * labels, groups)
    with pytest.raises(DataError, match="3000 rows of signals, 2 labels"):
        audit_signals(values, labels[:2], groups)
    with pytest.raises(DataError, match=r"'signup' has type datetime64.*expected numbers or categories"):
        audit_signals(values.assign(signup=pd.Timestamp("2025-01-01")), labels, groups)
