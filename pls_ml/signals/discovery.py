"""Signals for a log that nobody has described: chosen by what the log itself holds.

What is frequent becomes a signal; what a score must not read, or what gives the outcome away, is refused by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from pls_ml.core.catalogue import Signal
from pls_ml.core.columns import TABLES
from pls_ml.core.database import Database, literal, literals, quote
from pls_ml.core.errors import ConfigError
from pls_ml.core.windows import DAY_US, FIRST, GRAIN_US, LIFETIME, Grain, Window, parse_duration
from pls_ml.signals.contents import Contents, survey_columns
from pls_ml.signals.naming import name_ids, name_label
from pls_ml.signals.refusals import COLUMN, EVENT, PROPERTY, UNLESS_YES_NO, find_refusal

MOST_EVENTS, MOST_PROPERTIES, MOST_ATTRIBUTES = 20, 5, 60
MOST_SHARES = 3
"""Values of one property, the most widespread first, that get signals of their own."""
LEAST_USERS = 0.01
"""Share of the users that must have done something for it to become a signal."""
MOST_VALUES, MOST_ATTRIBUTE_VALUES = 200, 50
ROUGHLY = 5
"""An estimated number of values this many times above the limit may still be within it."""
CALENDAR = ("7d", "30d", "90d")
WEEKS = 28
"""Days of look-back without which nothing can rise or fall from week to week."""
NOT_A_PROPERTY = {*TABLES["events"].columns, "name_no"}
NOT_AN_ATTRIBUTE = {
    "users": {"user_id", "account_id", "invited_by", "email", "email_domain", "free_mail", "signup_at", "no_contact", "is_internal"},
    "accounts": {"account_id", "domain", "name", "created_at"},
}
VALIDITY = {"valid_from", "valid_to"}
LARGEST_LOG, FEWEST_USERS = 1_000_000, 1_000
"""Of a log with more rows only a share of the users is looked at, as long as so many of them are left."""


def fit_windows(age: str | None, grain: Grain) -> tuple[str, ...]:
    """Takes the age at which leads are scored once (None: on a calendar) and the time grain; returns windows for `discover_signals`.

    A life scored once is cut into its last seventh, its last half and the whole; on a calendar: a week, a month and a quarter.
    """
    if age is None:
        return CALENDAR
    length = parse_duration(age)
    for kind, unit in GRAIN_US.items():
        if unit >= grain.tick_us and length >= 4 * unit:
            counts = sorted({max(1, round(length / (7 * unit))), length // (2 * unit)})
            return (*(f"{count}{kind[0]}" for count in counts), LIFETIME)
    return (LIFETIME,)


def discover_signals(database: Database, windows: Sequence[str], exclude: Collection[str] = ()) -> tuple[Signal, ...]:
    """Takes a database with `users`, `accounts` and perhaps `clean_events`, windows, and what is or orders the outcome.

    `exclude` names events, as logged or canonical, event properties and columns. Returns the signals, the same ones whatever the
    order of rows; nobody has vouched for them, so none is outreach-safe. Refuses data in which there is nothing to find.
    """
    barred = _barred(database, exclude)
    ordered = tuple(sorted(set(windows), key=lambda name: (name == LIFETIME, Window.parse(name).length_us or 0)))
    found: list[Signal] = []
    if database.has("clean_events"):
        _take_known_events(database)
        events = _frequent_events(database, barred)
        found += [*_activity(ordered, tuple(events)), *_rhythm(database, ordered), *_each_event(events, ordered)]
        found += _properties(database, ordered, barred)
        found += _account(ordered, events) if _has_teams(database) else ()
        database.execute("DROP TABLE known_events")
    for table, fixed in NOT_AN_ATTRIBUTE.items():
        found += _attributes(database, table, barred | fixed | VALIDITY)
    if not found:
        raise ConfigError(
            "`signals.catalogue: discover` found nothing to make signals of: map a log, or columns of `users`, or declare signals"
        )
    return tuple(found)


def _barred(database: Database, exclude: Collection[str]) -> set[str]:
    """Names as given, and what the mapping makes of them."""
    if not exclude or not database.has("event_names"):
        return set(exclude)
    mapped = database.rows(f"SELECT canonical FROM event_names WHERE raw IN {literals(sorted(exclude))}")
    return {*exclude, *(name for (name,) in mapped)}


def _take_known_events(database: Database) -> None:
    """Makes `known_events`: what is looked at of the log, events of known and not internal users."""
    shares = max(1, min(database.count("clean_events") // LARGEST_LOG, database.count("users") // FEWEST_USERS))
    database.execute(
        "CREATE OR REPLACE TEMP TABLE known_events AS SELECT e.* FROM clean_events AS e SEMI JOIN "
        f"(SELECT user_id FROM users WHERE is_internal IS NOT TRUE AND hash(user_id) % {shares} = 0) AS u ON u.user_id = e.user_id"
    )


def _frequent_events(database: Database, barred: Collection[str]) -> dict[str, str]:
    """The event names that most users have, the most widespread first, with their ids."""
    rows = database.rows(
        "SELECT event, count(DISTINCT user_id) AS users FROM known_events GROUP BY 1 "
        f"HAVING users >= {LEAST_USERS} * (SELECT count(DISTINCT user_id) FROM known_events) ORDER BY 2 DESC, 1"
    )
    chosen = [name for name, _ in rows if name not in barred and find_refusal(name, EVENT) is None]
    return name_ids(chosen[:MOST_EVENTS])


def _declare(name: str, kind: str, label: str, family: str, **more: Any) -> Signal:
    """`windows`, `unit` and `scope` go to the signal, the rest to its measure."""
    plain = {key: more.pop(key) for key in ("windows", "unit", "scope") if key in more}
    return Signal.model_validate(
        {"id": name, "family": family, "label": label, "outreach_safe": False, "measure": {"kind": kind} | more} | plain
    )


def _activity(windows: tuple[str, ...], events: tuple[str, ...]) -> Iterator[Signal]:
    """All events alike: how many, since when, whether more or fewer than before, and what came last."""
    bounded = tuple(name for name in windows if name != LIFETIME)
    first = tuple(f"{FIRST}{name}" for name in bounded[:1])
    yield _declare("age_days", "age_days", "days since signup", "fit", unit="days")
    yield _declare("events", "count", "actions", "velocity", windows=(*windows, *first), unit="actions")
    yield _declare("days_since_first", "days_since_first", "days since the first action", "velocity", unit="days")
    yield _declare("days_since_last", "days_since_last", "days since the last action", "negative", unit="days")
    if len(windows) > 1:
        share = {"numerator": f"events_{windows[0]}", "denominator": f"events_{windows[-1]}"}
        yield _declare("recent_part", "ratio", "share of the actions that is recent", "velocity", unit="share", **share)
    if bounded:
        yield _declare("activity_growth", "growth", "change of activity", "velocity", windows=bounded)
    if len(bounded) > 1:
        change = {"of": f"activity_growth_{bounded[0]}", "minus": f"activity_growth_{bounded[-1]}"}
        yield _declare("growth_change", "difference", "change of the growth of activity", "velocity", **change)
    if len(events) > 1:
        yield _declare("latest_event", "latest", "latest notable event", "velocity", among=events)


def _rhythm(database: Database, windows: tuple[str, ...]) -> Iterator[Signal]:
    """Days, weeks and visits, where the windows are long enough and the log's times have a time of day."""
    days = tuple(name for name in windows if name == LIFETIME or parse_duration(name) >= 2 * DAY_US)
    longest = max((parse_duration(name) for name in windows if name != LIFETIME), default=0)
    if longest >= 2 * DAY_US:
        per_day = {"numerator": f"events_{windows[-1]}", "denominator": f"active_days_{windows[-1]}"}
        yield _declare("active_days", "active_days", "active days", "velocity", windows=days, unit="days")
        yield _declare("events_per_active_day", "ratio", "actions per active day", "velocity", unit="actions", **per_day)
        yield _declare("streak", "streak", "days in a row with activity", "velocity", unit="days")
    if longest >= WEEKS * DAY_US:
        yield _declare("weeks_rising", "rises", "weeks in a row in which usage rose", "velocity", unit="weeks")
        yield _declare("weeks_falling", "falls", "weeks in a row in which usage fell", "negative", unit="weeks")
    if database.rows(f"SELECT 1 FROM known_events WHERE epoch_us(event_time) % {DAY_US} <> 0 LIMIT 1"):
        yield _declare("visits", "sessions", "visits", "velocity", windows=windows, unit="visits")
        yield _declare("visit_minutes", "minutes", "time between the actions of a visit", "velocity", windows=windows, unit="minutes")


