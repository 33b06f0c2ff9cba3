"""Every bad project ends in one sentence that names the value, what was expected and the next step, under the exit code of its culprit."""

import shutil
from pathlib import Path

import pytest
from commands import refusal, run

CONFIGURATION, DATA, MODEL, WRITING = 3, 4, 5, 73


def change(folder: Path, name: str, old: str, new: str | None) -> None:
    """Replaces text in a file of the project; `new` None removes the file."""
    path = folder / name
    if new is None:
        path.unlink()
        return
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("changes", "code", "expected"),
    [
        pytest.param(
            [("pls.yaml", "", None)],
            CONFIGURATION,
            ["no project file at", "run `pls-ml init` to write one"],
            id="missing project file",
        ),
        pytest.param(
            [("pls.yaml", "horizon_days", "horizn_days")],
            CONFIGURATION,
            ["pls.yaml has 1 problem", "line 6: unknown key `horizon.horizn_days` (did you mean 'horizon_days'?)"],
            id="unknown key",
        ),
        pytest.param(
            [("pls.yaml", "project: small", "project: small\nsignals: {drop: [evnts]}")],
            CONFIGURATION,
            ["`signals.drop` names 'evnts'", "(did you mean 'events'?)"],
            id="unknown signal",
        ),
        pytest.param(
            [("pls.yaml", "{path: events.csv}", "{path: events.csv, timezone: Berlin}")],
            CONFIGURATION,
            ["table 'events': `timezone: Berlin` is no known zone", "write a name such as Europe/Berlin"],
            id="unknown zone",
        ),
        pytest.param(
            [("users.csv", "", None)],
            DATA,
            ["no file", "users.csv: expected a Parquet or CSV file; the folder has events.csv, opportunities.csv, pls.yaml"],
            id="missing data file",
        ),
        pytest.param(
            [("events.csv", "user_id,event,", "userid,evnt,")],
            DATA,
            [
                "table 'events' does not fit the contract",
                "`user_id` (did you mean 'userid'?)",
                "`event` (did you mean 'evnt'?)",
                "`columns`",
            ],
            id="missing columns",
        ),
        pytest.param(
            [("users.csv", "2024-01-01", "1 January")],
            DATA,
            ["table 'users' has no `signup_at`", "`data.users.columns`"],
            id="unreadable sign-ups",
        ),
        pytest.param(
            [("opportunities.csv", "2024-01-17", "soon")],
            DATA,
            ["table 'opportunities' has 1 rows without a readable `created_at`: fill them in or leave those rows out"],
            id="unreadable deal",
        ),
        pytest.param(
            [("users.csv", "u2,a2,2024-01-01,2,1", "u1,a2,2024-01-01,2,1")],
            DATA,
            ["table 'users' lists `user_id` 'u1' 2 times: keep one row per user_id"],
            id="repeated user",
        ),
        pytest.param(
            [("events.csv", "u1,view,2024-01-01T10:00:00Z", "u1,view")],
            DATA,
            ["events.csv is not a well-formed CSV file", "Line: 2", "Expected Number of Columns: 3 Found: 2"],
            id="ragged row",
        ),
        pytest.param(
            [("events.csv", ",view,2024", ",view,24")],
            DATA,
            ["no event has a readable time between the years 2000 and 2100: expected ISO 8601 time stamps in `event_time`"],
            id="unreadable log",
        ),
        pytest.param(
            [("users.csv", "u1,", "x1,"), ("users.csv", "u2,", "x2,")],
            DATA,
            ["62 of 186 events (33%) are unusable (unknown user: 62): expected at most 20%", "`data.events.max_quarantine_share`"],
            id="mostly unknown users",
        ),
        pytest.param(
            [("opportunities.csv", "true", "false")],
            DATA,
            ["no closed-won outcome was found by `outcome` (kind 'opportunities'): expected at least one; check its names and `type`"],
            id="no win at all",
        ),
        pytest.param(
            [("opportunities.csv", "new", "expansion")],
            DATA,
            ["no opportunity has type 'new': the table has expansion; change `outcome.type`"],
            id="no win of the type",
        ),
    ],
)
@pytest.mark.parametrize("command", ["check", "train"])
def test_a_bad_project_is_refused_by_check_and_train(small, changes, code, expected, command):
    for name, old, new in changes:
        change(small.parent, name, old, new)

    sentence = refusal(run(command, "--project", small), code)

    for part in expected:
        assert part in sentence


UNTRAINABLE = pytest.mark.parametrize(
    ("changes", "code", "expected"),
    [
        pytest.param(
            [("pls.yaml", "horizon_days: 7", "horizon_days: 365")],
            DATA,
            ["the first lead is scored at 2024-01-08 and its outcome is complete on 2025-01-08, but the data end on 2024-02-01"],
            id="no matured label",
        ),
        pytest.param(
            [("pls.yaml", "min_events: 0", "min_events: 900")],
            DATA,
            ["no lead is eligible at any `as_of`: expected at least one; loosen `population`"],
            id="nobody eligible",
        ),
    ],
)


