"""A small world as the Arrow tables that a project would hand in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from fakes.worlds import World

WriteTime = Callable[[datetime], str]
_TIME, _TEXT, _NUMBER, _FLAG = pa.timestamp("us"), pa.string(), pa.float64(), pa.bool_()
_COLUMNS = {
    "users": {
        "user_id": _TEXT,
        "account_id": _TEXT,
        "signup_at": _TIME,
        "seniority": _TEXT,
        "department": _TEXT,
        "source": _TEXT,
        "free_mail": _NUMBER,
        "is_internal": _FLAG,
        "invited_by": _TEXT,
        "valid_from": _TIME,
        "valid_to": _TIME,
    },
    "accounts": {
        "account_id": _TEXT,
        "employee_count": _NUMBER,
        "industry": _TEXT,
        "region": _TEXT,
        "valid_from": _TIME,
        "valid_to": _TIME,
    },
    "workspaces": {"account_id": _TEXT, "created_at": _TIME},
    "usage_limits": {"account_id": _TEXT, "resource": _TEXT, "limit": _NUMBER, "used": _NUMBER, "at": _TIME},
}
_LOGGED = {"event_id": _TEXT, "user_id": _TEXT, "account_id": _TEXT, "event": _TEXT, "event_time": _TIME, "known_at": _TIME}


@dataclass(frozen=True)
class WorldTables:
    """The tables of a world; times as such, or as text where `write_time` writes them."""

    world: World
    write_time: WriteTime | None = None

    def events(self, properties: Iterable[str], known_before: datetime | None = None, held_back: int = 0) -> pa.Table:
        """The log with these properties, or what of it was known before a moment but for every `held_back`-th row."""
        table = self._table(_LOGGED, self.world.events)
        for name in properties:
            given = [event.properties.get(name) for event in self.world.events]
            number = any(isinstance(value, int | float) for value in given)
            table = table.append_column(name, pa.array(given, _NUMBER if number else _TEXT))
        known = [known_before is None or event.known < known_before for event in self.world.events]
        here = [not held_back or place % held_back != 0 for place in range(len(known))]
        return table.filter(pa.array([one and other for one, other in zip(known, here, strict=True)], _FLAG))

    def others(self) -> dict[str, pa.Table]:
        """Every other table by its name."""
        rows = {
            "users": self.world.users,
            "accounts": self.world.accounts,
            "workspaces": self.world.workspaces,
            "usage_limits": self.world.readings,
        }
        tables = {name: self._table(_COLUMNS[name], rows[name]) for name in rows}
        ids = pa.array([f"w{number}" for number in range(len(self.world.workspaces))], _TEXT)
        return tables | {"workspaces": tables["workspaces"].append_column("workspace_id", ids)}

    def spine(self) -> pa.Table:
        """The rows to build signals for."""
        return pa.table(
            {
                "row": pa.array(range(1, len(self.world.spine) + 1), pa.int64()),
                "lead_id": pa.array([lead for lead, _ in self.world.spine], _TEXT),
                "as_of": pa.array([as_of for _, as_of in self.world.spine], _TIME),
            }
        )

    def _table(self, columns: dict[str, pa.DataType], rows: Sequence[object]) -> pa.Table:
        given = {name: [getattr(row, name) for row in rows] for name in columns}
        return pa.table({name: self._array(values, columns[name]) for name, values in given.items()})

    def _array(self, values: list[object], kind: pa.DataType) -> pa.Array:
        if kind != _TIME or self.write_time is None:
            return pa.array(values, kind)
        return pa.array([None if value is None else self.write_time(value) for value in values], _TEXT)
