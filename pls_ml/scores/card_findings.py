"""What is wrong with a card before any lead is scored: the scores it can give, segment by segment, against the bands that it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import pandas as pd

from pls_ml.core.catalogue import Catalogue
from pls_ml.scores.card import Band, Rung, Scorecard
from pls_ml.scores.card_evidence import Finding, Severity, find_account_rows, find_evidence
from pls_ml.scores.card_reach import Reach, Values, combine_values, find_knot, find_reach
from pls_ml.scores.card_values import Columns, find_kind, find_range, find_row_kind, idle_values, list_values


@dataclass(frozen=True)
class CardFindings:
    """What each segment can score (nothing where that could not be worked out), and the findings, worst first."""

    reach: tuple[Reach, ...]
    findings: tuple[Finding, ...]


def check_card(card: Scorecard, catalogue: Catalogue | None, leaks: Mapping[str, str] | None = None) -> CardFindings:
    """Takes a card, the catalogue (None: none is at hand) and why signals are leak-prone, by id; returns what can be said without data.

    Ladders are taken as declared: rows on one signal are looked at together, different signals vary independently.
    """
    columns: Columns = catalogue.by_column if catalogue else {}
    of_users = catalogue is None or catalogue.unit == "user"
    values = list_values(card, columns)
    declared = [*find_evidence(card, columns, values, leaks or {}), *(find_account_rows(card, columns) if of_users else ())]
    if knot := find_knot(card, values):
        reason = f"{', '.join(knot)} hang together in too many ways to try them all, so what the card can give was not worked out"
        found = [Finding("note", "not_worked_out", reason, "let rows and factors look at fewer signals at once")]
        return CardFindings((), sort_findings([*found, *declared]))
    reach = find_reach(card, values)
    found = [*find_unreachable(card, reach), *_find_never(card, reach), *_find_floor(card, columns, reach)]
    found += [*_find_fit_alone(card, columns, values), *(_find_account_alone(card, columns, values) if of_users else ())]
    return CardFindings(reach, sort_findings([*found, *_find_idle_rungs(card, columns, values), *declared]))


def sort_findings(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Takes findings; returns them worst first, else in their order."""
    return tuple(sorted(found, key=lambda one: get_args(Severity).index(one.severity)))


def find_unreachable(card: Scorecard, reach: Sequence[Reach]) -> Iterator[Finding]:
    """Takes a card and what its segments can score; yields the bands out of reach, segments that miss the same ones together."""
    missed = {one.segment: tuple(band for band in card.bands if band.name not in one.bands) for one in reach}
    nobody = {band for band in card.bands if all(band in bands for bands in missed.values())}
    for bands in dict.fromkeys(missed.values()):
        if not bands:
            continue
        there = [one for one in reach if missed[one.segment] == bands]
        scored = ", ".join(f"{one.segment} scores {say_number(one.lowest)} to {say_number(one.highest)}" for one in there)
        within = [band.name for band in bands if band.bound < min(one.highest for one in there)]
        why = f"; no sum of points that may pass falls into {_list(within)}" if within else ""
        reason = f"{scored}: {_list([_say_band(band) for band in bands])} cannot be reached{why}"
        severity: Severity = "error" if nobody & set(bands) else "warning"
        yield Finding(severity, "unreachable_band", reason, _raise_reach(card, there, bands[-1]), (), tuple(one.segment for one in there))
    if reach and all(card.below not in one.bands for one in reach):
        reason = f"the least that any lead can score is {say_number(min(one.lowest for one in reach))}, so nobody is '{card.below}'"
        yield Finding("warning", "nobody_below", reason, "raise the lowest band, or take off what everybody is given")


def say_number(value: float) -> str:
    """Takes a score; returns it short."""
    return f"{round(value, 2) + 0.0:,.10g}"


def _say_band(band: Band) -> str:
    return f"{band.name} ({'from' if band.gt is None else 'above'} {say_number(band.bound)})"


