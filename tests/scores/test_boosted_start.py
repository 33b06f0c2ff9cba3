"""Trees that start from a card or another scorer: they equal it without data, correct it with data, and keep both parts apart."""

import json
from functools import cache

import lightgbm
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tree_losses import grow_all

from pls_ml.core.errors import BundleError, ConfigError, DataError
from pls_ml.scores import BoostedScorer, LogisticScorer, RepointedCard, ScorecardClassifier, scorer_from_dict
from pls_ml.scores.boosted import MIN_POSITIVES, MIN_ROWS
from pls_ml.scores.card import Scorecard
from pls_ml.scores.growth import MAX_TREES, PATIENCE, STEP, TreeFold, TreeSettings, find_place, tree_counts

CARD = Scorecard.model_validate(
    {
        "id": "start",
        "bands": [{"name": "High", "gte": 30}],
        "below": "Low",
        "rows": [
            {"id": "use", "family": "usage", "signal": "uses", "rungs": [{"gte": 2, "points": 10}, {"gte": 5, "points": 25}]},
            {"id": "size", "family": "fit", "scope": "account", "signal": "employees", "rungs": [{"gte": 50, "points": 10}]},
            {"id": "away", "family": "negative", "signal": "idle", "rungs": [{"gte": 20, "points": -15}]},
            {"id": "asked", "family": "intent", "signal": "requests", "rungs": [{"gte": 1, "points": 30}]},
        ],
        "multiplier": [{"name": "software", "times": 1.5, "all": [{"signal": "industry", "among": ["software"]}]}],
    }
)
"""Nobody has the signal of the row `asked`."""
DIRECTIONS = {"uses": "up", "employees": "up", "idle": "down", "age": "none", "industry": "none"}
STARTS = {"card": lambda: ScorecardClassifier(CARD), "logistic": LogisticScorer}
every_start = pytest.mark.parametrize("kind", list(STARTS))


def draw_signals(n, seed):
    rng = np.random.default_rng(seed)
    signals = pd.DataFrame(
        {
            "uses": rng.poisson(3, n).astype(float),
            "idle": np.where(rng.random(n) < 0.15, np.nan, rng.exponential(12, n)),
            "employees": np.where(rng.random(n) < 0.2, np.nan, np.round(10 ** rng.uniform(0, 4, n))),
            "age": rng.uniform(0, 100, n),
            "industry": rng.choice(["software", "retail", "mining"], n, p=[0.3, 0.4, 0.3]),
        }
    )
    signals.loc[rng.random(n) < 0.1, "industry"] = None
    return signals


def draw_leads(n=4000, seed=0, missed=0.0):
    """Leads that win as the card says, and where `missed` is not 0, more often in the middle of their age, which the card does not see."""
    signals = draw_signals(n, seed)
    odds = -2.5 + 0.06 * CARD.score_leads(signals).score + missed * (np.abs(signals["age"].to_numpy() - 50) < 15)
    return signals, (np.random.default_rng(seed + 1000).random(n) < 1 / (1 + np.exp(-odds))).astype(np.int8)


@cache
def fit_started(kind="card", missed=1.5, n_trees=60, seeds=1):
    return BoostedScorer(DIRECTIONS, n_trees, seeds).fit(*draw_leads(missed=missed), None, STARTS[kind]())


@cache
def fit_start(kind="card", missed=1.5, seed=0):
    return STARTS[kind]().fit(*draw_leads(seed=seed, missed=missed))


def measure_losses(margins, labels):
    return np.logaddexp(0, np.where(labels == 1, -margins, margins))


def choose_count(signals, labels):
    """The number of trees on top of the card that loses least over three folds."""
    thirds, growths = np.arange(len(labels)) % 3, []
    for third in range(3):
        fit, check = ((signals[part], labels[part], None) for part in (thirds != third, thirds == third))
        fold = TreeFold(fit, check, ScorecardClassifier(CARD).fit(*fit))
        growths.append(BoostedScorer(DIRECTIONS).grow_on(fold, started=True))
    counts = tree_counts(ScorecardClassifier(CARD))
    return counts[find_place(growths, len(counts))[0]]


def standard_error(excess):
    return np.sqrt(np.sum((excess - excess.mean()) ** 2))


