"""What a run leaves behind, in plain values, for whoever keeps the log."""

from dataclasses import dataclass
from pathlib import Path


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
    """One training run: `parameters` and `tags` as text, `metrics` as numbers, `artifacts` as file name → bytes, and the bundle.

    `version` names the bundle by its content; `bundle` is the folder of its text and JSON files; `trials` are settings it tried.
    """

    project: str
    kind: str
    version: str
    parameters: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    artifacts: dict[str, bytes]
    bundle: Path
    trials: tuple[TrialRecord, ...] = ()
