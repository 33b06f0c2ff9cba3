"""The rules as one declared thing: the shipped numbers, and what a file of them cannot say."""

import pytest
from pydantic import ValidationError

from pls_ml.accounts.rules import AccountRules


def dump(rules, **changes):
    return rules.model_dump(mode="json") | changes


def test_the_weights_and_cuts_are_those_of_the_specification(rules):
    dimensions = rules.dimensions

    assert [getattr(dimensions, name).weight for name in ("breadth", "depth", "fit", "momentum")] == [30, 25, 25, 20]
    assert (rules.matrix.fit, rules.matrix.usage, rules.matrix.moved_by) == (70, 70, 10)
    assert {signal.id: signal.points for signal in rules.signals} == {
        "active_users": 20, "departments": 20, "growing": 20, "workspaces": 20, "executives": 10,
    }  # fmt: skip
    segments = rules.segments
    assert (segments.enterprise_employees, segments.enterprise_acv) == (1000, 50_000)
    assert (segments.mid_market_employees, segments.mid_market_team) == (50, 10)


def test_signals_of_accounts_are_listed_once_without_what_is_made_of_them(rules):
    columns = rules.signal_columns

    assert len(set(columns)) == len(columns)
    assert not {"score", *rules.growth.columns} & set(columns)
    assert {"account_active_users_30d", "icp_match", "employees", "account_workspaces_lifetime", "limit_use"} <= set(columns)
    assert rules.lead_columns == ("sales_contacts_30d",)


def test_no_number_has_a_default_in_the_code(rules):
    for part in ("growth", "tiers", "dimensions", "matrix", "segments", "buyers", "buckets", "signals", "active_within"):
        with pytest.raises(ValidationError, match=f"{part}\n.*Field required"):
            AccountRules.model_validate({name: value for name, value in dump(rules).items() if name != part})
    for name in rules.segments.model_dump():
        short = {key: value for key, value in rules.segments.model_dump().items() if key != name}
        with pytest.raises(ValidationError, match=f"segments.{name}\n.*Field required"):
            AccountRules.model_validate(dump(rules, segments=short))


def test_a_last_tier_with_bounds_is_refused_since_some_account_would_have_none(rules):
    tiers = [tier.model_dump() for tier in rules.tiers[:-1]]

    with pytest.raises(ValidationError, match="the last tier, 'smb', has bounds"):
        AccountRules.model_validate(dump(rules, tiers=tiers))


def test_a_qualified_tier_below_one_that_is_not_is_refused(rules):
    tiers = [tier.model_dump() for tier in rules.tiers]
    tiers[0]["qualified"] = False

    with pytest.raises(ValidationError, match="put the qualified ones first"):
        AccountRules.model_validate(dump(rules, tiers=tiers))


def test_ids_that_come_twice_are_refused(rules):
    twice = [signal.model_dump() for signal in (*rules.signals, rules.signals[0])]

    with pytest.raises(ValidationError, match=r"`signals` must have distinct ids; twice: \['active_users'\]"):
        AccountRules.model_validate(dump(rules, signals=twice))


def test_a_length_of_time_that_is_none_is_refused(rules):
    with pytest.raises(ValueError, match="window 'a month' is not a length of time"):
        AccountRules.model_validate(dump(rules, active_within="a month"))
