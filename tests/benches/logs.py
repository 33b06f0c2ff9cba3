"""Logs of a wanted size: worlds of the shipped generator side by side, each with names of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pls_ml.synthetic import WorldSpec, generate_world

EVENTS_PER_ACCOUNT = 1266
WORLD_ACCOUNTS = 8000
"""About ten million events: what one world may hold without filling the memory."""
IDS = ("user_id", "account_id", "event_id", "opportunity_id", "invited_by", "lead_id")


def write_log(folder: Path, millions: float, days: int = 420) -> int:
    """Takes a folder and a size; writes the contract's tables there, the log as several files; returns the number of events."""
    (folder / "data" / "events").mkdir(parents=True)
    accounts = int(millions * 1e6 / EVENTS_PER_ACCOUNT * 420 / days)
    parts = -(-accounts // WORLD_ACCOUNTS)
    total, tables = 0, {}
    for part in range(parts):
        world = generate_world(WorldSpec(accounts=accounts // parts, days=days, seed=part + 1))
        for name, table in world.tables.items():
            renamed = _rename(table, f"{part}-")
            if name == "events":
                pq.write_table(renamed, folder / "data" / "events" / f"part-{part:03}.parquet", compression="zstd")
                total += renamed.num_rows
            else:
                tables.setdefault(name, []).append(renamed)
    for name, several in tables.items():
        pq.write_table(pa.concat_tables(several, promote_options="permissive"), folder / "data" / f"{name}.parquet", compression="zstd")
    return total


def add_busy_user(folder: Path, millions: float, days: int = 420) -> int:
    """Takes a folder with a log; adds one user's events, as many millions as said, spread over the days; returns how many."""
    log = pq.ParquetFile(folder / "data" / "events" / "part-000.parquet")
    first = log.read_row_group(0).slice(0, 1)
    n = int(millions * 1e6)
    start = first["event_time"][0].as_py()
    times = np.datetime64(start.replace(tzinfo=None), "us") + np.sort(np.random.default_rng(5).integers(0, days * 86_400_000_000 - 1, n))
    stamps = pa.array(times).cast(first.schema.field("event_time").type)
    columns = {name: pa.nulls(n, first.schema.field(name).type) for name in first.column_names}
    columns |= {
        "event_time": stamps,
        "known_at": stamps,
        "event": _all("feature_used", n),
        "user_id": first["user_id"].take(pa.array(np.zeros(n, np.int64))),
    }
    columns["event_id"] = pc.binary_join_element_wise("busy-", pc.cast(pa.array(np.arange(n)), pa.string()), "")
    columns["feature"] = pa.DictionaryArray.from_arrays(pa.array(np.arange(n, dtype=np.int32) % 9), [f"f{i}" for i in range(9)]).cast(
        pa.string()
    )
    pq.write_table(pa.table(columns, schema=first.schema), folder / "data" / "events" / "part-busy.parquet", compression="zstd")
    return n


def _all(text: str, n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), [text]).cast(pa.string())


def _rename(table: pa.Table, prefix: str) -> pa.Table:
    for name in IDS:
        if name in table.column_names:
            place = table.column_names.index(name)
            table = table.set_column(place, name, pc.binary_join_element_wise(prefix, table[name].cast(pa.string()), ""))
    return table
