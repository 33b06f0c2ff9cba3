"""Signals that are defined wrongly: each is refused, or left out with the reason and the nearest right name."""

import pytest
from commands import plain_json, refusal, run

CONFIGURATION = 3


def define(project, *signals, catalogue="null"):
    """Adds signals, each as its YAML, to a project without any other."""
    listed = "".join(f"    - {signal}\n" for signal in signals)
    project.write_text(f"{project.read_text()}scorecard: null\nsignals:\n  catalogue: {catalogue}\n  define:\n{listed}")


def count(name, event="view", windows="[7d]", more=""):
    return f"{{id: {name}, family: usage, label: {name}, windows: {windows}, measure: {{kind: count, events: [{event}]{more}}}}}"


UNKNOWN_EVENT = "no event 'veiw' in the log (did you mean 'view'?)"
ALONE = "none of the 1 declared signals can be computed, for example 'a'"


def test_an_unknown_event_leaves_the_signal_out_with_the_nearest_name(small):
    define(small, count("a", "veiw"), count("b"))

    found = plain_json(run("check", "--project", small, "--json"))

    assert found["not_computable"] == {"a": UNKNOWN_EVENT}
    assert found["computable"] == ["b"]
    assert f"  - a: {UNKNOWN_EVENT}" in run("check", "--project", small).stdout
    assert f"cannot: {UNKNOWN_EVENT}" in run("signals", "--project", small, "--list").stdout


@pytest.mark.parametrize("command", [["check"], ["signals"], ["signals", "--list"], ["signals", "--show", "a"], ["train"]])
def test_a_catalogue_of_which_nothing_can_be_computed_is_refused(small, command):
    define(small, count("a", "veiw"))

    assert refusal(run(*command, "--project", small), CONFIGURATION) == f"{ALONE}: {UNKNOWN_EVENT}"


def test_an_unknown_event_beside_a_known_one_is_named_by_check(small):
    define(small, count("a", "view, clik"))

    found = run("check", "--project", small).stdout

    assert "mapping: signal 'a' asks for event 'clik', which is not in the log" in found


def test_invitations_that_the_users_table_tells_of_are_known_events(small):
    users = small.parent / "users.csv"
    header, *rows = users.read_text().splitlines()
    users.write_text("\n".join([f"{header},invited_by", *(f"{row},u1" for row in rows)]) + "\n")
    small.write_text(small.read_text().replace("{path: events.csv}", "{path: events.csv, invitations: true}"))
    define(small, count("a", "view, invite_accepted"))

    found = plain_json(run("check", "--project", small, "--json"))

    assert (found["computable"], found["unused_mapping"]) == (["a"], [])


def test_an_unknown_property_leaves_the_signal_out_with_the_nearest_name(small):
    log = small.parent / "events.csv"
    header, *rows = log.read_text().splitlines()
    log.write_text("\n".join([f"{header},feature", *(f"{row},export" for row in rows)]) + "\n")
    define(small, count("a", more=", where: {featur: [export]}"), count("b"))

    found = plain_json(run("check", "--project", small, "--json"))

    assert found["not_computable"] == {
        "a": "events have no property 'featur' (did you mean 'feature'?); map it under `data.events.columns`"
    }


@pytest.mark.parametrize("measure", ["{kind: sum, of: amount}", "{kind: distinct, of: amount}", "{kind: count, where: {amount: ['1']}}"])
def test_a_property_without_any_value_leaves_the_signal_out(small, measure):
    log = small.parent / "events.csv"
    header, *rows = log.read_text().splitlines()
    log.write_text("\n".join([f"{header},amount", *(f"{row}," for row in rows)]) + "\n")
    define(small, f"{{id: a, family: usage, label: a, windows: [7d], measure: {measure}}}", count("b"))

    found = plain_json(run("check", "--project", small, "--json"))

    assert found["not_computable"] == {"a": "no event has a value in property 'amount'; map another one under `data.events.columns`"}
    assert run("signals", "--project", small).exit_code == 0


@pytest.mark.parametrize("command", ["check", "signals", "train"])
def test_ratios_in_a_circle_are_refused(small, command):
    ratio = "{{id: {0}, family: usage, label: {0}, measure: {{kind: ratio, numerator: {1}, denominator: {1}}}}}"
    define(small, ratio.format("a", "b"), ratio.format("b", "a"))

    sentence = refusal(run(command, "--project", small), CONFIGURATION)

    assert sentence == "`signals`: signals refer to each other in a circle: a → b → a"


@pytest.mark.parametrize("command", ["check", "signals", "train"])
@pytest.mark.parametrize(
    ("windows", "grain", "expected"),
    [
        ("[36h]", "day", "window '36h' is no multiple of the time grain 'day': use a finer `grain` or whole days"),
        ("[90m]", "hour", "window '90m' is no multiple of the time grain 'hour': use a finer `grain` or whole hours"),
    ],
)
def test_a_window_off_the_grain_is_refused(small, command, windows, grain, expected):
    define(small, count("a", windows=windows))
    small.write_text(f"{small.read_text()}  grain: {grain}\n")

    assert refusal(run(command, "--project", small), CONFIGURATION) == expected


def test_a_signal_that_refers_to_nothing_declared_is_refused(small):
    define(small, count("views"), "{id: a, family: usage, label: a, measure: {kind: difference, of: views_7d, minus: views_30d}}")

    sentence = refusal(run("check", "--project", small), CONFIGURATION)

    assert sentence == "`signals`: signal 'a' refers to 'views_30d', which is not declared (did you mean 'views_7d'?)"


def test_a_leak_prone_signal_that_the_project_defines_is_refused_whatever_its_author_says(small):
    log = small.parent / "events.csv"
    log.write_text(log.read_text() + "u2,invoice_opened,2024-01-09T10:00:00Z\n")
    define(small, count("a", "invoice_opened"), count("b"))

    assert refusal(run("signals", "--project", small, "--labels"), 4) == (
        "signal 'a' reads event 'invoice_opened', which mostly follows a purchase: "
        "drop it, or list it under `model.acknowledge_leaks` if it was known at the time"
    )


def test_an_acknowledged_signal_takes_part(small):
    log = small.parent / "events.csv"
    log.write_text(log.read_text() + "u2,invoice_opened,2024-01-09T10:00:00Z\n")
    define(small, count("a", "invoice_opened"), count("b"))
    small.write_text(f"{small.read_text()}model: {{acknowledge_leaks: [a]}}\n")

    assert plain_json(run("signals", "--project", small, "--labels", "--json"))["columns"] == ["a_7d", "b_7d"]
