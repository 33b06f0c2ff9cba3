"""The card as a scikit-learn classifier."""

import json

import numpy as np
import pandas as pd
import pytest
from golden_cards import SHIPPED, find_card
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from pls_ml.core.errors import DataError
from pls_ml.scores import ScorecardClassifier, scorer_from_dict

# With a card the estimator reads signals by name and refuses the arrays that scikit-learn's checks send; without one it takes them.
# Passed in full. Skipped by scikit-learn itself: `check_array_api_input`, which needs SCIPY_ARRAY_API=1 to be set before scipy is imported.
EXPECTED_TO_FAIL: dict[str, str] = {}


@parametrize_with_checks([ScorecardClassifier()], expected_failed_checks=lambda estimator: EXPECTED_TO_FAIL)
def test_the_classifier_keeps_scikit_learns_contract(estimator, check):
    check(estimator)


def draw_leads(card, n=600, seed=0):
    """Signals that the card looks at, drawn so that all rungs occur; wins become likelier with the score."""
    rng = np.random.default_rng(seed)
    signals = pd.DataFrame({name: rng.choice([0.0, 0.4, 1.0, 3.0, 6.0, 60.0, 1200.0, np.nan], n) for name in card.signals})
    score = card.score_leads(signals).score
    wins = rng.random(n) < 1 / (1 + np.exp(-(score - score.mean()) / score.std() * 2))
    return signals, wins.astype(np.int8), score


@pytest.mark.parametrize("name", SHIPPED)
def test_log_odds_are_a_rising_line_in_the_score(name):
    signals, labels, score = draw_leads(find_card(name))

    fitted = ScorecardClassifier(find_card(name)).fit(signals, labels)

    assert fitted.slope_ > 0
    assert fitted.points(signals).tolist() == score.tolist()
    assert fitted.raw_score(signals) == pytest.approx(fitted.intercept_ + fitted.slope_ * score, abs=1e-9)
    assert fitted.predict_proba(signals).sum(axis=1) == pytest.approx(1, abs=1e-12)
    assert fitted.predict_proba(signals)[:, 1].mean() == pytest.approx(labels.mean(), abs=1e-4)


@pytest.mark.parametrize("name", SHIPPED)
def test_contributions_sum_to_the_margin_with_what_the_multiplier_adds(name):
    signals, labels, _ = draw_leads(find_card(name))
    fitted = ScorecardClassifier(find_card(name)).fit(signals, labels)
    reversed_columns = signals[signals.columns[::-1]]

    base, shares = fitted.contributions(signals)

    assert base + shares.sum(axis=1) == pytest.approx(fitted.raw_score(signals), abs=1e-9)
    assert np.isfinite(shares).all()
    again = ScorecardClassifier(find_card(name)).fit(reversed_columns, labels)
    assert again.contributions(reversed_columns)[1][:, ::-1].tolist() == shares.tolist()


@pytest.mark.parametrize(
    ("company", "credited", "times"),
    [
        ({"employees": 1001.0, "account_users": 11.0}, "employees", 1.5),
        ({"employees": 51.0, "account_users": 11.0}, "employees", 1.2),
        ({"employees": 50.0, "account_users": 11.0}, "account_users", 1.2),
        ({"employees": np.nan, "account_users": 11.0}, "account_users", 1.2),
        ({"free_mail": 1.0}, "free_mail", 0.5),
        ({"account_new_users_30d": 0.0}, None, 1.0),
        ({}, None, 1.0),
    ],
)
def test_what_the_multiplier_adds_is_credited_to_the_signal_that_brought_it(company, credited, times):
    card = find_card("card_b")
    fitted = ScorecardClassifier(card).fit(*draw_leads(card)[:2])
    lead = pd.DataFrame([dict.fromkeys(card.signals, np.nan) | {"sessions_7d": 6.0} | company])

    _, shares = fitted.contributions(lead)

    given = {name: share / fitted.slope_ for name, share in zip(card.signals, shares[0], strict=True) if share}
    added = {credited: pytest.approx(10 * (times - 1), abs=1e-9)} if credited else {}
    assert given == {"sessions_7d": pytest.approx(10, abs=1e-9)} | added


def test_a_row_of_several_signals_is_credited_to_the_first_that_is_there():
    card = find_card("card_b")
    signals, labels, _ = draw_leads(card)
    without = signals.drop(columns="imports_lifetime")
    lead = pd.DataFrame([dict.fromkeys(card.signals, np.nan) | {"imports_lifetime": 1.0, "full_imports_lifetime": 1.0}])

    credited = [
        frame.columns[ScorecardClassifier(card).fit(frame, labels).contributions(lead[frame.columns])[1][0] != 0].tolist()
        for frame in (signals, without)
    ]

    assert credited == [["imports_lifetime"], ["full_imports_lifetime"]]
    assert ScorecardClassifier(card).fit(without, labels).missing_rows_ == ()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_fitted_card_survives_json_with_its_blocks_and_its_multiplier(name):
    card = find_card(name)
    signals, labels, _ = draw_leads(card)
    fitted = ScorecardClassifier(card).fit(signals, labels)

    read = scorer_from_dict(json.loads(json.dumps(fitted.to_dict(), allow_nan=False)))

    assert read.card == card
    assert read.to_dict() == fitted.to_dict()
    assert read.raw_score(signals).tobytes() == fitted.raw_score(signals).tobytes()
    assert read.contributions(signals)[1].tobytes() == fitted.contributions(signals)[1].tobytes()
    assert read.bands(signals).tolist() == fitted.bands(signals).tolist()


