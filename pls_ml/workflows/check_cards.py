"""`pls-ml check --cards`: what is wrong with a scorecard, by itself, against the catalogue, and on the leads at hand."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pls_ml.core.builtin import find_builtin
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.database import Database
from pls_ml.core.errors import ConfigError, PlsError
from pls_ml.core.windows import Grain
from pls_ml.evaluation.tables import render_html, render_text
from pls_ml.io.yaml import read_spec
from pls_ml.labels.spine import CalendarSpine
from pls_ml.reports.plain_text import clean_text
from pls_ml.scores.card import Scorecard
from pls_ml.scores.card_evidence import Finding, Severity, find_askers
from pls_ml.scores.card_findings import check_card, say_number, sort_findings
from pls_ml.scores.card_reach import EVERYBODY, OTHERWISE, Reach, Values, find_reach
from pls_ml.scores.card_values import list_values
from pls_ml.workflows.data import LoadedData, load_data, open_engine
from pls_ml.workflows.inputs import find_dated_tables, find_leak_risk, follow_references
from pls_ml.workflows.project import DISCOVER, Project
from pls_ml.workflows.signals import build_spine

WIDTH = 118
WIDEST = 24
HEADER = ("segment", "times", "lowest", "highest", "best band")


@dataclass(frozen=True)
class CardLeads:
    """What a card says of the leads at hand: leads per band in every segment, and each row's least and most points."""

    bands: dict[str, dict[str, int]]
    points: dict[str, tuple[int, int]]


@dataclass(frozen=True)
class CardCheck:
    """One card: what each segment can score, the findings, worst first, and its leads, where there are any."""

    card: str
    rows: int
    reach: tuple[Reach, ...]
    findings: tuple[Finding, ...]
    leads: CardLeads | None

    def to_lines(self) -> list[str]:
        """Takes nothing; returns the card as lines of at most 120 columns."""
        lines = [f"{clean_text(self.card, 60)}: {_plural(self.rows, 'row')}, {self._count()}"]
        if self.reach:
            lines += [f"  {line}" for line in render_text(HEADER, [_cells(one) for one in self.reach])]
        for segment, bands in (self.leads.bands if self.leads else {}).items():
            n = sum(bands.values())
            shares = ", ".join(f"{clean_text(band, WIDEST)} {count / n:.1%}" for band, count in bands.items())
            where = "" if segment == EVERYBODY else f" in {clean_text(segment, WIDEST)}"
            lines += _wrap(f"{_plural(n, 'lead')}{where}: {shares}", "  ", "    ")
        for one in self.findings:
            lines += _wrap(f"{one.severity:<8} {one.code}: {clean_text(one.reason, 1000)}", "  ", " " * 11)
            lines += _wrap(f"rows: {', '.join(one.rows)}", " " * 11, " " * 17) if one.rows else []
            unsaid = [name for name in one.segments if name not in one.reason]
            lines += _wrap(f"segments: {', '.join(unsaid)}", " " * 11, " " * 21) if unsaid else []
            lines += _wrap(f"→ {one.change}", " " * 11, " " * 13)
        return lines

    def _count(self) -> str:
        found = {severity: sum(one.severity == severity for one in self.findings) for severity in ("error", "warning", "note")}
        return ", ".join(_plural(n, severity) for severity, n in found.items() if n) or "nothing found"


@dataclass(frozen=True, repr=False)
class CardReport:
    """The cards that were looked at, against which catalogue, on which leads, and why on no others."""

    cards: tuple[CardCheck, ...]
    catalogue: str
    leads: str

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return asdict(self)

    def to_text(self) -> str:
        """Takes nothing; returns the findings for a terminal of 120 columns, card by card, the worst first."""
        lines = _wrap(f"signals of {self.catalogue}; {clean_text(self.leads, 600)}", "", "  ")
        return "\n".join([*lines, *(line for card in self.cards for line in ("", *card.to_lines()))])

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        parts = [f"<p>signals of {escape(self.catalogue)}; {escape(self.leads)}</p>"]
        for card in self.cards:
            found = [(one.severity, one.code, one.reason, ", ".join(one.rows), one.change) for one in card.findings]
            parts += [f"<h4>{escape(card.card)}</h4>", render_html(HEADER, [_cells(one) for one in card.reach])]
            parts.append(render_html(("", "finding", "why", "rows", "change"), found))
        return "".join(parts)


def check_cards(project: Project | None, names: Sequence[str] = ()) -> CardReport:
    """Takes a project (None: there is none) and cards, shipped ones by name or files; returns what is wrong with each.

    Without names it is the project's card. Data that cannot be looked at are named in the report; cards need none. Refuses a card
    that cannot be read, and to look at none.
    """
    cards = _read_cards(project, names)
    if project is None:
        catalogue = read_spec(find_builtin("signals/default.yaml"), Catalogue, "catalogue")
        return _check_alone(None, cards, catalogue, "no project, so no leads were looked at")
    try:
        data = load_data(project)
    except PlsError as error:
        return _check_alone(project, cards, _declare(project), f"no leads were looked at: {error}")
    with project.progress.step(f"looking at {_plural(len(cards), 'card')}"):
        return _check_on_data(project, data, cards)


