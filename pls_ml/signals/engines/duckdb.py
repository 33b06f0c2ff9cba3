"""Signals in the embedded database: one grouped pass over the state per scope, then columns that read other columns."""

from __future__ import annotations

from collections.abc import Sequence

from pls_ml.core.catalogue import AccountUsers, AgeDays, Attribute, Catalogue, Ratio, Rule, SignalColumn
from pls_ml.core.database import Database, quote
from pls_ml.core.windows import DAY_US, GRAIN_US
from pls_ml.signals.expressions import aggregate, derive

VISIBLE = "e.event_tick < s.tick AND e.known_tick < s.tick"
"""Nothing that happens, or becomes known, at or after `as_of`."""


class DuckDBEngine:
    """Computes every column of a catalogue for every row of the spine."""

    kind = "duckdb"

    def __init__(self, database: Database, grain: str = "day") -> None:
        """Takes a database with `spine`, `users`, `accounts` and `state`, and the time grain of the state."""
        self.database = database
        self.grain = grain

    def build_signals(self, catalogue: Catalogue) -> None:
        """Takes a catalogue of computable signals; makes the table `signals`: the spine's `row`, then one column each."""
        self.database.execute(f"CREATE OR REPLACE TABLE signals AS {self.compile(catalogue)}")

    def compile(self, catalogue: Catalogue) -> str:
        """Takes a catalogue; returns the query that computes it."""
        columns = catalogue.ordered
        on_events = [c for c in columns if not isinstance(c.signal.measure, Ratio | Rule | Attribute | AgeDays | AccountUsers)]
        by_user = [c for c in on_events if c.signal.scope == "user"]
        by_account = [c for c in on_events if c.signal.scope == "account"]
        steps = [f"ticked AS ({self._ticked()})"]
        if by_user:
            steps.append(f"by_user AS ({self._grouped(by_user, 'user_id', 'lead_id')})")
        if by_account:
            steps.append(f"by_account AS ({self._grouped(by_account, 'account_id', 'account_id')})")
        steps.append(f"base AS ({self._base(columns, by_user, by_account)})")
        last = "base"
        for position, column in enumerate(c for c in columns if isinstance(c.signal.measure, Ratio | Rule)):
            steps.append(f"step_{position} AS (SELECT *, {derive(column)} AS {quote(column.name)} FROM {last})")
            last = f"step_{position}"
        chosen = ", ".join(_typed(column) for column in catalogue)
        return f'WITH {", ".join(steps)} SELECT "row", {chosen} FROM {last} ORDER BY "row"'

    def _ticked(self) -> str:
        return (
            'SELECT s."row", s.lead_id, s.account_id, s.as_of, epoch_us(s.as_of) AS as_of_us, epoch_us(u.signup_at) AS signup_us, '
            f"epoch_us(s.as_of) // {GRAIN_US[self.grain]} AS tick FROM spine AS s JOIN users AS u ON u.user_id = s.lead_id"
        )

    def _grouped(self, columns: Sequence[SignalColumn], key: str, spine_key: str) -> str:
        chosen = ", ".join(f"{aggregate(c, self.grain)} AS {quote(c.name)}" for c in columns)
        return (
            f"SELECT s.{spine_key}, s.as_of_us, {chosen} "
            f"FROM (SELECT {spine_key}, as_of_us, any_value(tick) AS tick, any_value(signup_us) AS signup_us "
            "FROM ticked GROUP BY 1, 2) AS s "
            f"LEFT JOIN state AS e ON e.{key} = s.{spine_key} AND {VISIBLE} GROUP BY s.{spine_key}, s.as_of_us"
        )

    def _base(self, columns: Sequence[SignalColumn], by_user: Sequence[SignalColumn], by_account: Sequence[SignalColumn]) -> str:
        plain = [f"{_plain(c)} AS {quote(c.name)}" for c in columns if isinstance(c.signal.measure, Attribute | AgeDays | AccountUsers)]
        plain += [f"by_user.{quote(c.name)}" for c in by_user] + [f"by_account.{quote(c.name)}" for c in by_account]
        joins = "LEFT JOIN by_user USING (lead_id, as_of_us) " if by_user else ""
        joins += "LEFT JOIN by_account ON by_account.account_id = s.account_id AND by_account.as_of_us = s.as_of_us " if by_account else ""
        measures = [c.signal.measure for c in columns]
        if any(isinstance(m, Attribute) for m in measures):
            joins += f'JOIN users AS u ON u.user_id = s.lead_id LEFT JOIN ({_ACCOUNT_AS_OF}) AS a ON a."row" = s."row" '
        if any(isinstance(m, AccountUsers) for m in measures):
            joins += f'LEFT JOIN ({_ACCOUNT_USERS}) AS m ON m."row" = s."row" '
        return f'SELECT s."row"{"".join(", " + sql for sql in plain)} FROM ticked AS s {joins}'


_ACCOUNT_AS_OF = (
    'SELECT t."row", x.* FROM ticked AS t JOIN accounts AS x ON x.account_id = t.account_id '
    "AND (x.valid_from IS NULL OR x.valid_from < t.as_of) AND (x.valid_to IS NULL OR x.valid_to >= t.as_of) "
    'QUALIFY row_number() OVER (PARTITION BY t."row" ORDER BY x.valid_from DESC NULLS LAST, x) = 1'
)
"""An account as it was: where several versions hold, the one that began last."""
_ACCOUNT_USERS = (
    'SELECT t."row", count(*) AS users FROM ticked AS t JOIN users AS x ON x.account_id = t.account_id '
    "AND x.signup_at < t.as_of AND x.is_internal IS NOT TRUE GROUP BY 1"
)


def _plain(column: SignalColumn) -> str:
    measure = column.signal.measure
    if isinstance(measure, AgeDays):
        return f"(s.as_of_us - s.signup_us) / {DAY_US}.0"
    if isinstance(measure, AccountUsers):
        return "coalesce(m.users, 1)"  # somebody without an account is alone
    assert isinstance(measure, Attribute)  # noqa: S101  # the only other plain measure
    value = f"{'u' if measure.table == 'users' else 'a'}.{quote(measure.column)}"
    return f"CAST({value} AS {'VARCHAR' if measure.type == 'category' else 'DOUBLE'})"


def _typed(column: SignalColumn) -> str:
    name = quote(column.name)
    return name if column.signal.is_category else f"CAST({name} AS DOUBLE) AS {name}"
