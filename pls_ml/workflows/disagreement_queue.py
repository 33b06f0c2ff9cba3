"""`pls-ml disagreements`: the leads of a scored night on which rules and model disagree, with what made the difference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

import pandas as pd

from pls_ml.core.errors import ConfigError
from pls_ml.evaluation.comparison import name_capacity
from pls_ml.evaluation.disagreement import MODEL_ONLY, RULES_ONLY, Disagreement
from pls_ml.evaluation.tables import render_html
from pls_ml.workflows.bundle import load_bundle
from pls_ml.workflows.nights import find_night
from pls_ml.workflows.project import Project

SHOWN = 10
"""Leads of each kind in the text; machines get all of them."""
SIDES = (MODEL_ONLY, RULES_ONLY)


@dataclass(frozen=True)
class LeadDifference:
    """One signal of one lead: its value in words, and what rules and model make of it, in log-odds."""

    signal: str
    label: str
    value: str
    difference: float
    rules: float
    model: float

    def to_text(self) -> str:
        """Takes nothing; returns it in words."""
        return f"{self.label}: {self.value} (model {_sign(self.model)}, rules {_sign(self.rules)})"


@dataclass(frozen=True)
class DisputedLead:
    """One lead that only one side takes, its ranks on both, why nobody is sent to it (None: nothing bars it), and what differs most."""

    lead_id: str
    cell: str
    rank_rules: int
    rank_model: int
    score: float
    band: str
    blocked: str | None
    differences: tuple[LeadDifference, ...]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return vars(self) | {"differences": [vars(one) for one in self.differences]}


@dataclass(frozen=True)
class DisagreementQueue:
    """The leads in dispute of one night, the best of each side first, and what matured leads say of such (None: nobody measured it)."""

    as_of: str
    version: str
    rules: str
    model: str
    capacity: float
    counts: dict[str, int]
    evidence: Disagreement | None
    leads: tuple[DisputedLead, ...]

    def __repr__(self) -> str:
        """Takes nothing; returns it in one line."""
        return f"DisagreementQueue({self.as_of}, {self.rules} against {self.model}: {len(self.leads):,} leads)"

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values, with every lead."""
        head = {name: getattr(self, name) for name in ("as_of", "version", "rules", "model", "capacity")}
        evidence = self.evidence.to_dict() if self.evidence else None
        return head | {"cells": self.counts, "evidence": evidence, "leads": [lead.to_dict() for lead in self.leads]}

    def to_text(self) -> str:
        """Takes nothing; returns the evidence, then the first leads of each kind with what differs."""
        blocks = [self._headline(), *([f"on matured leads that training held out\n{self.evidence.to_text()}"] if self.evidence else [])]
        for title, leads in self._sides():
            lines = [title]
            for lead in leads[:SHOWN]:
                lines += [f"  {self._say(lead)}", *(f"      {one.to_text()}" for one in lead.differences)]
            blocks.append("\n".join(lines + ([f"  and {len(leads) - SHOWN:,} more: --json lists them"] if len(leads) > SHOWN else [])))
        return "\n\n".join(blocks)

    def _repr_html_(self) -> str:
        evidence = self.evidence._repr_html_() if self.evidence else ""
        header = ("lead", f"rank by {self.rules}", f"rank by {self.model}", "score", "band", "what differs")
        tables = "".join(
            f"<h4>{escape(title)}</h4>{render_html(header, [_cells(lead) for lead in leads])}" for title, leads in self._sides()
        )
        return f"<p>{escape(self._headline())}</p>{evidence}{tables}"

    def _headline(self) -> str:
        counted = ", ".join(f"{cell} {count:,}" for cell, count in self.counts.items())
        said = "" if self.evidence else "; nobody measured who was right on matured leads: train again"
        return f"{self.as_of}: {self.rules} against {self.model}, each with the {name_capacity(self.capacity)} ({counted}){said}"

    def _sides(self) -> Iterator[tuple[str, list[DisputedLead]]]:
        for cell, name in zip(SIDES, (self.model, self.rules), strict=True):
            found = [lead for lead in self.leads if lead.cell == cell]
            yield f"picked by {name} alone: {len(found):,} leads, its best first", found

    def _say(self, lead: DisputedLead) -> str:
        barred = f"; not to be handed over: {lead.blocked}" if lead.blocked else ""
        band = f", {lead.band}" if lead.band else ""
        ranks = f"{self.model} {lead.rank_model:,}, {self.rules} {lead.rank_rules:,}"
        return f"{lead.lead_id}  rank by {ranks}; score {lead.score:.1%}{band}{barred}"


def list_disagreements(project: Project, as_of: datetime | None = None) -> DisagreementQueue:
    """Takes a project and the `as_of` of a scored night (None: the latest); returns its leads in dispute.

    Refuses a night that was not scored, one from before disagreements were kept, and one without a card to disagree with.
    """
    night = find_night(project, as_of)
    table = night.read("disagreements")
    pair, bundle = night.manifest["disagreement"], load_bundle(project, night.manifest["version"]).under(project.policy())
    if pair is None:
        raise ConfigError(f"model {bundle.version} has no card, so there are no rules to disagree with: name a `scorecard` and train again")
    facts = bundle.facts.get("disagreement")
    evidence = Disagreement.from_dict(facts) if facts else None
    same_pair = evidence is not None and (evidence.rules, evidence.model) == (pair["rules"], pair["model"])
    labels = {signal.id: signal.label for signal in bundle.catalogue.signals if signal.rep_visible}
    scores = night.read("scores", ("lead_id", "score", "band", "blocked", "cell"))
    counts = {cell: int((scores["cell"] == cell).sum()) for cell in ("both", *SIDES, "neither")}
    leads = _gather_leads(table, scores, labels)
    named = (pair["rules"], pair["model"], pair["capacity"])
    return DisagreementQueue(night.as_of, bundle.version, *named, counts, evidence if same_pair else None, leads)


def _gather_leads(table: pd.DataFrame, scores: pd.DataFrame, labels: dict[str, str]) -> tuple[DisputedLead, ...]:
    """One lead for all its rows, in the table's order."""
    rows: list[Any] = list(table.merge(scores.drop(columns="cell"), on="lead_id", how="left").itertuples())
    told: dict[str, list[LeadDifference]] = {row.lead_id: [] for row in rows}
    for row in rows:
        if row.signal in labels:  # the policy of today, not of that night
            one = LeadDifference(row.signal, labels[row.signal], row.value, row.difference, row.rules, row.model)
            told[row.lead_id].append(one)
    firsts = {row.lead_id: row for row in reversed(rows)}
    found = []
    for lead_id, differences in told.items():
        row = firsts[lead_id]
        blocked = None if pd.isna(row.blocked) else str(row.blocked)
        ranks = (int(row.rank_rules), int(row.rank_model))
        found.append(DisputedLead(lead_id, row.cell, *ranks, float(row.score), row.band, blocked, tuple(differences)))
    return tuple(found)


def _sign(log_odds: float) -> str:
    return f"{log_odds:+.2f}" if abs(log_odds) >= 0.005 else "0"


def _cells(lead: DisputedLead) -> tuple[str, ...]:
    differs = "; ".join(one.to_text() for one in lead.differences)
    return lead.lead_id, f"{lead.rank_rules:,}", f"{lead.rank_model:,}", f"{lead.score:.1%}", lead.band, differs