@every_start
def test_without_trees_it_is_the_start_to_the_last_bit(kind):
    leads = draw_signals(300, 5)

    scorer = fit_started(kind, n_trees=0)

    assert scorer.raw_score(leads).tobytes() == fit_start(kind).raw_score(leads).tobytes()
    assert scorer.contributions(leads)[0] == fit_start(kind).contributions(leads)[0]
    assert scorer.contributions(leads)[1].tolist() == fit_start(kind).contributions(leads)[1].tolist()
    assert not scorer.correction(leads)[1].any()


@every_start
@pytest.mark.parametrize(("rows", "wins", "grown"), [(MIN_ROWS, MIN_POSITIVES, True), (MIN_ROWS - 1, 500, False), (3000, 99, False)])
def test_too_few_rows_or_wins_leave_the_start_alone(kind, rows, wins, grown):
    signals, leads = draw_signals(rows, 1), draw_signals(200, 2)
    labels = np.zeros(rows, np.int8)
    labels[np.argsort(-signals["uses"], kind="stable")[:wins]] = 1

    scorer = BoostedScorer(DIRECTIONS, 20).fit(signals, labels, None, STARTS[kind]())

    alone = STARTS[kind]().fit(signals, labels).raw_score(leads)
    assert (scorer.raw_score(leads).tolist() != alone.tolist()) == grown


@every_start
@pytest.mark.parametrize(("rows", "label"), [(0, 0), (1, 1), (3000, 0), (3000, 1)])
def test_labels_that_say_nothing_leave_a_fitted_start_as_it_is(kind, rows, label):
    leads = draw_signals(200, 2)

    scorer = BoostedScorer(DIRECTIONS).fit(draw_signals(rows, 1), np.full(rows, label, np.int8), None, fit_start(kind))

    assert scorer.raw_score(leads).tolist() == fit_start(kind).raw_score(leads).tolist()


@every_start
def test_labels_of_one_class_cannot_fit_a_start_that_is_not_fitted(kind):
    with pytest.raises(DataError, match="all 50 labels are 0: expected both won and not won"):
        BoostedScorer().fit(draw_signals(50, 1), np.zeros(50, np.int8), None, STARTS[kind]())


@every_start
@pytest.mark.parametrize("label", [0, 1])
def test_another_number_of_labels_is_refused_however_the_start_is(kind, label):
    with pytest.raises(DataError, match="50 rows of signals and 49 labels"):
        BoostedScorer().fit(draw_signals(50, 1), np.full(49, label, np.int8), None, fit_start(kind))


@every_start
def test_the_start_that_is_passed_is_not_changed(kind):
    signals, labels = draw_leads(2500, seed=3)
    fresh, fitted = STARTS[kind](), STARTS[kind]().fit(*draw_leads(2500, seed=4))
    before = json.dumps(fitted.to_dict())

    first = BoostedScorer(DIRECTIONS, 5).fit(signals, labels, None, fresh)
    second = BoostedScorer(DIRECTIONS, 5).fit(signals, labels, None, fitted)

    assert vars(fresh) == vars(STARTS[kind]())
    assert json.dumps(fitted.to_dict()) == before
    assert first.raw_score(signals).tolist() == second.raw_score(signals).tolist()


@every_start
@pytest.mark.parametrize("seeds", [1, 3])
def test_base_and_shares_of_both_parts_sum_to_the_raw_score(kind, seeds):
    scorer, leads = fit_started(kind, seeds=seeds), draw_signals(400, 6)

    base, shares = scorer.contributions(leads)
    start_base, start_shares = fit_start(kind).contributions(leads)
    trees_base, tree_shares = scorer.correction(leads)

    assert base + shares.sum(axis=1) == pytest.approx(scorer.raw_score(leads), abs=1e-9)
    assert shares.shape == leads.shape
    assert base == start_base + trees_base
    assert shares.tolist() == (start_shares + tree_shares).tolist()
    assert trees_base + tree_shares.sum(axis=1) == pytest.approx(scorer.raw_score(leads) - fit_start(kind).raw_score(leads), abs=1e-9)
    assert np.abs(tree_shares[:, 3]).max() > 0.3


