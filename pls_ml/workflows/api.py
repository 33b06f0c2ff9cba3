"""Every command as a method of an open project, for notebooks and the command line alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pls_ml.core.columns import TABLES
from pls_ml.core.errors import ConfigError, suggest
from pls_ml.io.yaml import read_spec
from pls_ml.workflows.backtest import backtest
from pls_ml.workflows.backtest_report import BacktestReport
from pls_ml.workflows.check import CheckReport, check
from pls_ml.workflows.check_cards import CardReport, check_cards
from pls_ml.workflows.config import ProjectConfig
from pls_ml.workflows.disagreement_queue import DisagreementQueue, list_disagreements
from pls_ml.workflows.explain import Explained, explain
from pls_ml.workflows.lead_moment import Asked
from pls_ml.workflows.model_report import ModelReport, report_model
from pls_ml.workflows.progress import Progress
from pls_ml.workflows.project import Project
from pls_ml.workflows.promote import Promotion, promote, roll_back
from pls_ml.workflows.recalibrate import recalibrate
from pls_ml.workflows.recalibration_report import RecalibrationReport
from pls_ml.workflows.repoint import RepointReport, repoint
from pls_ml.workflows.report import report
from pls_ml.workflows.run_comparison import RunComparison, compare_runs
from pls_ml.workflows.runs import RunTable, list_runs
from pls_ml.workflows.score import Night, score
from pls_ml.workflows.signal_coverage import SignalCoverage, cover_signals
from pls_ml.workflows.signal_list import SignalList, list_signals
from pls_ml.workflows.signal_profile import SignalProfile, show_signal
from pls_ml.workflows.signal_query import SignalQuery, compile_signals
from pls_ml.workflows.signals import SignalFile, signals
from pls_ml.workflows.train import train
from pls_ml.workflows.training_report import TrainingReport


class OpenProject(Project):
    """A project with its commands as methods."""

    def check(self) -> CheckReport:
        """Takes nothing; returns what the data hold and which signals can be computed from them."""
        return check(self)

    def check_cards(self, *cards: str) -> CardReport:
        """Takes cards, shipped ones by name or files (none: that of the project); returns what is wrong with each, worst first."""
        return check_cards(self, cards)

    def signals(self, as_of: datetime | None = None, labels: bool = False) -> SignalFile:
        """Takes one `as_of` (None: the training grid) and whether to label the rows; writes every eligible lead's signals; says where."""
        return signals(self, as_of, labels)

    def list_signals(self) -> SignalList:
        """Takes nothing; returns every declared signal and whether it can be computed."""
        return list_signals(self)

    def show_signal(self, name: str, as_of: datetime | None = None) -> SignalProfile:
        """Takes a signal's id and one `as_of` (None: the training grid); returns it in words, its values, and its strength alone."""
        return show_signal(self, name, as_of)

    def cover_signals(self, as_of: datetime | None = None) -> SignalCoverage:
        """Takes one `as_of` (None: the newest with known outcomes); returns how much each signal says there, and unused events."""
        return cover_signals(self, as_of)

    def compile_signals(self, dialect: str = "duckdb", as_of: datetime | None = None) -> SignalQuery:
        """Takes an SQL dialect and one `as_of` (None: the training grid); returns the query that computes every signal."""
        return compile_signals(self, dialect, as_of)

    def train(self, track: bool = False, learning_curve: bool = False) -> TrainingReport:
        """Takes whether to write the run to the tracker, and whether to refit on shares of the accounts; returns what training found."""
        return train(self, track, learning_curve)

    def backtest(self, track: bool = False) -> BacktestReport:
        """Takes whether to write the run to the tracker; returns how every candidate, and the choice among them, did fold by fold."""
        return backtest(self, track)

    def repoint(self) -> RepointReport:
        """Takes nothing; returns the scorecard with the points that the outcomes ask for, rung by rung; writes it below `cards/`."""
        return repoint(self)

    def recalibrate(self, version: str | None = None, track: bool = False) -> RecalibrationReport:
        """Takes a model version as for `score` and whether to track; returns what newly matured outcomes say of it."""
        return recalibrate(self, version, track)

    def score(self, as_of: datetime | None = None, version: str | None = None) -> Night:
        """Takes one `as_of` (None: the end of the data) and a model version (None: the champion, else the newest); returns the night."""
        return score(self, as_of, version)

    def explain(
        self,
        lead_id: str,
        as_of: datetime | None = None,
        version: str | None = None,
        since: datetime | None = None,
        since_version: str | None = None,
    ) -> Explained:
        """Takes a lead, an `as_of` and a model version as for `score`; returns its receipts, and why its score moved.

        The latter where there is `since`, an earlier moment, or the version of another model, or both.
        """
        return explain(self, lead_id, as_of, version, Asked(since, since_version) if since or since_version else None)

    def disagreements(self, as_of: datetime | None = None) -> DisagreementQueue:
        """Takes the `as_of` of a scored night (None: the latest); returns its leads on which rules and model disagree, and who is right."""
        return list_disagreements(self, as_of)

    def report(self, as_of: datetime | None = None) -> Path:
        """Takes the `as_of` of a scored night (None: the latest); returns the path of its page."""
        return report(self, as_of)

    def report_model(self, version: str | None = None) -> ModelReport:
        """Takes a model version (None: the champion, else the newest); returns its report: the path of the page, and its pictures."""
        return report_model(self, version)

    def promote(self, version: str | None = None, accept: Sequence[str] = ()) -> Promotion:
        """Takes a model version (None: the newest) and gates that need not pass; makes it the champion; returns the verdicts."""
        return promote(self, version, accept)

    def roll_back(self) -> Promotion:
        """Takes nothing; makes the champion before this one the champion again."""
        return roll_back(self)

    def runs(self) -> RunTable:
        """Takes nothing; returns the project's tracked runs, the newest first."""
        return list_runs(self)

    def compare(self, first: str, second: str) -> RunComparison:
        """Takes two runs, by the beginning of an id or by bundle version; returns what differs, and draws it below `comparisons/`."""
        return compare_runs(self, first, second)


def open_project(
    path: str | Path = "pls.yaml",
    tables: Mapping[str, Any] | None = None,
    data: str | Path | None = None,
    output: str | Path | None = None,
    progress: Progress | None = None,
) -> OpenProject:
    """Takes a project file, and tables by contract name to use in place of files (anything that speaks Arrow); returns the project.

    `data` is the folder that table paths are relative to, `output` where everything is written; by default the project file says both.
    Refuses an invalid file with every problem at once.
    """
    for name in tables or {}:
        if name not in TABLES:
            raise ConfigError(f"unknown table '{name}'{suggest(name, list(TABLES))}: expected one of {', '.join(TABLES)}")
    file = Path(path)
    config = read_spec(file, ProjectConfig, "project file")
    root = file.resolve().parent
    folders = (Path(data).resolve() if data else root, Path(output).resolve() if output else root / config.output)
    return OpenProject(config, root, *folders, dict(tables or {}), progress or Progress())
