"""Every planted flaw is there at its rate, is counted, and stays out of the mechanism."""

import numpy as np
import pandas as pd
import pytest

from pls_ml.synthetic import World, WorldSpec, generate_world
from pls_ml.synthetic.flaws import FLAWS

YEARS = (1970, 9999)


def count_flaws(world: World) -> dict[str, int]:
    events, users = world.tables["events"].to_pandas(), world.tables["users"]["user_id"].to_pandas()
    once = events.drop_duplicates("event_id")
    odd = once["event_time"].dt.year.isin(YEARS)
    return {
        "late": int((~odd & (once["known_at"] > once["event_time"]) & once["user_id"].isin(users)).sum()),
        "duplicate": len(events) - len(once),
        "no_user": int(once["user_id"].isna().sum()),
        "impossible_time": int(odd.sum()),
        "unknown_user": int((once["user_id"].notna() & ~once["user_id"].isin(users)).sum()),
    }


def test_the_counted_flaws_are_the_planted_ones(small_world: World) -> None:
    assert count_flaws(small_world) == small_world.truth.planted_flaws


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: flaw.name)
def test_a_flaw_has_its_rate_within_sampling_error(default_world: World, flaw: object) -> None:
    rows = default_world.tables["events"].num_rows
    name, rate = flaw.name, flaw.rate

    # Late rows that arrive after the end of the log are lost: a little under the rate.
    assert abs(default_world.truth.planted_flaws[name] / rows - rate) < 5 * np.sqrt(rate / rows) + 0.03 * rate


def test_scale_0_gives_a_clean_log() -> None:
    world = generate_world(WorldSpec(accounts=60, days=130, flaw_scale=0))

    assert set(count_flaws(world).values()) == {0}
    assert set(world.truth.planted_flaws.values()) == {0}


def test_scale_3_plants_three_times_as_many() -> None:
    worlds = [generate_world(WorldSpec(accounts=100, days=150, flaw_scale=scale)) for scale in (1, 3)]
    one, three = (w.truth.planted_flaws["no_user"] / w.tables["events"].num_rows for w in worlds)

    assert three == pytest.approx(3 * one, rel=0.05)


def test_repeated_rows_are_exact_copies(small_world: World) -> None:
    events = small_world.tables["events"].to_pandas()
    repeated = events[events.duplicated("event_id", keep=False)]

    assert repeated.groupby("event_id").size().eq(2).all()
    assert len(repeated.drop_duplicates()) == repeated["event_id"].nunique()


def test_late_rows_are_at_most_3_days_late(small_world: World) -> None:
    events = small_world.tables["events"].to_pandas()
    sound = events[~events["event_time"].dt.year.isin(YEARS)]
    delay = sound["known_at"] - sound["event_time"]

    assert delay.min() == pd.Timedelta(0)
    assert pd.Timedelta(days=2.5) < delay.max() < pd.Timedelta(days=3)


def test_impossible_times_lie_in_both_directions(small_world: World) -> None:
    years = small_world.tables["events"].to_pandas()["event_time"].dt.year

    assert set(years[years.isin(YEARS)]) == set(YEARS)
