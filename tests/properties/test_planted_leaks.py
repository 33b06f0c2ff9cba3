"""Every kind of planted leak is found by name, and worlds without one are left alone; the full run is experiments/0005_leaks."""

import json

import pytest
from ruamel.yaml import YAML

from pls_ml.core.builtin import find_builtin
from pls_ml.core.errors import ConfigError, LeakageError
from pls_ml.synthetic import WorldSpec, generate_world
from pls_ml.synthetic.leaks import LEAKS, plant_leak
from pls_ml.workflows.api import open_project
from pls_ml.workflows.leak_audit import audit_training
from pls_ml.workflows.training_rows import load_training_rows, split_training


def make_world(seed):
    return generate_world(WorldSpec(accounts=600, days=330, seed=seed, events_per_user_scale=0.3, conversion_intercept=-6.3))


@pytest.fixture(scope="module")
def world():
    return make_world(301)


def audit(folder, tables, signals=(), acknowledge=()):
    config = YAML(typ="safe", pure=True).load(find_builtin("demo.yaml").read_text(encoding="utf-8"))
    model = {"acknowledge_leaks": ["upgrade_completed", *acknowledge]}
    config |= {"signals": {"define": list(signals)}, "model": model, "resources": {"threads": 1, "memory": "2GB"}}
    (folder / "pls.yaml").write_text(json.dumps(config), encoding="utf-8")
    project = open_project(folder / "pls.yaml", tables=tables)
    data, table, rows, _ = load_training_rows(project)
    return audit_training(project, data, table, rows, split_training(project, rows))


@pytest.mark.parametrize("kind", LEAKS)
def test_a_planted_leak_stops_training_by_name(tmp_path, world, kind):
    planted = plant_leak(world, kind, seed=1)

    with pytest.raises(LeakageError) as stopped:
        audit(tmp_path, planted.tables, planted.signals)

    named = str(stopped.value).rpartition("`model.acknowledge_leaks` (")[2].partition(")")[0].split(", ")
    assert set(named) & set(planted.names)


@pytest.mark.parametrize("seed", [301, 302, 303])
def test_a_world_without_a_leak_is_left_alone(tmp_path, seed):
    found = audit(tmp_path, make_world(seed).tables)

    assert found.suspects == ()
    assert [one.name for one in found.vouched] == ["upgrade_completed"]


def test_the_id_of_a_signal_vouches_for_all_of_its_columns(tmp_path, world):
    planted = plant_leak(world, "backdated event", seed=1)

    found = audit(tmp_path, planted.tables, planted.signals, acknowledge=["demo_held"])

    assert found.suspects == ()
    assert {one.name for one in found.vouched} <= {"upgrade_completed", "demo_held_30d", "demo_held_lifetime"}
    assert len(found.vouched) > 1


def test_a_kind_of_leak_that_does_not_exist_is_refused(world):
    with pytest.raises(ConfigError, match=r"no leak of kind 'twin evnt': expected one of .*did you mean 'twin event'"):
        plant_leak(world, "twin evnt")
