"""What columns hold, told by their values: numbers, categories, or nothing that a signal should read."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pls_ml.core.database import Database, quote

MOST_LETTERS = 100
"""Longer texts are sentences."""
MOSTLY = 0.9
"""A column of which this share are dates is a column of dates."""
UNIQUE_ROWS = 100
"""Whole numbers that never repeat in so many rows or more number the rows."""
LARGEST = 1e9
"""Sums of larger numbers say nothing in the exact form in which the state keeps them."""
EARLIEST, LATEST = 5e8, 5e18
"""Numbers between them are taken for times: seconds, or smaller parts of them, since 1970."""


@dataclass(frozen=True)
class Contents:
    """What one column holds; `values` is exact or an estimate, as it was asked for."""

    sql_type: str
    filled: int
    values: int
    numbers: int
    whole: bool
    low: float | None
    high: float | None
    dates: int
    addresses: int
    longest: int

    @property
    def kind(self) -> Literal["number", "category"] | None:
        """What the column can be used as; None for dates, addresses, sentences, row numbers, and a single value."""
        if not self.filled or self.addresses or self.dates >= MOSTLY * self.filled or self.longest > MOST_LETTERS:
            return None
        if self.sql_type == "VARCHAR" and self.numbers < self.filled:
            return "category"
        numbered = self.whole and self.values >= self.filled >= UNIQUE_ROWS
        return "number" if self._has_range and not numbered else None

    @property
    def is_yes_no(self) -> bool:
        """Whether the column has two values: true and false, 0 and 1, or two texts."""
        return self.values == 2 and (self.kind == "category" or (self.low, self.high, self.whole) == (0, 1, True))

    @property
    def is_code(self) -> bool:
        """Whether the values of an event's property may be names of something: flags, categories, and whole numbers written as text."""
        return self.kind == "category" or (self.kind == "number" and self.sql_type in ("BOOLEAN", "VARCHAR") and self.whole)

    @property
    def is_summable(self) -> bool:
        """Whether the values are quantities whose sums stay of a sane size."""
        return (
            self.kind == "number"
            and self.sql_type != "BOOLEAN"
            and self.low is not None
            and self.high is not None
            and -LARGEST < self.low < self.high < LARGEST
        )

    @property
    def _has_range(self) -> bool:
        return self.low is not None and self.high is not None and -math.inf < self.low < self.high < math.inf


def survey_columns(database: Database, relation: str, columns: Iterable[str], exact: bool) -> dict[str, Contents]:
    """Takes a relation, its columns and whether to count distinct values exactly; returns what each holds, in alphabetical order.

    Columns that are neither text, numbers nor flags are left out. One query over the relation.
    """
    types = {name: kind for name, kind in sorted(database.columns(relation).items()) if name in set(columns) and _is_plain(kind)}
    if not types:
        return {}
    asked = [sql for place, kind in enumerate(types.values()) for sql in _questions(f"c{place}", f"n{place}", kind == "VARCHAR", exact)]
    read = ", ".join(f"{quote(name)} AS c{place}, TRY_CAST({quote(name)} AS DOUBLE) AS n{place}" for place, name in enumerate(types))
    found = database.rows(f"SELECT {', '.join(asked)} FROM (SELECT {read} FROM {quote(relation)})")[0]
    width = len(found) // len(types)
    return {name: Contents(kind, *found[place * width : (place + 1) * width]) for place, (name, kind) in enumerate(types.items())}


def _is_plain(sql_type: str) -> bool:
    return sql_type in ("VARCHAR", "BOOLEAN", "INTEGER", "UINTEGER", "DOUBLE", "FLOAT") or sql_type.endswith("INT") or "DECIMAL" in sql_type


def _questions(column: str, number: str, is_text: bool, exact: bool) -> tuple[str, ...]:
    """The fields of `Contents` after the type, as aggregates."""
    dates = f"count(TRY_CAST({column} AS TIMESTAMP))" if is_text else "0"
    return (
        f"count({column})",
        f"count(DISTINCT {column})" if exact else f"approx_count_distinct({column})",
        f"count({number})",
        f"coalesce(bool_and({number} = floor({number})), FALSE)",
        f"min({number})",
        f"max({number})",
        f"{dates} + count(*) FILTER (WHERE {number} BETWEEN {EARLIEST} AND {LATEST})",
        f"count(*) FILTER (WHERE contains({column}, '@'))" if is_text else "0",
        f"coalesce(max(length({column})), 0)" if is_text else "0",
    )