@every_start
def test_the_trees_are_those_that_lightgbm_grows_from_the_starts_margins(kind):
    (signals, labels), leads = draw_leads(missed=1.5), draw_signals(300, 6)
    scorer, start = fit_started(kind), fit_start(kind)

    parameters = scorer.boosters_[0].params | {"boost_from_average": True}  # which scores that are given must make void
    data = lightgbm.Dataset(scorer.encoding_.encode(signals), labels, init_score=start.raw_score(signals), categorical_feature=[4])
    trees = lightgbm.train(parameters, data, num_boost_round=60).predict(scorer.encoding_.encode(leads), raw_score=True)

    assert np.ptp(trees) > 0.5
    assert scorer.raw_score(leads) == pytest.approx(start.raw_score(leads) + trees, abs=1e-12)


@every_start
def test_probabilities_stay_right_on_average(kind):
    signals, labels = draw_leads(missed=1.5)

    won = 1 / (1 + np.exp(-fit_started(kind).raw_score(signals)))

    assert won.mean() == pytest.approx(labels.mean(), abs=0.005)


@every_start
@pytest.mark.parametrize("n_trees", [0, 60])
def test_it_survives_json_to_the_last_bit(kind, n_trees):
    scorer, leads = fit_started(kind, n_trees=n_trees), draw_signals(200, 7)
    data = scorer.to_dict()

    read = scorer_from_dict(json.loads(json.dumps(data, allow_nan=False)))

    assert type(read.start_) is type(STARTS[kind]())
    assert read.raw_score(leads).tobytes() == scorer.raw_score(leads).tobytes()
    assert read.contributions(leads)[0] == scorer.contributions(leads)[0]
    assert read.contributions(leads)[1].tobytes() == scorer.contributions(leads)[1].tobytes()
    assert json.dumps(read.to_dict(), sort_keys=True) == json.dumps(data, sort_keys=True)


def test_a_start_of_any_kind_is_read_by_its_own_kind():
    leads, additive = draw_signals(200, 7), CARD.model_copy(update={"multiplier": ()})

    scorer = BoostedScorer(DIRECTIONS, 5).fit(*draw_leads(2500), None, RepointedCard(additive))
    read = scorer_from_dict(json.loads(json.dumps(scorer.to_dict())))

    assert type(read.start_) is RepointedCard
    assert read.raw_score(leads).tobytes() == scorer.raw_score(leads).tobytes()
    assert scorer.contributions(leads)[0] + scorer.contributions(leads)[1].sum(axis=1) == pytest.approx(scorer.raw_score(leads), abs=1e-9)


def test_a_start_without_trees_is_read_from_a_bundle_that_holds_no_tree_texts():
    data, leads = fit_started(n_trees=0).to_dict(), draw_signals(50, 7)
    del data["boosters"]

    assert scorer_from_dict(data).raw_score(leads).tolist() == fit_start().raw_score(leads).tolist()


def test_damaged_trees_and_damaged_starts_are_refused():
    data = fit_started().to_dict()

    with pytest.raises(BundleError, match="the model text is incomplete"):
        scorer_from_dict(data | {"boosters": [data["boosters"][0][:500]]})
    with pytest.raises(BundleError, match="unknown scorer kind 'scorecart'"):
        scorer_from_dict(data | {"start": data["start"] | {"kind": "scorecart"}})


@every_start
def test_the_same_rows_give_the_same_bytes(kind):
    again = BoostedScorer(DIRECTIONS, 60, 2).fit(*draw_leads(missed=1.5), None, STARTS[kind]())

    assert json.dumps(again.to_dict()) == json.dumps(fit_started(kind, seeds=2).to_dict())


def test_trees_grow_on_one_thread_and_another_gives_the_same():
    leads = draw_signals(200, 7)

    two = BoostedScorer(DIRECTIONS, 60, threads=2).fit(*draw_leads(missed=1.5), None, ScorecardClassifier(CARD))

    assert all("[num_threads: 1]" in booster.model_to_string() for booster in two.boosters_)
    assert two.raw_score(leads).tolist() == fit_started().raw_score(leads).tolist()
    assert two.contributions(leads)[1].tolist() == fit_started().contributions(leads)[1].tolist()


