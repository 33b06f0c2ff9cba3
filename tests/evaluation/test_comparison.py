"""The comparison is paired, and the decision is the rule and nothing else."""

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from pls_ml.core.errors import DataError
from pls_ml.evaluation import CandidateScores, ComparisonOptions, Estimate, PeriodDifference, compare_candidates
from pls_ml.evaluation.comparison import decide

OPTIONS = ComparisonOptions(capacity=0.1, reference="rules", challenger="model", n_resamples=200)


def period(difference, positives=5):
    return PeriodDifference("2025-01", rows=100, positives=positives, reference=0.2, challenger=0.2 + difference)


def draw_comparison(skill, seed=0, n_accounts=200, leads=6):
    """Rules see one cause; the model sees it and, with skill, the other."""
    rng = np.random.default_rng(seed)
    n = n_accounts * leads
    first, second = rng.normal(size=(2, n))
    labels = (rng.random(n) < 1 / (1 + np.exp(2 - first - second))).astype(np.int8)
    margin = -2 + first + skill * second
    candidates = {"rules": CandidateScores(np.round(2 * first)), "model": CandidateScores(margin, 1 / (1 + np.exp(-margin)))}
    return labels, candidates, np.repeat(np.arange(n_accounts), leads), np.tile(np.arange(leads), n_accounts)


def with_periods(periods, **other):
    return ComparisonOptions(capacity=0.1, reference="rules", challenger="model", n_resamples=200, periods=periods, **other)


def test_a_better_model_wins_and_the_sentence_has_the_figures():
    labels, candidates, groups, months = draw_comparison(skill=1.0)

    found = compare_candidates(labels, candidates, groups, with_periods(months))

    assert found.decision.wins
    low = f"{100 * found.differences['precision_at_capacity'].low:+.1f}"
    assert found.decision.sentence.startswith("model beats rules: precision in the top 10 % differs by +")
    assert low in found.decision.sentence
    assert f"higher in {found.decision.agreeing} of 6 periods (5 needed)" in found.decision.sentence


def test_an_equal_model_gives_no_evidence():
    labels, candidates, groups, months = draw_comparison(skill=0.0)

    found = compare_candidates(labels, candidates, groups, with_periods(months))

    assert not found.decision.wins
    assert found.decision.sentence.startswith("no evidence that model beats rules: ")


@pytest.mark.parametrize(
    ("low", "differences", "wins"),
    [
        (0.01, [0.1, 0.1, 0.1, -0.1], True),
        (0.00, [0.1, 0.1, 0.1, 0.1], False),
        (0.01, [0.1, 0.1, -0.1, -0.1], False),
        (0.01, [0.1, 0.1, 0.0, -0.1], False),
        (float("nan"), [0.1, 0.1, 0.1, 0.1], False),
    ],
)
def test_both_halves_of_the_rule_must_hold(low, differences, wins):
    found = decide(Estimate(0.05, low, 0.09), tuple(map(period, differences)), OPTIONS)

    assert found.wins is wins


@pytest.mark.parametrize("positives", [0, 100])
def test_a_period_with_one_class_does_not_vote(positives):
    silent = period(0.0, positives=positives)

    found = decide(Estimate(0.05, 0.01, 0.09), (period(0.1), silent, silent), OPTIONS)

    assert (found.wins, found.agreeing, found.voting) == (True, 1, 1)
    assert not decide(Estimate(0.05, 0.01, 0.09), (silent,), OPTIONS).wins


def test_a_candidate_against_its_own_copy_differs_by_exactly_nothing():
    labels, candidates, groups, months = draw_comparison(skill=1.0)
    twins = {"rules": candidates["model"], "model": candidates["model"]}

    found = compare_candidates(labels, twins, groups, with_periods(months))

    assert {(e.value, e.low, e.high) for e in found.differences.values()} == {(0.0, 0.0, 0.0)}
    assert not found.decision.wins


def test_counts_and_figures_are_those_of_the_rows():
    labels, candidates, groups, months = draw_comparison(skill=1.0)
    values = labels * np.arange(labels.size)

    found = compare_candidates(labels, candidates, groups, with_periods(months, values=values))

    assert (found.rows, found.positives, found.accounts) == (1200, labels.sum(), 200)
    assert found.base_rate == pytest.approx(labels.mean(), abs=1e-12)
    expected = average_precision_score(labels, candidates["model"].raw)
    assert found.metrics["model"]["average_precision"].value == pytest.approx(expected, abs=1e-12)
    best = np.argsort(-candidates["model"].raw)[:120]
    assert found.metrics["model"]["captured_value"].value == pytest.approx(values[best].sum(), rel=1e-9)
    assert found.metrics["model"]["precision_at_capacity"].value == pytest.approx(labels[best].mean(), abs=1e-9)
    assert found.periods[2].rows == 200
    assert sum(p.positives for p in found.periods) == found.positives


