"""Commands on data: a project file, what the data hold, signals, an invented product."""

from __future__ import annotations

import functools
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pls_ml.cli.group import A_PATH, JSON, show, with_project

if TYPE_CHECKING:
    from pls_ml.workflows.api import OpenProject


@click.command(short_help="Invent a product with known truth and run everything on it.")
@click.option("--folder", default="demo", show_default=True, type=A_PATH, help="Where everything goes.")
@click.option(
    "--accounts", default=3000, show_default=True, help="Accounts of the invented product; 1,500 or more give the trees enough wins."
)
@click.option("--days", default=420, show_default=True, help="Days of history.")
@click.option("--seed", default=7, show_default=True, help="The same seed gives the same product.")
def demo(folder: Path, accounts: int, days: int, seed: int) -> None:
    """Invent a product with known truth, then train, score, explain and report on it."""
    from pls_ml.synthetic import WorldSpec
    from pls_ml.workflows.demo import demo as run
    from pls_ml.workflows.progress import PrintedProgress

    click.echo(run(folder, WorldSpec(accounts=accounts, days=days, seed=seed), PrintedProgress()).to_text())


@click.command()
@click.argument("path", default="pls.yaml", type=A_PATH)
def init(path: Path) -> None:
    """Write a commented project file."""
    from pls_ml.workflows.init import init as run

    click.echo(f"wrote {run(path)}: fill in `data`, then run `pls-ml check`")


@click.command(short_help="Say what the data hold and what looks wrong, or what is wrong with the scorecard.")
@click.option("--cards", is_flag=True, help="Look at the project's scorecard: reach of its bands, overlaps, leaks, rows that never fire.")
@click.option("--card", "names", multiple=True, metavar="CARD", help="Look at this card, a shipped one or a file; needs no project.")
@functools.partial(with_project, unless="names")
@JSON
def check(project: OpenProject | None, cards: bool, names: tuple[str, ...], as_json: bool) -> None:
    """Say what the data hold, which signals can be computed, and what looks like a leak; or what is wrong with scorecards."""
    if project is not None and not cards and not names:
        show(project.check(), as_json)
        return
    from pls_ml.workflows.check_cards import check_cards

    show(check_cards(project, names), as_json)


@click.command(short_help="Compute the signals of every eligible lead, or look at them.")
@with_project
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    help="One moment (UTC); by default the training grid, for --coverage its newest moment with known outcomes.",
)
@click.option("--labels", is_flag=True, help="Write the training set: matured rows only, with their `label`.")
@click.option("--list", "listed", is_flag=True, help="List every declared signal, and whether the data can answer it.")
@click.option("--show", "shown", metavar="ID", help="Show one signal: definition, lineage, distribution, and what it says alone.")
@click.option("--coverage", "covered", is_flag=True, help="Say how much each signal says, and which events none asks for.")
@click.option("--sql", "dialect", metavar="DIALECT", help="Print the query: duckdb, spark, snowflake, bigquery or postgres.")
@JSON
def signals(project: OpenProject, as_of: datetime | None, as_json: bool, **asked: Any) -> None:
    """Compute the signals of every eligible lead, at one moment or on the training grid, into `signals.parquet`; or look at them.

    At most one of --labels, --list, --show, --coverage and --sql.
    """
    if sum(bool(value) for value in asked.values()) > 1:
        raise click.UsageError("--labels, --list, --show, --coverage and --sql exclude each other: give one of them")
    if asked["listed"]:
        result: Any = project.list_signals()
    elif asked["covered"]:
        result = project.cover_signals(as_of)
    elif asked["shown"]:
        result = project.show_signal(asked["shown"], as_of)
    elif asked["dialect"]:
        result = project.compile_signals(asked["dialect"], as_of)
    else:
        result = project.signals(as_of, asked["labels"])
    show(result, as_json)


COMMANDS = (demo, init, check, signals)
