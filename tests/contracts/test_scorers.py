"""What every registered scorer promises."""

import json

import numpy as np
import pytest

from pls_ml.scores import SCORERS, scorer_from_dict


def starts_of(scorer):
    """What a scorer was fitted on top of, as further arguments of `fit`."""
    start = getattr(scorer, "start_", None)
    return () if start is None else (start,)


def test_kinds_are_distinct():
    assert len({scorer.kind for scorer in SCORERS}) == len(SCORERS) >= 3


def test_base_and_shares_sum_to_the_raw_score(scorer, leads):
    base, shares = scorer.contributions(leads)

    assert base + shares.sum(axis=1) == pytest.approx(scorer.raw_score(leads), abs=1e-9)
    assert np.ptp(scorer.raw_score(leads)) > 0.5


def test_there_is_one_share_per_signal_column(scorer, leads):
    base, shares = scorer.contributions(leads)

    assert isinstance(base, float)
    assert shares.shape == leads.shape
    assert shares.dtype == scorer.raw_score(leads).dtype == np.float64
    assert scorer.raw_score(leads).shape == (len(leads),)


def test_a_scorer_survives_json_to_the_last_bit(scorer, leads):
    data = scorer.to_dict()

    read = scorer_from_dict(json.loads(json.dumps(data, allow_nan=False)))

    assert type(read) is type(scorer)
    assert read.raw_score(leads).tobytes() == scorer.raw_score(leads).tobytes()
    assert read.contributions(leads)[0] == scorer.contributions(leads)[0]
    assert read.contributions(leads)[1].tobytes() == scorer.contributions(leads)[1].tobytes()
    assert json.dumps(read.to_dict(), sort_keys=True) == json.dumps(data, sort_keys=True)


def test_the_order_of_the_rows_does_not_matter(scorer, leads):
    order = np.random.default_rng(3).permutation(len(leads))

    assert scorer.raw_score(leads.iloc[order]).tolist() == scorer.raw_score(leads)[order].tolist()
    assert scorer.contributions(leads.iloc[order])[1].tolist() == scorer.contributions(leads)[1][order].tolist()


def test_a_batch_gives_what_its_rows_give_alone(scorer, leads):
    alone = [leads.iloc[[row]] for row in range(len(leads))]

    assert [float(scorer.raw_score(lead)[0]) for lead in alone] == scorer.raw_score(leads).tolist()
    assert [scorer.contributions(lead)[1][0].tolist() for lead in alone] == scorer.contributions(leads)[1].tolist()
    assert {scorer.contributions(lead)[0] for lead in alone} == {scorer.contributions(leads)[0]}


def test_the_index_of_the_table_does_not_matter(scorer, leads):
    named = leads.set_axis([f"row {n % 3}" for n in range(len(leads))], axis=0)

    assert scorer.raw_score(named).tolist() == scorer.raw_score(leads).tolist()


def test_no_lead_gives_no_score_and_the_same_base(scorer, leads):
    base, shares = scorer.contributions(leads.head(0))

    assert scorer.raw_score(leads.head(0)).shape == (0,)
    assert shares.shape == (0, leads.shape[1])
    assert base == scorer.contributions(leads)[0]


def test_scoring_changes_nothing_in_its_input(scorer, leads):
    before = leads.copy(deep=True)

    scorer.raw_score(leads)
    scorer.contributions(leads)

    assert leads.equals(before)
    assert leads.dtypes.equals(before.dtypes)


def test_fitting_changes_nothing_in_its_input_and_repeats_to_the_bit(scorer, training, leads):
    signals, labels, weight = (part.copy() for part in training)
    again = type(scorer)(**{name: getattr(scorer, name) for name in type(scorer).__init__.__annotations__ if name != "return"})

    again.fit(signals, labels, weight, *starts_of(scorer))

    assert signals.equals(training[0])
    assert labels.tolist() == training[1].tolist()
    assert weight.tolist() == training[2].tolist()
    assert again.raw_score(leads).tobytes() == scorer.raw_score(leads).tobytes()


def test_weights_are_optional_and_count(scorer, training, leads):
    signals, labels, _ = training
    make = {name: getattr(scorer, name) for name in type(scorer).__init__.__annotations__ if name != "return"}

    plain, ones, tilted = (
        type(scorer)(**make).fit(signals, labels, weight, *starts_of(scorer))
        for weight in (None, np.ones(len(labels)), np.where(labels == 1, 1.0, 0.3))
    )

    assert ones.raw_score(leads) == pytest.approx(plain.raw_score(leads), abs=1e-9)
    assert tilted.raw_score(leads).mean() > plain.raw_score(leads).mean() + 0.5


def test_higher_scores_won_more_often(scorer, training):
    signals, labels, _ = training
    best = scorer.raw_score(signals) > np.median(scorer.raw_score(signals))

    assert labels[best].mean() > labels[~best].mean() + 0.1
