"""A receipt as text, on a hand-made case in which every figure can be checked by eye."""

import pytest

from pls_ml.explanations.receipt import Parts, Receipt
from pls_ml.explanations.wording import Line


def make_line(signal, share, visible=True, value="3 times in the last 30 days"):
    return Line(signal, 10 * share, share, f"label of {signal}", value, "use", visible, 2.5 * share)


LINES = (
    make_line("pricing", 0.20),
    make_line("hidden", -0.08, False),
    make_line("idle", -0.05),
    make_line("size", 0.01),
    make_line("none", 0.0),
)
RECEIPT = Receipt("lead-1", 0.18, 0.10, -2.2, LINES)


def test_the_text_lists_the_base_every_line_and_the_score():
    assert RECEIPT.to_text().splitlines() == [
        "  starting point                                  +10.00%",
        "  label of pricing: 3 times in the last 30 days   +20.00%",
        "  label of idle: 3 times in the last 30 days       -5.00%",
        "  label of size: 3 times in the last 30 days       +1.00%",
        "  other signals                                    -8.00%",
        "  score                                            18.00%",
    ]


def test_a_short_text_sums_the_rest_in_one_line():
    lines = RECEIPT.to_text(1).splitlines()

    assert [line.split() for line in lines[2:]] == [["3", "smaller", "signals", "-12.00%"], ["score", "18.00%"]]


def test_a_short_text_of_few_lines_sums_nothing():
    assert RECEIPT.to_text(4) == RECEIPT.to_text()


def test_lines_of_no_weight_are_not_shown():
    assert [line["signal"] for line in RECEIPT.to_dict()["lines"]] == ["pricing", "idle", "size", "other"]


def test_hidden_lines_of_no_weight_make_no_other_line():
    receipt = Receipt("lead-1", 0.3, 0.1, -2.2, (make_line("pricing", 0.2), make_line("hidden", 0.0, False)))

    assert [line["signal"] for line in receipt.to_dict()["lines"]] == ["pricing"]


def test_the_dict_gives_each_line_its_family_and_value():
    shown = RECEIPT.to_dict()

    assert (shown["lead_id"], shown["score"], shown["base"], shown["base_log_odds"]) == ("lead-1", 0.18, 0.10, -2.2)
    assert shown["lines"][0] == {
        "signal": "pricing", "log_odds": 2.0, "probability": 0.2, "label": "label of pricing", "value": "3 times in the last 30 days",
        "family": "use", "learned": 0.5, "percentile": None, "sentence": "", "points": None,
    }  # fmt: skip
    assert shown["lines"][-1]["probability"] == pytest.approx(-0.08)


def test_a_score_of_two_parts_ends_with_both():
    receipt = Receipt("lead-1", 0.18, 0.10, -2.2, LINES, Parts("scorecard", -2.5, 0.75))

    assert receipt.to_text().splitlines()[:-1] == RECEIPT.to_text().splitlines()
    assert receipt.to_text().splitlines()[-1] == "  scorecard -2.50 + learned +0.75 = raw score -1.75"
    assert receipt.to_dict()["parts"] == {"start": "scorecard", "start_score": -2.5, "learned": 0.75, "raw_score": -1.75}
    assert RECEIPT.to_dict()["parts"] is None
    assert "<td>scorecard -2.50 + learned +0.75 = raw score -1.75</td>" in receipt._repr_html_()


def test_hidden_lines_keep_what_was_learned():
    shown = RECEIPT.to_dict()["lines"]

    assert sum(line["learned"] for line in shown) == pytest.approx(sum(line.learned for line in LINES), abs=1e-12)


def test_html_has_a_row_per_visible_line():
    html = RECEIPT._repr_html_()

    assert html.count("<tr>") == 1 + 4
    assert "lead-1: 18.0%" in html
    assert "hidden" not in html
