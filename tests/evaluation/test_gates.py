"""Gates: each figure at its limit, what binds the rules, and what a champion adds."""

import json
import math
from dataclasses import replace

import pytest

from pls_ml.evaluation.bootstrap import Estimate
from pls_ml.evaluation.comparison import Comparison, Decision, PeriodDifference
from pls_ml.evaluation.gates import (
    GATES,
    Evidence,
    judge_champion,
    judge_expected,
    judge_first,
    judge_gap,
    judge_leaks,
    judge_overlap,
    judge_periods,
    judge_slope,
    judge_training,
    refuse_champion,
    replace_gates,
    say_gates,
)
from pls_ml.evaluation.reason_quality import ReasonQuality

NAN = float("nan")
TRUE_REASONS = ReasonQuality(additivity=1e-15, leads=10, named=30, sign_agreement=1.0, ablation_ratio=5.0)
GOOD = {
    "calibration_slope": Estimate(1.0, 0.9, 1.1),
    "observed_expected": Estimate(1.0, 0.8, 1.2),
    "roc_auc": Estimate(0.8, 0.75, 0.85),
    "lift_at_capacity": Estimate(4.0, 3.0, 5.0),
}


def compare(wins=True, lifts=(4, 4, 4, 4), **figures) -> Comparison:
    """A model against the rules on a hundred leads a period, one in ten won, with the lifts of the model given by period."""
    periods = tuple(PeriodDifference(f"p{k}", 100, 10, 0.2, lift * 0.1) for k, lift in enumerate(lifts))
    difference = Estimate(0.2, 0.1 if wins else -0.1, 0.3)
    decision = Decision(wins, difference, len(lifts), len(lifts), f"{'' if wins else 'no evidence that '}model beats rules")
    metrics = {"rules": GOOD, "model": GOOD | figures}
    return Comparison(400, 40, 50, 0.1, 0.1, "rules", "model", metrics, {}, periods, decision)


def judge(used="model", card="rules", training_auc=0.85, reasons=TRUE_REASONS, same_first=0.9, leaks=(), **how) -> dict[str, bool]:
    evidence = Evidence(compare(**how), used, card, training_auc, reasons, same_first, leaks)
    return {gate.name: gate.passed for gate in judge_training(evidence)}


def failing(**how) -> list[str]:
    return [name for name, passed in judge(**how).items() if not passed]


def test_a_good_model_passes_every_gate_that_needs_no_champion():
    assert judge() == dict.fromkeys([name for name in GATES if name != "same_reasons"], True)


@pytest.mark.parametrize(
    ("what", "gate"),
    [
        ({"wins": False}, "better"),
        ({"calibration_slope": Estimate(1.3, 1.0, 1.5)}, "slope"),
        ({"observed_expected": Estimate(0.7, 0.5, 0.9)}, "observed_expected"),
        ({"training_auc": 0.96}, "train_test_gap"),
        ({"lifts": (4, 4, 2, 2)}, "stable_periods"),
        ({"reasons": ReasonQuality(1e-6, 10, 30, 1.0, 5.0)}, "additivity"),
        ({"reasons": ReasonQuality(1e-15, 10, 30, 0.9, 5.0)}, "reason_signs"),
        ({"reasons": ReasonQuality(1e-15, 10, 30, 1.0, 0.8)}, "reason_weight"),
        ({"same_first": 0.79}, "first_reason"),
        ({"leaks": ("invoices",)}, "leak_audit"),
    ],
)
def test_each_shortcoming_fails_its_own_gate_and_no_other(what, gate):
    assert failing(**what) == [gate]


def test_rules_that_score_are_judged_by_their_probabilities_and_the_data_only():
    assert judge(used="rules", wins=False, training_auc=0.99, same_first=0.0) == {
        "slope": True,
        "observed_expected": True,
        "leak_audit": True,
    }


def test_probabilities_of_rules_that_are_off_are_said_to_be():
    off = compare()
    off = replace(off, metrics={"rules": GOOD | {"observed_expected": Estimate(2.0, 1.5, 2.5)}})

    gates = judge_training(Evidence(off, "rules", "rules", 0.8, TRUE_REASONS, 1.0, ()))

    assert [gate.name for gate in gates if not gate.passed] == ["observed_expected"]