@every_start
@pytest.mark.parametrize("weighted", [True, False])
def test_the_loss_by_trees_is_the_loss_of_a_scorer_with_that_many_trees(kind, weighted):
    fit, check = draw_leads(2500, seed=8, missed=1.5), draw_leads(400, seed=9, missed=1.5)
    rng = np.random.default_rng(2)
    weight, check_weight = (rng.uniform(0.2, 2, 2500), rng.uniform(0.2, 2, 400)) if weighted else (None, None)

    losses, margins = grow_all(BoostedScorer(DIRECTIONS), (*fit, weight), (*check, check_weight), STARTS[kind]())

    assert margins.shape == (len(tree_counts(STARTS[kind]())), 400)
    for place in (0, 1, 4):
        scorer = BoostedScorer(DIRECTIONS, tree_counts(STARTS[kind]())[place]).fit(*fit, weight, STARTS[kind]())
        expected = measure_losses(scorer.raw_score(check[0]), check[1]) * (1 if check_weight is None else check_weight)
        assert margins[place] == pytest.approx(scorer.raw_score(check[0]), abs=1e-9)
        assert losses[place] == pytest.approx(expected.sum(), abs=1e-9)


def test_a_fold_shows_what_trees_do_even_where_a_fit_would_grow_none():
    fit, check = draw_leads(600, seed=8, missed=1.5), draw_leads(400, seed=9, missed=1.5)

    losses, margins = grow_all(BoostedScorer(DIRECTIONS), (*fit, None), (*check, None), ScorecardClassifier(CARD))
    fitted = BoostedScorer(DIRECTIONS).fit(*fit, None, ScorecardClassifier(CARD))

    assert margins[0].tolist() == fitted.raw_score(check[0]).tolist()
    assert np.ptp(margins[5] - margins[0]) > 0.3
    assert np.unique(losses).size == len(tree_counts(fitted.start_))


@pytest.mark.parametrize("started", [False, True])
def test_a_fold_serves_trees_from_nothing_and_from_its_start_in_turn(started):
    fit, check = draw_leads(2500, seed=8, missed=1.5), draw_leads(400, seed=9, missed=1.5)
    fold = TreeFold((*fit, None), (*check, None), ScorecardClassifier(CARD).fit(*fit))
    scorer, other = BoostedScorer(DIRECTIONS), BoostedScorer(DIRECTIONS, settings=TreeSettings(num_leaves=4, min_data_in_leaf=200))

    mixed = [trees.grow_on(fold, started=how) for trees, how in ((other, not started), (scorer, started), (other, started))]
    for place in range(4):
        for growth in mixed:
            growth.loss(place)
    alone = scorer.grow_on(TreeFold((*fit, None), (*check, None), ScorecardClassifier(CARD).fit(*fit)), started=started)

    assert [mixed[1].loss(place) for place in range(4)] == [alone.loss(place) for place in range(4)]
    assert mixed[1].margins(3, check[0]).tolist() == alone.margins(3, check[0]).tolist()
    assert mixed[2].loss(3) != mixed[1].loss(3)


def test_folds_grow_together_until_their_loss_has_long_ceased_to_fall():
    class Told:
        """Losses by place, and how far somebody asked."""

        def __init__(self, *losses):
            self.losses, self.asked = losses, 0

        def loss(self, place):
            self.asked = max(self.asked, place)
            return self.losses[place]

    early, late = Told(5, 1, *[2] * 20), Told(*range(30, 8, -1))
    flat = Told(3, *[3.0] * 21)

    assert find_place([early], 21) == (1, 1)
    assert early.asked == 1 + PATIENCE
    assert find_place([late], 21) == (20, 10)
    assert find_place([early, late], 21) == (20, 12)
    assert find_place([flat], 21) == (0, 3)


