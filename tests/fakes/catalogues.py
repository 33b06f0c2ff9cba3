"""Catalogues for signal tests, and what must happen for a signal to see something."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from fakes.tables import default_catalogue

from pls_ml.core.catalogue import Catalogue, Distinct, EventFilter, SignalColumn, Total, event_filters, references

SHORT_WINDOWS = {"day": ["24h", "2d"], "hour": ["1h", "36h", "2d"], "minute": ["1m", "90m", "2d"]}


@cache
def rare_catalogue(grain: str) -> Catalogue:
    """What the shipped catalogue does not use: the other scope, filter, operator or window of each measure."""
    short, weeks = SHORT_WINDOWS[grain], ["4w", "lifetime"]
    upgrade = {"kind": "abandoned", "started": {"events": ["upgrade_started"], "where": {"tier": ["premium"]}}}
    account, user = {"scope": "account"}, {"scope": "user"}
    declared = [
        ("count_short", user, {"kind": "count"}, short),
        ("count_account", account, {"kind": "count", "where": {"tier": ["premium", "free"]}}, short),
        ("distinct_two_names", user, {"kind": "distinct", "of": "step", "events": ["feature_used", "exported"]}, weeks),
        ("distinct_account", account, {"kind": "distinct", "of": "tier"}, short),
        ("sum_account", account, {"kind": "sum", "of": "duration_s", "where": {"tier": ["premium"]}, "scale": -0.5}, [*short, *weeks]),
        ("active_days_account", account, {"kind": "active_days", "events": ["session_start"]}, weeks),
        ("active_users_own", user, {"kind": "active_users"}, short),
        ("abandoned_account", account, upgrade | {"completed": {"events": ["upgrade_completed"]}, "grace": "48h"}, ["4w"]),
        ("last_account", account, {"kind": "days_since_last", "events": ["pricing_viewed", "session_start"]}, []),
        ("rising_account", account, {"kind": "rising"}, []),
        ("rising_sessions", user, {"kind": "rising", "events": ["session_start"]}, []),
        ("declining_account", account, {"kind": "declining", "where": {"tier": ["premium"]}}, []),
        ("first_premium", user, {"kind": "seconds_to_first", "where": {"tier": ["premium"]}}, []),
        ("plan_of_account", user, {"kind": "attribute", "table": "accounts", "column": "industry", "type": "category"}, []),
        ("age", user, {"kind": "age_days"}, []),
        ("per_day", user, {"kind": "ratio", "numerator": "count_short_2d", "denominator": "age", "floor": 3}, []),
        ("share", user, {"kind": "ratio", "numerator": "age", "denominator": "last_account", "cap": 2.5}, []),
        ("premium_speed", user, {"kind": "ratio", "numerator": "first_premium", "denominator": "age", "floor": 1, "cap": 5}, []),
        ("new", user, {"kind": "rule", "all": [{"signal": "age", "gt": 0}, {"signal": "age", "lt": 10.5}]}, []),
        ("fresh", user, {"kind": "rule", "all": [{"signal": "last_account", "lte": 1}, {"signal": "share", "gte": 0.5}]}, []),
        (
            "shop",
            user,
            {"kind": "rule", "all": [{"signal": "plan_of_account", "among": ["retail", "it's"]}, {"signal": "new", "eq": 0}]},
            [],
        ),
    ]
    signals = [
        {"id": name, "family": "test", "label": name, "measure": measure, "windows": windows} | scope
        for name, scope, measure, windows in declared
    ]
    return Catalogue.model_validate({"signals": signals})


@cache
def full_catalogue(grain: str) -> Catalogue:
    """The shipped signals and the rare ones."""
    return Catalogue(signals=(*default_catalogue().signals, *rare_catalogue(grain).signals))


@cache
def sample_events(grain: str) -> tuple[tuple[str, dict[str, str | float]], ...]:
    """(name, properties) of events that some signal looks for, of near misses, and of one that no filter names."""
    found: list[tuple[str, dict[str, str | float]]] = []
    for signal in full_catalogue(grain).signals:
        for chosen in event_filters(signal):
            wanted = matching_properties(chosen)
            options = [wanted, {**wanted, **dict.fromkeys(chosen.where, "x")}]
            options += [{**wanted, chosen.of: value} for value in ("b", "c")] if isinstance(chosen, Distinct) else []
            options += [{**wanted, chosen.of: 0.000001}] if isinstance(chosen, Total) else []
            found += [(name, option) for name in chosen.events or ("page_viewed",) for option in options]
    return tuple(event for position, event in enumerate(found) if event not in found[:position])


def matching_properties(chosen: EventFilter) -> dict[str, str | float]:
    """Property values with which an event passes the filter and is measured."""
    properties: dict[str, str | float] = {name: values[0] for name, values in chosen.where.items()}
    if isinstance(chosen, Distinct):
        properties.setdefault(chosen.of, "a")
    if isinstance(chosen, Total):
        properties[chosen.of] = 90.25
    return properties


def columns_on_events(catalogue: Catalogue) -> Iterator[SignalColumn]:
    """The columns that are measured on events and over a window."""
    return (column for column in catalogue if column.window is not None)


def reads_account_events(column: SignalColumn, catalogue: Catalogue) -> bool:
    """Whether the column, or one it reads, is measured on the events of the whole account."""
    if event_filters(column.signal) and column.signal.scope == "account":
        return True
    return any(reads_account_events(catalogue.by_column[other], catalogue) for other in references(column.signal))