def test_every_figure_has_an_interval_and_points_alone_have_no_probability_figures():
    labels, candidates, groups, _ = draw_comparison(skill=1.0)

    found = compare_candidates(labels, candidates, groups, OPTIONS)

    assert set(found.metrics["rules"]) < set(found.metrics["model"])
    assert "log_loss" not in found.metrics["rules"]
    assert set(found.differences) == set(found.metrics["rules"])
    for figure, estimate in found.metrics["model"].items():
        assert estimate.low < estimate.high, figure
    slope = found.metrics["model"]["calibration_slope"]
    assert slope.low < 1 < slope.high


def test_without_periods_all_rows_are_one():
    labels, candidates, groups, _ = draw_comparison(skill=1.0)

    found = compare_candidates(labels, candidates, groups, OPTIONS)

    assert [p.period for p in found.periods] == ["all"]
    assert found.periods[0].difference == pytest.approx(found.differences["precision_at_capacity"].value, abs=1e-12)


def test_a_number_of_leads_is_shared_out_over_the_periods():
    labels, candidates, groups, months = draw_comparison(skill=1.0)

    as_count = ComparisonOptions(120, "rules", "model", n_resamples=20, periods=months)
    as_share = ComparisonOptions(0.1, "rules", "model", n_resamples=20, periods=months)

    counted, shared = (compare_candidates(labels, candidates, groups, options) for options in (as_count, as_share))
    assert [p.challenger for p in counted.periods] == pytest.approx([p.challenger for p in shared.periods], abs=1e-12)
    assert "top 120 leads" in counted.decision.sentence


def test_the_order_of_the_rows_does_not_change_the_result():
    labels, candidates, groups, months = draw_comparison(skill=1.0)
    order = np.random.default_rng(1).permutation(labels.size)
    moved = {name: CandidateScores(c.raw[order], None) for name, c in candidates.items()}
    still = {name: CandidateScores(c.raw, None) for name, c in candidates.items()}

    straight = compare_candidates(labels, still, groups, with_periods(months))
    shuffled = compare_candidates(labels[order], moved, groups[order], with_periods(months[order]))

    for figure, estimate in straight.differences.items():
        other = shuffled.differences[figure]
        assert (other.value, other.low, other.high) == pytest.approx((estimate.value, estimate.low, estimate.high), abs=1e-9)


def test_the_result_is_json_html_and_text():
    labels, candidates, groups, months = draw_comparison(skill=1.0)
    candidates["<script>"] = candidates["rules"]

    found = compare_candidates(labels, candidates, groups, with_periods(months))

    stored = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert stored["decision"]["sentence"] == found.decision.sentence
    assert stored["metrics"]["model"]["ici"]["value"] == found.metrics["model"]["ici"].value
    page = found._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    text = found.to_text().splitlines()
    assert text[0].startswith("1,200 rows of 200 accounts")
    assert text[-1] == found.decision.sentence


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"challenger": "modle"}, r"candidate 'modle' has no scores \(did you mean 'model'\?\)"),
        ({"capacity": 0.0}, "capacity is 0.0"),
        ({"periods": ["2025-01"]}, "1200 labels but 1 periods"),
        ({"values": [1.0]}, "1200 labels but 1 values"),
    ],
)
def test_wishes_that_do_not_fit_are_refused(change, message):
    labels, candidates, groups, _ = draw_comparison(skill=1.0)
    options = ComparisonOptions(**({"capacity": 0.1, "reference": "rules", "challenger": "model", "n_resamples": 5} | change))

    with pytest.raises(DataError, match=message):
        compare_candidates(labels, candidates, groups, options)


def test_one_class_and_unequal_lengths_are_refused():
    labels, candidates, groups, _ = draw_comparison(skill=1.0)

    with pytest.raises(DataError, match="0 of 1200 rows are positive: expected both outcomes"):
        compare_candidates(np.zeros(1200), candidates, groups, OPTIONS)
    with pytest.raises(DataError, match="1200 labels but 7 account ids"):
        compare_candidates(labels, candidates, groups[:7], OPTIONS)
    with pytest.raises(DataError, match="1200 labels but 2 scores of 'rules'"):
        compare_candidates(labels, candidates | {"rules": CandidateScores([1.0, 2.0])}, groups, OPTIONS)