@pytest.mark.parametrize("started", [False, True])
def test_signals_that_say_nothing_grow_nothing_and_lose_no_more(started):
    (signals, labels), same = draw_leads(2500), {"uses": 1.0, "idle": np.nan, "employees": 5.0, "age": 3.0, "industry": None}
    rows = signals.assign(**same), labels, None

    growth = BoostedScorer(DIRECTIONS).grow_on(TreeFold(rows, rows, ScorecardClassifier(CARD).fit(*rows)), started=started)

    rate = labels.mean()
    expected = -len(labels) * (rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    assert [growth.loss(place) for place in range(8)] == pytest.approx([expected] * 8, rel=1e-6)
    assert growth.margins(7, rows[0]) == pytest.approx(np.log(rate / (1 - rate)), abs=1e-3)


def test_settings_are_what_lightgbm_is_told_and_survive_json():
    scorer = BoostedScorer(DIRECTIONS, 5, settings=TreeSettings(num_leaves=4, learning_rate=0.2)).fit(*draw_leads(2500))

    read = scorer_from_dict(json.loads(json.dumps(scorer.to_dict())))

    text = scorer.boosters_[0].model_to_string()
    assert "[num_leaves: 4]" in text
    assert "[learning_rate: 0.2]" in text
    assert "[lambda_l2: 5]" in text
    assert read.settings == TreeSettings(num_leaves=4, learning_rate=0.2)


def test_a_fold_of_one_class_is_refused():
    signals, labels = draw_leads(600, seed=8)

    with pytest.raises(DataError, match="all 600 labels are 1"):
        TreeFold((signals, np.ones_like(labels), None), (signals, labels, None))


def test_only_with_a_start_no_tree_at_all_is_tried():
    assert list(tree_counts(None)) == [STEP * (k + 1) for k in range(MAX_TREES // STEP)]
    assert list(tree_counts(ScorecardClassifier(CARD))) == [0, *tree_counts(None)]


def test_signals_that_say_nothing_more_leave_the_start_alone():
    signals, labels = draw_leads(2500)
    bare = signals.assign(age=1.0, idle=0.0, employees=np.nan, industry="retail", uses=np.where(signals["uses"] >= 5, 5.0, 0.0))

    scorer = BoostedScorer(n_trees=60).fit(bare, labels, None, ScorecardClassifier(CARD))
    start = ScorecardClassifier(CARD).fit(bare, labels)

    assert scorer.raw_score(bare) == pytest.approx(start.raw_score(bare), abs=0.03)
    assert np.abs(scorer.correction(bare)[1][:, 1:]).max() == 0


@pytest.mark.parametrize("seed", range(3))
def test_where_the_card_is_the_truth_the_folds_hardly_want_a_tree_and_nothing_is_lost(seed):
    rows, (leads, truth) = draw_leads(seed=seed), draw_leads(20_000, seed + 50)

    started = BoostedScorer(DIRECTIONS, choose_count(*rows)).fit(*rows, None, ScorecardClassifier(CARD))
    excess = measure_losses(started.raw_score(leads), truth) - measure_losses(fit_start(missed=0.0, seed=seed).raw_score(leads), truth)

    assert started.n_trees <= 2 * STEP
    assert excess.sum() <= standard_error(excess)


@pytest.mark.parametrize("seed", range(3))
def test_where_the_card_is_the_truth_trees_that_are_forced_on_it_add_little(seed):
    (signals, labels), (leads, truth) = draw_leads(seed=seed), draw_leads(20_000, seed + 50)
    start = ScorecardClassifier(CARD).fit(signals, labels)
    started = BoostedScorer(DIRECTIONS, 60).fit(signals, labels, None, ScorecardClassifier(CARD))
    bare = BoostedScorer(DIRECTIONS, 60).fit(signals, labels)

    from_card, from_nothing, alone = (measure_losses(scorer.raw_score(leads), truth) for scorer in (started, bare, start))

    assert np.std(started.raw_score(leads) - start.raw_score(leads)) < np.std(start.raw_score(leads)) / 3
    assert from_card.mean() < 1.01 * alone.mean()
    assert from_card.sum() < from_nothing.sum() - 2 * standard_error(from_nothing - from_card)


@pytest.mark.parametrize("seed", range(3))
def test_where_the_card_misses_a_signal_the_trees_find_it(seed):
    (signals, labels), (leads, truth) = draw_leads(seed=seed, missed=1.5), draw_leads(4000, seed + 50, missed=1.5)
    start = ScorecardClassifier(CARD).fit(signals, labels)
    started = BoostedScorer(DIRECTIONS, 60).fit(signals, labels, None, ScorecardClassifier(CARD))

    gain = measure_losses(start.raw_score(leads), truth) - measure_losses(started.raw_score(leads), truth)
    learned = pd.Series(np.abs(started.correction(leads)[1]).mean(axis=0), leads.columns)

    assert gain.sum() > 3 * standard_error(gain)
    assert learned["age"] > 3 * learned.drop("age").max()


lead = st.fixed_dictionaries(
    {
        "uses": st.floats(0, 20),
        "idle": st.floats(0, 100),
        "employees": st.floats(1, 10_000),
        "age": st.floats(0, 100),
        "industry": st.sampled_from(["software", "retail", "fishing", None]),
    }
)


@settings(max_examples=100, deadline=None)
@given(lead=lead, column=st.sampled_from(["uses", "idle", "employees"]), ends=st.tuples(st.floats(0, 60), st.floats(0, 60)))
def test_where_card_and_trees_keep_to_a_direction_so_does_their_sum(lead, column, ends):
    low, high = sorted(ends)
    pair = pd.DataFrame([lead | {column: low}, lead | {column: high}])

    scores = fit_started().raw_score(pair)

    rise = scores[0] - scores[1] if column == "idle" else scores[1] - scores[0]
    assert rise >= -1e-12


def test_a_row_of_the_card_whose_signal_is_missing_gives_nothing_and_is_still_listed():
    scorer, leads = fit_started(), draw_signals(100, 7)

    read = scorer_from_dict(json.loads(json.dumps(scorer.to_dict())))

    assert scorer.start_.missing_rows_ == read.start_.missing_rows_ == ("asked",)
    assert not read.start_.row_points(leads)[:, 3].any()


@every_start
def test_text_counts_in_the_start_and_text_never_seen_counts_as_no_value(kind):
    scorer, leads = fit_started(kind), draw_signals(200, 7)

    software, retail, unseen, none = (scorer.raw_score(leads.assign(industry=value)) for value in ("software", "retail", "fishing", None))

    assert unseen.tolist() == none.tolist()
    assert software.mean() > retail.mean() + 0.2
    share = scorer.contributions(leads)[1][:, 4]
    assert share[leads["industry"] == "software"].mean() > share[leads["industry"] == "retail"].mean() + 0.2


@every_start
def test_columns_may_come_in_any_order_and_with_others(kind):
    scorer, leads = fit_started(kind), draw_signals(100, 7)
    mixed = leads[["industry", "age", "idle", "employees", "uses"]].assign(requests=9.0)

    assert scorer.raw_score(mixed).tolist() == scorer.raw_score(leads).tolist()
    assert scorer.contributions(mixed)[1].tolist() == scorer.contributions(leads)[1].tolist()


@every_start
def test_a_missing_column_is_named_before_the_start_is_asked(kind):
    with pytest.raises(BundleError, match=r"signal 'uses' is missing \(did you mean 'use'\?\): the scorer needs 5 columns"):
        fit_started(kind).raw_score(draw_signals(10, 7).rename(columns={"uses": "use"}))


@every_start
def test_a_batch_in_any_order_gives_what_its_rows_give_alone(kind):
    scorer, leads = fit_started(kind, seeds=3), draw_signals(60, 7)

    alone = [leads.iloc[[row]] for row in range(len(leads))]
    turned = leads.iloc[::-1]

    assert [float(scorer.raw_score(one)[0]) for one in alone] == scorer.raw_score(leads).tolist() == scorer.raw_score(turned)[::-1].tolist()
    assert [scorer.contributions(one)[1][0].tolist() for one in alone] == scorer.contributions(leads)[1].tolist()
    assert scorer.raw_score(leads.head(0)).shape == (0,)
    assert scorer.contributions(leads.head(0))[1].shape == (0, 5)
    assert scorer.contributions(leads.head(0))[0] == scorer.contributions(leads)[0]


@every_start
def test_weights_count_in_both_parts(kind):
    signals, labels = draw_leads(2500, seed=3, missed=1.5)
    make = BoostedScorer(DIRECTIONS, 20)

    plain = make.fit(signals, labels, None, STARTS[kind]()).raw_score(signals)
    ones = make.fit(signals, labels, np.ones(len(labels)), STARTS[kind]()).raw_score(signals)
    tilted = make.fit(signals, labels, np.where(labels == 1, 1.0, 0.3), STARTS[kind]()).raw_score(signals)

    assert ones == pytest.approx(plain, abs=1e-6)
    assert tilted.mean() > plain.mean() + 0.5


def test_neither_trees_nor_a_start_is_refused():
    with pytest.raises(ConfigError, match="n_trees is 0 and there is no start: expected at least one tree, or a scorer to start from"):
        BoostedScorer(n_trees=0).fit(*draw_leads(100))


def test_trees_are_refused_as_a_start():
    with pytest.raises(ConfigError, match="trees cannot start from trees: pass a card or a logistic regression"):
        BoostedScorer().fit(*draw_leads(100), None, BoostedScorer())
