"""Ratios by level: by hand where two numbers suffice, and against planted truth where chance plays."""

import json

import numpy as np
import pytest

from pls_ml.core.errors import DataError
from pls_ml.evaluation.pooling import pool_ratios


def draw_levels(true_ratios, rows_each, seed=0, per_account=1):
    """Leads whose true probability is the stated one times the level's ratio; leads of an account win or lose together."""
    rng = np.random.default_rng(seed)
    levels = np.repeat(np.arange(len(true_ratios)), rows_each)
    accounts = np.arange(levels.size) // per_account
    stated = rng.uniform(0.05, 0.3, accounts.max() + 1)[accounts]
    drawn = rng.random(accounts.max() + 1)[accounts]
    return levels.astype(str), (drawn < stated * np.asarray(true_ratios)[levels]).astype(np.int8), stated, accounts


def test_two_levels_worked_out_by_hand():
    labels = [1] * 12 + [0] * 88 + [1] * 4 + [0] * 96
    levels = ["a"] * 100 + ["b"] * 100

    found = pool_ratios("segment", levels, labels, np.full(200, 0.08), np.arange(200))

    # log(12.5 / 8.5) and log(4.5 / 8.5); rows alone in their account vary less than wins that come independently, 1 / 12.5 and 1 / 4.5.
    ratios, noise = np.log([12.5 / 8.5, 4.5 / 8.5]), np.array([1 / 12.5, 1 / 4.5])
    weight = 1 / noise
    mean = weight @ ratios / weight.sum()
    between = (weight @ (ratios - mean) ** 2 - 1) / (weight.sum() - (weight**2).sum() / weight.sum())
    assert found.spread == pytest.approx(np.sqrt(between), abs=1e-12)
    again = 1 / (noise + between)
    centre = again @ ratios / again.sum()
    expected = centre + between / (between + noise) * (ratios - centre)
    assert [level.pooled.value for level in found.levels] == pytest.approx(np.exp(expected), abs=1e-12)
    assert [(x.level, x.rows, x.won, x.expected, x.ratio) for x in found.levels] == [
        ("a", 100, 12, pytest.approx(8), pytest.approx(1.5)),
        ("b", 100, 4, pytest.approx(8), pytest.approx(0.5)),
    ]


def test_levels_that_differ_by_chance_alone_share_one_ratio():
    spreads = [pool_ratios("month", *draw_levels([0.8] * 6, 300, seed)).spread for seed in range(20)]

    assert np.mean(np.array(spreads) == 0) > 0.3
    assert np.median(spreads) < 0.1


def test_levels_that_truly_differ_keep_their_own():
    true = [0.4, 0.7, 1.0, 1.6, 2.5]

    found = pool_ratios("segment", *draw_levels(true, 4000))

    assert found.spread == pytest.approx(np.std(np.log(true), ddof=1), rel=0.2)
    assert [level.pooled.value for level in found.levels] == pytest.approx(true, rel=0.12)


def test_pooled_ratios_are_nearer_to_the_truth_than_those_of_small_levels_alone():
    rng = np.random.default_rng(1)
    errors = []
    for seed in range(40):
        true = np.exp(rng.normal(0, 0.3, 8))
        found = pool_ratios("segment", *draw_levels(true, 120, seed))
        alone, pooled = (
            np.log(np.maximum(ratios, 0.02)) - np.log(true)
            for ratios in ([level.ratio for level in found.levels], [level.pooled.value for level in found.levels])
        )
        errors.append((np.mean(alone**2), np.mean(pooled**2)))

    alone, pooled = np.mean(errors, axis=0)
    assert pooled < 0.7 * alone


@pytest.mark.parametrize(("per_account", "least"), [(1, 0.92), (10, 0.85)])
def test_intervals_hold_the_true_ratio_about_as_often_as_they_say(per_account, least):
    rng = np.random.default_rng(2)
    held = []
    for seed in range(60):
        true = np.exp(rng.normal(0, 0.4, 8))
        found = pool_ratios("segment", *draw_levels(true, 600, seed, per_account))
        held += [level.pooled.low <= ratio <= level.pooled.high for level, ratio in zip(found.levels, true, strict=True)]

    assert least < np.mean(held) <= 0.99


def test_a_level_without_a_win_is_drawn_to_the_others():
    levels, labels, stated, accounts = draw_levels([1.0, 1.0, 1.0], 400)
    labels = labels * (levels != "0")

    found = pool_ratios("segment", levels, labels, stated, accounts)

    assert found.levels[0].ratio == 0
    assert 0 < found.levels[0].pooled.low < found.levels[0].pooled.value < found.levels[1].pooled.value


def test_one_level_is_its_own_ratio():
    labels = [1] * 10 + [0] * 90

    (level,) = pool_ratios("month", ["x"] * 100, labels, np.full(100, 0.1), np.arange(100)).levels

    assert level.ratio == pytest.approx(1)
    assert level.pooled.value == pytest.approx(1)
    assert level.pooled.low < 1 < level.pooled.high


def test_ratios_are_plain_json_text_and_an_escaped_table():
    levels, labels, stated, accounts = draw_levels([1.0, 2.0], 200)

    found = pool_ratios("segment", np.where(levels == "0", "<b>", levels), labels, stated, accounts)

    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["levels"][1]["level"] == "<b>"
    assert len(found.to_text().splitlines()) == 4
    assert "&lt;b&gt;" in found._repr_html_()
    assert "<b>" not in found._repr_html_()


def test_lists_of_another_length_are_refused():
    with pytest.raises(DataError, match=r"\(1,\) levels and \(2,\) accounts for 2 labels: expected one each per row"):
        pool_ratios("month", ["x"], [0, 1], [0.1, 0.2], ["a", "b"])
