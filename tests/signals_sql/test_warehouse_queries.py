"""One query from a warehouse's own tables to the signals: run on PostgreSQL, read for Snowflake and BigQuery."""

import re
from dataclasses import replace

import pyarrow as pa
import pytest
import sqlglot
from fakes.catalogues import account_catalogue, default_catalogue, full_catalogue
from fakes.random_worlds import GRAINS
from signals.account_worlds import of_accounts
from signals_sql.mapped_worlds import differing, many_worlds, open_world
from signals_sql.warehouses import compile_world, describe, lake_tables, own_name, shape_of, signals_at_once

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.errors import ConfigError, TableError
from pls_ml.core.windows import Grain
from pls_ml.signals.warehouse import WarehouseTable, warehouse_sql

DAY, BERLIN = Grain("day"), Grain("day", "Europe/Berlin")
READ_ONLY = ("snowflake", "bigquery")


def run_on(postgres, world, catalogue: Catalogue):
    """The signals as PostgreSQL computes them, in the order of the spine."""
    postgres.run("CREATE SCHEMA IF NOT EXISTS lake;")
    for name, table in lake_tables(world).items():
        postgres.load(f"lake.{name}", table)
    types = {column.name: pa.string() if column.signal.is_category else pa.float64() for column in catalogue}
    sql = compile_world(world, catalogue, "postgres")
    return postgres.query(f'SELECT * FROM ({sql}) AS found ORDER BY "row"', {"row": pa.int64(), **types}).to_pandas()


@pytest.mark.parametrize("grain", GRAINS)
def test_postgres_computes_what_duckdb_does_to_the_last_bit(postgres, grain):
    catalogue = full_catalogue(grain)
    with open_world(many_worlds(grain, 8), catalogue, grain) as world:
        assert differing(run_on(postgres, world, catalogue), signals_at_once(world, catalogue)) == []


def test_postgres_computes_the_shipped_signals_as_the_engine_does(postgres):
    catalogue = default_catalogue()
    with open_world(many_worlds(BERLIN, 12, rows=1), catalogue, BERLIN) as world:
        expected = world.signals(catalogue)

        assert differing(run_on(postgres, world, catalogue), expected) == []
        assert len(expected) >= 50


@pytest.mark.parametrize("grain", [DAY, BERLIN], ids=str)
def test_postgres_computes_the_signals_of_accounts(postgres, grain):
    catalogue = account_catalogue(grain)
    with open_world(of_accounts(many_worlds(grain, 8), grain), catalogue, grain) as world:
        assert differing(run_on(postgres, world, catalogue), signals_at_once(world, catalogue)) == []


def test_users_with_one_row_each_need_no_versions(postgres):
    catalogue = default_catalogue()
    found = many_worlds(DAY, 4)
    settled = replace(found, users=tuple({user.user_id: replace(user, valid_from=None, valid_to=None) for user in found.users}.values()))
    with open_world(settled, catalogue, DAY) as world:
        world.raw["users"] = world.raw["users"].drop_columns(["valid_from", "valid_to"])

        assert shape_of(world).moves is False
        assert differing(run_on(postgres, world, catalogue), signals_at_once(world, catalogue)) == []


