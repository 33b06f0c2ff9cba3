"""What signals cost at several sizes of the log: ratios to the floor and to the usual idioms of pandas and polars, all in one run.

Run with `make bench` (two small sizes), or `python -m tests.benches.bench_signals --millions 10 30 100 --results FILE`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import tempfile
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pls_ml.core.builtin import find_builtin
from tests.benches.logs import add_busy_user, write_log
from tests.benches.measure import run

END = datetime(2025, 2, 24)
DAYS = 420
"""The generator's span: 2024-01-01 and 420 days on."""
WEEKS = 52
PANDAS_MOST = 40.0
"""Million events beyond which the peers would need more memory than most machines have, and grids more patience."""
REPEATED_MOST = 12.0
"""Million events up to which everything is measured three times."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, nargs="+", default=[1.0, 4.0])
    parser.add_argument("--busy", type=float, default=0.0, help="million events of one user, added to the smallest log")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--logs", type=Path, help="folder that keeps the logs for the next run")
    asked = parser.parse_args()
    found = read_results(asked.results)
    for size in asked.millions:
        with tempfile.TemporaryDirectory(dir=asked.logs) as name:
            folder = Path(name)
            link_log(folder, size, asked.logs)
            found.append(measure_size(folder))
            print(describe(found[-1]), flush=True)
            if asked.busy and size == min(asked.millions):
                found[-1]["busy user"] = measure_busy(folder, asked.busy)
                print(json.dumps(found[-1]["busy user"]), flush=True)
        results = {"sizes": found, "exponents": find_exponents(found)}
        if asked.results:
            asked.results.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(find_exponents(found)))


def read_results(path: Path | None) -> list[dict[str, Any]]:
    """Takes the file of an earlier run, if any; returns the sizes measured then, to which others are added."""
    return list(json.loads(path.read_text(encoding="utf-8"))["sizes"]) if path and path.exists() else []


def link_log(folder: Path, millions: float, logs: Path | None) -> None:
    """Takes an empty folder, a size and where logs are kept; puts a log of that size there, made now unless one is kept."""
    if logs is None:
        write_log(folder, millions)
        return
    kept = logs / f"{millions:g}-million"
    if not kept.exists():
        write_log(kept.with_suffix(".draft"), millions)
        kept.with_suffix(".draft").rename(kept)
    shutil.copytree(kept, folder, dirs_exist_ok=True, copy_function=os.link)


def measure_size(folder: Path) -> dict[str, Any]:
    """Takes a folder with a log; returns every action's seconds and memory on it."""
    events = sum(pq.ParquetFile(path).metadata.num_rows for path in (folder / "data" / "events").iterdir())
    write_projects(folder)
    runs = 3 if events <= REPEATED_MOST * 1e6 else 1
    fresh, kept, grown = folder / "fresh", folder / "kept", folder / "grown"
    clear = lambda: shutil.rmtree(fresh, ignore_errors=True)  # noqa: E731  # said once, used as a value
    result: dict[str, Any] = {"events": events, "floor": run(folder, "floor", END, fresh, 3)}
    result["one as_of from the log"] = run(folder, "one", END, fresh, runs, clear)
    result["state from the log"] = run(folder, "state before", END, kept)

    def restore() -> None:
        shutil.rmtree(grown, ignore_errors=True)
        shutil.copytree(kept, grown)

    result["a night: one more day, all signals"] = run(folder, "one", END, grown, runs, restore)
    result["one as_of from the state"] = run(folder, "one", END, fresh, runs)
    if events > PANDAS_MOST * 1e6:
        return result
    result[f"{WEEKS} as_ofs from the log"] = run(folder, "grid", END, fresh, 1, clear)
    result[f"{WEEKS} as_ofs from the state"] = run(folder, "grid", END, fresh, runs)
    if find_spec("polars"):  # a peer, and no dependency: `pip install polars` puts it into the comparison
        result["polars, one as_of"] = run(folder, "polars", END, fresh, runs)
    result["pandas, one as_of"] = run(folder, "pandas", END, fresh, 1)
    return result


def measure_busy(folder: Path, millions: float) -> dict[str, Any]:
    """Takes a folder with a log and a size; adds one user's events; returns what one `as_of` costs then."""
    add_busy_user(folder, millions)
    fresh = folder / "busy"
    return {
        "events added": int(millions * 1e6),
        "floor": run(folder, "floor", END, fresh),
        "one as_of from the log": run(folder, "one", END, fresh),
    }


def write_projects(folder: Path) -> None:
    """The demo's project on this log with 52 weekly `as_of`s, and the same one a day earlier."""
    text = find_builtin("demo.yaml").read_text(encoding="utf-8").replace("data/events.parquet", "data/events")
    text += "\nresources: {threads: 2, memory: 1GB}\n"
    start = END - timedelta(weeks=WEEKS - 1)
    text = text.replace("{kind: calendar, every_days: 14}", f"{{kind: calendar, every_days: 7, start: {start:%Y-%m-%d}}}")
    (folder / "pls.yaml").write_text(text, encoding="utf-8")
    before = text.replace("data:\n", f"data:\n  until: {END - timedelta(days=1):%Y-%m-%d}\n", 1)
    (folder / "before.yaml").write_text(before, encoding="utf-8")


def find_exponents(found: list[dict[str, Any]]) -> dict[str, float]:
    """Takes the sizes' results; returns, for each action, the slope of log seconds on log events."""
    if len(found) < 2:
        return {}
    x = [math.log(one["events"]) for one in found]
    mean = sum(x) / len(x)
    spread = sum((a - mean) ** 2 for a in x)
    actions = [name for name in found[0] if all(isinstance(one.get(name), dict) and "seconds" in one[name] for one in found)]
    return {name: sum((a - mean) * math.log(one[name]["seconds"]) for a, one in zip(x, found, strict=True)) / spread for name in actions}


def describe(result: dict[str, Any]) -> str:
    """Takes one size's results; returns them as a table for a person."""
    floor = result["floor"]["seconds"]
    lines = [f"{result['events']:,} events"]
    for name, one in result.items():
        if isinstance(one, dict) and "seconds" in one:
            lines.append(
                f"  {name:<38} {one['seconds']:8.2f} s {one['seconds'] / floor:7.1f} x floor {one['gb']:6.2f} GB  {one['rows'] or 0:>12,}"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
