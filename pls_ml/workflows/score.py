"""`pls-ml score`: every eligible lead at one `as_of` → scores, receipts and handoffs as Parquet with a manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pls_ml.accounts.buckets import BUCKETS, find_hand_raisers
from pls_ml.accounts.rules import AccountRules
from pls_ml.core.errors import DataError
from pls_ml.core.files import digest_file, write_json
from pls_ml.core.windows import EPOCH
from pls_ml.explanations.peers import Peers
from pls_ml.explanations.reasons import pick_reasons
from pls_ml.explanations.receipts import Receipts, build_receipts
from pls_ml.handoffs.selection import select_handoffs
from pls_ml.io.sinks import write_parquet
from pls_ml.labels.contact import find_blocked
from pls_ml.labels.population import Exclusion, select_spine
from pls_ml.labels.spine import AgeSpine, OrderSpine, build_grid, build_moment
from pls_ml.scores import ScorecardClassifier
from pls_ml.workflows.accounts import ScoredAccounts, score_accounts, sort_into_buckets
from pls_ml.workflows.bundle import Bundle, load_bundle, require_signals
from pls_ml.workflows.changes import LeadsNow, Since, compare_with_night_before
from pls_ml.workflows.data import LoadedData, build_signals, load_data, place_moment
from pls_ml.workflows.disagreements import NightCells, sort_into_cells
from pls_ml.workflows.key_actions import build_timeline
from pls_ml.workflows.lead_segments import add_segments
from pls_ml.workflows.missing import Subjects, Tonight, list_missing
from pls_ml.workflows.nights import name_night, place_night
from pls_ml.workflows.project import Project
from pls_ml.workflows.signals import SignalTable, make_schema, read_signals

PAGE, CHANGES = "leads.html", "changes.parquet"
PREPARED = "prepared"
"""The moment of a prepared table's leads, which have none."""
TOO_FEW_FAMILIES = "too few families of the card speak for it"


