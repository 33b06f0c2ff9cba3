"""What others would write: the floor (reading and decoding the columns), and the usual idioms of pandas and polars for the same signals.

Both peers compute 62 columns of one `as_of`: counts of twelve events over 7, 30 and 90 days, their last time, distinct features and premium
features, active days over three windows, minutes over three windows, and the first activation.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

READ = ("event_id", "event_time", "known_at", "user_id", "event", "feature", "tier", "topic", "external", "step", "duration_s")
"""The columns that the default catalogue needs."""
NAMES = (
    "feature_used", "session_start", "session_end", "api_call", "content_shared", "exported", "pricing_viewed", "invite_sent",
    "limit_reached", "upgrade_clicked", "integration_connected", "data_imported",
)  # fmt: skip
WINDOWS = (7, 30, 90)


def read_columns(folder: Path) -> int:
    """The floor: every needed column read and decoded, by two threads as in the projects measured."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    touched = ", ".join(f"max(hash({name}))" for name in READ)
    connection.execute(f"SELECT {touched} FROM read_parquet('{folder}/data/events/*.parquet')").fetchall()
    return len(READ)


def group_in_pandas(folder: Path, as_of: datetime) -> int:
    """Vectorised group-bys, as notebooks have them."""
    import pandas as pd

    events = pd.read_parquet(
        folder / "data" / "events", columns=["event_id", "event_time", "known_at", "user_id", "event", "feature", "tier", "duration_s"]
    )
    moment = pd.Timestamp(as_of, tz="UTC")
    events = events[(events["event_time"] < moment) & (events["known_at"] < moment)].drop_duplicates("event_id")
    columns = {}
    for days in WINDOWS:
        seen = events[events["event_time"] >= moment - timedelta(days=days)]
        counts = seen.groupby(["user_id", "event"]).size().unstack(fill_value=0)
        columns |= {f"{name}_{days}": counts[name] for name in NAMES}
        used = seen[seen["event"] == "feature_used"]
        columns[f"features_{days}"] = used.groupby("user_id")["feature"].nunique()
        columns[f"premium_{days}"] = used[used["tier"] == "premium"].groupby("user_id")["feature"].nunique()
        columns[f"days_{days}"] = seen.assign(day=seen["event_time"].dt.floor("D")).groupby("user_id")["day"].nunique()
        columns[f"minutes_{days}"] = seen[seen["event"] == "session_end"].groupby("user_id")["duration_s"].sum() / 60
    last = events.groupby(["user_id", "event"])["event_time"].max().unstack()
    columns |= {f"last_{name}": (moment - last[name]).dt.total_seconds() / 86400 for name in NAMES}
    columns["activated"] = events[events["event"] == "activated"].groupby("user_id")["event_time"].min()
    columns["events"] = events.groupby("user_id").size()
    return len(pd.DataFrame(columns).columns)


def group_in_polars(folder: Path, as_of: datetime) -> int:
    """One lazy group-by with filtered aggregates, streamed."""
    import polars as pl

    moment = pl.lit(as_of).dt.replace_time_zone("UTC").cast(pl.Datetime("us", "UTC"))
    events = pl.scan_parquet(f"{folder}/data/events/*.parquet")
    events = events.filter((pl.col("event_time") < moment) & (pl.col("known_at") < moment)).unique("event_id")
    columns = []
    for days in WINDOWS:
        recent = pl.col("event_time") >= moment - pl.duration(days=days)
        columns += [((pl.col("event") == name) & recent).sum().alias(f"{name}_{days}") for name in NAMES]
        used = recent & (pl.col("event") == "feature_used")
        columns.append(pl.col("feature").filter(used).n_unique().alias(f"features_{days}"))
        columns.append(pl.col("feature").filter(used & (pl.col("tier") == "premium")).n_unique().alias(f"premium_{days}"))
        columns.append(pl.col("event_time").dt.truncate("1d").filter(recent).n_unique().alias(f"days_{days}"))
        columns.append((pl.col("duration_s").filter(recent & (pl.col("event") == "session_end")).sum() / 60).alias(f"minutes_{days}"))
    columns += [pl.col("event_time").filter(pl.col("event") == name).max().alias(f"last_{name}") for name in NAMES]
    columns.append(pl.col("event_time").filter(pl.col("event") == "activated").min().alias("activated"))
    columns.append(pl.len().alias("events"))
    return events.group_by("user_id").agg(columns).collect(engine="streaming").width - 1
