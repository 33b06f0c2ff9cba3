"""A change as text, on a hand-made case in which every figure can be checked by eye."""

from datetime import datetime

import pytest

from pls_ml.explanations.change_receipt import ChangeLine, ChangeReceipt, Moment

THEN, NOW = Moment(datetime(2025, 2, 10), "m-1"), Moment(datetime(2025, 2, 17, 6), "m-2")


def make_line(part, signal, share, before="0 times", after="3 times", visible=True):
    label = f"label of {signal}" if signal else "starting point"
    return ChangeLine(part, signal, 10 * share, share, label, "use", visible, before, after)


LINES = (
    make_line("data", "pricing", 0.20),
    make_line("data", "secret", -0.06, visible=False),
    make_line("data", "size", 0.01, "50 people", "50 people"),
    make_line("data", "riddle", 0.02, visible=False),
    make_line("model", "seats", 0.03, "not looked at then", "12 seats"),
    make_line("model", "", -0.02, "", ""),
    make_line("calibrator", "", -0.005, "", ""),
)
CHANGE = ChangeReceipt("lead-1", THEN, NOW, 0.10, 0.275, LINES)


def test_the_text_leads_from_one_score_to_the_other():
    assert CHANGE.to_text().splitlines() == [
        "  score on 2025-02-10 by m-1                                            10.00%",
        "  label of pricing: 0 times → 3 times                                  +20.00%",
        "  other signals                                                         -4.00%",
        "  label of size: 50 people, as before                                   +1.00%",
        "  weighed differently, label of seats: not looked at then → 12 seats    +3.00%",
        "  weighed differently, starting point                                   -2.00%",
        "  calibrated anew                                                       -0.50%",
        "  score on 2025-02-17 06:00 by m-2                                      27.50%",
    ]


def test_a_short_text_sums_the_rest_of_each_part():
    lines = [line.strip().rsplit(None, 1) for line in CHANGE.to_text(1).splitlines()]

    assert lines[2] == ["2 smaller changes", "-3.00%"]
    assert lines[4] == ["1 smaller difference of the models", "-2.00%"]


def test_the_dict_says_both_ends_the_parts_and_every_line():
    shown = CHANGE.to_dict()

    assert (shown["then"]["as_of"], shown["then"]["version"], shown["then"]["score"]) == ("2025-02-10T00:00:00", "m-1", 0.10)
    assert (shown["now"]["as_of"], shown["now"]["version"], shown["now"]["score"]) == ("2025-02-17T06:00:00", "m-2", 0.275)
    assert shown["change"]["probability"] == pytest.approx(0.175)
    assert {part: round(total["probability"], 9) for part, total in shown["parts"].items()} == {
        "data": 0.17,
        "model": 0.01,
        "calibrator": -0.005,
    }
    assert [(line["part"], line["signal"]) for line in shown["lines"]] == [
        ("data", "pricing"), ("data", "other"), ("data", "size"), ("model", "seats"), ("model", ""), ("calibrator", ""),
    ]  # fmt: skip
    assert shown["lines"][1] == {
        "part": "data", "signal": "other", "log_odds": pytest.approx(-0.4), "probability": pytest.approx(-0.04),
        "label": "other signals", "family": "other", "before": "", "after": "",
    }  # fmt: skip


def test_small_changes_are_no_single_strong_reason():
    small = ChangeReceipt("lead-1", THEN, NOW, 0.100, 0.105, (make_line("data", "pricing", 0.005),))

    assert small.to_text().splitlines()[0] == "  no single strong reason"
    assert "no single strong reason" not in CHANGE.to_text()


def test_a_table_without_times_is_compared_by_model_alone():
    assert Moment(datetime(1970, 1, 1), "m-1").to_text() == "by m-1"


def test_html_has_a_row_per_visible_line_and_both_ends():
    html = CHANGE._repr_html_()

    assert html.count("<tr>") == 6 + 2
    assert "lead-1: 10.0% → 27.5%" in html
    assert "secret" not in html
    assert "riddle" not in html
