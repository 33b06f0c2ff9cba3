"""Commands on scored nights: scores, reasons, disputes, pages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from pls_ml.cli.group import AS_OF, JSON, MODEL, show, with_project

if TYPE_CHECKING:
    from pls_ml.workflows.api import OpenProject


@click.command(short_help="Score and explain every eligible lead.")
@with_project
@AS_OF
@MODEL
@JSON
def score(project: OpenProject, as_of: datetime | None, version: str | None, as_json: bool) -> None:
    """Score and explain every eligible lead at one moment; write Parquet with a manifest."""
    show(project.score(as_of, version), as_json)


@click.command(short_help="Print one lead's receipts, and why its score moved.")
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
    show(project.explain(lead_id, **asked), as_json)


@click.command(short_help="List the leads of a scored night on which rules and model disagree.")
@with_project
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="The night (UTC); by default the latest that was scored."
)
@JSON
def disagreements(project: OpenProject, as_of: datetime | None, as_json: bool) -> None:
    """List the leads of a scored night that only the rules or only the model would work, what makes the difference, and who was right.

    Both sides take the same number of leads. How often each kind won is known from the leads that training held out.
    """
    show(project.disagreements(as_of), as_json)


@click.command(short_help="Write the page of a scored night, or of a model.")
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


COMMANDS = (score, explain, disagreements, report)
