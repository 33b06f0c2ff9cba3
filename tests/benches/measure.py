"""One action in a process of its own: seconds without the imports, and the most memory it held."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import median


def run(
    folder: Path, action: str, as_of: datetime, output: Path, runs: int = 1, before: Callable[[], object] = lambda: None
) -> dict[str, float]:
    """Takes a log's folder, what to do and where to write; returns median seconds, the highest peak memory in GB, and what came out."""
    found = []
    for _ in range(runs):
        before()
        command = [sys.executable, "-m", "tests.benches.measure", str(folder), action, as_of.isoformat(), str(output)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{action} failed: {done.stderr[-2000:]}")
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return {"seconds": median(one["seconds"] for one in found), "gb": max(one["gb"] for one in found), "rows": found[-1]["rows"]}


def prepare(folder: Path, action: str, as_of: datetime, output: Path) -> Callable[[], int]:
    """Takes what `run` does; imports what it needs; returns the action, which says how many rows or columns came out."""
    from tests.benches import peers

    if action in ("floor", "pandas", "polars"):
        __import__({"floor": "duckdb"}.get(action, action))
        if action == "floor":
            return lambda: peers.read_columns(folder)
        return lambda: {"pandas": peers.group_in_pandas, "polars": peers.group_in_polars}[action](folder, as_of)
    from pls_ml import open_project
    from pls_ml.workflows.data import load_data

    project = open_project(folder / ("before.yaml" if action == "state before" else "pls.yaml"), output=output)
    if action.startswith("state"):
        return lambda: int(load_data(project).data_end is not None)
    return lambda: project.signals(None if action == "grid" else as_of).rows


def peak_gb() -> float:
    """The most memory this program held; what the system reports of a child counts its parent's too."""
    held = next(line for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
    return int(held.split()[1]) / 1e6


if __name__ == "__main__":
    where, what, moment, out = sys.argv[1:]
    act = prepare(Path(where), what, datetime.fromisoformat(moment), Path(out))
    begun = time.perf_counter()
    came_out = act()
    seconds = time.perf_counter() - begun
    print(json.dumps({"seconds": seconds, "gb": peak_gb(), "rows": came_out}))
