"""Leaks to plant in an invented world, one at a time: each is how outcomes get into real tables, under a name that says nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pls_ml.core.errors import ConfigError, suggest
from pls_ml.synthetic.world import World

Tables = dict[str, pd.DataFrame]
CAUGHT, STRAY = 0.9, 0.05
"""How many of the winners a leak marks, and how many of the others by mistake."""


@dataclass(frozen=True)
class PlantedLeak:
    """A world with one leak: its tables, the signals that read it (as in a project file), and names of which the audit must say one."""

    kind: str
    tables: dict[str, pa.Table]
    signals: tuple[dict[str, Any], ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class _Scene:
    tables: Tables
    won_at: pd.Series
    end: pd.Timestamp
    rng: np.random.Generator

    def mark(self, accounts: pd.Series) -> np.ndarray:
        """Takes account ids; returns which are marked: most winners, and few others."""
        caught = accounts.isin(self.won_at.index).to_numpy()
        return self.rng.random(len(accounts)) < np.where(caught, CAUGHT, STRAY)

    def find_wins(self, accounts: pd.Series) -> pd.Series:
        """Takes account ids; returns when each won, NaT: never."""
        return self.won_at.reindex(accounts).set_axis(accounts.index)


def plant_leak(world: World, kind: str, seed: int = 0) -> PlantedLeak:
    """Takes a world, a kind of `LEAKS` and a seed; returns the world's tables with that leak; refuses an unknown kind."""
    if kind not in LEAKS:
        raise ConfigError(f"no leak of kind '{kind}': expected one of {', '.join(LEAKS)}{suggest(kind, list(LEAKS))}")
    tables = {name: table.to_pandas() for name, table in world.tables.items()}
    won = pd.Series(world.truth.won_at, index=world.truth.account_ids).dropna().dt.tz_localize("UTC")
    end = pd.Timestamp(world.spec.span.end_us, unit="us", tz="UTC")
    signals, names = LEAKS[kind](_Scene(tables, won, end, np.random.default_rng(seed)))
    return PlantedLeak(kind, {name: pa.Table.from_pandas(table, preserve_index=False) for name, table in tables.items()}, signals, names)


def _filled_by_rep(scene: _Scene) -> Any:
    """A number that reps fill in for those who buy, seldom for others."""
    accounts = scene.tables["accounts"]
    accounts["grade"] = np.where(scene.mark(accounts["account_id"]), scene.rng.uniform(1, 5, len(accounts)).round(1), np.nan)
    return (_attribute("accounts", "grade"),), ("grade", "missingness")


def _overwritten_status(scene: _Scene) -> Any:
    """A word that says what the account has become by the end."""
    accounts = scene.tables["accounts"]
    others = scene.rng.choice(["new", "trial", "idle"], len(accounts))
    accounts["phase"] = np.where(scene.mark(accounts["account_id"]), "live", others)
    return (_attribute("accounts", "phase", "category"),), ("phase",)


def _extract_counter(scene: _Scene) -> Any:
    """How much an account had done by the end of the extract; buyers went on using what they bought."""
    accounts, events = scene.tables["accounts"], scene.tables["events"]
    owner = scene.tables["users"].set_index("user_id")["account_id"]
    before = events["user_id"].map(owner).value_counts().reindex(accounts["account_id"]).fillna(0).to_numpy()
    months = (scene.end - scene.find_wins(accounts["account_id"])).dt.days.fillna(0).to_numpy() / 30
    accounts["actions"] = before + scene.rng.poisson(before.mean() * months)
    return (_attribute("accounts", "actions"),), ("actions",)


def _twin_event(scene: _Scene) -> Any:
    """An event that comes with the win, within hours before or after."""
    hours = pd.to_timedelta(scene.rng.uniform(-6, 6, len(scene.won_at)), unit="h")
    _log(scene, "workspace_provisioned", scene.won_at.index, (scene.won_at + hours).array)
    return (_count("workspace_provisioned"),), ("workspace_provisioned",)


def _backdated_event(scene: _Scene) -> Any:
    """What sales log after the win and date back by weeks, `known_at` with it."""
    accounts = scene.tables["accounts"]["account_id"]
    chosen = accounts[scene.mark(accounts)]
    moment = scene.find_wins(chosen).fillna(scene.end - pd.Timedelta(days=100))
    back = pd.to_timedelta(scene.rng.uniform(20, 110, len(chosen)), unit="D")
    _log(scene, "demo_held", pd.Index(chosen), (moment - back).array)
    return (_count("demo_held"),), ("demo_held", *_columns("demo_held"))


