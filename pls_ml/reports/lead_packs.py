"""The content of the lead workbench → columns of numbers and words: the list of all leads, and blocks of what is known of single ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.errors import DataError
from pls_ml.reports.lead_content import LeadPage, check_receipts
from pls_ml.reports.packing import BLOCK, LONG, Numbers, Rows, Texts, pack_blocks
from pls_ml.reports.plain_text import clean_id, clean_text, name_person

UNITS = 10**9
"""Probabilities travel as whole numbers of 1 / UNITS, so that receipts sum exactly."""
NO_POINTS = -(2**31)
Whole = npt.NDArray[np.int64]
_VALUES = {"before": "text", "after": "text"}
_TABLES = {
    "reasons": {"words": "text", "against": "count"},
    "lines": {"signal": "signal", "value": "text", "percentile": "count"},
    "timeline": {"day": "count", "event": "text", "count": "count"},
    "trend": {"night": "count", "score": "share", "band": "band"},
    "changes": {"part": "text", "signal": "signal", "probability": "share"} | _VALUES,
    "missing": {
        "scorer": "text", "target": "text", "option": "count", "step": "count", "signal": "signal", "words": "text", "reaches": "real",
    } | _VALUES,
    "differences": {"rank_rules": "count", "rank_model": "count", "signal": "signal", "difference": "real"},
}  # fmt: skip
"""What is known of single leads, a row each, and what its columns hold; `lines` also has a share for every scorer, and `learned`."""


def list_leads(page: LeadPage, leads: pd.DataFrame) -> tuple[dict[str, Numbers], dict[str, Any]]:
    """Takes a page's content and its leads in order; returns what the table of all leads shows: columns, and the words they speak of."""
    accounts = page.accounts.sort_values("account_id", ignore_index=True)
    named = accounts["name"].fillna("")
    columns: dict[str, Numbers] = {
        "account": pd.Index(accounts["account_id"]).get_indexer(pd.Index(leads["account_id"])),
        "place": _places(leads["lead_id"]),
        "accounts.place": _places(named.where(named != "", accounts["account_id"])),
        "band": _bands(page, leads["band"]),
        "bandBefore": _bands(page, leads["band_before"]),
        "handoff": leads["position"].fillna(0).to_numpy(np.int64),
        "rank": leads["rank"].to_numpy(np.int64),
        "points": leads["points"].astype("Float64").fillna(NO_POINTS).to_numpy(np.int64),
    }
    columns |= {name: _or_none(_units(leads[name])) for name in ("score", "low", "high", "before")}
    worded = {name: leads[name] for name in ("segment", "blocked", "cell", "reason")}
    worded |= {"owner": leads["owner"].map(name_person, na_action="ignore"), "tier": accounts["tier"]}
    coded = {name: _coded(texts) for name, texts in worded.items()}
    columns |= {"accounts.tier" if name == "tier" else name: codes for name, (codes, _) in coded.items()}
    shown = {name: _listed(accounts[name]) for name in accounts.columns if name not in ("account_id", "tier")}
    ids = {"account_id": [clean_id(str(one)) for one in accounts["account_id"]]}
    words = {name: found for name, (_, found) in coded.items()}
    return columns, _describe(page) | {"words": words, "ids": leads["lead_id"].tolist(), "accounts": ids | shown}


def _describe(page: LeadPage) -> dict[str, Any]:
    return {
        "units": UNITS,
        "block": BLOCK,
        "asOf": clean_text(page.as_of),
        "today": page.today,
        "version": clean_text(page.version),
        "since": clean_text(page.since),
        "bands": [clean_text(band) for band in page.bands],
        "signals": [[clean_text(s.id), clean_text(s.label), clean_text(s.family)] for s in page.signals],
        "scorers": [[clean_text(s.name), clean_text(s.start), round(s.base * UNITS)] for s in page.scorers],
        "nights": [[clean_text(night.as_of), clean_text(night.version)] for night in page.nights],
    }


def pack_leads(page: LeadPage, leads: pd.DataFrame) -> list[str]:
    """Takes a page's content and its leads in order, with their ids as given; returns a pack for every block of them."""
    texts = Texts()
    place = pd.Index(leads["given"])
    tables = {name: _rows(page, name, frame, place, texts) for name, frame in page.tables.items()}
    if "lines" in page.tables:
        tables["lines"] = _receipts(page, leads, tables["lines"])
    return pack_blocks(tables, texts, len(leads))


def _rows(page: LeadPage, name: str, frame: pd.DataFrame, place: pd.Index[Any], texts: Texts) -> Rows:
    """One table's rows in the order of the leads, and within a lead as they came."""
    lead = _places_of(frame["lead_id"], place)
    if (lead < 0).any():
        raise DataError(f"the page's {name} speak of lead '{frame['lead_id'].iloc[int(np.argmin(lead))]}', which is not among its leads")
    kinds = _TABLES[name] | {column: "real" for column in frame.columns if column.startswith("share_") or column == "learned"}
    order = np.argsort(lead, kind="stable")
    if name == "lines":
        order = np.lexsort((_signals(page, name, frame["signal"]), lead))
    sorted_rows = frame.iloc[order]
    worded = {column: texts.number(sorted_rows[column]) for column, kind in kinds.items() if kind == "text"}
    numbers = {column: _numbers(page, name, sorted_rows[column], kind) for column, kind in kinds.items() if kind != "text"}
    return Rows(lead[order], numbers, worded)


