"""One project: its validated file, its folders and its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pls_ml.core.builtin import find_builtin
from pls_ml.core.catalogue import Catalogue, Signal
from pls_ml.core.database import Database
from pls_ml.core.errors import ConfigError, suggest
from pls_ml.core.windows import Grain
from pls_ml.io.yaml import read_spec
from pls_ml.labels.outcomes import FromColumn, FromEvents
from pls_ml.labels.spine import AgeSpine, OrderSpine
from pls_ml.scores.card import Scorecard
from pls_ml.signals.discovery import discover_signals, fit_windows
from pls_ml.workflows.config import ProjectConfig
from pls_ml.workflows.progress import Progress

DISCOVER = "discover"
"""In place of a catalogue: the signals are made from the log's own names."""


@dataclass(frozen=True)
class Project:
    """A validated project file, the folders it reads from and writes to, and tables handed in from memory."""

    config: ProjectConfig
    root: Path
    data_root: Path
    output: Path
    tables: Mapping[str, Any] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress, repr=False)

    @property
    def models(self) -> Path:
        """Where bundles are kept."""
        return self.output / "models"

    def catalogue(self, database: Database, grain: Grain) -> Catalogue:
        """Takes a database with the log and the time grain, for signals that are discovered; returns the declared signals.

        They are those of the catalogue file, without the dropped ones, and those defined in the project.
        """
        from pydantic import ValidationError

        config = self.config.signals
        declared = self._declared(database, grain)
        ids = [signal.id for signal in declared]
        for name in config.drop:
            if name not in ids:
                raise ConfigError(f"`signals.drop` names '{name}', which the catalogue does not declare{suggest(name, ids)}")
        defined = {signal.id for signal in config.define}
        kept = [signal for signal in declared if signal.id not in config.drop and signal.id not in defined]
        try:
            return Catalogue(signals=(*kept, *config.define))
        except ValidationError as error:
            raise ConfigError(f"`signals`: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None

    def _declared(self, database: Database, grain: Grain) -> tuple[Signal, ...]:
        name = self.config.signals.catalogue
        if name is None:
            return ()
        if name == DISCOVER:
            spine = self.config.spine
            windows = fit_windows(spine.after if isinstance(spine, AgeSpine) else None, grain)
            return discover_signals(database, windows, self._barred())
        return read_spec(self._find(name, "signals"), Catalogue, "catalogue").signals

    def _barred(self) -> tuple[str, ...]:
        """Names that are the outcome, or order it, so that no signal is made of them."""
        outcome, spine = self.config.outcome, self.config.spine
        order = (spine.column,) if isinstance(spine, OrderSpine) else ()
        if isinstance(outcome, FromEvents):
            return (*outcome.won, *outcome.lost, *order)
        return (outcome.column, *order) if isinstance(outcome, FromColumn) else order

    def card(self) -> Scorecard | None:
        """Takes nothing; returns the project's scorecard, if it names one."""
        if self.config.scorecard is None:
            return None
        return read_spec(self._find(self.config.scorecard, "scorecards"), Scorecard, "scorecard")

    def _find(self, name: str, kind: str) -> Path:
        own = self.root / name
        return own if name.endswith((".yaml", ".yml")) else find_builtin(f"{kind}/{name}.yaml")
