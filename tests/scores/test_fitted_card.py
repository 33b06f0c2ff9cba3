"""A card found in the data: few rows, small whole points, declared directions, and a certificate of what whole points lose."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from pls_ml.core.errors import DataError
from pls_ml.scores import FittedCard, ScorecardClassifier, scorer_from_dict
from pls_ml.scores.card import Scorecard
from pls_ml.scores.increments import find_counting

# Passed in full. Skipped by scikit-learn itself: `check_array_api_input`, which needs SCIPY_ARRAY_API=1 to be set before scipy is imported.
EXPECTED_TO_FAIL: dict[str, str] = {}
DIRECTIONS = {"uses": "up", "idle": "down", "age": "none"}


@parametrize_with_checks([FittedCard()], expected_failed_checks=lambda estimator: EXPECTED_TO_FAIL)
def test_the_classifier_keeps_scikit_learns_contract(estimator, check):
    check(estimator)


def draw_leads(n=3000, seed=0, decoys=0):
    """Uses count in steps, idleness against, age in the middle of nothing, text not at all; and columns of noise."""
    rng = np.random.default_rng(seed)
    signals = pd.DataFrame(
        {
            "uses": rng.poisson(3, n).astype(float),
            "idle": rng.exponential(10, n),
            "age": rng.uniform(0, 100, n),
            "industry": rng.choice(["software", "retail"], n),
        }
    )
    odds = -2 + 1.0 * (signals["uses"] >= 3) + 0.8 * (signals["uses"] >= 6) + 1.4 * (signals["idle"] < 5) + 0.7 * (signals["age"] >= 60)
    labels = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    signals.loc[rng.random(n) < 0.15, "idle"] = np.nan
    return signals.assign(**{f"noise{number}": rng.normal(0, 1, n) for number in range(decoys)}), labels


@pytest.fixture(scope="module")
def fitted():
    return FittedCard(DIRECTIONS).fit(*draw_leads())


def test_it_finds_the_steps_that_were_planted(fitted):
    rows = {row.id: row for row in fitted.card_.rows}

    assert set(rows) == {"uses", "idle", "age"}
    assert {rung.gte for rung in rows["uses"].rungs} == {3, 6}
    assert rows["idle"].rungs[-1].lt == pytest.approx(5, abs=1.2)
    assert rows["age"].rungs[0].gte == pytest.approx(60, abs=8)
    ratio = rows["uses"].rungs[1].points / rows["idle"].rungs[-1].points
    assert ratio == pytest.approx(1.8 / 1.4, rel=0.35)


def test_the_card_is_a_card_like_any_other(fitted):
    signals, _ = draw_leads()
    card = fitted.card_

    assert Scorecard.model_validate_json(card.model_dump_json()) == card
    assert fitted.points(signals).tolist() == card.score_leads(signals).score.tolist()
    assert fitted.bands(signals).tolist() == card.find_bands(card.score_leads(signals)).tolist()
    assert 0 < (fitted.bands(signals) == "Top tenth").mean() <= 0.1
    line = np.polyfit(fitted.points(signals), fitted.raw_score(signals), 1)
    assert fitted.raw_score(signals) == pytest.approx(np.polyval(line, fitted.points(signals)), abs=1e-9)


def test_the_odds_are_a_little_more_cautious_than_those_that_suit_the_fitted_rows_best(fitted):
    signals, labels = draw_leads()

    bold = ScorecardClassifier(fitted.card_).fit(signals, labels)

    assert 0.9 < np.ptp(fitted.raw_score(signals)) / np.ptp(bold.raw_score(signals)) < 1
    assert fitted.predict_proba(signals)[:, 1].mean() == pytest.approx(labels.mean(), abs=1e-4)


def test_points_are_small_whole_and_climb(fitted):
    for row in fitted.card_.rows:
        points = [rung.points for rung in row.rungs]

        assert points == sorted(set(points))
        assert 0 < points[0] <= points[-1] <= 10
        assert len(points) <= 3
    everything = [rung.points for row in fitted.card_.rows for rung in row.rungs]
    assert np.gcd.reduce(everything) == 1


def test_noise_earns_no_row_however_much_there_is_of_it():
    signals, labels = draw_leads(decoys=60)

    card = FittedCard(DIRECTIONS).fit(signals, labels).card_

    assert {row.id for row in card.rows} == {"uses", "idle", "age"}
    assert FittedCard().fit(signals, np.random.default_rng(3).permutation(labels)).card_ is None


def test_without_any_signal_that_says_enough_everybody_has_the_base_rate():
    signals, labels = draw_leads()

    fitted = FittedCard().fit(signals[["industry"]], labels)
    read = scorer_from_dict(json.loads(json.dumps(fitted.to_dict())))

    assert fitted.card_ is None
    assert fitted.certificate_ is None
    assert np.unique(fitted.predict_proba(signals[["industry"]])[:, 1]) == pytest.approx([labels.mean()], abs=1e-9)
    assert read.certificate_ is None
    assert read.raw_score(signals[["industry"]]).tolist() == fitted.raw_score(signals[["industry"]]).tolist()


@pytest.mark.parametrize("most", [1, 2, 10])
def test_it_has_no_more_rows_than_allowed(most):
    rng = np.random.default_rng(5)
    signals = pd.DataFrame({f"s{number}": rng.normal(0, 1, 4000) for number in range(14)})
    labels = (rng.random(4000) < 1 / (1 + np.exp(-signals.sum(axis=1)))).astype(np.int8)

    assert len(FittedCard(most_rows=most).fit(signals, labels).card_.rows) == most


@settings(max_examples=100, deadline=None)
@given(column=st.sampled_from(["uses", "idle"]), ends=st.tuples(st.floats(0, 60), st.floats(0, 60)), others=st.floats(0, 100))
def test_points_never_go_against_a_declared_direction(fitted, column, ends, others):
    low, high = sorted(ends)
    lead = {"uses": others / 10, "idle": others, "age": others, "industry": "software"}

    points = fitted.points(pd.DataFrame([lead | {column: low}, lead | {column: high}]))

    assert (points[1] - points[0]) * (1 if column == "uses" else -1) >= 0


def test_a_declared_direction_holds_where_the_data_say_the_opposite():
    signals, labels = draw_leads()

    against = FittedCard({"uses": "down", "idle": "up", "age": "down"}).fit(signals, labels)

    assert against.card_ is None or {row.id for row in against.card_.rows} <= {"noise"}


def test_the_certificate_is_the_gap_to_the_best_points_of_the_same_rungs(fitted):
    signals, labels = draw_leads()
    margins = fitted.raw_score(signals)
    reached = np.column_stack([find_counting(row, signals) for row in fitted.card_.rows]).astype(float)

    best = LogisticRegression(C=1e6, tol=1e-8, max_iter=1000).fit(reached, labels).decision_function(reached)

    assert fitted.certificate_.card == pytest.approx(mean_loss(margins, labels), abs=1e-6)
    assert fitted.certificate_.optimum == pytest.approx(mean_loss(best, labels), abs=1e-6)
    assert 0 <= fitted.certificate_.gap < 0.002
    assert fitted.to_dict()["certificate"] == {"card": fitted.certificate_.card, "optimum": fitted.certificate_.optimum}


def mean_loss(margins, labels):
    return float(np.mean(np.logaddexp(0, margins) - labels * margins))


def test_it_ranks_new_leads_nearly_as_well_as_the_truth(fitted):
    signals, labels = draw_leads(6000, seed=9)
    odds = 1.0 * (signals["uses"] >= 3) + 0.8 * (signals["uses"] >= 6) + 1.4 * (signals["idle"] < 5) + 0.7 * (signals["age"] >= 60)

    assert roc_auc_score(labels, fitted.raw_score(signals)) > roc_auc_score(labels, odds) - 0.01


def test_weights_count_as_repeated_rows():
    signals, labels = draw_leads(800)
    times, accounts = np.random.default_rng(1).integers(0, 4, 800), np.arange(800) // 2

    weighted = FittedCard(DIRECTIONS).fit(signals, labels, times.astype(float), (), accounts)
    again = signals.index.repeat(times)
    repeated = FittedCard(DIRECTIONS).fit(signals.loc[again], labels[again], None, (), accounts[again])

    assert weighted.card_ == repeated.card_
    assert weighted.raw_score(signals) == pytest.approx(repeated.raw_score(signals), abs=1e-3)


def test_folds_keep_what_holds_only_in_the_rows_of_the_fit_off_the_card():
    signals, labels = draw_leads(4000)
    early = np.arange(4000) < 2000
    fad = np.where(early, labels * 2.0 + np.random.default_rng(2).normal(0, 1, 4000), np.random.default_rng(2).normal(0, 1, 4000))
    folds = [(np.flatnonzero(early), np.flatnonzero(~early))]

    blind = FittedCard().fit(signals.assign(fad=fad), labels)
    warned = FittedCard().fit(signals.assign(fad=fad), labels, None, folds, np.arange(4000) // 4)

    assert "fad" in {row.id for row in blind.card_.rows}
    assert warned.card_ is None or len(warned.card_.rows) < len(blind.card_.rows)


def test_thresholds_are_numbers_that_a_person_would_write(fitted):
    bounds = [rung.bound for row in fitted.card_.rows for rung in row.rungs]

    assert all(len(f"{bound:g}".replace(".", "")) <= 4 for bound in bounds)


def test_missing_values_earn_nothing(fitted):
    nothing = pd.DataFrame({"uses": [np.nan], "idle": [np.nan], "age": [np.nan], "industry": [None]})

    assert fitted.points(nothing).tolist() == [0]
    assert fitted.raw_score(nothing).tolist() == [fitted.contributions(nothing)[0]]


def test_infinite_values_and_unknown_columns_are_refused():
    signals, labels = draw_leads(200)

    with pytest.raises(DataError, match="signal 'uses' has infinite values: expected numbers or missing"):
        FittedCard().fit(signals.assign(uses=np.inf), labels)


@pytest.mark.parametrize("labels", [np.zeros(200, np.int8), np.arange(200) % 3], ids=["one class", "three classes"])
def test_other_than_two_classes_are_refused(labels):
    with pytest.raises(DataError, match="Only binary classification is supported"):
        FittedCard().fit(draw_leads(200)[0], labels)


def test_the_same_rows_give_the_same_bytes():
    first, second = (json.dumps(FittedCard(DIRECTIONS).fit(*draw_leads(1000)).to_dict()) for _ in range(2))

    assert first == second


def test_it_works_unfitted_cloned_and_in_cross_validation():
    signals, labels = draw_leads(1500)
    scorer = FittedCard(DIRECTIONS, most_rows=3)

    assert cross_val_score(scorer, signals, labels, cv=3, scoring="roc_auc").min() > 0.65
    assert clone(scorer).get_params() == {"directions": DIRECTIONS, "most_rows": 3}
    with pytest.raises(NotFittedError):
        clone(scorer).raw_score(signals)
    with pytest.raises(NotFittedError):
        _ = clone(scorer).card_