def test_tables_and_columns_that_the_warehouse_lacks_are_empty(postgres):
    catalogue = default_catalogue()
    with open_world(many_worlds(DAY, 4), catalogue, DAY) as world:
        tables = {name: table for name, table in describe(world).items() if name not in ("usage_limits", "workspaces")}
        accounts = WarehouseTable("lake.accounts", {name: own_name(name) for name in ("account_id", "valid_from", "valid_to")})
        run_on(postgres, world, catalogue)
        steps = [*world.log.steps(world.atoms), *world.log.roll_up(world.atoms, world.state.manifest.codes)]
        sql = warehouse_sql(catalogue, shape_of(world), tables | {"accounts": accounts}, steps, "postgres")

        found = postgres.query(sql, {}).to_pandas()

    assert found["limit_use"].isna().all()
    assert found["employees"].isna().all()
    assert sorted(found["row"]) == list(range(1, len(found) + 1))


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The query of every signal, for the dialects that nothing here can run."""
    catalogue = full_catalogue(BERLIN)
    with open_world(many_worlds(BERLIN, 4), catalogue, BERLIN) as world:
        return {dialect: compile_world(world, catalogue, dialect) for dialect in READ_ONLY}


@pytest.mark.parametrize("dialect", READ_ONLY)
def test_the_text_is_one_statement_of_the_dialect(texts, dialect):
    parsed = sqlglot.parse(texts[dialect], read=dialect, error_level=sqlglot.ErrorLevel.RAISE)

    assert len(parsed) == 1
    assert [column.alias_or_name for column in parsed[0].expressions] == ["row", *(column.name for column in full_catalogue(BERLIN))]


@pytest.mark.parametrize("dialect", READ_ONLY)
@pytest.mark.parametrize(
    "trap",
    [
        r"EPOCH_US|(?<!CONVERT_)TIMEZONE\(",  # DuckDB's functions
        r"IS (NOT )?(TRUE|FALSE)",  # loses NULL in Snowflake
        r"FILTER ?\(|QUALIFY|WINDOW ",  # not in every dialect
        r"(?i)ROW_NUMBER\(\) OVER \(\s*ORDER",  # would number everything in one place
        r"(?i)BIT_?OR(_?AGG)?\([^()]*\) OVER",  # only over groups
        r"CONVERT_TIMEZONE\(\s*'[^']*',\s*[^' ]",  # with two arguments: from the session's zone
        r"CAST\([0-9]+\.[0-9]+ AS",  # a decimal number first
        r"(?i)COLLATE|infinity",
        r"WHERE\s+FALSE",  # BigQuery wants a table there
    ],
)
def test_the_text_has_none_of_the_known_traps(texts, dialect, trap):
    assert re.findall(trap, texts[dialect]) == []


def test_snowflake_divides_only_without_a_rest_and_counts_bits_by_adding(texts):
    assert "TRUNC(" not in texts["snowflake"]
    assert "BIT_COUNT" not in texts["snowflake"].upper()
    assert "CONVERT_TIMEZONE('UTC', 'Europe/Berlin'," in texts["snowflake"]


def test_bigquery_lists_values_as_structs(texts):
    assert "FROM UNNEST([" in texts["bigquery"]
    assert not re.findall(r"\bVALUES\b", texts["bigquery"])


def compile_tables(**changed: WarehouseTable | None) -> str:
    spine = WarehouseTable("lake.spine", {name: name for name in ("row", "lead_id", "account_id", "as_of")})
    events = WarehouseTable("lake.events", {name: name for name in ("user_id", "event", "event_time")})
    tables = {"spine": spine, "events": events, "users": WarehouseTable("lake.users", {"user_id": "id"})} | changed
    given = {name: table for name, table in tables.items() if table is not None}
    with open_world(many_worlds(DAY, 4), default_catalogue(), DAY) as world:
        return warehouse_sql(default_catalogue(), shape_of(world), given, ["rolled AS (SELECT 1)"], "snowflake")


def test_a_table_without_a_schema_is_refused():
    with pytest.raises(ConfigError, match=r"table 'users' for 'users' has no schema: write it as schema\.users"):
        compile_tables(users=WarehouseTable("users", {"user_id": "id"}))


def test_a_table_that_is_needed_is_asked_for():
    with pytest.raises(TableError, match="the warehouse's table for 'events' is not given"):
        compile_tables(events=None)


def test_a_column_that_is_needed_is_asked_for():
    with pytest.raises(TableError, match=r"table 'lake\.events' for 'events' has no column for event_time, event: say which"):
        compile_tables(events=WarehouseTable("lake.events", {"user_id": "uid"}))


def test_a_table_that_no_signal_reads_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigError, match=r"no signal reads a table 'user' \(did you mean 'users'\?\): give some of spine, events"):
        compile_tables(user=WarehouseTable("lake.user", {"user_id": "id"}))
