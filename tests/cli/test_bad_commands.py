"""Commands that come too early, too late, or ask for what is not there, on a project that is all right."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from commands import plain_json, refusal, run

from pls_ml.core.errors import PlsError

CONFIG, DATA, MODEL, WRITING = 3, 4, 5, 73
SCRIPT = Path(sys.executable).parent / "pls-ml"


@pytest.mark.parametrize("arguments", [["score"], ["explain", "u000001"], ["promote"]])
def test_a_command_that_needs_a_model_before_training_says_how_to_get_one(world, tmp_path, arguments):
    sentence = refusal(run(*arguments, "--project", world, "--output", tmp_path / "out"), MODEL)

    assert sentence == f"no model in {tmp_path / 'out' / 'models'}: train one with `pls-ml train`"


def test_a_report_before_a_night_was_scored_says_how_to_get_one(world, trained):
    sentence = refusal(run("report", "--project", world, "--output", trained), DATA)

    assert sentence == f"no scored night in {trained / 'nights'}: run `pls-ml score` first"


def test_a_report_of_another_night_names_the_scored_ones(world, night):
    scored = plain_json(night)["as_of"][:10]

    sentence = refusal(run("report", "--project", world, "--as-of", "2024-02-01"), DATA)

    assert sentence == f"no scored night of 2024-02-01: there are {scored}; run `pls-ml score --as-of 2024-02-01`"


@pytest.mark.parametrize("arguments", [["score"], ["explain", "u000001"], ["promote"]])
def test_an_unknown_model_version_is_refused_with_the_known_ones(world, training, arguments):
    version = plain_json(training)["version"]
    wanted = version[:-1] + ("0" if version[-1] != "0" else "1")
    option = [wanted] if arguments == ["promote"] else ["--model", wanted]

    sentence = refusal(run(*arguments, *option, "--project", world), MODEL)

    assert sentence == f"no model '{wanted}' (did you mean '{version}'?): expected one of {version}"


def test_a_moment_to_compare_with_that_lies_after_the_one_explained_is_refused(world, night):
    lead = plain_json(night)["handoffs"][0]["lead_id"]

    sentence = refusal(run("explain", lead, "--since", "2024-10-08", "--project", world), CONFIG)

    assert sentence == "`since` 2024-10-08 00:00 lies after the moment that is explained (2024-10-07 00:00): choose an earlier one"


@pytest.mark.parametrize("name", ["../../secret", "", ".", "/"])
def test_a_model_version_is_a_name_and_never_a_path(world, trained, name):
    (trained / "models" / "newest.json").write_text(json.dumps({"version": name}))

    assert f"no model '{name}'" in refusal(run("score", "--project", world, "--output", trained), MODEL)


@pytest.mark.parametrize("damage", ["changed", "missing", "added"])
def test_a_changed_bundle_is_refused_before_anything_is_scored(world, trained, damage):
    bundle = next((trained / "models").glob("m-*"))
    scorers = bundle / "scorers.json"
    if damage == "changed":
        scorers.write_bytes(scorers.read_bytes().replace(b"1", b"2", 1))
    elif damage == "missing":
        scorers.unlink()
    else:
        (bundle / "extra.json").write_text("{}")

    sentence = refusal(run("score", "--project", world, "--output", trained), MODEL)

    assert str(bundle) in sentence
    assert "after training" in sentence
    assert not (trained / "nights").exists()


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [("2020-01-01", "lies before the first event (2024-01-01)"), ("2030-01-01", "lies after the end of the data (2024-")],
)
@pytest.mark.parametrize("arguments", [["score"], ["explain", "u000001"]])
def test_a_moment_outside_of_the_data_is_refused(world, training, arguments, as_of, expected):
    assert f"as_of {as_of} {expected}" in refusal(run(*arguments, "--as-of", as_of, "--project", world), DATA)


def test_an_unknown_lead_is_refused_with_the_nearest_one(world, training):
    sentence = refusal(run("explain", "u00001", "--project", world), DATA)

    assert sentence.startswith("no lead 'u00001' among ")
    assert "(did you mean 'u0000" in sentence
    assert sentence.endswith(": check the id")


def test_a_lead_that_does_not_count_is_refused_with_the_reason(world, training):
    users = pd.read_parquet(world.parent / "users.parquet")
    lead = users.loc[users["is_internal"].fillna(False), "user_id"].iloc[0]

    sentence = refusal(run("explain", lead, "--project", world), DATA)

    assert f"lead '{lead}' is not scored at " in sentence
    assert sentence.endswith(": internal user; choose another moment")


def test_a_lead_that_had_not_signed_up_is_refused_with_that_reason(world, training):
    users = pd.read_parquet(world.parent / "users.parquet")
    lead = users.sort_values("signup_at")["user_id"].iloc[-1]

    sentence = refusal(run("explain", lead, "--as-of", "2024-02-01", "--project", world), DATA)

    assert f"lead '{lead}' is not scored at 2024-02-01: it had not signed up" in sentence


def test_a_night_that_cannot_be_written_is_refused_with_the_place(world, trained):
    (trained / "nights").write_text("in the way")

    assert f"cannot write {trained / 'nights'}" in refusal(run("score", "--project", world, "--output", trained), WRITING)


def test_a_night_whose_tables_were_changed_makes_no_page(world, trained):
    assert run("score", "--project", world, "--output", trained).exit_code == 0
    table = next((trained / "nights").glob("*/scores.parquet"))
    table.write_bytes(table.read_bytes() + b" ")

    sentence = refusal(run("report", "--project", world, "--output", trained), MODEL)

    assert sentence == f"{table} is missing or was changed since it was scored: run `pls-ml score` again"


def test_a_model_that_was_not_fitted_cannot_be_used(world, training, tmp_path):
    project = tmp_path / "pls.yaml"
    project.write_text(world.read_text().replace("resamples: 100", "resamples: 100, use: lightgbm"))

    result = run("train", "--project", project, "--data", world.parent)

    assert "`model.use: lightgbm` is not among the fitted candidates" in refusal(result, DATA)


def test_a_signal_that_knows_the_outcome_stops_training_and_is_named(world, tmp_path):
    project = tmp_path / "pls.yaml"
    project.write_text(world.read_text().replace("[upgrade_completed]", "[]"))

    sentence = refusal(run("train", "--project", project, "--data", world.parent), DATA)

    assert sentence.startswith("event 'upgrade_completed' is a twin of the outcome")
    assert "`data.events.exclude`" in sentence
    assert "`model.acknowledge_leaks`" in sentence


# --- what is not a named condition -------------------------------------------------------------------------------


def test_an_error_that_is_a_bug_is_not_swallowed(small, monkeypatch):
    def fail(_):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("pls_ml.workflows.api.check", fail)

    result = run("check", "--project", small)

    assert isinstance(result.exception, ZeroDivisionError)
    assert result.exit_code == 1
    assert "pls-ml:" not in result.stderr


def test_a_named_condition_without_a_code_of_its_own_leaves_with_one(small, monkeypatch):
    def fail(_):
        raise PlsError("something has a name")

    monkeypatch.setattr("pls_ml.workflows.api.check", fail)

    assert refusal(run("check", "--project", small), 1) == "something has a name"


def test_the_installed_command_refuses_on_stderr_with_the_exit_code(small):
    (small.parent / "users.csv").unlink()

    done = subprocess.run([SCRIPT, "check", "--project", small], capture_output=True, text=True, check=False)

    assert done.returncode == DATA
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("pls-ml: no file ")


def test_the_installed_command_prints_only_json_on_stdout(small):
    done = subprocess.run([SCRIPT, "check", "--project", small, "--json"], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout)["tables"] == {"events": 186, "users": 6, "accounts": 6, "opportunities": 1}
    assert "reading the tables" in done.stderr
