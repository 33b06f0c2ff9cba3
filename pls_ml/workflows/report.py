"""`pls-ml report leads`: a scored night's tables, and what the nights before it said → one offline page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from pls_ml.core.errors import BundleError
from pls_ml.core.files import write_bytes
from pls_ml.core.protocols import TwoPartScorer
from pls_ml.core.windows import EPOCH
from pls_ml.explanations.policy import OTHER, OTHER_LABEL, find_visible
from pls_ml.explanations.reasons import NO_REASON
from pls_ml.reports.lead_content import LeadPage, PageNight, PageScorer, PageSignal
from pls_ml.reports.lead_page import render_lead_page
from pls_ml.workflows.bundle import Bundle, load_bundle
from pls_ml.workflows.lead_lines import align_lines, hide_signals
from pls_ml.workflows.nights import NightFiles, find_earlier, find_night, open_night
from pls_ml.workflows.project import Project
from pls_ml.workflows.score import PAGE, PREPARED

MOST_NIGHTS = 12
"""Earlier nights whose scores a lead's page shows."""
MOST_LEADS = 100_000
"""The page holds the best ones, and those that were handed over; everybody is in the tables."""
DAY_S = 86_400
_OF_ACCOUNTS = {
    "account_id": "account_id", "account_name": "name", "tier_name": "tier", "play": "play", "buyer_known": "buyer known",
    "cell": "fit and usage", "fit": "fit", "usage": "usage", "users": "users", "active_users": "active users", "leads": "leads",
    "estimated_acv": "estimated value a year",
}  # fmt: skip
"""Columns of a night's accounts, and what the page calls them."""


def report(project: Project, as_of: datetime | None = None) -> Path:
    """Takes a project and the `as_of` of a scored night (None: the latest); returns the path of its page.

    Refuses a night that was not scored, and tables that were changed since.
    """
    night = find_night(project, as_of)
    bundle = load_bundle(project, night.manifest["version"]).under(project.policy())
    with project.progress.step(f"writing the page of {night.as_of}"):
        page = render_lead_page(build_page(project, bundle, night))
        return write_bytes(night.folder / PAGE, page.encode())


def build_page(project: Project, bundle: Bundle, night: NightFiles) -> LeadPage:
    """Takes a project, the bundle that scored and the night; returns the page's content, without what reps may not see."""
    scores = _shown(night.read("scores"), night.read("handoffs"))
    lines = night.read("receipts")
    lines = lines[lines["lead_id"].isin(scores["lead_id"])] if len(scores) < night.manifest["leads"] else lines
    scorers = sorted(night.manifest["bases"], key=lambda name: name != bundle.used)
    earlier = _read_earlier(project, night)
    card = bundle.card.card if bundle.card else None
    bands = card.band_names if card else ("",)
    seen = find_visible(bundle.catalogue.signals)
    visible = [signal.id for signal in bundle.catalogue.signals if signal.id in seen]
    reasons = _reasons(night.read("reasons"), visible)
    tables = {
        "reasons": reasons,
        "lines": align_lines(lines, scorers, visible),
        "trend": _trend(earlier, bands),
        **_read_tables(night, earlier[-1][0] if earlier else None, visible),
    }
    known = set(scores["lead_id"])
    return LeadPage(
        title=project.config.project,
        as_of=night.as_of,
        version=bundle.version,
        facts=_facts(bundle, night, len(scores)),
        bands=bands,
        signals=_name_signals(bundle),
        scorers=tuple(PageScorer(name, night.manifest["bases"][name], _start(bundle, name)) for name in scorers),
        leads=_list_leads(scores, reasons, earlier, bands),
        accounts=_list_accounts(scores, night.read("accounts")),
        tables={name: table[table["lead_id"].isin(known)] for name, table in tables.items()},
        nights=tuple(PageNight(before.as_of, before.manifest["version"]) for before, _ in earlier),
        since=earlier[-1][0].as_of if earlier else "",
        today=_find_day(project, night),
    )


def _shown(scores: pd.DataFrame, handoffs: pd.DataFrame) -> pd.DataFrame:
    scores = scores.assign(position=scores["lead_id"].map(handoffs.set_index("lead_id")["position"]))
    return scores[(scores["rank"] <= MOST_LEADS) | scores["position"].notna()].reset_index(drop=True)


def _name_signals(bundle: Bundle) -> tuple[PageSignal, ...]:
    visible = [PageSignal(s.id, s.label, s.family) for s in bundle.catalogue.signals if s.rep_visible]
    return (*visible, PageSignal(OTHER, OTHER_LABEL, OTHER))


def _start(bundle: Bundle, name: str) -> str:
    """The card that a scorer's trees correct; "" where they start from nothing, or there are none."""
    scorer = bundle.scorers[name]
    return scorer.start_.kind if isinstance(scorer, TwoPartScorer) and scorer.start_ is not None else ""


def _list_leads(
    scores: pd.DataFrame, reasons: pd.DataFrame, earlier: Sequence[tuple[NightFiles, pd.DataFrame]], bands: Sequence[str]
) -> pd.DataFrame:
    first = reasons[~reasons["against"].astype(bool)].drop_duplicates("lead_id").set_index("lead_id")["words"]
    before = earlier[-1][1].set_index("lead_id") if earlier else pd.DataFrame({"score": [], "band": []})
    band = scores["lead_id"].map(before["band"])
    listed = scores.assign(
        reason=scores["lead_id"].map(first).fillna(NO_REASON),
        before=scores["lead_id"].map(before["score"]),
        band_before=band.where(band.isin(list(bands))),
    )
    optional = {name: None for name in ("owner", "cell") if name not in listed}
    return listed.assign(**optional)


