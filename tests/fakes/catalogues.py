"""Catalogues for signal tests, and what must happen for a signal to see something."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any, get_args

from pls_ml.core.builtin import find_builtin
from pls_ml.core.catalogue import Catalogue, SignalColumn, event_filters, references
from pls_ml.core.measures import (
    OF_ACCOUNTS,
    SUBTRACTABLE,
    WINDOWED,
    Abandoned,
    Attribute,
    Distinct,
    EventFilter,
    Growth,
    Measure,
    NewUsers,
    OnEvents,
    OnTables,
    Records,
    SecondsToFirst,
    Total,
)
from pls_ml.core.windows import Grain
from pls_ml.io.yaml import read_spec

KINDS: dict[str, type] = {kind.model_fields["kind"].annotation.__args__[0]: kind for kind in get_args(get_args(Measure)[0])}
"""Every measure by the name that declarations give it."""
EXCLUDED = ("heartbeat",)
"""Names that the fakes' projects keep from every signal."""
SHORT_WINDOWS = {"day": ["24h", "2d"], "hour": ["1h", "36h", "2d"], "minute": ["1m", "90m", "2d"]}
GRACE = {"day": "24h", "hour": "1h", "minute": "1m"}
EARLY_WINDOWS = {"day": "first_14d", "hour": "first_30h", "minute": "first_45m"}
PREMIUM = {"where": {"tier": ["premium"]}}
_MORE: dict[str, dict[str, Any]] = {
    "distinct": {"of": "step"},
    "sum": {"of": "duration_s", "scale": -0.5},
    "active_values": {"column": "department"},
    "latest": {"among": ["data_imported", "exported", "invite_sent"]},
    "abandoned": {"started": {"events": ["upgrade_started"]}, "completed": {"events": ["upgrade_completed"]}},
    "records": {"table": "workspaces"},
    "attribute": {"table": "users", "column": "department", "type": "category"},
}
"""What else a measure of a kind needs."""
_VARIANTS: dict[str, dict[str, Any]] = {
    "active_users": PREMIUM | {"who": {"department": ["sales", "it's"], "seniority": ["head", "junior"]}},
    "sessions": {"gap": "2h"},
    "minutes": {"gap": "90m"},
    "abandoned": _MORE["abandoned"] | {"started": {"events": ["upgrade_started"], **PREMIUM}},
    "latest": {"among": ["pricing_viewed", "session_start", "feature_used"]},
}
"""A second form of a kind; where none is named, the one that asks for premium events."""


@cache
def default_catalogue() -> Catalogue:
    """The catalogue that ships with the package."""
    return read_spec(find_builtin("signals/default.yaml"), Catalogue, "catalogue")


def scopes_of(kind: str) -> list[str]:
    """Whose events a measure may be taken over."""
    measure = KINDS[kind]
    if not issubclass(measure, OnEvents):
        return ["user"]
    user = [] if issubclass(measure, OF_ACCOUNTS) else ["user"]
    account = [] if measure is SecondsToFirst else ["account"]
    return user + account + (["colleagues"] if issubclass(measure, SUBTRACTABLE) else [])


def windows_of(kind: str, scope: str, grain: Grain) -> list[str]:
    """One window of every type that a measure may have with this scope: short ones, weeks, all, the first days."""
    measure = KINDS[kind]
    if not issubclass(measure, WINDOWED):
        return []
    short = [window for window in SHORT_WINDOWS[grain.kind] if measure is not Abandoned or window != GRACE[grain.kind]]
    endless = [] if issubclass(measure, Abandoned | Growth) else ["lifetime"]
    early = scope == "user" and not issubclass(measure, Abandoned | Growth | OnTables)
    return [*short, "4w", *endless, *([EARLY_WINDOWS["day"], EARLY_WINDOWS[grain.kind]] if early else [])]


def _grid(grain: Grain) -> Iterator[dict[str, Any]]:
    """Every measure of events or tables with every scope and window type, plain and in a second form."""
    for kind, measure in KINDS.items():
        if not issubclass(measure, OnEvents | OnTables):
            continue
        plain = {"kind": kind, **_MORE.get(kind, {})} | ({"grace": GRACE[grain.kind]} if measure is Abandoned else {})
        for scope in scopes_of(kind):
            windows = list(dict.fromkeys(windows_of(kind, scope, grain)))
            yield _declared(f"{kind}_of_{scope}", plain, windows, scope)
            if issubclass(measure, OnEvents):
                yield _declared(f"{kind}_of_{scope}_other", plain | _VARIANTS.get(kind, PREMIUM), windows[-2:], scope)


def _declared(name: str, measure: dict[str, Any], windows: list[str], scope: str = "user", **more: Any) -> dict[str, Any]:
    return {"id": name, "family": "test", "label": name, "measure": measure, "windows": windows, "scope": scope, **more}