def test_a_card_that_speaks_against_the_outcome_gives_everybody_the_base_rate(card_a):
    signals, labels, _ = draw_leads(card_a)

    fitted = ScorecardClassifier(card_a).fit(signals, 1 - labels)

    assert fitted.slope_ == 0
    assert np.unique(fitted.predict_proba(signals)[:, 1]) == pytest.approx([1 - labels.mean()], abs=1e-12)
    assert not fitted.contributions(signals)[1].any()


def test_weights_count_as_repeated_rows(card_a):
    signals, labels, _ = draw_leads(card_a, 200)
    times = np.random.default_rng(1).integers(0, 4, 200)

    weighted = ScorecardClassifier(card_a).fit(signals, labels, times.astype(float))
    repeated = ScorecardClassifier(card_a).fit(signals.loc[signals.index.repeat(times)], np.repeat(labels, times))

    assert weighted.raw_score(signals) == pytest.approx(repeated.raw_score(signals), abs=1e-3)


def test_rows_whose_signal_is_missing_are_listed_and_give_nothing(card_a):
    signals, labels, _ = draw_leads(card_a)
    without = signals.drop(columns=["employees", "dau_mau"])

    fitted = ScorecardClassifier(card_a).fit(without, labels)

    assert fitted.missing_rows_ == ("dau_mau", "company_size")
    assert ScorecardClassifier(card_a).fit(signals, labels).missing_rows_ == ()
    given = dict(zip([row.id for row in card_a.rows], fitted.row_points(without).T.tolist(), strict=True))
    assert not any(given["dau_mau"])
    assert not any(given["company_size"])
    assert scorer_from_dict(json.loads(json.dumps(fitted.to_dict()))).missing_rows_ == ("dau_mau", "company_size")


def test_the_share_of_a_row_belongs_to_the_column_it_reads(card_a):
    signals, labels, _ = draw_leads(card_a)
    fitted = ScorecardClassifier(card_a).fit(signals, labels)
    lead = pd.DataFrame(0.0, index=[0], columns=signals.columns) + 0
    lead.loc[0, ["events_7d", "seconds_to_activation", "employees"]] = [1.0, 3600.0, 500.0]

    base, shares = fitted.contributions(lead)

    assert base == fitted.intercept_
    assert dict(zip(signals.columns, shares[0], strict=True))["employees"] == pytest.approx(20 * fitted.slope_, abs=1e-12)
    assert np.count_nonzero(shares) == 1


def test_bands_follow_the_card_and_need_one(card_a):
    signals, labels, _ = draw_leads(card_a)

    bands = ScorecardClassifier(card_a).fit(signals, labels).bands(signals)

    assert bands.tolist() == card_a.find_bands(card_a.score_leads(signals)).tolist()
    with pytest.raises(DataError, match="there is no card, so there are no bands"):
        ScorecardClassifier().fit(signals[["employees"]].fillna(0), labels).bands(signals[["employees"]].fillna(0))


def test_a_card_refuses_arrays_because_it_reads_by_name(card_a):
    signals, labels, _ = draw_leads(card_a)

    with pytest.raises(DataError, match="the card reads signals by name: expected a DataFrame, got ndarray"):
        ScorecardClassifier(card_a).fit(signals.to_numpy(), labels)


@pytest.mark.parametrize("labels", [np.zeros(600, np.int8), np.arange(600) % 3], ids=["one class", "three classes"])
def test_other_than_two_classes_are_refused(card_a, labels):
    signals, _, _ = draw_leads(card_a)

    with pytest.raises(DataError, match="Only binary classification is supported"):
        ScorecardClassifier(card_a).fit(signals, labels)


def test_two_classes_of_which_one_has_no_weight_are_refused(card_a):
    signals, labels, _ = draw_leads(card_a)

    with pytest.raises(DataError, match=r"1 class\(es\) with weight"):
        ScorecardClassifier(card_a).fit(signals, labels, (labels == 0).astype(float))


def test_it_works_unfitted_cloned_in_pipelines_and_in_cross_validation(card_a):
    signals, labels, _ = draw_leads(card_a)
    scorer = ScorecardClassifier(card_a)

    scores = cross_val_score(make_pipeline(FunctionTransformer(), scorer), signals, labels, cv=3, scoring="roc_auc")

    assert scores.min() > 0.6
    assert clone(scorer).card == card_a
    with pytest.raises(NotFittedError):
        clone(scorer).raw_score(signals)


def test_without_a_card_it_survives_json_even_when_fitted_on_an_array():
    array, labels = np.zeros((4, 2)), np.array([0, 1, 1, 1])
    fitted = ScorecardClassifier().fit(array, labels)

    read = scorer_from_dict(json.loads(json.dumps(fitted.to_dict())))

    assert read.raw_score(array).tolist() == fitted.raw_score(array).tolist() == pytest.approx([np.log(3)] * 4, abs=1e-12)
