"""What is missing: the smallest realistic changes that would bring a lead to a target, each verified by judging the changed lead.

A change is a set of at most three moves, more use of one signal each (`use`), by whole amounts, that leaves no column further out than
the 1st and 99th percentile of its peers (`habits`) unless it was there. Sets of one move come first, then pairs, then triples; larger
ones only where no smaller one reaches. The cost of a set is the sum of its moves' bits: how rare it is, among the leads that are as far,
to be as far as after the move; of a move's windows the rarest counts. Sets that are rarer than 1 in 100 altogether are not realistic.

The search supposes that a larger move of the same signal never makes the score worse: a set is tried at its largest realistic amounts,
and where that reaches, one amount after the other, the rarest first, is halved down to the least that still does. So no move of what is
found can be smaller or left out. Pairs and triples are of the moves that bring most alone. Where a scorer goes up and down with use,
or where the largest amounts are not realistic together, something may be overlooked, but nothing is shown that does not reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby, product

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.catalogue import Catalogue, Signal
from pls_ml.core.protocols import Floats
from pls_ml.explanations.habits import RARE, read_habits
from pls_ml.explanations.peers import PeerTables
from pls_ml.explanations.use import Index, Moves

Bools = npt.NDArray[np.bool_]
Judge = Callable[[pd.DataFrame, Index], tuple[Floats, Bools]]
"""c changed leads (their signals, and the place of each among the leads) → how far each comes, and whether that reaches its target."""

MOST_OPTIONS = 3
MOST_MOVES = 3
MOST_BITS = float(-np.log2(RARE))
"""What is too rare for one move is so for all of a change together: they count as if they had nothing to do with each other."""
BEST_MOVES = 8
"""Pairs and triples are made of so many moves of each lead, those that bring most alone."""
BATCH = 16_384
"""Changed leads judged in one go."""


@dataclass(frozen=True)
class Step:
    """One signal of a change: the amount, and every column of its own that changes, before and after."""

    signal: Signal
    amount: int
    values: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Option:
    """One way for a lead (its place) to reach the target: the steps, how far they bring it, and how rare that is in bits."""

    lead: int
    steps: tuple[Step, ...]
    reaches: float
    bits: float


@dataclass(frozen=True)
class Changes:
    """c changes: the place of each lead, its k moves, and their amounts."""

    leads: Index
    moves: Index
    amounts: Index

    def take(self, part: Index | Bools) -> Changes:
        """Takes positions or a mask; returns those changes."""
        return Changes(self.leads[part], self.moves[part], self.amounts[part])

    def __len__(self) -> int:
        """Takes nothing; returns how many changes there are."""
        return len(self.leads)


class Leads:
    """n leads to change: their signals, what can be changed of them, and what is realistic in the segment of each."""

    def __init__(self, values: pd.DataFrame, segments: Sequence[str], catalogue: Catalogue, peers: PeerTables) -> None:
        """Takes n × m signal columns, n segments, the catalogue and the tables of the segments' peers."""
        self.names = [str(name) for name in values.columns]
        numeric = [str(name) for name in values.columns if pd.api.types.is_numeric_dtype(values[name])]
        self.moves = Moves(catalogue, numeric)
        self._rows = values[numeric].to_numpy(np.float64, na_value=np.nan)
        self._texts = {name: values[name].to_numpy(dtype=object) for name in self.names if name not in numeric}
        kinds, self._kind = np.unique(np.asarray(segments, dtype=str), return_inverse=True)
        self._habits = [read_habits(peers.get(str(kind), {})) for kind in kinds]
        limits = [[(h.low, h.high) if (h := one.get(name)) else (np.inf, -np.inf) for name in numeric] for one in self._habits]
        self._low, self._high = np.array(limits, np.float64).reshape(len(kinds), len(numeric), 2).transpose(2, 0, 1)[:, self._kind]

    def __len__(self) -> int:
        """Takes nothing; returns how many leads there are."""
        return len(self._rows)

    def change(self, changes: Changes) -> tuple[Floats, Bools]:
        """Takes c changes; returns the changed leads' numbers (c × m), and which of them stay realistic."""
        before = self._rows[changes.leads]
        after = before.copy()
        texts = {name: column[changes.leads] for name, column in self._texts.items()}
        self.moves.change(after, texts, changes.moves, changes.amounts)
        low, high = np.fmin(self._low[changes.leads], before), np.fmax(self._high[changes.leads], before)
        inside = ((after >= low) & (after <= high)) | (after == before) | (np.isnan(after) & np.isnan(before))
        return after, inside.all(axis=1)

    def judge(self, changes: Changes, judge: Judge) -> tuple[Floats, Bools]:
        """Takes c changes and the judge; returns how far each brings its lead, and whether it is realistic and reaches the target."""
        progress, reached = np.empty(len(changes)), np.zeros(len(changes), dtype=bool)
        for begin in range(0, len(changes), BATCH):
            part = changes.take(np.arange(begin, min(begin + BATCH, len(changes))))
            rows, inside = self.change(part)
            place = {name: position for position, name in enumerate(self.moves.columns)}
            columns = {n: rows[:, place[n]] if n in place else self._texts[n][part.leads] for n in self.names}
            progress[begin : begin + BATCH], found = judge(pd.DataFrame(columns, copy=False), part.leads)
            reached[begin : begin + BATCH] = found & inside
        return progress, reached

    def find_largest(self) -> Changes:
        """Takes nothing; returns every lead's every move, each by its largest realistic amount, without those that allow none."""
        tops = [self.moves.largest(self._rows, move, self._low, self._high) for move in self.moves.all]
        amounts = np.column_stack(tops) if tops else np.zeros((len(self), 0), np.int64)
        leads, moves = np.nonzero(amounts)
        found = Changes(leads, moves[:, None], amounts[leads, moves][:, None])
        outside = np.flatnonzero(~self._stay_inside(found))
        found.amounts[outside] = _halve(found.take(outside), 0, self._stay_inside, rising=False)[:, None]
        return found.take(found.amounts[:, 0] > 0)

    def say_bits(self, changes: Changes) -> Floats:
        """Takes c changes; returns how rare each is (c × k moves)."""
        after, _ = self.change(changes)
        bits = np.zeros(changes.moves.shape)
        kinds = self._kind[changes.leads]
        for number, kind in product(np.unique(changes.moves).tolist(), np.unique(kinds).tolist()):
            move = self.moves.all[number]
            at, slot = np.nonzero((changes.moves == number) & (kinds == kind)[:, None])
            for place in move.own:
                habit = self._habits[kind].get(self.moves.columns[place.position])
                before, now = self._rows[changes.leads[at], place.position], after[at, place.position]
                if habit is not None:
                    rare = np.where(now == before, 0.0, habit.say_bits(before, now, move.down))
                    bits[at, slot] = np.maximum(bits[at, slot], rare)
        return bits

    def pick_different(self, changes: Changes, best_first: Sequence[int]) -> list[int]:
        """Takes changes and places of some, lead by lead; returns those to show: none that includes one before it, or the other way round.

        An action today is also an active day, and one of somebody's colleagues is one of the account: these are no alternatives.
        """
        after = dict(zip(best_first, self.change(changes.take(np.array(best_first, np.int64)))[0], strict=True))
        chosen: list[int] = []
        for _, rows in groupby(best_first, key=lambda row: changes.leads[row]):
            own: list[int] = []
            for row in rows:
                same = (self._includes(changes, a, b, after) for one in own for a, b in ((row, one), (one, row)))
                if len(own) < MOST_OPTIONS and not any(same):
                    own.append(row)
            chosen += own
        return chosen

    def _includes(self, changes: Changes, larger: int, smaller: int, after: dict[int, Floats]) -> bool:
        """Whether one change of a lead brings all signals of another one at least as far; of recency, but for a day."""
        places = [(p.position, move.down) for move in (self.moves.all[n] for n in changes.moves[smaller]) for p in move.own]
        first, second = after[larger], after[smaller]
        return all(first[p] <= second[p] + 1 if down else first[p] >= second[p] for p, down in places)

    def list_steps(self, changes: Changes, row: int) -> tuple[Step, ...]:
        """Takes changes and the place of one; returns its steps in the order of the catalogue."""
        one = changes.take(np.array([row]))
        before, after = self._rows[one.leads[0]], self.change(one)[0][0]
        steps = []
        for number, amount in sorted(zip(one.moves[0].tolist(), one.amounts[0].tolist(), strict=True)):
            move, name = self.moves.all[number], self.moves.columns
            moved = [p.position for p in move.own if before[p.position] != after[p.position]]
            steps.append(Step(move.signal, amount, {name[p]: (float(before[p]), float(after[p])) for p in moved}))
        return tuple(steps)

    def _stay_inside(self, changes: Changes) -> Bools:
        parts = range(0, len(changes), BATCH)
        found = [self.change(changes.take(np.arange(b, min(b + BATCH, len(changes)))))[1] for b in parts]
        return np.concatenate([np.zeros(0, dtype=bool), *found])


