"""What signals cost: as ratios to the floor (reading the columns they need) and to pandas' usual idiom, all in one run.

Run with `make bench`. Medians of several runs; the size is printed beside them.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from pls_ml import open_project
from pls_ml.core.builtin import find_builtin
from pls_ml.core.database import Database, literal
from pls_ml.synthetic import WorldSpec, generate_world, write_world
from pls_ml.workflows.data import load_data
from pls_ml.workflows.signals import build_spine

COLUMNS = ("event_id", "event_time", "known_at", "user_id", "event", "feature", "tier", "topic", "external", "step", "duration_s")
RUNS = 3


def measure(action: Callable[[], object]) -> float:
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def read_columns(path: Path) -> None:
    database = Database([path.parent])
    touched = ", ".join(f"max(hash({name}))" for name in COLUMNS)
    database.rows(f"SELECT {touched} FROM read_parquet({literal(path)})")


def group_in_pandas(path: Path, as_of: datetime) -> None:
    """Ten signals of one `as_of`, in the vectorised idiom most notebooks use."""
    events = pd.read_parquet(path, columns=["event_time", "user_id", "event", "feature", "tier"])
    moment = pd.Timestamp(as_of, tz="UTC")
    seen = events[(events["event_time"] < moment) & (events["event_time"] >= moment - timedelta(days=30))]
    counts = [seen[seen["event"] == name].groupby("user_id").size() for name in seen["event"].value_counts().index[:7]]
    used = seen[seen["event"] == "feature_used"]
    counts.append(used.groupby("user_id")["feature"].nunique())
    counts.append(used[used["tier"] == "premium"].groupby("user_id")["feature"].nunique())
    counts.append(seen.assign(day=seen["event_time"].dt.floor("D")).groupby("user_id")["day"].nunique())
    pd.concat(counts, axis=1)


def main(accounts: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        world = generate_world(WorldSpec(accounts=accounts))
        generated = time.perf_counter() - start
        paths = write_world(world, folder / "data")
        (folder / "pls.yaml").write_bytes(find_builtin("demo.yaml").read_bytes())
        project = open_project(folder / "pls.yaml")
        data = load_data(project)
        moment = data.data_end or datetime.max
        floor = measure(lambda: read_columns(paths["events"]))
        prepared = measure(lambda: load_data(project))
        one = measure(lambda: project.signals(moment))
        pandas = measure(lambda: group_in_pandas(paths["events"], moment))
        build_spine(project, data, None)
        rows = data.database.count("spine")
        grid = measure(project.signals)
        columns = len(list(data.coverage.catalogue))
    events = world.tables["events"].num_rows
    print(f"{events:,} events, {columns} signal columns; floor (reading the columns): {floor:.2f} s; generated in {generated:.1f} s")
    for title, seconds in (
        ("log to clean state", prepared),
        ("log to signals of one as_of", one),
        (f"log to signals of {rows:,} rows on the grid", grid),
        ("pandas, ten signals of one as_of", pandas),
    ):
        print(f"{title:<48} {seconds:6.2f} s  {seconds / floor:6.1f} x floor")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
