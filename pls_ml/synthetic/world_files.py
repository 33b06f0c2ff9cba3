"""A world on disk: one Parquet file per table, and the truth as JSON."""

import json
from dataclasses import asdict
from pathlib import Path

import pyarrow.parquet as pq

from pls_ml.core.errors import WriteError
from pls_ml.synthetic.world import World


def write_world(world: World, folder: Path) -> dict[str, Path]:
    """Takes a world and a folder, made if missing; returns the files written, by table name and 'truth'.

    Raises:
        WriteError: the folder or a file cannot be written.
    """
    paths = {name: folder / f"{name}.parquet" for name in world.tables}
    paths["truth"] = folder / "truth.json"
    document = {"spec": asdict(world.spec) | {"start": world.spec.start.isoformat()}, **world.truth.describe()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in world.tables.items():
            pq.write_table(table, paths[name], compression="zstd")
        paths["truth"].write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise WriteError(f"cannot write the synthetic world into '{folder}': {error}; choose another folder") from error
    return paths