def find_missing(leads: Leads, judge: Judge) -> list[Option]:
    """Takes leads that have not reached their target, and who judges that; returns at most three options of each, the least rare first.

    In the order of the leads; where nothing realistic reaches the target there is none. A lead alone gets what it gets among others.
    """
    singles = leads.find_largest()
    progress, reached = leads.judge(singles, judge)
    order = leads.say_bits(singles)[:, 0]
    found = [_settle(leads, judge, singles.take(reached))]
    unmoved = Changes(np.arange(len(leads)), *(np.full((len(leads), 1), x) for x in (-1, 0)))
    gain = progress - leads.judge(unmoved, judge)[0][singles.leads]
    best = _pick_best(singles, gain, order)
    for size in range(2, MOST_MOVES + 1):
        done = {option.lead for options in found for option in options}
        sets = _combine(leads, singles, [row for row in best if singles.leads[row] not in done], size)
        found.append(_settle(leads, judge, sets.take(leads.judge(sets, judge)[1])))
    return sorted((option for options in found for option in options), key=lambda option: option.lead)


def _pick_best(singles: Changes, gain: Floats, rare: Floats) -> list[int]:
    """The places of each lead's moves that bring most, lead by lead."""
    useful = np.flatnonzero(gain > 0)
    gain = np.round(gain, 9)
    ordered = sorted(useful.tolist(), key=lambda row: (singles.leads[row], -gain[row], rare[row], singles.moves[row, 0]))
    return [row for _, rows in groupby(ordered, key=lambda row: singles.leads[row]) for row in list(rows)[:BEST_MOVES]]


