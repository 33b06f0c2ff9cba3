"""`pls-ml signals --coverage`: which signals say something in these data, and which events of the log no signal asks for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pls_ml.core.catalogue import Catalogue, SignalColumn
from pls_ml.core.database import quote
from pls_ml.core.errors import TableError
from pls_ml.core.measures import Attribute
from pls_ml.evaluation.tables import render_html, render_text
from pls_ml.labels.population import select_spine
from pls_ml.labels.spine import CalendarSpine, build_grid
from pls_ml.reports.plain_text import clean_text
from pls_ml.workflows.data import LoadedData, build_signals, load_data
from pls_ml.workflows.inputs import find_dated_tables, find_inputs
from pls_ml.workflows.project import Project
from pls_ml.workflows.signals import build_spine

MOST_LINES = 30
HEADER = ("column", "with a value", "not zero", "")
Fires = Literal["never", "always", "sometimes"]


@dataclass(frozen=True)
class ColumnCoverage:
    """One column: the share of rows with a value, and with one other than 0; 'always' when every row has the same one other than 0."""

    name: str
    filled: float
    nonzero: float
    fires: Fires
    without_history: bool

    @property
    def remark(self) -> str:
        """What a person should know about it."""
        fires = {"never": "never fires", "always": "always the same", "sometimes": ""}[self.fires]
        return ", ".join(filter(None, (fires, "no history: as of the extract" if self.without_history else "")))


@dataclass(frozen=True, repr=False)
class SignalCoverage:
    """Coverage over `rows` leads at `as_of` (None: over all of them, each at its own moment), and events that no signal asks for."""

    as_of: str | None
    rows: int
    columns: tuple[ColumnCoverage, ...]
    not_computable: dict[str, str]
    unused_events: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        return asdict(self)

    def to_text(self) -> str:
        """Takes nothing; returns a table, what cannot be computed, and the log's most frequent unused events."""
        moment = f"at {self.as_of}" if self.as_of else "each at its own moment"
        table = render_text(HEADER, [(c.name, f"{c.filled:.1%}", f"{c.nonzero:.1%}", c.remark) for c in self.columns])
        lines = [f"{self.rows:,} leads, {moment}", "", *table]
        if self.not_computable:
            reasons = [f"  {name}: {clean_text(reason, 400)}" for name, reason in self.not_computable.items()]
            lines += ["", f"cannot be computed: {len(self.not_computable)} signals", *reasons]
        if self.unused_events:
            lines += ["", f"events that no signal asks for by name: {len(self.unused_events):,}", *_list_names(self.unused_events)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        rows = [(c.name, f"{c.filled:.1%}", f"{c.nonzero:.1%}", c.remark) for c in self.columns]
        return render_html(HEADER, rows + [(name, "", "", f"cannot: {reason}") for name, reason in self.not_computable.items()])


def cover_signals(project: Project, as_of: datetime | None = None) -> SignalCoverage:
    """Takes a project and one `as_of` (None: the newest moment of the grid with known outcomes); returns how much its signals say there."""
    data = load_data(project)
    _build_newest(project, data, as_of)
    catalogue = data.coverage.catalogue
    build_signals(project, data, catalogue)
    first, last = data.database.rows("SELECT min(as_of), max(as_of) FROM spine")[0]
    asked = {name for signal in data.coverage.declared.signals for name in find_inputs(signal).events}
    return SignalCoverage(
        as_of=first.isoformat() if first is not None and first == last else None,
        rows=data.database.count("spine"),
        columns=_cover_columns(data, catalogue),
        not_computable=data.coverage.not_computable,
        unused_events={name: n for name, n in data.event_names.items() if name not in asked},
    )


def _build_newest(project: Project, data: LoadedData, as_of: datetime | None) -> None:
    """Makes `spine` of one moment where leads are scored on a calendar; else of every lead whose outcome is known."""
    config = project.config
    if as_of is not None or not config.timed or data.data_end is None:
        build_spine(project, data, as_of)
        return
    matured = config.horizon.to_horizon().matured_until(data.data_end)
    spine = config.spine
    if isinstance(spine, CalendarSpine):
        since = (matured - timedelta(days=spine.every_days)).date()
        spine = spine.model_copy(update={"start": max(since, spine.start or since)})
    try:
        build_grid(data.database, spine, data.grain, matured, config.unit)
    except TableError:  # nothing has matured: what leads look like at the end of the data is the next best
        build_spine(project, data, data.data_end)
        return
    if isinstance(spine, CalendarSpine):
        data.database.execute("DELETE FROM grid WHERE as_of < (SELECT max(as_of) FROM grid)")
    select_spine(data.database, config.population, data.grain, config.outcome.level, config.unit)


def _cover_columns(data: LoadedData, catalogue: Catalogue) -> tuple[ColumnCoverage, ...]:
    columns, dated = list(catalogue), find_dated_tables(data.database)
    asked = ", ".join(_ask(column) for column in columns)
    rows, *found = data.database.rows(f"SELECT count(*), {asked} FROM signals")[0]
    covered = []
    for place, column in enumerate(columns):
        filled, nonzero, values = found[3 * place : 3 * place + 3]
        fires: Fires = "never" if not nonzero else "always" if nonzero == rows and values == 1 else "sometimes"
        measure = column.signal.measure
        undated = isinstance(measure, Attribute) and measure.table not in dated
        covered.append(ColumnCoverage(column.name, filled / (rows or 1), nonzero / (rows or 1), fires, undated))
    return tuple(covered)


def _ask(column: SignalColumn) -> str:
    """How many rows have a value, how many one other than 0, and whether all values are the same (1)."""
    name = quote(column.name)
    nonzero = f"count({name})" if column.signal.is_category else f"count(CASE WHEN {name} <> 0 THEN 1 END)"
    return f"count({name}), {nonzero}, CASE WHEN min({name}) = max({name}) THEN 1 ELSE 2 END"


def _list_names(names: dict[str, int]) -> list[str]:
    shown = [f"  {clean_text(name, 60):<60}  {n:>14,}" for name, n in list(names.items())[:MOST_LINES]]
    return shown + ([f"  … and {len(names) - MOST_LINES:,} more"] if len(names) > MOST_LINES else [])
