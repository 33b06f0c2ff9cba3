"""What `state.roll_up` says in SQL, in one compiled pass over logged events that touches only the atoms an event concerns.

A filtered aggregate costs its share for every event, whether it concerns it or not; with fifty of them they are most of a state's cost.
Here an event comes with a mask, a bit for every filter it passes, and adds to those atoms alone. Few events are rolled up in SQL all the
same, which is as fast and compiles nothing; so are events that would make more rows than memory holds, for SQL can spill.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pls_ml.core.atoms import BITS, Atom, coded_properties
from pls_ml.core.compiled import compile_loop
from pls_ml.core.database import STREAM_ROWS, Database, quote
from pls_ml.core.measures import EventFilter
from pls_ml.events.kernel import EMPTY, KINDS, Cells, add_events, join_halves
from pls_ml.events.log import Log, Span
from pls_ml.events.state import KEYS, LARGEST, ORDER, Codes, columns_of, roll_up

FEW = 500_000
"""Events up to which SQL is as fast."""
MOST_CELLS = 2**27
"""A gigabyte."""
NOTHING = f"CAST('{EMPTY}' AS BIGINT)"
BATCH = 2**16
"""Rows taken out of the cells in one go."""
KEY_COLUMNS = 3
"""Owner, event tick, known tick."""
SESSIONS = ("starts", "busy")


class Rolled(Protocol):
    """The state's rows of some events: one per user, account and ticks; `writers` threads may stream them at once."""

    writers: int

    def count(self, span: Span) -> int:
        """Takes a span; returns how many events its rows stand for."""

    def stream(self, span: Span, columns: Sequence[str]) -> AbstractContextManager[pa.RecordBatchReader]:
        """Takes a span and columns of atoms; gives its rows in the order of a file, batch by batch."""


def roll(log: Log, span: Span, atoms: Sequence[Atom], codes: Codes, events: int) -> Rolled:
    """Takes a log with the `logged` events of a span, the atoms, the codes with their tables, and how many events there are at most.

    Returns the state's rows, which hold until the next are made.
    """
    compiled = roll_compiled(log, span, atoms, codes, events) if events > FEW else None
    return compiled or RolledTable(log.database, atoms, codes)


class RolledTable:
    """Rows that SQL made, as the table `rolled` of the database."""

    writers = 1

    def __init__(self, database: Database, atoms: Sequence[Atom], codes: Codes) -> None:
        """Takes a database with the view `logged` and the tables of codes, the atoms and the codes."""
        self._database = database
        database.execute(f"CREATE OR REPLACE TEMP TABLE rolled AS {roll_up('logged', atoms, codes)}")

    def count(self, span: Span) -> int:
        """Takes a span; returns how many events its rows stand for."""
        return int(self._database.rows(f"SELECT coalesce(sum(n), 0) FROM rolled WHERE {_within(span)}")[0][0])

    def stream(self, span: Span, columns: Sequence[str]) -> AbstractContextManager[pa.RecordBatchReader]:
        """Takes a span and columns of atoms; gives its rows in the order of a file, batch by batch."""
        named = ", ".join((*KEYS, *map(quote, columns)))
        return self._database.stream(f"SELECT {named} FROM rolled WHERE {_within(span)} ORDER BY {ORDER}")


