"""One small world, trained and scored once for every test that looks at workflows."""

from datetime import datetime, timedelta

import pytest
from projects import Trained, open_config, read_demo

from pls_ml.synthetic import WorldSpec, generate_world, write_world


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("small-world")
    world = generate_world(WorldSpec(accounts=700, days=360, seed=8, events_per_user_scale=0.3, conversion_intercept=-6.5))
    write_world(world, folder / "data")
    config = read_demo()
    project = open_config(config, folder)
    report = project.train()
    return Trained(world, folder, config, project, report, project.score(datetime(2024, 1, 1) + timedelta(days=300)))
