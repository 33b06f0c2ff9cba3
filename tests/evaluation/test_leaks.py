"""A planted leak is found and named; clean noise and honest signals, strong ones too, are left alone."""

import json

import numpy as np
import pandas as pd
import pytest

from pls_ml.core.errors import DataError, LeakageError
from pls_ml.core.windows import Horizon
from pls_ml.evaluation import Finding, LeakAudit, measure_strengths, raise_if_leaking
from pls_ml.evaluation.leak_fills import find_filled_for_winners
from pls_ml.evaluation.leak_models import QuickModel, find_model_too_good, find_random_gap, measure_quick_model
from pls_ml.evaluation.leak_rows import find_copies, find_order, rank_ids
from pls_ml.evaluation.leak_strength import find_strong_constants, find_strong_signals, find_telling_gaps, measure_missingness
from pls_ml.evaluation.leak_times import find_power_changes, pair_with_earlier
from pls_ml.evaluation.leaks import AuditRows


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


def strength(values, labels, groups):
    return {found.signal: found.auc for found in measure_strengths(values, labels, groups)}


def find_strong(values, labels, groups):
    return [found.name for found in find_strong_signals(measure_strengths(values, labels, groups))]


def make_rows(values, labels, accounts, at=None, leads=None, train=None):
    """Leads of a prepared table where no time is given; the first two thirds train."""
    n = len(labels)
    leads = np.array([f"lead-{row}" for row in range(n)], object) if leads is None else leads
    at = np.datetime64("2025-01-01", "us") + (np.arange(n) if at is None else at) * np.timedelta64(1, "D")
    train = np.arange(n) < 2 * n // 3 if train is None else train
    return AuditRows(values, np.asarray(labels, float), leads, np.asarray(accounts).astype(str), np.asarray(accounts), at, train, ~train)


def draw_rows(seed=0, **more):
    values, labels, _ = draw_signals(seed=seed)
    return make_rows(values.drop(columns="lead_id").assign(**more), labels, np.arange(len(labels)))


@pytest.mark.parametrize("seed", range(5))
def test_honest_signals_and_noise_pass(seed):
    values, labels, groups = draw_signals(seed=seed)

    found = strength(values, labels, groups)

    assert find_strong(values, labels, groups) == []
    assert found["usage"] > 0.65
    assert max(found[name] for name in ("noise", "flag", "country", "lead_id", "constant")) < 0.56
    assert found["constant"] == found["lead_id"] == 0.5
    assert measure_missingness(values, labels, groups) < 0.56


@pytest.mark.parametrize("direction", [1, -1])
def test_a_planted_leak_is_found_in_either_direction(direction):
    values, labels, groups = draw_signals()
    values["invoice_count"] = direction * (labels + np.random.default_rng(1).normal(0, 0.3, labels.size))

    assert find_strong(values, labels, groups) == ["invoice_count"]


def test_a_category_that_knows_the_outcome_is_found():
    values, labels, groups = draw_signals()
    plan = np.where(labels == 1, "enterprise", "free")
    values["plan"] = np.where(np.random.default_rng(1).random(labels.size) < 0.05, None, plan)

    assert find_strong(values, labels, groups) == ["plan"]


def test_values_that_are_filled_only_for_buyers_are_found_three_times():
    values, labels, groups = draw_signals()
    values["contract_age"] = np.where(labels == 1, np.random.default_rng(1).normal(size=labels.size), np.nan)
    rows = make_rows(values, labels, np.arange(labels.size))

    assert find_strong(values, labels, groups) == ["contract_age"]
    assert [found.name for found in find_telling_gaps(measure_missingness(values, labels, groups))] == ["missingness"]
    assert [found.name for found in find_filled_for_winners(rows)] == ["contract_age"]


def test_a_signal_far_above_the_next_is_suspected_below_the_limit_too():
    values, labels, groups = draw_signals()
    values = values[["noise", "flag"]].assign(hint=labels + np.random.default_rng(1).normal(0, 1, labels.size))

    assert 0.65 < strength(values, labels, groups)["hint"] < 0.9
    (found,) = find_strong_signals(measure_strengths(values, labels, groups))
    assert found.name == "hint"
    assert "above the next" in found.sentence


def test_a_proven_leak_does_not_hide_the_next_one():
    values, labels, groups = draw_signals()
    rng = np.random.default_rng(1)
    noise = values[["noise", "flag"]]
    planted = noise.assign(leak=labels + rng.normal(0, 0.1, labels.size), hint=labels + rng.normal(0, 0.9, labels.size))

    assert find_strong(planted, labels, groups) == ["leak", "hint"]