class RolledCells:
    """Rows that the compiled loop made, in any order."""

    writers = 2

    def __init__(self, plan: Plan, owners: pa.Table, keys: Cells, cells: Cells) -> None:
        """Takes the plan, the owners (user_id, account_id) in the order of their numbers, the rows' keys and their cells."""
        self._plan, self._owners, self._keys, self._cells = plan, owners, keys, cells
        self._users = np.asarray(pc.rank(owners["user_id"], tiebreaker="dense"))

    def count(self, span: Span) -> int:
        """Takes a span; returns how many events its rows stand for."""
        return int(self._cells[self._find(span), self._plan.columns.index("n")].sum())

    @contextmanager
    def stream(self, span: Span, columns: Sequence[str]) -> Iterator[pa.RecordBatchReader]:
        """Takes a span and columns of atoms; gives its rows in the order of a file, batch by batch."""
        owner, event_tick, known_tick = self._keys
        rows, named = self._find(span), [*KEYS, *columns]
        keys = (owner[rows], known_tick[rows], event_tick[rows], self._users[owner[rows]])  # of one user's owners, accounts are in order
        rows = rows[np.lexsort(keys)]
        batches = (self._take(rows[begin : begin + BATCH]).select(named) for begin in range(0, len(rows), BATCH))
        yield pa.RecordBatchReader.from_batches(self._take(rows[:0]).select(named).schema, batches)

    def _find(self, span: Span) -> npt.NDArray[np.int64]:
        return np.flatnonzero((self._keys[2] >= span[0]) & (self._keys[2] < span[1]))

    def _take(self, rows: npt.NDArray[np.int64]) -> pa.RecordBatch:
        owners = self._owners.take(pa.array(self._keys[0, rows])).combine_chunks()
        found = [pa.array(values, mask=values == EMPTY) for values in self._plan.finish(np.ascontiguousarray(self._cells[rows].T))]
        columns = [*(column.combine_chunks() for column in owners.columns), *map(pa.array, self._keys[1:, rows]), *found]
        return pa.record_batch(columns, names=[*KEYS, *self._plan.columns])