@dataclass(frozen=True, repr=False)
class Night:
    """One scored `as_of`: scores (best first), receipts by scorer, reasons, handoffs, who was left out and why, accounts, and cells.

    `missing` is what would bring the leads nearest to a better band, or to the handoffs, there. `since` is what moved against the latest
    earlier night; None where there is none to compare with.
    `timeline` has every lead's latest key actions.
    """

    as_of: datetime
    version: str
    used: str
    scores: pd.DataFrame
    receipts: dict[str, Receipts]
    reasons: pd.DataFrame
    handoffs: pd.DataFrame
    missing: pd.DataFrame
    removed: dict[str, int]
    not_handed_over: dict[str, int]
    scored_accounts: ScoredAccounts
    disagreement: NightCells
    folder: Path
    timeline: pd.DataFrame
    since: Since | None = None

    def __repr__(self) -> str:
        """Takes nothing; returns it in one line."""
        return (
            f"Night({name_night(self.as_of)[6:]}, {self.used} {self.version}: {len(self.scores):,} leads, {len(self.handoffs)} handed over)"
        )

    @property
    def accounts(self) -> pd.DataFrame:
        """The accounts, best first: points and their parts, tier, dimensions, matrix cell, segment, buyer, and leads by bucket."""
        return self.scored_accounts.table

    @property
    def buckets(self) -> dict[str, int]:
        """How many leads asked for sales, qualify themselves, qualify by their account, or none of it."""
        counts = self.scores["bucket"].value_counts()
        return {name: int(counts.get(name, 0)) for name in BUCKETS}

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values: where the tables are, the counts, and the handoffs."""
        chosen = self.handoffs[["lead_id", "score", "position"]].to_dict("records")
        counts = {"leads": len(self.scores), "buckets": self.buckets, "removed": self.removed, "not_handed_over": self.not_handed_over}
        counts["cells"] = self.disagreement.counts
        return (
            {"as_of": self.as_of.isoformat(), "version": self.version, "used": self.used, "folder": str(self.folder)}
            | counts
            | {"accounts": self.scored_accounts.to_dict(), "handoffs": chosen, "since": self.since.to_dict() if self.since else None}
        )

    def to_text(self) -> str:
        """Takes nothing; returns the night in a few lines for a person."""
        removed = f" (left out: {_list(self.removed)})" if self.removed else ""
        head = f"{len(self.scores):,} leads scored at {name_night(self.as_of)[6:]} by {self.used} {self.version}{removed}"
        top = self.scores[self.scores["lead_id"].isin(self.handoffs["lead_id"])].head(10)
        lines = [f"  {x.rank:5}  {x.lead_id:<16} {x.score:7.1%}  {x.band}" for x in top.itertuples()]
        held = f" (not handed over: {_list(self.not_handed_over)})" if self.not_handed_over else ""
        handed = f"handed over: {len(self.handoffs)}{held}; the best of them"
        moved = [self.since.to_text()] if self.since else []
        return "\n".join([head, *moved, handed, *lines, self.scored_accounts.to_text(), f"tables: {self.folder}"])

    def _repr_html_(self) -> str:
        return str(self.scores.head(20).to_html())


def score(project: Project, as_of: datetime | None = None, version: str | None = None) -> Night:
    """Takes a project, one `as_of` (None: the end of the data) and a model version (None: the champion, else the newest).

    Returns the scored night and writes it below `nights/`. Refuses an `as_of` outside the data and a night without a lead.
    """
    bundle = load_bundle(project, version).under(project.policy())
    project = bundle.apply(project)
    rules = project.account_rules()
    data = load_data(project, bundle.catalogue)
    require_signals(bundle, data)
    moment = place_moment(data, as_of)
    removed = build_night_spine(project, data, moment)
    if not data.database.count("spine"):
        why = _list(removed) or "nobody had signed up, or reached the age at which leads are scored"
        raise DataError(f"no lead is eligible at {moment:%Y-%m-%d} ({why}): choose another `as_of`{_suggest_day(project, data)}")
    build_signals(project, data, bundle.catalogue)
    table = read_signals(data, bundle.catalogue, removed)
    with project.progress.step(f"scoring and explaining {len(table.spine):,} leads"):
        leads = add_segments(data, table.spine, rules)
        receipts = explain_table(bundle, table, leads["segment"].tolist())
        reasons = pick_reasons(receipts[bundle.used])
        scores = _rank(bundle, leads, table, receipts)
        disagreement = sort_into_cells(bundle, table, receipts)
    scores["cell"] = pd.array([disagreement.cells.get(lead, "") for lead in scores["lead_id"]], dtype="string")
    scores["blocked"] = scores["lead_id"].map(name_blocked(project, bundle, data, table, rules)).astype("string")
    chosen = select_handoffs(scores, project.config.handoff)
    with project.progress.step("listing what the leads did lately"):
        timeline = build_timeline(data, bundle.catalogue).to_pandas()
    with project.progress.step("scoring the accounts"):
        accounts = score_accounts(project, bundle, data, moment, rules)
        scores, accounts = sort_into_buckets(accounts, scores, table)
    with project.progress.step("looking for what is missing"):
        missing = list_missing(
            bundle, Subjects.of(scores.assign(open=find_open(scores["blocked"])), table), Tonight.of(scores, chosen.chosen), rules
        )
    with project.progress.step("comparing with the night before"):
        since = compare_with_night_before(LeadsNow(project, bundle, data, moment, table), scores.set_index("lead_id")["band"])
    folder = place_night(project, moment)
    parts = (scores, receipts, reasons, chosen.chosen, missing, removed, chosen.removed, accounts)
    night = Night(moment, bundle.version, bundle.used, *parts, disagreement, folder, timeline, since)
    with project.progress.step("writing the night"):
        _write(night, data, table)
    return night


def _suggest_day(project: Project, data: LoadedData) -> str:
    if not isinstance(project.config.spine, AgeSpine):
        return ""
    build_grid(data.database, project.config.spine, data.grain, data.data_end, project.config.unit)
    last = data.database.rows("SELECT max(as_of) FROM grid")[0][0]
    day = data.grain.start_of((data.grain.tick_of(last) // data.grain.ticks_per_day + 1) * data.grain.ticks_per_day) if last else None
    return f"; the last day with a lead is {day:%Y-%m-%d}" if day else ""


def build_night_spine(project: Project, data: LoadedData, moment: datetime, all_past: bool = False) -> dict[str, int]:
    """Takes loaded data and the moment; makes `spine` with the leads to score; returns the others by reason.

    Leads that are scored once in their life are scored on the day they reach that age, each at its own moment; with `all_past` also
    those whose day was earlier.
    """
    config = project.config
    if isinstance(config.spine, AgeSpine | OrderSpine):
        build_grid(data.database, config.spine, data.grain, moment, config.unit)
        if isinstance(config.spine, AgeSpine) and not all_past:
            yesterday = data.grain.start_of(data.grain.tick_of(moment) - data.grain.ticks_per_day)
            data.database.execute("DELETE FROM grid WHERE as_of <= ?", [yesterday])
    else:
        build_moment(data.database, moment, config.unit)
    # A finished outcome column has no dates; whoever it says has won is a customer by the time anybody is scored.
    data.database.execute("UPDATE outcomes SET closed_at = TIMESTAMP '1970-01-01' WHERE is_won AND closed_at IS NULL")
    never: tuple[Exclusion, ...] = ("no_contact", "suppressed")  # a night shows nobody who must not be contacted
    exclude = tuple(dict.fromkeys((*config.population.exclude, *never)))
    population = config.population.model_copy(update={"exclude": exclude})
    return select_spine(data.database, population, data.grain, config.outcome.level, config.unit)


def name_blocked(project: Project, bundle: Bundle, data: LoadedData, table: SignalTable, rules: AccountRules) -> dict[str, str]:
    """Takes a bundle, loaded data with `spine`, the leads' signals and the account rules; returns lead → why nobody is sent to it.

    What bars all contact comes first. The card's own gate (D-3) holds whichever scorer ranks; it is about outreach, so it does not hold
    back an answer to somebody who asked for sales (R-PRE).
    """
    gated = np.zeros(len(table.spine), dtype=bool)
    if bundle.card is not None:
        gated = ~bundle.card.may_reach_out(table.values) & ~find_hand_raisers(table.values, rules.buckets)
    return dict.fromkeys(table.spine["lead_id"][gated], TOO_FEW_FAMILIES) | _find_barred(project, data)


def find_open(blocked: pd.Series[str]) -> pd.Series[bool]:
    """Takes why nobody is sent to n leads, missing where somebody is; returns where nothing but the lead's own use is in the way."""
    return blocked.isna() | blocked.eq(TOO_FEW_FAMILIES)