def test_a_level_seen_in_one_account_only_tells_nothing():
    values, labels, groups = draw_signals()
    account_means = pd.Series(labels).groupby(groups).transform("max")
    values["account_name"] = [f"{g}-{m}" for g, m in zip(groups, account_means, strict=True)]

    assert strength(values, labels, groups)["account_name"] == 0.5


def test_a_category_that_cannot_be_held_out_is_not_judged():
    values, labels, _ = draw_signals()

    found = measure_strengths(values[["usage", "country"]], labels, np.zeros(labels.size))

    assert np.isnan(found[-1].auc)
    stored = json.loads(json.dumps(LeakAudit(found, 0.5).to_dict(), allow_nan=False))
    assert stored["signals"][-1] == {"signal": "country", "auc": None}


def test_a_value_filled_for_some_winners_and_hardly_anybody_else_is_found_below_the_limit_of_strength():
    rows = draw_rows()
    rng = np.random.default_rng(2)
    filled = np.where(rows.labels == 1, rng.random(3000) < 0.5, rng.random(3000) < 0.01)
    rows = draw_rows(demo=filled.astype(float))

    (found,) = find_filled_for_winners(rows)

    assert (found.name, found.test) == ("demo", "fill rate")
    assert find_area_of(rows, "demo") < 0.8


def test_an_honest_sign_of_intent_may_be_rare_among_those_who_do_not_buy():
    rows = draw_rows()
    rng = np.random.default_rng(2)
    asked = np.where(rows.labels == 1, rng.random(3000) < 0.6, rng.random(3000) < 0.1)

    assert find_filled_for_winners(draw_rows(contact_sales=asked.astype(float))) == []


def find_area_of(rows, name):
    return strength(rows.signals[[name]], rows.labels, rows.accounts)[name]


def draw_grid(leads=400, weeks=40, seed=0):
    """Leads on a weekly grid that win in some week, or never; times in weeks, a horizon of 13."""
    rng = np.random.default_rng(seed)
    won = np.where(rng.random(leads) < 0.4, rng.uniform(10, 70, leads), np.inf)
    lead, week = (part.ravel() for part in np.meshgrid(np.arange(leads), np.arange(weeks), indexing="ij"))
    ahead = won[lead] - week
    kept = ahead > 0
    return lead[kept], week[kept], ahead[kept], rng


def make_grid_rows(lead, week, ahead, values):
    ids = np.array([f"lead-{number:03}" for number in lead], object)
    return make_rows(pd.DataFrame(values), ahead < 13, lead, at=week * 7, leads=ids, train=week < 20)


def test_a_signal_that_learned_of_the_win_within_the_horizon_collapses_one_horizon_earlier_and_interest_that_fades_does_not():
    lead, week, ahead, rng = draw_grid()
    late = (ahead < 11) + rng.normal(0, 0.4, lead.size)
    early = np.exp(-np.clip(ahead, 0, 99) / 20) + rng.normal(0, 0.3, lead.size)
    rows = make_grid_rows(lead, week, ahead, {"late": late, "early": early})

    found = find_power_changes(rows, *pair_with_earlier(rows, Horizon(91, 0, 0)))

    assert [one.name for one in found] == ["late"]
    assert find_area_of(rows, "early") > 0.75


def test_a_signal_that_knew_more_one_horizon_earlier_looks_ahead():
    lead, week, ahead, rng = draw_grid()
    rows = make_grid_rows(lead, week, ahead, {"rollup": ((ahead > 13) & (ahead < 27)) + rng.normal(0, 0.5, lead.size)})

    (found,) = find_power_changes(rows, *pair_with_earlier(rows, Horizon(91, 0, 0)))

    assert "it looks ahead" in found.sentence


def test_each_row_is_paired_with_its_own_lead_one_horizon_before():
    lead, week, ahead, _ = draw_grid(leads=50)
    rows = make_grid_rows(lead, week, ahead, {"week": week.astype(float)})

    now, before = pair_with_earlier(rows, Horizon(91, 0, 0))

    assert (rows.leads[now] == rows.leads[before]).all()
    assert set(week[now] - week[before]) == {13}


def test_a_value_that_never_changes_and_tells_who_wins_in_the_end_is_found_where_single_rows_hide_it():
    lead, week, ahead, rng = draw_grid()
    wins = np.zeros(400)
    np.maximum.at(wins, lead, (ahead < 13).astype(float))
    told = np.where(rng.random(400) < 0.03, 1 - wins, wins)[lead]
    rows = make_grid_rows(lead, week, ahead, {"phase": told, "size": rng.normal(0, 1, 400)[lead], "usage": rng.normal(0, 1, lead.size)})

    assert find_area_of(rows, "phase") < 0.9
    assert [found.name for found in find_strong_constants(rows)] == ["phase"]


