"""The state from a log in one query that every engine runs: what the kept state takes in piece by piece, by the plain rules.

Its SQL is DuckDB's, without functions that other engines lack; where texts order rows, they do so by their bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pls_ml.core.atoms import MAX_VALUES, Atom, coded_properties, read_properties
from pls_ml.core.database import literal, literals, quote
from pls_ml.core.windows import DAY_US, Grain
from pls_ml.events.invitations import NAME as INVITED
from pls_ml.events.log import EARLIEST, FUTURE_DAYS, LATEST, stamp
from pls_ml.events.mapping import EventSource
from pls_ml.events.state import Codes, code_table, columns_of, micro, roll_up

NUMBER = r"^\s*[+-]?([0-9]{1,200}(\.[0-9]{0,200})?|\.[0-9]{1,200})([eE][+-]?[0-9]{1,2})?\s*$"
"""Texts that every engine reads as the same number."""
EVERY_EVENT = ("user_id", "account_id", "event")
"""Columns that events have anyway."""


@dataclass(frozen=True)
class PortableLog:
    """A log that some engine has as the table `events`: the columns it has with their DuckDB types, its mapping, and the time grain.

    Rows stand in `events` as the mapping's `columns` and `constants` make them; names of events are still the tracker's. For invitations,
    the table `users` is read too.
    """

    columns: Mapping[str, str]
    source: EventSource
    grain: Grain

    def steps(self, atoms: Sequence[Atom]) -> list[str]:
        """Takes atoms; returns the query steps from `events` to `logged`: each event once, under its canonical names."""
        texts, numbers = self._wanted(atoms)
        days = f"since_same > {self.source.dedupe_days * DAY_US}"
        fresh = f" WHERE coalesce({days}, TRUE)" if "event_id" in self.columns else ""
        kept = ["user_id", "account_id", "event", "event_tick", "known_tick", "event_us", *map(quote, texts)]
        kept += [f"{micro(_double(quote('number_' + name)))} AS {quote('micro_' + name)}" for name in numbers]
        return [
            f"usable AS (SELECT {', '.join(self._columns(texts, numbers))} FROM events AS e WHERE {self._usable()})",
            f"arrived AS (SELECT {', '.join(kept)}, {self._idle()} AS idle_us FROM usable{fresh})",
            *self._named(texts, numbers),
        ]

    def roll_up(self, atoms: Sequence[Atom], codes: Codes) -> list[str]:
        """Takes atoms and codes; returns the query steps after `logged`, the last of which is `rolled`: the state's rows.

        Atoms of properties that the log lacks are missing in every row.
        """
        known = [atom for atom in atoms if set(read_properties((atom,))) <= set(self.columns)]
        absent = [column for atom in atoms if atom not in known for column in columns_of(atom, codes)]
        nothing = "".join(f", CAST(NULL AS BIGINT) AS {quote(column)}" for column in absent)
        tables = [f"{quote('codes_' + name)} AS ({code_table(codes.get(name, ()))})" for name in coded_properties(known)]
        return [*tables, f"found AS ({roll_up('logged', known, codes)})", f"rolled AS (SELECT found.*{nothing} FROM found)"]

    def find_codes(self, atoms: Sequence[Atom]) -> str:
        """Takes atoms; returns the query of (property, value) of those kept as bits, in the order of their codes."""
        texts, _ = self._wanted(atoms)
        found = " UNION ALL ".join(
            f"SELECT {literal(name)} AS property, {quote(name)} AS value, min(known_tick) AS since FROM logged "
            f"WHERE {quote(name)} IS NOT NULL GROUP BY {quote(name)}"
            for name in coded_properties(atoms)
            if name in texts
        )
        place = "row_number() OVER (PARTITION BY property ORDER BY since, value COLLATE C)"
        placed = f"SELECT property, value, {place} AS place FROM ({found}) AS f"
        chosen = f"SELECT property, value FROM ({placed}) AS p WHERE place <= {MAX_VALUES + 1} ORDER BY property, place"
        return f"WITH {', '.join(self.steps(atoms))} {chosen}"

    @property
    def known(self) -> str:
        """The SQL of when a row `e` became known."""
        return "coalesce(e.known_at, e.event_time)" if "known_at" in self.columns else "e.event_time"

    def _wanted(self, atoms: Sequence[Atom]) -> tuple[list[str], list[str]]:
        """The properties that are read as texts, and as numbers, as far as the log has them."""
        texts = {name for atom in atoms for name in atom.chosen.where} | set(coded_properties(atoms))
        numbers = {atom.of for atom in atoms if atom.kind == "sum"}
        have = set(self.columns) - set(EVERY_EVENT)
        return sorted(texts & have), sorted(numbers & have)

    def _usable(self) -> str:
        tests = ["e.user_id IS NOT NULL", "e.event IS NOT NULL", f"e.event_time >= {stamp(EARLIEST)}"]
        if "known_at" in self.columns:
            ahead = f"epoch_us(e.event_time) - epoch_us({self.known})"
            tests += [f"{self.known} >= {stamp(EARLIEST)}", f"{ahead} < {FUTURE_DAYS * DAY_US}"]
        return " AND ".join([*tests, f"e.event NOT IN {literals(self.source.exclude)}"] if self.source.exclude else tests)

    def _columns(self, texts: Sequence[str], numbers: Sequence[str]) -> list[str]:
        tick = self.grain.to_tick
        account = "e.account_id" if "account_id" in self.columns else "CAST(NULL AS VARCHAR) AS account_id"
        columns = ["e.user_id", account, "e.event", f"{tick('e.event_time')} AS event_tick", f"{tick(self.known)} AS known_tick"]
        columns += ["epoch_us(e.event_time) AS event_us"]
        columns += [f"{_as_text('e.' + quote(name), self.columns[name])} AS {quote(name)}" for name in texts]
        columns += [f"{_as_number('e.' + quote(name), self.columns[name])} AS {quote('number_' + name)}" for name in numbers]
        return [*columns, f"{self._since_same()} AS since_same"] if "event_id" in self.columns else columns

    def _since_same(self) -> str:
        """How long before, the event with the same id became known; events without an id are spread over their users."""
        by = [self.known, "e.event_time", "e.user_id COLLATE C", "e.event COLLATE C"]
        by += [f"e.{quote(name)}{' COLLATE C' if self.columns[name] == 'VARCHAR' else ''}" for name in sorted(self.columns)]
        same = f"PARTITION BY e.event_id, CASE WHEN e.event_id IS NULL THEN e.user_id END ORDER BY {', '.join(by)}"
        return f"CASE WHEN e.event_id IS NOT NULL THEN epoch_us({self.known}) - lag(epoch_us({self.known})) OVER ({same}) END"

    def _idle(self) -> str:
        before = "PARTITION BY user_id, event_tick > known_tick ORDER BY known_tick, event_us, account_id COLLATE C"
        day = self.grain.ticks_per_day
        gap = f"event_us - lag(event_us) OVER ({before})"
        near = f"known_tick // {day} - lag(known_tick) OVER ({before}) // {day} <= 1"
        return f"CASE WHEN event_tick <= known_tick AND {gap} >= 0 AND {near} THEN {gap} END"

    def _named(self, texts: Sequence[str], numbers: Sequence[str]) -> list[str]:
        """The step `logged`: canonical names in the place of the tracker's, and accepted invitations."""
        columns = ["event_tick", "known_tick", "event_us", "idle_us", *map(quote, texts), *(quote(f"micro_{name}") for name in numbers)]
        same = "".join(f", e.{column}" for column in columns)
        pairs = self.source.pairs()
        before = [[raw for raw, _ in pairs[:place]].count(raw) for place, (raw, _) in enumerate(pairs)]
        rows = ", ".join(f"({literal(raw)}, {literal(name)}, {number})" for (raw, name), number in zip(pairs, before, strict=True))
        name = "coalesce(n.canonical, e.event) AS event, coalesce(n.name_no, 0) AS name_no" if pairs else "e.event, 0 AS name_no"
        names = f" LEFT JOIN (SELECT * FROM (VALUES {rows}) AS t(raw, canonical, name_no)) AS n ON n.raw = e.event" if pairs else ""
        logged = f"SELECT e.user_id, e.account_id, {name}{same} FROM arrived AS e{names}"
        if self.source.invitations:
            logged += f" UNION ALL {self._invited(texts, numbers)}"
        return [f"logged AS ({logged})"]

    def _invited(self, texts: Sequence[str], numbers: Sequence[str]) -> str:
        tick = self.grain.to_tick("g.signup_at")
        nothing = "".join(f", CAST(NULL AS VARCHAR) AS {quote(name)}" for name in texts)
        nothing += "".join(f", CAST(NULL AS BIGINT) AS {quote('micro_' + name)}" for name in numbers)
        return (
            f"SELECT i.user_id, CAST(NULL AS VARCHAR) AS account_id, {literal(INVITED)} AS event, 0 AS name_no, "
            f"{tick} AS event_tick, {tick} AS known_tick, epoch_us(g.signup_at) AS event_us, CAST(0 AS BIGINT) AS idle_us{nothing} "
            "FROM users AS g JOIN users AS i ON i.user_id = g.invited_by WHERE NOT coalesce(i.is_internal OR g.is_internal, FALSE) "
            f"AND g.signup_at >= {stamp(EARLIEST)} AND g.signup_at < {stamp(LATEST)}"
        )


def _as_text(column: str, sql_type: str) -> str:
    """A property as text; a whole number in a column of doubles without its '.0'."""
    if sql_type not in ("DOUBLE", "FLOAT"):
        return f"CAST({column} AS VARCHAR)"
    whole = f"{column} = floor({column}) AND abs({column}) < CAST('1e15' AS DOUBLE)"
    return f"CASE WHEN {whole} THEN CAST(CAST({column} AS BIGINT) AS VARCHAR) ELSE CAST({column} AS VARCHAR) END"


def _as_number(column: str, sql_type: str) -> str:
    if sql_type == "BOOLEAN":
        return f"CAST(CASE WHEN {column} THEN 1 WHEN NOT {column} THEN 0 END AS DOUBLE)"
    return f"CASE WHEN regexp_matches({column}, {literal(NUMBER)}) THEN {_double(column)} END" if sql_type == "VARCHAR" else _double(column)


def _double(sql: str) -> str:
    return f"CAST({sql} AS DOUBLE)"