def _read_cards(project: Project | None, names: Sequence[str]) -> list[Scorecard]:
    own = project.config.scorecard if project else None
    if not names and own is None:
        raise ConfigError("no card to look at: set `scorecard` in the project file, or name one with `--card`")
    named = [(Path(), name) for name in names] or [(project.root if project else Path(), str(own))]
    return [read_spec(_find_card(folder, name), Scorecard, "scorecard") for folder, name in named]


def _find_card(folder: Path, name: str) -> Path:
    return folder / name if name.endswith((".yaml", ".yml")) else find_builtin(f"scorecards/{name}.yaml")


def _declare(project: Project) -> Catalogue | None:
    """Every signal of a project without its data, dropped or not; None where the data would have to be looked at for them."""
    if project.config.signals.catalogue == DISCOVER:
        return None
    database, grain = Database([], 1, "1GB"), Grain(project.config.signals.grain, project.config.signals.timezone)
    try:
        project.catalogue(database, grain)  # refuses what is wrong in the file
        signals = project.config.signals.model_copy(update={"drop": ()})
        return replace(project, config=project.config.model_copy(update={"signals": signals})).catalogue(database, grain)
    finally:
        database.close()


def _find_leaks(catalogue: Catalogue, dated: Collection[str], acknowledged: Collection[str]) -> dict[str, str]:
    """Why each leak-prone signal is one, by itself or by a signal that it reads, unless somebody has vouched for it."""
    own = {signal.id: None if signal.id in acknowledged else find_leak_risk(signal, dated) for signal in catalogue.signals}
    found = {}
    for name in own.keys() - set(acknowledged):
        leak = next((other for other in follow_references(catalogue, name) if own[other]), None)
        if leak is not None:
            found[name] = f"reads '{leak}', which {own[leak]}" if leak != name else f"{own[leak]}"
    return found


def _check_alone(project: Project | None, cards: Sequence[Scorecard], catalogue: Catalogue | None, leads: str) -> CardReport:
    leaks = _find_leaks(catalogue, (), project.config.model.acknowledge_leaks if project else ()) if catalogue else {}
    found = [check_card(card, catalogue, leaks) for card in cards]
    checks = tuple(CardCheck(card.id, len(card.rows), one.reach, one.findings, None) for card, one in zip(cards, found, strict=True))
    where = f"project '{project.config.project}'" if project else "the shipped catalogue"
    return CardReport(checks, where if catalogue else f"{where}, which are found in the data", leads)


def _check_on_data(project: Project, data: LoadedData, cards: Sequence[Scorecard]) -> CardReport:
    declared = (_declare(project) if project.config.signals.drop else None) or data.coverage.declared
    leaks = _find_leaks(declared, find_dated_tables(data.database), project.config.model.acknowledge_leaks)
    found = [check_card(card, declared, leaks) for card in cards]
    refused = [any(finding.code == "text_signal" for finding in one.findings) for one in found]
    tallies = [Tally(card) for card in cards]
    try:
        said = _tally_leads(project, data, [tally for tally, text in zip(tallies, refused, strict=True) if not text])
    except PlsError as error:
        said = f"no leads were looked at: {error}"
    checks = []
    for card, one, tally in zip(cards, found, tallies, strict=True):
        leads = tally.to_leads()
        more = [*_find_not_computable(card, data, declared, one.reach), *(_find_constant(card, data, leads) if leads else ())]
        checks.append(CardCheck(card.id, len(card.rows), one.reach, sort_findings([*one.findings, *more]), leads))
    return CardReport(tuple(checks), f"project '{project.config.project}'", said)


def _find_not_computable(card: Scorecard, data: LoadedData, declared: Catalogue, reach: Sequence[Reach]) -> list[Finding]:
    """Signals that these data cannot answer or the project drops, and the bands that only they could reach."""
    columns, there = declared.by_column, data.coverage.catalogue.by_column
    absent = [name for name in card.signals if name in columns and name not in there]
    found = []
    for name in absent:
        why = data.coverage.not_computable.get(columns[name].signal.id, "the project drops it (`signals.drop`)")
        reason = f"'{name}' cannot be computed from these data: {why}"
        rows, segments = find_askers(card, name)
        severity: Severity = "warning" if segments or any(any(row.range) for row in card.rows if row.id in rows) else "note"
        found.append(Finding(severity, "not_computable", reason, "add what is missing, or leave it out", rows, segments))
    if absent and reach:
        found += _find_out_of_reach(card, list_values(card, columns) | {name: [None] for name in absent}, reach)
    return found


