"""Intervals cover the truth of invented worlds as often as they say, and rows that have not matured bias nothing."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from pls_ml.core.database import Database
from pls_ml.core.windows import Horizon
from pls_ml.evaluation import CandidateScores, ComparisonOptions, compare_candidates
from pls_ml.labels.horizon import label_spine

WORLDS, ACCOUNTS, LEADS, RESAMPLES = 400, 200, 5, 200
JUDGED = ("roc_auc", "average_precision", "precision_at_capacity", "log_loss", "observed_expected", "calibration_slope")
OPTIONS = {"capacity": 0.2, "reference": "rules", "challenger": "model", "n_resamples": RESAMPLES}
LEADS_IN_TIME = 40_000
DATA_END = datetime(2024, 10, 27)


def draw_world(rng, n_accounts):
    """Colleagues share signals and fate; rules see one cause of two in whole points, the model both."""
    account = np.repeat(np.arange(n_accounts), LEADS)
    first, second = rng.normal(0, 0.8, (2, n_accounts))[:, account] + rng.normal(0, 0.6, (2, account.size))
    fate = rng.normal(0, 0.7, n_accounts)[account]
    labels = rng.random(account.size) < 1 / (1 + np.exp(1.4 - first - 0.7 * second - fate))
    margin = 0.9 * (-1.4 + first + 0.7 * second)
    scores = {"rules": CandidateScores(np.round(2 * first)), "model": CandidateScores(margin, 1 / (1 + np.exp(-margin)))}
    return labels.astype(np.int8), scores, account


def compare(rng, n_accounts, seed=0, n_resamples=RESAMPLES):
    labels, scores, account = draw_world(rng, n_accounts)
    found = compare_candidates(labels, scores, account, ComparisonOptions(**(OPTIONS | {"seed": seed, "n_resamples": n_resamples})))
    figures = {figure: found.metrics["model"][figure] for figure in JUDGED}
    return figures | {"difference": found.differences["precision_at_capacity"]}


def test_ninety_five_percent_intervals_of_accounts_cover_ninety_two_to_ninety_eight():
    rng = np.random.default_rng(11)
    truth = {figure: estimate.value for figure, estimate in compare(rng, 60_000, n_resamples=2).items()}
    covered = dict.fromkeys(truth, 0)

    for world in range(WORLDS):
        for figure, estimate in compare(rng, ACCOUNTS, seed=world).items():
            covered[figure] += estimate.low <= truth[figure] <= estimate.high

    shares = {figure: count / WORLDS for figure, count in covered.items()}
    assert all(0.92 <= share <= 0.98 for share in shares.values()), shares


@pytest.fixture(scope="module")
def young_and_old():
    """Weekly rows of leads that win at a constant rate of their own until 2024-10-27, labelled with what is known then."""
    rng = np.random.default_rng(3)
    rate = np.exp(rng.normal(-6.2, 0.8, LEADS_IN_TIME))
    start = np.datetime64("2024-01-01", "us")
    signed = rng.integers(0, 250, LEADS_IN_TIME)
    won = signed + rng.exponential(1 / rate)
    lead, week = np.meshgrid(np.arange(LEADS_IN_TIME), np.arange(43), indexing="ij")
    lead, day = lead.ravel(), 7 * week.ravel()
    at_risk = (day > signed[lead]) & (day < won[lead])
    lead, day = lead[at_risk], day[at_risk]
    database = Database([], threads=1, memory_limit="500MB")
    spine = pd.DataFrame({"row": np.arange(lead.size), "lead_key": lead.astype(str), "as_of": start + day * np.timedelta64(1, "D")})
    known = won < 300
    closed = start + (won[known] * 86_400_000_000).astype("timedelta64[us]")
    outcomes = pd.DataFrame({"lead_key": np.flatnonzero(known).astype(str), "closed_at": closed, "is_won": True})
    for name, table in (("spine", spine), ("outcomes", outcomes)):
        database.register(f"given_{name}", table)
        database.execute(f"CREATE TABLE {name} AS SELECT * FROM given_{name}")
    horizon = Horizon(90, 1, 0)
    label_spine(database, horizon, DATA_END)
    labels = database.frame('SELECT * FROM labels ORDER BY "row"')
    # What is won in the gap drops out of both sides.
    truth, gap = 1 - np.exp(-90 * rate[lead]), won[lead] < day + 1
    return labels, truth, gap, (won[lead] < np.minimum(day + 91, 300)), day


def test_the_rate_of_matured_rows_is_the_true_one(young_and_old):
    labels, truth, *_ = young_and_old
    matured = labels["row"].to_numpy()

    assert labels["label"].mean() == pytest.approx(truth[matured].mean(), rel=0.03)


def test_young_rows_as_negatives_would_have_biased_it(young_and_old):
    labels, truth, gap, won_so_far, day = young_and_old

    naive = won_so_far[~gap].mean()

    assert naive < 0.93 * truth[~gap].mean()
    latest = np.datetime64(DATA_END - timedelta(days=91), "D") - np.datetime64("2024-01-01", "D")
    assert day[labels["row"].to_numpy()].max() <= latest.astype(int)