def _each_event(events: dict[str, str], windows: tuple[str, ...]) -> Iterator[Signal]:
    for name, word in events.items():
        said, only = f"‘{name_label(name)}’", {"events": (name,)}
        yield _declare(f"{word}_count", "count", said, "feature_usage", windows=windows, unit="times", **only)
        yield _declare(f"{word}_days_since_last", "days_since_last", f"days since the last {said}", "feature_usage", unit="days", **only)
        waited = f"time from signup to the first {said}"
        yield _declare(f"{word}_seconds_to_first", "seconds_to_first", waited, "velocity", unit="seconds", **only)


def _properties(database: Database, windows: tuple[str, ...], barred: Collection[str]) -> Iterator[Signal]:
    """Numbers are summed; of properties with few values, how many different ones and how often the most widespread."""
    names = [c for c in database.columns("known_events") if c not in {*NOT_A_PROPERTY, *barred} and find_refusal(c, PROPERTY) is None]
    contents = survey_columns(database, "known_events", names, exact=False)
    coded = {name: held for name, held in contents.items() if held.is_code and held.values <= ROUGHLY * MOST_VALUES}
    values = _widespread_values(database, _fullest(coded, MOST_PROPERTIES))
    summed = {name: held for name, held in contents.items() if held.is_summable and name not in values}
    for name, word in name_ids(_fullest(summed, MOST_PROPERTIES)).items():
        yield _declare(f"{word}_sum", "sum", f"sum of {name_label(name)}", "feature_usage", windows=windows, of=name)
    for name, word in name_ids(list(values)).items():
        yield _declare(
            f"{word}_values", "distinct", f"different values of {name_label(name)}", "feature_usage", windows=windows[-1:], of=name
        )
    pairs = {f"{name} {value}": (name, value) for name, chosen in values.items() for value in chosen}
    for pair, word in name_ids(list(pairs)).items():
        (name, value), column = pairs[pair], f"{word}_uses_{windows[-1]}"
        said = f"{name_label(name)} ‘{name_label(value)}’"
        yield _declare(f"{word}_uses", "count", said, "feature_usage", windows=windows[-1:], unit="times", where={name: (value,)})
        share = {"numerator": column, "denominator": f"events_{windows[-1]}"}
        yield _declare(f"{word}_share", "ratio", f"share of actions with {said}", "feature_usage", unit="share", **share)


