"""Random logs for the state: late and early events, repeated ids, months' ends, rows that cannot be used."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from kept_logs import KeptLog

from pls_ml.events.mapping import EventSource

BEGIN = datetime(2024, 1, 20)
DAYS = 65
END = datetime(2024, 3, 30)
MEASURES: list[dict[str, Any]] = [
    {"kind": "count", "events": ["view"]},
    {"kind": "count", "where": {"feature": ["f1", "f2"]}},
    {"kind": "distinct", "of": "feature"},
    {"kind": "distinct", "of": "feature", "events": ["edit"]},
    {"kind": "sum", "of": "value"},
    {"kind": "days_since_first", "events": ["edit"]},
    {"kind": "days_since_last", "events": ["edit"]},
    {"kind": "sessions"},
    {"kind": "minutes", "gap": "2h"},
]
SOURCE = EventSource(exclude=("beat",), names={"view": ("view", "seen")}, max_quarantine_share=1)
_COLUMNS = {"event_id": pa.string(), "user_id": pa.string(), "account_id": pa.string(), "event": pa.string()}
SCHEMA = pa.schema([*_COLUMNS.items(), ("event_time", pa.timestamp("us")), ("known_at", pa.timestamp("us"))])
SCHEMA = SCHEMA.append(pa.field("feature", pa.string())).append(pa.field("value", pa.float64()))


def random_log(seed: int, n: int = 400) -> pa.Table:
    """n rows over January, February and March, in no order."""
    draw = Random(seed)
    rows = [_row(draw, number) for number in range(n)]
    rows += [row | {"known_at": min(row["known_at"] + timedelta(days=draw.randrange(40)), END)} for row in draw.sample(rows, n // 10)]
    draw.shuffle(rows)
    return pa.Table.from_pylist(rows, SCHEMA)


def _row(draw: Random, number: int) -> dict[str, Any]:
    known = BEGIN + timedelta(days=draw.choice([0, 11, 12, 40, 41, draw.uniform(0, DAYS)]), minutes=draw.choice([0, 1, 20, 50, 1439]))
    ahead = draw.choice([timedelta(), timedelta(), -timedelta(days=20), timedelta(days=draw.uniform(-60, 29.9)), timedelta(minutes=-10)])
    return {
        "event_id": draw.choice([None, f"e{number}", f"e{number}", f"e{draw.randrange(number + 1)}"]),
        "user_id": draw.choice(["u", "u", "v", None] if draw.random() < 0.1 else ["u", "v", "w"]),
        "account_id": draw.choice([None, None, "a", "b"]),
        "event": draw.choice(["view", "view", "edit", "beat"]),
        "event_time": known + ahead,
        "known_at": known,
        "feature": draw.choice([None, f"f{draw.randrange(90)}", "f1", "f2"]),
        "value": draw.choice([None, 0.1, -1e9, 3.3333333, float("nan"), draw.random()]),
    }


def known_before(log: pa.Table, moment: datetime) -> pa.Table:
    """The log as it was at a moment."""
    return log.filter(pc.less(log["known_at"], pa.scalar(moment, pa.timestamp("us"))))


def merged(kept: KeptLog) -> list[tuple]:
    """The state's rows, those of the same user, account and ticks made one."""
    merges = {"first": "min", "last": "max", "bits": "bit_or"}
    keys = "user_id, account_id, event_tick, known_tick"
    fixed = (*keys.split(", "), "seen_tick", "window_tick", "life_tick")
    columns = [column for column in kept.database.columns("state") if column not in fixed]
    values = ", ".join(f'{merges.get(column.split("_")[0], "sum")}("{column}")' for column in columns)
    return kept.rows(f"{keys}, {values}", f"state GROUP BY {keys}")


def files_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    """File → its bytes and when it was written."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.glob("[!.]*")}