def _find_barred(project: Project, data: LoadedData) -> dict[str, str]:
    if project.config.handoff.require_suppressions and not data.database.has("suppressions"):
        project.progress.note(
            "there is no suppression list, so nobody is handed over: add `data.suppressions`, or set `handoff.require_suppressions: false`"
        )
        leads = data.database.rows("SELECT lead_id FROM spine")
        return {lead: "no suppression list" for (lead,) in leads}
    expansion = getattr(project.config.outcome, "type", None) == "expansion"  # the one objective whose leads are customers
    return find_blocked(data.database, customers_too=not expansion, unit=project.config.unit)


def explain_table(bundle: Bundle, table: SignalTable, segments: Sequence[str]) -> dict[str, Receipts]:
    """Takes a bundle, n leads' signals and their segments; returns the receipts of the scorer in use and, beside it, of the card."""
    names = dict.fromkeys([bundle.used, *(n for n, s in bundle.scorers.items() if isinstance(s, ScorecardClassifier))])
    leads = table.spine["lead_id"].tolist()
    peers = Peers(bundle.facts.get("peers", {}), np.asarray(segments, dtype=object), bundle.catalogue.unit)
    found = {n: build_receipts(bundle.scorers[n], bundle.calibrators[n], table.values, leads, bundle.catalogue) for n in names}
    return {n: replace(receipts, peers=peers) for n, receipts in found.items()}


def _rank(bundle: Bundle, leads: pd.DataFrame, table: SignalTable, receipts: dict[str, Receipts]) -> pd.DataFrame:
    raw = bundle.scorers[bundle.used].raw_score(table.values)
    beside = {f"score_{name}": found.score for name, found in receipts.items()}
    low, high = bundle.bands[bundle.used].at(raw)
    frame = leads.assign(raw_score=raw, score=receipts[bundle.used].score, low=low, high=high, **beside)
    card = bundle.card
    if card is not None:
        frame = frame.assign(points=card.points(table.values), band=card.bands(table.values).astype(str))
    else:
        frame = frame.assign(points=pd.array([None] * len(frame), dtype="Int64"), band="")
    frame = frame.sort_values(["raw_score", "lead_id"], ascending=[False, True], kind="stable").reset_index(drop=True)
    frame["rank"] = np.arange(1, len(frame) + 1)
    return frame


def _write(night: Night, data: LoadedData, table: SignalTable) -> None:
    long = [receipts.to_frame().assign(scorer=name) for name, receipts in night.receipts.items()]
    frames = {"scores.parquet": night.scores, "handoffs.parquet": night.handoffs, "accounts.parquet": night.accounts}
    frames |= {"reasons.parquet": night.reasons, "missing.parquet": night.missing, "receipts.parquet": pd.concat(long, ignore_index=True)}
    frames |= {"disagreements.parquet": night.disagreement.table, "timeline.parquet": night.timeline}
    if night.since:
        frames[CHANGES] = night.since.changes
    files = {name: _to_arrow(frame) for name, frame in frames.items()}
    files["signals.parquet"] = _to_arrow(table.values.assign(lead_id=table.spine["lead_id"]), make_schema(table.catalogue, ("lead_id",)))
    for name, rows in files.items():
        write_parquet(rows, night.folder / name)
    manifest = {
        "as_of": PREPARED if night.as_of == EPOCH else night.as_of.isoformat(),
        "version": night.version,
        "used": night.used,
        "inputs": data.digests,
        "leads": len(night.scores),
        "buckets": night.buckets,
        "accounts": night.scored_accounts.to_dict(),
        "removed": night.removed,
        "since": night.since.moment.to_dict() if night.since else None,
        "not_handed_over": night.not_handed_over,
        "disagreement": night.disagreement.pair,
        "bases": {name: receipts.base_probability for name, receipts in night.receipts.items()},
        "files": {name: digest_file(night.folder / name) for name in sorted(files)},
    }
    write_json(night.folder / "manifest.json", manifest)
    for stale in {PAGE, CHANGES} - set(files):  # what an earlier run left would speak for these tables
        (night.folder / stale).unlink(missing_ok=True)


def _to_arrow(frame: pd.DataFrame, schema: Any = None) -> Any:
    import pyarrow as pa

    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False)


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{reason}: {n:,}" for reason, n in counts.items())
