"""Project files for tests: the demo's with small, repeatable settings, and what a scored night left on disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from ruamel.yaml import YAML

from pls_ml.core.builtin import find_builtin
from pls_ml.synthetic import World
from pls_ml.workflows.api import OpenProject, open_project
from pls_ml.workflows.score import Night
from pls_ml.workflows.training_report import TrainingReport

FAST = {"model": {"seeds": 1, "resamples": 200}, "tracking": {"kind": "none"}, "resources": {"threads": 1, "memory": "2GB"}}
TABLES = ("scores.parquet", "accounts.parquet", "receipts.parquet", "handoffs.parquet")


@dataclass(frozen=True)
class Trained:
    """A world on disk with its project, trained once; `night` is scored sixty days before the end of the data."""

    world: World
    folder: Path
    config: dict[str, Any]
    project: OpenProject
    report: TrainingReport
    night: Night


def merge(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with the changes in place; nested mappings are merged, everything else is replaced."""
    merged = deepcopy(dict(config))
    for key, value in changes.items():
        old = merged.get(key)
        same_kind = isinstance(old, dict) and isinstance(value, dict) and old.get("kind") == value.get("kind", old.get("kind"))
        merged[key] = merge(old, value) if same_kind else deepcopy(value)
    return merged


def read_demo(**changes: Any) -> dict[str, Any]:
    """The demo's project file with fast settings and the changes given."""
    demo = YAML(typ="safe", pure=True).load(find_builtin("demo.yaml").read_text(encoding="utf-8"))
    return merge(merge(demo, FAST), changes)


def open_config(config: Mapping[str, Any], folder: Path, **how: Any) -> OpenProject:
    """Writes the configuration below the folder as a project file, and opens it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "pls.yaml"
    file.write_text(json.dumps(config, indent=1, default=str), encoding="utf-8")  # JSON is YAML
    return open_project(file, **how)


def open_variant(trained: Trained, folder: Path, changes: Mapping[str, Any] | None = None, **how: Any) -> OpenProject:
    """The trained project with another file, in a folder of its own that holds a copy of its models."""
    shutil.copytree(trained.project.models, folder / "out" / "models", dirs_exist_ok=True)
    return open_config(merge(trained.config, changes or {}), folder, **({"data": trained.folder} | how))


def read_bytes(folder: Path, names: tuple[str, ...] = (*TABLES, "manifest.json")) -> dict[str, bytes]:
    """File name → content, of a scored night."""
    return {name: (folder / name).read_bytes() for name in names}


def shuffle(tables: Mapping[str, pa.Table], seed: int) -> dict[str, pa.Table]:
    """The same tables with their rows in another order."""
    return {name: table.take(_order(table.num_rows, seed)) for name, table in tables.items()}


def append(table: pa.Table, rows: list[dict[str, Any]]) -> pa.Table:
    """The table with rows more, each like its first one but for what is given."""
    first = table.slice(0, 1).to_pylist()[0]
    return pa.concat_tables([table, pa.Table.from_pylist([first | row for row in rows], schema=table.schema)])


def frames(world: World) -> dict[str, pd.DataFrame]:
    """The world's tables as frames."""
    return {name: table.to_pandas() for name, table in world.tables.items()}


def _order(rows: int, seed: int) -> pa.Array:
    import numpy as np

    return pa.array(np.random.default_rng(seed).permutation(rows))
