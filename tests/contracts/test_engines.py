"""What every registered engine promises: the same small world gives the values worked out by hand."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from fakes.paths import SignalPath
from fakes.worlds import Account, User, World, read_events

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.database import Database
from pls_ml.core.errors import MissingExtraError
from pls_ml.core.windows import Grain
from pls_ml.signals.engines import ENGINES
from pls_ml.signals.engines.spark import open_tables
from pls_ml.signals.engines.spark_session import open_session

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
GRAIN = Grain("day")
NOW, LATER = datetime(2025, 3, 10), datetime(2025, 3, 17)
VIEWS = ("spine", "users", "user_versions", "accounts", "workspaces", "usage_limits", "state")
EVENTS = """
    user | event          | when     | known | account | tier    | step
    ann  | page_viewed    | -1us     |       |         | premium | a
    ann  | page_viewed    | -7d      |       |         | free    | b
    ann  | page_viewed    | -7d -1us |       |         | free    | b
    ann  | page_viewed    | -1d      | 1d    |         | free    | c
    bob  | pricing_viewed | -2d      |       | bolt    |         |
    bob  | pricing_viewed | -3d      |       |         |         |
    eve  | page_viewed    | -1d      |       |         |         |
    bob  | exported       | 3d       |       |         |         |
"""


def signal(name: str, measure: dict[str, Any], scope: str = "user", windows: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {"id": name, "family": "test", "label": name, "measure": measure, "scope": scope, "windows": list(windows), **more}


CATALOGUE = Catalogue.model_validate(
    {
        "signals": [
            signal("industry", {"kind": "attribute", "table": "accounts", "column": "industry", "type": "category"}),
            signal("rate", {"kind": "ratio", "numerator": "views_7d", "denominator": "age"}),
            signal("views", {"kind": "count", "events": ["page_viewed"]}, windows=("7d", "lifetime")),
            signal("steps", {"kind": "distinct", "of": "step"}, windows=("7d",)),
            signal("team", {"kind": "count"}, "account", windows=("7d",)),
            signal("busy", {"kind": "active_users"}, "account", windows=("7d",)),
            signal("idle", {"kind": "days_since_last"}, missing=99),
            signal("age", {"kind": "age_days"}),
            signal("last", {"kind": "latest", "among": ["pricing_viewed", "page_viewed", "exported"]}),
        ]
    }
)
WORLD = World(
    users=(
        User("ann", "acme", datetime(2025, 2, 28)),
        User("bob", "acme", datetime(2025, 3, 5, 12)),
        User("cem", None, datetime(2025, 3, 9, 12)),
        User("eve", "acme", datetime(2025, 3, 1), is_internal=True),
    ),
    spine=(("ann", NOW), ("bob", NOW), ("cem", NOW), ("bob", LATER)),
    events=read_events(EVENTS, NOW),
    accounts=(Account("acme", industry="retail"), Account("bolt", industry="it's")),
)
EXPECTED = """
    row | industry | rate | views_7d | views_lifetime | steps_7d | team_7d | busy_7d | idle  | age  | last
    1   | retail   | 0.2  | 2        | 3              | 2        | 3       | 2       | 1e-6  | 10   | page_viewed
    2   | retail   | 0    | 0        | 0              | 0        | 3       | 2       | 2     | 4.5  | pricing_viewed
    3   |          | 0    | 0        | 0              | 0        |         |         | 99    | 0.5  |
    4   | retail   | 0    | 0        | 0              | 0        | 1       | 1       | 4     | 11.5 | exported
"""


@dataclass(frozen=True)
class Open:
    """An engine over the tables of a world, and how to read the signals that it has built."""

    engine: Any
    read: Callable[[], pa.Table]


def open_duckdb(kind: type, views: dict[str, pa.Table], words: dict[str, list[str]]) -> Open:
    database = Database([], threads=1, memory_limit="500MB")
    for name, table in views.items():
        database.register(name, table)
    return Open(kind(database, GRAIN, words), lambda: database.arrow("SELECT * FROM signals"))


def open_spark(kind: type, views: dict[str, pa.Table], words: dict[str, list[str]]) -> Open:
    try:
        session = open_session(2)
    except MissingExtraError as error:
        pytest.skip(str(error))
    open_tables(session, views)
    return Open(kind(session, GRAIN, words), lambda: session.table("signals").toArrow())


OPENERS = {"duckdb": open_duckdb, "spark": open_spark}


@pytest.fixture(scope="module", params=ENGINES, ids=lambda engine: engine.kind)
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with SignalPath(CATALOGUE, GRAIN, whole=True).opened(WORLD) as (database, state):
        views = {name: database.arrow(f"SELECT * FROM {name}") for name in VIEWS}
        yield OPENERS[request.param.kind](request.param, views, state.words())


def expected() -> pd.DataFrame:
    lines = [[cell.strip() or None for cell in line.split("|")] for line in EXPECTED.strip().splitlines()]
    frame = pd.DataFrame(lines[1:], columns=lines[0])
    texts = [column.name for column in CATALOGUE if column.signal.is_category]
    return frame.astype({name: "object" if name in texts else "float64" for name in frame.columns})


def test_kinds_are_distinct_and_all_are_under_test():
    assert sorted(engine.kind for engine in ENGINES) == sorted(OPENERS)


def test_the_values_are_those_worked_out_by_hand(opened):
    opened.engine.build_signals(CATALOGUE)

    found = opened.read().to_pandas().sort_values("row", ignore_index=True)

    pd.testing.assert_frame_equal(found.astype(expected().dtypes), expected(), check_exact=False, rtol=0, atol=1e-4)
    assert found["idle"][0] == 1 / 86_400_000_000


def test_columns_come_in_the_declared_order_with_numbers_as_doubles(opened):
    opened.engine.build_signals(CATALOGUE)

    schema = opened.read().schema

    assert schema.names == ["row", *(column.name for column in CATALOGUE)]
    numbers = [column.name for column in CATALOGUE if not column.signal.is_category]
    assert {schema.field(name).type for name in numbers} == {pa.float64()}
    assert schema.field("row").type == pa.int64()


def test_streamed_rows_are_the_built_ones_beside_the_spine_s_columns(opened):
    opened.engine.build_signals(CATALOGUE)
    built = opened.read().sort_by("row").drop_columns(["row"])

    streamed = pa.Table.from_batches(opened.engine.stream_signals(CATALOGUE, "s.lead_id, s.as_of"))

    assert streamed["lead_id"].to_pylist() == ["ann", "bob", "cem", "bob"]
    assert streamed["as_of"].to_pylist() == [NOW, NOW, NOW, LATER]
    assert streamed.drop_columns(["lead_id", "as_of"]).to_pydict() == built.to_pydict()


def test_a_selection_of_signals_gives_the_same_values(opened):
    opened.engine.build_signals(CATALOGUE)
    everything = opened.read().sort_by("row")

    opened.engine.build_signals(CATALOGUE.select(["idle", "industry"]))

    assert opened.read().sort_by("row").to_pydict() == everything.select(["row", "industry", "idle"]).to_pydict()


def test_the_compiled_query_is_one_text_with_every_column(opened):
    text = opened.engine.compile(CATALOGUE)

    assert text.startswith("WITH ")
    assert all(column.name in text for column in CATALOGUE)
