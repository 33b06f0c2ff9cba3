"""Logs with very many names, with names that look like code, and with users that nobody knows."""

import json

import pandas as pd
import pytest
from commands import plain_json, refusal, run

DATA = 4
NAMES = 5_000
EVIL = [
    "it's; DROP TABLE users; --",
    'say "hi"\nsecond line',
    "\x1b[31mred\x1b[0m\rover",
    "`tick` {brace} %s [/bold]",
    "\u202eright to left",
    "ünïcode ☃",
]


def write_log(project, rows):
    """The small project's log with rows more."""
    log = project.parent / "events.csv"
    more = pd.DataFrame(rows, columns=["user_id", "event", "event_time"])
    pd.concat([pd.read_csv(log), more]).to_csv(log, index=False)


@pytest.fixture
def wide(small):
    """The small project with 5,000 event names more."""
    write_log(small, [(f"u{number % 6 + 1}", f"clicked_{number:04}", "2024-01-05T10:00:00Z") for number in range(NAMES)])
    return small


def test_check_of_a_log_with_thousands_of_names_stays_short(wide):
    found = plain_json(run("check", "--project", wide, "--json"))
    said = run("check", "--project", wide).stdout

    assert len(found["event_names"]) == NAMES + 1
    names = next(line for line in said.splitlines() if line.startswith("event names: "))
    assert names.count(",") == 31
    assert names.endswith(f"… and {NAMES + 1 - 30:,} more")


def test_coverage_of_a_log_with_thousands_of_names_shows_thirty_of_them(wide):
    found = plain_json(run("signals", "--project", wide, "--coverage", "--json"))
    lines = run("signals", "--project", wide, "--coverage").stdout.splitlines()

    assert len(found["unused_events"]) == NAMES + 1
    start = lines.index(f"events that no signal asks for by name: {NAMES + 1:,}")
    assert lines[start + 1].split() == ["view", "186"]
    assert lines[start + 31 :] == [f"  … and {NAMES + 1 - 30:,} more"]


@pytest.fixture
def evil(small):
    """The small project with event names that look like code, each asked for by a signal, and each the value of a property."""
    log = pd.read_csv(small.parent / "events.csv")
    log = pd.concat([log, pd.DataFrame([("u2", name, "2024-01-05T10:00:00Z") for name in EVIL], columns=log.columns)])
    log.assign(**{'odd "name"; --': log["event"]}).to_parquet(small.parent / "events.parquet")  # CSV would change line breaks
    small.write_text(small.read_text().replace("events.csv", "events.parquet"))
    define = [
        {"id": f"n{place}", "family": "usage", "label": name, "windows": ["30d"], "measure": {"kind": "count", "events": [name]}}
        for place, name in enumerate(EVIL)
    ]
    define.append(
        {"id": "values", "family": "usage", "label": "values", "windows": ["30d"], "measure": {"kind": "distinct", "of": 'odd "name"; --'}}
    )
    define.append({"id": "last", "family": "usage", "label": "last", "measure": {"kind": "latest", "among": EVIL}})
    small.write_text(f"{small.read_text()}signals: {json.dumps({'catalogue': None, 'define': define})}\nscorecard: null\n")
    return small


def test_names_that_look_like_code_are_counted_like_any_other(evil):
    found = plain_json(run("signals", "--project", evil, "--as-of", "2024-01-20", "--json"))

    table = pd.read_parquet(found["path"]).set_index("lead_id")
    assert table.loc["u2", [f"n{place}_30d" for place in range(len(EVIL))]].tolist() == [1.0] * len(EVIL)
    assert table.loc["u3", [f"n{place}_30d" for place in range(len(EVIL))]].tolist() == [0.0] * len(EVIL)
    assert table.loc["u2", "values_30d"] == len(EVIL) + 1
    assert table.loc["u2", "last"] == sorted(EVIL)[0]


@pytest.mark.parametrize(
    "command",
    [
        ["check"],
        ["signals"],
        ["signals", "--list"],
        ["signals", "--coverage"],
        *(["signals", "--show", n] for n in ("n0", "n1", "n2", "last")),
    ],
)
def test_names_that_look_like_code_do_not_reach_the_terminal_as_such(evil, command):
    result = run(*command, "--project", evil)

    assert result.exit_code == 0, result.output
    assert all(line.isprintable() for line in result.output.split("\n"))
    assert "\n".join(result.output.splitlines()) == result.output.rstrip("\n")
    assert plain_json(run(*command, "--project", evil, "--json"))


def test_a_refusal_that_quotes_a_strange_name_leaves_the_terminal_alone(evil):
    result = run("signals", "--project", evil, "--show", "\x1b[31mred\n\x07")

    assert result.exit_code == 3
    assert all(line.isprintable() for line in result.stderr.split("\n"))


@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
def test_names_that_look_like_code_stay_texts_in_the_query(evil, dialect):
    found = plain_json(run("signals", "--project", evil, "--sql", dialect, "--json"))

    assert "it''s; DROP TABLE users; --" in found["sql"]
    assert "it's; DROP" not in found["sql"]


UNKNOWN = [(f"stranger{number}", "view", "2024-01-05T10:00:00Z") for number in range(62)]


@pytest.mark.parametrize("command", [["check"], ["signals"], ["signals", "--list"], ["train"]])
def test_a_log_mostly_of_unknown_users_is_refused_by_every_command(small, command):
    write_log(small, UNKNOWN)

    sentence = refusal(run(*command, "--project", small), DATA)

    assert sentence == (
        "62 of 248 events (25%) are unusable (unknown user: 62): expected at most 20%; "
        "mend the log or raise `data.events.max_quarantine_share`"
    )


def test_events_of_a_few_unknown_users_are_counted_and_left_out(small):
    write_log(small, UNKNOWN[:10])

    events = plain_json(run("check", "--project", small, "--json"))["events"]

    assert events["quarantined"] == {"unknown user": 10}
    assert events["kept"] == 186


def test_a_share_that_is_raised_lets_unknown_users_be(small):
    write_log(small, UNKNOWN)
    small.write_text(small.read_text().replace("{path: events.csv}", "{path: events.csv, max_quarantine_share: 0.5}"))

    assert "set aside: unknown user 62" in run("check", "--project", small).stdout
