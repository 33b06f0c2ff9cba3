"""Pages of invented leads, with all that a night may know of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from pls_ml.reports.lead_content import LeadPage, PageNight, PageScorer, PageSignal

FAMILIES = ("intent", "collaboration", "feature_usage", "fit", "negative")
BANDS = ("Hot", "Warm", "Emerging", "Not a PQL")
BASE = {"model": 0.03, "rules": 0.04}
TODAY = (date(2026, 3, 6) - date(1970, 1, 1)).days
EVENTS = ("pricing viewed", "invite sent", "feature used", "api key created")


def invent_page(leads: int, lines: int = 25, seed: int = 3, nights: int = 3, signals: int = 40) -> LeadPage:
    """Takes how many leads and lines of a receipt; returns a page of two scorers with every table, receipts summing to their scores."""
    draw = np.random.default_rng(seed)
    listed = tuple(PageSignal(f"s{n}", f"signal number {n}", FAMILIES[n % len(FAMILIES)]) for n in range(signals))
    receipts, scores = _invent_lines(draw, leads, lines, listed)
    order = np.argsort(-scores["model"], kind="stable")
    rank = np.empty(leads, dtype=np.int64)
    rank[order] = np.arange(1, leads + 1)
    ids = np.array([f"u{n:06}" for n in range(leads)], dtype=object)
    accounts = np.array([f"a{n:05}" for n in range(max(leads // 3, 1))], dtype=object)
    before = np.clip(scores["model"] + draw.normal(0, 0.02, leads), 0, 1)
    points = np.round(150 * scores["rules"]).astype(int)
    table = pd.DataFrame(
        {
            "lead_id": ids,
            "rank": rank,
            "score": scores["model"],
            "low": np.clip(scores["model"] - 0.02, 0, 1),
            "high": np.clip(scores["model"] + 0.03, 0, 1),
            "points": points,
            "band": _band(points),
            "segment": np.array(["enterprise", "mid_market", "smb"], dtype=object)[draw.integers(0, 3, leads)],
            "account_id": accounts[draw.integers(0, len(accounts), leads)],
            "owner": np.array(["Ada Moore", "Ben Ortiz", None], dtype=object)[draw.integers(0, 3, leads)],
            "blocked": np.where(draw.random(leads) < 0.1, "open opportunity", None),
            "position": np.where(rank <= 5, rank, np.nan),
            "cell": np.array(["both", "rules only", "model only", "neither"], dtype=object)[draw.integers(0, 4, leads)],
            "before": np.where(draw.random(leads) < 0.1, np.nan, before),
            "band_before": np.where(draw.random(leads) < 0.1, "Warm", _band(points)),
            "reason": np.array([f"signal number {n % 40}: {n} times" for n in range(500)], dtype=object)[draw.integers(0, 500, leads)],
            "score_model": scores["model"],
            "score_rules": scores["rules"],
        }
    )
    of_accounts = pd.DataFrame(
        {"account_id": accounts, "name": [f"Company {n}" for n in range(len(accounts))], "tier": "Mid-market", "users": 4}
    )
    return LeadPage(
        title="Invented",
        as_of="2026-03-06",
        version="m-0123456789",
        facts=(("Scored by", "model"),),
        bands=BANDS,
        signals=listed,
        scorers=tuple(PageScorer(name, base, "rules" if name == "model" else "") for name, base in BASE.items()),
        leads=table,
        accounts=of_accounts,
        tables={"lines": receipts.assign(lead_id=ids[receipts["lead"]]), **_invent_rest(draw, ids, before, nights, listed)},
        nights=tuple(PageNight(f"2026-02-{n + 1:02}", f"m-{n // 2}") for n in range(nights)),
        since=f"2026-02-{nights:02}" if nights else "",
        today=TODAY,
    )


def with_first(page: LeadPage, **texts: Any) -> LeadPage:
    """Takes a page and texts by column; returns it with them in its first lead, wherever the page speaks of it."""
    leads, accounts = page.leads.copy(), page.accounts.copy()
    first = leads["rank"].idxmin()
    old, account = leads["lead_id"][first], leads["account_id"][first]
    for name, text in texts.items():
        if name in leads:
            leads.loc[first, name] = text
        if name in accounts:
            accounts.loc[accounts["account_id"] == account, name] = text
    leads.loc[leads["account_id"] == account, "account_id"] = texts.get("account_id", account)
    tables = {name: table.assign(lead_id=table["lead_id"].replace(old, texts.get("lead_id", old))) for name, table in page.tables.items()}
    for name, column in (("lines", "value"), ("timeline", "event"), ("changes", "before"), ("missing", "target"), ("reasons", "words")):
        mine = tables[name]["lead_id"] == texts.get("lead_id", old)
        if column in texts and mine.any():
            tables[name][column] = tables[name][column].astype("object").mask(mine, texts[column])
    return replace(page, leads=leads, accounts=accounts, tables=tables)


def _band(points: Any) -> Any:
    return np.array(BANDS, dtype=object)[np.select([points >= 80, points >= 50, points >= 30], [0, 1, 2], 3)]


def _invent_lines(draw: Any, leads: int, lines: int, signals: tuple[PageSignal, ...]) -> tuple[pd.DataFrame, dict[str, Any]]:
    lead = np.repeat(np.arange(leads), lines)
    start = draw.integers(0, len(signals), leads)
    signal = (start[:, None] + np.arange(lines)[None, :]) % len(signals)
    frame = pd.DataFrame({"lead": lead, "signal": pd.Categorical.from_codes(signal.ravel(), [s.id for s in signals])})
    values = np.array([f"{n} times in the last 7 days, {3 * n} times in the last 30 days" for n in range(400)], dtype=object)
    frame["value"] = pd.Categorical.from_codes(draw.geometric(0.05, len(frame)).clip(max=399), values)
    frame["percentile"] = draw.integers(0, 100, len(frame)).astype(float)
    scores = {}
    for name, base in BASE.items():
        shares = 0.02 * draw.normal(0, 1, (leads, lines)) ** 3  # a few large ones, many small ones
        score = draw.beta(0.6, 6, leads)
        shares += (score - base - shares.sum(axis=1))[:, None] / lines
        frame[f"share_{name}"] = shares.ravel()
        scores[name] = score
    frame["learned"] = frame["share_model"] * draw.random(len(frame)) / 2
    return frame, scores


def _invent_rest(draw: Any, ids: Any, before: Any, nights: int, signals: tuple[PageSignal, ...]) -> dict[str, pd.DataFrame]:
    n = len(ids)
    some = [s.id for s in signals]
    text = lambda number: np.array([f"{k} times" for k in range(50)], dtype=object)[draw.integers(0, 50, number)]  # noqa: E731
    trend = [
        pd.DataFrame({"lead_id": ids, "night": k, "score": np.clip(before + draw.normal(0, 0.01, n), 0, 1), "band": "Warm"})
        for k in range(nights)
    ]
    return {
        "reasons": pd.DataFrame(
            {
                "lead_id": np.repeat(ids, 2),
                "words": [f"signal number {k % 40}: {k % 90} times" for k in range(2 * n)],
                "against": [k % 4 == 3 for k in range(2 * n)],
            }
        ),
        "timeline": pd.DataFrame(
            {
                "lead_id": np.repeat(ids, 4),
                "day": TODAY - np.tile([1, 1, 5, 30], n),
                "event": np.array(EVENTS, dtype=object)[draw.integers(0, len(EVENTS), 4 * n)],
                "count": draw.integers(1, 9, 4 * n),
            }
        ),
        "trend": pd.concat(trend) if trend else pd.DataFrame({"lead_id": [], "night": [], "score": [], "band": []}),
        "changes": pd.DataFrame(
            {
                "lead_id": np.repeat(ids, 4),
                "part": np.tile(["data", "data", "model", "calibrator"], n),
                "signal": np.tile([some[0], some[1], "", ""], n),
                "probability": draw.normal(0, 0.01, 4 * n),
                "before": text(4 * n),
                "after": text(4 * n),
            }
        ),
        "missing": pd.DataFrame(
            {
                "lead_id": ids, "scorer": "rules", "target": "Hot", "option": 1, "step": 1, "words": "", "signal": some[2],
                "before": text(n), "after": text(n), "reaches": 82.0,
            }
        ),
        "differences": pd.DataFrame(
            {
                "lead_id": np.repeat(ids, 2),
                "signal": np.tile(some[3:5], n),
                "difference": draw.normal(0, 1, 2 * n),
                "rank_rules": 900,
                "rank_model": 3,
            }
        ),
    }  # fmt: skip
