"""One Spark session and one trained model for every test that scores on Spark; skipped where there is no Java or no pyspark."""

import importlib.util
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "workflows"))
from projects import open_config, read_demo
from scoring import Model

from pls_ml.core.errors import MissingExtraError
from pls_ml.signals.engines.spark_session import open_session, require_java
from pls_ml.synthetic import WorldSpec, generate_world, write_world
from pls_ml.workflows.bundle import load_bundle

WORLD = WorldSpec(accounts=700, days=360, seed=8, events_per_user_scale=0.3, conversion_intercept=-6.5)


@pytest.fixture(scope="session")
def spark_is_here():
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip('pyspark is not installed: pip install "pls-ml[spark]"')
    try:
        require_java()
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def spark(spark_is_here):
    session = open_session(2)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Model:
    folder = tmp_path_factory.mktemp("spark-world")
    write_world(generate_world(WORLD), folder / "data")
    project = open_config(read_demo(), folder)
    project.train()
    table = project.signals(datetime(2024, 1, 1) + timedelta(days=300))
    return Model(project, load_bundle(project), table.to_frame())