def _list_accounts(scores: pd.DataFrame, accounts: pd.DataFrame) -> pd.DataFrame:
    """Every account that a lead belongs to, also those of which the night knows nothing more."""
    shown = accounts[[name for name in _OF_ACCOUNTS if name in accounts]]
    named = scores[["account_id", "account_name"]].dropna(subset="account_id").drop_duplicates("account_id")
    table = named.merge(shown.drop(columns="account_name", errors="ignore"), on="account_id", how="left")
    rounded = {name: table[name].round() for name in ("fit", "usage", "estimated_acv") if name in table}
    words = {name: table[name].str.replace("_", " ") for name in ("cell", "play") if name in table}
    table = table.assign(**rounded, **words).rename(columns=_OF_ACCOUNTS)
    return table if "tier" in table else table.assign(tier=None)


def _read_earlier(project: Project, night: NightFiles) -> list[tuple[NightFiles, pd.DataFrame]]:
    """The nights before with their scores; one that is damaged is left out: it must not keep tonight's page from being written."""
    found = []
    for folder in find_earlier(project, night.folder, MOST_NIGHTS):
        try:
            before = open_night(folder)
            found.append((before, before.read("scores", ["lead_id", "score", "band"])))
        except BundleError as error:
            project.progress.note(f"left out of the page: {error}")
    return found


def _find_day(project: Project, night: NightFiles) -> int:
    """The day on which a night's moment lies where the project is; a prepared table has no moment."""
    if night.as_of == PREPARED:
        return 0
    moment = night.moment.replace(tzinfo=UTC).astimezone(ZoneInfo(project.config.signals.timezone))
    return moment.date().toordinal() - EPOCH.toordinal()


def _trend(earlier: Sequence[tuple[NightFiles, pd.DataFrame]], bands: Sequence[str]) -> pd.DataFrame:
    parts = [scores.assign(night=number) for number, (_, scores) in enumerate(earlier)]
    trend = pd.concat(parts) if parts else pd.DataFrame({"lead_id": [], "score": [], "band": [], "night": []})
    return trend.assign(band=trend["band"].where(trend["band"].isin(list(bands))))  # bands of a card that was changed since are not shown


def _read_tables(night: NightFiles, before: NightFiles | None, visible: Sequence[str]) -> dict[str, pd.DataFrame]:
    """What a night may have beside its scores: the timeline, what changed, what is missing, and where rules and model disagree.

    Changes against another night than the one before are left out: it was scored, or scored again, since.
    """
    tables = {}
    if night.has("timeline"):
        timeline = night.read("timeline")
        day = pd.to_datetime(timeline["day"]).dt.as_unit("s").astype("int64") // DAY_S
        tables["timeline"] = timeline.assign(day=day, event=timeline["event"].str.replace("_", " "))
    since = night.manifest.get("since") or {}
    if before and night.has("changes") and since.get("as_of") == before.manifest["as_of"]:
        tables["changes"] = hide_signals(night.read("changes"), visible, ["before", "after"])
    if night.has("missing"):
        missing = night.read("missing")
        optional = {name: default for name, default in (("option", 1), ("words", "")) if name not in missing}
        tables["missing"] = hide_signals(missing.assign(**optional), visible, ["before", "after", "words"])
    if night.has("disagreements"):
        tables["differences"] = hide_signals(night.read("disagreements"), visible, [])
    return tables


def _facts(bundle: Bundle, night: NightFiles, shown: int) -> tuple[tuple[str, str], ...]:
    calibrator = bundle.calibrators[bundle.used].to_dict()
    comparison = bundle.facts["comparison"]
    manifest = night.manifest
    held = ", ".join(f"{reason} {n:,}" for reason, n in manifest["removed"].items()) or "nobody"
    waiting = ", ".join(f"{reason} {n:,}" for reason, n in manifest["not_handed_over"].items()) or "nobody"
    part = f"; the page holds the best {shown:,}, the tables hold all" if shown < manifest["leads"] else ""
    return (
        ("Scored by", f"{bundle.used}, model {bundle.version}"),
        (
            "Calibration",
            f"{calibrator['kind']} on {calibrator['positives']:,} won among {calibrator['rows']:,} rows that training had not seen",
        ),
        (
            "Rules or model",
            f"{comparison['decision']['sentence']}, on {comparison['rows']:,} held-out leads with {comparison['positives']:,} won",
        ),
        ("Leads", f"{manifest['leads']:,} scored{part}"),
        ("Not scored", held),
        ("Not handed over", waiting),
    )


def _reasons(reasons: pd.DataFrame, visible: Sequence[str]) -> pd.DataFrame:
    """What speaks for each lead, then against it, in sentences, the strongest first; the policy may be stricter than on the night."""
    shown = reasons[reasons["signal"].isin(list(visible))].rename(columns={"sentence": "words"})
    return shown[["lead_id", "words", "against"]]
