"""The table of signals on disk: streamed, in a total order, the same bytes on every run, labelled where that is asked for."""

from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest
from projects import open_config, read_demo, shuffle

from pls_ml.core.errors import TableError
from pls_ml.signals.engines.duckdb import DuckDBEngine
from pls_ml.synthetic import WorldSpec, generate_world, write_world
from pls_ml.workflows.training_rows import load_training_rows

WORLD = WorldSpec(accounts=200, days=240, seed=5, conversion_intercept=-5, events_per_user_scale=0.2)
CHANGES = {"horizon": {"horizon_days": 30}, "model": {"acknowledge_leaks": ["upgrade_completed"]}}
MOMENT = datetime(2024, 7, 1)


@pytest.fixture(scope="module")
def world():
    return generate_world(WORLD)


@pytest.fixture(scope="module")
def folder(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    write_world(world, folder / "data")
    return folder


@pytest.fixture(scope="module")
def open_it(folder):
    """Opens the project, with an output folder of its own, and what else is asked for."""

    def open_it(output, changes=None, **how):
        return open_config(read_demo(**CHANGES | (changes or {})), output, **({"data": folder} | how))

    return open_it


@pytest.fixture(scope="module")
def grid(open_it, tmp_path_factory):
    return open_it(tmp_path_factory.mktemp("grid")).signals()


def test_rows_are_in_the_order_of_moments_and_leads(grid):
    frame = grid.to_frame()

    assert len(frame) == grid.rows > 1000
    assert frame.equals(frame.sort_values(["as_of", "lead_id"], kind="stable"))
    assert not frame.duplicated(["as_of", "lead_id"]).any()
    assert list(frame.columns) == ["lead_id", "account_id", "account_key", "as_of", *grid.columns]


@pytest.mark.parametrize("threads", [1, 4])
def test_the_same_bytes_are_written_for_any_number_of_threads_and_order_of_rows(open_it, grid, world, tmp_path, threads):
    project = open_it(tmp_path, {"resources": {"threads": threads, "memory": "2GB"}}, tables=shuffle(world.tables, seed=threads))

    assert project.signals().path.read_bytes() == grid.path.read_bytes()


def test_a_second_run_writes_the_same_bytes(open_it, tmp_path):
    project = open_it(tmp_path)
    before = project.signals(labels=True).path.read_bytes()

    assert project.signals(labels=True).path.read_bytes() == before


def test_slices_give_the_rows_that_one_go_gives(open_it, grid, tmp_path, monkeypatch):
    monkeypatch.setattr("pls_ml.signals.engines.duckdb.SLICE_ROWS", 700)
    project = open_it(tmp_path)

    sliced = project.signals()

    expected = grid.to_frame()
    found = sliced.to_frame().sort_values(["as_of", "lead_id"], ignore_index=True)
    pd.testing.assert_frame_equal(found, expected)
    assert project.signals().path.read_bytes() == sliced.path.read_bytes()


def test_the_memory_limit_says_how_many_slices_there_are(open_it, grid, tmp_path, monkeypatch):
    computed = []
    slices = DuckDBEngine._slices
    monkeypatch.setattr(DuckDBEngine, "_slices", lambda *of: (computed.append(sql) or sql for sql in slices(*of)))
    monkeypatch.setattr("pls_ml.signals.engines.duckdb.ROW_BYTES", 2 * 10**9 // 700)

    sliced = open_it(tmp_path, {"resources": {"memory": "2GB"}}).signals()

    assert len(computed) == -(-grid.rows // 700)
    assert sliced.rows == grid.rows


def test_one_moment_of_the_grid_is_what_the_grid_has_there(open_it, grid, tmp_path):
    frame = grid.to_frame()
    moment = frame["as_of"].unique()[6]

    alone = open_it(tmp_path).signals(moment.to_pydatetime()).to_frame()

    pd.testing.assert_frame_equal(alone, frame[frame["as_of"] == moment].reset_index(drop=True))


def test_a_moment_may_carry_a_zone(open_it, tmp_path):
    project = open_it(tmp_path)

    plain = project.signals(MOMENT).path.read_bytes()

    assert project.signals(MOMENT.replace(tzinfo=UTC)).path.read_bytes() == plain
    assert project.signals((MOMENT + timedelta(hours=2)).replace(tzinfo=timezone(timedelta(hours=2)))).path.read_bytes() == plain


def test_the_training_set_is_what_training_reads(open_it, tmp_path):
    project = open_it(tmp_path)

    written = project.signals(labels=True)

    _, table, rows, counts = load_training_rows(project)
    frame = written.to_frame()
    assert written.labels == counts
    assert frame["label"].tolist() == rows.labels.tolist()
    assert frame["lead_id"].tolist() == table.spine["lead_id"].tolist()
    pd.testing.assert_frame_equal(frame[list(written.columns)], table.values, check_dtype=False)


def test_a_notebook_sees_the_first_rows_without_reading_the_others(grid):
    html = grid._repr_html_()

    assert html.startswith(f"<p>{grid.rows:,} rows</p>")
    assert html.count("<tr") == 21


def test_a_failed_run_leaves_the_table_of_the_run_before(open_it, tmp_path):
    project = open_it(tmp_path)
    before = project.signals(MOMENT).path.read_bytes()

    with pytest.raises(TableError, match="lies after the end of the data"):
        project.signals(datetime(2031, 1, 1))

    assert (project.output / "signals.parquet").read_bytes() == before
    assert [path.name for path in project.output.iterdir() if path.name.endswith(".part")] == []


def test_every_view_is_a_method_of_the_project(open_it, tmp_path):
    project = open_it(tmp_path)

    assert "pricing_views" in project.list_signals().to_text()
    assert project.show_signal("pricing_views").columns[0].name == "pricing_views_7d"
    assert project.cover_signals(MOMENT).as_of == "2024-07-01T00:00:00"
    assert project.compile_signals(as_of=MOMENT).sql.startswith("WITH ")
    for result in (project.list_signals(), project.show_signal("pricing_views"), project.cover_signals(MOMENT)):
        assert "<script" not in result._repr_html_()
