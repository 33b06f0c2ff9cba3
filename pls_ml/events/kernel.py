"""The compiled loop of the roll-up: events in, rows of the state out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pls_ml.core.atoms import BITS

EMPTY = np.iinfo(np.int64).min
"""Where nothing was found."""
KINDS = ("n", "first", "last", "sum", "bits", "starts", "busy")
"""Of atoms; the loop knows them by their place."""
LOW_BITS = 32
"""A sum is held in two cells, its upper and its lower half, so that it cannot overflow on the way."""
DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
PLACES = np.zeros(64, np.int64)
"""The place of a single bit, found at its product's upper six bits (Leiserson, Prokop and Randall 1998)."""
for _place in range(64):
    PLACES[((1 << _place) * int(DE_BRUIJN) % 2**64) >> 58] = _place
Cells = npt.NDArray[np.int64]


def add_events(  # noqa: PLR0912, PLR0913, PLR0917  # one compiled loop; calls and objects would cost what it saves
    keys: Cells, masks: Cells, values: Cells, begins: Cells, atoms: Cells, slots: Cells, row_keys: Cells, cells: Cells, rows: int
) -> int:
    """Takes a batch of events and the rows so far; adds the events to them and returns how many rows there are now.

    keys (3, events): owner, event tick, known tick; masks (words, events): a bit for every filter an event passes; values (inputs,
    events): what atoms read; begins (filters + 1): where a filter's atoms begin; atoms (4, atoms): kind, input, a session's gap or the
    cell of a sum's lower half, first cell.
    In and out: slots (a power of two): a row's number + 1 at its hash; row_keys (3, capacity); cells (capacity, cells).
    """
    last_slot = slots.shape[0] - 1
    for i in range(keys.shape[1]):
        owner, event_tick, known_tick = keys[0, i], keys[1, i], keys[2, i]
        h = np.uint64(owner) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(event_tick) * np.uint64(0xC2B2AE3D27D4EB4F)
        h = (h ^ (h >> np.uint64(29)) ^ np.uint64(known_tick)) * np.uint64(0xBF58476D1CE4E5B9)
        slot = np.int64((h ^ (h >> np.uint64(32))) & np.uint64(last_slot))
        row = slots[slot] - 1
        while row >= 0 and not (row_keys[0, row] == owner and row_keys[1, row] == event_tick and row_keys[2, row] == known_tick):
            slot = (slot + 1) & last_slot
            row = slots[slot] - 1
        if row < 0:
            row = rows
            rows += 1
            slots[slot] = rows
            row_keys[0, row], row_keys[1, row], row_keys[2, row] = owner, event_tick, known_tick
            for cell in range(cells.shape[1]):
                cells[row, cell] = EMPTY
        for word in range(masks.shape[0]):
            mask = np.uint64(masks[word, i])
            while mask:
                low = mask & (~mask + np.uint64(1))
                mask ^= low
                number = word * BITS + PLACES[(low * DE_BRUIJN) >> np.uint64(58)]
                for a in range(begins[number], begins[number + 1]):
                    kind, value, extra, cell = atoms[0, a], values[atoms[1, a], i], atoms[2, a], atoms[3, a]
                    was = cells[row, cell]
                    if kind == 0 or (kind == 5 and (value < 0 or value > extra)):
                        cells[row, cell] = 1 if was == EMPTY else was + 1
                    elif kind == 1:
                        if was == EMPTY or value < was:
                            cells[row, cell] = value
                    elif kind == 2:
                        if value > was:
                            cells[row, cell] = value
                    elif kind == 3 and value != EMPTY:
                        cells[row, cell] = (0 if was == EMPTY else was) + (value >> LOW_BITS)
                        cells[row, extra] = (0 if was == EMPTY else cells[row, extra]) + (value & 0xFFFFFFFF)
                    elif kind == 4 and value:
                        cell += values[atoms[1, a] + 1, i]
                        was = cells[row, cell]
                        cells[row, cell] = value if was == EMPTY else was | value
                    elif kind == 6 and 0 <= value <= extra:
                        cells[row, cell] = (0 if was == EMPTY else was) + value
    return rows


def join_halves(upper: Cells, lower: Cells, largest: int) -> Cells:
    """Takes the halves of sums and the largest number to hold; returns the sums, those beyond it held at it, empty where nothing was."""
    upper_whole = upper + (lower >> LOW_BITS)
    limit = 1 << (63 - LOW_BITS)
    total = (np.clip(upper_whole, -limit, limit - 1) << LOW_BITS) | (lower & (2**LOW_BITS - 1))
    total = np.where(upper_whole >= limit, largest, np.where(upper_whole < -limit, -largest, np.maximum(total, -largest)))
    return np.where(upper == EMPTY, EMPTY, total)