def _future_window(scene: _Scene) -> Any:
    """A monthly figure stamped with the beginning of what it sums up: two months, a purchase among them."""
    accounts = scene.tables["accounts"]
    starts = pd.date_range(accounts["created_at"].min().floor("D"), scene.end, freq="30D")
    versions = accounts.merge(pd.DataFrame({"valid_from": starts}), how="cross")
    versions["valid_to"] = versions["valid_from"] + pd.Timedelta(days=30)
    versions.loc[versions["valid_to"] > scene.end, "valid_to"] = pd.NaT
    ahead = scene.find_wins(versions["account_id"]) - versions["valid_from"]
    bought = ahead.between(pd.Timedelta(0), pd.Timedelta(days=90))
    versions["spend"] = scene.rng.gamma(1.0, 10.0, len(versions)) + np.where(bought, scene.rng.gamma(4.0, 20.0, len(versions)), 0.0)
    scene.tables["accounts"] = versions
    return (_attribute("accounts", "spend"),), ("spend",)


def _filled_late(scene: _Scene) -> Any:
    """A value with a history that says it came when the deal was open."""
    accounts, deals = scene.tables["accounts"], scene.tables["opportunities"]
    opened = deals[deals["is_won"].fillna(False).astype(bool)].groupby("account_id")["created_at"].min()
    filled = accounts["account_id"].map(opened) + pd.Timedelta(days=1)
    never = pd.Series(pd.NaT, accounts.index, dtype=filled.dtype)
    first = accounts.assign(valid_from=never, valid_to=filled, budget=np.nan)
    later = first.assign(valid_from=filled, valid_to=never, budget=scene.rng.uniform(1, 9, len(first)))[filled.notna()]
    scene.tables["accounts"] = pd.concat([first, later], ignore_index=True)
    return (_attribute("accounts", "budget"),), ("budget",)


def _id_order(scene: _Scene) -> Any:
    """User ids given in the order of an export that lists customers first."""
    users = scene.tables["users"]
    late = ~users["account_id"].isin(scene.won_at.index).to_numpy()
    place = np.argsort(np.argsort(late + scene.rng.uniform(0, 0.5, len(users))))
    new = dict(zip(users["user_id"], (f"u{number:06d}" for number in place), strict=True))
    for table, column in (("users", "user_id"), ("events", "user_id"), ("opportunities", "user_id"), ("suppressions", "lead_id")):
        rows = scene.tables[table]
        rows[column] = rows[column].map(new)
    return (), ("id_order",)


def _duplicates(scene: _Scene) -> Any:
    """A fifth of the accounts once more under new ids, with all they did."""
    accounts = scene.tables["accounts"]
    chosen = set(accounts["account_id"][scene.rng.random(len(accounts)) < 0.2])
    users = scene.tables["users"]
    people = set(users["user_id"][users["account_id"].isin(chosen)])
    ids = {"account_id": chosen, "user_id": people, "lead_id": people}
    for name, table in scene.tables.items():
        keys = [column for column in ("account_id", "user_id", "lead_id") if column in table]
        copy = table[np.logical_or.reduce([table[column].isin(ids[column]) for column in keys])].copy()
        for column in [*keys, *({"event_id", "opportunity_id", "domain", "email", "session_id"} & set(table))]:
            copy[column] = copy[column].where(copy[column].isna(), "copy-" + copy[column].astype(str))
        scene.tables[name] = pd.concat([table, copy], ignore_index=True)
    return (), ("duplicates",)


LEAKS: Mapping[str, Callable[[_Scene], Any]] = {
    "filled by rep": _filled_by_rep,
    "overwritten status": _overwritten_status,
    "counter as of the extract": _extract_counter,
    "twin event": _twin_event,
    "backdated event": _backdated_event,
    "future window": _future_window,
    "filled late": _filled_late,
    "id order": _id_order,
    "duplicates": _duplicates,
}
"""Kind of leak → what plants it."""


def _log(scene: _Scene, event: str, accounts: pd.Index, at: Any) -> None:
    """Appends one event per account, by its first user, known when it happened."""
    events, users = scene.tables["events"], scene.tables["users"]
    first = users.drop_duplicates("account_id").set_index("account_id")["user_id"]
    rows = pd.DataFrame({"event_id": [f"{event}-{n}" for n in range(len(accounts))], "event_time": at, "known_at": at})
    rows["user_id"], rows["event"] = first.reindex(accounts).to_numpy(), event
    rows = rows[(rows["event_time"] < scene.end) & rows["user_id"].notna()]
    scene.tables["events"] = pd.concat([events, rows.astype({"event_time": events["event_time"].dtype})], ignore_index=True)


def _attribute(table: str, column: str, kind: str = "number") -> dict[str, Any]:
    measure = {"kind": "attribute", "table": table, "column": column, "type": kind}
    return {"id": column, "family": "fit", "label": column, "measure": measure}


def _count(event: str) -> dict[str, Any]:
    measure = {"kind": "count", "events": [event]}
    return {"id": event, "family": "intent", "scope": "account", "label": event, "measure": measure, "windows": ["30d", "lifetime"]}


def _columns(signal: str) -> tuple[str, ...]:
    return f"{signal}_30d", f"{signal}_lifetime"
