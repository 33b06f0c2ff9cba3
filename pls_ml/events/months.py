"""Complete months of the state: their parts become one file, and what was visible at their end is summed up.

The sums are what a night reads of the far past: days early in a user's history are kept by tick, everything later becomes one row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from zoneinfo import ZoneInfo

import pyarrow as pa

from pls_ml.core.atoms import Atom
from pls_ml.core.database import Database, literal
from pls_ml.core.windows import Grain
from pls_ml.events.files import StateFiles
from pls_ml.events.log import FUTURE_DAYS, LONGEST_SHIFT_DAYS, Span
from pls_ml.events.manifest import Manifest, Segment, StateFile, Totals, add_counts, join_codes
from pls_ml.events.state import KEYS, ORDER, merge_rows

EARLY_DAYS = 62
"""How long, from a user's first event on, the sums keep days apart."""
KEPT_TOTALS = 3
"""How many months' sums are kept, for nights that are run again."""
AHEAD_DAYS = FUTURE_DAYS + LONGEST_SHIFT_DAYS
"""An event is dated fewer days than this past the tick at which it became known."""
SLICE_ROWS = 500_000
"""Rows of the state that are summed up in one go."""
MOST_FILES = 4
"""Files of one month, which new atoms add, before they become one."""


def split_months(grain: Grain, since: int, until: int) -> list[Span]:
    """Takes the time grain and two ticks; returns the spans between them, cut where months begin."""
    spans = []
    while since < until:
        end = min(next_month(grain, since), until)
        spans.append((since, end))
        since = end
    return spans


def next_month(grain: Grain, tick: int) -> int:
    """Takes the time grain and a tick; returns the tick at which the next month begins."""
    local = grain.start_of(tick).replace(tzinfo=UTC).astimezone(ZoneInfo(grain.zone))
    begins = datetime(local.year + local.month // 12, local.month % 12 + 1, 1, tzinfo=ZoneInfo(grain.zone))
    return grain.tick_of(begins.astimezone(UTC).replace(tzinfo=None))


def close_months(store: StateFiles, database: Database, grain: Grain, kept: Manifest, atoms: Sequence[Atom]) -> Manifest:
    """Takes a kept state and the atoms wanted; returns it with every complete month in one piece."""
    by_month: dict[int, list[Segment]] = {}
    for segment in kept.segments:
        by_month.setdefault(next_month(grain, segment.since), []).append(segment)
    until = kept.until or 0
    merged = [m for end, parts in by_month.items() for m in (_merge(store, database, parts, atoms, kept) if end <= until else parts)]
    return kept.model_copy(update={"segments": tuple(merged)})


def _merge(store: StateFiles, database: Database, parts: list[Segment], atoms: Sequence[Atom], kept: Manifest) -> list[Segment]:
    files = [file for part in parts for file in part.files]
    if len(parts) == 1 and len(files) <= MOST_FILES:
        return parts
    since, until = parts[0].since, parts[-1].until
    codes, keys = kept.codes_at(until), ", ".join(KEYS)
    query = f"SELECT {keys}, {merge_rows(atoms, codes)} FROM ({store.read_rows(files, atoms, codes)}) GROUP BY {keys} ORDER BY {ORDER}"
    counts = {field: add_counts(*(getattr(part, field) for part in parts)) for field in ("excluded", "quarantined", "names")}
    return [
        Segment(
            since=since,
            until=until,
            read=sum(part.read for part in parts),
            mark=sum(part.mark for part in parts) % 2**64,
            repeated=sum(part.repeated for part in parts),
            codes=join_codes(*(part.codes for part in parts)),
            files=(_write(store, database, [query], f"events-{since}-{until}", atoms),) if files else (),
            **counts,
        )
    ]


def sum_up(store: StateFiles, database: Database, grain: Grain, kept: Manifest, atoms: Sequence[Atom]) -> Manifest:
    """Takes a kept state and the atoms wanted; returns it with the sums at the end of its last complete month."""
    ends = [end for segment in kept.segments if (end := next_month(grain, segment.since)) <= (kept.until or 0)]
    if not ends or ends[-1] in {totals.until for totals in kept.totals}:
        return kept
    end = ends[-1]
    before = max((t for t in kept.totals if t.until < end), key=lambda t: t.until, default=None)
    since = before.until if before else 0
    reach = since - AHEAD_DAYS * grain.ticks_per_day  # an event dated ahead becomes visible after it became known
    files = [file for segment in kept.segments if segment.until > reach and segment.since < end for file in segment.files]
    seen = "greatest(event_tick, known_tick)"
    codes = kept.codes_at(end)
    rows = f"SELECT * FROM ({store.read_rows(files, atoms, codes)}) WHERE {seen} >= {since} AND {seen} < {end}"
    if before:
        rows += f" UNION ALL BY NAME {store.read_rows((before.file,), atoms, codes)}"
    early = f"CASE WHEN r.event_tick < f.first_tick + {EARLY_DAYS * grain.ticks_per_day} THEN r.event_tick END"
    summed = (
        f"SELECT user_id, account_id, {early} AS event_tick, CAST({end - 1} AS BIGINT) AS known_tick, {merge_rows(atoms, codes)} "
        f"FROM ({rows}) AS r JOIN first_ticks AS f USING (user_id)"
    )
    queries = [f"{summed} WHERE {users} GROUP BY 1, 2, 3 ORDER BY 1, 3, 2" for users in _slice_users(database, rows)]
    file = _write(store, database, queries, f"totals-{end}", atoms)
    database.execute("DROP TABLE first_ticks")
    return kept.model_copy(update={"totals": (*kept.totals, Totals(until=end, file=file))[-KEPT_TOTALS:]})


def _slice_users(database: Database, rows: str) -> list[str]:
    """Takes the query of the state's rows; makes `first_ticks` of their users; returns the tests of users that cut them into slices.

    All at once they would take far more memory than their files, which are in the order of users, so that a slice skips most of them.
    """
    place = f"(sum(count(*)) OVER (ORDER BY user_id) - 1) // {SLICE_ROWS}"
    firsts = f"SELECT user_id, min(event_tick) AS first_tick, {place} AS slice FROM ({rows}) GROUP BY 1"
    database.execute(f"CREATE OR REPLACE TEMP TABLE first_ticks AS {firsts}")
    slices = database.rows("SELECT min(user_id), max(user_id) FROM first_ticks GROUP BY slice ORDER BY 1") or [("", "")]
    return [f"user_id BETWEEN {literal(first)} AND {literal(last)}" for first, last in slices]


def _write(store: StateFiles, database: Database, queries: Sequence[str], name: str, atoms: Sequence[Atom]) -> StateFile:
    """Takes queries of the same columns; writes their rows, one after the other, as one file."""
    with database.stream(queries[0]) as first:
        batches = chain(first, *(_stream(database, query) for query in queries[1:]))
        return store.write_file(pa.RecordBatchReader.from_batches(first.schema, batches), name, atoms)


def _stream(database: Database, query: str) -> Iterator[pa.RecordBatch]:
    with database.stream(query) as reader:
        yield from reader
