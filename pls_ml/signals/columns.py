"""Columns computed from other columns: ratios, differences and rules, as SQL."""

from __future__ import annotations

from collections.abc import Sequence

from pls_ml.core.catalogue import SignalColumn
from pls_ml.core.database import literal, literals, quote
from pls_ml.core.measures import Condition, Difference, Ratio, Rule

SQL_OPERATOR = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<", "eq": "="}


def derive(column: SignalColumn) -> str:
    """Takes a ratio, difference or rule column; returns its SQL over already computed columns."""
    measure = column.signal.measure
    if isinstance(measure, Rule):
        tests = [_all(measure.all)] if measure.all else []
        tests += ["(" + " OR ".join(map(_test, measure.any)) + ")"] if measure.any else []
        return f"CASE WHEN {' AND '.join(tests)} THEN 1 ELSE 0 END"
    if isinstance(measure, Difference):
        return f"CAST({quote(measure.of)} AS DOUBLE) - CAST({quote(measure.minus)} AS DOUBLE)"
    assert isinstance(measure, Ratio)  # noqa: S101  # the only other measure over columns
    below = quote(measure.denominator)
    below = below if measure.floor is None else f"greatest({below}, {literal(measure.floor)})"
    below = below if measure.cap is None else f"least({below}, {literal(measure.cap)})"
    value = f"CAST({quote(measure.numerator)} AS DOUBLE) / nullif(CAST({below} AS DOUBLE), 0)"
    given = f"{quote(measure.denominator)} IS NOT NULL"  # greatest() and least() skip a missing value
    return f"CASE WHEN {' AND '.join((given, *map(_test, measure.requires)))} THEN {value} END"


def _all(conditions: Sequence[Condition]) -> str:
    return "(" + " AND ".join(_test(condition) for condition in conditions) + ")"


def _test(condition: Condition) -> str:
    name = quote(condition.signal)
    if condition.among is not None:
        return f"coalesce({name} IN {literals(condition.among)}, FALSE)"
    operator, bound = next((sql, getattr(condition, key)) for key, sql in SQL_OPERATOR.items() if getattr(condition, key) is not None)
    return f"coalesce({name} {operator} {literal(bound)}, FALSE)"
