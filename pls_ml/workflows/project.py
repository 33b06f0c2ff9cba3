"""One project: its validated file, its folders and its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pls_ml.accounts.rules import AccountRules
from pls_ml.core.builtin import find_builtin
from pls_ml.core.catalogue import Catalogue, Signal
from pls_ml.core.database import Database
from pls_ml.core.errors import ConfigError, suggest
from pls_ml.core.windows import Grain
from pls_ml.explanations.policy import Policy
from pls_ml.io.yaml import read_spec, read_yaml
from pls_ml.labels.outcomes import FromColumn, FromEvents
from pls_ml.labels.spine import AgeSpine, OrderSpine
from pls_ml.scores.card import Scorecard
from pls_ml.signals.discovery import discover_signals, fit_windows
from pls_ml.signals.units import take_of
from pls_ml.workflows.config import ProjectConfig
from pls_ml.workflows.policy_rules import hide_faults, refuse_faults
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

        They are those of the catalogue file, without the dropped ones, and those defined in the project, of the project's leads. Refuses
        words that the policy forbids; names in a log are nobody's words, so a discovered signal that has one is hidden from people.
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
        policy = self.policy()
        policy.refuse_unknown((*declared, *config.define))
        if config.catalogue == DISCOVER:
            kept = hide_faults(policy, kept)
        refuse_faults(policy, config.define if config.catalogue == DISCOVER else (*kept, *config.define))
        try:
            return take_of(Catalogue(signals=(*kept, *config.define)), self.config.unit)
        except ValidationError as error:
            raise ConfigError(f"`signals`: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None

    def _declared(self, database: Database, grain: Grain) -> tuple[Signal, ...]:
        if self.config.signals.catalogue != DISCOVER:
            return self._listed
        spine = self.config.spine
        windows = fit_windows(spine.after if isinstance(spine, AgeSpine) else None, grain)
        return discover_signals(database, windows, self._barred())

    @cached_property
    def _listed(self) -> tuple[Signal, ...]:
        """The signals of the catalogue file; none where there is none, or where they are found in the log."""
        name = self.config.signals.catalogue
        if name is None or name == DISCOVER:
            return ()
        read = read_spec(self._find(name, "signals"), Catalogue, "catalogue")
        if read.unit != "user":
            raise ConfigError(f"catalogue '{name}' has `unit: {read.unit}`, which only a project has: write it into the project file")
        return read.signals

    def _barred(self) -> tuple[str, ...]:
        """Names that are the outcome, or order it, so that no signal is made of them."""
        outcome, spine = self.config.outcome, self.config.spine
        order = (spine.column,) if isinstance(spine, OrderSpine) else ()
        if isinstance(outcome, FromEvents):
            return (*outcome.won, *outcome.lost, *order)
        return (outcome.column, *order) if isinstance(outcome, FromColumn) else order

    def card(self) -> Scorecard | None:
        """Takes nothing; returns the project's scorecard, if it names one; refuses one that looks at a signal nobody declared.

        A declared signal that was dropped, or that these data lack, is no mistake of the card: its rows give nothing.
        """
        if self.config.scorecard is None:
            return None
        path = self._find(self.config.scorecard, "scorecards")
        card = read_spec(path, Scorecard, "scorecard")
        if self.config.signals.catalogue != DISCOVER:  # there, the log decides which signals there are
            self._refuse_unknown(path, card)
        return card

    def _refuse_unknown(self, path: Path, card: Scorecard) -> None:
        own = self.config.signals.define
        listed = [signal for signal in self._listed if signal.id not in {one.id for one in own}]
        known = [column.name for signal in (*listed, *own) for column in signal.columns]
        if set(card.signals) <= set(known):
            return
        wrong = [(line, name) for line, name in _find_signals(read_yaml(path, "scorecard")) if name not in known]
        lines = [f"  line {line}: no signal '{name}' is declared{suggest(name, known)}" for line, name in wrong]
        advice = "name declared ones, declare them under `signals.define`, or leave their rows out"
        raise ConfigError(f"{path} has {len(lines)} problem{'s' if len(lines) > 1 else ''}; {advice}:\n" + "\n".join(lines))

    def account_rules(self) -> AccountRules:
        """Takes nothing; returns the rules for whole accounts."""
        return read_spec(self._find(self.config.accounts, "accounts"), AccountRules, "account rules")

    def policy(self) -> Policy:
        """Takes nothing; returns the rules for what is said, and to whom."""
        return read_spec(self._find(self.config.policy, "policies"), Policy, "policy")

    def _find(self, name: str, kind: str) -> Path:
        own = self.root / name
        return own if name.endswith((".yaml", ".yml")) else find_builtin(f"{kind}/{name}.yaml")


def _find_signals(read: Any) -> Iterator[tuple[int, str]]:
    """Takes a card as read; yields the line and the name of every signal that it looks at, in rows, rungs and conditions."""
    if isinstance(read, dict):
        for key, value in read.items():
            if key == "signal":
                yield read.lc.key(key)[0] + 1, str(value)  # type: ignore[attr-defined]  # ruamel's mappings know their lines
            else:
                yield from _find_signals(value)
    elif isinstance(read, list):
        for value in read:
            yield from _find_signals(value)