@pytest.mark.parametrize(("low", "passed"), [(1.01, True), (1.0, False), (NAN, False)])
def test_without_a_card_a_model_has_to_beat_the_base_rate(low, passed):
    found = judge(card=None, wins=False, lifts=(9, 9), lift_at_capacity=Estimate(2.0, low, 3.0))

    assert found["better"] is passed


@pytest.mark.parametrize(("slope", "passed"), [(0.79, False), (0.8, True), (1.25, True), (1.26, False), (NAN, False)])
def test_the_slope_may_lie_between_its_limits_and_on_them(slope, passed):
    gate = judge_slope(Estimate(slope, 0.0, 2.0))

    assert gate.passed is passed
    assert gate.figure == (slope if math.isfinite(slope) else None)


@pytest.mark.parametrize(
    ("low", "high", "passed"), [(0.5, 1.0, True), (1.0, 1.5, True), (0.5, 0.99, False), (1.01, 2.0, False), (NAN, NAN, False)]
)
def test_the_interval_of_observed_over_expected_has_to_contain_one(low, high, passed):
    assert judge_expected(Estimate((low + high) / 2, low, high)).passed is passed


@pytest.mark.parametrize(("training", "passed"), [(0.94, True), (0.96, False), (0.6, True), (NAN, False)])
def test_the_gap_between_training_and_held_out_has_to_be_below_its_limit(training, passed):
    assert judge_gap(training, 0.8).passed is passed


@pytest.mark.parametrize(("lifts", "passed"), [((4, 4, 4, 2), True), ((4, 4, 2, 2), False), ((3, 3), True), ((4, 4, 2), False)])
def test_the_lift_has_to_hold_in_three_periods_of_four(lifts, passed):
    assert judge_periods(compare(lifts=lifts)).passed is passed


def test_periods_with_one_outcome_only_do_not_vote_and_without_any_vote_nothing_is_stable():
    blind = PeriodDifference("empty", 100, 0, 0.0, 0.0)
    some, none = compare(), compare()

    assert judge_periods(replace(some, periods=(*some.periods, blind))).figure == 1.0
    assert not judge_periods(replace(none, periods=(blind,))).passed


@pytest.mark.parametrize(("judged", "limit"), [(judge_first, 0.8), (judge_overlap, 0.6)])
def test_shares_pass_on_their_limit(judged, limit):
    assert [judged(share).passed for share in (limit - 0.01, limit, 1.0)] == [False, True, True]


def test_leaks_are_named():
    gate = judge_leaks(("invoices", "seats"))

    assert (gate.figure, gate.sentence) == (2.0, "the leak audit suspects invoices, seats")


def test_the_champion_takes_the_place_of_the_card_and_adds_its_reasons():
    frozen = judge_training(Evidence(compare(), "model", "rules", 0.85, TRUE_REASONS, 0.9, ()))

    gates = replace_gates(frozen, judge_champion(compare(wins=False), 0.5))

    assert [gate.name for gate in gates] == list(GATES)
    assert [gate.name for gate in gates if not gate.passed] == ["better", "same_reasons"]


def test_without_a_comparison_with_the_champion_its_gates_say_why():
    gates = refuse_champion("these data lack signal 'seats'")

    assert [(gate.name, gate.passed, gate.figure) for gate in gates] == [("better", False, None), ("same_reasons", False, None)]
    assert all(gate.sentence == "not compared with the champion: these data lack signal 'seats'" for gate in gates)


def test_gates_are_said_in_one_line_and_are_plain_json():
    gates = (judge_slope(Estimate(1.3, 1.0, 1.5)), judge_first(0.9), judge_gap(NAN, 0.8))

    assert say_gates(gates) == (
        "gates: 1 of 3 passed; not slope: calibration slope 1.30 (limit: 0.8 to 1.25); "
        "not train_test_gap: ROC-AUC not defined in training, 0.800 held out, a gap of not defined (limit: below 0.15)"
    )
    assert json.loads(json.dumps([gate.to_dict() for gate in gates], allow_nan=False))[2]["figure"] is None
