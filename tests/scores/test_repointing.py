"""Re-pointing: towards outcomes where later rows bear it out, never against the card's signs and orders, otherwise the card as it was."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pls_ml.core.errors import ConfigError, DataError
from pls_ml.evaluation import account_resamples
from pls_ml.evaluation.splits import forward_folds
from pls_ml.scores import RepointedCard, ScorecardClassifier
from pls_ml.scores.card import Scorecard
from pls_ml.scores.learned_card import MaturedRows
from pls_ml.scores.repointing import repoint_card

WORTH = 0.06
# row | signal | rung: expert's points → true points; the two agree on the scale: Σ true × expert increments = Σ expert increments²
CARDS = """
uses      | uses      | gte 1:  10 → 5,    gte 3:  20 → 25,  gte 6: 30 → 30
active    | dau_mau   | gt 0.3: 10 → 5,    gt 0.5: 20 → 20
pricing   | pricing   | gte 1:  20 → 30
idle      | events    | lt 1:  -20 → -10
declining | declining | gte 1: -15 → -15
big       | employees | gte 50: 10 → 10
"""


def read_cards():
    expert, true = [], []
    for line in CARDS.strip().splitlines():
        name, signal, ladder = (cell.strip() for cell in line.split("|"))
        rungs = []
        for rung in ladder.split(","):
            test, points = rung.split(":")
            operator, bound = test.split()
            before, after = map(int, points.split("→"))
            rungs.append({operator: float(bound), "points": before})
            true.append(after)
        expert.append({"id": name, "family": "use", "signal": signal, "rungs": rungs})
    card = make_card(expert)
    return card, give_points(card, true)


def make_card(rows, **more):
    return Scorecard.model_validate({"id": "expert", "bands": [{"name": "High", "gte": 30}], "below": "Low", "rows": rows} | more)


def give_points(card, points):
    """The card with these points, rung by rung."""
    left = iter(points)
    rows = [row | {"rungs": [rung | {"points": next(left)} for rung in row["rungs"]]} for row in dump_rows(card)]
    return make_card(rows)


def dump_rows(card):
    return [row.model_dump(exclude_none=True) for row in card.rows]


def list_points(card):
    return [rung.points for row in card.rows for rung in row.rungs]


EXPERT, TRUTH = read_cards()


def draw_signals(rng, n):
    return pd.DataFrame(
        {
            "uses": rng.poisson(2.5, n).astype(float),
            "dau_mau": rng.beta(2, 3, n),
            "pricing": rng.poisson(0.4, n).astype(float),
            "events": rng.poisson(1.2, n).astype(float),
            "declining": (rng.random(n) < 0.2).astype(float),
            "employees": np.where(rng.random(n) < 0.2, np.nan, 10 ** rng.uniform(0.5, 3, n)),
        }
    )


def draw_rows(card=TRUTH, n=12_000, seed=0, worth=WORTH):
    """Rows of accounts with about five rows each over forty weeks; the log-odds of a win rise by `worth` a point of the card."""
    rng = np.random.default_rng(seed)
    signals = draw_signals(rng, n)
    odds = worth * (card.score_leads(signals).score - 30) - 1.5
    labels = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    accounts = np.array([f"a{number}" for number in rng.integers(0, n // 5, n)], dtype=object)
    weeks = np.datetime64("2024-01-01", "us") + rng.integers(0, 40, n) * np.timedelta64(7, "D")
    return MaturedRows(signals, labels, rng.choice([0.5, 1.0], n), accounts), weeks


def make_folds(rows, weeks):
    return forward_folds(weeks, rows.accounts, 4, 3)


@pytest.fixture(scope="module")
def drawn():
    return draw_rows()


@pytest.fixture(scope="module")
def found(drawn):
    rows, weeks = drawn
    return repoint_card(EXPERT, rows, make_folds(rows, weeks), account_resamples(rows.accounts, 60, 1))


def replace(rows, **parts):
    return MaturedRows(**({name: getattr(rows, name) for name in ("signals", "labels", "weight", "accounts")} | parts))


def take(rows, part):
    return MaturedRows(rows.signals.iloc[part], rows.labels[part], rows.weight[part], rows.accounts[part])


def test_from_enough_outcomes_of_a_card_its_points_come_back(found):
    assert found.changed
    assert list_points(found.card) == pytest.approx(list_points(TRUTH), abs=3)
    assert found.worth == pytest.approx(WORTH, rel=0.08)
    assert np.abs(np.subtract(list_points(EXPERT), list_points(TRUTH))).max() == 10


def test_the_more_outcomes_the_nearer_the_true_points():
    distances = []
    for n in (1500, 24_000):
        rows, weeks = draw_rows(n=n, seed=4)
        distances.append(
            np.abs(np.subtract(list_points(repoint_card(EXPERT, rows, make_folds(rows, weeks)).card), list_points(TRUTH))).sum()
        )

    assert distances[1] < distances[0] / 2
    assert distances[1] <= 14


def test_a_card_that_is_right_is_kept():
    rows, weeks = draw_rows(EXPERT, n=6000, seed=2)

    result = repoint_card(EXPERT, rows, make_folds(rows, weeks))

    assert not result.changed
    assert result.card is EXPERT
    assert result.spread == 0
    assert result.worth == pytest.approx(WORTH, rel=0.1)
    assert result.reason.startswith("on later rows no other points are better by more than one standard error: log loss 0.")


def test_everything_else_of_the_card_stays(found):
    assert found.card.bands == EXPERT.bands
    assert found.card.id == EXPERT.id
    for old, new in zip(EXPERT.rows, found.card.rows, strict=True):
        assert old.model_dump(exclude={"rungs"}) == new.model_dump(exclude={"rungs"})
        assert [rung.model_dump(exclude={"points"}) for rung in old.rungs] == [rung.model_dump(exclude={"points"}) for rung in new.rungs]
    assert Scorecard.model_validate_json(found.card.model_dump_json()) == found.card


def test_without_rows_or_with_one_outcome_the_card_is_unchanged(drawn):
    rows, weeks = drawn
    lost = replace(rows, labels=np.zeros_like(rows.labels))
    weightless = replace(rows, weight=np.where(rows.labels == 1, 0.0, 1.0))

    for given_rows in (take(rows, slice(0, 0)), lost, weightless):
        result = repoint_card(EXPERT, given_rows, make_folds(rows, weeks) if len(given_rows.labels) else [])

        assert result.card is EXPERT
        assert result.reason == "there are no rows of both outcomes to learn from"
        assert {rung.decision for rung in result.rungs} == {"keep"}
        assert (result.rounding, result.bands) == (None, ())
        json.dumps(result.to_dict(), allow_nan=False)


def test_without_later_rows_to_check_on_the_card_is_unchanged(drawn):
    rows, _ = drawn

    result = repoint_card(EXPERT, rows, [])

    assert result.card is EXPERT
    assert result.reason == "there are fewer than 30 wins among later rows to check other points on"


@pytest.mark.parametrize("seed", range(4))
def test_with_few_outcomes_the_points_hardly_move(seed):
    few, some = ([*draw_rows(n=n, seed=seed)] for n in (90, 250))

    assert repoint_card(EXPERT, few[0], make_folds(*few)).card is EXPERT
    moved = np.subtract(list_points(repoint_card(EXPERT, some[0], make_folds(*some)).card), list_points(EXPERT))
    assert np.abs(moved).max() <= 8


def test_where_more_points_mean_fewer_wins_the_card_is_kept_and_a_point_is_worth_nothing(drawn):
    rows, weeks = drawn

    result = repoint_card(EXPERT, replace(rows, labels=1 - rows.labels), make_folds(rows, weeks))

    assert result.card is EXPERT
    assert result.worth == 0
    assert result.reason.startswith("leads with more points are not won more often, so a point is worth nothing")


def test_when_the_relation_turns_round_later_the_card_is_kept(drawn):
    """What early rows teach is wrong on later ones: uses and pricing, which stood out, say nothing any more."""
    rows, weeks = drawn
    other = give_points(EXPERT, [15, 15, 20, 20, 30, 0, -40, -15, 10])
    odds = WORTH * (other.score_leads(rows.signals).score - 30) - 1.5
    turned = (np.random.default_rng(9).random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    folds = make_folds(rows, weeks)[:3]  # those that fit on the first quarter
    early = weeks <= max(weeks[fit].max() for fit, _ in folds)
    adverse = replace(rows, labels=np.where(early, rows.labels, turned).astype(np.int8))

    result = repoint_card(EXPERT, adverse, folds)

    assert result.card is EXPERT
    assert result.held_out.new > result.held_out.old
    assert repoint_card(EXPERT, rows, folds).changed


def test_out_of_time_the_new_card_is_not_worse_than_the_old_one(drawn, found):
    rows, _ = drawn
    later, _ = draw_rows(seed=77)
    assert found.held_out.new <= found.held_out.old

    losses = [mean_loss(ScorecardClassifier(card).fit(rows.signals, rows.labels, rows.weight), later) for card in (EXPERT, found.card)]

    assert losses[1] < losses[0]


def mean_loss(scorer, rows):
    margins = scorer.raw_score(rows.signals)
    return float(np.average(np.logaddexp(0, margins) - rows.labels * margins, weights=rows.weight))


def test_the_loss_from_rounding_is_that_of_the_cards_with_and_without_whole_points(drawn, found):
    rows, _ = drawn

    fitted = ScorecardClassifier(found.card).fit(rows.signals, rows.labels, rows.weight)

    assert found.rounding.whole == pytest.approx(mean_loss(fitted, rows), abs=1e-6)
    assert -1e-4 < found.rounding.loss < 1e-3
    assert found.to_dict()["rounding"]["loss"] == found.rounding.whole - found.rounding.continuous


def test_every_rung_says_how_many_rows_earn_it_and_what_is_decided(drawn, found):
    rows, _ = drawn
    uses = rows.signals["uses"]
    steps = [uses.between(1, 2), uses.between(3, 5), uses >= 6]

    assert [rung.row for rung in found.rungs] == ["uses"] * 3 + ["active"] * 2 + ["pricing", "idle", "declining", "big"]
    assert [rung.test for rung in found.rungs][2:4] == ["uses ≥ 6", "dau_mau > 0.3"]
    assert [(rung.rows, rung.won) for rung in found.rungs[:3]] == [(int(step.sum()), int(rows.labels[step].sum())) for step in steps]
    assert [rung.new for rung in found.rungs] == list_points(found.card)
    for rung in found.rungs:
        assert (rung.decision == "keep") == (rung.old == rung.new)
        assert rung.low <= rung.high
    said = {rung.test: rung.reason for rung in found.rungs}
    assert said["pricing ≥ 1"] == "the outcomes give it more weight"
    assert said["events < 1"] == "the outcomes give it less weight"


def test_every_band_says_how_it_fills_before_and_after_and_which_bound_would_keep_it_from_growing(drawn, found):
    rows, _ = drawn
    before, after = (card.score_leads(rows.signals).score for card in (EXPERT, found.card))

    (high,) = found.bands

    assert (high.name, high.bound) == ("High", 30)
    assert (high.old, high.new) == pytest.approx(((before >= 30).mean(), (after >= 30).mean()), abs=1e-12)
    assert (after >= high.keeping).sum() <= (before >= 30).sum() < (after >= high.keeping - 1).sum()


def test_a_rung_that_earns_nothing_beyond_the_one_before_it_is_retired():
    true = give_points(EXPERT, [20, 15, 30, 10, 20, 20, -20, 5, 10])  # three uses are worse than one, declining is good
    rows, weeks = draw_rows(true, n=16_000)

    result = repoint_card(EXPERT, rows, make_folds(rows, weeks))

    retired = {rung.test: rung.reason for rung in result.rungs if rung.decision == "retire"}
    assert retired == {
        "declining ≥ 1": "the outcomes give it nothing",
        "uses ≥ 3": "the outcomes give it nothing beyond the rung before it",
    }
    assert {rung.test: rung.new for rung in result.rungs}["declining ≥ 1"] == 0


def test_rows_without_their_signal_keep_their_points_and_are_named(drawn):
    rows, weeks = drawn
    rows = replace(rows, signals=rows.signals.drop(columns=["events", "pricing"]))

    result = repoint_card(EXPERT, rows, make_folds(rows, weeks))

    assert result.changed
    assert result.missing_rows == ("pricing", "idle")
    kept = {rung.row: rung for rung in result.rungs if rung.row in result.missing_rows}
    assert {(rung.old, rung.new, rung.decision, rung.reason, rung.low) for rung in kept.values()} == {
        (20, 20, "keep", "its signal is not in the data", None),
        (-20, -20, "keep", "its signal is not in the data", None),
    }


def test_a_rung_that_nobody_earns_keeps_its_points(drawn):
    rows, weeks = drawn
    rare = [
        *dump_rows(EXPERT),
        {"id": "never", "family": "use", "signal": "uses", "rungs": [{"gte": 1000, "points": 25}]},
        {"id": "silent", "family": "use", "signal": "uses", "rungs": [{"gte": 2, "points": 0}]},
    ]

    result = repoint_card(make_card(rare), rows, make_folds(rows, weeks), account_resamples(rows.accounts, 5, 1))

    never, silent = result.rungs[-2:]
    assert result.changed
    assert (never.new, never.rows, never.low, never.decision, never.reason) == (25, 0, None, "keep", "nobody earns it")
    assert (silent.new, silent.reason) == (0, "the row gives no points, so it has no sign to learn in")


def test_intervals_cover_what_a_rung_is_truly_worth():
    covered = []
    for seed in range(12):
        rows, _ = draw_rows(n=1200, seed=100 + seed)
        result = repoint_card(EXPERT, rows, [], account_resamples(rows.accounts, 60, seed))
        true = np.array(list_points(TRUTH)) * WORTH / result.worth
        covered += [rung.low <= at <= rung.high for rung, at in zip(result.rungs, true, strict=True)]

    assert 0.86 < np.mean(covered) <= 1


def test_intervals_of_accounts_that_decide_together_are_wider():
    rows, _ = draw_rows(n=1500, seed=3)
    twins = MaturedRows(
        pd.concat([rows.signals] * 4, ignore_index=True), *(np.tile(part, 4) for part in (rows.labels, rows.weight, rows.accounts))
    )

    widths = []
    for given_rows in (rows, twins):
        result = repoint_card(EXPERT, given_rows, [], account_resamples(given_rows.accounts, 60, 0))
        widths.append(np.mean([rung.high - rung.low for rung in result.rungs]))

    assert widths[1] == pytest.approx(widths[0], rel=0.1)


@st.composite
def cards(draw):
    """Ladders up, down, of both signs, stacked or not, with points in any order."""
    rows = []
    for number in range(draw(st.integers(1, 4))):
        n = draw(st.integers(1, 3))
        points = draw(st.lists(st.integers(-30, 30), min_size=n, max_size=n))
        operator = draw(st.sampled_from(["gte", "lt"]))
        bounds = [0, 1, 2][:n] if operator == "gte" else [3, 2, 1][:n]
        rungs = [{operator: bound, "points": given_points} for bound, given_points in zip(bounds, points, strict=True)]
        ladder = draw(st.sampled_from(["exclusive", "stacked"]))
        rows.append({"id": f"row{number}", "family": "use", "signal": f"s{number}", "rungs": rungs, "ladder": ladder})
    return make_card(rows)


@settings(max_examples=60, deadline=None)
@given(card=cards(), seed=st.integers(0, 10_000), noise=st.floats(0, 3))
def test_signs_and_orders_stay_whatever_the_outcomes_say(card, seed, noise):
    rng = np.random.default_rng(seed)
    signals = pd.DataFrame({f"s{number}": rng.integers(-1, 4, 300).astype(float) for number in range(4)})
    odds = card.score_leads(signals).score / 20 + noise * (signals - 1) @ rng.normal(0, 1, 4)
    rows = MaturedRows(signals, (rng.random(300) < 1 / (1 + np.exp(-odds))).astype(np.int8), np.ones(300), np.arange(300))
    everything = np.arange(300)

    result = repoint_card(card, rows, [(everything, everything)])  # checked on the rows of the fit, so that it dares to change

    for old_row, new_row in zip(card.rows, result.card.rows, strict=True):
        pairs = [(old.points, new.points) for old, new in zip(old_row.rungs, new_row.rungs, strict=True)]
        signs = {np.sign(old) for old, _ in pairs if old}
        for old, new in pairs:
            assert np.sign(new) in ({0, np.sign(old)} if old else {0, *signs} if len(signs) == 1 else {0})
        if old_row.ladder == "exclusive":
            assert all(new <= higher for old, new in pairs for best, higher in pairs if old < best)


def test_the_same_rows_give_the_same_points(drawn, found):
    rows, weeks = drawn

    again = repoint_card(EXPERT, rows, make_folds(rows, weeks), account_resamples(rows.accounts, 60, 1))

    assert again.to_dict() == found.to_dict()


@pytest.mark.parametrize(
    ("more", "parts"),
    [
        ({"blocks": [{"id": "b", "weight": 1.0}]}, "blocks"),
        ({"multiplier": [{"name": "big", "times": 1.5, "all": [{"signal": "employees", "gte": 50}]}]}, "a multiplier"),
    ],
)
def test_a_card_whose_points_are_not_simply_added_is_refused(drawn, more, parts):
    rows = [row | ({"block": "b"} if "blocks" in more else {}) for row in dump_rows(EXPERT)]

    with pytest.raises(ConfigError, match=f"card 'expert' has {parts}: only points that are simply added up can be re-pointed; write its"):
        repoint_card(make_card(rows, **more), drawn[0], [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.zeros(3)}, "12,000 rows of signals, 3 labels, 12,000 weights and 12,000 accounts: expected one of each per row"),
        ({"labels": np.full(12_000, 2)}, "labels hold 2: expected 1 for won and 0 for not won"),
        ({"labels": np.full(12_000, np.nan)}, "labels hold nan: expected 1 for won"),
    ],
)
def test_rows_that_do_not_fit_together_are_refused(drawn, change, message):
    with pytest.raises(DataError, match=message):
        replace(drawn[0], **change)


def test_text_in_a_signal_of_the_card_is_refused_by_name(drawn):
    rows, _ = drawn

    with pytest.raises(DataError, match=r"signal 'uses' holds .* expected numbers"):
        repoint_card(EXPERT, replace(rows, signals=rows.signals.assign(uses="many")), [])


def test_the_scorer_scores_as_its_new_card_does(drawn, found):
    rows, weeks = drawn

    scorer = RepointedCard(EXPERT).fit(rows.signals, rows.labels, rows.weight, make_folds(rows, weeks), rows.accounts)

    assert scorer.card_ == found.card
    assert scorer.repointing_.rungs[0].low is None
    plain = ScorecardClassifier(found.card).fit(rows.signals, rows.labels, rows.weight)
    assert scorer.raw_score(rows.signals).tolist() == plain.raw_score(rows.signals).tolist()
    assert RepointedCard.from_dict(json.loads(json.dumps(scorer.to_dict()))).card_ == found.card


def test_the_scorer_without_folds_is_the_card_as_it_was(drawn):
    rows, _ = drawn

    scorer = RepointedCard(EXPERT).fit(rows.signals, rows.labels)

    assert scorer.card_ is EXPERT
