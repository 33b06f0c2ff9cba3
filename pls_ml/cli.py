"""The command line: parse, call, print."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pls_ml.core.errors import PlsError

PROJECT = click.option(
    "--project", "path", default="pls.yaml", show_default=True, type=click.Path(path_type=Path), help="The project file."
)
AS_OF = click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    help="The moment the scores speak for (UTC); by default the end of the data.",
)
MODEL = click.option("--model", "version", help="A model version; by default the champion, else the newest.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


class Commands(click.Group):
    """Prints a named condition as one sentence and leaves with its exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Takes the parsed call; runs it."""
        try:
            return super().invoke(ctx)
        except PlsError as error:
            click.echo(f"pls-ml: {error}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="pls-ml")
def main() -> None:
    """Product-Led Sales propensity scoring: which leads to call, how sure that is, and why."""


@main.command()
@click.argument("path", default="pls.yaml", type=click.Path(path_type=Path))
def init(path: Path) -> None:
    """Write a commented project file."""
    from pls_ml.workflows.init import init as run

    click.echo(f"wrote {run(path)}: fill in `data`, then run `pls-ml check`")


@main.command()
@PROJECT
@JSON
def check(path: Path, as_json: bool) -> None:
    """Say what the data hold, which signals can be computed, and what looks like a leak."""
    _show(_open(path).check(), as_json)


@main.command()
@PROJECT
@AS_OF
def signals(path: Path, as_of: datetime | None) -> None:
    """Compute the signals of every eligible lead, at one moment or on the training grid."""
    project = _open(path)
    table = project.signals(as_of)
    click.echo(f"{len(table.spine):,} rows × {table.values.shape[1]} signal columns in {project.output / 'signals.parquet'}")


@main.command()
@PROJECT
@click.option("--track", is_flag=True, help="Write the run to the tracker (MLflow) and say where.")
@JSON
def train(path: Path, track: bool, as_json: bool) -> None:
    """Fit rules and models, compare them on held-out leads, and save the bundle."""
    _show(_open(path).train(track), as_json)


@main.command()
@PROJECT
@click.argument("version", required=False)
def promote(path: Path, version: str | None) -> None:
    """Make a trained model the champion that scores (by default the newest)."""
    click.echo(f"champion: {_open(path).promote(version)}")


@main.command()
@PROJECT
@AS_OF
@MODEL
@JSON
def score(path: Path, as_of: datetime | None, version: str | None, as_json: bool) -> None:
    """Score and explain every eligible lead at one moment; write Parquet with a manifest."""
    _show(_open(path).score(as_of, version), as_json)


@main.command()
@PROJECT
@click.argument("lead_id")
@AS_OF
@MODEL
@JSON
def explain(path: Path, lead_id: str, as_of: datetime | None, version: str | None, as_json: bool) -> None:
    """Print one lead's receipts: every signal's share of the score, adding up exactly."""
    _show(_open(path).explain(lead_id, as_of, version), as_json)


@main.command()
@PROJECT
@AS_OF
def report(path: Path, as_of: datetime | None) -> None:
    """Write one offline page with the ranked leads and each one's receipt."""
    click.echo(f"page: {_open(path).report(as_of)}")


@main.command()
@click.option(
    "--folder", default="demo", show_default=True, type=click.Path(path_type=Path, file_okay=False), help="Where everything goes."
)
@click.option("--accounts", default=2000, show_default=True, help="Accounts of the invented product.")
@click.option("--days", default=420, show_default=True, help="Days of history.")
@click.option("--seed", default=7, show_default=True, help="The same seed gives the same product.")
def demo(folder: Path, accounts: int, days: int, seed: int) -> None:
    """Invent a product with known truth, then train, score, explain and report on it."""
    from pls_ml.synthetic import WorldSpec
    from pls_ml.workflows.demo import demo as run
    from pls_ml.workflows.progress import PrintedProgress

    click.echo(run(folder, WorldSpec(accounts=accounts, days=days, seed=seed), PrintedProgress()).to_text())


def _open(path: Path) -> Any:
    from pls_ml.workflows.api import open_project
    from pls_ml.workflows.progress import PrintedProgress

    return open_project(path, progress=PrintedProgress())


def _show(result: Any, as_json: bool) -> None:
    text = json.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False) if as_json else result.to_text()
    click.echo(text, file=sys.stdout)
