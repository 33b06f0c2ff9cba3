"""What a model has to show before it scores: figures in, one verdict with its sentence for each gate out."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pls_ml.evaluation.bootstrap import Estimate
from pls_ml.evaluation.comparison import Comparison
from pls_ml.evaluation.reason_quality import ReasonQuality

SLOPE = (0.8, 1.25)
LARGEST_GAP = 0.15
STABLE_PERIODS = 0.75
LEAST_OVERLAP = 0.6
LEAST_SAME_FIRST = 0.8
LARGEST_ERROR = 1e-9
LEAST_SIGNS = 0.98
LEAST_WEIGHT, WANTED_WEIGHT = 1.0, 3.0
"""What a first reason weighs against another signal: below the first it is no first reason; a card on which most leads share the row with
the most points stays below the second without being wrong, so that is what is wanted, and does not bar the way."""

BETTER, STABLE, GAP = "better", "stable_periods", "train_test_gap"
CALIBRATED, EXPECTED = "slope", "observed_expected"
ADDITIVE, SIGNS, WEIGHT = "additivity", "reason_signs", "reason_weight"
SAME_FIRST, SAME_REASONS, CLEAN = "first_reason", "same_reasons", "leak_audit"
GATES = (BETTER, CALIBRATED, EXPECTED, GAP, STABLE, ADDITIVE, SIGNS, WEIGHT, SAME_FIRST, SAME_REASONS, CLEAN)
"""Every gate, by the name under which it is logged and accepted."""


@dataclass(frozen=True)
class Gate:
    """One verdict: the figure (None where it is not defined), its limit in words, whether it passed, and all of it as a sentence."""

    name: str
    figure: float | None
    limit: str
    passed: bool
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Evidence:
    """What is known of the scorer in use when its training ends.

    `comparison` is that on the held-out leads, `card` the candidate that is the rules as configured (None: there is none),
    `training_auc` the ROC-AUC on the rows it was fitted on, `reasons` how true its reasons are, `same_first` how often another seed gives
    the same first one, and `leaks` what the audit found and nobody has vouched for.
    """

    comparison: Comparison
    used: str
    card: str | None
    training_auc: float
    reasons: ReasonQuality
    same_first: float
    leaks: tuple[str, ...]


def judge_training(evidence: Evidence) -> tuple[Gate, ...]:
    """Takes the evidence of a training; returns the verdicts that need no champion.

    Where the rules score, only what speaks of their probabilities and of the data is judged: they are what a model has to beat, they
    were not learned, and to stay with them is a valid result.
    """
    figures = evidence.comparison.metrics[evidence.used]
    plain = (judge_slope(figures["calibration_slope"]), judge_expected(figures["observed_expected"]))
    clean = judge_leaks(evidence.leaks)
    if evidence.used == evidence.card:
        return (*plain, clean)
    gap = judge_gap(evidence.training_auc, figures["roc_auc"].value)
    reasons = (*judge_reasons(evidence.reasons), judge_first(evidence.same_first))
    return (_judge_better(evidence), *plain, gap, judge_periods(evidence.comparison), *reasons, clean)


def judge_champion(comparison: Comparison, overlap: float) -> tuple[Gate, ...]:
    """Takes the comparison with the champion on the same leads and the overlap of their reasons; returns these two verdicts."""
    return judge_decision(comparison), judge_overlap(overlap)


def refuse_champion(why: str) -> tuple[Gate, ...]:
    """Takes why there is no comparison with the champion; returns its two verdicts, not passed."""
    return tuple(Gate(name, None, limit, False, f"not compared with the champion: {why}") for name, limit in _OF_CHAMPION)


def say_gates(gates: Sequence[Gate]) -> str:
    """Takes verdicts; returns in one line how many gates passed, and what the others say."""
    failed = [gate for gate in gates if not gate.passed]
    counted = f"gates: {len(gates) - len(failed)} of {len(gates)} passed"
    return counted + "".join(f"; not {gate.name}: {gate.sentence}" for gate in failed)


def replace_gates(gates: Sequence[Gate], newer: Sequence[Gate]) -> tuple[Gate, ...]:
    """Takes verdicts and newer ones; returns all, a newer one in place of an older of the same name, in the order of `GATES`."""
    found = {gate.name: gate for gate in (*gates, *newer)}
    return tuple(found[name] for name in GATES if name in found)


def judge_decision(comparison: Comparison) -> Gate:
    """Takes a comparison; returns whether its challenger wins by the rule that was written before."""
    decision = comparison.decision
    return Gate(BETTER, _defined(decision.difference.value), _OF_CHAMPION[0][1], decision.wins, decision.sentence)


def judge_slope(slope: Estimate) -> Gate:
    """Takes the calibration slope on held-out leads; returns whether the probabilities are spread rightly."""
    low, high = SLOPE
    return _judge(CALIBRATED, f"calibration slope {_say(slope.value)}", slope.value, f"{low} to {high}", low <= slope.value <= high)


def judge_expected(ratio: Estimate) -> Gate:
    """Takes observed / expected on held-out leads; returns whether the promised number of wins can be right."""
    sentence = f"observed/expected {_say(ratio.value)}, 95 % interval {_say(ratio.low)} to {_say(ratio.high)}"
    return _judge(EXPECTED, sentence, ratio.value, "1 within the interval", ratio.low <= 1 <= ratio.high)


def judge_gap(training: float, held_out: float) -> Gate:
    """Takes the ROC-AUC on the rows of the training and on held-out leads; returns whether the model knows its rows by heart."""
    gap = training - held_out
    sentence = f"ROC-AUC {_say(training, 3)} in training, {_say(held_out, 3)} held out, a gap of {_say(gap)}"
    return _judge(GAP, sentence, gap, f"below {LARGEST_GAP}", gap < LARGEST_GAP)


def judge_periods(comparison: Comparison) -> Gate:
    """Takes a comparison whose challenger is the scorer in use; returns whether its lift holds from period to period.

    It holds in a period where it is not below the lower end of the interval over all of them.
    """
    floor = comparison.metrics[comparison.challenger]["lift_at_capacity"].low
    lifts = [period.challenger / (period.positives / period.rows) for period in comparison.periods if period.votes]
    held = sum(lift >= floor for lift in lifts)
    share = held / len(lifts) if lifts else math.nan
    sentence = f"lift at capacity is not below {_say(floor)} in {held} of {len(lifts)} periods"
    return _judge(STABLE, sentence, share, f"at least {STABLE_PERIODS:.0%} of them", share >= STABLE_PERIODS)


def judge_reasons(found: ReasonQuality) -> tuple[Gate, ...]:
    """Takes how true the reasons are; returns whether receipts add up, reasons point the right way, and the first of them weighs most.

    Where no reason is strong enough to be named, or a score has one signal only, there is nothing that could be wrong.
    """
    error, signs, ratio = found.additivity, found.sign_agreement, found.ablation_ratio
    added = f"receipts add up to their score to {error:.0e}"
    moved = f"{signs:.1%} of {found.named:,} reasons point the way the score moves without them, where that can be told"
    moved = ("there is no reason of which that can be told" if found.named else "no reason is named") if math.isnan(signs) else moved
    weighed = f"without the first reason the score falls {ratio:.1f} times as much as it moves without another signal"
    weighed = "there is no first reason beside another signal" if math.isnan(ratio) else weighed
    weight = f"above {LEAST_WEIGHT:g}; {WANTED_WEIGHT:g} or more is wanted"
    return (
        _judge(ADDITIVE, added, error, f"at most {LARGEST_ERROR:g}", error <= LARGEST_ERROR),
        _judge(SIGNS, moved, signs, f"at least {LEAST_SIGNS:.0%}", math.isnan(signs) or signs >= LEAST_SIGNS),
        _judge(WEIGHT, weighed, ratio, weight, math.isnan(ratio) or ratio > LEAST_WEIGHT),
    )


def judge_first(same: float) -> Gate:
    """Takes how often other seeds give the same first reason; returns whether a reason can be believed."""
    sentence = f"another seed gives {same:.0%} of the leads the same first reason"
    return _judge(SAME_FIRST, sentence, same, f"at least {LEAST_SAME_FIRST:.0%}", same >= LEAST_SAME_FIRST)


def judge_overlap(overlap: float) -> Gate:
    """Takes the mean overlap with the champion's reasons on the same leads; returns whether people will recognise the reasons."""
    sentence = f"a lead shares {overlap:.0%} of its three reasons with the champion's"
    return _judge(SAME_REASONS, sentence, overlap, _OF_CHAMPION[1][1], overlap >= LEAST_OVERLAP)


