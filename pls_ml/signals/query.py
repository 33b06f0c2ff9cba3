"""A catalogue → one SQL query over the state, the users, the accounts and the spine; every engine runs this query.

Signals of events are put together in three steps: the visible rows of every lead (or account) are aggregated once, what lasts for life is
added up from one `as_of` of a lead to its next, and each column's value is computed from these parts. Columns of tables and of other
columns follow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pls_ml.core.atoms import Atom, atoms_of
from pls_ml.core.catalogue import Catalogue, SignalColumn, references
from pls_ml.core.columns import holds_at, lead_rows
from pls_ml.core.database import literal, quote
from pls_ml.core.measures import OF_ACCOUNTS, ActiveDays, OnColumns, OnEvents, OnTables
from pls_ml.core.owners import MOVES, owned_rows
from pls_ml.core.windows import Grain
from pls_ml.signals.columns import derive
from pls_ml.signals.parts import FIRST_DAY, Cook, Part, Recipe
from pls_ml.signals.people import people_columns


@dataclass(frozen=True)
class Shape:
    """What the query depends on beside the catalogue: the grain, the columns of atoms kept as bits, and three facts of the data.

    `words`: atom name → its mask columns; `moves`: whether users or accounts have versions; `repeats`: whether a lead has several ticks.
    """

    grain: Grain
    words: Mapping[str, Sequence[str]]
    moves: bool
    repeats: bool


@dataclass(frozen=True)
class Query:
    """The query of one catalogue over data of one shape, for every row of the table `spine`."""

    catalogue: Catalogue
    shape: Shape
    spine: str = "spine"

    @cached_property
    def recipes(self) -> dict[str, Recipe]:
        """Column → recipe, of the columns measured on events."""
        cook = Cook(self.shape.grain, lambda atom: self.shape.words.get(atom.name, ()))
        return {c.name: cook.recipe(c) for c in self.catalogue if isinstance(c.signal.measure, OnEvents)}

    @property
    def sql(self) -> str:
        """The query: the spine's `row`, then one column per signal column, in the order of the rows."""
        return f'{self.unordered} ORDER BY "row"'

    @property
    def unordered(self) -> str:
        """The query without an order, which costs a cluster a sort."""
        steps = [f"ticked AS ({self._ticked()})"]
        by_scope = {own: self._parts(own) for own in (True, False)}
        if by_scope[False] or (by_scope[True] and self.catalogue.unit == "account"):
            steps.append(f"owned AS ({owned_rows(self.shape.grain, self.shape.moves)})")
        if by_scope[True]:
            steps += self._lead_steps(by_scope[True])
        if by_scope[False]:
            steps += self._account_steps(by_scope[False])
        tables = [c for c in self.catalogue if isinstance(c.signal.measure, OnTables)]
        people_steps, people, joins = people_columns(tables, self.shape.grain, self.shape.moves)
        steps += people_steps
        steps.append(f"base AS ({self._base(people, joins, by_scope)})")
        last = "base"
        for position, level in enumerate(self._levels()):
            values = ", ".join(f"{_filled(column, derive(column))} AS {quote(column.name)}" for column in level)
            steps.append(f"step_{position} AS (SELECT {last}.*, {values} FROM {last})")
            last = f"step_{position}"
        chosen = ", ".join(_typed(column) for column in self.catalogue)
        return f'WITH {", ".join(steps)} SELECT "row", {chosen} FROM {last}'

    def _levels(self) -> list[list[SignalColumn]]:
        """Columns made of other columns: those together that read nothing but what comes before them."""
        depth: dict[str, int] = {}
        for column in self.catalogue.ordered:
            if isinstance(column.signal.measure, OnColumns):
                depth[column.name] = 1 + max((depth.get(name, 0) for name in references(column.signal)), default=0)
        return [[c for c in self.catalogue if depth.get(c.name) == level] for level in sorted(set(depth.values()))]

    def _parts(self, own: bool) -> dict[Part, str]:
        """The distinct parts of the lead's own columns, or of its account's, each with the name of its column."""
        columns = [c for c in self.catalogue if c.name in self.recipes and (c.signal.scope == "user") == own]
        parts = dict.fromkeys(part for c in columns for part in self.recipes[c.name].parts)
        return {part: f"{'u' if own else 'a'}{number}" for number, part in enumerate(parts)}

    def _ticked(self) -> str:
        tick = self.shape.grain.to_tick
        return (
            'SELECT s."row", s.lead_id, s.account_id, s.as_of, epoch_us(s.as_of) AS as_of_us, epoch_us(u.signup_at) AS signup_us, '
            f"CAST({tick('s.as_of')} AS BIGINT) AS tick, CAST({tick('u.signup_at')} AS BIGINT) AS signup_tick, "
            f"coalesce(u.is_internal, FALSE) AS is_internal FROM {self.spine} AS s "
            f"JOIN ({lead_rows(self.catalogue.unit)}) AS u ON u.lead_id = s.lead_id"
        )

    @cached_property
    def adds_up(self) -> Mapping[str, bool]:
        """Whether what lasts for life is added up from tick to tick, of leads and of accounts; else every tick looks back all the way.

        People cannot be added up: who was there before would count again.
        """
        lasting = [c for c in self.catalogue if c.name in self.recipes and any(p.reach is None for p in self.recipes[c.name].parts)]
        people = any(c.signal.scope == "colleagues" or isinstance(c.signal.measure, OF_ACCOUNTS) for c in lasting)
        return {"lead": self.shape.repeats, "account": self.shape.repeats and not people}

    def _keys(self, name: str, spine_key: str) -> str:
        """Every lead (or account) and tick once, with the tick before."""
        day = self.shape.grain.ticks_per_day
        before = f"coalesce(lag(tick) OVER (PARTITION BY {spine_key} ORDER BY tick), 0)" if self.adds_up[name] else "CAST(0 AS BIGINT)"
        customers = " AND NOT is_internal" if name == "lead" else ""  # what our own people do is no usage
        return (
            f"{name}_keys AS (SELECT row_number() OVER (ORDER BY {spine_key}, tick) AS key, {spine_key}, tick, signup_tick, as_of, "
            f"{before} AS before, "
            f"CAST((tick - 1) // {day} AS BIGINT) AS last_day, CAST((CAST(tick // {day} AS BIGINT) + 3) // 7 AS BIGINT) AS week "
            f"FROM (SELECT {spine_key}, tick, max(signup_tick) AS signup_tick, min(as_of) AS as_of FROM ticked "
            f"WHERE {spine_key} IS NOT NULL{customers} GROUP BY {spine_key}, tick) AS t)"
        )

    def _lead_steps(self, parts: Mapping[Part, str]) -> list[str]:
        """A lead's own parts: of the user's rows, or of all that the account owns."""
        rows, owner = ("owned", "owner") if self.catalogue.unit == "account" else ("state", "user_id")
        columns = ", ".join(f"{part.sql} AS {column}" for part, column in parts.items())
        found = (
            f"lead_found AS (SELECT s.key, {columns} FROM lead_keys AS s JOIN {self._flagged(parts, rows, owner)} AS e "
            f"ON e.{owner} = s.lead_id AND {_visible(parts)} GROUP BY s.key)"
        )
        return [self._keys("lead", "lead_id"), found, self._lasting("lead", "lead_id", parts)]

    def _lasting(self, name: str, spine_key: str, parts: Mapping[Part, str]) -> str:
        """What was found between a lead's ticks, added up where it lasts for life."""
        along = f"OVER (PARTITION BY s.{spine_key} ORDER BY s.tick ROWS UNBOUNDED PRECEDING)"
        lasting = [part for part in parts if part.reach is None and self.adds_up[name]]
        columns = ", ".join(f"{part.merge}(f.{c}) {along} AS {c}" if part in lasting else f"f.{c}" for part, c in parts.items())
        joined = f"{name}_keys AS s LEFT JOIN {name}_found AS f ON f.key = s.key"
        return f"{name}_parts AS (SELECT s.key, s.{spine_key}, s.tick, {columns} FROM {joined})"

    def _account_steps(self, parts: Mapping[Part, str]) -> list[str]:
        """An account's parts, first by its users, so that they can be counted and the lead's own share can be told apart."""
        columns = ", ".join(f"{part.sql} AS {column}" for part, column in parts.items())
        members = (
            f"members AS (SELECT s.key, s.account_id, s.tick, min(s.as_of) AS as_of, e.user_id, {columns} FROM account_keys AS s "
            f"JOIN {self._flagged(parts, 'owned', 'owner')} AS e ON e.owner = s.account_id AND {_visible(parts)} "
            "GROUP BY s.key, s.account_id, s.tick, e.user_id)"
        )
        merged = ", ".join(f"{part.members.format(p=c) if part.members else f'{part.merge}(m.{c})'} AS {c}" for part, c in parts.items())
        held = f" AND {holds_at('v', 'm.as_of')}" if self.shape.moves else ""
        version_join = f"LEFT JOIN user_versions AS v ON v.user_id = m.user_id{held}" if any(p.members for p in parts) else ""
        found = f"account_found AS (SELECT m.key, {merged} FROM members AS m {version_join} GROUP BY m.key)"
        return [self._keys("account", "account_id"), members, found, self._lasting("account", "account_id", parts)]

    def _flagged(self, parts: Mapping[Part, str], rows: str, owner: str) -> str:
        """State rows, with a flag for the first one of an owner's day where days are counted over life."""
        flags = [c for c in self.catalogue if isinstance(c.signal.measure, ActiveDays) and c.window is not None and c.window.is_lifetime]
        wanted = {FIRST_DAY + atom.name: atom for c in flags for atom in atoms_of(c.signal)}
        wanted = {flag: atom for flag, atom in wanted.items() if any(flag in part.value for part in parts)}
        if not wanted:
            return rows
        columns = ", ".join(f"{self._first_of_day(atom, owner)} AS {quote(flag)}" for flag, atom in wanted.items())
        return f"(SELECT {rows}.*, {columns} FROM {rows})"

    def _first_of_day(self, atom: Atom, owner: str) -> str:
        name, day = quote(atom.name), f"CAST(event_tick // {self.shape.grain.ticks_per_day} AS BIGINT)"
        first = f"row_number() OVER (PARTITION BY {owner}, {day}, coalesce({name}, 0) > 0 ORDER BY seen_tick) = 1"
        return f"CASE WHEN {name} > 0 AND {first} THEN 1 END"

    def _base(self, people: Mapping[str, str], joins: str, by_scope: Mapping[bool, Mapping[Part, str]]) -> str:
        values = []
        for column in self.catalogue:
            if column.name in self.recipes:
                values.append(f"{_filled(column, self._value(column, by_scope))} AS {quote(column.name)}")
            elif column.name in people:
                values.append(f"{_filled(column, people[column.name])} AS {quote(column.name)}")
        if by_scope[True]:
            joins += "LEFT JOIN lead_parts AS l ON l.lead_id = s.lead_id AND l.tick = s.tick "
        if by_scope[False]:
            joins += "LEFT JOIN account_parts AS a ON a.account_id = s.account_id AND a.tick = s.tick "
        if any(c.signal.scope == "colleagues" for c in self.catalogue):
            joins += "LEFT JOIN members AS o ON o.account_id = s.account_id AND o.tick = s.tick AND o.user_id = s.lead_id "
            held = f" AND {holds_at('uv', 's.as_of')}" if self.shape.moves else ""
            joins += f"LEFT JOIN user_versions AS uv ON uv.user_id = s.lead_id{held} "
        return f'SELECT s."row"{"".join(", " + sql for sql in values)} FROM ticked AS s {joins}'

    def _value(self, column: SignalColumn, by_scope: Mapping[bool, Mapping[Part, str]]) -> str:
        recipe, scope = self.recipes[column.name], column.signal.scope
        names = by_scope[scope == "user"]
        if scope == "user":
            return recipe.final([f"l.{names[part]}" for part in recipe.parts])
        if scope == "account":
            value = recipe.final([f"a.{names[part]}" for part in recipe.parts])
        else:
            value = recipe.final([f"(coalesce(a.{names[p]}, 0) - {p.own.format(p=f'o.{names[p]}')})" for p in recipe.parts])
        return f"CASE WHEN s.account_id IS NOT NULL THEN {value} END"


