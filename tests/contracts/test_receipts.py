"""What a receipt promises, whichever scorer and calibrator it comes from."""

import json
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pls_ml.calibration import CALIBRATORS, BetaCalibrator, CalibrationWarning, InterceptCalibrator, SigmoidCalibrator
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.errors import UnknownLeadError
from pls_ml.explanations.reasons import pick_reasons
from pls_ml.explanations.receipts import Receipts, build_receipts, path_scales
from pls_ml.scores import BoostedScorer


@dataclass
class Fixed:
    """A scorer that gives the shares it was told."""

    base: float
    shares: np.ndarray
    kind: str = "fixed"

    def contributions(self, signals):
        return self.base, self.shares


def make_receipts(shares, calibrator, catalogue, base=0.2):
    names = [column.name for column in catalogue]
    shares = np.atleast_2d(np.asarray(shares, float))
    values = pd.DataFrame(1.0, index=range(len(shares)), columns=names)
    return build_receipts(Fixed(base, shares), calibrator, values, [f"lead-{n}" for n in range(len(shares))], catalogue)


def fit_calibrator(kind):
    rng = np.random.default_rng(2)
    margins = rng.normal(-1, 1.5, 900)
    labels = (rng.random(900) < 1 / (1 + np.exp(-(0.7 * margins - 0.2)))).astype(np.int8)
    return next(made for made in CALIBRATORS if made.kind == kind)().fit(margins, labels)


every_calibrator = pytest.mark.parametrize("kind", [made.kind for made in CALIBRATORS])


def to_log_odds(probability):
    return np.log(probability) - np.log1p(-probability)


def test_receipts_sum_exactly_to_the_score_in_probability(receipts, scorer, calibrator, leads):
    assert receipts.score == pytest.approx(calibrator.transform(scorer.raw_score(leads)), abs=1e-12)
    assert receipts.base_probability + receipts.probability.sum(axis=1) == pytest.approx(receipts.score, abs=1e-9)


def test_receipts_sum_exactly_to_the_score_in_log_odds(receipts, scorer, calibrator, leads):
    assert receipts.base_log_odds + receipts.log_odds.sum(axis=1) == pytest.approx(to_log_odds(receipts.score), abs=1e-9)
    assert to_log_odds(receipts.score) == pytest.approx(calibrator.log_odds(scorer.raw_score(leads)), abs=1e-9)


def test_calibration_keeps_every_sign(receipts, scorer, leads):
    _, shares = scorer.contributions(leads)
    per_signal = np.column_stack([shares[:, 0] + shares[:, 1], shares[:, 2:]])

    assert np.sign(receipts.probability).tolist() == np.sign(per_signal).tolist()
    assert np.sign(receipts.log_odds).tolist() == np.sign(per_signal).tolist()
    assert np.unique(np.sign(per_signal)).size >= 2


def test_the_windows_of_one_signal_are_one_contribution(receipts, scorer, leads):
    assert [signal.id for signal in receipts.signals] == ["sessions", "idle", "industry", "employees", "credit", "disputes"]
    assert receipts.log_odds.shape == (len(leads), 6)
    _, shares = scorer.contributions(leads)
    scale = receipts.log_odds[:, 5] / np.where(shares[:, 6] == 0, np.nan, shares[:, 6])
    known = np.isfinite(scale)
    assert known.any()
    assert receipts.log_odds[known, 0] == pytest.approx(((shares[:, 0] + shares[:, 1]) * scale)[known], abs=1e-9)


def test_columns_in_another_order_give_the_same_contributions(receipts, scorer, calibrator, leads, lead_ids, catalogue):
    mixed = leads[["credit", "sessions_30d", "disputes_90d", "industry", "sessions_7d", "idle", "employees"]]
    shares = pd.DataFrame(scorer.contributions(leads)[1], columns=leads.columns)

    found = build_receipts(Fixed(scorer.contributions(leads)[0], shares[mixed.columns].to_numpy()), calibrator, mixed, lead_ids, catalogue)

    order = [found.signals.index(signal) for signal in receipts.signals]
    assert found.probability[:, order] == pytest.approx(receipts.probability, abs=1e-12)


