"""The rule for what to do with a model, on figures given and on outcomes with planted faults."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from pls_ml.evaluation.bootstrap import Estimate, account_resamples
from pls_ml.evaluation.measures import CandidateScores
from pls_ml.evaluation.upkeep import RankingWindow, SignalDrift, Upkeep, measure_upkeep, rank_by_month

FINE = {"observed_expected": Estimate(1.0, 0.8, 1.2), "slope": Estimate(1.0, 0.8, 1.2), "roc_auc": Estimate(0.8, 0.7, 0.9)}
WELL = Upkeep(1000, 100, 101.0, FINE, (RankingWindow("2025-01", 500, 50, 0.8), RankingWindow("2025-02", 500, 50, 0.8)), 0.75, ())


def with_figure(name, low, high, **changes):
    return replace(WELL, figures=FINE | {name: Estimate((low + high) / 2, low, high)}, **changes)


def with_windows(*areas):
    return replace(WELL, windows=tuple(RankingWindow(f"2025-{k:02}", 500, 50, area) for k, area in enumerate(areas, 1)))


def with_drift(share, low):
    return replace(WELL, drifts=(SignalDrift("employees", share, Estimate(low + 0.05, low, low + 0.1)),))


@pytest.mark.parametrize(
    ("found", "action", "reason"),
    [
        (WELL, "nothing", None),
        (with_figure("observed_expected", 0.5, 0.99), "intercept", r"100 leads won where 101.0 were promised \(observed/expected 0.74"),
        (with_figure("observed_expected", 1.01, 1.5), "intercept", "observed/expected"),
        (with_figure("observed_expected", 0.5, 0.9, won=4, expected=9.0), "nothing", None),
        (with_figure("observed_expected", 0.1, 0.5, won=4, expected=19.0), "intercept", "4 leads won where 19.0"),
        (with_figure("slope", 0.4, 0.9), "slope", r"too far apart \(slope 0.65, 95 % interval 0.40 to 0.90\)"),
        (with_figure("slope", 1.1, 1.9), "slope", "too close together"),
        (with_figure("slope", 0.4, 0.9, won=29), "nothing", None),
        (with_figure("slope", float("nan"), float("nan")), "nothing", None),
        (with_windows(0.8, 0.7, 0.74), "retrain", r"lower end of training's interval, 0.750 \(ROC-AUC 0.700 in 2025-02 and 0.740"),
        (with_windows(0.7, 0.7, 0.76), "nothing", None),
        (with_windows(0.7), "nothing", None),
        (with_windows(0.7, None, 0.7), "retrain", "in 2025-01 and 0.700 in 2025-03"),
        (replace(with_windows(0.7, 0.7), lower_bound=None), "nothing", None),
        (with_drift(0.11, 0.26), "retrain", r"signal 'employees' moved \(PSI 0.31, .*\) and carries 11% of all contributions"),
        (with_drift(0.10, 0.26), "nothing", None),
        (with_drift(0.11, 0.25), "nothing", None),
    ],
)  # fmt: skip
def test_the_rule_says_what_to_do_and_why(found, action, reason):
    said, reasons = found.verdict

    assert said == action
    assert bool(reasons) == (reason is not None)
    assert reason is None or re.search(reason, reasons[0])


def test_the_strongest_remedy_comes_first_and_every_reason_is_said():
    found = replace(with_drift(0.5, 1.0), figures=FINE | {"slope": Estimate(0.5, 0.4, 0.6), "observed_expected": Estimate(0.5, 0.4, 0.6)})

    action, reasons = found.verdict

    assert action == "retrain"
    assert [reason.split()[0] for reason in reasons] == ["signal", "probabilities", "100"]
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["drifts"][0]["signal"] == "employees"


def draw_outcomes(change, seed=0, accounts=400):
    """Six leads in each account, which share much of what decides; `change` turns true log-odds into those that a model claims."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(accounts), 6)
    true = (rng.normal(-2, 1, accounts))[groups] + rng.normal(0, 0.7, groups.size)
    labels = (rng.random(groups.size) < 1 / (1 + np.exp(-true))).astype(np.int8)
    claimed = change(true)
    scores = CandidateScores(claimed, 1 / (1 + np.exp(-claimed)))
    return measure_upkeep(labels, scores, account_resamples(groups, 300, 1)), labels, claimed


@pytest.mark.parametrize(
    ("change", "figure", "value"),
    [(lambda z: z + 1, "observed_expected", 0.5), (lambda z: 2 * z + 2, "slope", 0.5), (lambda z: z / 2 - 1, "slope", 2.0)],
)
def test_a_planted_fault_lies_outside_the_interval_of_its_figure(change, figure, value):
    found, _, _ = draw_outcomes(change)

    assert found[figure].value == pytest.approx(value, rel=0.2)
    assert not found[figure].low <= 1 <= found[figure].high


def test_honest_probabilities_are_called_wrong_no_more_often_than_promised():
    called = [draw_outcomes(lambda z: z, seed)[0] for seed in range(20)]

    for figure in ("observed_expected", "slope"):
        assert sum(not found[figure].low <= 1 <= found[figure].high for found in called) <= 4


def test_ranking_is_told_by_month_where_there_are_enough_wins():
    _, labels, claimed = draw_outcomes(lambda z: z)
    months = np.where(np.arange(labels.size) < labels.size - 30, "2025-01", "2025-02")

    first, second = rank_by_month(labels, claimed, months)

    assert (first.month, first.rows, first.won) == ("2025-01", labels.size - 30, labels[:-30].sum())
    assert 0.6 < first.roc_auc < 0.9
    assert (second.rows, second.roc_auc) == (30, None)