def _visible(parts: Mapping[Part, str]) -> str:
    """Nothing that happens, or becomes known, at or after `as_of`; and only what some part reads."""
    reaches = [part.reach for part in parts if part.reach is not None]
    within = [f"e.window_tick >= s.tick - {max(reaches)}"] if reaches else []
    within += ["e.life_tick >= s.before"] if any(part.reach is None for part in parts) else []
    return f"e.seen_tick < s.tick AND ({' OR '.join(within)})"


def _filled(column: SignalColumn, value: str) -> str:
    missing = column.signal.missing
    return value if missing is None else f"coalesce({value}, CAST({literal(repr(float(missing)))} AS DOUBLE))"


def _typed(column: SignalColumn) -> str:
    name = quote(column.name)
    return name if column.signal.is_category else f"CAST({name} AS DOUBLE) AS {name}"


def longest_reach(catalogue: Catalogue, grain: Grain) -> int:
    """Takes a catalogue and the time grain; returns how many ticks its windows look back at most.

    Refuses a window or grace period that is no multiple of the grain.
    """
    cook = Cook(grain, lambda atom: ())
    recipes = [cook.recipe(column) for column in catalogue if isinstance(column.signal.measure, OnEvents)]
    return max((part.reach for recipe in recipes for part in recipe.parts if part.reach is not None), default=0)


def find_shape(exists: Callable[[str], bool], grain: Grain, words: Mapping[str, Sequence[str]]) -> Shape:
    """Takes what tells whether a query has a row, the grain and the state's mask columns; returns the shape of the data at work."""
    several = "SELECT 1 FROM (SELECT {0} FROM spine GROUP BY {0} HAVING min(as_of) < max(as_of)) AS t LIMIT 1"
    return Shape(grain, words, exists(MOVES), repeats=exists(several.format("lead_id")) or exists(several.format("account_id")))
