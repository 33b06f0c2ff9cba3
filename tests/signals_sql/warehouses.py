"""A world as a warehouse has it: in a schema, with column names of its own."""

from __future__ import annotations

import pyarrow as pa
from signals_sql.mapped_worlds import OpenWorld

from pls_ml.core.catalogue import Catalogue
from pls_ml.signals.query import Query, Shape
from pls_ml.signals.warehouse import WarehouseTable, has_versions, warehouse_sql


def lake_tables(world: OpenWorld) -> dict[str, pa.Table]:
    """The tables by the contract's names, their columns renamed."""
    raw = {name: world.raw[name] for name in ("events", "users", "accounts", "workspaces", "usage_limits")}
    raw["spine"] = world.database.arrow('SELECT "row", lead_id, account_id, as_of FROM spine')
    return {name: table.rename_columns([own_name(column) for column in table.column_names]) for name, table in raw.items()}


def own_name(column: str) -> str:
    return f"Their {column}"


def describe(world: OpenWorld) -> dict[str, WarehouseTable]:
    """What is said of the warehouse's tables."""
    types = {"events": world.database.columns("events")}
    return {
        name: WarehouseTable(f"lake.{name}", {column.removeprefix("Their "): column for column in table.column_names}, types.get(name, {}))
        for name, table in lake_tables(world).items()
    }


def shape_of(world: OpenWorld) -> Shape:
    return Shape(world.state.grain, world.state.words(), moves=has_versions(describe(world)), repeats=False)


def compile_world(world: OpenWorld, catalogue: Catalogue, dialect: str) -> str:
    steps = [*world.log.steps(world.atoms), *world.log.roll_up(world.atoms, world.state.manifest.codes)]
    return warehouse_sql(catalogue, shape_of(world), describe(world), steps, dialect)


def signals_at_once(world: OpenWorld, catalogue: Catalogue) -> object:
    """What DuckDB computes where every moment of a lead looks back over all of its life."""
    return world.database.frame(Query(catalogue, shape_of(world)).sql)