def _special() -> Iterator[dict[str, Any]]:
    """Several names or values in a filter, and every form of a column made of other columns."""
    two_names = {"kind": "distinct", "of": "step", "events": ["feature_used", "exported"]}
    last = {"kind": "days_since_last", "events": ["pricing_viewed", "session_start"]}
    yield _declared("two_tiers", {"kind": "count", "where": {"tier": ["premium", "free"]}}, ["2d"], "account")
    yield _declared("two_names", two_names, ["4w", "lifetime"])
    yield _declared("session_days", {"kind": "active_days", "events": ["session_start"]}, ["4w"], "account")
    yield _declared("last_account", last, [], "account")
    yield _declared("last_or_never", last, [], missing=1000)
    yield _declared("rising_sessions", {"kind": "rising", "events": ["session_start"]}, [])
    yield _declared("heads", {"kind": "active_users", "who": {"seniority": ["head"]}}, ["4w"], "account")
    yield _declared("ranks", {"kind": "active_values", "column": "seniority"}, ["4w"], "account")
    for name, table, column in (("plan_of_account", "accounts", "industry"), ("own_department", "users", "department")):
        yield _declared(name, {"kind": "attribute", "table": table, "column": column, "type": "category"}, [])
    yield from _columns_of_columns()


def _columns_of_columns() -> Iterator[dict[str, Any]]:
    ratio, rule, difference = {"kind": "ratio"}, {"kind": "rule"}, {"kind": "difference"}
    yield _declared("per_day", ratio | {"numerator": "count_of_user_2d", "denominator": "age_days_of_user", "floor": 3}, [])
    yield _declared("share", ratio | {"numerator": "age_days_of_user", "denominator": "last_account", "cap": 2.5}, [])
    yield _declared("premium_speed", ratio | {"numerator": "first_premium", "denominator": "age_days_of_user", "floor": 1, "cap": 5}, [])
    yield _declared("first_premium", {"kind": "seconds_to_first", **PREMIUM}, [])
    yield _declared("net_users", difference | {"of": "account_users_of_user", "minus": "new_users_of_user_4w"}, [])
    yield _declared("net_or_none", difference | {"of": "net_users", "minus": "last_account"}, [], missing=-0.5)
    yield _declared("new", rule | {"all": [{"signal": "age_days_of_user", "gt": 0}, {"signal": "age_days_of_user", "lt": 10.5}]}, [])
    yield _declared("fresh", rule | {"all": [{"signal": "last_account", "lte": 1}, {"signal": "share", "gte": 0.5}]}, [])
    yield _declared("some", rule | {"any": [{"signal": "new", "eq": 1}, {"signal": "net_or_none", "gte": 1}]}, [])
    shops = {"signal": "plan_of_account", "among": ["retail", "it's"]}
    lately = [{"signal": "last_or_never", "lt": 30}, {"signal": "age_days_of_user", "lt": 10}]
    yield _declared("shop", rule | {"all": [shops, {"signal": "new", "eq": 0}]}, [])
    yield _declared("lively_shop", rule | {"all": [shops], "any": lately}, [])


@cache
def full_catalogue(grain: Grain) -> Catalogue:
    """The shipped signals, and every measure with every scope, type of window, filter and operator."""
    shipped = default_catalogue().signals
    return Catalogue.model_validate({"signals": [*shipped, *_grid(grain), *_special()]})


@cache
def account_catalogue(grain: Grain) -> Catalogue:
    """Those of them that an account can have: nothing of one person or of a lead's colleagues, and nothing that reads it."""
    full = full_catalogue(grain)
    without = {s.id for s in full.signals if s.scope == "colleagues" or (isinstance(s.measure, Attribute) and s.measure.table == "users")}
    for column in full.ordered:
        if without & {full.by_column[name].signal.id for name in references(column.signal)}:
            without.add(column.signal.id)
    return Catalogue(signals=tuple(signal for signal in full.signals if signal.id not in without), unit="account")


def some_signals(catalogue: Catalogue, random: Random, most: int) -> Catalogue:
    """So many signals of a catalogue, and those that they read."""
    chosen: set[str] = set()
    wanted = random.sample([signal.id for signal in catalogue.signals], most)
    while wanted:
        name = wanted.pop()
        chosen.add(name)
        signal = next(signal for signal in catalogue.signals if signal.id == name)
        wanted += {catalogue.by_column[column].signal.id for column in references(signal)} - chosen
    return catalogue.select(sorted(chosen))


@cache
def sample_events() -> tuple[tuple[str, dict[str, str | float]], ...]:
    """(name, properties) of events that some signal looks for, of near misses, and of one that no filter names."""
    found: list[tuple[str, dict[str, str | float]]] = []
    for signal in full_catalogue(Grain("day")).signals:
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


def reads_others(column: SignalColumn, catalogue: Catalogue) -> bool:
    """Whether the column, or one it reads, is measured on the events of the account's other users."""
    if column.signal.scope != "user":
        return True
    return any(reads_others(catalogue.by_column[other], catalogue) for other in references(column.signal))


def is_dated_table(column: SignalColumn) -> bool:
    """Whether the column counts rows of a table, which are known when they happen."""
    return isinstance(column.signal.measure, NewUsers | Records)
