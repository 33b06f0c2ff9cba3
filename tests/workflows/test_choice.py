"""Which candidate `model.use: best` takes: the simplest that loses no more than chance, and leaves no more to chance among the best."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pls_ml.workflows.candidates import Candidate, TrainingRows, choose_candidate

FOLDS = 3


def draw_rows(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    cause, other = rng.normal(size=(2, n))
    labels = (rng.random(n) < 1 / (1 + np.exp(2.5 - 1.5 * cause))).astype(np.int8)
    signals = pd.DataFrame({"cause": cause, "other": other})
    times = np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(1, "h")
    return TrainingRows(signals, labels, np.ones(n), np.arange(n) // 2, times)


def say(name, rows, margin, loss=None):
    """A candidate that said this of every row; its losses are those of its margins, or others."""
    told = np.logaddexp(0, np.where(rows.labels == 1, -margin, margin)) if loss is None else loss
    return Candidate(name, *[SimpleNamespace()] * 3, np.arange(len(margin)), np.arange(len(margin)) % FOLDS, margin, told)


def choose(rows, **margins):
    return choose_candidate({name: say(name, rows, margin) for name, margin in margins.items()}, rows)


def test_the_simplest_is_taken_where_it_says_the_same():
    rows = draw_rows()
    margin = 1.5 * rows.signals["cause"].to_numpy() - 2.5

    assert choose(rows, card=margin, logistic=margin, trees=margin + 1e-9) == "card"


def test_a_better_candidate_is_taken_where_the_simplest_loses_more():
    rows = draw_rows()

    assert choose(rows, card=np.full(3000, -1.7), logistic=1.5 * rows.signals["cause"].to_numpy() - 2.5) == "logistic"


def test_a_card_whose_best_leads_tie_gives_way_though_it_loses_no_more():
    rows = draw_rows()
    margin = 1.5 * rows.signals["cause"].to_numpy() - 2.5
    own = np.logaddexp(0, np.where(rows.labels == 1, -margin, margin))
    tied = np.minimum(margin, -1.5)

    found = {"card": say("card", rows, tied, own), "logistic": say("logistic", rows, margin), "trees": say("trees", rows, margin)}

    assert choose_candidate(found, rows) == "logistic"


def test_the_finest_order_does_not_win_against_a_lower_loss():
    rows = draw_rows()
    margin = 1.5 * rows.signals["cause"].to_numpy() - 2.5

    assert choose(rows, card=np.round(margin), overconfident=4 * margin + 3) == "card"


def test_the_first_of_two_that_say_nothing_is_taken():
    rows = draw_rows()
    assert choose(rows, card=np.full(3000, -1.7), logistic=np.full(3000, -1.7)) == "card"


@pytest.mark.parametrize(("wins", "chosen"), [(29, "card"), (30, "logistic")])
def test_a_handful_of_wins_says_nothing_about_the_order_of_the_best(wins, chosen):
    rows = draw_rows()
    labels = np.zeros(3000, np.int8)
    labels[np.argsort(-rows.signals["cause"])[:wins]] = 1
    same = np.ones(3000)
    found = {"card": say("card", rows, np.zeros(3000), same), "logistic": say("logistic", rows, rows.signals["cause"].to_numpy(), same)}

    assert choose_candidate(found, replace(rows, labels=labels)) == chosen


def test_rows_of_one_account_are_judged_by_loss_alone():
    rows = draw_rows()
    one = TrainingRows(rows.signals, rows.labels, rows.weight, np.zeros(3000, np.int64), rows.as_of)
    margin = 1.5 * rows.signals["cause"].to_numpy() - 2.5

    assert choose(one, card=margin, logistic=margin) == "card"
