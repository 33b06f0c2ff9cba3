"""Reasons put to the test: a linear score passes by hand-made figures, one that lies about itself fails its gates."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from pls_ml.calibration import InterceptCalibrator
from pls_ml.core.catalogue import Catalogue
from pls_ml.evaluation.gates import judge_reasons
from pls_ml.scores import BoostedScorer, LogisticScorer
from pls_ml.workflows.ablation import check_reasons, take_away
from pls_ml.workflows.candidates import TrainingRows
from pls_ml.workflows.reasons import profile_candidate, say_reasons

NAMES = ("seats", "visits", "idle", "noise")
CATALOGUE = Catalogue.model_validate(
    {
        "signals": [
            {"id": name, "family": "use", "label": name, "measure": {"kind": "attribute", "table": "users", "column": name}}
            for name in NAMES
        ]
    }
)


@dataclass
class Fitted:
    """What is asked of a candidate."""

    scorer: object
    calibrator: object


@dataclass
class Linear:
    """Weights times departures from the mean; `say` changes what it tells of itself."""

    weights: np.ndarray
    mean: np.ndarray
    say: str = "truth"
    kind: str = "linear"

    def raw_score(self, signals):
        return -2 + (signals[list(NAMES)].to_numpy(float) - self.mean) @ self.weights

    def contributions(self, signals):
        shares = (signals[list(NAMES)].to_numpy(float) - self.mean) * self.weights
        return -2.0, {"truth": shares, "another signal's": np.roll(shares, 1, axis=1), "too much": 1.1 * shares}[self.say]


def draw_signals(n, seed):
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(n, len(NAMES))), columns=list(NAMES))


def check(say="truth", weights=(2.0, 1.0, -0.5, 0.0), n=400):
    """The quality of a linear scorer's reasons, its reference, and the leads asked about."""
    reference, leads = draw_signals(64, 1), draw_signals(n, 2)
    scorer = Linear(np.array(weights), reference.to_numpy().mean(axis=0), say)
    labels = (np.random.default_rng(3).random(n) < 0.2).astype(np.int8)
    candidate = Fitted(scorer, InterceptCalibrator().fit(scorer.raw_score(leads), labels))
    return check_reasons(candidate, reference, leads, CATALOGUE), scorer, leads


def test_a_linear_score_tells_the_truth_about_itself():
    found, scorer, leads = check()

    shares = scorer.contributions(leads)[1]
    assert found.sign_agreement == 1.0
    assert found.additivity < 1e-12
    assert found.leads == 400
    assert found.named == sum((row > 0.1).sum() + (row.min() < -0.1) for row in shares[:, :3])
    assert all(gate.passed for gate in judge_reasons(found))


def test_the_ratio_of_a_linear_score_of_two_signals_is_that_of_their_shares():
    found, scorer, leads = check(weights=(3.0, 1.0, 0.0, 0.0))

    shares = scorer.contributions(leads)[1][:, :2]
    named = shares.max(axis=1) > 0.1
    expected = shares.max(axis=1)[named].sum() / np.abs(shares.min(axis=1)[named]).sum()
    assert found.ablation_ratio == pytest.approx(expected)


def test_a_score_that_names_another_signal_than_the_one_it_uses_fails_both_gates_of_its_reasons():
    found, _, _ = check("another signal's")

    assert found.sign_agreement < 0.8
    assert {gate.name for gate in judge_reasons(found) if not gate.passed} == {"reason_signs", "reason_weight"}


def test_a_score_whose_receipts_do_not_add_up_fails_that_gate():
    found, _, _ = check("too much")

    assert [gate.name for gate in judge_reasons(found) if not gate.passed] == ["additivity"]


def test_a_score_of_one_signal_has_nothing_to_weigh_its_reason_against():
    found, _, _ = check(weights=(3.0, 0.0, 0.0, 0.0))

    assert np.isnan(found.ablation_ratio)
    assert all(gate.passed for gate in judge_reasons(found))