def _find_out_of_reach(card: Scorecard, values: Values, reach: Sequence[Reach]) -> list[Finding]:
    """Segments and bands that a card could reach, and cannot with the values that signals have here."""
    here = {one.segment: one for one in find_reach(card, values)}
    found = []
    for one in reach:
        if one.segment not in here:
            reason = f"no lead of these data can be in '{one.segment}', as signals it asks for cannot be computed"
            found.append(Finding("warning", "segment_not_here", reason, "add what is missing", (), (one.segment,)))
        elif lost := [band for band in one.bands if band not in here[one.segment].bands and band != card.below]:
            most = say_number(here[one.segment].highest)
            reason = f"without the signals that these data lack, {one.segment} scores at most {most}: {', '.join(lost)} cannot be reached"
            found.append(Finding("warning", "unreachable_here", reason, "add what is missing, or lower the bands", (), (one.segment,)))
    return found


@dataclass
class Tally:
    """What a card has said so far, batch by batch."""

    card: Scorecard
    bands: dict[int, dict[str, int]] = field(default_factory=dict)
    points: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, signals: pd.DataFrame) -> None:
        """Takes one lead or more; counts them by segment and band, and widens the points of each row."""
        scores = self.card.score_leads(signals)
        bands = self.card.find_bands(scores)
        for place in np.unique(scores.factors):
            counts = self.bands.setdefault(int(place), dict.fromkeys(self.card.band_names, 0))
            for band, n in zip(*np.unique(bands[scores.factors == place].astype(str), return_counts=True), strict=True):
                counts[str(band)] += int(n)
        for row, earned in zip(self.card.rows, scores.row_points.T, strict=True):
            least, most = self.points.get(row.id, (int(earned[0]), int(earned[0])))
            self.points[row.id] = min(least, int(earned.min())), max(most, int(earned.max()))

    def to_leads(self) -> CardLeads | None:
        """Takes nothing; returns what was counted, segments in the card's order; nothing where there was no lead."""
        names = [*(factor.name for factor in self.card.multiplier), OTHERWISE if self.card.multiplier else EVERYBODY]
        bands = {name: self.bands[place] for place, name in zip((*range(len(names) - 1), -1), names, strict=True) if place in self.bands}
        return CardLeads(bands, self.points) if bands else None


def _tally_leads(project: Project, data: LoadedData, tallies: Sequence[Tally]) -> str:
    """Shows the cards the leads of the latest moment, or those that are scored once, each at its own; says which leads they were."""
    computable = data.coverage.catalogue.by_column
    looked_at = [name for tally in tallies for name in tally.card.signals if name in computable]
    if not looked_at:
        return "no leads were looked at: none of the signals can be computed"
    needed = {other for name in looked_at for other in follow_references(data.coverage.catalogue, computable[name].signal.id)}
    catalogue = data.coverage.catalogue.select(sorted(needed))
    latest = data.grain.start_of(data.grain.tick_of(data.data_end)) if data.data_end else None
    moment = latest if isinstance(project.config.spine, CalendarSpine) else None
    build_spine(project, data, moment)
    n = data.database.count("spine")
    for batch in open_engine(data, catalogue).stream_signals(catalogue, "s.lead_id") if n else ():
        if batch.num_rows:
            frame = batch.to_pandas()
            for tally in tallies:
                tally.add(frame)
    return f"{_plural(n, 'lead')} {f'at {moment:%Y-%m-%d %H:%M}' if moment else 'each at its own moment'}"


def _find_constant(card: Scorecard, data: LoadedData, leads: CardLeads) -> list[Finding]:
    """Rows that give every lead the same points, if their signals are there."""
    there = [row for row in card.rows if any(name in data.coverage.catalogue.by_column for name in row.signals)]
    never = tuple(row.id for row in there if leads.points[row.id] == (0, 0) and any(row.range))
    always = tuple(row.id for row in there if leads.points[row.id][0] == leads.points[row.id][1] != 0)
    found = []
    if never:
        reason = f"{_plural(len(never), 'row')} never fired on these leads"
        change = "check thresholds and mapping (`pls-ml signals --show ID`), or leave it out"
        found.append(Finding("note", "never_fires", reason, change, never))
    if always:
        reason = f"{_plural(len(always), 'row')} gave every one of these leads the same points"
        found.append(Finding("warning", "always_fires", reason, "raise the thresholds, or leave it out", always))
    return found


def _cells(one: Reach) -> tuple[str, ...]:
    cells = (one.segment, f"{one.times:g}", say_number(one.lowest), say_number(one.highest), one.bands[0])
    return tuple(clean_text(cell, WIDEST) for cell in cells)


def _wrap(text: str, first: str, then: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=then)


def _plural(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
