"""What every command has in common: the group, the options, how results and refusals are printed."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pls_ml.core.errors import PlsError

if TYPE_CHECKING:
    pass

AS_OF = click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    help="The moment the scores speak for (UTC); by default the end of the data.",
)
MODEL = click.option("--model", "version", help="A model version; by default the champion, else the newest.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
A_PATH = click.Path(path_type=Path)
PROJECT_FILE = "pls.yaml"


def with_project(command: Any, unless: str = "") -> Any:
    """Takes a command; gives it the options that open a project, and the open project as its first argument.

    `unless` names an option with which the command does without one: then the argument is None where there is no project file.
    """

    @click.option("--project", "path", default=PROJECT_FILE, show_default=True, type=A_PATH, help="The project file.")
    @click.option("--data", type=A_PATH, help="The folder of the tables; by default that of the project file.")
    @click.option("--output", type=A_PATH, help="Where everything is written; by default as the project file says.")
    @functools.wraps(command)
    def run(path: Path, data: Path | None, output: Path | None, **options: Any) -> None:
        from pls_ml.workflows.api import open_project
        from pls_ml.workflows.progress import PrintedProgress

        absent = options.get(unless) and path == Path(PROJECT_FILE) and not path.exists()
        command(None if absent else open_project(path, data=data, output=output, progress=PrintedProgress()), **options)

    return run


class Commands(click.Group):
    """Prints a named condition as one sentence and leaves with its exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Takes the parsed call; runs it."""
        try:
            return super().invoke(ctx)
        except PlsError as error:
            click.echo(f"pls-ml: {printable(str(error))}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="pls-ml")
def main() -> None:
    """Product-Led Sales propensity scoring: which leads to call, how sure that is, and why."""


def show(result: Any, as_json: bool) -> None:
    """Takes what a command found; prints it as text, or as one line of JSON."""
    click.echo(json.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False) if as_json else printable(result.to_text()))


def printable(text: str) -> str:
    """Takes text; returns it without control characters: names and ids come from the data, and would write over the terminal."""
    return "".join(sign if sign == "\n" or sign.isprintable() else " " for sign in text)