def test_a_signal_is_taken_away_with_all_its_windows_and_only_where_asked():
    leads, others = pd.DataFrame({"a_7d": [1.0, 2.0], "a_30d": [10.0, 20.0], "b": [5.0, 5.0]}), pd.DataFrame(
        {"a_7d": [0.0, 4.0], "a_30d": [0.0, 40.0], "b": [0.0, 2.0]}
    )  # fmt: skip

    class Product:
        def raw_score(self, signals):
            return (signals["a_7d"] * signals["a_30d"] + signals["b"]).to_numpy(float)

    drops, noise = take_away(Product(), others, leads, [["a_7d", "a_30d"], ["b"]], np.array([[True, True], [True, False]]))

    # Both windows come from the same other lead: (0 · 0 + 4 · 40) / 2 = 80 is left of the product.
    assert drops.tolist() == [[10 - 80, 5 - 1], [40 - 80, 0]]
    # Scores of 0 and 160 spread by 113, of 0 and 2 by 1.4: the mean of two of them is off by that over the root of 2.
    assert noise == pytest.approx(np.array([[80.0, 1.0], [80.0, 0.0]]))


def test_columns_of_any_type_can_be_taken_away():
    leads = pd.DataFrame({"n": pd.array([1, None], dtype="Int64"), "flag": [True, False], "text": pd.array(["x", None], dtype="string")})

    class Known:
        def raw_score(self, signals):
            return signals.notna().sum(axis=1).to_numpy(float)

    drops, _ = take_away(Known(), leads, leads, [["n"], ["flag"], ["text"]], np.ones((2, 3), bool))

    assert drops.tolist() == [[0.5, 0.0, 0.5], [-0.5, 0.0, -0.5]]


def draw_rows(n=3000, seed=4) -> TrainingRows:
    signals = draw_signals(n, seed)
    margin = 2 * signals["seats"] + signals["visits"] - 0.5 * signals["idle"] - 2
    labels = (np.random.default_rng(seed).random(n) < 1 / (1 + np.exp(-margin))).astype(np.int8)
    days = np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(1, "h")
    return TrainingRows(signals, labels, np.ones(n), np.arange(n), days)


@pytest.mark.parametrize("scorer", [LogisticScorer(), BoostedScorer(n_trees=40, seed=1)], ids=lambda scorer: scorer.kind)
def test_learned_scores_give_true_reasons_that_other_fits_give_as_well(scorer):
    rows, leads = draw_rows(), draw_signals(300, 5)
    fitted = scorer.fit(rows.signals, rows.labels, rows.weight)
    calibrator = InterceptCalibrator().fit(fitted.raw_score(rows.signals), rows.labels)

    found = profile_candidate(Fitted(fitted, calibrator), rows, leads, CATALOGUE)

    assert found.quality.sign_agreement >= 0.98
    assert found.quality.ablation_ratio > 1.5
    assert min(found.same_first, found.same_first_retrained) > 0.8
    told = say_reasons(found.to_dict())
    assert f"{found.quality.sign_agreement:.1%} of {found.quality.named:,} reasons point the way the score moves without them" in told
    assert f"{found.same_first_retrained:.0%} without the newest quarter of the rows" in told


def test_a_fit_of_older_rows_that_nobody_won_is_left_out():
    rows = draw_rows()
    rows.labels[:2500] = 0
    fitted = LogisticScorer().fit(rows.signals, rows.labels)
    candidate = Fitted(fitted, InterceptCalibrator().fit(fitted.raw_score(rows.signals), rows.labels))

    found = profile_candidate(candidate, rows, draw_signals(50, 5), CATALOGUE)

    assert found.same_first_retrained is None
    assert "newest quarter" not in say_reasons(found.to_dict())


def test_a_score_without_a_reason_says_so():
    found, _, _ = check(weights=(0.01, 0.0, 0.0, 0.0))

    profile = {"same_first": 1.0, "same_first_retrained": 1.0, "profile": {}} | found.to_dict()
    assert say_reasons(profile) == "reasons of the 400 best held-out leads: none is strong enough to be named"
