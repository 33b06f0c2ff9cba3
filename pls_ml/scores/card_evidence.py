"""What a card's rows rest on: signals that nobody declares or that leak, windows, whose points they are, and evidence that counts twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import pandas as pd

from pls_ml.core.catalogue import Signal
from pls_ml.core.errors import suggest
from pls_ml.core.measures import AgeDays, Difference, Ratio, Rule
from pls_ml.scores.card import CardRow, Scorecard
from pls_ml.scores.card_reach import Values
from pls_ml.scores.card_values import Columns, find_row_kind, list_tests
from pls_ml.scores.encoding import read_numbers

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """Something about a card: how bad it is, of which sort, why, what to change, and the rows and segments concerned."""

    severity: Severity
    code: str
    reason: str
    change: str
    rows: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()


def find_evidence(card: Scorecard, columns: Columns, values: Values, leaks: Mapping[str, str]) -> list[Finding]:
    """Takes a card, the declared columns (none: no catalogue), the values of its signals, and why signals leak; returns what is found."""
    return [
        *_find_unknown(card, columns),
        *_find_text(card, columns),
        *_find_leaks(card, columns, leaks),
        *_find_repeats(card, columns, values),
        *_find_stacked(card, values),
        *_find_reversed(card, columns, values),
        *_find_unstated(card, columns),
    ]


def find_account_rows(card: Scorecard, columns: Columns) -> Iterator[Finding]:
    """Takes a card of users and the declared columns; yields rows on the whole account, and own ones that say they were such."""
    shared = [row for row in card.rows if any(row.range) and find_row_kind(columns, row) in ("account", "company")]
    undeclared, declared = ([row for row in shared if row.scope == scope] for scope in ("user", "account"))
    if undeclared:
        change = "`scope: account`, so that they count once for the account"
        yield Finding("warning", "counted_per_user", _say_shared(undeclared), change, _ids(undeclared))
    if declared:
        change = "add up users' own rows only, and these once: `scope: account` says which"
        yield Finding("note", "counted_per_user", _say_shared(declared), change, _ids(declared))
    for row in card.rows:
        if row.scope == "account" and row not in shared and any(row.range) and any(name in columns for name in row.signals):
            reason = f"'{row.signal}' tells of the lead alone, yet the row says `scope: account`: an account counts it once, a gate never"
            yield Finding("warning", "own_row_of_account", reason, "`scope: user`", (row.id,))


def _say_shared(rows: Sequence[CardRow]) -> str:
    many = f"{_count(rows)} the whole account, so each of its users has their up to {sum(map(_most, rows))} points"
    return f"{many}: the sum of ten users' scores has them ten times"


def find_askers(card: Scorecard, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Takes a card and a signal; returns the rows and the segments that look at it."""
    rows = tuple(row.id for row in card.rows if name in row.signals)
    return rows, tuple(f.name for f in card.multiplier if name in {c.signal for c in f.conditions})


def _find_unknown(card: Scorecard, columns: Columns) -> Iterator[Finding]:
    change = "name a declared signal (`pls-ml signals --list` lists them), or declare it under `signals.define`"
    for name in card.signals:
        if columns and name not in columns:
            reason = f"no signal '{name}' is declared{suggest(name, list(columns))}: what asks for it never applies"
            yield Finding("error", "unknown_signal", reason, change, *find_askers(card, name))


def _find_text(card: Scorecard, columns: Columns) -> Iterator[Finding]:
    change = "declare a signal of kind `rule` that tests it with `among`, and look at that one"
    for name in card.signals:
        rungs, conditions = list_tests(card, name)
        numeric = rungs or any(condition.among is None for condition in conditions)
        text = any(condition.among is not None for condition in conditions) or (name in columns and columns[name].signal.is_category)
        if numeric and text:
            reason = f"'{name}' is text and is compared with a number: scoring refuses it"
            yield Finding("error", "text_signal", reason, change, *find_askers(card, name))


def _find_leaks(card: Scorecard, columns: Columns, leaks: Mapping[str, str]) -> Iterator[Finding]:
    change = "leave it out, or list it under `model.acknowledge_leaks` if it was known at the time"
    for name in card.signals:
        if name in columns and (reason := leaks.get(columns[name].signal.id)):
            yield Finding("warning", "leak_prone", f"'{name}' {reason}", change, *find_askers(card, name))


def _find_unstated(card: Scorecard, columns: Columns) -> Iterator[Finding]:
    rows = [row for row in card.rows if row.window == "unstated"]
    if not rows:
        return
    windows = [columns[row.signal].window if row.signal in columns else None for row in rows]
    used = Counter(window.name if window else "unknown" for window in windows)
    listed = ", ".join(f"{n} × {name}" for name, n in sorted(used.items(), key=lambda item: (-item[1], item[0])))
    reason = f"{_count(rows, 'name')} no window: those of their signals are used ({listed})"
    yield Finding("warning", "window_unstated", reason, "choose each window, then drop `window: unstated`", _ids(rows))


def _find_stacked(card: Scorecard, values: Values) -> Iterator[Finding]:
    rows = [row for row in card.rows if row.ladder == "stacked" and _reaches_several(row, values)]
    if rows:
        each = [(row.id, _most(row), _most(row.model_copy(update={"ladder": "exclusive"}))) for row in rows]
        listed = ", ".join(f"{name} gives up to {all_rungs}, its highest rung {one}" for name, all_rungs, one in each)
        reason = f"one value reaches several rungs of a stacked ladder, and they add up: {listed}"
        yield Finding("warning", "stacked_ladder", reason, "`ladder: exclusive`, or rungs that give only what each adds", _ids(rows))


