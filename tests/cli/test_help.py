"""Asking for help answers at once: nothing heavy is imported for it."""

import subprocess
import sys

import pytest
from commands import run

HEAVY = ("sklearn", "lightgbm", "shap", "mlflow", "optuna", "matplotlib", "pandas", "pyarrow", "duckdb", "pydantic", "numpy", "scipy")
COMMANDS = [
    "check",
    "compare",
    "demo",
    "disagreements",
    "explain",
    "init",
    "promote",
    "recalibrate",
    "repoint",
    "report",
    "runs",
    "score",
    "signals",
    "train",
]


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["score", "--help"], ["signals", "--help"]])
def test_help_imports_no_heavy_library(arguments):
    code = "from pls_ml.cli import main; main()"

    done = subprocess.run([sys.executable, "-X", "importtime", "-c", code, *arguments], capture_output=True, text=True, check=True)

    imported = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "pls_ml" in imported
    assert "click" in imported
    assert imported.isdisjoint(HEAVY)
    assert done.stdout


def test_help_lists_every_command():
    result = run("--help")

    assert result.exit_code == 0
    listed = [line.split()[0] for line in result.stdout.partition("Commands:")[2].splitlines() if line.strip()]
    assert sorted(set(COMMANDS) & set(listed)) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    result = run(command, "--help")

    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: main {command}")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["scroe"], "No such command 'scroe'. Did you mean 'score'?"),
        (["explain"], "Missing argument 'LEAD_ID'."),
        (["score", "--as-of", "tomorrow"], "'tomorrow' does not match the formats '%Y-%m-%d', '%Y-%m-%dT%H:%M'."),
        (["score", "--asof", "2024-01-01"], "No such option '--asof'. (Did you mean one of: '--as-of', '--json'?)"),
        (["check", "extra"], "Got unexpected extra argument (extra)"),
    ],
)
def test_a_command_that_is_typed_wrongly_is_a_usage_error(arguments, sentence):
    result = run(*arguments)

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