def _numbers(page: LeadPage, name: str, column: pd.Series[Any], kind: str) -> npt.NDArray[Any]:
    if kind == "signal":
        return _signals(page, name, column)
    if kind == "band":
        return _bands(page, column)
    if kind == "share":
        return _units(column)
    values = column.astype("Float64").to_numpy(np.float64, na_value=np.nan)
    return values if kind == "real" else _or_none(np.rint(values))


def _receipts(page: LeadPage, leads: pd.DataFrame, rows: Rows) -> Rows:
    """Lines with shares in whole units that, with their scorer's base, sum to exactly the score that the list shows."""
    bounds = np.searchsorted(rows.lead, np.arange(len(leads) + 1))
    numbers = dict(rows.numbers)
    for k, scorer in enumerate(page.scorers):
        shares = numbers.pop(f"share_{scorer.name}")
        check_receipts(scorer, shares, rows.lead, leads)
        numbers[f"share{k}"] = _whole_units(shares, scorer.base, leads[f"score_{scorer.name}"].to_numpy(np.float64), bounds)
    learned = numbers.pop("learned", None)
    if learned is not None and page.scorers[0].start:
        numbers["learned"] = np.rint(learned * UNITS)
    return Rows(rows.lead, numbers, rows.texts)


def _whole_units(shares: npt.NDArray[np.float64], base: float, score: npt.NDArray[np.float64], bounds: Whole) -> Whole:
    """Rounds running totals, not shares, so that errors never add up; the last total of a lead is its score in units."""
    begins, counts = bounds[:-1], np.diff(bounds)
    upto = np.cumsum(shares)
    before = np.repeat(np.concatenate([[0.0], upto])[begins], counts)
    totals = np.rint((base + upto - before) * UNITS).astype(np.int64)
    last = bounds[1:][counts > 0] - 1
    totals[last] = np.rint(score[counts > 0] * UNITS).astype(np.int64)
    steps: Whole = np.diff(totals, prepend=0)
    steps[begins[counts > 0]] = totals[begins[counts > 0]] - round(base * UNITS)
    return steps


def _bands(page: LeadPage, column: pd.Series[Any]) -> Whole:
    """Each band's number from 1 on, 0 where there is none, or no card."""
    codes, found = pd.factorize(column)
    unknown = [band for band in found if band not in page.bands]
    if unknown:
        raise DataError(f"a lead has the band '{unknown[0]}': expected one of {', '.join(page.bands)}")
    return np.array([*(page.bands.index(band) + 1 if band else 0 for band in found), 0], dtype=np.int64)[codes]


def _signals(page: LeadPage, name: str, column: pd.Series[Any]) -> Whole:
    """Each signal's number from 1 on, 0 where the row is about none."""
    known = {signal.id: number for number, signal in enumerate(page.signals, 1)} | {"": 0}
    codes, found = pd.factorize(column)
    unknown = [signal for signal in found if signal not in known]
    if unknown:
        raise DataError(f"the page's {name} have a row for signal '{unknown[0]}': the page has {len(page.signals)} others")
    return np.array([*(known[signal] for signal in found), 0], dtype=np.int64)[codes]


def _units(column: pd.Series[Any]) -> npt.NDArray[np.float64]:
    scaled: npt.NDArray[np.float64] = np.rint(column.astype("Float64").to_numpy(np.float64, na_value=np.nan) * UNITS)
    return scaled


def _or_none(numbers: npt.NDArray[np.float64]) -> Whole:
    """Whole numbers from 0 on; -1 stands for none."""
    return np.where(np.isnan(numbers), -1, numbers).astype(np.int64)


def _coded(column: pd.Series[Any]) -> tuple[Whole, list[str]]:
    """Each text's number among the different ones, which come in the order of the alphabet, "" where there is none."""
    cleaned = column.astype("object").where(column.notna(), "").map(_cleaner(column))
    codes, found = pd.factorize(cleaned, sort=True)
    return codes.astype(np.int64), [str(text) for text in found]


def _cleaner(column: pd.Series[Any]) -> dict[Any, str]:
    return {"": ""} | {text: clean_text(str(text), LONG) for text in column.dropna().unique()}


def _listed(column: pd.Series[Any]) -> list[Any]:
    """A column of accounts as JSON values."""
    plain = column.astype("object").where(column.notna(), None)
    return [clean_text(value) if isinstance(value, str) else value for value in plain.tolist()]


def _places(names: pd.Series[Any]) -> Whole:
    """Each name's place in the order of the alphabet, whatever its case."""
    places = np.empty(len(names), dtype=np.int64)
    places[names.astype("object").map(lambda name: str(name).casefold()).argsort(kind="stable").to_numpy()] = np.arange(len(names))
    return places


def _places_of(column: pd.Series[Any], place: pd.Index[Any]) -> Whole:
    codes, found = pd.factorize(column)
    return np.asarray(place.get_indexer(pd.Index(found)), dtype=np.int64)[codes]
