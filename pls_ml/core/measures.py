"""What can be measured: over events, over people and records of an account, and over other signals."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pls_ml.core.spec import Spec
from pls_ml.core.windows import parse_duration

Number = float | int
OWNER = "owner"
"""A column that comes back from the CRM."""


class EventFilter(Spec):
    """Which events count: names (empty: every event) and required property values."""

    events: tuple[str, ...] = ()
    where: dict[str, tuple[str, ...]] = {}


class Condition(Spec):
    """A test of one signal column; a missing value fails it. Exactly one operator is given."""

    signal: str
    gte: Number | None = None
    gt: Number | None = None
    lte: Number | None = None
    lt: Number | None = None
    eq: Number | None = None
    among: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one_operator(self) -> Condition:
        given = [name for name in ("gte", "gt", "lte", "lt", "eq", "among") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"condition on '{self.signal}' has {len(given)} operators: give one of gte, gt, lte, lt, eq, among")
        return self


class Count(EventFilter):
    """Events in the window."""

    kind: Literal["count"]


class Distinct(EventFilter):
    """Distinct values of a property in the window; at most 992 different values in the whole log."""

    kind: Literal["distinct"]
    of: str


class Total(EventFilter):
    """Sum of a numeric property in the window, times `scale`; exact to six decimals before scaling."""

    kind: Literal["sum"]
    of: str
    scale: float = 1.0


class ActiveDays(EventFilter):
    """Distinct days with an event in the window."""

    kind: Literal["active_days"]


class ActiveUsers(EventFilter):
    """Distinct users of an account with an event in the window; `who` asks for values of users columns."""

    kind: Literal["active_users"]
    who: dict[str, tuple[str, ...]] = {}


class ActiveValues(EventFilter):
    """Distinct values of a users column among the users of an account with an event in the window."""

    kind: Literal["active_values"]
    column: str


class Growth(EventFilter):
    """(Events in the window − events in the window before) / their sum, from −1 to 1; missing when there were none."""

    kind: Literal["growth"]


class DaysSinceFirst(EventFilter):
    """Days from the first event to `as_of`; missing when there was none."""

    kind: Literal["days_since_first"]


class DaysSinceLast(EventFilter):
    """Days from the last event to `as_of`; missing when there was none."""

    kind: Literal["days_since_last"]


class SecondsToFirst(EventFilter):
    """Seconds from signup to the first event, 0 for one before signup; missing when there was none."""

    kind: Literal["seconds_to_first"]


class Rising(EventFilter):
    """1 when events rose strictly three times over the last four complete ISO weeks, none of them empty (D-8)."""

    kind: Literal["rising"]


class Declining(EventFilter):
    """1 when events fell strictly three times over the last four complete ISO weeks (D-9).

    Also when the last two weeks hold at most 70 % of the two before, with ten events or more in all four.
    """

    kind: Literal["declining"]


class Rises(EventFilter):
    """How many times in a row events rose strictly from week to week, up to the last complete ISO week; at most seven."""

    kind: Literal["rises"]


class Falls(EventFilter):
    """How many times in a row events fell strictly from week to week, up to the last complete ISO week; at most seven."""

    kind: Literal["falls"]


class Streak(EventFilter):
    """Days in a row with an event, up to the day before `as_of`; at most 62."""

    kind: Literal["streak"]


class Sessions(Spec):
    """Sessions in the window: runs of events at most `gap` apart.

    An event begins a session unless the user's event before it in the order of arrival (known tick, then time) lies at most `gap`
    earlier and became known on the same or the preceding day.
    """

    kind: Literal["sessions"]
    gap: str = "30m"

    _gap_known = field_validator("gap")(lambda value: parse_duration(value) and value)


class Minutes(Spec):
    """Minutes in the window between the events of the same session; sessions as for `sessions`."""

    kind: Literal["minutes"]
    gap: str = "30m"

    _gap_known = field_validator("gap")(lambda value: parse_duration(value) and value)


class Latest(Spec):
    """Which of the events `among` happened last, as text; missing when none did, the first in alphabetical order on a tie."""

    kind: Literal["latest"]
    among: tuple[str, ...] = Field(min_length=2)


class Abandoned(Spec):
    """1 when `started` happened in the window, `grace` has passed since, and no `completed` came at or after it (D-12)."""

    kind: Literal["abandoned"]
    started: EventFilter
    completed: EventFilter
    grace: str = "24h"

    _grace_known = field_validator("grace")(lambda value: parse_duration(value) and value)


class AgeDays(Spec):
    """Days from signup to `as_of`."""

    kind: Literal["age_days"]


class AccountUsers(Spec):
    """Users of the account that signed up before `as_of`, internal ones left out."""

    kind: Literal["account_users"]


class NewUsers(Spec):
    """Users of the account that signed up in the window, internal ones left out."""

    kind: Literal["new_users"]


class Records(Spec):
    """Rows of the account in a dated table, begun in the window."""

    kind: Literal["records"]
    table: Literal["workspaces"]


class LimitUse(Spec):
    """Largest share of a plan limit that the account uses, by the last reading of each resource before `as_of`.

    Of several readings at that moment the one with the largest share counts.
    """

    kind: Literal["limit_use"]


class Attribute(Spec):
    """A column of the users or accounts table, as of `as_of` where the table has validity intervals."""

    kind: Literal["attribute"]
    table: Literal["users", "accounts"]
    column: str
    type: Literal["number", "category"] = "number"

    @field_validator("column")
    @classmethod
    def _is_no_answer(cls, value: str) -> str:
        if value == OWNER:
            raise ValueError(
                f"`{OWNER}` is who sales gave the lead to, which mostly follows what is to be predicted: it is shown, never scored"
            )
        return value


class Ratio(Spec):
    """Numerator column over denominator column held within [floor, cap]; missing where a `requires` fails."""

    kind: Literal["ratio"]
    numerator: str
    denominator: str
    floor: Number | None = None
    cap: Number | None = None
    requires: tuple[Condition, ...] = ()


class Difference(Spec):
    """Column `of` minus column `minus`; missing where either is."""

    kind: Literal["difference"]
    of: str
    minus: str


class Rule(Spec):
    """1 where every condition of `all` holds and, where `any` is given, at least one of those; else 0."""

    kind: Literal["rule"]
    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()

    @model_validator(mode="after")
    def _something(self) -> Rule:
        if not self.all and not self.any:
            raise ValueError("a rule needs at least one condition in `all` or `any`")
        return self


OnEvents = (
    Count | Distinct | Total | ActiveDays | ActiveUsers | ActiveValues | Growth | DaysSinceFirst | DaysSinceLast | SecondsToFirst
    | Rising | Declining | Rises | Falls | Streak | Sessions | Minutes | Latest | Abandoned
)  # fmt: skip
"""Computed from the state."""
OnTables = AgeDays | AccountUsers | NewUsers | Records | LimitUse | Attribute
"""Computed from the users, the accounts and their records."""
OnColumns = Ratio | Difference | Rule
"""Computed from other columns."""
Measure = Annotated[OnEvents | OnTables | OnColumns, Field(discriminator="kind")]
WINDOWED = (
    Count, Distinct, Total, ActiveDays, ActiveUsers, ActiveValues, Growth, Sessions, Minutes, Abandoned, NewUsers, Records,
)  # fmt: skip
"""Measures that are given over `windows`."""
OF_ACCOUNTS = (ActiveUsers, ActiveValues)
"""Measures that only an account has."""
SUBTRACTABLE = (Count, Total, ActiveUsers, Sessions, Minutes)
"""Measures from which a lead's own part can be taken away, so that its colleagues' is left."""
FLAGS = (Rule, Rising, Declining, Abandoned)
"""Measures that say yes (1) or no (0)."""
