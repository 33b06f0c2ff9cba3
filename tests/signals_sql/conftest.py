"""Makes `fakes` importable for these tests, however pytest is started, and starts one PostgreSQL server for those that run on it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from signals_sql.postgres import Postgres, find_binaries, start_server


@pytest.fixture(scope="session")
def postgres() -> Postgres:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server: install postgresql, or put its initdb, postgres and psql on the PATH")
    with start_server(binaries) as server:
        yield server
