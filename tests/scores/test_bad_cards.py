"""Cards that are written wrongly: each problem is told with its line, its value and the nearest valid name, and all of them at once."""

import pytest

from pls_ml.core.errors import ConfigError
from pls_ml.io.yaml import read_spec
from pls_ml.scores.card import Scorecard

GOOD = """\
id: mine
bands: [{name: Hot, gte: 80}, {name: Warm, gte: 50}]
below: Cold
blocks: [{id: usage, weight: 0.6}, {id: intent, weight: 0.4}]
gate: {families: [usage], highest_without: Warm}
multiplier: [{name: large, times: 1.5, all: [{signal: employees, gt: 1000}]}]
rows:
  - {id: week, block: usage, family: usage, signal: events_7d, rungs: [{gte: 1, points: 5}, {gte: 5, points: 10}]}
  - {id: prices, block: intent, family: intent, signal: pricing_views_30d, rungs: [{gte: 1, points: 10}]}
"""


def find_problems(folder, text):
    """What is said of a card, without the head line."""
    path = folder / "card.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_spec(path, Scorecard, "scorecard")
    head, *lines = str(caught.value).splitlines()
    assert head.startswith(f"{path} has {len(lines)} problem")
    return [line.strip() for line in lines]


def test_the_good_card_is_taken(tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text(GOOD, encoding="utf-8")

    assert read_spec(path, Scorecard, "scorecard").signals == ("events_7d", "pricing_views_30d", "employees")


CLIMB = "row 'week': rungs must get harder from one to the next, since the last one reached counts; on 'events_7d' they are"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("{gte: 5,", "{gte: 1,", f"line 8: `rows.0`: {CLIMB} 1, 1"),
        ("{gte: 5,", "{gte: 0.5,", f"line 8: `rows.0`: {CLIMB} 1, 0.5"),
        (
            "{gte: 5,",
            "{lt: 3,",
            "line 8: `rows.0`: row 'week': rungs on 'events_7d' overlap: from 1 to 3 both directions are reached; "
            "move a bound, or write two rows",
        ),
        ("{gte: 5, points: 10}", "{gte: 5}", "line 8: `rows.0.rungs.1.points` is missing"),
        ("{gte: 5, points: 10}", "{points: 10}", "line 8: `rows.0.rungs.1`: a rung of 10 points needs exactly one of gte, gt, lt"),
        ("{gte: 5,", "{gte: .inf,", "line 8: `rows.0.rungs.1.gte`: input should be a finite number, got inf"),
        ("gte: 80", "gte: 50", "line 2: `bands`: bands must have falling lower bounds from the best on; got [50.0, 50.0]"),
        ("gte: 80", "gte: 40", "line 2: `bands`: bands must have falling lower bounds from the best on; got [40.0, 50.0]"),
        (
            "block: intent",
            "block: intend",
            "line 9: `rows.1`: row 'prices': no block 'intend' (did you mean 'intent'?); the card has usage, intent",
        ),
        ("block: intent, ", "", "line 9: `rows.1`: row 'prices' stands in no block: add `block`, one of usage, intent"),
        ("id: prices,", "id: prices, windows: unstated,", "line 9: unknown key `rows.1.windows` (did you mean 'window'?)"),
        ("gate:", "gates:", "line 5: unknown key `gates` (did you mean 'gate'?)"),
        ("id: prices,", "id: prices, ladder: stack,", "line 9: `rows.1.ladder`: input should be 'exclusive' or 'stacked', got 'stack'"),
        ("without: Warm", "without: warm", "line 5: `gate`: no band 'warm' (did you mean 'Warm'?); the card has Hot, Warm, Cold"),
        (
            "families: [usage]",
            "families: [usages]",
            "line 5: `gate`: no family 'usages' (did you mean 'usage'?); the card has intent, usage",
        ),
        (
            "all: [{signal: employees, gt: 1000}]",
            "all: []",
            "line 6: `multiplier.0`: factor 'large' has no condition, so no signal can be credited with it: give one, or `times: 1`",
        ),
        (
            ", gt: 1000}",
            "}",
            "line 6: `multiplier.0.all.0`: condition on 'employees' has 0 operators: give one of gte, gt, lte, lt, eq, among",
        ),
        ("id: prices", "id: week", "line 7: `rows`: row ids must be distinct; twice: ['week']"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_nearest_name(tmp_path, old, new, problem):
    assert GOOD.count(old) == 1

    assert find_problems(tmp_path, GOOD.replace(old, new)) == [problem]


def test_every_mistake_is_told_at_once(tmp_path):
    text = GOOD.replace("gte: 80", "gte: 40").replace("block: intent", "block: intend").replace("{gte: 5,", "{gte: 1,")

    assert [problem.split(":")[0] for problem in find_problems(tmp_path, text)] == ["line 2", "line 8", "line 9"]