def _combine(leads: Leads, singles: Changes, rows: Sequence[int], size: int) -> Changes:
    """All sets of so many moves of the same lead, none of which counts the acts of another: they would be said twice."""

    def list_sets() -> Iterator[tuple[int, ...]]:
        for _, own in groupby(rows, key=lambda row: singles.leads[row]):
            for chosen in combinations(own, size):
                if all(apart[singles.moves[a, 0], singles.moves[b, 0]] for a, b in combinations(chosen, 2)):
                    yield chosen

    apart = _find_apart(leads.moves)
    sets = np.array(list(list_sets()), np.int64).reshape(-1, size)
    return Changes(singles.leads[sets[:, 0]], singles.moves[sets, 0], singles.amounts[sets, 0])


def _find_apart(moves: Moves) -> Bools:
    own = [frozenset(place.position for place in move.own) for move in moves.all]
    return np.array([[not (own[i] & b.counted or a.counted & own[j]) for j, b in enumerate(moves.all)] for i, a in enumerate(moves.all)])


def _settle(leads: Leads, judge: Judge, changes: Changes) -> list[Option]:
    """Changes that reach → the options of every lead: as small as possible, realistic, judged once more, the least rare ones."""
    rarest = np.argsort(-leads.say_bits(changes), axis=1, kind="stable")
    ordered = Changes(changes.leads, *(np.take_along_axis(x, rarest, axis=1) for x in (changes.moves, changes.amounts)))
    for slot in range(ordered.moves.shape[1]):
        ordered.amounts[:, slot] = _halve(ordered, slot, lambda tried: leads.judge(tried, judge)[1])
    progress, reached = leads.judge(ordered, judge)
    bits = np.round(leads.say_bits(ordered).sum(axis=1), 9)
    kept = np.flatnonzero(reached & (bits <= MOST_BITS)).tolist()
    kept.sort(key=lambda row: (ordered.leads[row], bits[row], sorted(ordered.moves[row])))
    chosen = leads.pick_different(ordered, kept)
    return [Option(int(ordered.leads[r]), leads.list_steps(ordered, r), float(progress[r]), float(bits[r])) for r in chosen]


def _halve(changes: Changes, slot: int, holds: Callable[[Changes], Bools], rising: bool = True) -> Index:
    """The least amount at which a change holds (it does at the given one), or, not rising, the largest (it does at none)."""
    amounts = changes.amounts.copy()
    low, high = np.zeros(len(changes), np.int64), changes.amounts[:, slot].copy()
    while len(wide := np.flatnonzero(high - low > 1)):
        amounts[wide, slot] = middle = (low[wide] + high[wide]) // 2
        up = holds(Changes(changes.leads[wide], changes.moves[wide], amounts[wide])) == rising
        high[wide[up]], low[wide[~up]] = middle[up], middle[~up]
    return high if rising else low
