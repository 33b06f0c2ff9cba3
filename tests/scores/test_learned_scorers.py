"""Logistic regression and boosted trees: order, constraints, names, what they refuse, and that they repeat."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tree_losses import grow_all

from pls_ml.core.errors import BundleError, DataError
from pls_ml.scores import BoostedScorer, LogisticScorer, scorer_from_dict

DIRECTIONS = {"uses": "up", "idle": "down", "age": "none", "industry": "none"}


def make_scorer(kind, **settings):
    return LogisticScorer(**settings) if kind == "logistic" else BoostedScorer(**({"directions": DIRECTIONS, "n_trees": 30} | settings))


every_learned_scorer = pytest.mark.parametrize("kind", ["logistic", "lightgbm"])


def draw_leads(n=800, seed=0):
    """Two directed signals with gaps, one that matters in the middle only, and text."""
    rng = np.random.default_rng(seed)
    signals = pd.DataFrame(
        {
            "uses": rng.poisson(3, n).astype(float),
            "idle": rng.exponential(10, n),
            "age": rng.uniform(0, 100, n),
            "industry": rng.choice(["software", "retail", "mining"], n, p=[0.5, 0.3, 0.2]),
        }
    )
    odds = -2 + 0.4 * signals["uses"] - 0.05 * signals["idle"] + (abs(signals["age"] - 50) < 15) + (signals["industry"] == "software")
    labels = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    signals.loc[rng.random(n) < 0.15, "idle"] = np.nan
    signals.loc[rng.random(n) < 0.1, "industry"] = None
    return signals, labels


@cache
def fit_scorer(kind):
    return make_scorer(kind).fit(*draw_leads())


lead = st.fixed_dictionaries(
    {
        "uses": st.one_of(st.just(np.nan), st.floats(0, 40)),
        "idle": st.one_of(st.just(np.nan), st.floats(0, 200)),
        "age": st.floats(0, 120),
        "industry": st.sampled_from(["software", "retail", "mining", "fishing", None]),
    }
)


@settings(max_examples=150, deadline=None)
@given(lead=lead, column=st.sampled_from(["uses", "idle"]), ends=st.tuples(st.floats(0, 60), st.floats(0, 60)))
def test_trees_never_score_against_a_declared_direction(lead, column, ends):
    low, high = sorted(ends)
    pair = pd.DataFrame([lead | {column: low}, lead | {column: high}])

    scores = fit_scorer("lightgbm").raw_score(pair)

    rise = scores[1] - scores[0] if column == "uses" else scores[0] - scores[1]
    assert rise >= -1e-12


@pytest.mark.parametrize("seed", range(3))
def test_directions_hold_even_where_the_data_say_the_opposite(seed):
    signals, labels = draw_leads(600, seed)
    against = {"uses": "down", "idle": "up"}
    grid = pd.concat([signals.head(40)] * 30, ignore_index=True)

    for column, sign in (("uses", -1), ("idle", 1)):
        values = np.repeat(np.linspace(0, 40, 30), 40)
        scores = make_scorer("lightgbm", directions=against, seed=seed).fit(signals, labels).raw_score(grid.assign(**{column: values}))
        assert (sign * np.diff(scores.reshape(30, 40), axis=0) >= -1e-12).all()


def test_without_a_direction_the_same_data_do_turn_round():
    signals, _ = draw_leads()
    grid = pd.concat([signals.head(1)] * 60, ignore_index=True).assign(age=np.linspace(0, 100, 60))

    steps = np.diff(fit_scorer("lightgbm").raw_score(grid))

    assert steps.max() > 1e-6
    assert steps.min() < -1e-6


@settings(max_examples=100, deadline=None)
@given(lead=lead, column=st.sampled_from(["uses", "idle", "age"]), ends=st.tuples(st.floats(0, 60), st.floats(0, 60)))
def test_logistic_moves_one_way_in_every_number(lead, column, ends):
    low, high = sorted(ends)
    wide = pd.DataFrame([lead | {column: 0.0}, lead | {column: 100.0}, lead | {column: low}, lead | {column: high}])

    start, end, first, second = fit_scorer("logistic").raw_score(wide)

    assert (second - first) * np.sign(end - start) >= -1e-9


def test_both_find_the_direction_that_was_planted():
    signals, _ = draw_leads()

    for kind in ("logistic", "lightgbm"):
        shares = pd.DataFrame(fit_scorer(kind).contributions(signals)[1], columns=signals.columns)
        assert shares["uses"].corr(signals["uses"], method="spearman") > 0.9
        assert shares["idle"].corr(signals["idle"], method="spearman") < -0.9
        assert shares["industry"][signals["industry"] == "software"].mean() > shares["industry"][signals["industry"] == "mining"].mean()


@every_learned_scorer
def test_text_never_seen_counts_as_no_value(kind):
    scorer, (signals, _) = fit_scorer(kind), draw_leads()

    unseen = scorer.raw_score(signals.assign(industry="fishing"))

    assert np.isfinite(unseen).all()
    assert unseen.tolist() == scorer.raw_score(signals.assign(industry=None)).tolist()
    for known in ("software", "retail", "mining"):
        assert np.abs(unseen - scorer.raw_score(signals.assign(industry=known))).max() > 1e-3


@every_learned_scorer
@pytest.mark.parametrize("make", [pd.Categorical, lambda codes: pd.Series(codes, dtype=object)], ids=["category", "object"])
def test_a_category_of_numbers_is_text(kind, make):
    signals, labels = draw_leads()
    codes = np.random.default_rng(3).integers(10, 13, len(signals))
    labels = np.where(codes == 11, labels, 0).astype(np.int8)

    numbers, text = signals.assign(industry=make(codes)), signals.assign(industry=codes.astype(str))

    assert np.ptp(make_scorer(kind).fit(numbers, labels).contributions(numbers)[1][:, 3]) > 0
    assert (
        make_scorer(kind).fit(numbers, labels).raw_score(numbers).tolist() == make_scorer(kind).fit(text, labels).raw_score(text).tolist()
    )


@every_learned_scorer
def test_columns_may_come_in_any_order_and_with_others(kind):
    scorer, (signals, _) = fit_scorer(kind), draw_leads()
    shuffled = signals[["industry", "age", "idle", "uses"]].assign(more=1.0)

    assert scorer.raw_score(shuffled).tolist() == scorer.raw_score(signals).tolist()


@every_learned_scorer
def test_a_missing_column_is_named_with_the_nearest_one(kind):
    scorer, (signals, _) = fit_scorer(kind), draw_leads()

    with pytest.raises(BundleError, match=r"signal 'industry' is missing \(did you mean 'industri'\?\): the scorer needs 4 columns"):
        scorer.raw_score(signals.rename(columns={"industry": "industri"}))


@every_learned_scorer
def test_infinite_values_are_refused_at_training_and_at_scoring(kind):
    scorer, (signals, labels) = fit_scorer(kind), draw_leads()
    broken = signals.assign(uses=signals["uses"].where(signals.index != 5, -np.inf))

    with pytest.raises(DataError, match="signal 'uses' has infinite values: expected numbers or missing"):
        make_scorer(kind).fit(broken, labels)
    with pytest.raises(DataError, match="signal 'uses' has infinite values"):
        scorer.raw_score(broken)
    with pytest.raises(DataError, match="signal 'uses' has infinite values"):
        scorer.contributions(broken)


@every_learned_scorer
def test_text_where_training_had_numbers_is_refused_by_name(kind):
    scorer, (signals, _) = fit_scorer(kind), draw_leads()

    with pytest.raises(DataError, match="signal 'age' holds str values: expected numbers or missing"):
        scorer.raw_score(signals.assign(age=pd.Series("old", index=signals.index, dtype="str")))


@every_learned_scorer
@pytest.mark.parametrize("label", [0, 1])
def test_one_class_is_refused(kind, label):
    signals, labels = draw_leads()

    with pytest.raises(DataError, match=f"all 800 labels are {label}: expected both won and not won"):
        make_scorer(kind).fit(signals, np.full_like(labels, label))


@every_learned_scorer
def test_no_rows_and_another_number_of_labels_are_refused(kind):
    signals, labels = draw_leads()

    with pytest.raises(DataError, match="all 0 labels are absent"):
        make_scorer(kind).fit(signals.head(0), labels[:0])
    with pytest.raises(DataError, match="800 rows of signals and 799 labels: expected one label per row"):
        make_scorer(kind).fit(signals, labels[1:])


@every_learned_scorer
def test_no_column_and_repeated_names_are_refused(kind):
    signals, labels = draw_leads()

    with pytest.raises(DataError, match="signal columns must have distinct names, got none"):
        make_scorer(kind).fit(signals[[]], labels)
    with pytest.raises(DataError, match="distinct names"):
        make_scorer(kind).fit(pd.concat([signals, signals[["age"]]], axis=1), labels)


@every_learned_scorer
def test_any_text_is_a_good_name(kind):
    signals, labels = draw_leads()
    odd = ['a:b,c[0]{x}"q"', "ümlaut π", "with space\tand tab", "…"]
    named = signals.set_axis(odd, axis=1)
    directions = dict(zip(odd, DIRECTIONS.values(), strict=True))
    extra = {} if kind == "logistic" else {"directions": directions}

    fitted = make_scorer(kind, **extra).fit(named, labels)
    read = scorer_from_dict(json.loads(json.dumps(fitted.to_dict())))

    assert read.raw_score(named).tolist() == fit_scorer(kind).raw_score(signals).tolist()


@every_learned_scorer
def test_odd_text_is_a_good_category(kind):
    signals, labels = draw_leads()
    odd = {"software": 'a:b,c[0]{x}"q"\n', "retail": "", "mining": "nan"}

    fitted = make_scorer(kind).fit(signals.assign(industry=signals["industry"].map(odd)), labels)

    assert fitted.raw_score(signals.assign(industry=signals["industry"].map(odd))).tolist() == fit_scorer(kind).raw_score(signals).tolist()


@every_learned_scorer
def test_columns_that_say_nothing_change_nothing(kind):
    signals, labels = draw_leads()
    empty = signals.assign(constant=5.0, gone=np.nan, blank=pd.Series(None, index=signals.index, dtype=object))

    shares = make_scorer(kind).fit(empty, labels).contributions(empty.assign(constant=7.0))[1]

    assert not shares[:, 4:].any()


@every_learned_scorer
def test_the_same_seed_gives_the_same_bytes(kind):
    signals, labels = draw_leads()

    first, second = (json.dumps(make_scorer(kind).fit(signals, labels).to_dict()) for _ in range(2))

    assert first == second


def test_another_seed_gives_other_trees():
    signals, labels = draw_leads()

    other = make_scorer("lightgbm", seed=8).fit(signals, labels).raw_score(signals)

    assert np.abs(other - fit_scorer("lightgbm").raw_score(signals)).max() > 0.01


def test_one_thread_and_two_give_the_same_trees_and_scores():
    signals, labels = draw_leads()

    one, two = (make_scorer("lightgbm", threads=threads).fit(signals, labels) for threads in (1, 2))

    assert two.raw_score(signals).tolist() == one.raw_score(signals).tolist()
    assert two.contributions(signals)[1].tolist() == one.contributions(signals)[1].tolist()


def test_several_seeds_are_averaged():
    signals, labels = draw_leads()

    both = make_scorer("lightgbm", seeds=2).fit(signals, labels)
    single = [make_scorer("lightgbm", seed=seed).fit(signals, labels) for seed in (7, 8)]

    assert both.raw_score(signals) == pytest.approx(np.mean([s.raw_score(signals) for s in single], axis=0), abs=1e-12)
    assert both.contributions(signals)[1] == pytest.approx(np.mean([s.contributions(signals)[1] for s in single], axis=0), abs=1e-12)


@pytest.mark.parametrize("keep", [0, 4, 500, 0.5, 0.99])
def test_truncated_trees_are_refused_before_lightgbm_sees_them(keep, monkeypatch):
    data = fit_scorer("lightgbm").to_dict()
    text = data["boosters"][0]
    cut = text[: keep if isinstance(keep, int) else int(keep * len(text))]
    monkeypatch.setattr("lightgbm.Booster", lambda **_: pytest.fail("LightGBM was given a damaged text"))

    with pytest.raises(BundleError, match="the model text is incomplete"):
        scorer_from_dict(data | {"boosters": [cut]})


def test_a_scorer_without_trees_is_refused():
    with pytest.raises(BundleError, match="the model text is incomplete"):
        scorer_from_dict(fit_scorer("lightgbm").to_dict() | {"boosters": []})


@pytest.mark.parametrize("kind", ["lightgmb", None])
def test_an_unknown_kind_is_refused_with_the_known_ones(kind):
    with pytest.raises(BundleError, match=f"unknown scorer kind '{kind}'.*expected one of scorecard, logistic, lightgbm"):
        scorer_from_dict({"kind": kind})


@pytest.mark.parametrize("weighted", [True, False])
def test_the_loss_by_trees_is_the_loss_of_a_scorer_with_that_many_trees(weighted):
    (signals, labels), (others, truth) = draw_leads(), draw_leads(300, seed=5)
    weight = np.random.default_rng(2).uniform(0.2, 2, 800) if weighted else None
    check = np.random.default_rng(2).uniform(0.2, 2, 300) if weighted else None

    losses, margins = grow_all(make_scorer("lightgbm"), (signals, labels, weight), (others, truth, check))
    scores = make_scorer("lightgbm", n_trees=60).fit(signals, labels, weight).raw_score(others)

    assert margins[2] == pytest.approx(scores, abs=1e-9)
    expected = np.logaddexp(0, np.where(truth == 1, -scores, scores)) * (1 if check is None else check)
    assert losses[2] == pytest.approx(expected.sum(), abs=1e-9)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("labels", [[1, 0, 0], [1, 0], [1] + [0] * 40, [1, 1] + [0] * 40, [1] * 40 + [0] * 3])
def test_logistic_fits_where_a_class_is_too_small_for_folds(labels):
    signals, _ = draw_leads(len(labels))

    fitted = LogisticScorer().fit(signals, np.array(labels, np.int8))

    assert np.isfinite(fitted.raw_score(signals)).all()


def test_logistic_searches_its_penalty_on_the_folds_it_is_given():
    signals, labels = draw_leads()
    noise = np.random.default_rng(4).permutation(labels)
    half = np.arange(800) % 2 == 0
    misleading = [(np.flatnonzero(half), np.flatnonzero(~half))]

    strict = LogisticScorer().fit(signals, np.where(half, noise, labels).astype(np.int8), None, misleading)
    free = LogisticScorer().fit(signals, labels, None, misleading)

    assert np.abs(strict.coefficients_).sum() < np.abs(free.coefficients_).sum() / 2


def test_logistic_gives_a_missing_number_the_mean_and_a_flag():
    signals, labels = draw_leads()
    gaps = signals.assign(idle=np.where(labels == 1, signals["idle"], np.nan))

    fitted = LogisticScorer().fit(gaps, labels)
    known, unknown = (fitted.contributions(gaps.assign(idle=value))[1][:, 1].mean() for value in (gaps["idle"].median(), np.nan))

    assert known - unknown > 1
