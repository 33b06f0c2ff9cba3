"""Commands on models: training, tests forward in time, points, upkeep, promotion, runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pls_ml.cli.group import JSON, MODEL, show, with_project

if TYPE_CHECKING:
    from pls_ml.workflows.api import OpenProject


@click.command(short_help="Fit rules and models, compare them, save the bundle.")
@with_project
@click.option("--track", is_flag=True, help="Write the run to the tracker (MLflow) and say where.")
@click.option("--learning-curve", is_flag=True, help="Also fit what scores on shares of the accounts: what would more data be worth?")
@JSON
def train(project: OpenProject, track: bool, learning_curve: bool, as_json: bool) -> None:
    """Fit rules and models, compare them on held-out leads, and save the bundle."""
    show(project.train(track, learning_curve), as_json)


@click.command(short_help="Refit and test every candidate forward in time, fold by fold.")
@with_project
@click.option("--track", is_flag=True, help="Write the run to the tracker (MLflow) and say where.")
@JSON
def backtest(project: OpenProject, track: bool, as_json: bool) -> None:
    """Refit every candidate on what had matured at several moments, test each on what came after, and say whether the rules are beaten.

    The report is also written as `backtest.json`; no model is saved.
    """
    show(project.backtest(track), as_json)


@click.command(short_help="Move the scorecard's points towards the outcomes.")
@with_project
@JSON
def repoint(project: OpenProject, as_json: bool) -> None:
    """Move the scorecard's points towards matured outcomes: show old and new points, and write the card beside the project.

    The points stay as they are unless others are better on later rows.
    """
    show(project.repoint(), as_json)


@click.command(short_help="Judge the champion on newly matured outcomes; refit its probabilities.")
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
    show(found, as_json)
    click.get_current_context().exit(found.exit_code)


@click.command(short_help="Make a trained model the champion, once it has passed its gates.")
@with_project
@click.argument("version", required=False)
@click.option("--accept", multiple=True, metavar="GATE", help="Let this gate pass whatever its figure; that is logged.")
@click.option("--rollback", is_flag=True, help="Make the champion before this one the champion again.")
@JSON
def promote(project: OpenProject, version: str | None, accept: tuple[str, ...], rollback: bool, as_json: bool) -> None:
    """Make a trained model the champion that scores (by default the newest), once it has passed its gates."""
    if rollback and (version or accept):
        raise click.UsageError("--rollback goes back to the champion before: give neither a version nor --accept with it")
    show(project.roll_back() if rollback else project.promote(version, accept), as_json)


@click.command(short_help="List the tracked runs.")
@with_project
@JSON
def runs(project: OpenProject, as_json: bool) -> None:
    """List the tracked runs: kind, when, model, its main figures with intervals, gates and alias."""
    show(project.runs(), as_json)


@click.command(short_help="Lay two tracked runs side by side.")
@with_project
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@JSON
def compare(project: OpenProject, first: str, second: str, as_json: bool) -> None:
    """Lay two tracked runs side by side: figures with intervals, gates, and what differs in settings, signals and data; with pictures.

    RUN is the beginning of a run's id, or a model version.
    """
    show(project.compare(first, second), as_json)


COMMANDS = (train, backtest, repoint, recalibrate, promote, runs, compare)
