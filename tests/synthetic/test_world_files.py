"""A world on disk: every table, and a truth that says all."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pls_ml.core.errors import WriteError
from pls_ml.synthetic import World, write_world
from pls_ml.synthetic.conversion import MECHANISM
from pls_ml.synthetic.flaws import FLAWS

TABLES = {"events", "users", "accounts", "opportunities", "subscriptions", "suppressions"}


@pytest.fixture(scope="module")
def written(small_world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_world(small_world, tmp_path_factory.mktemp("world") / "new" / "folder")


def test_every_table_is_read_back_as_it_was(small_world: World, written: dict[str, Path]) -> None:
    assert set(written) == TABLES | {"truth"}
    assert all(pq.read_table(written[name]).equals(small_world.tables[name]) for name in TABLES)
    assert pq.ParquetFile(written["events"]).metadata.row_group(0).column(0).compression == "ZSTD"


def test_writing_twice_gives_the_same_bytes(small_world: World, written: dict[str, Path], tmp_path: Path) -> None:
    again = write_world(small_world, tmp_path)

    assert all(again[name].read_bytes() == written[name].read_bytes() for name in written)


def test_the_truth_file_says_all(small_world: World, written: dict[str, Path]) -> None:
    truth = json.loads(written["truth"].read_text(encoding="utf-8"))

    assert truth["spec"]["seed"] == 3
    assert truth["spec"]["start"] == "2024-01-01"
    assert truth["mechanism"]["intercept"] == -7.0
    assert {name: row["coefficient"] for name, row in truth["mechanism"]["inputs"].items()} == small_world.truth.coefficients
    assert all(row["meaning"] for row in truth["mechanism"]["inputs"].values())
    assert truth["planted_signals"] == small_world.truth.planted_signals
    assert {name: row["rows"] for name, row in truth["flaws"].items()} == small_world.truth.planted_flaws
    assert {name: row["rate"] for name, row in truth["flaws"].items()} == {flaw.name: flaw.rate for flaw in FLAWS}
    assert truth["leak_traps"][:2] == ["upgrade_completed", "invoice_downloaded"]
    assert "feature_used:admin_console" in truth["leak_traps"]
    assert truth["outcome"]["won"] == small_world.tables["subscriptions"].num_rows
    assert len(truth["mechanism"]["inputs"]) == len(MECHANISM)


def test_a_folder_that_cannot_be_made_is_named(small_world: World, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")

    with pytest.raises(WriteError, match="taken"):
        write_world(small_world, taken)
