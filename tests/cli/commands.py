"""Commands as a person types them, and what a refusal has to look like."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from pls_ml.cli import main

SMALL_PROJECT = """\
project: small
data:
  events: {path: events.csv}
  users: {path: users.csv}
  opportunities: {path: opportunities.csv}
horizon: {horizon_days: 7}
population: {min_age_days: 0, min_events: 0}
tracking: {kind: none}
"""


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def refusal(result: Result, code: int) -> str:
    """What a refused command says, after checking that it is one sentence on stderr, under this exit code, and nothing else."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    before, mark, sentence = result.stderr.rpartition("pls-ml: ")
    assert mark, f"nothing was refused: {result.output}"
    assert "pls-ml: " not in before
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert result.exit_code == code, sentence
    return sentence.strip()


def plain_json(result: Result) -> Any:
    """The JSON on stdout, which has to be one line without NaN or infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("\n") == 1
    return json.loads(result.stdout, parse_constant=refuse)


def write_small_project(folder: Path) -> Path:
    """Six people who use a product all January, each in an account; one account buys. Returns the project file."""
    people = range(1, 7)
    days = [f"2024-01-{day:02}" for day in range(1, 32)]
    tables = {
        "events.csv": ["user_id,event,event_time", *(f"u{i},view,{day}T10:00:00Z" for i in people for day in days)],
        "users.csv": ["user_id,account_id,signup_at,number,converted", *(f"u{i},a{i},2024-01-01,{i},1" for i in people)],
        "opportunities.csv": ["opportunity_id,account_id,created_at,closed_at,is_won,type", "o1,a1,2024-01-17,2024-01-18,true,new"],
    }
    for name, lines in tables.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    path = folder / "pls.yaml"
    path.write_text(SMALL_PROJECT)
    return path
