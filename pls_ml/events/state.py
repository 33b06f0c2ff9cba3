"""Clean events → the state: counts, sums, first and last per user, tick, event and property values.

A tick is one time grain (a day by default). The state keeps when an event happened and when it became known, so that a signal
for any past `as_of` on a grain boundary is exact, and the raw log is never read again.
"""

from dataclasses import dataclass

from pls_ml.core.catalogue import Catalogue, Distinct, Total, event_filters
from pls_ml.core.database import Database, quote
from pls_ml.core.windows import GRAIN_US


@dataclass(frozen=True)
class StateNeeds:
    """What a catalogue wants the state to keep: properties to tell rows apart, and properties to sum."""

    dimensions: tuple[str, ...]
    sums: tuple[str, ...]

    @property
    def properties(self) -> tuple[str, ...]:
        """Every event column that is read."""
        return tuple(sorted({*self.dimensions, *self.sums}))


def find_needs(catalogue: Catalogue) -> StateNeeds:
    """Takes a catalogue; returns the event properties its signals read."""
    measures = [signal.measure for signal in catalogue.signals]
    filters = [f for signal in catalogue.signals for f in event_filters(signal)]
    dimensions = {name for f in filters for name in f.where} | {m.of for m in measures if isinstance(m, Distinct)}
    sums = {m.of for m in measures if isinstance(m, Total)}
    return StateNeeds(tuple(sorted(dimensions)), tuple(sorted(sums)))


def roll_up(database: Database, needs: StateNeeds, grain: str) -> None:
    """Takes a database with `clean_events`; makes the table `state`. Properties the log does not have are left out.

    Sums are decimals with six places, so that they do not depend on the order of rows.
    """
    present = database.columns("clean_events")
    tick = GRAIN_US[grain]
    dimensions = "".join(f"{_as_text(p, present[p])} AS {quote(p)}, " for p in needs.dimensions if p in present)
    sums = "".join(
        f", sum(TRY_CAST(TRY_CAST({quote(p)} AS DOUBLE) AS DECIMAL(18, 6))) AS {quote('sum_' + p)}" for p in needs.sums if p in present
    )
    database.execute(
        f"CREATE OR REPLACE TABLE state AS SELECT user_id, account_id, event, {dimensions}"
        f"epoch_us(event_time) // {tick} AS event_tick, epoch_us(known_at) // {tick} AS known_tick, "
        f"count(*) AS n, min(epoch_us(event_time)) AS first_us, max(epoch_us(event_time)) AS last_us{sums} "
        "FROM clean_events GROUP BY ALL ORDER BY ALL"
    )


def _as_text(column: str, sql_type: str) -> str:
    """A property as text; a whole number in a column of doubles (pandas makes those of integers with gaps) without its '.0'."""
    text = f"CAST({quote(column)} AS VARCHAR)"
    return f"regexp_replace({text}, '\\.0$', '')" if sql_type in ("DOUBLE", "FLOAT") else text
