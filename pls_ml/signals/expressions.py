"""One measure → one SQL aggregate over the state, or one SQL expression over other columns.

`e` is a state row, `s` a spine row with `tick` (the `as_of`) and `as_of_us`. What may be seen at all is the engine's business.
"""

from __future__ import annotations

from pls_ml.core.catalogue import (
    Abandoned,
    ActiveDays,
    ActiveUsers,
    Condition,
    Count,
    DaysSinceLast,
    Declining,
    Distinct,
    EventFilter,
    Ratio,
    Rising,
    Rule,
    SecondsToFirst,
    SignalColumn,
    Total,
)
from pls_ml.core.database import literal, literals, quote
from pls_ml.core.windows import DAY_US, GRAIN_US, Window, to_ticks

SQL_OPERATOR = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<", "eq": "="}


def match_events(chosen: EventFilter) -> str:
    """Takes an event filter; returns the SQL test of a state row."""
    tests = [f"e.event IN {literals(chosen.events)}"] if chosen.events else []
    tests += [f"e.{quote(name)} IN {literals(values)}" for name, values in chosen.where.items()]
    return " AND ".join(tests) or "true"


def in_window(window: Window | None, grain: str) -> str:
    """Takes a window; returns the SQL test that a state row lies at or after its start."""
    ticks = window.ticks(grain) if window else None
    return "true" if ticks is None else f"e.event_tick >= s.tick - {ticks}"


def aggregate(column: SignalColumn, grain: str) -> str:  # noqa: PLR0911  # one return per measure reads best
    """Takes a column measured on events; returns its SQL aggregate, 0 or missing where nothing happened."""
    measure = column.signal.measure
    if isinstance(measure, Abandoned):
        return _abandoned(measure, column.window, grain)
    assert isinstance(measure, EventFilter)  # noqa: S101  # the catalogue's types leave no other
    only = f"FILTER (WHERE {match_events(measure)} AND {in_window(column.window, grain)})"
    ticks_per_day = DAY_US // GRAIN_US[grain]
    match measure:
        case Count():
            return f"coalesce(sum(e.n) {only}, 0)"
        case Distinct():
            return f"count(DISTINCT e.{quote(measure.of)}) {only}"
        case Total():
            return f"CAST(coalesce(sum(e.{quote('sum_' + measure.of)}) {only}, 0) AS DOUBLE) * {measure.scale!r}"
        case ActiveDays():
            return f"count(DISTINCT e.event_tick // {ticks_per_day}) {only}"
        case ActiveUsers():
            return f"count(DISTINCT e.user_id) {only}"
        case DaysSinceLast():
            return f"(any_value(s.as_of_us) - max(e.last_us) {only}) / {DAY_US}.0"
        case SecondsToFirst():
            waited = f"(min(e.first_us) {only} - any_value(s.signup_us))"
            return f"CASE WHEN {waited} < 0 THEN 0 ELSE {waited} END / 1e6"  # greatest() would make a missing value 0
        case Rising() | Declining():
            return _trend(measure, ticks_per_day)
    raise AssertionError(measure.kind)


def _abandoned(measure: Abandoned, window: Window | None, grain: str) -> str:
    grace = Window.parse(measure.grace).ticks(grain)
    begun = (
        f"max(e.last_us) FILTER (WHERE {match_events(measure.started)} AND {in_window(window, grain)} AND e.event_tick < s.tick - {grace})"
    )
    done = f"max(e.last_us) FILTER (WHERE {match_events(measure.completed)})"
    return f"CAST({begun} IS NOT NULL AND coalesce({done} < {begun}, true) AS INTEGER)"


def _trend(measure: Rising | Declining, ticks_per_day: int) -> str:
    """Events of the last four complete ISO weeks, oldest first; day 0 of the epoch was a Thursday."""
    week = f"((s.tick // {ticks_per_day} + 3) // 7 - (e.event_tick // {ticks_per_day} + 3) // 7)"
    w4, w3, w2, w1 = (f"coalesce(sum(e.n) FILTER (WHERE {match_events(measure)} AND {week} = {back}), 0)" for back in (4, 3, 2, 1))
    if isinstance(measure, Rising):
        return f"CAST({w4} > 0 AND {w3} > {w4} AND {w2} > {w3} AND {w1} > {w2} AS INTEGER)"
    falling = f"{w3} < {w4} AND {w2} < {w3} AND {w1} < {w2}"
    shrunk = f"{w1} + {w2} <= 0.7 * ({w3} + {w4}) AND {w1} + {w2} + {w3} + {w4} >= 10"
    return f"CAST(({falling}) OR ({shrunk}) AS INTEGER)"


def derive(column: SignalColumn) -> str:
    """Takes a ratio or rule column; returns its SQL over already computed columns."""
    measure = column.signal.measure
    if isinstance(measure, Rule):
        return f"CAST({_conjunction(measure.all)} AS INTEGER)"
    assert isinstance(measure, Ratio)  # noqa: S101  # the only other measure over columns
    below = quote(measure.denominator)
    below = below if measure.floor is None else f"greatest({below}, {literal(measure.floor)})"
    below = below if measure.cap is None else f"least({below}, {literal(measure.cap)})"
    value = f"CAST({quote(measure.numerator)} AS DOUBLE) / nullif({below}, 0)"
    given = f"{quote(measure.denominator)} IS NOT NULL"  # greatest() and least() skip a missing value
    return f"CASE WHEN {' AND '.join((given, *map(_test, measure.requires)))} THEN {value} END"


def _conjunction(conditions: tuple[Condition, ...]) -> str:
    return "(" + " AND ".join(_test(condition) for condition in conditions) + ")"


def _test(condition: Condition) -> str:
    name = quote(condition.signal)
    if condition.among is not None:
        return f"coalesce({name} IN {literals(condition.among)}, false)"
    operator, bound = next((sql, getattr(condition, key)) for key, sql in SQL_OPERATOR.items() if getattr(condition, key) is not None)
    return f"coalesce({name} {operator} {literal(bound)}, false)"


def check_grain(column: SignalColumn, grain: str) -> None:
    """Takes a column and the time grain; refuses a window or grace period that the state cannot cut exactly."""
    if column.window is not None:
        column.window.ticks(grain)
    if isinstance(column.signal.measure, Abandoned):
        length = Window.parse(column.signal.measure.grace)
        to_ticks(length.length_us or 0, grain, length.name)