def test_a_receipt_is_the_leads_row(receipts, lead_ids):
    for row in (0, 7, len(lead_ids) - 1):
        receipt = receipts.one(lead_ids[row])

        assert receipt.lead_id == lead_ids[row]
        assert receipt.score == receipts.score[row]
        assert receipt.base + sum(line.probability for line in receipt.lines) == pytest.approx(receipt.score, abs=1e-9)
        assert receipt.base_log_odds + sum(line.log_odds for line in receipt.lines) == pytest.approx(to_log_odds(receipt.score), abs=1e-9)
        sizes = [abs(line.probability) for line in receipt.lines]
        assert sizes == sorted(sizes, reverse=True)


def test_what_was_learned_and_the_rest_sum_to_the_contributions_of_trees_and_start(receipts, scorer, calibrator, leads):
    base, shares = scorer.contributions(leads)
    odds_scale, _ = path_scales(calibrator, base + shares.sum(axis=1), base)
    start = getattr(scorer, "start_", None)
    learned = shares if scorer.kind == "lightgbm" else np.zeros_like(shares)
    if start is not None:
        learned = shares - start.contributions(leads)[1]

    per_signal = np.column_stack([learned[:, 0] + learned[:, 1], learned[:, 2:]]) * odds_scale[:, None]

    assert receipts.learned == pytest.approx(per_signal, abs=1e-9)
    assert receipts.learned.any() == (scorer.kind == "lightgbm")
    frame = receipts.to_frame()
    assert frame["learned"].sum() == pytest.approx(per_signal.sum(), abs=1e-9)


def test_the_two_parts_of_a_score_are_its_start_and_what_was_learned(receipts, scorer, leads, lead_ids):
    start = getattr(scorer, "start_", None)
    parts = [receipts.one(lead).parts for lead in lead_ids]

    if start is None:
        assert set(parts) == {None}
        return
    assert [part.start_score for part in parts] == pytest.approx(start.raw_score(leads), abs=1e-9)
    assert [part.start_score + part.learned for part in parts] == pytest.approx(scorer.raw_score(leads), abs=1e-9)
    assert np.ptp([part.learned for part in parts]) > 0.1
    assert receipts.one(lead_ids[0]).to_text().splitlines()[-1].startswith(f"  scorecard {parts[0].start_score:+.2f} + learned ")


def test_the_points_of_a_card_sum_to_its_score_from_zero_on(receipts, scorer, leads, lead_ids):
    if not hasattr(scorer, "points"):
        assert receipts.points is None
        assert receipts.to_frame()["points"].isna().all()
        assert {receipts.one(lead).to_dict()["points"] for lead in lead_ids} == {None}
        return
    points = scorer.points(leads)
    assert receipts.points.sum(axis=1) == pytest.approx(points, abs=1e-9)
    sums = receipts.to_frame().groupby("lead_id")["points"].sum().reindex(lead_ids, fill_value=0.0)
    assert sums.to_numpy() == pytest.approx(points, abs=1e-9)
    for lead, expected in zip(lead_ids[:20], points, strict=False):
        shown = receipts.one(lead).to_dict()
        assert shown["points"] == pytest.approx(expected, abs=1e-9)
        assert sum(line["points"] for line in shown["lines"]) == pytest.approx(expected, abs=1e-9)
        assert f"{expected:.4g} points" in receipts.one(lead).to_text().splitlines()[-1]
    assert np.ptp(points) > 0


def test_families_sum_what_is_shown_of_their_signals(receipts, lead_ids):
    for lead in lead_ids[:20]:
        receipt = receipts.one(lead)
        shown = receipt.to_dict()

        assert receipt.base + sum(one.probability for one in receipt.families) == pytest.approx(receipt.score, abs=1e-9)
        assert receipt.base_log_odds + sum(one.log_odds for one in receipt.families) == pytest.approx(to_log_odds(receipt.score), abs=1e-9)
        for one in shown["families"]:
            own = [line for line in shown["lines"] if line["family"] == one["family"]]
            assert one["probability"] == pytest.approx(sum(line["probability"] for line in own), abs=1e-12)
            assert one["points"] == (None if receipt.points is None else pytest.approx(sum(line["points"] for line in own), abs=1e-9))
        sizes = [abs(one["probability"]) for one in shown["families"]]
        assert sizes == sorted(sizes, reverse=True)