def test_copies_of_training_leads_among_the_held_out_ones_are_found_and_chance_twins_are_not():
    values, labels, _ = draw_signals()
    values = values[["usage", "invites", "noise"]]
    copied = np.flatnonzero(np.arange(3000) < 300)
    values = pd.concat([values, values.iloc[copied]], ignore_index=True)
    both = np.concatenate([labels, labels[copied]])
    alike = values.round(1).assign(noise=0.0)

    (found,) = find_copies(make_rows(values, both, np.arange(3300)), "duplicates")

    assert found.sentence.startswith("300 of 1,100 held-out leads agree in every signal with a training lead")
    assert find_copies(make_rows(alike.head(3000), labels, np.arange(3000)), "duplicates") == []


def test_ids_given_in_the_order_of_the_outcome_are_found_and_ids_given_at_signup_are_not():
    rows = draw_rows()
    by_outcome = np.argsort(np.argsort(-rows.labels + np.random.default_rng(1).uniform(0, 0.5, 3000))).astype(float)

    (found,) = find_order(rows, by_outcome, "id_order", "the order of the lead ids")

    assert found.figure > 0.99
    assert find_order(rows, np.arange(3000.0), "id_order", "the order of the lead ids") == []


def test_ids_rank_by_their_number_where_all_have_one_and_by_their_letters_otherwise():
    assert rank_ids(np.array(["u10", "u9", "u100"])).argsort().tolist() == [1, 0, 2]
    assert rank_ids(np.array(["u10", "u9", "x"])).tolist() == [0.0, 1.0, 2.0]


def test_a_quick_model_is_suspected_when_it_is_too_good_or_good_only_at_random():
    assert [found.name for found in find_model_too_good(QuickModel(0.96, 0.0, 0.01, 100))] == ["model"]
    assert [found.name for found in find_random_gap(QuickModel(0.7, 0.1, 0.02, 100))] == ["random_gap"]
    assert find_model_too_good(QuickModel(0.94, 0.0, 0.01, 100)) == find_random_gap(QuickModel(0.7, 0.1, 0.06, 100)) == []
    assert find_random_gap(QuickModel(0.7, 0.1, 0.02, 40)) == find_model_too_good(QuickModel(np.nan, np.nan, np.nan, 40)) == []


def test_a_signal_whose_meaning_turns_over_time_flatters_random_folds():
    steady = draw_rows()
    turn = np.where(np.arange(3000) < 600, 1, -1) * (2 * steady.labels - 1)
    turning = draw_rows(turning=turn + np.random.default_rng(1).normal(0, 1, 3000))

    assert find_random_gap(measure_quick_model(steady)) == []
    assert [found.name for found in find_random_gap(measure_quick_model(turning))] == ["random_gap"]


def test_only_what_nobody_vouched_for_stops_training_and_all_of_it_is_named():
    found = (
        Finding("strength", "tags", 0.97, 0.9, "signal 'tags' alone has AUC 0.970"),
        Finding("twin", "signed", 1.0, 0.8, "event 'signed' is a twin", "exclude it"),
        Finding("order", "id_order", 0.9, 0.7, "the ids know"),
    )

    with pytest.raises(
        LeakageError,
        match=r"signal 'tags' .*0\.970; the ids know: drop or repair.*; event 'signed' is a twin: exclude it.*\(tags, signed, id_order\)",
    ):
        raise_if_leaking(LeakAudit((), 0.5, found))
    with pytest.raises(LeakageError, match=r"^event 'signed' is a twin: exclude it; .*`model.acknowledge_leaks` \(signed\)"):
        raise_if_leaking(LeakAudit((), 0.5, found, ("tags", "id_order")))
    raise_if_leaking(LeakAudit((), 0.5, found, ("tags", "id_order", "signed")))


def test_the_audit_is_json_and_html():
    values, labels, groups = draw_signals()
    strengths = measure_strengths(values.assign(**{"<leak>": labels.astype(float)}), labels, groups)
    audit = LeakAudit(strengths, 0.5, tuple(find_strong_signals(strengths)))

    assert [found["name"] for found in audit.to_dict()["findings"]] == ["<leak>"]
    assert "&lt;leak&gt;" in audit._repr_html_()


def test_what_cannot_be_audited_is_refused():
    values, labels, groups = draw_signals()

    with pytest.raises(DataError, match="0 of 3000 rows are positive"):
        measure_strengths(values, 0 * labels, groups)
    with pytest.raises(DataError, match="3000 rows of signals, 2 labels"):
        measure_strengths(values, labels[:2], groups)
    with pytest.raises(DataError, match=r"'signup' has type datetime64.*expected numbers or categories"):
        measure_strengths(values.assign(signup=pd.Timestamp("2025-01-01")), labels, groups)
    with pytest.raises(DataError, match="3000 signals, 2 labels"):
        make_rows(values, labels[:2], groups, at=np.arange(3000), leads=groups, train=groups > 5)
