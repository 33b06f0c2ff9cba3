"""Worlds that several tests look at; made once."""

import pandas as pd
import pytest

from pls_ml.synthetic import World, WorldSpec, generate_world


@pytest.fixture(scope="session")
def default_world() -> World:
    return generate_world(WorldSpec())


@pytest.fixture(scope="session")
def busy_world() -> World:
    """Many purchases, few events: where the mechanism shows most clearly."""
    return generate_world(WorldSpec(accounts=5000, days=364, seed=1, events_per_user_scale=0.7, conversion_intercept=-6.8))


@pytest.fixture(scope="session")
def small_world() -> World:
    return generate_world(WorldSpec(accounts=400, days=200, seed=3, conversion_intercept=-7.0))


@pytest.fixture(scope="session")
def small_frames(small_world: World) -> dict[str, pd.DataFrame]:
    """The tables of the small world as frames; events without repeated and broken rows, with the account of their user."""
    frames = {name: table.to_pandas() for name, table in small_world.tables.items()}
    start = pd.Timestamp(small_world.spec.start, tz="UTC")
    end = start + pd.Timedelta(days=small_world.spec.days)
    events = frames["events"].drop_duplicates("event_id")
    events = events[events["event_time"].between(start, end)]
    frames["events"] = events.merge(frames["users"][["user_id", "account_id", "signup_at"]], on="user_id")
    return frames
