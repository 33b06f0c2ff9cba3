"""Signals on Spark are DuckDB's to the last bit: over the same state, over its files, and over a state rolled up on Spark."""

from datetime import datetime, timedelta
from random import Random

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fakes.catalogues import account_catalogue, full_catalogue, some_signals
from fakes.random_worlds import GRAINS
from projects import open_config, read_demo
from scoring import fetch
from signals.account_worlds import of_accounts
from signals_sql.mapped_worlds import differing, many_worlds, open_world

from pls_ml.core.windows import Grain
from pls_ml.events.state import columns_of
from pls_ml.signals.engines.spark import SparkEngine, open_state, open_tables, read_state
from pls_ml.signals.engines.spark_session import set_apart
from pls_ml.signals.warehouse import visible_state
from pls_ml.synthetic import WorldSpec, generate_world
from pls_ml.workflows.spark import roll_up_on_spark, score_on_spark, signals_on_spark

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
DAY, BERLIN = Grain("day"), Grain("day", "Europe/Berlin")
SOME = 30
"""Signals where not all are compared: Spark takes half a minute to plan them all."""


def compute(session, world, catalogue):
    """What Spark computes of the views in a session, in the order of the spine."""
    SparkEngine(session, world.state.grain, world.state.words()).build_signals(catalogue)
    return session.table("signals").toArrow().to_pandas().sort_values("row", ignore_index=True)


def views_but_state(world):
    return {name: table for name, table in world.views().items() if name != "state"}


def differing_from_local(signals, local):
    """The columns that differ in any bit from the local signals of one moment."""
    found, expected = (frame.sort_values("lead_id", ignore_index=True) for frame in (fetch(signals), local))
    rows = pd.RangeIndex(len(expected))
    return differing(found.assign(row=rows), expected.assign(row=rows))


def test_every_signal_is_duckdb_s_in_a_zone_with_moves_and_several_moments(spark):
    catalogue = full_catalogue(BERLIN)
    with open_world(many_worlds(BERLIN, 8), catalogue, BERLIN) as world:
        session = set_apart(spark)
        open_tables(session, world.views())

        assert differing(compute(session, world, catalogue), world.signals(catalogue)) == []


@pytest.mark.parametrize("grain", GRAINS)
def test_some_signals_are_duckdb_s_at_every_grain(spark, grain):
    catalogue = some_signals(full_catalogue(grain), Random(len(str(grain))), SOME)
    with open_world(many_worlds(grain, 8), catalogue, grain) as world:
        session = set_apart(spark)
        open_tables(session, world.views())

        assert differing(compute(session, world, catalogue), world.signals(catalogue)) == []


def test_some_signals_of_accounts_are_duckdb_s(spark):
    catalogue = some_signals(account_catalogue(BERLIN), Random(4), SOME)
    with open_world(of_accounts(many_worlds(BERLIN, 8), BERLIN), catalogue, BERLIN) as world:
        session = set_apart(spark)
        open_tables(session, world.views())

        assert differing(compute(session, world, catalogue), world.signals(catalogue)) == []


def test_files_of_a_state_give_the_same_where_one_lacks_columns(spark, tmp_path):
    catalogue = some_signals(full_catalogue(DAY), Random(1), SOME)
    with open_world(many_worlds(DAY, 4), catalogue, DAY) as world:
        columns = [column for atom in world.atoms for column in columns_of(atom, world.state.manifest.codes)]
        kept = world.database.arrow(f"SELECT user_id, account_id, event_tick, known_tick, {', '.join(columns)} FROM state")
        parts = [kept.slice(0, 200), kept.slice(200).drop_columns(columns[3::2])]
        files = [tmp_path / f"{number}.parquet" for number in range(len(parts))]
        for part, file in zip(parts, files, strict=True):
            pq.write_table(part, file)
        world.database.register("parts", pa.concat_tables(parts, promote_options="default"))
        world.database.execute(f"CREATE OR REPLACE VIEW state AS {visible_state('parts')}")
        session = set_apart(spark)
        open_tables(session, views_but_state(world))
        open_state(session, read_state(session, files, columns))

        assert differing(compute(session, world, catalogue), world.signals(catalogue)) == []


