"""An invented product, trained and scored once for all tests of the command line."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from commands import run, write_small_project

from pls_ml.synthetic import WorldSpec, generate_world, write_world

WORLD = WorldSpec(accounts=250, days=280, seed=3, conversion_intercept=-5, events_per_user_scale=0.2)
PROJECT = """\
project: tiny
data:
  events: {path: events.parquet}
  users: {path: users.parquet}
  accounts: {path: accounts.parquet}
  subscriptions: {path: subscriptions.parquet}
  opportunities: {path: opportunities.parquet}
  suppressions: {path: suppressions.parquet}
horizon: {horizon_days: 30}
spine: {kind: calendar, every_days: 14}
split: {test_share: 0.35, account_share: 0.4}
model: {resamples: 100, seeds: 1, acknowledge_leaks: [upgrade_completed]}
tracking: {kind: none}
"""


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Path:
    """The project file of an invented product that nothing was done with yet."""
    folder = tmp_path_factory.mktemp("world")
    write_world(generate_world(WORLD), folder)
    (folder / "pls.yaml").write_text(PROJECT)
    return folder / "pls.yaml"


@pytest.fixture(scope="session")
def training(world: Path):
    """What `train --json` printed; its bundle is in `out`."""
    return run("train", "--project", world, "--json")


@pytest.fixture(scope="session")
def night(world: Path, training):
    """What `score --json` printed after training; its tables are in `out`."""
    return run("score", "--project", world, "--json")


@pytest.fixture
def trained(world: Path, training, tmp_path: Path) -> Path:
    """An output folder of its own that holds the trained bundle and nothing else."""
    shutil.copytree(world.parent / "out" / "models", tmp_path / "out" / "models")
    return tmp_path / "out"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The project file of six people who use a product for a month."""
    return write_small_project(tmp_path)
