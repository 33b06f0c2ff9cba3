"""The command line: parse, call, print."""

from __future__ import annotations

import functools
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pls_ml.core.errors import PlsError

if TYPE_CHECKING:
    from pls_ml.workflows.api import OpenProject

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
            click.echo(f"pls-ml: {_printable(str(error))}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="pls-ml")
def main() -> None:
    """Product-Led Sales propensity scoring: which leads to call, how sure that is, and why."""


@main.command(short_help="Invent a product with known truth and run everything on it.")
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


@main.command()
@click.argument("path", default="pls.yaml", type=A_PATH)
def init(path: Path) -> None:
    """Write a commented project file."""
    from pls_ml.workflows.init import init as run

    click.echo(f"wrote {run(path)}: fill in `data`, then run `pls-ml check`")


@main.command(short_help="Say what the data hold and what looks wrong, or what is wrong with the scorecard.")
@click.option("--cards", is_flag=True, help="Look at the project's scorecard: reach of its bands, overlaps, leaks, rows that never fire.")
@click.option("--card", "names", multiple=True, metavar="CARD", help="Look at this card, a shipped one or a file; needs no project.")
@functools.partial(with_project, unless="names")
@JSON
def check(project: OpenProject | None, cards: bool, names: tuple[str, ...], as_json: bool) -> None:
    """Say what the data hold, which signals can be computed, and what looks like a leak; or what is wrong with scorecards."""
    if project is not None and not cards and not names:
        _show(project.check(), as_json)
        return
    from pls_ml.workflows.check_cards import check_cards

    _show(check_cards(project, names), as_json)


@main.command(short_help="Compute the signals of every eligible lead, or look at them.")
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
    _show(result, as_json)


@main.command(short_help="Fit rules and models, compare them, save the bundle.")
@with_project
@click.option("--track", is_flag=True, help="Write the run to the tracker (MLflow) and say where.")
@click.option("--learning-curve", is_flag=True, help="Also fit what scores on shares of the accounts: what would more data be worth?")
@JSON
def train(project: OpenProject, track: bool, learning_curve: bool, as_json: bool) -> None:
    """Fit rules and models, compare them on held-out leads, and save the bundle."""
    _show(project.train(track, learning_curve), as_json)


@main.command(short_help="Refit and test every candidate forward in time, fold by fold.")
@with_project
@click.option("--track", is_flag=True, help="Write the run to the tracker (MLflow) and say where.")
@JSON
def backtest(project: OpenProject, track: bool, as_json: bool) -> None:
    """Refit every candidate on what had matured at several moments, test each on what came after, and say whether the rules are beaten.

    The report is also written as `backtest.json`; no model is saved.
    """
    _show(project.backtest(track), as_json)


@main.command(short_help="Move the scorecard's points towards the outcomes.")
@with_project
@JSON
def repoint(project: OpenProject, as_json: bool) -> None:
    """Move the scorecard's points towards matured outcomes: show old and new points, and write the card beside the project.

    The points stay as they are unless others are better on later rows.
    """
    _show(project.repoint(), as_json)


@main.command(short_help="Judge the champion on newly matured outcomes; refit its probabilities.")
@with_project
@MODEL
@click.option("--track", is_flag=True, help="Write the run to the tracker (MLflow) and say where.")
@JSON
def recalibrate(project: OpenProject, version: str | None, track: bool, as_json: bool) -> None:
    """Judge a model on outcomes that matured since it was made, and save a version with new calibrators where its probabilities are off.

    The scorers stay, and so does the champion: `promote` makes the new version score. Ends with 0 for a new version, 99 for nothing to
    do, and 6 where the model has to be trained again.
    """
    found = project.recalibrate(version, track)
    _show(found, as_json)
    click.get_current_context().exit(found.exit_code)


@main.command(short_help="Make a trained model the champion, once it has passed its gates.")
@with_project
@click.argument("version", required=False)
@click.option("--accept", multiple=True, metavar="GATE", help="Let this gate pass whatever its figure; that is logged.")
@click.option("--rollback", is_flag=True, help="Make the champion before this one the champion again.")
@JSON
def promote(project: OpenProject, version: str | None, accept: tuple[str, ...], rollback: bool, as_json: bool) -> None:
    """Make a trained model the champion that scores (by default the newest), once it has passed its gates."""
    if rollback and (version or accept):
        raise click.UsageError("--rollback goes back to the champion before: give neither a version nor --accept with it")
    _show(project.roll_back() if rollback else project.promote(version, accept), as_json)


@main.command(short_help="List the tracked runs.")
@with_project
@JSON
def runs(project: OpenProject, as_json: bool) -> None:
    """List the tracked runs: kind, when, model, its main figures with intervals, gates and alias."""
    _show(project.runs(), as_json)


@main.command(short_help="Lay two tracked runs side by side.")
@with_project
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@JSON
def compare(project: OpenProject, first: str, second: str, as_json: bool) -> None:
    """Lay two tracked runs side by side: figures with intervals, gates, and what differs in settings, signals and data; with pictures.

    RUN is the beginning of a run's id, or a model version.
    """
    _show(project.compare(first, second), as_json)


@main.command(short_help="Score and explain every eligible lead.")
@with_project
@AS_OF
@MODEL
@JSON
def score(project: OpenProject, as_of: datetime | None, version: str | None, as_json: bool) -> None:
    """Score and explain every eligible lead at one moment; write Parquet with a manifest."""
    _show(project.score(as_of, version), as_json)


@main.command(short_help="Print one lead's receipts, and why its score moved.")
@with_project
@click.argument("lead_id")
@AS_OF
@MODEL
@click.option("--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="Also say why the score moved since then (UTC).")
@click.option(
    "--since-model", "since_version", help="The model of that moment; by default the one that scored that night, else the one in use."
)
@JSON
def explain(project: OpenProject, lead_id: str, as_json: bool, **asked: Any) -> None:
    """Print one lead's receipts: every signal's share of the score, adding up exactly.

    With --since, also why the score moved: what the lead did, another model, another calibrator, adding up to the difference.
    """
    _show(project.explain(lead_id, **asked), as_json)


@main.command(short_help="List the leads of a scored night on which rules and model disagree.")
@with_project
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="The night (UTC); by default the latest that was scored."
)
@JSON
def disagreements(project: OpenProject, as_of: datetime | None, as_json: bool) -> None:
    """List the leads of a scored night that only the rules or only the model would work, what makes the difference, and who was right.

    Both sides take the same number of leads. How often each kind won is known from the leads that training held out.
    """
    _show(project.disagreements(as_of), as_json)


@main.command(short_help="Write the page of a scored night, or of a model.")
@with_project
@click.argument("what", type=click.Choice(["leads", "model"]), default="leads")
@click.argument("version", required=False)
@AS_OF
def report(project: OpenProject, what: str, version: str | None, as_of: datetime | None) -> None:
    """Write one offline page: a workbench with a night's ranked leads, or all that is known of a model.

    VERSION is for `model`: by default the champion, else the newest.
    """
    if what == "model":
        if as_of is not None:
            raise click.UsageError("`report model` is about a model, not a night: leave --as-of out")
        click.echo(project.report_model(version).to_text())
        return
    if version is not None:
        raise click.UsageError("`report leads` takes no version: the night's own model is shown; choose the night with --as-of")
    click.echo(f"page: {project.report(as_of)}")


def _show(result: Any, as_json: bool) -> None:
    click.echo(json.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False) if as_json else _printable(result.to_text()))


def _printable(text: str) -> str:
    """Names and ids come from the data: control characters in them would write over the terminal."""
    return "".join(sign if sign == "\n" or sign.isprintable() else " " for sign in text)