def _list(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _raise_reach(card: Scorecard, there: Sequence[Reach], band: Band) -> str:
    best = max(there, key=lambda one: one.highest)
    if not all(block.normalise for block in card.blocks):
        return "normalise the blocks (`normalise: true`), or lower the bands"
    if best.times < 1 and best.highest > 0:
        needed = say_number(band.bound * best.times / best.highest)
        return f"{band.name} takes a factor of {needed} in {best.segment} (it is {best.times:g}); or say that this segment is not for sales"
    return "lower the bands, or give more points"


def _find_never(card: Scorecard, reach: Sequence[Reach]) -> Iterator[Finding]:
    """Factors that never apply, and outreach that never may."""
    for factor in card.multiplier:
        if factor.name not in {one.segment for one in reach}:
            reason = f"no lead can be in '{factor.name}': its conditions contradict each other, or an earlier factor takes whom they fit"
            yield Finding("warning", "factor_never_applies", reason, "move it up, or leave it out", (), (factor.name,))
    families = {row.family for row in card.rows if row.range[1] > 0}
    if len(families) < card.outreach_families:
        reason = f"{card.outreach_families} families must speak for a lead before anybody is sent to it, and {len(families)} can"
        yield Finding("error", "no_outreach", reason, "lower `outreach_families`")


def _find_idle_rungs(card: Scorecard, columns: Columns, values: Values) -> Iterator[Finding]:
    """Rungs without which every lead would get the same points."""
    for row in card.rows:
        frame = combine_values(row.signals, values)
        points = row.points(frame)
        for rung in row.rungs:
            others = tuple(other for other in row.rungs if other is not rung)
            if rung.points and (row.model_copy(update={"rungs": others}).points(frame) == points).all():
                name = rung.signal or row.signal
                found = find_range(columns, name)
                bounds = f", and '{name}' lies between {say_number(found.lowest)} and {say_number(found.highest)}"
                reason = f"the rung `{_say_rung(rung)}` changes no lead's points{bounds if found.highest - found.lowest < 1e9 else ''}"
                yield Finding("warning", "rung_without_effect", reason, "move its threshold, or leave it out", (row.id,))


def _say_rung(rung: Rung) -> str:
    return next(f"{key}: {rung.bound:g}" for key in ("gte", "gt", "lt") if getattr(rung, key) is not None)


def _find_floor(card: Scorecard, columns: Columns, reach: Sequence[Reach]) -> Iterator[Finding]:
    shares = card.score_leads(pd.DataFrame(idle_values(card, columns))).shares[0, :-1]
    for block in dict.fromkeys(row.block for row in card.rows):
        own = [(row, share, *card.scale(row)) for row, share in zip(card.rows, shares, strict=True) if row.block == block]
        earned = {row.id: share / weight for row, share, _, weight in own if share > 0}
        if earned:
            most = sum(row.range[1] - floor for row, _, floor, _ in own)
            whole, change = ("the card", "begin the ladders above 0") if block is None else (f"block '{block}'", "`subtract_floor: true`")
            reason = f"doing nothing earns {say_number(sum(earned.values()))} of the {say_number(most)} points of {whole}"
            yield Finding("warning", "floor", reason, change, tuple(earned))
    if shares.sum() > 0 and (card.blocks or card.multiplier):
        scored = ", ".join(say_number(one.times * shares.sum()) + (f" in {one.segment}" if card.multiplier else "") for one in reach)
        yield Finding("note", "floor", f"a lead who did nothing scores {scored}", "take the floor off, or set the bands above it")


def _find_fit_alone(card: Scorecard, columns: Columns, values: Values) -> Iterator[Finding]:
    kinds = {row.id: find_row_kind(columns, row) for row in card.rows}
    fit = tuple(row.id for row in card.rows if kinds[row.id] in ("person", "company") and row.range[1] > 0)
    silent = [name for name, kind in kinds.items() if kind in ("usage", "account")]
    found = _find_best(card, values, silent) if fit else None
    if found:
        reason = f"fit alone reaches {found.said}, without any use of the product{found.gate}"
        yield Finding("note" if card.gate else "warning", "fit_alone", reason, _gate_off(card), fit)


def _find_account_alone(card: Scorecard, columns: Columns, values: Values) -> Iterator[Finding]:
    kinds = {row.id: find_row_kind(columns, row) for row in card.rows}
    rows = tuple(row.id for row in card.rows if kinds[row.id] != "usage" and row.range[1] > 0)
    own = [row for row in card.rows if kinds[row.id] == "usage"]
    if not any(kinds[name] == "account" for name in rows):
        return
    used = {name for name in card.signals if name in columns and find_kind(columns, name) == "usage"}
    used |= {name for row in own for name in row.signals if name not in columns}
    nothing = idle_values(card, columns)
    idle = _find_best(card, {name: nothing[name] if name in used else values[name] for name in card.signals}, ())
    there = _find_best(card, values, [row.id for row in own])
    said = [f"an idle lead of a large account reaches {idle.said}{idle.gate}"] if idle else []
    if there and (idle is None or idle.band != there.band):
        said.append(f"one whose own use earns nothing reaches {there.said}{there.gate}")
    if said:
        yield Finding("note" if card.gate else "warning", "account_alone", ", ".join(said), _gate_off(card), rows)


@dataclass(frozen=True)
class _Best:
    """The best band by points alone, in words with its score, and what the gate makes of it."""

    band: str
    said: str
    gate: str


def _find_best(card: Scorecard, values: Values, silent: Sequence[str]) -> _Best | None:
    """The best band that can be reached, if it is better than the last."""
    reach = find_reach(card.model_copy(update={"gate": None}), values, silent)
    best = min(reach, key=lambda one: (card.band_names.index(one.bands[0]), -one.highest), default=None)
    if best is None or best.bands[0] == card.below:
        return None
    held = min((card.band_names.index(one.bands[0]) for one in find_reach(card, values, silent)), default=0)
    gate = f" (the gate keeps it in {card.band_names[held]})" if card.band_names[held] != best.bands[0] else ""
    where = f" in {best.segment}" if card.multiplier else ""
    return _Best(best.bands[0], f"{best.bands[0]} with {say_number(best.highest)}{where}", gate)


def _gate_off(card: Scorecard) -> str:
    if card.gate:
        return f"nothing, if {card.gate.highest_without} may hold leads who do not use the product; else lower `gate.highest_without`"
    return "a `gate` on the families of usage, which keeps whoever does not use the product in a lower band"
