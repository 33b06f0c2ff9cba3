"""`pls-ml report`: a scored night's tables → one offline page."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pls_ml.core.errors import BundleError, TableError
from pls_ml.core.files import digest_file, write_bytes
from pls_ml.explanations.policy import OTHER, OTHER_LABEL, find_visible, show_lines
from pls_ml.explanations.reasons import NO_REASON
from pls_ml.reports.lead_page import LeadPage, PageLead, PageReceipt, PageSignal, render_lead_page
from pls_ml.workflows.bundle import Bundle, load_bundle
from pls_ml.workflows.project import Project
from pls_ml.workflows.score import PAGE, name_night


def report(project: Project, as_of: datetime | None = None) -> Path:
    """Takes a project and the `as_of` of a scored night (None: the latest); returns the path of its page.

    Refuses a night that was not scored, and tables that were changed since.
    """
    folder = _find_night(project, as_of)
    manifest = _read_manifest(folder / "manifest.json")
    bundle = load_bundle(project, manifest["version"]).under(project.policy())
    with project.progress.step(f"writing the page of {manifest['as_of'][:10]}"):
        tables = {name: _read(folder / name, digest) for name, digest in manifest["files"].items()}
        page = render_lead_page(_build_page(project, bundle, manifest, tables))
        return write_bytes(folder / PAGE, page.encode())


def _find_night(project: Project, as_of: datetime | None) -> Path:
    nights = sorted(path.parent for path in (project.output / "nights").glob("as_of=*/manifest.json"))
    if not nights:
        raise TableError(f"no scored night in {project.output / 'nights'}: run `pls-ml score` first")
    if as_of is None:
        return nights[-1]
    wanted = project.output / "nights" / name_night(as_of)
    if wanted not in nights:
        known = ", ".join(path.name.removeprefix("as_of=") for path in nights[-5:])
        raise TableError(f"no scored night of {as_of:%Y-%m-%d}: there are {known}; run `pls-ml score --as-of {as_of:%Y-%m-%d}`")
    return wanted


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        found = {key: manifest[key] for key in ("as_of", "version", "leads", "removed", "not_handed_over", "bases", "files")}
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{path} is damaged ({error}): run `pls-ml score` again") from error
    if "reasons.parquet" not in found["files"]:
        raise BundleError(f"{path} is of a night without `reasons.parquet`, as earlier versions scored: run `pls-ml score` again")
    return found


def _read(path: Path, digest: str) -> pd.DataFrame:
    if not path.is_file() or digest_file(path) != digest:
        raise BundleError(f"{path} is missing or was changed since it was scored: run `pls-ml score` again")
    frame: pd.DataFrame = pd.read_parquet(path)
    return frame


def _build_page(project: Project, bundle: Bundle, manifest: dict[str, Any], tables: dict[str, pd.DataFrame]) -> LeadPage:
    visible = [PageSignal(s.id, s.label, s.family) for s in bundle.catalogue.signals if s.rep_visible]
    signals = (*visible, PageSignal(OTHER, OTHER_LABEL, OTHER))
    receipts = _receipts(bundle, manifest, tables, {signal.id: k for k, signal in enumerate(signals)})
    reasons = _reasons(bundle, tables["reasons.parquet"])
    positions = dict(zip(tables["handoffs.parquet"]["lead_id"], tables["handoffs.parquet"]["position"], strict=True))
    scored: list[Any] = list(tables["scores.parquet"].itertuples())
    leads = tuple(
        PageLead(
            lead_id=lead.lead_id,
            account_id=_text(lead.account_id),
            account_name=_text(lead.account_name),
            segment=lead.segment,
            score=lead.score,
            rank=lead.rank,
            points=None if pd.isna(lead.points) else int(lead.points),
            band=lead.band,
            handoff_position=positions.get(lead.lead_id),
            reasons=reasons.get(lead.lead_id, (NO_REASON,)),
            receipts=receipts[lead.lead_id],
            blocked=_text(lead.blocked),
        )
        for lead in scored
    )
    card = bundle.card.card if bundle.card else None
    return LeadPage(
        project.config.project,
        manifest["as_of"].removesuffix("T00:00:00"),
        _facts(bundle, manifest),
        card.band_names if card else ("",),
        signals,
        leads,
    )


def _facts(bundle: Bundle, manifest: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    calibrator = bundle.calibrators[bundle.used].to_dict()
    comparison = bundle.facts["comparison"]
    removed = manifest["removed"]
    held = ", ".join(f"{reason} {n:,}" for reason, n in removed.items()) or "nobody"
    waiting = ", ".join(f"{reason} {n:,}" for reason, n in manifest["not_handed_over"].items()) or "nobody"
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
        ("Leads", f"{manifest['leads']:,} scored"),
        ("Not scored", held),
        ("Not handed over", waiting),
    )


def _receipts(
    bundle: Bundle, manifest: dict[str, Any], tables: dict[str, pd.DataFrame], position: dict[str, int]
) -> dict[str, dict[str, PageReceipt]]:
    found: dict[str, dict[str, PageReceipt]] = {}
    scores = tables["scores.parquet"]
    for name in sorted(manifest["bases"], key=lambda scorer: scorer != bundle.used):
        lines: dict[str, list[tuple[int, float, str]]] = {lead: [] for lead in scores["lead_id"]}
        mine = show_lines(tables["receipts.parquet"].query("scorer == @name"), find_visible(bundle.catalogue.signals))
        for lead, signal, share, value in zip(mine["lead_id"], mine["signal"], mine["probability"], mine["value"], strict=True):
            lines[lead].append((position[signal], share, value))
        base = manifest["bases"][name]
        for lead, score in zip(scores["lead_id"], scores[f"score_{name}"], strict=True):
            found.setdefault(lead, {})[name] = PageReceipt(base, score, tuple(sorted(lines[lead], key=lambda line: -abs(line[1]))))
    return found


def _reasons(bundle: Bundle, reasons: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """What speaks for each lead, in words; the policy may have become stricter since the night."""
    speaking = reasons[~reasons["against"] & reasons["signal"].isin(list(find_visible(bundle.catalogue.signals)))]
    return {lead: tuple(texts) for lead, texts in speaking["sentence"].groupby(speaking["lead_id"])}


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)