@settings(deadline=None, max_examples=25)
@given(case=st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([0.0, 1.0, 1e6])))
def test_every_receipt_of_any_lead_is_exact(scorer, calibrator, catalogue, draw, case):
    seed, n, extreme = case
    signals = draw(seed, n)
    signals.loc[0, ["sessions_7d", "sessions_30d", "disputes_90d"]] += extreme

    found = build_receipts(scorer, calibrator, signals, [f"lead-{row}" for row in range(n)], catalogue)

    assert found.score == pytest.approx(calibrator.transform(scorer.raw_score(signals)), abs=1e-9)
    assert found.base_probability + found.probability.sum(axis=1) == pytest.approx(found.score, abs=1e-9)
    assert found.base_log_odds + found.log_odds.sum(axis=1) == pytest.approx(to_log_odds(found.score), abs=1e-9)
    assert (np.sign(found.probability) == np.sign(found.log_odds)).all()


def test_what_is_shown_still_sums_when_signals_are_hidden(receipts, lead_ids):
    for lead in lead_ids[:20]:
        shown = receipts.one(lead).to_dict()

        assert json.loads(json.dumps(shown, allow_nan=False)) == shown
        assert shown["base"] + sum(line["probability"] for line in shown["lines"]) == pytest.approx(shown["score"], abs=1e-9)
        assert shown["base_log_odds"] + sum(line["log_odds"] for line in shown["lines"]) == pytest.approx(
            to_log_odds(shown["score"]), abs=1e-9
        )


def test_hidden_signals_are_one_other_line(receipts, lead_ids):
    for lead in lead_ids[:20]:
        receipt = receipts.one(lead)
        hidden = [line for line in receipt.lines if not line.rep_visible]
        other = [line for line in receipt.to_dict()["lines"] if line["signal"] == "other"]

        assert {line.signal for line in hidden} == {"credit", "disputes"}
        assert len(other) == any(line.log_odds or line.points for line in hidden)
        assert sum(line["probability"] for line in other) == pytest.approx(sum(line.probability for line in hidden), abs=1e-12)


def test_no_view_shows_a_hidden_signal(receipts, lead_ids):
    for lead in lead_ids[:20]:
        receipt = receipts.one(lead)
        views = [json.dumps(receipt.to_dict()), receipt.to_text(), receipt.to_text(2), receipt._repr_html_()]
        views += pick_reasons(receipts)["sentence"].tolist()

        for view in views:
            assert not re.search(r"secret|credit|disputes|classified|quarrel", view, re.IGNORECASE)


def test_a_lead_alone_has_the_very_bits_it_has_in_a_batch():
    count = {"family": "use", "label": "x", "measure": {"kind": "count"}, "windows": ["7d"]}
    wide = Catalogue.model_validate({"signals": [count | {"id": f"signal_{n}"} for n in range(40)]})  # sums of many differ by their order
    calibrator, shares = fit_calibrator("sigmoid"), np.random.default_rng(5).normal(size=(60, 40))

    together = make_receipts(shares, calibrator, wide)
    alone = [make_receipts(row, calibrator, wide) for row in shares]

    assert np.array_equal(together.log_odds, np.concatenate([one.log_odds for one in alone]))
    assert np.array_equal(together.score, np.concatenate([one.score for one in alone]))


def test_the_frame_has_a_total_order_and_sums_per_lead(receipts, lead_ids):
    frame = receipts.to_frame()

    assert not frame.duplicated(["lead_id", "signal"]).any()
    place = frame["lead_id"].map({lead: n for n, lead in enumerate(lead_ids)}) * 100
    place += frame["signal"].map({signal.id: n for n, signal in enumerate(receipts.signals)})
    assert place.is_monotonic_increasing
    assert ((frame["log_odds"] != 0) | (frame["points"].fillna(0) != 0)).all()
    sums = frame.groupby("lead_id")[["probability", "log_odds"]].sum().reindex(lead_ids, fill_value=0.0)
    assert receipts.base_probability + sums["probability"].to_numpy() == pytest.approx(receipts.score, abs=1e-9)
    assert receipts.base_log_odds + sums["log_odds"].to_numpy() == pytest.approx(to_log_odds(receipts.score), abs=1e-9)


def test_the_frame_says_what_the_single_receipt_says(receipts, lead_ids):
    frame = receipts.to_frame()

    for lead in lead_ids[:10]:
        mine = frame[frame["lead_id"] == lead][["signal", "log_odds", "learned", "probability", "value"]]
        lines = [(x.signal, x.log_odds, x.learned, x.probability, x.value) for x in receipts.one(lead).lines if x.log_odds or x.points]
        assert sorted(mine.itertuples(index=False, name=None)) == sorted(lines)