def test_no_file_gives_a_state_without_rows(spark):
    rows = read_state(spark, [], ["n"])

    assert [name for name, kind in rows.dtypes if kind == "string"] == ["user_id", "account_id"]
    assert [name for name, kind in rows.dtypes if kind == "bigint"] == ["event_tick", "known_tick", "n"]
    assert rows.count() == 0


def test_a_state_rolled_up_on_spark_gives_the_same(spark):
    catalogue = some_signals(full_catalogue(BERLIN), Random(2), SOME)
    with open_world(many_worlds(BERLIN, 8), catalogue, BERLIN) as world:
        session = set_apart(spark)
        open_tables(session, views_but_state(world) | {"events": world.raw["events"]})

        rows, codes = roll_up_on_spark(world.log, world.atoms, session)
        open_state(session, rows)

        assert codes == {name: list(values) for name, values in world.state.manifest.codes.items()}
        assert differing(compute(session, world, catalogue), world.signals(catalogue)) == []


def test_streamed_rows_stand_beside_columns_of_the_spine_in_its_order(spark):
    catalogue = some_signals(full_catalogue(DAY), Random(3), 2)
    with open_world(many_worlds(DAY, 4), catalogue, DAY) as world:
        session = set_apart(spark)
        open_tables(session, world.views())
        engine = SparkEngine(session, DAY, world.state.words())

        found = pa.Table.from_batches(engine.stream_signals(catalogue, "s.lead_id, s.as_of"))

    assert found["lead_id"].to_pylist() == world.raw["wanted"]["lead_id"].to_pylist()
    assert found["as_of"].to_pylist() == world.raw["wanted"]["as_of"].to_pylist()
    assert found.column_names == ["lead_id", "as_of", *(column.name for column in catalogue)]


def test_a_project_s_signals_are_those_of_the_local_night_and_score_the_same(spark, model):
    night = model.project.score(model.signals["as_of"].iloc[0].to_pydatetime())

    signals = signals_on_spark(model.project, night.as_of, spark).cache()

    assert differing_from_local(signals, model.signals) == []
    scored = fetch(score_on_spark(signals, model.folder(night.used)))
    expected = night.scores.sort_values("lead_id", ignore_index=True)
    assert scored["lead_id"].tolist() == expected["lead_id"].tolist()
    assert np.array_equal(scored["score"], expected["score"])


def test_tables_handed_in_from_memory_are_read_after_their_project_is_gone(spark, tmp_path):
    world = generate_world(WorldSpec(accounts=40, days=200, seed=3, events_per_user_scale=0.3))
    project = open_config(read_demo(), tmp_path, tables=world.tables)
    as_of = datetime(2024, 1, 1) + timedelta(days=150)
    local = project.signals(as_of).to_frame()

    signals = signals_on_spark(project, as_of, spark)
    del project

    assert differing_from_local(signals, local) == []
    assert len(local) > 20


def test_tables_of_another_session_are_read_with_their_moments_in_utc(spark):
    theirs = set_apart(spark)
    theirs.conf.set("spark.sql.session.timeZone", "America/New_York")
    frame = theirs.sql("SELECT TIMESTAMP '2025-03-03 20:00:00' AS at, TIMESTAMP_NTZ '2025-03-03 20:00:00' AS plain, 'a' AS `odd.name`")
    ours = set_apart(spark)

    open_tables(ours, {"given": frame})

    assert ours.table("given").dtypes == [("at", "timestamp_ntz"), ("plain", "timestamp_ntz"), ("odd.name", "string")]
    assert [str(value) for value in ours.table("given").collect()[0]] == ["2025-03-04 01:00:00", "2025-03-03 20:00:00", "a"]
    assert [table.name for table in theirs.catalog.listTables("global_temp") if table.database == "global_temp"] == []