def roll_compiled(
    log: Log, span: Span, atoms: Sequence[Atom], codes: Codes, events: int, most_cells: int = MOST_CELLS
) -> RolledCells | None:
    """Takes what `roll` does, and how many cells may be held; returns the rows, or nothing where that is too few."""
    plan, add = Plan(atoms, codes), compile_loop(add_events)
    owned = f"SELECT DISTINCT e.user_id, {log.account} AS account_id FROM events AS e WHERE {log.known_between(*span)}"
    numbered = "row_number() OVER (ORDER BY user_id, account_id) - 1 AS owner"
    log.database.execute(f"CREATE OR REPLACE TEMP TABLE owners AS SELECT {numbered}, user_id, account_id FROM ({owned})")
    room = min(events + STREAM_ROWS, most_cells // plan.width)  # what is not touched is no memory
    slots = np.zeros(2 ** (2 * room).bit_length(), np.int32)
    keys, cells = np.empty((KEY_COLUMNS, room), np.int64), np.empty((room, plan.width), np.int64)
    with log.database.stream(plan.select(log)) as reader, ThreadPoolExecutor(1) as worker:  # it adds a batch while the next one is read
        rows = worker.submit(int)
        for batch in reader:
            numbers = np.split(np.stack([column.to_numpy() for column in batch.columns]), plan.parts)
            if rows.result() + batch.num_rows > room:
                return None
            rows = worker.submit(add, *numbers, plan.begins, plan.atoms, slots, keys, cells, rows.result())
        found = rows.result()
    owners = log.database.arrow("SELECT user_id, account_id FROM owners ORDER BY owner")
    return RolledCells(plan, owners, keys[:, :found], cells[:found])


def _same_account(log: Log) -> str:
    return "o.account_id IS NOT DISTINCT FROM e.account_id" if "account_id" in log.columns else "TRUE"


def _within(span: Span) -> str:
    return f"known_tick >= {span[0]} AND known_tick < {span[1]}"


class Plan:
    """What events have to bring as numbers, and which cells their atoms are in: one per column, then the lower halves of sums."""

    def __init__(self, atoms: Sequence[Atom], codes: Codes) -> None:
        """Takes the atoms and the codes."""
        self.columns = [column for atom in atoms for column in columns_of(atom, codes)]
        self.sums = [self.columns.index(atom.name) for atom in atoms if atom.kind == "sum"]
        self.width = len(self.columns) + len(self.sums)
        self.filters: list[EventFilter] = []
        self.inputs: list[str] = []
        placed = sorted(self._place(atom, columns[0]) for atom in atoms if (columns := columns_of(atom, codes)))
        numbers = np.array(placed, dtype=np.int64).T
        self.begins = np.searchsorted(numbers[0], np.arange(len(self.filters) + 1))
        self.atoms = np.ascontiguousarray(numbers[1:])
        self.coded = coded_properties(atoms)
        self.words = -(-len(self.filters) // BITS)
        self.parts = [KEY_COLUMNS, KEY_COLUMNS + self.words]

    def _place(self, atom: Atom, column: str) -> tuple[int, int, int, int, int]:
        """The atom's filter, kind, input, a session's gap or the cell of a sum's lower half, and first cell."""
        if atom.chosen not in self.filters:
            self.filters.append(atom.chosen)
        inputs = {
            "sum": [f"coalesce(e.{quote('micro_' + atom.of)}, {NOTHING})"],
            "bits": [f"coalesce({quote('c_' + atom.of)}.bit, 0)", f"coalesce({quote('c_' + atom.of)}.word, 0)"],
            "starts": ["coalesce(e.idle_us, -1)"],
            "busy": ["coalesce(e.idle_us, -1)"],
        }.get(atom.kind, ["e.event_us"])
        if inputs[0] not in self.inputs:
            self.inputs += inputs
        cell = self.columns.index(column)
        extra = len(self.columns) + self.sums.index(cell) if atom.kind == "sum" else int(atom.of or 0) if atom.kind in SESSIONS else 0
        return self.filters.index(atom.chosen), KINDS.index(atom.kind), self.inputs.index(inputs[0]), extra, cell

    def select(self, log: Log) -> str:
        """Takes the log; makes the tables of masks; returns the query of its logged events: keys, mask words, inputs."""
        joins = f"JOIN owners AS o ON o.user_id = e.user_id AND {_same_account(log)}"
        filtered = sorted({name for chosen in self.filters for name in chosen.where})
        tests = [("event", [chosen.events for chosen in self.filters])]
        tests += [(name, [chosen.where.get(name, ()) for chosen in self.filters]) for name in filtered]
        masks: list[list[str]] = [[] for _ in range(self.words)]
        for number, (name, wanted) in enumerate(tests):
            log.database.register(f"masks_{number}", self._mask_table(wanted))
            joins += f" LEFT JOIN masks_{number} AS m{number} ON m{number}.value = e.{quote(name)}"
            for word, others in enumerate(self._mask(wanted, None)):
                masks[word].append(f"coalesce(m{number}.word_{word}, {others})")
        if log.source.pairs():  # a row logged under two names counts once where any name will do
            for word, bits in enumerate(self._mask([() if chosen.events else ("",) for chosen in self.filters], None)):
                masks[word].append(f"CASE WHEN e.name_no = 0 THEN {2**BITS - 1} ELSE {bits} END")
        for name in self.coded:
            joins += f" LEFT JOIN {quote('codes_' + name)} AS {quote('c_' + name)} ON {quote('c_' + name)}.value = e.{quote(name)}"
        chosen = ["o.owner", "e.event_tick", "e.known_tick", *(" & ".join(parts) for parts in masks), *self.inputs]
        named = ", ".join(f"CAST({sql} AS BIGINT) AS x{number}" for number, sql in enumerate(chosen))
        return f"SELECT {named} FROM logged AS e {joins}"

    def _mask_table(self, wanted: Sequence[Sequence[str]]) -> pa.Table:
        """Every value that a filter wants of a property, with the mask of an event that has it."""
        values = sorted({value for values in wanted for value in values})
        words = np.array([self._mask(wanted, value) for value in values], np.int64).reshape(len(values), self.words)
        return pa.table({"value": pa.array(values, pa.string()), **{f"word_{word}": words[:, word] for word in range(self.words)}})

    def _mask(self, wanted: Sequence[Sequence[str]], value: str | None) -> list[int]:
        """The bits of the filters that an event with a value passes, of those that want nothing of the property or this value."""
        passes = [not values or value in values for values in wanted]
        return [sum(1 << bit for bit, passed in enumerate(passes[w * BITS : (w + 1) * BITS]) if passed) for w in range(self.words)]

    def finish(self, cells: Cells) -> list[Cells]:
        """Takes the cells; returns those of each column."""
        lower = dict(zip(self.sums, cells[len(self.columns) :], strict=True))
        return [join_halves(cells[c], lower[c], LARGEST) if c in lower else cells[c] for c in range(len(self.columns))]