def _reaches_several(row: CardRow, values: Values) -> bool:
    for name in row.signals:
        numbers = read_numbers(pd.Series(list(values[name]), name=name))
        reached = [rung.reached(numbers) for rung in row.rungs if (rung.signal or row.signal) == name and rung.points]
        if len(reached) > 1 and np.sum(reached, axis=0).max() > 1:
            return True
    return False


def _find_reversed(card: Scorecard, columns: Columns, values: Values) -> Iterator[Finding]:
    """Rows in which more of a good thing takes points away, or more of a bad thing gives some."""
    for row in card.rows:
        direction = columns[row.signal].signal.direction if row.signal in columns else "none"
        if direction == "none" or len(row.signals) > 1:
            continue
        numbers = sorted(value for value in values[row.signal] if value is not None and not np.isnan(value))
        steps = np.diff(row.points(pd.DataFrame({row.signal: numbers})))
        if (steps < 0).any() if direction == "up" else (steps > 0).any():
            does = "takes points away" if direction == "up" else "gives points"
            reason = f"'{row.signal}' is declared `direction: {direction}`, yet more of it {does}"
            yield Finding("warning", "against_direction", reason, "check the signs of the row, and the signal's `direction`", (row.id,))


@dataclass(frozen=True)
class _Use:
    """A row's look at some evidence: at which column, and which column of those that it is made of is measured on the evidence."""

    row: str
    column: str
    measured: str

    def __str__(self) -> str:
        made = "" if self.column == self.measured else f" (made of '{self.measured}')"
        return f"{self.row} by '{self.column}'{made}"


def _find_repeats(card: Scorecard, columns: Columns, values: Values) -> Iterator[Finding]:
    told: dict[tuple[int, str], dict[str, _Use]] = {}
    for row, sign in product(card.rows, (1, -1)):
        if max(sign * points for points in row.range) > 0:
            for column in row.signals:
                for evidence, measured in _list_evidence(columns, column):
                    told.setdefault((sign, evidence), {}).setdefault(row.id, _Use(row.id, column, measured))
    seen: set[tuple[str, ...]] = set()
    for (sign, _), uses in told.items():
        if len(uses) < 2 or tuple(uses) in seen or not _speak_together(card, list(uses.values()), sign, values):
            continue
        seen.add(tuple(uses))
        yield _describe_repeat(list(uses.values()), sign, columns)


def _list_evidence(columns: Columns, name: str) -> Iterator[tuple[str, str]]:
    """What a column is measured on, then what those it is made of are; how old a lead is only says when to look."""
    if name not in columns:
        yield name, name
        return
    signal = columns[name].signal
    if not isinstance(signal.measure, AgeDays):
        yield f"{signal.scope} {signal.measure.model_dump_json()}", name
    for part in _parts(signal):
        yield from _list_evidence(columns, part)


def _parts(signal: Signal) -> list[str]:
    """The columns of which more makes more of this one."""
    measure = signal.measure
    if isinstance(measure, Ratio | Difference):
        return [measure.numerator if isinstance(measure, Ratio) else measure.of]
    conditions = (*measure.all, *measure.any) if isinstance(measure, Rule) else ()
    return [c.signal for c in conditions if c.gte is not None or c.gt is not None or c.among is not None or c.eq]


def _speak_together(card: Scorecard, uses: Sequence[_Use], sign: int, values: Values) -> bool:
    """Whether rows on one column give points for the same value; of rows on several columns it is taken for granted."""
    if len({use.column for use in uses}) > 1:
        return True
    frame = pd.DataFrame({uses[0].column: list(values[uses[0].column])})
    rows = [row for row in card.rows if row.id in {use.row for use in uses}]
    return bool(np.sum([sign * row.points(frame) > 0 for row in rows], axis=0).max() > 1)


def _describe_repeat(uses: Sequence[_Use], sign: int, columns: Columns) -> Finding:
    direct = {use.column for use in uses if use.column == use.measured}
    alone = sum(use.column == use.measured for use in uses) > 1
    often = "twice" if len(uses) == 2 else f"{len(uses)} times"
    reason = f"the same evidence speaks {'for' if sign > 0 else 'against'} a lead {often}: {', '.join(map(str, uses))}"
    rows = tuple(use.row for use in uses)
    if not alone:
        return Finding("note", "part_of_another", reason, "give one of them fewer points, if that was not meant", rows)
    if len(direct) == 1:
        return Finding("warning", "same_signal", reason, "make one ladder of these rows", rows)
    if len({columns[name].signal.id for name in direct}) == 1:
        return Finding("warning", "other_window", reason, "keep the window that tells more (`pls-ml signals --show` says which)", rows)
    return Finding("warning", "same_measure", reason, "keep one of these signals", rows)


def _count(rows: Sequence[CardRow], verb: str = "look") -> str:
    """'3 rows look at', '1 row names'."""
    at = " at" if verb == "look" else ""
    return f"{len(rows)} rows {verb}{at}" if len(rows) > 1 else f"1 row {verb}s{at}"


def _most(row: CardRow) -> int:
    return max(row.range, key=abs)


def _ids(rows: Sequence[CardRow]) -> tuple[str, ...]:
    return tuple(row.id for row in rows)
