"""`pls-ml explain LEAD`: one lead's receipts, recomputed from the state by the same path as the night."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from pls_ml.explanations.change_receipt import ChangeReceipt
from pls_ml.explanations.reasons import NO_REASON, pick_reasons
from pls_ml.explanations.receipt import Receipt
from pls_ml.workflows.bundle import load_bundle, require_signals
from pls_ml.workflows.changes import LeadsNow
from pls_ml.workflows.data import load_data, place_moment
from pls_ml.workflows.lead_moment import Asked, explain_change, read_lead
from pls_ml.workflows.lead_segments import add_segments
from pls_ml.workflows.missing import Missing, Subjects, miss_both
from pls_ml.workflows.nights import place_night
from pls_ml.workflows.project import Project
from pls_ml.workflows.score import explain_table, find_open, name_blocked


@dataclass(frozen=True, repr=False)
class Explained:
    """One lead at one `as_of`: the receipt of the scorer in use first, then the card's with its points and band; reasons in words.

    `blocked` is why nobody is sent to the lead, whatever its score; None where nothing is in the way. `low` and `high` are the
    Venn-Abers probabilities of the scorer in use; `change` is why its score moved since the moment that was asked for.
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
    change: ChangeReceipt | None = None

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
            "change": self.change.to_dict() if self.change else None,
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
        change = [f"why the score moved\n{self.change.to_text()}"] if self.change else []
        return "\n\n".join([f"{head}\n{why}", *change, *(f"{name}\n{receipt.to_text()}" for name, receipt in self.receipts.items())])

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        shown = (*((self.change,) if self.change else ()), *self.receipts.values())
        return "".join(one._repr_html_() for one in shown)


def explain(
    project: Project, lead_id: str, as_of: datetime | None = None, version: str | None = None, since: Asked | None = None
) -> Explained:
    """Takes a project, a lead, an `as_of` and a model version as for `score`, and what to compare with; returns the lead's receipts.

    Refuses an unknown lead, and one that is not scored at a moment asked for, with the reason.
    """
    bundle = load_bundle(project, version).under(project.policy())
    project = bundle.apply(project)
    data = load_data(project, bundle.catalogue)
    require_signals(bundle, data)
    table, rules = read_lead(project, bundle, data, lead_id, as_of), project.account_rules()
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
        bundle,
        Subjects.of(scored.assign(open=find_open(scored["blocked"])), table),
        place_night(project, place_moment(data, as_of)),
        rules,
    )
    scored_at = table.spine["as_of"].iloc[0].to_pydatetime()
    change = explain_change(lead_id, LeadsNow(project, bundle, data, scored_at, table), since) if since else None
    said = (float(low[0]), float(high[0]), points, band, words, blocked, missing, change)
    return Explained(lead_id, scored_at, bundle.version, receipts, *said)
