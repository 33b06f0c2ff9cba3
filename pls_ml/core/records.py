"""What a run leaves behind, in plain values, for whoever keeps the log; what the schema's names mean stands in `workflows.tracking`."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, get_args

Kind = Literal["train", "backtest", "tune", "recalibrate", "promote"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True)
class ServedBundle:
    """A bundle's folder, and what it takes to serve it.

    `scorer` names the function 'module:name' that turns the folder into one from signals to scores, `inputs` says of each signal column
    whether it holds categories (else numbers), `outputs` are the columns of numbers that come back, `requirements` what has to be
    installed, as pip reads it.
    """

    folder: Path
    scorer: str
    inputs: dict[str, bool]
    outputs: tuple[str, ...]
    requirements: tuple[str, ...]


@dataclass(frozen=True)
class TrialRecord:
    """Settings that a search tried: their mean log loss on rows not fitted on, and how many trees that took.

    A trial that was given up early has seen only the first `folds` of them.
    """

    number: int
    settings: dict[str, float]
    loss: float
    trees: int
    folds: int
    pruned: bool


@dataclass(frozen=True)
class RunRecord:
    """One run: `parameters` and `tags` as text, `metrics` as numbers, `artifacts` as file name → bytes.

    `version` names the bundle that the run is about, by its content; `bundle` is there where the run made it; `trials` are settings it
    tried. `parent` is the id of the run that this one is a part of.
    """

    project: str
    kind: Kind
    version: str | None
    parameters: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    artifacts: dict[str, bytes]
    bundle: ServedBundle | None = None
    parent: str | None = None
    trials: tuple[TrialRecord, ...] = ()


@dataclass(frozen=True)
class Logged:
    """Where a run was written: its id (None: nowhere), and a line that tells a person where to look."""

    run_id: str | None
    line: str


@dataclass(frozen=True)
class LoggedRun:
    """A run as the log has it; `aliases` are those that its bundle carries now."""

    run_id: str
    kind: str
    version: str | None
    started: datetime
    parent: str | None
    parameters: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    aliases: tuple[str, ...]
