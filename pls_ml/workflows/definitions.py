"""What a signal measures, as a sentence made from its declaration."""

from __future__ import annotations

from collections.abc import Sequence

from pls_ml.core.catalogue import Signal
from pls_ml.core.measures import (
    Abandoned,
    AccountUsers,
    ActiveDays,
    ActiveUsers,
    ActiveValues,
    AgeDays,
    Attribute,
    Condition,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Declining,
    Difference,
    Distinct,
    EventFilter,
    Falls,
    Growth,
    Latest,
    LimitUse,
    Minutes,
    NewUsers,
    OnEvents,
    Ratio,
    Records,
    Rises,
    Rising,
    Rule,
    SecondsToFirst,
    Sessions,
    Streak,
    Total,
)
from pls_ml.core.windows import Window
from pls_ml.reports.plain_text import clean_text

MOST_NAMES = 6
LONGEST_NAME = 60
WHOSE = {"user": "the lead", "account": "all users of the lead's account", "colleagues": "the other users of the lead's account"}
OPERATORS = {"gte": "at least", "gt": "more than", "lte": "at most", "lt": "less than", "eq": "equal to"}
WEEKS = "from one complete ISO week to the next"


def define_signal(signal: Signal) -> str:
    """Takes a signal; returns what it measures: what is counted, whose, with which filter, over which windows, and what is missing."""
    what, more = _say_events(signal) if isinstance(signal.measure, OnEvents) else (_say_other(signal), "")
    when = " / ".join(Window.parse(name).phrase for name in signal.windows)
    stands_in = f" Where it is missing, {signal.missing:g} stands in." if signal.missing is not None else ""
    return f"{what}{f' {when}' if when else ''}{more}.{stands_in}"


def _say_events(signal: Signal) -> tuple[str, str]:  # noqa: PLR0911  # one return per measure reads best
    """What stands before the windows, and what after them."""
    measure, whose = signal.measure, WHOSE[signal.scope]
    which = f"{_say_filter(measure)} by {whose}" if isinstance(measure, EventFilter) else f"events by {whose}"
    match measure:
        case Count():
            return f"Number of {which}", ""
        case Distinct():
            return f"Number of different values of {_quoted(measure.of)} in {which}", ""
        case Total():
            return f"Sum of {_quoted(measure.of)} over {which}", "" if measure.scale == 1 else f", times {measure.scale:g}"
        case ActiveDays():
            return f"Number of days with {which}", ""
        case ActiveUsers():
            who = [f"`users.{name}` is {_any_of(values)}" for name, values in measure.who.items()]
            whom = f", of those whose {' and '.join(who)}" if who else ""
            return f"Number of {_without_article(whose)} with {_say_filter(measure)}", whom
        case ActiveValues():
            return f"Number of different values of `users.{measure.column}` among {whose} with {_say_filter(measure)}", ""
        case Sessions():
            return f"Number of sessions by {whose}", f": runs of events at most {measure.gap} apart"
        case Minutes():
            return f"Minutes in sessions by {whose}", f": runs of events at most {measure.gap} apart"
        case Growth():
            return f"Change of the number of {which}", ": (now − before) / (now + before), before being as long; missing without any"
        case Abandoned():
            started, done = _say_filter(measure.started), _say_filter(measure.completed)
            return f"1 when {whose} had {started}", f", {measure.grace} have passed, and no {done} came at or after them; else 0"
    return _say_history(signal, which, whose), ""


def _say_history(signal: Signal, which: str, whose: str) -> str:  # noqa: PLR0911  # one return per measure reads best
    measure = signal.measure
    match measure:
        case DaysSinceFirst():
            return f"Days to `as_of` from the first of {which}; missing when there was none"
        case DaysSinceLast():
            return f"Days to `as_of` from the last of {which}; missing when there was none"
        case SecondsToFirst():
            return f"Seconds from signup to the first of {which}; 0 for one before signup, missing when there was none"
        case Rising():
            return f"1 when the number of {which} rose three times in a row {WEEKS}, none being empty; else 0"
        case Declining():
            shrank = "when the last two of four weeks, with ten or more in all, hold at most 70 % of the two before"
            return f"1 when the number of {which} fell three times in a row {WEEKS}, or {shrank}; else 0"
        case Rises():
            return f"How many times in a row the number of {which} rose {WEEKS}, at most seven"
        case Falls():
            return f"How many times in a row the number of {which} fell {WEEKS}, at most seven"
        case Streak():
            return f"Number of days in a row with {which}, up to the day before `as_of`, at most 62"
        case Latest():
            return f"Which of the events {_any_of(measure.among)} by {whose} is the latest; missing when there was none"
    raise AssertionError(measure.kind)


def _without_article(whose: str) -> str:
    return whose.removeprefix("all ").removeprefix("the ")


def _say_other(signal: Signal) -> str:  # noqa: PLR0911  # one return per measure reads best
    measure = signal.measure
    match measure:
        case AgeDays():
            return "Days from the lead's signup to `as_of`"
        case AccountUsers():
            return "Number of users of the lead's account that signed up before `as_of`, without internal ones; 1 without an account"
        case NewUsers():
            return "Number of users of the lead's account, without internal ones, that signed up"
        case Records():
            return f"Number of rows of `{measure.table}` of the lead's account that began"
        case LimitUse():
            return "Largest share of a plan limit that the lead's account uses, by each resource's last reading before `as_of`"
        case Attribute():
            whose = "the lead's account" if measure.table == "accounts" else "the lead"
            return f"`{measure.table}.{measure.column}` of {whose}, a {measure.type}"
        case Ratio():
            held = [f"at least {measure.floor:g}"] if measure.floor is not None else []
            held += [f"at most {measure.cap:g}"] if measure.cap is not None else []
            below = f"`{measure.denominator}`" + (f" (taken as {', '.join(held)})" if held else "")
            needs = f"; missing unless {_all(measure.requires)}" if measure.requires else ""
            return f"`{measure.numerator}` divided by {below}{needs}"
        case Difference():
            return f"`{measure.of}` minus `{measure.minus}`; missing where either is"
        case Rule():
            parts = [_all(measure.all)] if measure.all else []
            parts += [" or ".join(map(_say_condition, measure.any))] if measure.any else []
            return f"1 when {', and '.join(parts)}; else 0"
    raise AssertionError(measure.kind)


def _all(conditions: Sequence[Condition]) -> str:
    return " and ".join(map(_say_condition, conditions))


def _say_condition(condition: Condition) -> str:
    if condition.among is not None:
        return f"`{condition.signal}` is {_any_of(condition.among)}"
    word, bound = next((word, getattr(condition, key)) for key, word in OPERATORS.items() if getattr(condition, key) is not None)
    return f"`{condition.signal}` is {word} {bound:g}"


def _say_filter(chosen: EventFilter) -> str:
    events = f"events {_any_of(chosen.events)}" if chosen.events else "events"
    where = " and ".join(f"{_quoted(name)} is {_any_of(values)}" for name, values in chosen.where.items())
    return f"{events} (where {where})" if where else events


def _any_of(names: Sequence[str]) -> str:
    said = [_quoted(name) for name in names[:MOST_NAMES]]
    if len(names) > MOST_NAMES:
        return f"{', '.join(said)} or {len(names) - MOST_NAMES} more"
    return " or ".join(filter(None, (", ".join(said[:-1]), said[-1])))


def _quoted(name: str) -> str:
    return f"'{clean_text(name, LONGEST_NAME)}'"
