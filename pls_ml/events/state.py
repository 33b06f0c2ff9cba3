"""Logged events → the state's rows: one per user, account as logged, tick of the event and tick at which it became known.

Rows merge by sums, minima, maxima and bit-wise or, so a state may be cut into any number of rows and files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pls_ml.core.atoms import BITS, MAX_VALUES, MICRO, Atom, coded_properties
from pls_ml.core.database import Database, literal, quote

LARGEST = 2**63 - 1
KEYS = ("user_id", "account_id", "event_tick", "known_tick")
ORDER = "user_id, event_tick, known_tick, account_id"
"""Of the rows of a file."""
Codes = Mapping[str, Sequence[str]]
"""Property → its values in the order in which they became known; a value's place is its bit."""


def roll_up(source: str, atoms: Sequence[Atom], codes: Codes) -> str:
    """Takes the name of a relation of logged events, the atoms and the codes; returns the query of the state's rows."""
    columns = [
        f"{sql} AS {quote(name)}" for atom in atoms for name, sql in zip(columns_of(atom, codes), _measured(atom, codes), strict=True)
    ]
    joins = "".join(
        f" LEFT JOIN {quote('codes_' + p)} AS {quote('c_' + p)} ON {quote('c_' + p)}.value = e.{quote(p)}" for p in coded_properties(atoms)
    )
    keys = ", ".join(f"e.{key}" for key in KEYS)
    return f"SELECT {keys}, {', '.join(columns)} FROM {source} AS e{joins} GROUP BY {keys}"


def columns_of(atom: Atom, codes: Codes) -> list[str]:
    """Takes an atom and the codes; returns the state's columns that hold it: one, or one per mask word."""
    return [atom.word(word) for word in range(_words(atom, codes))] if atom.kind == "bits" else [atom.name]


def merge_rows(atoms: Sequence[Atom], codes: Codes) -> str:
    """Takes atoms and codes; returns the SQL of their columns, merged over rows."""
    exact = "CAST(sum(CAST({} AS DOUBLE)) AS BIGINT)"  # counts and durations stay below 2^53; sums of sixteen bytes cost twice as much
    merges = {"first": "min({})", "last": "max({})", "bits": "bit_or({})", "sum": _held("sum({})")}
    columns = [(merges.get(atom.kind, exact), quote(column)) for atom in atoms for column in columns_of(atom, codes)]
    return ", ".join(f"{merge.replace('{}', column)} AS {column}" for merge, column in columns)


def _held(total: str) -> str:
    """The SQL of a sum as a whole number of eight bytes; one that does not fit is held at the largest that does."""
    return f"CAST(CASE WHEN {total} > {LARGEST} THEN {LARGEST} WHEN {total} < -{LARGEST} THEN -{LARGEST} ELSE {total} END AS BIGINT)"


def _words(atom: Atom, codes: Codes) -> int:
    values = codes.get(atom.of, ())
    return -(-len(values) // BITS) if fits(values) else 0


def _measured(atom: Atom, codes: Codes) -> list[str]:
    """The SQL of each of an atom's columns over logged events."""
    test = atom.matches()
    only = f"FILTER (WHERE {test})"
    if atom.kind == "bits":
        place = quote("c_" + atom.of)
        words = range(_words(atom, codes))
        of_word = [f" AND {place}.word = {word}" for word in words] if len(words) > 1 else [""] * len(words)
        return [f"bit_or({place}.bit) FILTER (WHERE {test}{this})" for this in of_word]
    return [
        {
            "n": f"nullif(count(*) {only}, 0)",
            "first": f"min(e.event_us) {only}",
            "last": f"max(e.event_us) {only}",
            "sum": _held(f"sum(e.{quote('micro_' + atom.of)}) {only}"),
            "starts": f"nullif(count(*) FILTER (WHERE {test} AND NOT coalesce(e.idle_us <= {atom.of or 0}, FALSE)), 0)",
            "busy": f"CAST(sum(e.idle_us) FILTER (WHERE {test} AND e.idle_us <= {atom.of or 0}) AS BIGINT)",
        }[atom.kind]
    ]


def micro(column: str) -> str:
    """Takes the SQL of a property; returns the SQL of its value in whole millionths, missing where it is no number of a sane size."""
    x = f"TRY_CAST({column} AS DOUBLE)"
    up = f"CAST(floor({{}} * CAST({MICRO} AS DOUBLE) + CAST('0.5' AS DOUBLE)) AS BIGINT)"
    rounded = f"CASE WHEN {x} < 0 THEN -{up.format('-' + x)} ELSE {up.format(x)} END"
    return f"CASE WHEN abs({x}) < CAST(4503599627 AS DOUBLE) THEN {rounded} END"


def fits(values: Sequence[str]) -> bool:
    """Takes a property's values; returns whether they fit into the state's bits."""
    return len(values) <= MAX_VALUES


def make_codes(database: Database, codes: Codes) -> None:
    """Takes codes; makes one table `codes_<property>` (value, bit, word) each."""
    for name, values in codes.items():
        database.execute(f"CREATE OR REPLACE TEMP TABLE {quote('codes_' + name)} AS {code_table(values)}")


def code_table(values: Sequence[str]) -> str:
    """Takes a property's values in order; returns the query of their table: value, its bit within a mask word, and the word."""
    rows = ", ".join(f"({literal(value)}, {1 << code % BITS}, {code // BITS})" for code, value in enumerate(values)) or "(NULL, NULL, NULL)"
    return (
        "SELECT CAST(value AS VARCHAR) AS value, CAST(bit AS BIGINT) AS bit, CAST(word AS BIGINT) AS word "
        f"FROM (VALUES {rows}) AS t(value, bit, word)"
    )