def test_text_lines_add_up_within_rounding(receipts, lead_ids):
    for lead in lead_ids[:20]:
        for most in (None, 2):
            lines = [line for line in receipts.one(lead).to_text(most).splitlines() if line.endswith("%")]
            figures = [float(line.rsplit(None, 1)[1].rstrip("%")) for line in lines]

            assert sum(figures[:-1]) == pytest.approx(figures[-1], abs=0.005 * len(figures))


@every_calibrator
def test_at_the_base_itself_the_slope_says_what_a_unit_is_worth(kind, catalogue):
    calibrator, m0 = fit_calibrator(kind), 0.2
    shares = np.zeros((1, 7))
    shares[0, [2, 4]] = [0.75, -0.75]

    at_base = make_receipts(shares, calibrator, catalogue, m0)
    near = make_receipts(shares + np.eye(7)[6] * 1e-6, calibrator, catalogue, m0)

    slope = float(calibrator.slope(np.array([m0]))[0])
    p = at_base.score[0]
    assert at_base.probability[0, 1] == pytest.approx(0.75 * slope, rel=1e-12)
    assert at_base.log_odds[0, 1] == pytest.approx(0.75 * slope / (p * (1 - p)), rel=1e-12)
    assert at_base.probability[0] == pytest.approx(near.probability[0], abs=1e-6)
    assert at_base.probability.sum() == pytest.approx(0, abs=1e-12)
    assert slope > 0


def test_an_affine_map_only_scales_log_odds(catalogue):
    shares = np.random.default_rng(0).normal(0, 1, (30, 7))

    for kind, scale in (("intercept", 1.0), ("sigmoid", fit_calibrator("sigmoid").parameters_["b"])):
        found = make_receipts(shares, fit_calibrator(kind), catalogue)
        assert found.log_odds[:, 1:] == pytest.approx(scale * shares[:, 2:], abs=1e-9)


@every_calibrator
@pytest.mark.parametrize("size", [1e-12, 1e-8, 1e-3, 1.0, 30.0, 300.0])
def test_receipts_sum_from_tiny_margins_to_extreme_ones(kind, size, catalogue):
    shares = size * np.random.default_rng(1).normal(0, 1, (40, 7))

    found = make_receipts(shares, fit_calibrator(kind), catalogue)

    assert found.base_probability + found.probability.sum(axis=1) == pytest.approx(found.score, abs=1e-9)
    assert found.base_log_odds + found.log_odds.sum(axis=1) == pytest.approx(to_log_odds(found.score), abs=1e-9)
    assert np.isfinite(found.log_odds).all()


def test_where_an_isotonic_map_is_flat_from_the_base_on_there_is_nothing_to_share_out(catalogue):
    calibrator = fit_calibrator("isotonic")
    first, last = calibrator.parameters_["margins"][0], calibrator.parameters_["margins"][-1]
    shares = np.zeros((3, 7))
    shares[0, [2, 4]] = [-3.0, 3.5]  # stays below the first centre, where the map is flat
    shares[1, 2] = last - first + 5.0  # rises over the whole map and on
    shares[2, [2, 4]] = [4.0, -4.0]  # ends at the base itself

    found = make_receipts(shares, calibrator, catalogue, base=first - 1.0)

    assert found.score[0] == found.score[2] == found.base_probability
    assert not found.probability[[0, 2]].any()
    assert not found.log_odds[[0, 2]].any()
    assert found.probability[1].sum() == pytest.approx(found.score[1] - found.base_probability, abs=1e-12)
    assert found.score[1] == calibrator.parameters_["probabilities"][-1]
    assert found.one("lead-0").shown == ()
    assert pick_reasons(found)["lead_id"].tolist() == ["lead-1"]


@pytest.mark.parametrize("made", [SigmoidCalibrator, BetaCalibrator])
def test_a_constant_calibrator_gives_empty_receipts(made, catalogue):
    margins, labels = np.linspace(-2, 2, 200), (np.linspace(-2, 2, 200) < 0).astype(np.int8)
    labels[::7] = 1 - labels[::7]
    with pytest.warns(CalibrationWarning, match="the base rate"):
        calibrator = made().fit(margins, labels)

    found = make_receipts(np.random.default_rng(0).normal(0, 1, (5, 7)), calibrator, catalogue)

    assert not found.log_odds.any()
    assert not found.probability.any()
    assert found.score.tolist() == [found.base_probability] * 5
    assert found.to_frame().empty
    assert found.one("lead-0").to_dict()["lines"] == []
    assert pick_reasons(found).empty
    assert found.one("lead-0").to_text().count("\n") == 1


