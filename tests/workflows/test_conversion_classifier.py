"""The conversion model as scikit-learn knows classifiers: its contract, calibrated on accounts it had not seen, monotone where declared."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import pls_ml
from pls_ml.core.errors import DataError
from pls_ml.workflows.classifier import ConversionClassifier

# Skipped by scikit-learn itself: `check_array_api_input`, which needs SCIPY_ARRAY_API=1 to be set before scipy is imported.
EXPECTED_TO_FAIL = {
    "check_sample_weight_equivalence_on_dense_data": "rows are dealt into folds: one of weight two lies in one, two rows in two",
}


@parametrize_with_checks([ConversionClassifier(n_trees=20)], expected_failed_checks=lambda estimator: EXPECTED_TO_FAIL)
def test_the_classifier_keeps_scikit_learns_contract(estimator, check):
    check(estimator)


def draw_leads(accounts=1000, each=4, seed=0):
    """Leads of accounts that win together: uses count for, idleness against, industry a little; some values are missing."""
    rng = np.random.default_rng(seed)
    n, account = accounts * each, np.repeat(np.arange(accounts), each)
    signals = pd.DataFrame(
        {
            "uses": rng.poisson(3, n).astype(float),
            "idle": rng.exponential(10, n),
            "industry": rng.choice(["software", "retail"], n),
            "noise": rng.normal(size=n),
        }
    )
    shared = rng.normal(0, 0.7, accounts)[account]
    odds = -3 + 0.5 * signals["uses"] - 0.08 * signals["idle"] + 0.8 * (signals["industry"] == "software") + shared
    won = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(int)
    signals.loc[rng.random(n) < 0.1, "idle"] = np.nan
    return signals, won, account


@pytest.fixture(scope="module")
def fitted():
    signals, won, accounts = draw_leads()
    return ConversionClassifier({"uses": "up", "idle": "down"}, n_trees=80).fit(signals, won, groups=accounts)


def test_probabilities_are_right_on_other_leads(fitted):
    signals, won, _ = draw_leads(seed=1)

    probability = fitted.predict_proba(signals)[:, 1]

    assert fitted.scorer_.kind == "lightgbm"
    assert roc_auc_score(won, probability) > 0.73
    assert probability.mean() == pytest.approx(won.mean(), abs=0.03)
    for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 1)):
        inside = (probability >= low) & (probability < high)
        assert probability[inside].mean() == pytest.approx(won[inside].mean(), abs=0.06)
    assert brier_score_loss(won, probability) < brier_score_loss(won, np.full(len(won), won.mean()))


def test_declared_directions_bind(fitted):
    signals = draw_leads(accounts=50, seed=2)[0]

    by_uses = [fitted.predict_proba(signals.assign(uses=float(uses)))[:, 1] for uses in range(12)]
    by_idle = [fitted.predict_proba(signals.assign(idle=float(idle)))[:, 1] for idle in range(0, 60, 5)]

    assert (np.diff(by_uses, axis=0) >= 0).all()
    assert (np.diff(by_idle, axis=0) <= 0).all()
    assert np.ptp(by_uses, axis=0).max() > 0.2


def test_too_few_rows_for_trees_are_fitted_by_a_logistic_regression():
    signals, won, accounts = draw_leads(accounts=200, each=2)

    small = ConversionClassifier().fit(signals, won, groups=accounts)

    assert small.scorer_.kind == "logistic"
    assert roc_auc_score(won, small.predict_proba(signals)[:, 1]) > 0.7


def test_the_calibrator_knows_no_row_of_an_account_that_its_scorer_had_seen():
    """Each lead comes in twenty copies: a scorer that has seen one knows the others by heart, and promises would be too sharp."""
    signals, won, accounts = draw_leads(accounts=150, each=1, seed=3)
    copies = np.repeat(np.arange(150), 20)
    made = ConversionClassifier(n_trees=150, trees={"min_data_in_leaf": 5, "lambda_l2": 0.0})

    kept = clone(made).fit(signals.iloc[copies], won[copies], groups=accounts[copies])
    split = clone(made).fit(signals.iloc[copies], won[copies])

    fresh, outcome, _ = draw_leads(seed=4)
    losses = [brier_score_loss(outcome, one.predict_proba(fresh)[:, 1]) for one in (kept, split)]
    assert losses[0] < losses[1] - 0.01


def test_the_same_seed_gives_the_same_probabilities_and_another_others():
    signals, won, accounts = draw_leads(accounts=600)
    made = ConversionClassifier(n_trees=20)

    first, again = (clone(made).fit(signals, won, groups=accounts).predict_proba(signals) for _ in range(2))
    other = clone(made).set_params(random_state=8).fit(signals, won, groups=accounts).predict_proba(signals)

    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_it_works_in_a_pipeline_and_in_cross_validation():
    signals, won, _ = draw_leads(accounts=300)
    model = make_pipeline(FunctionTransformer(lambda frame: frame.assign(busy=frame["uses"] > 4)), ConversionClassifier(n_trees=20))

    probability = cross_val_predict(model, signals, won, cv=3, method="predict_proba")[:, 1]

    assert roc_auc_score(won, probability) > 0.7


def test_the_log_odds_are_those_of_the_probability(fitted):
    signals = draw_leads(accounts=20)[0]
    won = fitted.predict_proba(signals)[:, 1]
    assert 1 / (1 + np.exp(-fitted.decision_function(signals))) == pytest.approx(won, abs=1e-12)


@pytest.mark.parametrize(
    ("labels", "groups", "said"),
    [
        ([1] * 6, None, r"1 class\(es\) with weight"),
        ([0, 1, 0, 0, 0, 0], None, "a class has 1 account"),
        ([1, 1, 0, 0, 0, 0], ["a", "a", "b", "c", "d", "e"], "a class has 1 account"),
    ],
)
def test_labels_that_nothing_can_be_learned_from_are_refused(labels, groups, said):
    with pytest.raises(DataError, match=said):
        ConversionClassifier().fit(pd.DataFrame({"uses": range(6)}), labels, groups=groups)


def test_a_setting_that_trees_do_not_have_is_refused():
    signals, won, accounts = draw_leads()
    with pytest.raises(ValueError, match="leaves"):
        ConversionClassifier(trees={"leaves": 3}).fit(signals, won, groups=accounts)


def test_it_is_at_hand_from_the_package():
    assert pls_ml.ConversionClassifier is ConversionClassifier


@pytest.mark.parametrize("rows", [200, 1500])
@pytest.mark.parametrize("value", [1.0, np.nan], ids=["constant", "missing"])
def test_signals_that_tell_nothing_give_everybody_the_base_rate(rows, value):
    won = np.arange(rows) % 4 == 0

    probability = (
        ConversionClassifier(n_trees=20)
        .fit(pd.DataFrame({"uses": np.full(rows, value)}), won)
        .predict_proba(pd.DataFrame({"uses": [0.0, 1.0, np.nan]}))[:, 1]
    )

    assert probability == pytest.approx(0.25, abs=1e-6)


@pytest.mark.parametrize("rows", [200, 1500])
def test_perfect_separation_is_never_certainty(rows):
    signals = pd.DataFrame({"uses": np.linspace(-1, 1, rows)})

    fitted = ConversionClassifier(n_trees=20).fit(signals, (signals["uses"] > 0).astype(int))

    probability = fitted.predict_proba(pd.DataFrame({"uses": [-1e9, 1e9]}))[:, 1]
    assert 0 < probability[0] < 0.5 < probability[1] < 1
    assert np.isfinite(fitted.decision_function(signals)).all()


def test_an_account_with_nine_rows_in_ten_is_not_checked_by_itself():
    signals, won, _ = draw_leads(accounts=250)
    accounts = np.where(np.arange(len(won)) % 10 < 9, "big", np.arange(len(won)).astype(str))

    fitted = ConversionClassifier(n_trees=20).fit(signals, won, groups=accounts)

    assert 0 < fitted.predict_proba(signals)[:, 1].min() < fitted.predict_proba(signals)[:, 1].max() < 1


@pytest.mark.parametrize(
    ("signals", "labels", "said"),
    [
        (pd.DataFrame({"uses": [1.0] * 6}), [0] * 6, r"1 class\(es\) with weight"),
        (pd.DataFrame({"uses": [1.0]}), [1], r"1 class\(es\) with weight"),
        (pd.DataFrame(index=range(6)), [0, 1] * 3, "signal columns must have distinct names, got none"),
        (pd.DataFrame({"uses": [np.inf, 1, 2, 3]}), [0, 1, 0, 1], "signal 'uses' has infinite values"),
    ],
    ids=["nobody won", "one row", "no signals", "infinite"],
)
def test_tables_that_nothing_can_be_learned_from_are_refused(signals, labels, said):
    with pytest.raises(DataError, match=said):
        ConversionClassifier().fit(signals, labels)
