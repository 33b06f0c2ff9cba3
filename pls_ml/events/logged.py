"""The events between two ticks as the state takes them in: each once, under its canonical names, with its ticks and properties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pls_ml.core.atoms import MAX_VALUES, Atom, read_properties
from pls_ml.core.database import literal, quote
from pls_ml.core.windows import DAY_US
from pls_ml.events.log import LONGEST_SHIFT_DAYS, Log, Span
from pls_ml.events.state import Codes, fits, micro

SAME_ID = "r.h = hash(e.event_id) AND e.event_id IS NOT NULL"


@dataclass(frozen=True)
class Wanted:
    """What the atoms want of an event: properties as text, properties as numbers, and how long the user had been idle."""

    texts: tuple[str, ...]
    numbers: tuple[str, ...]
    idle: bool


def find_wanted(log: Log, atoms: Sequence[Atom]) -> Wanted:
    """Takes a log and atoms; returns what they want of an event, as far as the log has it."""
    numbers = {atom.of for atom in atoms if atom.kind == "sum"}
    texts = {name for atom in atoms for name in atom.chosen.where} | {atom.of for atom in atoms if atom.kind == "bits"}
    have = set(log.columns) - {"user_id", "account_id", "event"}  # every event has these anyway
    return Wanted(tuple(sorted(texts & have)), tuple(sorted(numbers & have)), any(atom.kind in ("starts", "busy") for atom in atoms))


def computable(log: Log, atoms: Sequence[Atom]) -> tuple[Atom, ...]:
    """Takes a log and atoms; returns those whose properties the log has."""
    return tuple(atom for atom in atoms if set(read_properties((atom,))) <= set(log.columns))


def open_logged(log: Log, span: Span, wanted: Wanted) -> str:
    """Takes a log, a span and what is wanted; makes the view `logged` of the events that became known in it, each once.

    Its rows: user_id, account_id, event, name_no (0 for the first of several names), event_tick, known_tick, event_us, idle_us (since
    the user's event before, in the order of arrival), the texts, and `micro_<number>`. Returns its name.
    """
    since, until = span
    day = log.grain.ticks_per_day
    begin = (since // day - 1) * day if wanted.idle else since  # yesterday's last event may go on today
    chosen = f"{log.usable} AND {log.known_between(begin, until)}"
    rows = f"SELECT {_columns(log, wanted)} FROM events AS e WHERE {chosen}"
    if "event_id" in log.columns and _find_repeated(log, begin, until):
        _keep_first(log, begin, until)
        rows = (
            f"SELECT {_columns(log, wanted)} FROM events AS e ANTI JOIN repeated AS r ON {SAME_ID} WHERE {chosen} "
            f"UNION ALL SELECT {_columns(log, wanted)} FROM first_of_each AS e"
        )
    if wanted.idle:
        rows = f"SELECT * FROM ({_with_idle(rows, log)}) WHERE known_tick >= {since}"
    name, names = "e.event, 0 AS name_no", ""
    if log.source.pairs():
        name = "coalesce(n.canonical, e.event) AS event, coalesce(n.name_no, 0) AS name_no"
        names = " LEFT JOIN event_names AS n ON n.raw = e.event"
    log.database.execute(f"CREATE OR REPLACE TEMP VIEW logged AS SELECT e.* EXCLUDE (event), {name} FROM ({rows}) AS e{names}")
    return "logged"


def find_values(log: Log, span: Span, properties: Sequence[str], codes: Codes) -> dict[str, list[tuple[str, int]]]:
    """Takes a log, a span, properties and their codes so far; returns their new values, each with the tick at which it became known.

    They come in the order in which they became known, then by the alphabet. One value more than fit says that they do not fit. Values of
    repeated rows are values too, bits of which may never be set.
    """
    asked = [name for name in properties if fits(codes.get(name, ()))]
    found: dict[str, list[tuple[str, int]]] = {name: [] for name in asked}
    for name, value, tick in log.database.rows(_values(log, span, asked)) if asked else ():
        if value not in codes.get(name, ()) and len(found[name]) + len(codes.get(name, ())) <= MAX_VALUES:
            found[name].append((value, tick))
    return found


def _values(log: Log, span: Span, properties: Sequence[str]) -> str:
    """The query of (property, value, tick) of all properties in one pass, no more of each than tell whether they fit."""
    texts = {name: _as_text(name, log.columns[name]) if name != "event" else "coalesce(n.canonical, e.event)" for name in properties}
    named = ", ".join(f"{text} AS {quote('v_' + name)}" for name, text in texts.items())
    names = "LEFT JOIN event_names AS n ON n.raw = e.event " if "event" in texts else ""
    rows = f"SELECT {named}, {log.known} AS known FROM events AS e {names}WHERE {log.usable} AND {log.known_between(*span)}"
    columns = [quote("v_" + name) for name in texts]
    which = " ".join(f"WHEN grouping({column}) = 0 THEN {literal(name)}" for name, column in zip(texts, columns, strict=True))
    found = (
        f"SELECT CASE {which} END AS property, coalesce({', '.join(columns)}) AS value, {log.grain.to_tick('min(known)')} AS tick "
        f"FROM ({rows}) GROUP BY GROUPING SETS ({', '.join(f'({column})' for column in columns)})"
    )
    place = "row_number() OVER (PARTITION BY property ORDER BY tick, value)"
    return f"SELECT * FROM ({found}) WHERE value IS NOT NULL QUALIFY {place} <= {2 * MAX_VALUES} ORDER BY property, tick, value"


def _columns(log: Log, wanted: Wanted) -> str:
    parts = ["e.user_id", f"{log.account} AS account_id", "e.event", f"{log.grain.to_tick('e.event_time')} AS event_tick"]
    parts += [f"{log.grain.to_tick(log.known)} AS known_tick", "epoch_us(e.event_time) AS event_us"]
    parts += [f"{_as_text(name, log.columns[name])} AS {quote(name)}" for name in wanted.texts]
    parts += [f"{micro('e.' + quote(name))} AS {quote('micro_' + name)}" for name in wanted.numbers]
    return ", ".join(parts)


def _as_text(column: str, sql_type: str) -> str:
    """A property as text; a whole number in a column of doubles (pandas makes those of integers with gaps) without its '.0'."""
    text = f"CAST(e.{quote(column)} AS VARCHAR)"
    return f"regexp_replace({text}, '\\.0$', '')" if sql_type in ("DOUBLE", "FLOAT") else text


def _with_idle(rows: str, log: Log) -> str:
    """Rows with the time since the user's event before; missing where that was known days earlier, or happened later.

    An event told in a tick before its own shows later than those that arrive after it, so it stands outside.
    """
    account = ", account_id NULLS LAST" if "account_id" in log.columns else ""
    before = f"PARTITION BY user_id, event_tick > known_tick ORDER BY known_tick, event_us{account}"
    day = log.grain.ticks_per_day
    gap = f"event_us - lag(event_us) OVER ({before})"
    near = f"known_tick // {day} - lag(known_tick) OVER ({before}) // {day} <= 1"
    return f"SELECT *, CASE WHEN event_tick <= known_tick AND {gap} >= 0 AND {near} THEN {gap} END AS idle_us FROM ({rows})"


def _find_repeated(log: Log, begin: int, until: int) -> bool:
    """Makes `repeated` of the hashes of event ids that occur more than once; returns whether there are any.

    Ids are compared over `dedupe_days`, by sorting, which is far faster than grouping.
    """
    chosen = f"e.event_id IS NOT NULL AND {log.known_between(_reach(log, begin), until)}"
    hashes = log.database.arrow(f"SELECT hash(e.event_id) AS h FROM events AS e WHERE {chosen}")["h"].to_numpy()
    hashes = np.sort(hashes)
    repeated = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
    if not len(repeated):
        return False
    log.database.register("repeated_hashes", pa.table({"h": repeated}))
    log.database.execute("CREATE OR REPLACE TEMP TABLE repeated AS SELECT h FROM repeated_hashes")
    return True


def _keep_first(log: Log, begin: int, until: int) -> None:
    """Makes `first_of_each` of the usable rows whose id may repeat, without those that do.

    Copies are told apart by all their columns, so that the one that stays is the same whatever is asked of it.
    """
    told_apart = ", ".join(f"e.{quote(name)}" for name in sorted(log.columns))
    order = f"PARTITION BY e.event_id ORDER BY {log.known}, e.event_time, e.user_id, e.event, {told_apart}"
    known = f"epoch_us({log.known})"
    log.database.execute(
        "CREATE OR REPLACE TEMP TABLE first_of_each AS SELECT * FROM ("
        f"SELECT e.*, coalesce({known} - lag({known}) OVER ({order}) <= {log.source.dedupe_days * DAY_US}, FALSE) AS is_repeat "
        f"FROM events AS e SEMI JOIN repeated AS r ON {SAME_ID} "
        f"WHERE {log.usable} AND {log.known_between(_reach(log, begin), until)}) AS e "
        f"WHERE NOT is_repeat AND {log.known_between(begin, until)}"
    )


def _reach(log: Log, begin: int) -> int:
    """The tick from which on an event may be the first of one that is known at `begin`."""
    return begin - (log.source.dedupe_days + LONGEST_SHIFT_DAYS) * log.grain.ticks_per_day