@UNTRAINABLE
def test_data_that_cannot_train_yet_are_refused_by_train(small, changes, code, expected):
    for name, old, new in changes:
        change(small.parent, name, old, new)

    sentence = refusal(run("train", "--project", small), code)

    assert expected[0] in sentence


@UNTRAINABLE
def test_data_that_cannot_train_yet_are_still_described_by_check(small, changes, code, expected):
    for name, old, new in changes:
        change(small.parent, name, old, new)

    found = run("check", "--project", small)

    assert found.exit_code == 0
    assert "cannot train yet: " in found.stdout
    assert expected[0] in found.stdout
    assert "events:" in found.stdout


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cart_a", "no shipped configuration 'scorecards/cart_a.yaml' (did you mean 'scorecards/card_a.yaml'?): name a shipped one, or"),
        ("mine.yaml", "mine.yaml: give its path"),
        ("users.csv.yaml", "users.csv.yaml: give its path"),
    ],
)
def test_a_scorecard_that_is_not_there_is_refused(small, name, expected):
    change(small.parent, "pls.yaml", "project: small", f"project: small\nscorecard: {name}")

    assert expected in refusal(run("check", "--project", small), CONFIGURATION)


def test_an_empty_log_is_refused(small):
    log = small.parent / "events.csv"
    log.write_text(log.read_text().splitlines()[0] + "\n")

    assert refusal(run("check", "--project", small), DATA) == (
        "the event log is empty: expected at least one row; check `data.events.path`"
    )


def test_a_column_of_the_wrong_type_is_refused(world, tmp_path):
    project = tmp_path / "pls.yaml"
    users = "{path: users.parquet, columns: {signup_at: is_internal}}"
    project.write_text(world.read_text().replace("{path: users.parquet}", users))

    sentence = refusal(run("check", "--project", project, "--data", world.parent), DATA)

    assert sentence == "table 'users': column `signup_at` holds BOOLEAN, expected a time stamp or ISO 8601 text"


def test_a_project_that_ends_before_its_only_win_has_no_positives(small):
    change(small.parent, "opportunities.csv", "2024-01-18", "2024-03-18")

    assert run("check", "--project", small).exit_code == 0
    sentence = refusal(run("train", "--project", small), DATA)

    assert sentence.startswith("none of the 17 matured rows is won within the horizon: expected at least one; check `outcome`")


PREPARED = "outcome: {kind: column, column: converted}\nspine: {kind: order, column: number}\n"


@pytest.mark.parametrize("converted", ["1", "0"])
def test_outcomes_of_one_class_are_refused(small, converted):
    users = small.parent / "users.csv"
    users.write_text(users.read_text().replace(",1\n", f",{converted}\n"))
    small.write_text(small.read_text() + PREPARED)

    sentence = refusal(run("train", "--project", small), DATA)

    if converted == "1":
        assert "training rows have the same outcome" in sentence
    else:
        assert "no closed-won outcome was found by `outcome` (kind 'column'): expected at least one" in sentence


def test_a_history_that_is_too_short_to_hold_anything_out_is_refused(small):
    sentence = refusal(run("train", "--project", small), DATA)

    assert sentence.startswith("the training part is empty: as_of runs from 2024-01-08 to 2024-01-22")
    assert "use longer data or a shorter horizon" in sentence


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("2020-01-01", "as_of 2020-01-01 lies before the first event (2024-01-01): choose a later one"),
        ("2030-01-01", "as_of 2030-01-01 lies after the end of the data (2024-02-01): choose an earlier one, or add newer data"),
    ],
)
def test_a_moment_outside_of_the_data_is_refused(small, as_of, expected):
    assert refusal(run("signals", "--project", small, "--as-of", as_of), DATA) == expected


def test_a_moment_between_two_ticks_is_refused(small):
    sentence = refusal(run("signals", "--project", small, "--as-of", "2024-01-20T12:30"), CONFIGURATION)

    assert sentence == "as_of 2024-01-20 12:30 is no whole day: choose one, or a finer `signals.grain` and train again"


@pytest.mark.parametrize("command", ["check", "signals", "train", "score", "report", "promote"])
def test_a_folder_in_the_place_of_the_project_file_is_refused(tmp_path, command):
    assert "no project file at" in refusal(run(command, "--project", tmp_path), CONFIGURATION)


def test_a_parquet_file_that_is_cut_short_is_refused(world, tmp_path):
    for name in world.parent.glob("*.parquet"):
        shutil.copy(name, tmp_path)
    events = tmp_path / "events.parquet"
    events.write_bytes(events.read_bytes()[:-100])

    assert "events.parquet is not a readable Parquet file" in refusal(run("check", "--project", world, "--data", tmp_path), DATA)


@pytest.mark.parametrize("output", ["users.csv", "users.csv/out"])
def test_an_output_folder_that_cannot_be_written_is_named(small, output):
    result = run("signals", "--project", small, "--output", small.parent / output)

    sentence = refusal(result, WRITING)
    assert sentence.startswith(f"cannot write {small.parent / output}")
    assert sentence.endswith("free space or choose another `output` folder")
    assert (small.parent / "users.csv").is_file()
