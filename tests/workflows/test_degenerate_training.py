"""What too little or too simple data end in: a refusal that says why, or a model with a note; never a certainty nobody can have."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pytest
from projects import FAST, merge, open_config, read_demo

from pls_ml.calibration import CalibrationWarning
from pls_ml.core.errors import DataError, ImmatureOutcomesError, LeakageError, TableError
from pls_ml.synthetic import WorldSpec, generate_world

SIGNALS = ("visits", "minutes", "noise")
CONFIG = merge(
    {
        "project": "leads",
        "data": {"users": {}},
        "outcome": {"kind": "column", "column": "converted"},
        "spine": {"kind": "order", "column": "lead_number"},
        "signals": {
            "catalogue": None,
            "define": [
                {"id": name, "family": "web", "label": name, "measure": {"kind": "attribute", "table": "users", "column": name}}
                for name in SIGNALS
            ],
        },
        "scorecard": None,
        "split": {"by_account": False},
    },
    FAST,
)


def draw_leads(n=2400, seed=0):
    """Leads of whom a fifth convert; the first 70 % by number train."""
    rng = np.random.default_rng(seed)
    visits, minutes = rng.poisson(3, n).astype(float), rng.exponential(15, n)
    won = rng.random(n) < 1 / (1 + np.exp(3.2 - 0.35 * visits - 0.04 * minutes))
    columns = {"lead_number": np.arange(n), "visits": visits, "minutes": minutes, "noise": rng.normal(0, 1, n)}
    return pd.DataFrame({"user_id": [f"lead-{number:04}" for number in range(n)], **columns, "converted": won.astype(int)})


def open_leads(folder, leads, **changes):
    return open_config(merge(CONFIG, changes), folder, tables={"users": leads})


def win_at(*places):
    leads = draw_leads()
    return leads.assign(converted=leads["lead_number"].isin(places).astype(int))


def belong_to_one(leads, share):
    owner = np.where(np.arange(len(leads)) % 10 < 10 * share, "big", [f"a{n}" for n in range(len(leads))])
    return leads.assign(account_id=owner)


@pytest.mark.parametrize(
    ("leads", "error", "message"),
    [
        (win_at(), TableError, "no closed-won outcome was found"),
        (win_at(2000), DataError, r"all 1,680 training rows have the same outcome \(0 won\): expected both"),
        (win_at(200), DataError, "1 won among 1,680 matured training rows are too few to fit and check forward in time"),
        (
            draw_leads().assign(converted=1),
            DataError,
            r"all 1,680 training rows .* \(1,680 won\): expected both",
        ),
        (
            draw_leads().assign(visits=1.0, minutes=2.0, noise=0.0),
            DataError,
            r"each of the 3 signal columns has one and the same value in all 1,680 training rows \(for example 'visits'\)",
        ),
        (belong_to_one(draw_leads(), 1.0), DataError, "all 2,400 matured rows belong to one account, 'big': expected at least 2"),
    ],
    ids=["nobody won", "one won, in the test", "one won, in training", "everybody won", "constant signals", "one account"],
)
def test_rows_without_anything_to_learn_are_refused_with_the_reason(tmp_path, leads, error, message):
    with pytest.raises(error, match=message):
        open_leads(tmp_path, leads).train()


def test_one_account_is_refused_where_accounts_are_held_out_too(tmp_path):
    with pytest.raises(DataError, match="belong to one account, 'big'"):
        open_leads(tmp_path, belong_to_one(draw_leads(), 1.0), split={"by_account": True}).train()


def test_a_handful_of_winners_gives_the_base_rate_and_says_so(tmp_path):
    report = open_leads(tmp_path, win_at(200, 900, 1500, 2000, 2300)).train()

    assert any(note.startswith("lightgbm was left out: 1,680 matured rows with 3 won") for note in report.notes)
    assert "the leak audit could not judge strength: 5 win, expected at least 20" in report.notes
    assert any("gives every held-out lead the same probability, 0.00" in note for note in report.notes)


def test_scores_that_no_later_row_bears_out_are_said_to_end_in_the_base_rate_without_a_raw_warning(tmp_path, recwarn):
    leads = draw_leads(2400)
    turning = leads["visits"].where(leads["lead_number"] % 800 < 400, -leads["visits"])  # what spoke for a lead soon speaks against it
    won = np.random.default_rng(1).random(2400) < 1 / (1 + np.exp(2.5 - 0.4 * turning))

    report = open_leads(tmp_path, leads.assign(converted=won.astype(int)), model={"use": "logistic"}).train()

    flat = [note for note in report.notes if note.startswith("'logistic' gives every held-out lead the same probability, 0.")]
    assert len(flat) == 1
    assert "the base rate: its scores did not rise with the outcome on rows it had not seen; " in flat[0]
    assert "wins in 1,680 accounts are too few to learn from, use more data" in flat[0]
    assert any(note.startswith("the probabilities of logistic: ") and "do not rise with the outcome" in note for note in report.notes)
    assert not [one for one in recwarn if issubclass(one.category, CalibrationWarning)]


def test_a_constant_signal_among_others_is_named(tmp_path):
    report = open_leads(tmp_path, draw_leads().assign(noise=3.0)).train()

    assert "the same value in every training row, so nothing to learn from: noise" in report.notes
    assert "note: the same value in every training row" in report.to_text()


def test_an_account_with_most_of_the_rows_is_named(tmp_path):
    report = open_leads(tmp_path, belong_to_one(draw_leads(), 0.9)).train()

    assert any(note.startswith("account 'big' has 90% of the 1,680 training rows") for note in report.notes)
    assert any(note.startswith("account 'big' has 90% of the 720 held-out rows") for note in report.notes)


def test_perfect_separation_by_one_signal_is_a_leak_until_somebody_vouches_for_it(tmp_path):
    leads = draw_leads().assign(converted=lambda rows: (rows["visits"] > 4).astype(int))
    with pytest.raises(LeakageError, match=r"signal 'visits' alone has AUC 1\.000"):
        open_leads(tmp_path, leads).train()

    report = open_leads(tmp_path, leads, model={"acknowledge_leaks": ["visits"]}).train()

    assert any(note.startswith("acknowledged leak: signal 'visits' alone has AUC 1.000") for note in report.notes)


def separate_jointly():
    """Two signals that together tell everything, and each alone far less; rows beside the line are left out."""
    leads = draw_leads(6000)
    margin = (leads["visits"] - 3) / 1.7 + leads["noise"]
    leads = leads.assign(converted=(margin > 0).astype(int))[margin.abs() > 0.3].head(2400)
    return leads.assign(lead_number=np.arange(len(leads)))


def test_perfect_separation_by_signals_together_is_a_model_too_good_to_be_true(tmp_path):
    with pytest.raises(LeakageError, match=r"a quick model on all signals has AUC (0\.9\d\d|1\.000) .*`model.acknowledge_leaks` \(model\)"):
        open_leads(tmp_path, separate_jointly()).train()


def test_a_probability_that_no_data_can_support_is_said(tmp_path):
    report = open_leads(tmp_path, separate_jointly(), model={"acknowledge_leaks": ["model"]}).train()

    assert any("1,680 training rows cannot tell 1 in 1,680 from none, so do not read them as" in note for note in report.notes)


def test_an_ordinary_table_trains_without_any_of_these_notes(tmp_path):
    report = open_leads(tmp_path, draw_leads()).train()

    assert not [note for note in report.notes if "account '" in note or "same value" in note or "probabilit" in note]


@pytest.mark.parametrize(
    ("first", "changes", "error", "message"),
    [
        (0, {}, ImmatureOutcomesError, "no lead is eligible at any `as_of`"),
        (60, {}, ImmatureOutcomesError, "no outcome is old enough: the first lead is scored at 2024-03-04"),
        (
            60,
            {"horizon": {"horizon_days": 1, "gap_days": 0}, "spine": {"every_days": 1}, "population": {"min_age_days": 0}},
            DataError,
            r"none of the [\d,]+ matured rows is won within the horizon",
        ),
    ],
    ids=["the first week", "a later week", "a horizon of a day"],
)
def test_one_week_of_a_log_ends_in_a_named_condition(tmp_path, first, changes, error, message):
    world = generate_world(WorldSpec(accounts=200, days=120, seed=8, events_per_user_scale=0.3))
    begin = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=first)
    log = world.tables["events"]
    since, before = pc.greater_equal(log["event_time"], begin), pc.less(log["known_at"], begin + timedelta(days=7))
    tables = world.tables | {"events": log.filter(pc.and_(since, before))}

    project = open_config(json.loads(json.dumps(read_demo(**changes))), tmp_path, tables=tables)

    for act in (project.train, project.backtest):
        with pytest.raises(error, match=message):
            act()
