"""`promote`, `runs` and `compare` as a person types them."""

import json
import shutil

import pytest
from commands import plain_json, refusal, run

from pls_ml.evaluation.gates import GATES

USAGE, CONFIGURATION, MODEL, GATE = 2, 3, 5, 6
ACCEPT_ALL = [option for gate in GATES for option in ("--accept", gate)]


@pytest.fixture
def tracked(world, trained):
    """The project file with tracking switched on, and its trained model without a run."""
    path = trained.parent / "pls.yaml"
    path.write_text(world.read_text().replace("tracking: {kind: none}", "tracking: {kind: mlflow}"))
    return "--project", path, "--data", world.parent, "--output", trained


def test_promote_says_who_scores_and_how_each_gate_went(world, training, trained):
    version = plain_json(training)["version"]

    result = run("promote", "--project", world, "--output", trained, *ACCEPT_ALL)

    lines = result.stdout.splitlines()
    assert (result.exit_code, lines[0]) == (0, f"champion: {version} (before: none)")
    assert [line.split()[0] for line in lines[2:]] == [gate["name"] for gate in plain_json(training)["gates"]]
    assert json.loads((trained / "models" / "champion.json").read_text())["version"] == version


def test_a_refused_promotion_names_its_gates_and_leaves_with_the_code_of_gates(world, training, trained):
    failed = [gate["name"] for gate in plain_json(training)["gates"] if not gate["passed"]]
    assert failed

    sentence = refusal(run("promote", "--project", world, "--output", trained), GATE)

    assert sentence.endswith("promote it with `" + " ".join(f"--accept {name}" for name in failed) + "`")
    assert not (trained / "models" / "champion.json").exists()


def test_promote_and_rollback_print_json(world, training, trained):
    version = plain_json(training)["version"]
    shutil.copytree(trained / "models" / version, trained / "models" / "m-other")
    (trained / "models" / "champion.json").write_text(json.dumps({"version": "m-other", "history": [version]}))

    back = plain_json(run("promote", "--rollback", "--json", "--project", world, "--output", trained))

    assert (back["version"], back["before"], back["gates"]) == (version, "m-other", [])


@pytest.mark.parametrize("options", [["--rollback", "m-1"], ["--rollback", "--accept", "slope"]])
def test_rolling_back_takes_neither_a_version_nor_a_gate(world, options):
    result = run("promote", "--project", world, *options)

    assert result.exit_code == USAGE
    assert "--rollback goes back to the champion before" in result.stderr


def test_without_a_champion_before_there_is_no_way_back(world, trained):
    assert "there is no champion before the first one" in refusal(
        run("promote", "--rollback", "--project", world, "--output", trained), MODEL
    )


@pytest.mark.parametrize("command", [["runs"], ["compare", "a", "b"]])
def test_where_nothing_is_tracked_looking_at_runs_says_how_to_switch_it_on(world, command):
    sentence = refusal(run(*command, "--project", world), CONFIGURATION)

    assert sentence.startswith("tracking is switched off (`tracking.kind: none`)")


def test_runs_and_compare_without_any_run_yet(tracked):
    assert run("runs", *tracked).stdout == "no run is tracked yet: `pls-ml train --track` writes the first one\n"
    assert plain_json(run("runs", "--json", *tracked)) == {"runs": []}
    assert "none is tracked yet; run `pls-ml train --track`" in refusal(run("compare", "a", "b", *tracked), MODEL)
