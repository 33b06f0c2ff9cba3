"""`pls-ml explain LEAD`: one lead's receipts, recomputed from the state by the same path as the night."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from pls_ml.core.columns import Unit, lead_rows
from pls_ml.core.errors import UnknownLeadError, suggest
from pls_ml.explanations.reasons import NO_REASON, pick_reasons
from pls_ml.explanations.receipts import Receipt
from pls_ml.workflows.bundle import load_bundle
from pls_ml.workflows.data import LoadedData, build_signals, load_data, place_moment
from pls_ml.workflows.lead_segments import add_segments
from pls_ml.workflows.missing import Missing, Subjects, miss_both
from pls_ml.workflows.project import Project
from pls_ml.workflows.score import build_night_spine, explain_table, find_open, name_blocked, name_night, require_signals
from pls_ml.workflows.signals import read_signals


@dataclass(frozen=True, repr=False)
class Explained:
    """One lead at one `as_of`: the receipt of the scorer in use first, then the card's with its points and band; reasons in words.

    `blocked` is why nobody is sent to the lead, whatever its score; None where nothing is in the way. `low` and `high` are the
    Venn-Abers probabilities of the scorer in use.
    """

    lead_id: str
    as_of: datetime
    version: str
    receipts: dict[str, Receipt]
    low: float
    high: float
    points: int | None
    band: str | None
    reasons: tuple[str, ...]
    blocked: str | None
    missing: tuple[Missing, ...]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        receipts = {name: receipt.to_dict() for name, receipt in self.receipts.items()}
        facts = {
            "lead_id": self.lead_id,
            "as_of": self.as_of.isoformat(),
            "version": self.version,
            "low": self.low,
            "high": self.high,
            "points": self.points,
            "band": self.band,
            "reasons": list(self.reasons),
            "blocked": self.blocked,
            "missing": [one.to_dict() for one in self.missing],
        }
        return facts | {"receipts": receipts}

    def to_text(self) -> str:
        """Takes nothing; returns the receipts as text that adds up."""
        card = f", {self.points} points: {self.band}" if self.points is not None else ""
        head = f"{self.lead_id} at {self.as_of:%Y-%m-%d %H:%M} UTC, model {self.version}{card}"
        why = "\n".join(f"  {reason}" for reason in self.reasons or (NO_REASON,))
        score, band = next(iter(self.receipts.values())).score, f"{self.low:.2%} or {self.high:.2%}"
        why += f"\n  score {score:.2%}; were one more account like it lost or won, outcomes alone would say {band}"
        why += f"\n  not to be handed over: {self.blocked}" if self.blocked else ""
        why += "".join(f"\n  {one.to_text()}" for one in self.missing)
        return "\n\n".join([f"{head}\n{why}", *(f"{name}\n{receipt.to_text()}" for name, receipt in self.receipts.items())])

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return "".join(receipt._repr_html_() for receipt in self.receipts.values())


def explain(project: Project, lead_id: str, as_of: datetime | None = None, version: str | None = None) -> Explained:
    """Takes a project, a lead, an `as_of` and a model version as for `score`; returns the lead's receipts.

    Refuses an unknown lead, and one that is not scored at that moment, with the reason.
    """
    bundle = load_bundle(project, version).under(project.policy())
    project = bundle.apply(project)
    data = load_data(project, bundle.catalogue)
    require_signals(bundle, data)
    moment = place_moment(data, as_of)
    _require_known(data, lead_id, project.config.unit)
    removed = build_night_spine(project, data, moment, all_past=as_of is None)
    data.database.execute("DELETE FROM spine WHERE lead_id <> ?", [lead_id])
    if not data.database.count("spine"):
        reason = data.database.rows("SELECT removed FROM screened WHERE lead_id = ? AND removed IS NOT NULL", [lead_id])
        why = reason[0][0] if reason else "it had not signed up, or is scored at another moment"
        raise UnknownLeadError(f"lead '{lead_id}' is not scored at {moment:%Y-%m-%d}: {why}; choose another `--as-of`")
    build_signals(project, data, bundle.catalogue)
    table = read_signals(data, bundle.catalogue, removed)
    rules = project.account_rules()
    leads = add_segments(data, table.spine, rules)
    found = explain_table(bundle, table, leads["segment"].tolist())
    reasons = pick_reasons(found[bundle.used])
    words = tuple(("against: " if x.against else "for: ") + str(x.sentence) for x in reasons.itertuples())
    receipts = {name: one.one(lead_id) for name, one in found.items()}
    raw = bundle.scorers[bundle.used].raw_score(table.values)
    low, high = bundle.bands[bundle.used].at(raw)
    card = bundle.card
    points, band = (int(card.points(table.values)[0]), str(card.bands(table.values)[0])) if card else (None, None)
    blocked = name_blocked(project, bundle, data, table, rules).get(lead_id)
    scored = leads.assign(raw_score=raw, points=points, band=band, blocked=pd.Series([blocked], dtype="string"))
    missing = miss_both(
        bundle, Subjects.of(scored.assign(open=find_open(scored["blocked"])), table), project.output / "nights" / name_night(moment), rules
    )
    scored_at = table.spine["as_of"].iloc[0].to_pydatetime()
    return Explained(lead_id, scored_at, bundle.version, receipts, float(low[0]), float(high[0]), points, band, words, blocked, missing)


def _require_known(data: LoadedData, lead_id: str, unit: Unit) -> None:
    leads = f"({lead_rows(unit)})"
    if data.database.rows(f"SELECT 1 FROM {leads} WHERE lead_id = ?", [lead_id]):
        return
    nearest = f"SELECT lead_id FROM {leads} ORDER BY levenshtein(lead_id, ?), lead_id LIMIT 5"
    near = [row[0] for row in data.database.rows(nearest, [lead_id])]
    known = data.database.rows(f"SELECT count(*) FROM {leads}")[0][0]
    raise UnknownLeadError(f"no lead '{lead_id}' among {known:,} {unit}s{suggest(lead_id, near)}: check the id")