def test_reasons_are_the_largest_visible_shares_on_each_side(catalogue):
    shares = [[0.05, 0.0, -0.9, 0.8, 0.3, 2.0, -0.2]]

    calibrator = InterceptCalibrator().fit(np.array([-1.0, 1.0, 0.0, 0.5]), np.array([0, 1, 0, 1]))
    found = make_receipts(shares, calibrator, catalogue)

    picked = pick_reasons(found)

    assert picked["signal"].tolist() == ["industry", "employees", "idle"]
    assert picked["against"].tolist() == [False, False, True]


def test_an_unknown_lead_is_refused(receipts):
    with pytest.raises(UnknownLeadError, match="no receipt for lead 'nobody': 120 leads are scored here"):
        receipts.one("nobody")


HOSTILE = '<script>alert("x")</script>&<img src=x onerror=y>\x1b[2J\n  score  99%'


def hostile_receipts():
    signal = {
        "id": "industry",
        "family": "fit",
        "label": HOSTILE[:40],
        "measure": {"kind": "attribute", "table": "accounts", "column": "x", "type": "category"},
    }
    catalogue = Catalogue.model_validate({"signals": [signal]})
    return build_receipts(
        Fixed(0.1, np.array([[1.0]])), fit_calibrator("sigmoid"), pd.DataFrame({"industry": [HOSTILE]}), [HOSTILE], catalogue
    )


def test_html_escapes_text_from_the_data_and_the_catalogue():
    html = hostile_receipts().one(HOSTILE)._repr_html_()

    assert set(re.findall(r"<(/?\w+)", html)) == {"table", "/table", "caption", "/caption", "tr", "/tr", "td", "/td"}
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" in html


def test_text_from_the_data_cannot_forge_a_line_of_a_receipt():
    text = hostile_receipts().one(HOSTILE).to_text()

    assert len(text.splitlines()) == 3
    assert "\x1b" not in text


def test_shaps_plots_get_values_that_sum(receipts, leads):
    import shap

    explanation = receipts.to_explanation()

    assert isinstance(explanation, shap.Explanation)
    assert explanation.base_values + explanation.values.sum(axis=1) == pytest.approx(receipts.score, abs=1e-9)
    assert explanation.feature_names == [*(signal.label for signal in receipts.signals if signal.rep_visible), "other signals"]
    assert explanation.data.shape == explanation.display_data.shape == explanation.values.shape == (len(leads), 5)
    assert "classified" not in str(explanation.data) + str(explanation.display_data)


def test_shaps_waterfall_draws_one_receipt_and_a_row_of_the_batch(receipts, lead_ids):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import shap

    receipt = max((receipts.one(lead) for lead in lead_ids), key=lambda one: len(one.shown))
    for explanation in (receipt.to_explanation(), receipts.to_explanation()[lead_ids.index(receipt.lead_id)]):
        axes = shap.plots.waterfall(explanation, show=False)
        names = [text.get_text() for text in axes.get_yticklabels()]
        plt.close("all")

        assert explanation.base_values + explanation.values.sum() == pytest.approx(receipt.score, abs=1e-9)
        assert any(name.endswith(f" = {receipt.shown[0].label}") for name in names)
        assert not re.search("secret|classified", " ".join(names), re.IGNORECASE)


def test_contributions_of_trees_are_those_of_shap(training, leads):
    import shap

    scorer = BoostedScorer({"sessions_7d": "up"}, n_trees=40, seeds=2).fit(*training)
    outside = [shap.TreeExplainer(booster)(scorer.encoding_.encode(leads)) for booster in scorer.boosters_]

    base, shares = scorer.contributions(leads)

    assert shares == pytest.approx(np.mean([found.values.reshape(shares.shape) for found in outside], axis=0), abs=1e-6)
    assert base == pytest.approx(np.mean([np.ravel(found.base_values)[0] for found in outside]), abs=1e-6)
    assert np.abs(shares).max() > 0.1


def test_receipts_are_a_value(receipts):
    assert isinstance(receipts, Receipts)
    with pytest.raises(AttributeError, match="cannot assign"):
        receipts.score = None