def judge_leaks(leaks: Sequence[str]) -> Gate:
    """Takes the signals under suspicion that nobody has vouched for; returns whether there is none."""
    sentence = f"the leak audit suspects {', '.join(leaks)}" if leaks else "the leak audit found nothing that is not acknowledged"
    return Gate(CLEAN, float(len(leaks)), "0", not leaks, sentence)


_OF_CHAMPION = (
    (BETTER, "lower end of the 95 % interval above 0, three quarters of the periods agree"),
    (SAME_REASONS, f"at least {LEAST_OVERLAP:.0%}"),
)


def _judge_better(evidence: Evidence) -> Gate:
    """Against the card; without one there is only the base rate to beat."""
    if evidence.card is not None:
        return judge_decision(evidence.comparison)
    lift = evidence.comparison.metrics[evidence.used]["lift_at_capacity"]
    sentence = f"without a card, lift at capacity {_say(lift.value)}, 95 % interval {_say(lift.low)} to {_say(lift.high)}"
    return _judge(BETTER, sentence, lift.value, "interval above 1", lift.low > 1)


def _judge(name: str, sentence: str, figure: float, limit: str, passed: bool) -> Gate:
    return Gate(name, _defined(figure), limit, bool(passed), f"{sentence} (limit: {limit})")


def _say(figure: float, digits: int = 2) -> str:
    return f"{figure:.{digits}f}" if math.isfinite(figure) else "not defined"


def _defined(figure: float) -> float | None:
    return float(figure) if math.isfinite(figure) else None