def _fullest(contents: dict[str, Contents], most: int) -> list[str]:
    """Columns with the most values filled in first, ties by name."""
    return sorted(contents, key=lambda name: (-contents[name].filled, name))[:most]


def _widespread_values(database: Database, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Property → its most widespread values; properties with a single value or too many are left out."""
    if not names:
        return {}
    users = database.rows("SELECT count(DISTINCT user_id) FROM known_events")[0][0]
    each = (
        f"(SELECT {literal(name)} AS property, CAST({quote(name)} AS VARCHAR) AS value, count(DISTINCT user_id) AS users "
        f"FROM known_events WHERE {quote(name)} IS NOT NULL GROUP BY 2)"
        for name in names
    )
    rows = database.rows(f"SELECT * FROM ({' UNION ALL '.join(each)}) ORDER BY users DESC, value")
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        values = [(value, having) for property_, value, having in rows if property_ == name]
        if 2 <= len(values) <= MOST_VALUES:
            frequent = [value for value, having in values if having >= LEAST_USERS * users and find_refusal(value, EVENT) is None]
            found[name] = tuple(frequent[:MOST_SHARES])
    return found


def _has_teams(database: Database) -> bool:
    return bool(database.rows("SELECT 1 FROM users WHERE account_id IS NOT NULL GROUP BY account_id HAVING count(*) > 1 LIMIT 1"))


def _account(windows: tuple[str, ...], events: dict[str, str]) -> Iterator[Signal]:
    """What the whole account does, what the colleagues do, and how many they are."""
    bounded = tuple(name for name in windows if name != LIFETIME)
    of, longest = {"scope": "account"}, windows[-1]
    yield _declare("account_users", "account_users", "users in the account", "collaboration", unit="people")
    yield _declare("account_events", "count", "actions in the account", "collaboration", windows=windows, unit="actions", **of)
    yield _declare(
        "account_active_users", "active_users", "active users in the account", "collaboration", windows=windows, unit="people", **of
    )
    days = "days since anybody of the account was active"
    yield _declare("account_days_since_last", "days_since_last", days, "negative", unit="days", **of)
    colleagues = {"windows": windows[-1:], "unit": "actions", "scope": "colleagues"}
    yield _declare("colleague_events", "count", "actions of colleagues", "collaboration", **colleagues)
    share = {"numerator": f"events_{longest}", "denominator": f"account_events_{longest}"}
    yield _declare("own_part", "ratio", "own share of the account's actions", "collaboration", unit="share", **share)
    if bounded:
        yield _declare("account_growth", "growth", "change of the account's activity", "collaboration", windows=bounded, **of)
        yield _declare("account_new_users", "new_users", "new users in the account", "collaboration", windows=bounded, unit="people")
    for name, word in events.items():
        said, only = f"‘{name_label(name)}’ in the account", {"events": (name,), "scope": "account", "windows": windows[-1:]}
        yield _declare(f"{word}_of_team", "count", said, "collaboration", unit="times", **only)


def _attributes(database: Database, table: str, barred: Collection[str]) -> Iterator[Signal]:
    """Columns of users or accounts as numbers or categories, by what they hold."""
    contents = survey_columns(database, table, [c for c in database.columns(table) if c not in barred], exact=True)
    chosen = _fullest({name: held for name, held in contents.items() if _is_attribute(name, held)}, MOST_ATTRIBUTES)
    one = table.removesuffix("s")
    for name, word in name_ids(chosen).items():
        held, said = contents[name], name_label(name) if table == "users" else f"{name_label(name)} of the account"
        unit = "yes/no" if held.kind == "number" and held.is_yes_no else ""
        yield _declare(f"{word}_of_{one}", "attribute", said, "fit", unit=unit, table=table, column=name, type=held.kind)


def _is_attribute(name: str, held: Contents) -> bool:
    refusal = find_refusal(name, COLUMN)
    if refusal is not None and not (refusal == UNLESS_YES_NO and held.is_yes_no):
        return False
    few = 2 <= held.values <= MOST_ATTRIBUTE_VALUES and 2 * held.values <= held.filled
    return held.kind == "number" or (held.kind == "category" and few)
